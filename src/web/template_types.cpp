// Arguments of C++ functions, as templates give them.
#include <coronado/web/template_types.hpp>

#include <coronado/base/json.hpp>

#include <string>

#include "web/template/format.hpp"

namespace coronado::web::detail {

void throw_argument(const TemplateCall& call, std::string_view parameter, std::string_view expected,
                    const TemplateValue& got) {
  std::string message(call.function());
  message += parameter.empty() ? "(): argument" : "(): argument '" + std::string(parameter) + "'";
  message.append(" must be ").append(expected).append(", not ").append(template_type_name(got));
  throw TemplateFault(TemplateErrorClass::kTypeError, message);
}

std::int64_t to_template_int(const TemplateCall& call, std::string_view parameter,
                             const TemplateValue& value, std::int64_t least, std::uint64_t most) {
  if (!value.is_int() && value.kind() != TemplateKind::kBool) {
    throw_argument(call, parameter, "int", value);
  }
  const std::int64_t integer = value.as_int();
  if (integer < least || (integer > 0 && static_cast<std::uint64_t>(integer) > most)) {
    throw TemplateFault(
        TemplateErrorClass::kOverflowError,
        std::string(call.function()) + "(): " + std::to_string(integer) + " is out of range");
  }
  return integer;
}

Json to_template_json(const TemplateValue& value) {
  std::string text;
  templates::append_template_json(text, value);
  return json_decode(text);
}

}  // namespace coronado::web::detail
