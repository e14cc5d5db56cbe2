// Makes the C++ header of one template; `coronado_add_templates` in CMake runs it.
//
//     coronado-template-compiler --directory=DIR --name=PAGE --namespace=NAME --output=FILE
//         [--depfile=FILE] [--interpreted] [--autoescape=FUNCTION] [--whitespace=MODE]
#include <coronado/base/error.hpp>
#include <coronado/web/template.hpp>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <string_view>

#include "web/template/cpp_generator.hpp"
#include "web/template/template_parser.hpp"

namespace {

namespace web = coronado::web;
namespace templates = coronado::web::templates;

struct Arguments {
  templates::CppOptions page;
  std::string output;
  std::string depfile;
  bool interpreted = false;
};

bool take(std::string_view argument, std::string_view option, std::string& value) {
  if (!argument.starts_with(option)) return false;
  value = argument.substr(option.size());
  return true;
}

Arguments read_arguments(int argc, char** argv) {
  Arguments read;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--interpreted") {
      read.interpreted = true;
    } else if (!take(argument, "--directory=", read.page.directory) &&
               !take(argument, "--name=", read.page.name) &&
               !take(argument, "--namespace=", read.page.space) &&
               !take(argument, "--output=", read.output) &&
               !take(argument, "--depfile=", read.depfile) &&
               !take(argument, "--autoescape=", read.page.autoescape) &&
               !take(argument, "--whitespace=", read.page.whitespace)) {
      throw coronado::UsageError("unknown argument " + std::string(argument));
    }
  }
  if (read.page.autoescape == "None") read.page.autoescape.clear();
  for (const std::string* needed :
       {&read.page.directory, &read.page.name, &read.page.space, &read.output}) {
    if (needed->empty()) {
      throw coronado::UsageError("--directory, --name, --namespace and --output are needed");
    }
  }
  return read;
}

/// The files below the directory; remembers which were read.
class Files final : public templates::FileSource {
 public:
  explicit Files(const templates::CppOptions& page)
      : directory_(page.directory),
        options_{.autoescape = page.autoescape, .whitespace = page.whitespace},
        names_({}, {}) {}

  std::shared_ptr<const templates::ParsedFile> find(std::string_view name,
                                                    std::string_view parent) override {
    const std::string full = names_.resolve_path(name, parent);
    const std::string path = directory_ + "/" + full;
    std::ifstream file(path, std::ios::binary);
    if (!file || !std::filesystem::is_regular_file(path)) {
      throw coronado::UsageError("template '" + full + "': there is no file " + path);
    }
    read_.insert(path);
    std::string text{std::istreambuf_iterator<char>(file), {}};
    return templates::parse_file(full, std::move(text), options_);
  }
  const std::set<std::string>& read() const noexcept { return read_; }

 private:
  std::string directory_;
  web::TemplateOptions options_;
  web::DictLoader names_;  // resolves them
  std::set<std::string> read_;
};

/// In the form that compilers have, so that editors jump to the place.
void report(const std::string& directory, const web::TemplatePlace& place, const char* kind,
            const std::string& message) {
  std::fprintf(stderr, "%s/%s:%zu:%zu: %s: %s\n", directory.c_str(), place.file.c_str(), place.line,
               place.column, kind, message.c_str());
  for (const std::string& via : place.via) {
    std::fprintf(stderr, "%s/%s: note: from here\n", directory.c_str(), via.c_str());
  }
}

void write_file(const std::string& path, const std::string& text) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream file(path, std::ios::binary);
  file << text;
  if (!file.flush()) throw coronado::UsageError("cannot write " + path);
}

/// A path as a make rule has it.
std::string escaped(std::string_view path) {
  std::string out;
  for (char c : path) {
    if (c == ' ' || c == '#') out += '\\';
    if (c == '$') out += '$';
    out += c;
  }
  return out;
}

int run(const Arguments& arguments) {
  const std::string& directory = arguments.page.directory;
  if (arguments.interpreted) {
    write_file(arguments.output, templates::generate_interpreted(arguments.page));
    if (!arguments.depfile.empty()) {
      write_file(arguments.depfile, escaped(arguments.output) + ":\n");
    }
    return 0;
  }
  Files files(arguments.page);
  std::string depends;
  try {
    std::vector<web::TemplateWarning> warnings;
    write_file(arguments.output, templates::generate_cpp(files.find(arguments.page.name, {}),
                                                         &files, arguments.page, warnings));
    for (const web::TemplateWarning& warning : warnings) {
      report(directory, warning.place, "warning", warning.message);
    }
  } catch (const web::ParseError& error) {
    report(directory, error.place(), "error", error.message());
    return 1;
  }
  for (const std::string& path : files.read()) depends += " " + escaped(path);
  if (!arguments.depfile.empty()) {
    write_file(arguments.depfile, escaped(arguments.output) + ":" + depends + "\n");
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(read_arguments(argc, argv));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "coronado-template-compiler: error: %s\n", error.what());
    return 1;
  }
}
