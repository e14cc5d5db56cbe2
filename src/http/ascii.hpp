/// ASCII helpers of the http layer: case-blind comparison, trimming, and walking comma lists.
///
/// Layer: http.
#pragma once

#include <cstddef>
#include <string_view>

#include "http/field_table.hpp"

namespace coronado {

inline bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (ascii_lower(a[i]) != ascii_lower(b[i])) return false;
  }
  return true;
}

inline bool is_whitespace(char c) noexcept { return c == ' ' || c == '\t'; }

/// `text` without the spaces and tabs at both ends.   Spec  RFC 9110 5.6.3 (OWS).
inline std::string_view trim_whitespace(std::string_view text) noexcept {
  while (!text.empty() && is_whitespace(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_whitespace(text.back())) text.remove_suffix(1);
  return text;
}

/// Cut the first element off a list: what precedes `separator`, trimmed. `rest` keeps what follows.
inline std::string_view next_element(std::string_view& rest, char separator) noexcept {
  const std::size_t end = rest.find(separator);
  const std::string_view element = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
  return trim_whitespace(element);
}

}  // namespace coronado
