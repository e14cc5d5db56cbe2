#include <coronado/web/template_error.hpp>

#include <utility>

namespace coronado::web {

std::string to_string(const TemplatePlace& place) {
  std::string text =
      place.file + ":" + std::to_string(place.line) + ":" + std::to_string(place.column);
  for (std::size_t i = 0; i < place.via.size(); ++i) {
    text += (i == 0 ? " (via " : ", ") + place.via[i];
  }
  if (!place.via.empty()) text += ')';
  return text;
}

ParseError::ParseError(std::string message, TemplatePlace place)
    : std::runtime_error(message + " at " + to_string(place)),
      message_(std::move(message)),
      place_(std::move(place)) {}

TemplateError::TemplateError(TemplateErrorClass error_class, std::string message,
                             TemplatePlace place, std::exception_ptr cause)
    : std::runtime_error(std::string(template_error_name(error_class)) + ": " + message + " at " +
                         to_string(place)),
      error_class_(error_class),
      message_(std::move(message)),
      place_(std::move(place)),
      cause_(std::move(cause)) {}

std::string_view template_error_name(TemplateErrorClass error_class) noexcept {
  switch (error_class) {
    case TemplateErrorClass::kException: return "Exception";
    case TemplateErrorClass::kAttributeError: return "AttributeError";
    case TemplateErrorClass::kIndexError: return "IndexError";
    case TemplateErrorClass::kKeyError: return "KeyError";
    case TemplateErrorClass::kNameError: return "NameError";
    case TemplateErrorClass::kOverflowError: return "OverflowError";
    case TemplateErrorClass::kTypeError: return "TypeError";
    case TemplateErrorClass::kValueError: return "ValueError";
    case TemplateErrorClass::kZeroDivisionError: return "ZeroDivisionError";
    case TemplateErrorClass::kLimit: return "LimitError";
  }
  return "Exception";
}

}  // namespace coronado::web
