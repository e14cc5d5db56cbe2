#include <coronado/base/strings.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

namespace coronado {
namespace {

// "00" to "99": two digits a step halve the divisions.
constexpr std::array<char, 200> kDigitPairs = [] {
  std::array<char, 200> pairs{};
  for (std::size_t i = 0; i < 100; ++i) {
    pairs[2 * i] = static_cast<char>('0' + i / 10);
    pairs[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return pairs;
}();

constexpr std::size_t kMaxDigits = 20;

// Writes backwards from `end` and returns the first digit.
char* write_digits(char* end, std::uint64_t value) {
  while (value >= 100) {
    end -= 2;
    std::memcpy(end, &kDigitPairs[2 * (value % 100)], 2);
    value /= 100;
  }
  if (value >= 10) {
    end -= 2;
    std::memcpy(end, &kDigitPairs[2 * value], 2);
  } else {
    *--end = static_cast<char>('0' + value);
  }
  return end;
}

template <class T>
bool parse_whole(std::string_view text, int base, T& value) noexcept {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value, base);
  return error == std::errc() && stop == end;
}

}  // namespace

std::string ascii_lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = ascii_lower(c);
  return lower;
}

std::string ascii_upper(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) c = ascii_upper(c);
  return upper;
}

bool equals_ignore_case(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
           return ascii_lower(x) == ascii_lower(y);
         });
}

std::string_view trim(std::string_view text, std::string_view characters) noexcept {
  const std::size_t begin = text.find_first_not_of(characters);
  if (begin == std::string_view::npos) return text.substr(text.size());
  return text.substr(begin, text.find_last_not_of(characters) - begin + 1);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for_each_part(text, separator, [&](std::string_view part) { parts.push_back(part); });
  return parts;
}

void append_hex(std::string& out, std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
}

std::optional<std::string> parse_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_value(text[i]);
    const int low = hex_value(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes += static_cast<char>(high * 16 + low);
  }
  return bytes;
}

namespace detail {

void append_unsigned(std::string& out, std::uint64_t value) {
  char digits[kMaxDigits];
  char* end = digits + kMaxDigits;
  const char* begin = write_digits(end, value);
  out.append(begin, static_cast<std::size_t>(end - begin));
}

void append_signed(std::string& out, std::int64_t value) {
  char digits[kMaxDigits + 1];
  char* end = digits + sizeof digits;
  // Negating in unsigned arithmetic is defined for the smallest value too.
  const auto bits = static_cast<std::uint64_t>(value);
  char* begin = write_digits(end, value < 0 ? 0 - bits : bits);
  if (value < 0) *--begin = '-';
  out.append(begin, static_cast<std::size_t>(end - begin));
}

bool parse_unsigned(std::string_view text, int base, std::uint64_t& value) noexcept {
  return parse_whole(text, base, value);
}

bool parse_signed(std::string_view text, int base, std::int64_t& value) noexcept {
  return parse_whole(text, base, value);
}

}  // namespace detail

void append_double(std::string& out, double value) {
  char digits[32];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, value);
  out.append(digits, static_cast<std::size_t>(end - digits));
}

std::optional<double> parse_double(std::string_view text) noexcept {
  // from_chars would take "inf" and "nan", in any case.
  if (text.find_first_not_of("0123456789.eE+-") != std::string_view::npos) return std::nullopt;
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

}  // namespace coronado
