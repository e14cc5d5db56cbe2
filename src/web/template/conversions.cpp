// The functions that every template has: str, int, list and others that make one type of another.
#include <coronado/base/escape.hpp>
#include <coronado/base/strings.hpp>

#include <cmath>
#include <limits>

#include "web/template/evaluator.hpp"
#include "web/template/format.hpp"
#include "web/template/iteration.hpp"
#include "web/template/natives.hpp"
#include "web/template/operators.hpp"

namespace coronado::web::templates {
namespace {

TemplateValue to_str(const NativeCall& call) {
  const NativeArguments<1> arguments(call, {"object"}, 0);
  if (arguments[0].is_undefined()) return TemplateValue::string("");
  if (arguments[0].is_string()) return arguments[0];
  return new_string(template_to_string(arguments[0]), call.memory());
}

TemplateValue to_repr(const NativeCall& call) {
  const NativeArguments<1> arguments(call, {"object"}, 1);
  std::string text;
  append_repr(text, arguments[0]);
  return new_string(text, call.memory());
}

TemplateValue to_int(const NativeCall& call) {
  const NativeArguments<2> arguments(call, {"x", "base"}, 0);
  const TemplateValue& value = arguments[0];
  if (value.is_undefined()) return TemplateValue::integer(0);
  if (value.kind() == TemplateKind::kFloat) return real_to_int(value.as_float());
  if (!value.is_string()) return TemplateValue::integer(to_integer(value, "int() argument"));
  const std::int64_t base = arguments.has(1) ? to_integer(arguments[1], "int() base") : 10;
  if (base < 2 || base > 36) fail_value("int() base must be >= 2 and <= 36");
  std::string_view text = trim(value.as_string());
  const bool plus = text.starts_with('+');
  if (plus) text.remove_prefix(1);
  const auto parsed = plus && text.starts_with('-')
                          ? std::nullopt
                          : parse_int<std::int64_t>(text, static_cast<int>(base));
  if (parsed) return TemplateValue::integer(*parsed);
  std::string message = "invalid literal for int() with base " + std::to_string(base) + ": ";
  append_repr(message, value);
  fail_value(message);
}

TemplateValue to_float(const NativeCall& call) {
  const NativeArguments<1> arguments(call, {"x"}, 0);
  const TemplateValue& value = arguments[0];
  if (value.is_undefined()) return TemplateValue::real(0);
  if (is_number(value)) return TemplateValue::real(to_double(value));
  const std::string text = ascii_lower(trim(to_text(value, "float() argument")));
  if (text == "inf" || text == "infinity" || text == "+inf") {
    return TemplateValue::real(std::numeric_limits<double>::infinity());
  }
  if (text == "-inf" || text == "-infinity") {
    return TemplateValue::real(-std::numeric_limits<double>::infinity());
  }
  if (text == "nan") return TemplateValue::real(std::numeric_limits<double>::quiet_NaN());
  if (const auto parsed = parse_double(text)) return TemplateValue::real(*parsed);
  std::string message = "could not convert string to float: ";
  append_repr(message, value);
  fail_value(message);
}

TemplateValue to_bool(const NativeCall& call) {
  const NativeArguments<1> arguments(call, {"x"}, 0);
  return TemplateValue::boolean(is_true(arguments[0]));
}

TemplateValue to_list(const NativeCall& call) {
  const NativeArguments<1> arguments(call, {"iterable"}, 0);
  if (arguments[0].is_undefined()) return new_list({}, call.memory());
  return TemplateValue::list(collect(arguments[0], call.memory()));
}

TemplateValue to_tuple(const NativeCall& call) {
  const NativeArguments<1> arguments(call, {"iterable"}, 0);
  if (arguments[0].is_undefined()) return new_tuple({}, call.memory());
  return TemplateValue::tuple(collect(arguments[0], call.memory()));
}

TemplateValue to_dict(const NativeCall& call) {
  if (call.size() > 1) fail_type("dict expected at most 1 argument");
  TemplateDict& dict = call.memory().make<TemplateDict>();
  const auto put = [&](const TemplateValue& key, const TemplateValue& value) {
    dict.put(key, value, call.memory());
  };
  if (call.size() == 1 && is_mapping(call[0])) {
    for_each_pair(call[0], call.memory(), put);
  } else if (call.size() == 1) {
    for (const TemplateValue& pair : collect(call[0], call.memory()).values()) {
      const TemplateList& parts = collect(pair, call.memory());
      if (parts.size != 2) fail_value("dict() needs pairs of key and value");
      put(parts.data[0], parts.data[1]);
    }
  }
  for (std::size_t i = 0; i < call.call.keyword_count(); ++i) {
    put(TemplateValue::string(call.call.keyword_name(i)), call.call.keyword(i));
  }
  return TemplateValue::dict(dict);
}

TemplateValue format_builtin(const NativeCall& call) {
  const NativeArguments<2> arguments(call, {"value", "format_spec"}, 1);
  const std::string_view spec =
      arguments[1].is_undefined() ? "" : to_text(arguments[1], "format() argument 2");
  return new_string(format_value(arguments[0], spec), call.memory());
}

TemplateValue character(const NativeCall& call) {
  const NativeArguments<1> arguments(call, {"i"}, 1);
  const std::int64_t code = to_integer(arguments[0], "chr() argument");
  if (code < 0 || code > 0x10FFFF) fail_value("chr() arg not in range(0x110000)");
  std::string text;
  append_utf8(text, static_cast<char32_t>(code));
  return new_string(text, call.memory());
}

TemplateValue code_point(const NativeCall& call) {
  const NativeArguments<1> arguments(call, {"c"}, 1);
  const std::string_view text = to_text(arguments[0], "ord() argument");
  if (text.empty() || first_character(text).size() != text.size()) {
    fail_type("ord() expected a character");
  }
  const auto lead = static_cast<unsigned char>(text[0]);
  std::int64_t code = lead < 0x80 ? lead : lead & (0x7F >> text.size());
  for (char c : text.substr(1)) code = code << 6 | (static_cast<unsigned char>(c) & 0x3F);
  return TemplateValue::integer(code);
}

constexpr TemplateFunction kFunctions[] = {
    {"str", to_str},     {"repr", to_repr},   {"int", to_int},
    {"float", to_float}, {"bool", to_bool},   {"list", to_list},
    {"tuple", to_tuple}, {"dict", to_dict},   {"format", format_builtin},
    {"chr", character},  {"ord", code_point},
};

}  // namespace

TemplateValue real_to_int(double value) {
  if (std::isnan(value)) fail_value("cannot convert float NaN to integer");
  if (!(std::abs(value) < 9223372036854775808.0)) {
    fail(TemplateErrorClass::kOverflowError, "float is beyond 64 bits");
  }
  return TemplateValue::integer(static_cast<std::int64_t>(value));
}

std::span<const TemplateFunction> conversion_functions() noexcept { return kFunctions; }

}  // namespace coronado::web::templates
