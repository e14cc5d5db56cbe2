/// Text and directives of one template file: characters to a tree.
///
/// Layer: web.   Tornado  The syntax of `tornado.template`.
#pragma once

#include <coronado/web/template.hpp>

#include <memory>
#include <string>
#include <string_view>

#include "web/template/tree.hpp"

namespace coronado::web::templates {

enum class Whitespace : std::uint8_t { kAll, kSingle, kOneline };

/// The mode called `name`: "all", "single" or "oneline"; false if there is none of that name.
bool find_whitespace_mode(std::string_view name, Whitespace& mode) noexcept;

/// What Tornado does unless told otherwise: `single` for .html and .js, else `all`.
Whitespace default_whitespace(std::string_view file_name) noexcept;

/// `text` with its runs of white space as the mode wants them.
std::string filter_whitespace(Whitespace mode, std::string_view text);

/// Deepest nesting of directives in one file.
inline constexpr std::size_t kMaxDirectiveDepth = 100;

/// Parses a whole file.
/// Params  autoescape  The function that `{% autoescape %}` replaces; empty: none.
/// Throws  SyntaxFault  With the place and what was expected.
std::unique_ptr<ParsedFile> parse_template(std::string name, std::string text,
                                           std::string autoescape, Whitespace whitespace);

/// The same with a loader's options.
/// Throws  ParseError  It is no template.
///         UsageError  An option is wrong.
std::unique_ptr<const ParsedFile> parse_file(std::string name, std::string text,
                                             const TemplateOptions& options);

}  // namespace coronado::web::templates
