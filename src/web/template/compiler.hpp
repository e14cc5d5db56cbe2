/// Trees to a program: resolves inheritance and includes, names to slots, and flattens the rest.
///
/// Layer: web.
#pragma once

#include <memory>
#include <string_view>

#include "web/template/linker.hpp"
#include "web/template/program.hpp"

namespace coronado::web::templates {

/// Most instructions in one program, so that includes of includes cannot grow without end.
inline constexpr std::size_t kMaxInstructions = 1'000'000;

/// Throws  ParseError  A file is missing or malformed, or the limits above are exceeded.
std::shared_ptr<const Program> compile(std::shared_ptr<const ParsedFile> file, FileSource* source);

}  // namespace coronado::web::templates
