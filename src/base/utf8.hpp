/// UTF-8 one character at a time, for those who must repair it.
///
/// Layer: base.
#pragma once

#include <cstddef>
#include <string_view>

namespace coronado {

inline constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";  // U+FFFD

/// How many bytes at the start of `text`, which is not empty, form one character; or, if `valid`
/// becomes false, the longest start of one, at least 1.   Spec  Unicode 3.9, table 3-7.
std::size_t utf8_unit(std::string_view text, bool& valid) noexcept;

}  // namespace coronado
