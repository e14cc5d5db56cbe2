#include "http/idna.hpp"

#include <idn2.h>

#include <memory>

namespace coronado {

std::optional<std::string> ascii_host_name(std::string_view name) {
  if (name.contains('\0')) return std::nullopt;
  const std::string text(name);
  char* found = nullptr;
  const int result =
      ::idn2_to_ascii_8z(text.c_str(), &found, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
  const std::unique_ptr<char, void (*)(void*)> owner(found, ::idn2_free);
  if (result != IDN2_OK) return std::nullopt;
  return std::string(found);
}

}  // namespace coronado
