#include "web/template/cpp_generator.hpp"

#include <coronado/base/strings.hpp>

#include "web/template/cpp_names.hpp"
#include "web/template/cpp_statements.hpp"
#include "web/template/html_context.hpp"

namespace coronado::web::templates {
namespace {

constexpr std::size_t kMaxItems = 100'000;  // with what it includes

class Generator {
 public:
  Generator(FileSource* source, const CppOptions& options, std::vector<TemplateWarning>& warnings)
      : options_(options),
        warnings_(warnings),
        places_(origins_),
        linker_(places_, files_, source),
        statements_(places_, options) {}

  std::string generate(std::shared_ptr<const ParsedFile> file);

 private:
  std::vector<CppItem> flatten(const Body& body);
  std::string tables() const;

  const CppOptions& options_;
  std::vector<TemplateWarning>& warnings_;
  HTMLContext html_;
  std::vector<Origin> origins_;
  std::vector<std::shared_ptr<const ParsedFile>> files_;
  PlaceTracker places_;
  Linker linker_;
  CppStatements statements_;
  std::size_t items_ = 0;
};

std::vector<CppItem> Generator::flatten(const Body& body) {
  std::vector<CppItem> items;
  for (const auto& node : body) {
    places_.set_offset(node->offset);
    if (node->kind == NodeKind::kExtends) continue;
    if (HTMLContext::is_html(options_.name)) {
      html_.follow(*node, linker_.file(), origins_, places_.place(), warnings_);
    }
    if (++items_ > kMaxItems) {
      places_.fail("the template has more than " + std::to_string(kMaxItems) +
                   " parts, with what it includes");
    }
    CppItem item{node.get(), places_.place(), &linker_.file(), {}};
    const auto inside = [&](const Body& inner) { item.bodies.push_back(flatten(inner)); };
    if (node->kind == NodeKind::kBlock) {
      linker_.visit_block(*node, inside);
    } else if (node->kind == NodeKind::kInclude) {
      linker_.visit_include(*node, inside);
    } else {
      for (const Branch& branch : node->branches) inside(branch.body);
    }
    items.push_back(std::move(item));
  }
  return items;
}

std::string Generator::tables() const {
  std::string out = "  static constexpr coronado::web::detail::CompiledOrigin kOrigins[] = {\n";
  for (const Origin& origin : origins_) {
    const std::size_t line_of_parent = origin.parent < 0
                                           ? 0
                                           : origins_[static_cast<std::size_t>(origin.parent)]
                                                 .file->place_of(origin.parent_offset)
                                                 .line;
    out += "      {" + cpp_literal(origin.file->name) + ", " + std::to_string(origin.parent) +
           ", " + std::to_string(line_of_parent) + "},\n";
  }
  out += "  };\n  static constexpr coronado::web::detail::CompiledPlace kPlaces[] = {\n";
  for (const OriginPlace& place : statements_.sites()) {
    const LineColumn at = origins_[place.origin].file->place_of(place.offset);
    out += "      {" + std::to_string(place.origin) + ", " + std::to_string(at.line) + ", " +
           std::to_string(at.column) + "},\n";
  }
  out += "      {0, 1, 1}};\n";
  for (const std::string& constant : statements_.constants()) {
    out += "  " + constant + ";\n";
  }
  return out + "  static constexpr coronado::web::detail::CompiledInfo kInfo{" +
         cpp_literal(options_.name) + ", kOrigins, kPlaces};\n";
}

std::string class_name(std::string_view object) {
  std::string out;
  bool upper = true;
  for (char c : object) {
    if (c == '_') {
      upper = true;
    } else {
      out += upper ? ascii_upper(c) : c;
      upper = false;
    }
  }
  return out + "Page";
}

std::string file_head(const CppOptions& options) {
  // A system header: what generated code looks like concerns nobody's warnings.
  return "// Made from " + options.name +
         "; do not edit.\n#pragma once\n#pragma GCC system_header\n\n"
         "#include <coronado/web/compiled_template.hpp>\n\n#include <array>\n#include <span>\n\n"
         "namespace " +
         options.space + " {\n\n";
}

std::string file_tail(const CppOptions& options) {
  const std::string object = cpp_object_name(options.name);
  return "};\n\ninline constexpr " + class_name(object) + " " + object + ";\n\n}  // namespace " +
         options.space + "\n";
}

std::string Generator::generate(std::shared_ptr<const ParsedFile> file) {
  const std::vector<CppItem> items = flatten(linker_.link(std::move(file)));
  statements_.write(items);
  const std::string name = class_name(cpp_object_name(options_.name));
  const bool awaits = statements_.awaits();
  const std::string function =
      "(coronado::web::TemplateRun& r, [[maybe_unused]] const Context& context) {\n";
  std::string render;
  if (!awaits) {
    render = "\n  template <class Context>\n  static void render" + function +
             statements_.text(false) + "}\n";
  }
  return file_head(options_) + "struct " + name + " final : coronado::web::CompiledTemplate<" +
         name + "> {\n  static constexpr bool kAwaits = " + (awaits ? "true" : "false") + ";\n" +
         tables() + render +
         "\n  template <class Context>\n  static coronado::Task<> render_pieces" + function +
         statements_.text(true) + "co_return;\n}\n" + file_tail(options_);
}

}  // namespace

std::string generate_cpp(std::shared_ptr<const ParsedFile> file, FileSource* source,
                         const CppOptions& options, std::vector<TemplateWarning>& warnings) {
  return Generator(source, options, warnings).generate(std::move(file));
}

std::string generate_interpreted(const CppOptions& options) {
  const std::string name = class_name(cpp_object_name(options.name));
  return file_head(options) + "struct " + name + " final : coronado::web::InterpretedTemplate<" +
         name + "> {\n  static constexpr std::string_view kName = " + cpp_literal(options.name) +
         ";\n  static constexpr coronado::web::detail::PageSource kSource{" +
         cpp_literal(options.directory) + ", " + cpp_literal(options.autoescape) + ", " +
         cpp_literal(options.whitespace) + "};\n" + file_tail(options);
}

std::string cpp_object_name(std::string_view template_name) {
  std::string out;
  for (char c : template_name) {
    out += is_ascii_letter(c) || is_ascii_digit(c) ? c : '_';
  }
  if (!is_cpp_member(out)) out.insert(0, "page_");
  return out;
}

}  // namespace coronado::web::templates
