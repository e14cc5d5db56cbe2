/// What the parsers of request heads and of response heads share: words, line ends, field lines.
///
///     parse_field_line   one field, with whatever scanner
///     worth_parsing      whether more bytes can have changed anything
///
/// Every step returns where it got to, or null when the parse ends there: with an error noted, or
/// else because the bytes do.
///
/// Layer: http.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "http/framing.hpp"
#include "http/http1_scan.hpp"

namespace coronado {

// Words are compared with text as a little-endian machine loads it.
static_assert(std::endian::native == std::endian::little);

template <class Word>
Word load_word(const char* p) noexcept {
  Word word;
  std::memcpy(&word, p, sizeof word);
  return word;
}

/// `text` as the integer that `load_word` finds where it stands in memory.
template <class Word = std::uint64_t>
consteval Word word_of(std::string_view text) {
  Word word = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    word |= Word{static_cast<unsigned char>(text[i])} << (8 * i);
  }
  return word;
}

/// Note an error; the null pointer returned ends the parse. Kept out of the way of the quick path.
[[gnu::noinline, gnu::cold]] inline const char* refuse(HeadError& error, int status,
                                                       const char* reason) {
  error = {status, reason};
  return nullptr;
}

/// The reason of a line that continues the one before.
inline constexpr char kFoldedLine[] = "folded header line";

/// What is wrong with the line at `p`, if anything: it has no name, or no colon yet.
[[gnu::noinline]] inline const char* no_field_name(const char* p, const char* end,
                                                   HeadError& error) {
  // RFC 9112 5.2: a folded line, refused as it may be; 2.2: whitespace before the first field.
  if (p != end && is_whitespace(*p)) return refuse(error, 400, kFoldedLine);
  const char* colon = p;
  while (colon != end && is_in(*colon, kTokenChar)) ++colon;
  if (colon == end) return nullptr;
  if (*colon == ':' && colon != p) return refuse(error, 431, "field name too long");
  // RFC 9112 5.1: no whitespace between the name and the colon, and no empty name.
  return refuse(error, 400, "invalid field name");
}

/// What is wrong with the end of the line at `p`, if anything: it is no CRLF, or one of the last
/// three bytes, so that the parse ends here in any case.
/// Params  otherwise  What to say when there is no line end at all.
[[gnu::noinline]] inline const char* no_line_end(const char* p, const char* end,
                                                 const char* otherwise, HeadError& error) {
  static constexpr std::string_view kPattern = "\r\n\r";
  for (std::size_t i = 0; p + i != end; ++i) {
    if (p[i] == kPattern[i]) continue;
    if (i == 2) return no_field_name(p + 2, end, error);
    // RFC 9112 2.2: a bare CR or LF ends no line.
    const bool bare = p[0] == '\r' || p[0] == '\n';
    return refuse(error, 400, bare ? "line end is not CRLF" : otherwise);
  }
  return nullptr;
}

/// A line ends at `p`, and there are two more bytes to tell whether it is the last.
[[gnu::always_inline]] inline bool at_line_end(const char* p, const char* end) noexcept {
  return end - p >= 4 && load_word<std::uint16_t>(p) == word_of<std::uint16_t>("\r\n");
}

/// The end of a value with tabs or bytes above ASCII.
template <class Scanner>
[[gnu::noinline]] const char* text_end(Scanner scan, const char* p) {
  p = scan.control(p);
  while (p != scan.end() && *p == '\t') p = scan.control(p + 1);
  return p;
}

[[gnu::noinline]] inline std::string_view trim_value(const char* begin, const char* end) noexcept {
  return trim_whitespace({begin, static_cast<std::size_t>(end - begin)});
}

/// RFC 9112 5: field-name ":" OWS field-value OWS.
/// Params   add  Is given id, name and value as pointers with sizes; false: there are too many.
/// Returns  The end of the line.
template <class Scanner, class Add>
[[gnu::always_inline]] inline const char* parse_field_line(const Scanner& scan, const char* name,
                                                           HeadError& error, Add add) {
  const auto is_blank = [](char c) { return static_cast<unsigned char>(c) <= ' '; };
  std::uint32_t name_size = 0;
  FieldId id{};
  scan.field_name(name, name_size, id);
  if (name_size == 0) [[unlikely]]
    return no_field_name(name, scan.end(), error);
  const char* const colon = name + name_size;
  const char* end = scan.plain_end(colon + 1);
  if (!at_line_end(end, scan.end())) [[unlikely]] {
    end = text_end(scan, end);
    // RFC 9110 5.5: no control byte but the tab.
    if (!at_line_end(end, scan.end())) {
      return no_line_end(end, scan.end(), "control byte in a field value", error);
    }
  }
  const char* value = colon + 2;
  std::size_t value_size = static_cast<std::size_t>(end - value);
  // Any byte up to the space is whitespace here, or belongs to the frame of an empty value.
  if (colon[1] != ' ' || is_blank(colon[2]) || is_blank(end[-1])) [[unlikely]] {
    const std::string_view trimmed = trim_value(colon + 1, end);
    value = trimmed.data();
    value_size = trimmed.size();
  }
  if (!add(id, name, name_size, value, value_size)) [[unlikely]] {
    return refuse(error, 431, "too many header fields");
  }
  return end;
}

/// True when the bytes after the first `searched` may complete the head, or break it: an empty
/// line, or a control byte that is not part of a line end. Moves `searched` on when not.
template <class Scanner>
[[gnu::noinline]] bool worth_parsing(const char* data, std::size_t size,
                                     std::size_t& searched) noexcept {
  const char* end = data + size;
  const Scanner scan(end);
  // The last byte seen may be a CR that waits for its LF.
  const char* p = data + searched - 1;
  while ((p = scan.control(p)) != end) {
    if (*p == '\r') {
      if (p + 1 == end) break;
      if (p[1] != '\n') return true;
      if (p - data >= 2 && p[-1] == '\n') return true;
      p += 2;
    } else if (*p == '\t') {
      ++p;
    } else if (*p == '\n' && p != data && p[-1] == '\r') {
      ++p;
    } else {
      return true;
    }
  }
  searched = size;
  return false;
}

// Offsets are 32 bits wide; a larger limit than this is nobody's intention.
inline constexpr std::size_t kMostBytes = 1U << 30;

}  // namespace coronado
