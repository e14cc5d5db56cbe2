#include "listings.hpp"

#include <coronado/base/escape.hpp>
#include <coronado/base/strings.hpp>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <stdexcept>
#include <string_view>

namespace tour {
namespace {

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::filesystem::path> files_of(const std::string& folder, std::string_view extension) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == extension) files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

// `lines` without the indentation that all of them have.
std::string dedented(const std::vector<std::string_view>& lines) {
  std::size_t indent = std::string_view::npos;
  for (const std::string_view line : lines) {
    if (!line.empty()) indent = std::min(indent, line.find_first_not_of(' '));
  }
  std::string text;
  for (const std::string_view line : lines) {
    if (!text.empty()) text += '\n';
    text += line.empty() ? line : line.substr(indent);
  }
  return text;
}

std::string as_html(const std::string& file, const std::string& code) {
  return "<figure class=\"listing\" lang=\"en\" translate=\"no\"><figcaption>" + file +
         "</figcaption><pre tabindex=\"0\" aria-label=\"" + file + "\"><code class=\"cpp\">" +
         coronado::xhtml_escape(code) + "</code></pre></figure>";
}

void add_regions(const std::filesystem::path& path,
                 std::map<std::string, std::string, std::less<>>& listings) {
  const std::string file = path.filename();
  const std::string text = read_file(path);
  std::string region;
  std::vector<std::string_view> lines;
  for (const std::string_view line : coronado::split(text, '\n')) {
    const std::string_view mark = coronado::trim(line);
    if (region.empty()) {
      if (mark.starts_with("// [") && mark.ends_with(']')) region = mark.substr(4, mark.size() - 5);
    } else if (mark == "// [/" + region + "]") {
      listings[file + ":" + region] = as_html(file, dedented(lines));
      region.clear();
      lines.clear();
    } else {
      lines.push_back(line);
    }
  }
  if (!region.empty()) throw std::runtime_error(path.string() + ": [" + region + "] does not end");
}

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.';
}

// Reads "..." at `at` and goes behind it; scripts write texts in double quotes, without escapes.
std::string read_quoted(std::string_view text, std::size_t& at) {
  const std::size_t end = text.find('"', at + 1);
  std::string quoted(text.substr(at + 1, end - at - 1));
  at = end + 1;
  return quoted;
}

void add_texts(std::string_view script, std::set<std::string>& texts) {
  for (const std::string_view call : {std::string_view("t(\""), std::string_view("tn(\"")}) {
    for (std::size_t at = script.find(call); at != std::string_view::npos;
         at = script.find(call, at + 1)) {
      if (at > 0 && is_word(script[at - 1])) continue;
      std::size_t quote = at + call.size() - 1;
      texts.insert(read_quoted(script, quote));
      if (call.size() == 4 && script.substr(quote, 3) == ", \"") {
        quote += 2;
        texts.insert(read_quoted(script, quote));
      }
    }
  }
}

}  // namespace

std::map<std::string, std::string, std::less<>> read_listings(const std::string& folder) {
  std::map<std::string, std::string, std::less<>> listings;
  for (const std::filesystem::path& path : files_of(folder, ".cpp")) add_regions(path, listings);
  add_regions(std::filesystem::path(folder).parent_path() / "hello.cpp", listings);
  return listings;
}

std::vector<std::string> texts_of_scripts(const std::string& folder) {
  std::set<std::string> texts;
  for (const std::filesystem::path& path : files_of(folder, ".js"))
    add_texts(read_file(path), texts);
  return {texts.begin(), texts.end()};
}

}  // namespace tour
