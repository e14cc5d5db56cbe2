#include <coronado/base/escape.hpp>
#include <coronado/base/strings.hpp>

#include <simdjson.h>

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "base/html_entities.hpp"
#include "base/utf8.hpp"

namespace coronado {
namespace {

using ByteSet = std::array<bool, 256>;

constexpr ByteSet bytes_of(std::string_view text) {
  ByteSet set{};
  for (char c : text) set[static_cast<unsigned char>(c)] = true;
  return set;
}

bool is_ascii(std::string_view text) noexcept {
  constexpr std::uint64_t kHighBits = 0x8080'8080'8080'8080;
  std::uint64_t all = 0;
  while (text.size() >= sizeof all) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data(), sizeof word);
    all |= word;
    text.remove_prefix(sizeof word);
  }
  for (const char c : text) all |= static_cast<unsigned char>(c);
  return (all & kHighBits) == 0;
}

constexpr ByteSet kXHTMLSpecial = bytes_of("&<>\"'");

// RFC 3986 2.3: unreserved characters.
constexpr ByteSet kUnreserved =
    bytes_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~");

// HTML 13.2.5.80: what windows-1252 has at 0x80 to 0x9F; 0 where it has nothing.
constexpr char16_t kWindows1252[32] = {
    0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017D, 0,      0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178};

// The code point of the text between '&' and ';'.
std::optional<char32_t> decode_reference(std::string_view reference) {
  if (!reference.starts_with('#')) return find_html_entity(reference);
  reference.remove_prefix(1);
  int base = 10;
  if (reference.starts_with('x') || reference.starts_with('X')) {
    reference.remove_prefix(1);
    base = 16;
  }
  std::uint64_t number = 0;
  for (char c : reference) {
    const int digit = hex_value(c);
    if (digit < 0 || digit >= base) return std::nullopt;
    number = std::min<std::uint64_t>(
        number * static_cast<unsigned>(base) + static_cast<unsigned>(digit), 0x110000);
  }
  if (reference.empty()) return std::nullopt;
  if (number == 0) return U'\uFFFD';
  if (number >= 0x80 && number < 0xA0 && kWindows1252[number - 0x80] != 0) {
    return kWindows1252[number - 0x80];
  }
  return static_cast<char32_t>(number);
}

}  // namespace

std::string xhtml_escape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  append_xhtml_escaped(out, text);
  return out;
}

std::string_view xhtml_reference(char special) noexcept {
  switch (special) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    case '\'': return "&#x27;";
    default: return {};
  }
}

#if defined(__SSE2__)
namespace {
/// One bit for each of the sixteen bytes, set for those to be replaced.
unsigned special_bits(__m128i bytes) {
  // '&' and '\'' differ in the last bit only, '<' and '>' in the last but one.
  const __m128i quotes = _mm_cmpeq_epi8(_mm_or_si128(bytes, _mm_set1_epi8(1)), _mm_set1_epi8('\''));
  const __m128i angles = _mm_cmpeq_epi8(_mm_or_si128(bytes, _mm_set1_epi8(2)), _mm_set1_epi8('>'));
  const __m128i doubles = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
  return static_cast<unsigned>(
      _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quotes, angles), doubles)));
}
unsigned special_bits_at(const char* place) {
  return special_bits(_mm_loadu_si128(reinterpret_cast<const __m128i*>(place)));
}
}  // namespace
#endif

const char* find_xhtml_special(const char* begin, const char* end) noexcept {
#if defined(__SSE2__)
  if (end - begin >= 16) {
    for (; end - begin >= 16; begin += 16) {
      if (const unsigned bits = special_bits_at(begin)) return begin + std::countr_zero(bits);
    }
    if (begin == end) return end;
    // The last sixteen: those that were looked at before are known to be plain.
    const unsigned bits = special_bits_at(end - 16);
    return bits != 0 ? end - 16 + std::countr_zero(bits) : end;
  }
#endif
  while (begin != end && !kXHTMLSpecial[static_cast<unsigned char>(*begin)]) ++begin;
  return begin;
}

void append_xhtml_escaped(std::string& out, std::string_view text) {
  const char* at = text.data();
  const char* const end = at + text.size();
  for (;;) {
    const char* special = find_xhtml_special(at, end);
    out.append(at, special);
    if (special == end) return;
    out += xhtml_reference(*special);
    at = special + 1;
  }
}

std::string xhtml_unescape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (;;) {
    const std::size_t begin = text.find('&');
    out.append(text.substr(0, begin));
    if (begin == std::string_view::npos) return out;
    text.remove_prefix(begin);
    const std::size_t end = text.find_first_of("&;", 1);
    std::optional<char32_t> code_point;
    if (end != std::string_view::npos && text[end] == ';') {
      code_point = decode_reference(text.substr(1, end - 1));
    }
    if (code_point) {
      append_utf8(out, *code_point);
      text.remove_prefix(end + 1);
    } else {
      out += '&';
      text.remove_prefix(1);
    }
  }
}

std::string url_escape(std::string_view text, URLPart part) {
  std::string out;
  out.reserve(text.size());
  append_url_escaped(out, text, part);
  return out;
}

void append_url_escaped(std::string& out, std::string_view text, URLPart part) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (kUnreserved[byte] || (c == '/' && part == URLPart::kPath)) {
      out += c;
    } else if (c == ' ' && part == URLPart::kQuery) {
      out += '+';
    } else {
      out += '%';
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    }
  }
}

std::string url_unescape(std::string_view text, URLPart part) {
  std::string out;
  out.reserve(text.size());
  append_url_unescaped(out, text, part);
  return out;
}

void append_url_unescaped(std::string& out, std::string_view text, URLPart part) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '+' && part == URLPart::kQuery) {
      out += ' ';
    } else if (c == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 &&
               hex_value(text[i + 2]) >= 0) {
      out += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
      i += 2;
    } else {
      out += c;
    }
  }
}

std::string squeeze(std::string_view text) {
  std::string out;
  bool gap = false;
  for (char c : text) {
    if (static_cast<unsigned char>(c) <= ' ') {
      gap = true;
      continue;
    }
    if (gap && !out.empty()) out += ' ';
    gap = false;
    out += c;
  }
  return out;
}

std::size_t utf8_unit(std::string_view text, bool& valid) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  valid = true;
  if (lead < 0x80) return 1;
  valid = false;
  if (lead < 0xC2 || lead > 0xF4) return 1;
  const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  unsigned char low = 0x80;
  unsigned char high = 0xBF;
  if (lead == 0xE0) low = 0xA0;
  if (lead == 0xED) high = 0x9F;
  if (lead == 0xF0) low = 0x90;
  if (lead == 0xF4) high = 0x8F;
  for (std::size_t i = 1; i < length; ++i) {
    if (i == text.size() || byte(i) < low || byte(i) > high) return i;
    low = 0x80;
    high = 0xBF;
  }
  valid = true;
  return length;
}

bool is_valid_utf8(std::string_view text) noexcept {
  // Most short texts are ASCII, and seen to be so before the call of a library would have begun.
  constexpr std::size_t kShort = 64;
  if (text.size() <= kShort && is_ascii(text)) return true;
  return simdjson::validate_utf8(text.data(), text.size());
}

std::string replace_invalid_utf8(std::string_view text) {
  if (is_valid_utf8(text)) return std::string(text);
  std::string out;
  out.reserve(text.size() + 2);
  while (!text.empty()) {
    bool valid = false;
    const std::size_t length = utf8_unit(text, valid);
    out.append(valid ? text.substr(0, length) : kReplacementCharacter);
    text.remove_prefix(length);
  }
  return out;
}

void append_utf8(std::string& out, char32_t code_point) {
  const auto tail = [&](int shift) {
    out += static_cast<char>(0x80 | ((code_point >> shift) & 0x3F));
  };
  if (code_point < 0x80) {
    out += static_cast<char>(code_point);
  } else if (code_point < 0x800) {
    out += static_cast<char>(0xC0 | (code_point >> 6));
    tail(0);
  } else if ((code_point >= 0xD800 && code_point < 0xE000) || code_point > 0x10FFFF) {
    out += kReplacementCharacter;
  } else if (code_point < 0x10000) {
    out += static_cast<char>(0xE0 | (code_point >> 12));
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xF0 | (code_point >> 18));
    tail(12);
    tail(6);
    tail(0);
  }
}

}  // namespace coronado
