/// ASCII helpers: case, trimming, splitting, hexadecimal, numbers to and from text.
///
///     ascii_lower, equals_ignore_case   letter case, A to Z only
///     trim, split                       views into the text
///     append_hex, parse_hex             bytes as hexadecimal digits
///     append_int, append_double         numbers to text
///     parse_int, parse_double           text to numbers, the whole of it or nothing
///
/// No function here looks at the locale. All may be called from any thread.
///
/// Layer: base.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace coronado {

constexpr bool is_ascii_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr bool is_ascii_letter(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
constexpr char ascii_lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}
constexpr char ascii_upper(char c) noexcept {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c;
}

/// The value of a hexadecimal digit, or -1.
constexpr int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = ascii_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::string ascii_lower(std::string_view text);
std::string ascii_upper(std::string_view text);

/// Whether two texts are equal but for the case of A to Z.
bool equals_ignore_case(std::string_view a, std::string_view b) noexcept;

/// `text` without the leading and trailing characters that are in `characters`.
std::string_view trim(std::string_view text, std::string_view characters = " \t\r\n\v\f") noexcept;

/// The parts between separators, empty ones too: "a,,b" has three, "" has one.
/// Lifetime  The parts are views into `text`.
std::vector<std::string_view> split(std::string_view text, char separator);

/// Call `visit(std::string_view)` for each part that `split` would return, without allocating.
template <class Visit>
void for_each_part(std::string_view text, char separator, Visit&& visit) {
  for (;;) {
    const std::size_t end = text.find(separator);
    visit(text.substr(0, end));
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + 1);
  }
}

/// Append each byte of `bytes` as two lower-case digits.
void append_hex(std::string& out, std::string_view bytes);

/// The bytes written as hexadecimal digits of either case; none if `text` is anything else.
std::optional<std::string> parse_hex(std::string_view text);

namespace detail {
void append_unsigned(std::string& out, std::uint64_t value);
void append_signed(std::string& out, std::int64_t value);
bool parse_unsigned(std::string_view text, int base, std::uint64_t& value) noexcept;
bool parse_signed(std::string_view text, int base, std::int64_t& value) noexcept;
}  // namespace detail

/// Append an integer in decimal.
template <std::integral T>
  requires(!std::same_as<T, bool>)
void append_int(std::string& out, T value) {
  if constexpr (std::is_signed_v<T>) {
    detail::append_signed(out, value);
  } else {
    detail::append_unsigned(out, value);
  }
}

/// Append the shortest text that reads back as the same number: "0.1", "1e+300", "inf", "nan".
void append_double(std::string& out, double value);

/// The integer that the whole of `text` is: digits of `base`, and '-' first for a signed type. None
/// for anything else: no white space, no '+', no prefix, no overflow, not empty.
template <std::integral T>
  requires(!std::same_as<T, bool>)
std::optional<T> parse_int(std::string_view text, int base = 10) noexcept {
  if constexpr (std::is_signed_v<T>) {
    std::int64_t value = 0;
    if (!detail::parse_signed(text, base, value) || !std::in_range<T>(value)) return std::nullopt;
    return static_cast<T>(value);
  } else {
    std::uint64_t value = 0;
    if (!detail::parse_unsigned(text, base, value) ||
        value > std::uint64_t{std::numeric_limits<T>::max()}) {
      return std::nullopt;
    }
    return static_cast<T>(value);
  }
}

/// The number that the whole of `text` is, in decimal or scientific form; no infinity, no NaN.
std::optional<double> parse_double(std::string_view text) noexcept;

}  // namespace coronado
