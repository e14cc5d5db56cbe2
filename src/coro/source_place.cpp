#include "coro/source_place.hpp"

#include <algorithm>

namespace coronado::detail {

std::string_view base_name(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string short_function(std::string_view function) {
  constexpr std::string_view kNoNamespace = "(anonymous namespace)::";
  constexpr std::string_view kLambda = "::(anonymous class)::operator()";
  std::string name(function);
  for (std::size_t at; (at = name.find(kNoNamespace)) != std::string::npos;) {
    name.erase(at, kNoNamespace.size());
  }
  const std::size_t lambda = name.find(kLambda);
  name.resize(std::min({name.size(), lambda, name.find('(')}));
  if (const std::size_t space = name.rfind(' '); space != std::string::npos) {
    name.erase(0, space + 1);
  }
  return (lambda == std::string::npos ? "" : "lambda in ") + name + "()";
}

void append_line(std::string& out, std::string_view file, std::uint32_t line) {
  out.append(base_name(file)).append(":").append(std::to_string(line));
}

void append_place(std::string& out, std::string_view file, std::uint32_t line,
                  std::string_view function) {
  append_line(out, file, line);
  out.append(" ").append(short_function(function));
}

}  // namespace coronado::detail
