/// Which bytes HTTP's grammar allows where, as one table of bits.
///
///     kTokenChar   method, field name             RFC 9110 5.6.2
///     kValueChar   field value, HTAB included     RFC 9110 5.5
///     kTargetChar  request target: visible ASCII but '#'   RFC 9112 3.2
///     kPlainURLChar  those but '%' and the backslash: they stay as they are in a URL
///     kHostChar    registered name or IPv4        RFC 3986 3.2.2
///     kDigit, kHexDigit, kAlpha
///
/// Layer: http.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace coronado {

enum CharClass : std::uint8_t {
  kTokenChar = 1,
  kValueChar = 2,
  kTargetChar = 4,
  kHostChar = 8,
  kDigit = 16,
  kHexDigit = 32,
  kAlpha = 64,
  kPlainURLChar = 128,
};

consteval std::array<std::uint8_t, 256> make_char_classes() {
  std::array<std::uint8_t, 256> table{};
  const auto mark = [&table](std::string_view bytes, unsigned classes) {
    for (const char c : bytes) {
      const auto i = static_cast<unsigned char>(c);
      table[i] = static_cast<std::uint8_t>(table[i] | classes);
    }
  };
  for (unsigned c = 0x20; c <= 0xFF; ++c) table[c] = c == 0x7F ? 0 : std::uint8_t{kValueChar};
  mark("\t", kValueChar);
  for (unsigned c = 0x21; c <= 0x7E; ++c) table[c] |= c == '#' ? 0 : kTargetChar;
  for (unsigned c = 0x21; c <= 0x7E; ++c) {
    if (c != '#' && c != '%' && c != '\\') table[c] |= kPlainURLChar;
  }
  mark("0123456789", kDigit | kHexDigit | kTokenChar | kHostChar);
  mark("abcdefABCDEF", kHexDigit);
  mark("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", kAlpha | kTokenChar | kHostChar);
  mark("!#$%&'*+-.^_`|~", kTokenChar);
  // RFC 3986 3.2.2: unreserved, percent-encoded and sub-delimiters. The comma is left out: it is
  // how a list of several Host fields looks after a proxy has joined them.
  mark("-._~%!$&'()*+;=", kHostChar);
  return table;
}

inline constexpr std::array<std::uint8_t, 256> kCharClasses = make_char_classes();

constexpr bool is_in(char c, CharClass char_class) noexcept {
  return (kCharClasses[static_cast<unsigned char>(c)] & char_class) != 0;
}

}  // namespace coronado
