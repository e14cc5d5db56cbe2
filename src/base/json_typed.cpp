#include <coronado/base/json_typed.hpp>

#include <coronado/base/escape.hpp>
#include <coronado/base/strings.hpp>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <charconv>
#include <cmath>
#include <cstring>

namespace coronado {
namespace {

template <class Word>
Word load(const char* at) {
  Word word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

// Whether one of the sixteen bytes is below 0x20, above 0x7F, or one of `" \ <`.
#ifdef __SSE2__
bool needs_care(std::uint64_t low, std::uint64_t high) {
  const __m128i bytes =
      _mm_set_epi64x(static_cast<std::int64_t>(high), static_cast<std::int64_t>(low));
  // The comparison is signed: bytes above 0x7F are below 0x20, too.
  const __m128i found = _mm_or_si128(_mm_or_si128(_mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20)),
                                                  _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'))),
                                     _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')),
                                                  _mm_cmpeq_epi8(bytes, _mm_set1_epi8('<'))));
  return _mm_movemask_epi8(found) != 0;
}
#else
constexpr std::uint64_t repeat(unsigned char byte) { return byte * 0x0101010101010101u; }

// The subtractions can carry from one byte into the next, but only out of a byte that is found
// itself.
std::uint64_t found_in(std::uint64_t word) {
  const auto zero_bytes = [](std::uint64_t x) { return (x - repeat(1)) & ~x; };
  return (((word - repeat(0x20)) & ~word) | word | zero_bytes(word ^ repeat('"')) |
          zero_bytes(word ^ repeat('\\')) | zero_bytes(word ^ repeat('<'))) &
         repeat(0x80);
}

bool needs_care(std::uint64_t low, std::uint64_t high) {
  return (found_in(low) | found_in(high)) != 0;
}
#endif

bool needs_care(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte > 0x7F || c == '"' || c == '\\' || c == '<';
}

// Whether `text` can be written as it stands. Loads may overlap at the end.
bool is_plain(std::string_view text) {
  const char* at = text.data();
  const char* end = at + text.size();
  if (text.size() < 8) {
    for (; at != end; ++at) {
      if (needs_care(*at)) return false;
    }
    return true;
  }
  for (; end - at > 16; at += 16) {
    if (needs_care(load<std::uint64_t>(at), load<std::uint64_t>(at + 8))) return false;
  }
  const char* last = text.size() < 16 ? at : end - 16;
  return !needs_care(load<std::uint64_t>(last), load<std::uint64_t>(end - 8));
}

void append_escape(std::string& out, char c) {
  switch (c) {
    case '"': out += "\\\""; break;
    case '\\': out += "\\\\"; break;
    case '\b': out += "\\b"; break;
    case '\f': out += "\\f"; break;
    case '\n': out += "\\n"; break;
    case '\r': out += "\\r"; break;
    case '\t': out += "\\t"; break;
    default: out += "\\u00"; append_hex(out, std::string_view(&c, 1));
  }
}

// `text` is UTF-8.
void append_escaped(std::string& out, std::string_view text) {
  std::size_t plain = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    // "</" is broken up so that no "</script>" can stand inside a script.
    const bool closing_tag = c == '/' && i > 0 && text[i - 1] == '<';
    if (static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\' && !closing_tag) continue;
    out.append(text, plain, i - plain);
    plain = i + 1;
    if (closing_tag) {
      out += "\\/";
    } else {
      append_escape(out, c);
    }
  }
  out.append(text, plain);
}

[[gnu::noinline]] void append_any(std::string& out, std::string_view text) {
  if (is_plain(text)) {
    const std::size_t begin = out.size();
    const std::size_t end = begin + text.size() + 2;
    // The size handed to the function is not used: libstdc++ 12 passes the capacity there.
    out.resize_and_overwrite(end, [&](char* bytes, std::size_t) {
      bytes[begin] = '"';
      std::memcpy(bytes + begin + 1, text.data(), text.size());
      bytes[end - 1] = '"';
      return end;
    });
    return;
  }
  out += '"';
  if (is_valid_utf8(text)) {
    append_escaped(out, text);
  } else {
    append_escaped(out, replace_invalid_utf8(text));
  }
  out += '"';
}

template <class Float>
void append_float(std::string& out, Float value) {
  if (!std::isfinite(value)) {
    throw std::invalid_argument(std::string("JSON has no number for ") + (std::isnan(value) ? "NaN"
                                                                          : value > 0
                                                                              ? "infinity"
                                                                              : "-infinity"));
  }
  char digits[40];
  char* end = std::to_chars(digits, digits + sizeof digits - 2, value).ptr;
  // "1.0" remains a number with a fraction for whoever reads it.
  if (std::string_view(digits, end).find_first_of(".e") == std::string_view::npos) {
    *end++ = '.';
    *end++ = '0';
  }
  out.append(digits, static_cast<std::size_t>(end - digits));
}

}  // namespace

namespace detail {

void append_json_string(std::string& out, std::string_view text) {
  // Most strings are short and plain: two loads see, and two stores write, all of it.
  const std::size_t begin = out.size();
  const std::size_t end = begin + text.size() + 2;
  if (text.size() < 8 || text.size() > 16 || out.capacity() < end) return append_any(out, text);
  const auto low = load<std::uint64_t>(text.data());
  const auto high = load<std::uint64_t>(text.data() + text.size() - 8);
  if (needs_care(low, high)) return append_any(out, text);
  out.resize_and_overwrite(end, [&](char* bytes, std::size_t) {
    bytes[begin] = '"';
    std::memcpy(bytes + begin + 1, &low, 8);
    std::memcpy(bytes + end - 9, &high, 8);
    bytes[end - 1] = '"';
    return end;
  });
}

void note_missing_members(JsonReader& reader, const char* const* names, std::uint64_t missing) {
  for (; missing != 0; missing >>= 1, ++names) {
    if ((missing & 1) != 0) reader.note_missing(*names);
  }
}

void append_json_text(std::string& out, const char* bytes, std::size_t size) {
  const std::size_t begin = out.size();
  if (size > kJsonWord || out.capacity() < begin + kJsonWord) [[unlikely]] {
    out.append(bytes, size);
    return;
  }
  out.resize_and_overwrite(begin + kJsonWord, [&](char* to, std::size_t) {
    std::memcpy(to + begin, bytes, kJsonWord);
    return begin + size;
  });
}

void append_json_null(std::string& out) { out += "null"; }

void append_json_number(std::string& out, double value) { append_float(out, value); }
void append_json_number(std::string& out, float value) { append_float(out, value); }

}  // namespace detail

}  // namespace coronado
