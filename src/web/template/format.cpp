#include "web/template/format.hpp"

#include <coronado/base/escape.hpp>
#include <coronado/base/json.hpp>
#include <coronado/base/json_typed.hpp>
#include <coronado/base/strings.hpp>
#include <coronado/web/template_binding.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "web/template/iteration.hpp"
#include "web/template/operators.hpp"

namespace coronado::web::templates {
namespace {

using Kind = TemplateKind;

constexpr int kMaxDepth = 60;
constexpr std::size_t kMaxWidth = 100'000;  // of a padded field

void check_depth(int depth) {
  if (depth > kMaxDepth) fail(TemplateErrorClass::kLimit, "containers nested too deeply");
}

std::string quoted_type(const TemplateValue& value) {
  return "'" + std::string(template_type_name(value)) + "'";
}

void append_quoted(std::string& out, std::string_view text) {
  const bool has_single = text.find('\'') != std::string_view::npos;
  const char quote = has_single && text.find('"') == std::string_view::npos ? '"' : '\'';
  out += quote;
  for (char c : text) {
    if (c == quote || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (static_cast<unsigned char>(c) < ' ' || c == '\x7F') {
      out += "\\x";
      append_hex(out, {&c, 1});
    } else {
      out += c;
    }
  }
  out += quote;
}

void append_elements(std::string& out, const TemplateValue& value, int depth) {
  const bool tuple =
      value.kind() == Kind::kTuple || (value.is_object() && value.type().name == "tuple");
  TemplateMemory memory;
  out += tuple ? '(' : '[';
  Cursor cursor;
  cursor.start(value, memory);
  std::size_t count = 0;
  for (TemplateValue element; cursor.next(memory, element); ++count) {
    if (count > 0) out += ", ";
    append_repr(out, element, depth + 1);
  }
  if (tuple && count == 1) out += ',';
  out += tuple ? ')' : ']';
}

void append_pairs(std::string& out, const TemplateValue& value, int depth) {
  TemplateMemory memory;
  out += '{';
  bool first = true;
  for_each_pair(value, memory, [&](const TemplateValue& key, const TemplateValue& mapped) {
    if (!std::exchange(first, false)) out += ", ";
    append_repr(out, key, depth + 1);
    out += ": ";
    append_repr(out, mapped, depth + 1);
  });
  out += '}';
}

void append_object(std::string& out, const TemplateValue& value, int depth) {
  const TemplateType& type = value.type();
  if (type.find != nullptr) return append_pairs(out, value, depth);
  if (type.size != nullptr) return append_elements(out, value, depth);
  if (type.members.empty()) {
    out.append("<").append(type.name).append(">");
    return;
  }
  TemplateMemory memory;
  out.append(type.name).append("(");
  bool first = true;
  for (const TemplateMember& member : type.members) {
    if (!std::exchange(first, false)) out += ", ";
    out.append(member.name).append("=");
    append_repr(out, member.get(value.pointer(), memory), depth + 1);
  }
  out += ')';
}

}  // namespace

void append_float(std::string& out, double value) {
  if (std::isnan(value)) {
    out += "nan";
    return;
  }
  if (std::isinf(value)) {
    out += value < 0 ? "-inf" : "inf";
    return;
  }
  // Python writes an exponent below 1e-4 and from 1e16 on.
  const double size = std::abs(value);
  const bool scientific = size != 0 && (size < 1e-4 || size >= 1e16);
  char digits[64];
  const auto end =
      std::to_chars(digits, digits + sizeof digits, value,
                    scientific ? std::chars_format::scientific : std::chars_format::fixed)
          .ptr;
  const std::string_view text(digits, static_cast<std::size_t>(end - digits));
  out += text;
  if (!scientific && text.find('.') == std::string_view::npos) out += ".0";
}

void append_text(std::string& out, const TemplateValue& value, int depth) {
  switch (value.kind()) {
    case Kind::kString: out += value.as_string(); return;
    case Kind::kInt: return append_int(out, value.as_int());
    case Kind::kFailure: out += value.as<TemplateFailure>().message; return;
    default: append_repr(out, value, depth);
  }
}

void append_repr(std::string& out, const TemplateValue& value, int depth) {
  check_depth(depth);
  switch (value.kind()) {
    case Kind::kUndefined: out += "undefined"; return;
    case Kind::kNone: out += "None"; return;
    case Kind::kBool: out += value.as_bool() ? "True" : "False"; return;
    case Kind::kInt: return append_int(out, value.as_int());
    case Kind::kFloat: return append_float(out, value.as_float());
    case Kind::kString: return append_quoted(out, value.as_string());
    case Kind::kList:
    case Kind::kTuple: return append_elements(out, value, depth);
    case Kind::kDict: return append_pairs(out, value, depth);
    case Kind::kRange: {
      const TemplateRange& range = value.as<TemplateRange>();
      out += "range(" + std::to_string(range.start) + ", " + std::to_string(range.stop);
      if (range.step != 1) out += ", " + std::to_string(range.step);
      out += ')';
      return;
    }
    case Kind::kObject: return append_object(out, value, depth);
    case Kind::kFunction:
      out.append("<function ").append(value.as<TemplateFunction>().name).append(">");
      return;
    case Kind::kMethod:
      out.append("<method ").append(value.as<TemplateMethod>().function->name).append(">");
      return;
    case Kind::kFailure: {
      const TemplateFailure& failure = value.as<TemplateFailure>();
      out.append(template_type_name(value)).append("(");
      append_quoted(out, failure.message);
      out += ')';
      return;
    }
    case Kind::kAwaitable:
      fail_type("a coroutine has no value before it is awaited: write {{ await ... }}");
  }
}

// --- the format mini-language ----------------------------------------------------------------------

namespace {

struct FormatSpec {
  std::string_view fill = " ";
  char align = '\0';
  char sign = '-';
  bool alternate = false;
  bool zero = false;
  char group = '\0';
  std::size_t width = 0;
  std::optional<std::size_t> precision;
  char type = '\0';
};

std::size_t read_size(std::string_view& text, std::string_view whole) {
  std::size_t digits = 0;
  while (digits < text.size() && is_ascii_digit(text[digits])) ++digits;
  const auto value = parse_int<std::uint32_t>(text.substr(0, digits));
  if (!value || *value > kMaxWidth) fail_value("invalid format '" + std::string(whole) + "'");
  text.remove_prefix(digits);
  return *value;
}

FormatSpec parse_spec(std::string_view text) {
  const std::string_view whole = text;
  FormatSpec spec;
  constexpr std::string_view kAligns = "<>=^";
  const auto is_align = [&](char c) { return kAligns.find(c) != std::string_view::npos; };
  if (!text.empty()) {
    const std::string_view fill = first_character(text);
    if (fill.size() < text.size() && is_align(text[fill.size()])) {
      spec.fill = fill;
      spec.align = text[fill.size()];
      text.remove_prefix(fill.size() + 1);
    } else if (is_align(text[0])) {
      spec.align = text[0];
      text.remove_prefix(1);
    }
  }
  const auto take = [&](std::string_view any, char& into) {
    if (text.empty() || any.find(text[0]) == std::string_view::npos) return false;
    into = text[0];
    text.remove_prefix(1);
    return true;
  };
  char ignored = 0;
  take("+- ", spec.sign);
  spec.alternate = take("#", ignored);
  if (take("0", ignored)) {
    spec.zero = true;
    if (spec.align == '\0') {
      spec.fill = "0";
      spec.align = '=';
    }
  }
  if (!text.empty() && is_ascii_digit(text[0])) spec.width = read_size(text, whole);
  take(",_", spec.group);
  if (take(".", ignored)) spec.precision = read_size(text, whole);
  if (text.size() > 1) fail_value("invalid format '" + std::string(whole) + "'");
  if (!text.empty()) spec.type = text[0];
  return spec;
}

std::string pad(const FormatSpec& spec, std::string_view sign, std::string_view body,
                char default_align) {
  const std::size_t size = count_characters(sign) + count_characters(body);
  std::string out;
  if (size >= spec.width) return out.append(sign).append(body);
  const std::size_t missing = spec.width - size;
  const char align = spec.align == '\0' ? default_align : spec.align;
  const std::size_t left = align == '<' ? 0 : align == '^' ? missing / 2 : missing;
  const auto fill = [&](std::size_t count) {
    for (; count > 0; --count) out += spec.fill;
  };
  if (align == '=') out += sign;
  fill(left);
  if (align != '=') out += sign;
  out += body;
  fill(missing - left);
  return out;
}

/// Puts `separator` between groups of digits in the integer part of `digits`.
std::string group_digits(std::string_view digits, char separator, std::size_t every) {
  std::size_t end = 0;
  while (end < digits.size() && hex_value(digits[end]) >= 0 && digits[end] != 'e') ++end;
  std::string out;
  for (std::size_t i = 0; i < end; ++i) {
    if (i > 0 && (end - i) % every == 0) out += separator;
    out += digits[i];
  }
  return out.append(digits.substr(end));
}

std::string_view sign_of(const FormatSpec& spec, bool negative) {
  if (negative) return "-";
  if (spec.sign == '+') return "+";
  return spec.sign == ' ' ? " " : "";
}

std::string finish_number(const FormatSpec& spec, bool negative, std::string_view prefix,
                          std::string digits, std::size_t group_size) {
  std::string sign(sign_of(spec, negative));
  sign += prefix;
  if (spec.group != '\0') {
    if (spec.align == '=' && spec.fill == "0") {
      // Zeros are grouped too; there are as many as the width needs.
      const auto grouped = [&] { return group_digits(digits, spec.group, group_size); };
      while (sign.size() + grouped().size() < spec.width) digits.insert(0, "0");
      digits = grouped();
      if (digits.size() + sign.size() > spec.width && digits.starts_with("0") &&
          digits.size() > 1 && !is_ascii_digit(digits[1]) && digits[1] != '.') {
        digits.insert(0, "0");
      }
    } else {
      digits = group_digits(digits, spec.group, group_size);
    }
  }
  return pad(spec, sign, digits, '>');
}

std::string format_integer(std::int64_t value, const FormatSpec& spec) {
  if (spec.precision) fail_value("precision not allowed in integer format");
  const bool negative = value < 0;
  const std::uint64_t size =
      negative ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
  int base = 10;
  std::string_view prefix;
  switch (spec.type) {
    case 'b':
      base = 2;
      prefix = "0b";
      break;
    case 'o':
      base = 8;
      prefix = "0o";
      break;
    case 'x':
      base = 16;
      prefix = "0x";
      break;
    case 'X':
      base = 16;
      prefix = "0X";
      break;
    case 'c': {
      std::string text;
      if (value < 0 || value > 0x10FFFF) fail_value("%c needs a code point");
      append_utf8(text, static_cast<char32_t>(value));
      return pad(spec, "", text, '<');
    }
    default: break;
  }
  char digits[72];
  const auto end = std::to_chars(digits, digits + sizeof digits, size, base).ptr;
  std::string text(digits, static_cast<std::size_t>(end - digits));
  if (spec.type == 'X') text = ascii_upper(text);
  return finish_number(spec, negative, spec.alternate ? prefix : "", std::move(text),
                       base == 10 ? 3 : 4);
}

/// What C's `%g` does, which std::to_chars has as `general`, without its exponent of one digit.
std::string format_real(double value, const FormatSpec& spec) {
  const char type = ascii_lower(spec.type);
  const bool negative = std::signbit(value) && !std::isnan(value);
  const double size = std::abs(value);
  std::string digits;
  if (!std::isfinite(size)) {
    digits = std::isnan(size) ? "nan" : "inf";
  } else if (type == '\0' && !spec.precision) {
    append_float(digits, size);
  } else {
    std::chars_format form = std::chars_format::fixed;
    if (type == 'e') form = std::chars_format::scientific;
    if (type == 'g' || type == 'n' || type == '\0') form = std::chars_format::general;
    std::size_t precision = spec.precision.value_or(6);
    if (form == std::chars_format::general && precision == 0) precision = 1;
    digits.resize(precision + 400);
    const auto result =
        std::to_chars(digits.data(), digits.data() + digits.size(), type == '%' ? size * 100 : size,
                      form, static_cast<int>(precision));
    digits.resize(static_cast<std::size_t>(result.ptr - digits.data()));
    const bool plain = digits.find_first_of(".e") == std::string::npos;
    if (plain && type == '\0') digits += ".0";
    if (plain && spec.alternate) digits += '.';
    if (type == '%') digits += '%';
  }
  if (spec.type >= 'A' && spec.type <= 'Z') digits = ascii_upper(digits);
  return finish_number(spec, negative, "", std::move(digits), 3);
}

std::string format_text(std::string_view text, const FormatSpec& spec) {
  if (spec.align == '=' && !spec.zero) fail_value("'=' alignment not allowed in string format");
  if (spec.group != '\0' || spec.sign != '-' || spec.alternate) {
    fail_value("sign, ',' and '#' are not allowed in string format");
  }
  FormatSpec plain = spec;
  if (plain.align == '=') plain.align = '<';
  return pad(plain, "", spec.precision ? substring(text, 0, *spec.precision) : text, '<');
}

[[noreturn]] void fail_code(char code, const TemplateValue& value) {
  fail_value(std::string("unknown format code '") + code + "' for object of type " +
             quoted_type(value));
}

}  // namespace

std::string format_value(const TemplateValue& value, std::string_view specification) {
  std::string out;
  if (specification.empty()) {
    append_text(out, value);
    return out;
  }
  const FormatSpec spec = parse_spec(specification);
  constexpr std::string_view kIntegers = "bcdoxXn";
  constexpr std::string_view kReals = "eEfFgGn%";
  const auto is_one_of = [&](std::string_view codes) {
    return spec.type == '\0' || codes.find(spec.type) != std::string_view::npos;
  };
  switch (value.kind()) {
    case Kind::kBool:
      if (spec.type == '\0') return format_text(value.as_bool() ? "True" : "False", spec);
      [[fallthrough]];
    case Kind::kInt:
      if (is_one_of(kIntegers)) return format_integer(value.as_int(), spec);
      if (is_one_of(kReals)) return format_real(static_cast<double>(value.as_int()), spec);
      fail_code(spec.type, value);
    case Kind::kFloat:
      if (!is_one_of(kReals)) fail_code(spec.type, value);
      return format_real(value.as_float(), spec);
    case Kind::kString:
      if (spec.type != '\0' && spec.type != 's') fail_code(spec.type, value);
      return format_text(value.as_string(), spec);
    default: fail_type("unsupported format string passed to " + quoted_type(value));
  }
}

// --- % and str.format --------------------------------------------------------------------------------

namespace {

/// The arguments of `%`, taken one by one or by name.
class PercentArguments {
 public:
  PercentArguments(const TemplateValue& arguments, TemplateMemory& memory)
      : arguments_(arguments), memory_(memory) {
    single_ = !(arguments.kind() == Kind::kTuple ||
                (arguments.is_object() && arguments.type().name == "tuple"));
  }

  TemplateValue next() {
    if (single_) {
      if (taken_++ > 0) fail_type("not enough arguments for format string");
      return arguments_;
    }
    if (taken_ >= length(arguments_)) fail_type("not enough arguments for format string");
    return element(arguments_, taken_++, memory_);
  }
  TemplateValue named(std::string_view name) {
    if (!is_mapping(arguments_)) fail_type("format requires a mapping");
    named_ = true;
    return item(arguments_, TemplateValue::string(name), memory_);
  }
  void finish() const {
    const std::size_t given = single_ ? 1 : length(arguments_);
    if (taken_ < given && !named_ && !(single_ && is_mapping(arguments_))) {
      fail_type("not all arguments converted during string formatting");
    }
  }

 private:
  const TemplateValue& arguments_;
  TemplateMemory& memory_;
  std::size_t taken_ = 0;
  bool single_ = true;
  bool named_ = false;
};

std::string percent_field(FormatSpec spec, const TemplateValue& value) {
  const char type = spec.type;
  if (type == 's' || type == 'r' || type == 'a') {
    std::string text;
    type == 's' ? append_text(text, value) : append_repr(text, value);
    spec.sign = '-';
    spec.alternate = false;
    spec.zero = false;
    if (spec.align == '=' || spec.align == '\0') spec.align = '>';
    spec.fill = " ";
    return format_text(text, spec);
  }
  if (type == 'c') {
    if (value.is_string()) return pad(spec, "", value.as_string(), '>');
    if (spec.align == '\0') spec.align = '>';
    return format_integer(to_integer(value, "%c"), spec);
  }
  if (!is_number(value)) {
    fail_type(std::string("%") + type + " format: a number is required, not " + quoted_type(value));
  }
  if (std::string_view("diuxXo").find(type) != std::string_view::npos) {
    std::int64_t integer = 0;
    if (value.kind() == Kind::kFloat) {
      if (!(std::abs(value.as_float()) < 9.2e18)) {
        fail(TemplateErrorClass::kOverflowError, "float is beyond 64 bits");
      }
      integer = static_cast<std::int64_t>(value.as_float());
    } else {
      integer = value.as_int();
    }
    const std::optional<std::size_t> digits = std::exchange(spec.precision, std::nullopt);
    if (!digits) return format_integer(integer, spec);
    FormatSpec inner = spec;
    inner.width = *digits + (integer < 0 ? 1 : 0);
    inner.fill = "0";
    inner.align = '=';
    const std::string text = format_integer(integer, inner);
    return pad(spec, "", text, '>');
  }
  if (!spec.precision) spec.precision = 6;
  return format_real(to_double(value), spec);
}

}  // namespace

std::string percent_format(std::string_view text, const TemplateValue& arguments,
                           TemplateMemory& memory) {
  std::string out;
  PercentArguments values(arguments, memory);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const auto at = [&] { return i < text.size() ? text[i] : '\0'; };
    ++i;
    std::optional<TemplateValue> named;
    if (at() == '(') {
      const std::size_t end = text.find(')', i);
      if (end == std::string_view::npos) fail_value("incomplete format key");
      named = values.named(text.substr(i + 1, end - i - 1));
      i = end + 1;
    }
    FormatSpec spec;
    for (;; ++i) {
      if (at() == '-') {
        spec.align = '<';
      } else if (at() == '+' || (at() == ' ' && spec.sign != '+')) {
        spec.sign = at();
      } else if (at() == '#') {
        spec.alternate = true;
      } else if (at() == '0') {
        spec.zero = true;
      } else {
        break;
      }
    }
    if (spec.zero && spec.align == '\0') {
      spec.fill = "0";
      spec.align = '=';
    }
    const auto read_number = [&]() -> std::size_t {
      if (at() == '*') {
        ++i;
        const std::int64_t given = to_integer(values.next(), "* width");
        if (given < 0 || static_cast<std::uint64_t>(given) > kMaxWidth) fail_value("width too big");
        return static_cast<std::size_t>(given);
      }
      std::string_view rest = text.substr(i);
      if (!is_ascii_digit(at())) return 0;
      const std::size_t number = read_size(rest, text);
      i = text.size() - rest.size();
      return number;
    };
    spec.width = read_number();
    if (at() == '.') {
      ++i;
      spec.precision = read_number();
    }
    while (at() == 'l' || at() == 'h' || at() == 'L') ++i;
    spec.type = at();
    if (spec.type == '%') {
      out += '%';
      continue;
    }
    if (spec.type == '\0') fail_value("incomplete format");
    if (std::string_view("diuxXoeEfFgGcrsa").find(spec.type) == std::string_view::npos) {
      fail_value(std::string("unsupported format character '") + spec.type + "'");
    }
    out += percent_field(spec, named ? *named : values.next());
  }
  values.finish();
  return out;
}

namespace {

/// The value that "0.name[key]" names.
TemplateValue field_value(std::string_view field, const TemplateCall& call,
                          std::size_t& automatic) {
  const std::size_t end = std::min(field.find_first_of(".["), field.size());
  const std::string_view first = field.substr(0, end);
  TemplateValue value = TemplateValue::undefined();
  const auto number = parse_int<std::uint32_t>(first);
  if (first.empty() || number) {
    const std::size_t index = first.empty() ? automatic++ : *number;
    if (index >= call.size()) {
      fail(TemplateErrorClass::kIndexError,
           "format(): replacement index " + std::to_string(index) + " out of range");
    }
    value = call.argument(index);
  } else {
    for (std::size_t i = 0; i < call.keyword_count(); ++i) {
      if (call.keyword_name(i) == first) value = call.keyword(i);
    }
    if (value.is_undefined()) {
      fail(TemplateErrorClass::kKeyError, "'" + std::string(first) + "'");
    }
  }
  for (std::string_view rest = field.substr(end); !rest.empty();) {
    if (rest[0] != '[') fail_value("format(): only [index] may follow an argument");
    const std::size_t close = rest.find(']');
    if (close == std::string_view::npos) fail_value("expected ']' in the format string");
    const std::string_view key = rest.substr(1, close - 1);
    const auto index = parse_int<std::int64_t>(key);
    value = item(value, index ? TemplateValue::integer(*index) : TemplateValue::string(key),
                 call.memory());
    rest.remove_prefix(close + 1);
  }
  return value;
}

}  // namespace

std::string format_string(std::string_view text, const TemplateCall& call) {
  std::string out;
  std::size_t automatic = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c != '{' && c != '}') {
      out += c;
      continue;
    }
    if (i + 1 < text.size() && text[i + 1] == c) {
      out += c;
      ++i;
      continue;
    }
    const std::size_t end = c == '{' ? text.find('}', i) : std::string_view::npos;
    if (end == std::string_view::npos) {
      fail_value(std::string("single '") + c + "' encountered in format string");
    }
    std::string_view field = text.substr(i + 1, end - i - 1);
    std::string_view specification;
    if (const std::size_t colon = field.find(':'); colon != std::string_view::npos) {
      specification = field.substr(colon + 1);
      field = field.substr(0, colon);
      if (specification.find('{') != std::string_view::npos) {
        fail_value("format(): a field inside a specification is not supported");
      }
    }
    std::string_view conversion;
    if (const std::size_t bang = field.find('!'); bang != std::string_view::npos) {
      conversion = field.substr(bang + 1);
      field = field.substr(0, bang);
    }
    const TemplateValue value = field_value(field, call, automatic);
    if (conversion.empty()) {
      out += format_value(value, specification);
    } else {
      std::string shown;
      conversion == "r" ? append_repr(shown, value) : append_text(shown, value);
      out += format_value(TemplateValue::string(shown), specification);
    }
    i = end;
  }
  return out;
}

// --- JSON --------------------------------------------------------------------------------------------

namespace {
void append_json_key(std::string& out, const TemplateValue& key) {
  std::string text;
  append_text(text, key);
  append_json(out, text);
}
}  // namespace

void append_template_json(std::string& out, const TemplateValue& value, int depth) {
  check_depth(depth);
  TemplateMemory memory;
  char separator = '{';
  const auto put_pair = [&](const TemplateValue& key, const TemplateValue& mapped) {
    out += std::exchange(separator, ',');
    append_json_key(out, key);
    out += ':';
    append_template_json(out, mapped, depth + 1);
  };
  switch (value.kind()) {
    case Kind::kNone: out += "null"; return;
    case Kind::kBool: out += value.as_bool() ? "true" : "false"; return;
    case Kind::kInt: return append_int(out, value.as_int());
    case Kind::kFloat:
      if (!std::isfinite(value.as_float())) fail_value("JSON has no infinity and no NaN");
      return append_float(out, value.as_float());
    case Kind::kString: return append_json(out, value.as_string());
    default: break;
  }
  if (is_mapping(value)) {
    for_each_pair(value, memory, put_pair);
    out += separator == '{' ? "{}" : "}";
  } else if (value.is_object() && !value.type().members.empty()) {
    for (const TemplateMember& member : value.type().members) {
      put_pair(TemplateValue::string(member.name), member.get(value.pointer(), memory));
    }
    out += '}';
  } else if (is_sequence(value) || (value.is_object() && value.type().iterate != nullptr)) {
    Cursor cursor;
    cursor.start(value, memory);
    separator = '[';
    for (TemplateValue element; cursor.next(memory, element);) {
      out += std::exchange(separator, ',');
      append_template_json(out, element, depth + 1);
    }
    out += separator == '[' ? "[]" : "]";
  } else {
    fail_type("object of type " + quoted_type(value) + " is not JSON serializable");
  }
}

}  // namespace coronado::web::templates

namespace coronado::web {

std::string template_to_string(const TemplateValue& value) {
  std::string out;
  templates::append_text(out, value);
  return out;
}

}  // namespace coronado::web
