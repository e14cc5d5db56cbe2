/// Text and directives of one template file: characters to a tree.
///
/// Layer: web.   Tornado  The syntax of `tornado.template`.
#pragma once

#include <coronado/web/template.hpp>

#include <memory>
#include <string>
#include <string_view>

#include "web/template/tree.hpp"
#include "web/template/whitespace.hpp"

namespace coronado::web::templates {

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
