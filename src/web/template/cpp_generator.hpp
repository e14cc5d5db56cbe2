/// Templates to C++: the text of the header that `coronado_add_templates` builds for each.
///
/// Layer: web.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "web/template/linker.hpp"

namespace coronado::web::templates {

struct CppOptions {
  std::string name;       // of the template, within its directory
  std::string directory;  // where the compiler and the run-time engine find the files
  std::string space;      // the C++ namespace
  std::string autoescape = "xhtml_escape";
  std::string whitespace = {};
};

/// The header of a template that is compiled.
/// Throws  ParseError  A file is missing or malformed, or has what only the run-time engine can do.
/// Params  warnings  What is dangerous about it is added.
std::string generate_cpp(std::shared_ptr<const ParsedFile> file, FileSource* source,
                         const CppOptions& options, std::vector<TemplateWarning>& warnings);

/// The header of a template that the run-time engine renders; its file is not read.
std::string generate_interpreted(const CppOptions& options);

/// "blog/entry.html" as the name of a C++ object: "blog_entry_html".
std::string cpp_object_name(std::string_view template_name);

}  // namespace coronado::web::templates
