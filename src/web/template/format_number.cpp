// Numbers to text without a string on the way: the commonest specifications.
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>

#include "web/template/format_spec.hpp"

namespace coronado::web::templates {
namespace {

using Kind = TemplateKind;

constexpr std::size_t kMostDigits = 18;
constexpr std::size_t kMostWidth = 64;

constexpr auto kPowers = [] {
  std::array<std::uint64_t, kMostDigits + 1> powers{1};
  for (std::size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
  return powers;
}();

constexpr auto kPairs = [] {
  std::array<char, 200> pairs{};
  for (std::size_t i = 0; i < 100; ++i) {
    pairs[2 * i] = static_cast<char>('0' + i / 10);
    pairs[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return pairs;
}();

char* write_pair(char* out, std::uint64_t pair) {
  std::memcpy(out, &kPairs[2 * pair], 2);
  return out + 2;
}

char* write_unsigned(char* out, std::uint64_t value) {
  if (value < 10) {
    *out = static_cast<char>('0' + value);
    return out + 1;
  }
  if (value < 100) return write_pair(out, value);
  return std::to_chars(out, out + 20, value).ptr;
}

/// `number` with a point before its last `precision` digits.
char* write_scaled(char* out, std::uint64_t number, std::size_t precision) {
  if (precision == 2) {  // what most pages want: a division by a constant
    out = write_unsigned(out, number / 100);
    *out = '.';
    return write_pair(out + 1, number % 100);
  }
  out = write_unsigned(out, number / kPowers[precision]);
  if (precision == 0) return out;
  *out++ = '.';
  std::uint64_t digits = number % kPowers[precision];
  for (std::size_t i = precision; i-- > 0; digits /= 10) {
    out[i] = static_cast<char>('0' + digits % 10);
  }
  return out + precision;
}

/// `mantissa * factor / 2^places`, to even where it is in the middle.
template <class Wide>
Wide scale(std::uint64_t mantissa, std::uint64_t factor, int places) {
  const Wide scaled = static_cast<Wide>(mantissa) * factor;
  const Wide whole = scaled >> places;
  const Wide rest = scaled - (whole << places);
  const Wide half = static_cast<Wide>(1) << places >> 1;
  return whole + static_cast<Wide>(rest > half || (rest == half && (whole & 1) != 0));
}

/// The number without its sign; null: it takes longer.
char* write_magnitude(char* out, const FormatSpec& spec, const TemplateValue& value) noexcept {
  const bool is_int = value.is_int();
  if (spec.type == 'd' || (is_int && spec.type == '\0')) {
    if (!is_int || spec.has_precision()) return nullptr;
    const std::int64_t integer = value.as_int();
    const auto size = static_cast<std::uint64_t>(integer);
    return write_unsigned(out, integer < 0 ? 0 - size : size);
  }
  const double real = is_int ? static_cast<double>(value.as_int()) : value.as_float();
  if (!std::isfinite(real) || spec.type == '\0') return nullptr;
  const std::size_t precision = fixed_precision(spec);
  if (spec.type != '%') return write_fixed(out, std::abs(real), precision);
  char* end = write_fixed(out, std::abs(real) * 100, precision);
  if (end != nullptr) *end++ = '%';
  return end;
}

/// Puts the separator between the groups of the digits that stand at `out`.
char* group(char* out, char* end, char separator) {
  char* digits_end = out;
  while (digits_end != end && *digits_end >= '0' && *digits_end <= '9') ++digits_end;
  const auto digits = digits_end - out;
  const auto separators = (digits - 1) / 3;
  if (separators <= 0) return end;
  std::memmove(digits_end + separators, digits_end, static_cast<std::size_t>(end - digits_end));
  char* to = digits_end + separators;
  for (std::ptrdiff_t i = 0; i < digits; ++i) {
    if (i > 0 && i % 3 == 0) *--to = separator;
    *--to = digits_end[-1 - i];
  }
  return end + separators;
}

char* pad(char* out, char* body, char* end, const FormatSpec& spec) {
  const auto size = static_cast<std::size_t>(end - out);
  if (size >= spec.width) return end;
  const std::size_t missing = spec.width - size;
  const char align = spec.align == '\0' ? '>' : spec.align;
  char* from = align == '=' ? body : out;
  const std::size_t left = align == '<' ? 0 : align == '^' ? missing / 2 : missing;
  std::memmove(from + left, from, static_cast<std::size_t>(end - from));
  std::memset(from, spec.fill[0], left);
  std::memset(end + left, spec.fill[0], missing - left);
  return end + missing;
}

}  // namespace

void mark_quick(FormatSpec& spec) noexcept {
  constexpr std::string_view kTypes("\0dfF%", 5);
  constexpr std::string_view kEscaped = "&<>\"'";
  const bool quick = !spec.alternate && kTypes.find(spec.type) != std::string_view::npos &&
                     spec.width <= kMostWidth && spec.precision <= static_cast<int>(kMostDigits) &&
                     spec.fill.size() == 1 &&
                     kEscaped.find(spec.fill[0]) == std::string_view::npos &&
                     !(spec.group != '\0' && spec.width > 0 && spec.fill == "0");
  if (!quick) return;
  const bool fixed = spec.type == 'f' && spec.width == 0 && spec.group == '\0' && spec.sign == '-';
  spec.quick = fixed ? FormatSpec::Quick::kFixed : FormatSpec::Quick::kYes;
}

char* write_fixed(char* out, double value, std::size_t precision) noexcept {
  constexpr int kMantissaBits = 52;
  constexpr int kBias = 1075;
  constexpr std::size_t kNarrow = 3;  // 53 bits by 10^3 are less than 64 bits
  const auto bits = std::bit_cast<std::uint64_t>(value);
  const int exponent = static_cast<int>(bits >> kMantissaBits & 0x7FF);
  const bool zero = bits << 1 == 0;
  const int places = zero ? 1 : kBias - exponent;  // the value is mantissa / 2^places
  if (precision > kMostDigits || (exponent == 0 && !zero) || places < 1 || places > 110) {
    return nullptr;
  }
  const std::uint64_t mantissa = (bits & ((std::uint64_t{1} << kMantissaBits) - 1)) |
                                 static_cast<std::uint64_t>(!zero) << kMantissaBits;
  if (bits >> 63 != 0) *out++ = '-';
  if (precision <= kNarrow && places < 64) {
    return write_scaled(out, scale<std::uint64_t>(mantissa, kPowers[precision], places), precision);
  }
  const auto whole = scale<unsigned __int128>(mantissa, kPowers[precision], places);
  if (whole >> 63 != 0) return nullptr;
  return write_scaled(out, static_cast<std::uint64_t>(whole), precision);
}

char* write_shortest(char* out, double value) noexcept {
  const auto put = [&out](std::string_view text) {
    std::memcpy(out, text.data(), text.size());
    return out + text.size();
  };
  if (std::isnan(value)) return put("nan");
  if (std::isinf(value)) return put(value < 0 ? "-inf" : "inf");
  // Python writes an exponent below 1e-4 and from 1e16 on.
  const double size = std::abs(value);
  const bool scientific = size != 0 && (size < 1e-4 || size >= 1e16);
  if (size == std::trunc(size) && size < 1e15) {
    if (std::signbit(value)) *out++ = '-';
    out = write_unsigned(out, static_cast<std::uint64_t>(size));
    return put(".0");
  }
  const char* begin = out;
  out = std::to_chars(out, out + kNumberSize, value,
                      scientific ? std::chars_format::scientific : std::chars_format::fixed)
            .ptr;
  const std::string_view text(begin, static_cast<std::size_t>(out - begin));
  return scientific || text.find('.') != std::string_view::npos ? out : put(".0");
}

char* write_number(char* out, const FormatSpec& spec, const TemplateValue& value) noexcept {
  if (spec.quick == FormatSpec::Quick::kNo || (!value.is_int() && value.kind() != Kind::kFloat))
    return nullptr;
  const bool negative = value.is_int() ? value.as_int() < 0 : std::signbit(value.as_float());
  char* body = out;
  if (negative) {
    *body++ = '-';
  } else if (spec.sign != '-') {
    *body++ = spec.sign;
  }
  char* end = write_magnitude(body, spec, value);
  if (end == nullptr) return nullptr;
  if (spec.group != '\0') end = group(body, end, spec.group);
  return spec.width == 0 ? end : pad(out, body, end, spec);
}

}  // namespace coronado::web::templates
