/// Showing untrusted text in a message.
///
/// Layer: http.
#pragma once

#include <string>
#include <string_view>

namespace coronado {

/// `text` in double quotes, fit for a log line: control and non-ASCII bytes as \xHH, at most 80
/// bytes of it.
inline std::string quote_for_log(std::string_view text) {
  constexpr std::size_t kMost = 80;
  constexpr char kHex[] = "0123456789abcdef";
  std::string quoted = "\"";
  for (const char c : text.substr(0, kMost)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte >= 0x7F) {
      quoted += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
    } else {
      if (c == '"' || c == '\\') quoted += '\\';
      quoted += c;
    }
  }
  return quoted + (text.size() > kMost ? "...\"" : "\"");
}

}  // namespace coronado
