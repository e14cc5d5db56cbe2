#include "web/template/format_spec.hpp"

#include <coronado/base/escape.hpp>
#include <coronado/base/strings.hpp>

#include <charconv>
#include <cmath>

#include "web/template/format.hpp"
#include "web/template/operators.hpp"

namespace coronado::web::templates {

using Kind = TemplateKind;

std::size_t read_format_size(std::string_view& text, std::string_view whole) {
  std::size_t digits = 0;
  while (digits < text.size() && is_ascii_digit(text[digits])) ++digits;
  const auto value = parse_int<std::uint32_t>(text.substr(0, digits));
  if (!value || *value > kMaxFieldWidth) fail_value("invalid format '" + std::string(whole) + "'");
  text.remove_prefix(digits);
  return *value;
}

std::string pad_field(const FormatSpec& spec, std::string_view sign, std::string_view body,
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

FormatSpec parse_spec(std::string_view text) {
  const std::string_view whole = text;
  FormatSpec spec;
  bool has_fill = false;
  constexpr std::string_view kAligns = "<>=^";
  const auto is_align = [&](char c) { return kAligns.find(c) != std::string_view::npos; };
  if (!text.empty()) {
    const std::string_view fill = first_character(text);
    if (fill.size() < text.size() && is_align(text[fill.size()])) {
      has_fill = true;
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
  // Behind a fill of its own, a zero is the first digit of the width.
  if (!has_fill && take("0", ignored)) {
    spec.fill = "0";
    spec.zero = spec.align == '\0';
    if (spec.zero) spec.align = '=';
  }
  if (!text.empty() && is_ascii_digit(text[0])) spec.width = read_format_size(text, whole);
  take(",_", spec.group);
  if (take(".", ignored)) {
    spec.precision = static_cast<std::int32_t>(read_format_size(text, whole));
  }
  if (text.size() > 1) fail_value("invalid format '" + std::string(whole) + "'");
  if (!text.empty()) spec.type = text[0];
  mark_quick(spec);
  return spec;
}

namespace {

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
    } else {
      digits = group_digits(digits, spec.group, group_size);
    }
  }
  return pad_field(spec, sign, digits, '>');
}

void format_slowly(std::string& digits, double value, std::chars_format form,
                   std::size_t precision) {
  digits.resize(precision + 400);
  const auto result = std::to_chars(digits.data(), digits.data() + digits.size(), value, form,
                                    static_cast<int>(precision));
  digits.resize(static_cast<std::size_t>(result.ptr - digits.data()));
}

[[noreturn]] void fail_code(char code, const TemplateValue& value) {
  fail_value(std::string("unknown format code '") + code + "' for object of type '" +
             std::string(template_type_name(value)) + "'");
}

}  // namespace

std::string format_integer(std::int64_t value, const FormatSpec& spec) {
  if (spec.has_precision()) fail_value("precision not allowed in integer format");
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
      return pad_field(spec, "", text, '<');
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
  } else if (type == '\0' && !spec.has_precision()) {
    append_float(digits, size);
  } else if (char fixed[kFixedSize]; type == 'f' && !spec.alternate) {
    const std::size_t precision = fixed_precision(spec);
    const char* end = write_fixed(fixed, size, precision);
    if (end != nullptr) {
      digits.assign(fixed, static_cast<std::size_t>(end - fixed));
    } else {
      format_slowly(digits, size, std::chars_format::fixed, precision);
    }
  } else {
    std::chars_format form = std::chars_format::fixed;
    if (type == 'e') form = std::chars_format::scientific;
    if (type == 'g' || type == 'n' || type == '\0') form = std::chars_format::general;
    std::size_t precision = fixed_precision(spec);
    if (form == std::chars_format::general && precision == 0) precision = 1;
    format_slowly(digits, type == '%' ? size * 100 : size, form, precision);
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
  return pad_field(
      plain, "",
      spec.has_precision() ? substring(text, 0, static_cast<std::size_t>(spec.precision)) : text,
      '<');
}

std::string format_value(const TemplateValue& value, std::string_view specification) {
  std::string out;
  if (specification.empty()) {
    append_text(out, value);
    return out;
  }
  return format_by(value, parse_spec(specification));
}

std::string format_by(const TemplateValue& value, const FormatSpec& spec) {
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
    default:
      fail_type("unsupported format string passed to '" + std::string(template_type_name(value)) +
                "'");
  }
}

}  // namespace coronado::web::templates
