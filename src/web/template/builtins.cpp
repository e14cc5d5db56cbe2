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

std::string shown(const TemplateValue& value) {
  std::string text;
  append_text(text, value);
  return text;
}

// --- tornado.escape ----------------------------------------------------------------------------------

TemplateValue escape_xhtml(const NativeCall& call) {
  const NativeArguments<1> arguments(call, {"value"}, 1);
  return new_string(xhtml_escape(to_text(arguments[0], "xhtml_escape() argument")), call.memory());
}

TemplateValue escape_url(const NativeCall& call) {
  const NativeArguments<2> arguments(call, {"value", "plus"}, 1);
  const bool plus = arguments[1].is_undefined() || is_true(arguments[1]);
  return new_string(url_escape(shown(arguments[0]), plus ? URLPart::kQuery : URLPart::kPath),
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

// --- conversions -------------------------------------------------------------------------------------

TemplateValue to_str(const NativeCall& call) {
  const NativeArguments<1> arguments(call, {"object"}, 0);
  if (arguments[0].is_undefined()) return TemplateValue::string("");
  if (arguments[0].is_string()) return arguments[0];
  return new_string(shown(arguments[0]), call.memory());
}

TemplateValue to_repr(const NativeCall& call) {
  const NativeArguments<1> arguments(call, {"object"}, 1);
  std::string text;
  append_repr(text, arguments[0]);
  return new_string(text, call.memory());
}

TemplateValue real_to_int(double value) {
  if (std::isnan(value)) fail_value("cannot convert float NaN to integer");
  if (!(std::abs(value) < 9223372036854775808.0)) {
    fail(TemplateErrorClass::kOverflowError, "float is beyond 64 bits");
  }
  return TemplateValue::integer(static_cast<std::int64_t>(value));
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

// --- iterables ---------------------------------------------------------------------------------------

TemplateValue len(const NativeCall& call) {
  const NativeArguments<1> arguments(call, {"obj"}, 1);
  return TemplateValue::integer(static_cast<std::int64_t>(length(arguments[0])));
}

TemplateValue range(const NativeCall& call) {
  const NativeArguments<3> arguments(call, {"start", "stop", "step"}, 1);
  const bool one = arguments[1].is_undefined();
  const std::int64_t start = one ? 0 : to_integer(arguments[0], "range() argument");
  const std::int64_t stop = to_integer(arguments[one ? 0 : 1], "range() argument");
  const std::int64_t step =
      arguments[2].is_undefined() ? 1 : to_integer(arguments[2], "range() argument");
  if (step == 0) fail_value("range() arg 3 must not be zero");
  TemplateRange& made = call.memory().make<TemplateRange>();
  made.start = start;
  made.stop = stop;
  made.step = step;
  const auto distance = [](std::int64_t low, std::int64_t high) {
    return static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
  };
  if (step > 0 && start < stop) {
    made.size = (distance(start, stop) - 1) / static_cast<std::uint64_t>(step) + 1;
  } else if (step < 0 && stop < start) {
    made.size = (distance(stop, start) - 1) / (0 - static_cast<std::uint64_t>(step)) + 1;
  }
  return TemplateValue::of(TemplateKind::kRange, &made);
}

TemplateValue sorted(const NativeCall& call) {
  const NativeArguments<3> arguments(call, {"iterable", "key", "reverse"}, 1);
  TemplateList& list = collect(arguments[0], call.memory());
  sort_list(list, arguments[1], is_true(arguments[2]), call);
  return TemplateValue::list(list);
}

TemplateValue reversed(const NativeCall& call) {
  const NativeArguments<1> arguments(call, {"sequence"}, 1);
  TemplateList& list = collect(arguments[0], call.memory());
  std::reverse(list.data, list.data + list.size);
  return TemplateValue::list(list);
}

TemplateValue enumerate(const NativeCall& call) {
  const NativeArguments<2> arguments(call, {"iterable", "start"}, 1);
  std::int64_t number =
      arguments[1].is_undefined() ? 0 : to_integer(arguments[1], "enumerate() argument 2");
  TemplateList& list = call.memory().make<TemplateList>();
  Cursor cursor;
  cursor.start(arguments[0], call.memory());
  for (TemplateValue element; cursor.next(call.memory(), element); ++number) {
    list.append(new_pair(TemplateValue::integer(number), element, call.memory()), call.memory());
  }
  return TemplateValue::list(list);
}

TemplateValue zip(const NativeCall& call) {
  if (call.call.keyword_count() > 0) fail_type("zip() takes no keyword arguments");
  std::vector<Cursor> cursors(call.size());
  for (std::size_t i = 0; i < call.size(); ++i) cursors[i].start(call[i], call.memory());
  TemplateList& list = call.memory().make<TemplateList>();
  std::vector<TemplateValue> row(call.size());
  while (!cursors.empty()) {
    for (std::size_t i = 0; i < cursors.size(); ++i) {
      if (!cursors[i].next(call.memory(), row[i])) return TemplateValue::list(list);
    }
    list.append(new_tuple(row, call.memory()), call.memory());
  }
  return TemplateValue::list(list);
}

template <bool wanted>
TemplateValue any_or_all(const NativeCall& call) {
  const NativeArguments<1> arguments(call, {"iterable"}, 1);
  Cursor cursor;
  cursor.start(arguments[0], call.memory());
  for (TemplateValue element; cursor.next(call.memory(), element);) {
    call.evaluator.charge(1);
    if (is_true(element) == wanted) return TemplateValue::boolean(wanted);
  }
  return TemplateValue::boolean(!wanted);
}

TemplateValue map(const NativeCall& call) {
  const NativeArguments<2> arguments(call, {"function", "iterable"}, 2);
  TemplateList& list = collect(arguments[1], call.memory());
  for (std::size_t i = 0; i < list.size; ++i) {
    list.data[i] = call.evaluator.call(arguments[0], {&list.data[i], 1});
  }
  return TemplateValue::list(list);
}

TemplateValue filter(const NativeCall& call) {
  const NativeArguments<2> arguments(call, {"function", "iterable"}, 2);
  const TemplateList& list = collect(arguments[1], call.memory());
  TemplateList& kept = call.memory().make<TemplateList>();
  for (const TemplateValue& value : list.values()) {
    const bool keep = arguments[0].is_none()
                          ? is_true(value)
                          : is_true(call.evaluator.call(arguments[0], {&value, 1}));
    if (keep) kept.append(value, call.memory());
  }
  return TemplateValue::list(kept);
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
    {"len", len},
    {"str", to_str},
    {"repr", to_repr},
    {"int", to_int},
    {"float", to_float},
    {"bool", to_bool},
    {"list", to_list},
    {"tuple", to_tuple},
    {"dict", to_dict},
    {"format", format_builtin},
    {"chr", character},
    {"ord", code_point},
    {"abs", absolute},
    {"round", round_number},
    {"divmod", divide_with_rest},
    {"sum", sum},
    {"min", extreme<false>},
    {"max", extreme<true>},
    {"range", range},
    {"sorted", sorted},
    {"reversed", reversed},
    {"enumerate", enumerate},
    {"zip", zip},
    {"any", any_or_all<true>},
    {"all", any_or_all<false>},
    {"map", map},
    {"filter", filter},
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

std::span<const TemplateFunction> builtin_functions() noexcept { return kFunctions; }

const TemplateFunction& xhtml_escape_function() noexcept { return kFunctions[0]; }

const TemplateFunction* find_builtin(std::string_view name) noexcept {
  const TemplateFunction* found = find_function(kFunctions, name);
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
