/// Compiled gettext catalogues for tests.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace coronado::web_test {

/// The bytes of a catalogue of these messages, which must be in order.
inline std::string mo_file(const std::vector<std::pair<std::string, std::string>>& messages,
                           bool big_endian) {
  const auto number = [&](std::size_t value) {
    std::string bytes;
    for (int i = 0; i < 4; ++i) {
      const int shift = big_endian ? 24 - 8 * i : 8 * i;
      bytes += static_cast<char>(value >> shift & 0xFF);
    }
    return bytes;
  };
  const std::size_t count = messages.size();
  const std::size_t originals = 28;
  const std::size_t translations = originals + 8 * count;
  std::size_t place = translations + 8 * count;
  std::string first;
  std::string second;
  std::string texts;
  const auto add = [&](std::string& table, const std::string& text) {
    table += number(text.size()) + number(place);
    texts += text + '\0';
    place += text.size() + 1;
  };
  for (const auto& [original, translation] : messages) add(first, original);
  for (const auto& [original, translation] : messages) add(second, translation);
  return number(0x950412de) + number(0) + number(count) + number(originals) + number(translations) +
         number(0) + number(0) + first + second + texts;
}

}  // namespace coronado::web_test
