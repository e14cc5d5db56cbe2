#include <coronado/http/header_block.hpp>

#include <coronado/base/strings.hpp>
#include <coronado/http/httputil.hpp>

#include <stdexcept>

namespace coronado {
namespace {

struct Line {
  std::size_t begin;
  std::size_t end;  // behind the CRLF
  std::string_view name;
  std::string_view value;
};

/// The line that starts at `begin`.
Line line_at(std::string_view text, std::size_t begin) noexcept {
  const std::size_t end = text.find("\r\n", begin);
  const std::string_view line = text.substr(begin, end - begin);
  const std::size_t colon = line.find(':');
  return {begin, end + 2, line.substr(0, colon), line.substr(colon + 2)};
}

void check(std::string_view name, std::string_view value) {
  if (!is_token(name)) {
    throw std::invalid_argument("not a header name: \"" + std::string(name) + '"');
  }
  if (!is_field_value(value)) {
    throw std::invalid_argument("unsafe value for header " + std::string(name));
  }
}

}  // namespace

void HeaderBlock::set(std::string_view name, std::string_view value) {
  check(name, value);
  erase(name);
  text_.append(name).append(": ").append(value).append("\r\n");
}

void HeaderBlock::add(std::string_view name, std::string_view value) {
  check(name, value);
  text_.append(name).append(": ").append(value).append("\r\n");
}

void HeaderBlock::erase(std::string_view name) noexcept {
  for (std::size_t at = 0; at < text_.size();) {
    const Line line = line_at(text_, at);
    if (equals_ignore_case(line.name, name)) {
      text_.erase(line.begin, line.end - line.begin);
    } else {
      at = line.end;
    }
  }
}

std::optional<std::string_view> HeaderBlock::find(std::string_view name) const noexcept {
  for (std::size_t at = 0; at < text_.size();) {
    const Line line = line_at(text_, at);
    if (equals_ignore_case(line.name, name)) return line.value;
    at = line.end;
  }
  return std::nullopt;
}

}  // namespace coronado
