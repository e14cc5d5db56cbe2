/// The white space of templates.
///
/// Layer: web.   Tornado  `template.filter_whitespace`, `{% whitespace %}`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace coronado::web::templates {

/// What `str.isspace` knows of ASCII.
inline constexpr std::string_view kWhitespace = " \t\r\n\v\f";
inline bool is_whitespace(char c) noexcept { return kWhitespace.find(c) != std::string_view::npos; }

enum class Whitespace : std::uint8_t { kAll, kSingle, kOneline };

/// The mode called `name`: "all", "single" or "oneline"; false if there is none of that name.
bool find_whitespace_mode(std::string_view name, Whitespace& mode) noexcept;

/// What Tornado does unless told otherwise: `single` for .html and .js, else `all`.
Whitespace default_whitespace(std::string_view file_name) noexcept;

/// `text` with its runs of white space as the mode wants them.
std::string filter_whitespace(Whitespace mode, std::string_view text);

}  // namespace coronado::web::templates
