#include "http/field_parameters.hpp"

#include <coronado/base/escape.hpp>
#include <coronado/base/strings.hpp>
#include <coronado/http/httputil.hpp>

#include "http/ascii.hpp"

namespace coronado {
namespace {

/// Cuts a quoted string off `rest`, which begins with its quote.
std::optional<std::string> take_quoted(std::string_view& rest) {
  std::string text;
  for (std::size_t i = 1; i < rest.size(); ++i) {
    char c = rest[i];
    if (c == '"') {
      rest.remove_prefix(i + 1);
      return text;
    }
    // RFC 9110 5.6.4 lets any byte be quoted; browsers send file names such as "C:\new.txt" with
    // bare backslashes, so only what needs it is taken as quoted.
    if (c == '\\' && i + 1 < rest.size() && (rest[i + 1] == '"' || rest[i + 1] == '\\')) {
      c = rest[++i];
    }
    text += c;
  }
  return std::nullopt;
}

/// The value of `name*`: charset'language'percent-encoded.   Spec  RFC 8187 3.2.
std::optional<std::string> decode_extended(std::string_view text) {
  const std::size_t first = text.find('\'');
  const std::size_t second = first == text.npos ? text.npos : text.find('\'', first + 1);
  if (second == text.npos || !equals_ignoring_case(text.substr(0, first), "utf-8")) {
    return std::nullopt;  // RFC 8187 3.2.1: UTF-8 is the one that all must know
  }
  std::string decoded = percent_decode(text.substr(second + 1), PlusSign::kPlus);
  if (!is_valid_utf8(decoded)) return std::nullopt;
  return decoded;
}

}  // namespace

std::optional<std::string> FieldParameters::find(std::string_view name) const {
  std::optional<std::string> found;
  for (const auto& [key, text] : parameters) {
    if (key == name && !found) found = text;
    if (key.size() == name.size() + 1 && key.starts_with(name) && key.ends_with('*')) {
      if (auto decoded = decode_extended(text)) found = std::move(decoded);
    }
  }
  return found;
}

std::optional<FieldParameters> parse_field_parameters(std::string_view text) {
  FieldParameters result;
  const std::size_t end = text.find(';');
  result.value = ascii_lower(trim_whitespace(text.substr(0, end)));
  if (result.value.empty()) return std::nullopt;
  std::string_view rest = end == text.npos ? std::string_view{} : text.substr(end);
  while (!(rest = trim_whitespace(rest)).empty()) {
    if (rest.front() != ';') return std::nullopt;
    rest = trim_whitespace(rest.substr(1));
    if (rest.empty() || rest.front() == ';') continue;  // RFC 9110 5.6.6 allows empty parameters
    const std::size_t equals = rest.find('=');
    if (equals == rest.npos || !is_token(rest.substr(0, equals))) return std::nullopt;
    std::string name = ascii_lower(rest.substr(0, equals));
    rest.remove_prefix(equals + 1);
    std::string value;
    if (rest.starts_with('"')) {
      auto quoted = take_quoted(rest);
      if (!quoted) return std::nullopt;
      value = std::move(*quoted);
    } else {
      const std::size_t stop = std::min(rest.find(';'), rest.size());
      value = trim_whitespace(rest.substr(0, stop));
      rest.remove_prefix(stop);
    }
    for (const auto& [known, unused] : result.parameters) {
      if (known == name) return std::nullopt;
    }
    result.parameters.emplace_back(std::move(name), std::move(value));
  }
  return result;
}

}  // namespace coronado
