#include "web/template/whitespace.hpp"

#include <algorithm>

namespace coronado::web::templates {

bool find_whitespace_mode(std::string_view name, Whitespace& mode) noexcept {
  if (name == "all") return mode = Whitespace::kAll, true;
  if (name == "single") return mode = Whitespace::kSingle, true;
  if (name == "oneline") return mode = Whitespace::kOneline, true;
  return false;
}

Whitespace default_whitespace(std::string_view file_name) noexcept {
  return file_name.ends_with(".html") || file_name.ends_with(".js") ? Whitespace::kSingle
                                                                    : Whitespace::kAll;
}

std::string filter_whitespace(Whitespace mode, std::string_view text) {
  if (mode == Whitespace::kAll) return std::string(text);
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    if (!is_whitespace(text[i])) {
      out += text[i++];
      continue;
    }
    const std::size_t end = std::min(text.find_first_not_of(kWhitespace, i), text.size());
    const std::string_view run = text.substr(i, end - i);
    i = end;
    if (mode == Whitespace::kOneline) {
      out += ' ';
    } else if (run.find('\n') != std::string_view::npos) {
      out += '\n';
    } else {
      // Tabs and spaces become one space; "\r", "\v" and "\f" stay between them.
      for (std::size_t j = 0; j < run.size(); ++j) {
        const bool blank = run[j] == ' ' || run[j] == '\t';
        if (!blank) {
          out += run[j];
        } else if (j == 0 || (run[j - 1] != ' ' && run[j - 1] != '\t')) {
          out += ' ';
        }
      }
    }
  }
  return out;
}

}  // namespace coronado::web::templates
