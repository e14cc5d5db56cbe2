#include "web/arguments.hpp"

#include <coronado/base/error.hpp>
#include <coronado/base/escape.hpp>
#include <coronado/base/strings.hpp>
#include <coronado/web/validation.hpp>

namespace coronado::web {

const ArgumentList& query_arguments(const HTTPServerRequest& request) try {
  return request.query_arguments();
} catch (const HTTPInputError& error) {
  throw ValidationError(400, {{"", error.what()}});
}

const ArgumentList& form_arguments(const HTTPServerRequest& request) try {
  return request.body_arguments();
} catch (const HTTPInputError& error) {
  throw ValidationError(400, {{"", error.what()}});
}

std::string checked_utf8(std::string_view value, std::string_view what) {
  if (!is_valid_utf8(value)) {
    throw ValidationError(400, {{"", "invalid unicode in " + std::string(what)}});
  }
  std::string text(value);
  for (char& c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x08 || (byte >= 0x0e && byte <= 0x1f)) c = ' ';
  }
  return std::string(trim(text));
}

const std::string* find_last_argument(const ArgumentList& arguments,
                                      std::string_view name) noexcept {
  for (auto each = arguments.rbegin(); each != arguments.rend(); ++each) {
    if (each->first == name) return &each->second;
  }
  return nullptr;
}

std::optional<std::string> last_argument(const ArgumentList& arguments, std::string_view name) {
  const std::string* value = find_last_argument(arguments, name);
  if (value == nullptr) return std::nullopt;
  return checked_utf8(*value, "argument " + std::string(name));
}

std::vector<std::string> all_arguments(const ArgumentList& arguments, std::string_view name) {
  std::vector<std::string> values;
  for (const auto& [key, value] : arguments) {
    if (key == name) values.push_back(checked_utf8(value, "argument " + std::string(name)));
  }
  return values;
}

}  // namespace coronado::web
