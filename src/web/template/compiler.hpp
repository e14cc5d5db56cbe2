/// Trees to a program: resolves inheritance and includes, names to slots, and flattens the rest.
///
/// Layer: web.
#pragma once

#include <memory>
#include <string_view>

#include "web/template/program.hpp"

namespace coronado::web::templates {

/// Where the compiler finds the files that a template extends and includes.
class FileSource {
 public:
  /// The file `name` as `parent` means it.
  /// Throws  ParseError          It cannot be parsed.
  ///         std::runtime_error  It cannot be found; the message says why.
  virtual std::shared_ptr<const ParsedFile> find(std::string_view name,
                                                 std::string_view parent) = 0;

 protected:
  ~FileSource() = default;
};

/// Most instructions in one program, so that includes of includes cannot grow without end.
inline constexpr std::size_t kMaxInstructions = 1'000'000;

/// Deepest nesting of includes and inheritance.
inline constexpr std::size_t kMaxIncludeDepth = 50;

/// Throws  ParseError  A file is missing or malformed, or the limits above are exceeded.
std::shared_ptr<const Program> compile(std::shared_ptr<const ParsedFile> file, FileSource* source);

}  // namespace coronado::web::templates
