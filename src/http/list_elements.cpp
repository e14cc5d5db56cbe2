#include "http/list_elements.hpp"

#include <coronado/base/strings.hpp>

namespace coronado {

std::vector<std::string> list_elements(const RequestHead& head, std::string_view name) {
  std::vector<std::string> elements;
  for (const auto& field : head.fields()) {
    if (!equals_ignore_case(field.name, name)) continue;
    for (const std::string_view part : split(field.value, ',')) {
      const std::string_view element = trim(part);
      if (!element.empty()) elements.emplace_back(element);
    }
  }
  return elements;
}

}  // namespace coronado
