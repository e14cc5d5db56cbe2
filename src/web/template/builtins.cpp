// Functions that every template has without asking.
#include <coronado/base/escape.hpp>
#include <coronado/base/linkify.hpp>
#include <coronado/base/strings.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

#include "web/template/datetime.hpp"
#include "web/template/evaluator.hpp"
#include "web/template/format.hpp"
#include "web/template/iteration.hpp"
#include "web/template/natives.hpp"
#include "web/template/operators.hpp"

namespace coronado::web::templates {
namespace {

// --- tornado.escape ----------------------------------------------------------------------------------

TemplateValue escape_xhtml(const NativeCall& call) {
  const NativeArguments<1> arguments(call, {"value"}, 1);
  return new_string(xhtml_escape(to_text(arguments[0], "xhtml_escape() argument")), call.memory());
}

TemplateValue escape_url(const NativeCall& call) {
  const NativeArguments<2> arguments(call, {"value", "plus"}, 1);
  const bool plus = arguments[1].is_undefined() || is_true(arguments[1]);
  return new_string(
      url_escape(template_to_string(arguments[0]), plus ? URLPart::kQuery : URLPart::kPath),
      call.memory());
}

TemplateValue encode_json(const NativeCall& call) {
  const NativeArguments<1> arguments(call, {"value"}, 1);
  std::string out;
  append_template_json(out, arguments[0]);
  return new_string(out, call.memory());
}

TemplateValue squeeze_text(const NativeCall& call) {
  const NativeArguments<1> arguments(call, {"value"}, 1);
  return new_string(squeeze(to_text(arguments[0], "squeeze() argument")), call.memory());
}

TemplateValue linkify_text(const NativeCall& call) {
  const NativeArguments<5> arguments(
      call, {"text", "shorten", "extra_params", "require_protocol", "permitted_protocols"}, 1);
  LinkifyOptions options;
  if (arguments.has(1)) options.shorten = is_true(arguments[1]);
  if (arguments.has(2)) options.extra_params = to_text(arguments[2], "extra_params");
  if (arguments.has(3)) options.require_protocol = is_true(arguments[3]);
  if (arguments.has(4)) {
    options.permitted_protocols.clear();
    for (const TemplateValue& protocol : collect(arguments[4], call.memory()).values()) {
      options.permitted_protocols.emplace_back(to_text(protocol, "a protocol"));
    }
  }
  return new_string(linkify(to_text(arguments[0], "linkify() argument"), options), call.memory());
}

// --- numbers -----------------------------------------------------------------------------------------

TemplateValue absolute(const NativeCall& call) {
  const NativeArguments<1> arguments(call, {"x"}, 1);
  const TemplateValue& value = arguments[0];
  if (value.kind() == TemplateKind::kFloat) return TemplateValue::real(std::abs(value.as_float()));
  const std::int64_t integer = to_integer(value, "abs() argument");
  return integer < 0 ? unary(Operator::kNegate, TemplateValue::integer(integer))
                     : TemplateValue::integer(integer);
}

/// To even, as Python does; digits are cut by way of the decimal text, which is exact.
TemplateValue round_number(const NativeCall& call) {
  const NativeArguments<2> arguments(call, {"number", "ndigits"}, 1);
  const TemplateValue& value = arguments[0];
  if (!is_number(value)) fail_type("round() needs a number");
  if (value.kind() != TemplateKind::kFloat && !arguments.has(1)) {
    return TemplateValue::integer(value.as_int());
  }
  if (!arguments.has(1)) return real_to_int(std::nearbyint(value.as_float()));
  const std::int64_t digits = to_integer(arguments[1], "ndigits");
  if (value.kind() != TemplateKind::kFloat) {
    if (digits >= 0) return TemplateValue::integer(value.as_int());
    if (digits < -18) return TemplateValue::integer(0);
    std::int64_t unit = 1;
    for (std::int64_t i = 0; i < -digits; ++i) unit *= 10;
    const std::int64_t number = value.as_int();
    std::int64_t whole = number / unit * unit;
    const std::int64_t rest = std::abs(number - whole);
    const bool odd = number / unit % 2 != 0;
    if (rest > unit / 2 || (rest == unit / 2 && odd)) whole += number < 0 ? -unit : unit;
    return TemplateValue::integer(whole);
  }
  const double number = value.as_float();
  if (!std::isfinite(number) || digits > 300) return value;
  if (digits < 0) {
    const double unit = std::pow(10.0, static_cast<double>(-digits));
    return TemplateValue::real(std::nearbyint(number / unit) * unit);
  }
  const std::string text = format_value(value, "." + std::to_string(digits) + "f");
  return TemplateValue::real(parse_double(text).value_or(number));
}

TemplateValue divide_with_rest(const NativeCall& call) {
  const NativeArguments<2> arguments(call, {"a", "b"}, 2);
  return new_pair(binary(Operator::kFloorDivide, arguments[0], arguments[1], call.memory()),
                  binary(Operator::kModulo, arguments[0], arguments[1], call.memory()),
                  call.memory());
}

TemplateValue sum(const NativeCall& call) {
  const NativeArguments<2> arguments(call, {"iterable", "start"}, 1);
  TemplateValue total = arguments[1].is_undefined() ? TemplateValue::integer(0) : arguments[1];
  Cursor cursor;
  cursor.start(arguments[0], call.memory());
  for (TemplateValue element; cursor.next(call.memory(), element);) {
    call.evaluator.charge(1);
    total = binary(Operator::kAdd, total, element, call.memory());
  }
  return total;
}

/// min and max: of one iterable, or of the arguments; with `key` and `default`.
template <bool largest>
TemplateValue extreme(const NativeCall& call) {
  TemplateValue key;
  TemplateValue otherwise = TemplateValue::undefined();
  for (std::size_t i = 0; i < call.call.keyword_count(); ++i) {
    const std::string_view name = call.call.keyword_name(i);
    if (name == "key") {
      key = call.call.keyword(i);
    } else if (name == "default") {
      otherwise = call.call.keyword(i);
    } else {
      fail_type(std::string(call.call.function()) + "() got an unexpected keyword argument '" +
                std::string(name) + "'");
    }
  }
  if (call.size() == 0) fail_type(std::string(call.call.function()) + " expected an argument");
  TemplateList* values = nullptr;
  if (call.size() == 1) {
    values = &collect(call[0], call.memory());
  } else {
    values = &call.memory().make<TemplateList>();
    for (std::size_t i = 0; i < call.size(); ++i) values->append(call[i], call.memory());
  }
  if (values->size == 0) {
    if (!otherwise.is_undefined()) return otherwise;
    fail_value(std::string(call.call.function()) + "() arg is an empty sequence");
  }
  const auto key_of = [&](const TemplateValue& value) {
    return key.is_none() ? value : call.evaluator.call(key, {&value, 1});
  };
  TemplateValue best = values->data[0];
  TemplateValue best_key = key_of(best);
  for (const TemplateValue& value : values->values().subspan(1)) {
    const TemplateValue other = key_of(value);
    if (largest ? less(best_key, other) : less(other, best_key)) {
      best = value;
      best_key = other;
    }
  }
  return best;
}

// --- classes of errors ---------------------------------------------------------------------------------

[[noreturn]] TemplateValue make_error(const NativeCall&) {
  fail_type("errors are made by what fails, not by templates");
}

constexpr TemplateErrorClass kClasses[] = {
    TemplateErrorClass::kException,        TemplateErrorClass::kAttributeError,
    TemplateErrorClass::kIndexError,       TemplateErrorClass::kKeyError,
    TemplateErrorClass::kNameError,        TemplateErrorClass::kOverflowError,
    TemplateErrorClass::kTypeError,        TemplateErrorClass::kValueError,
    TemplateErrorClass::kZeroDivisionError};

constexpr TemplateFunction kFunctions[] = {
    {"xhtml_escape", escape_xhtml},
    {"escape", escape_xhtml},
    {"url_escape", escape_url},
    {"json_encode", encode_json},
    {"squeeze", squeeze_text},
    {"linkify", linkify_text},
    {"abs", absolute},
    {"round", round_number},
    {"divmod", divide_with_rest},
    {"sum", sum},
    {"min", extreme<false>},
    {"max", extreme<true>},
    {"Exception", make_error, nullptr, &kClasses[0]},
    {"AttributeError", make_error, nullptr, &kClasses[1]},
    {"IndexError", make_error, nullptr, &kClasses[2]},
    {"KeyError", make_error, nullptr, &kClasses[3]},
    {"NameError", make_error, nullptr, &kClasses[4]},
    {"OverflowError", make_error, nullptr, &kClasses[5]},
    {"TypeError", make_error, nullptr, &kClasses[6]},
    {"ValueError", make_error, nullptr, &kClasses[7]},
    {"ZeroDivisionError", make_error, nullptr, &kClasses[8]},
};

}  // namespace

const TemplateFunction& xhtml_escape_function() noexcept { return kFunctions[0]; }

const TemplateFunction* find_builtin(std::string_view name) noexcept {
  const TemplateFunction* found = find_function(kFunctions, name);
  if (found == nullptr) found = find_function(conversion_functions(), name);
  if (found == nullptr) found = find_function(iterable_functions(), name);
  // Tornado's `escape` is its whole module; here it is the function that the module is used for.
  return found != nullptr && name == "escape" ? &kFunctions[0] : found;
}

TemplateValue find_builtin_value(std::string_view name) noexcept {
  if (const TemplateFunction* function = find_builtin(name)) {
    return TemplateValue::of(TemplateKind::kFunction, function);
  }
  return name == "datetime" ? datetime_module() : TemplateValue::undefined();
}

const TemplateFunction* find_function(std::span<const TemplateFunction> table,
                                      std::string_view name) noexcept {
  for (const TemplateFunction& function : table) {
    if (function.name == name) return &function;
  }
  return nullptr;
}

bool error_matches(TemplateErrorClass thrown, TemplateErrorClass wanted) noexcept {
  return wanted == TemplateErrorClass::kException || thrown == wanted;
}

std::string_view to_text(const TemplateValue& value, std::string_view what) {
  if (!value.is_string()) {
    fail_type(std::string(what) + " must be str, not '" + std::string(template_type_name(value)) +
              "'");
  }
  return value.as_string();
}

}  // namespace coronado::web::templates
