#include <coronado/base/linkify.hpp>

#include <coronado/base/escape.hpp>
#include <coronado/base/strings.hpp>

#include <algorithm>
#include <array>

#include "base/regex.hpp"

namespace coronado {
namespace {

// Tornado's, for text that is escaped already: a scheme or "www.", then characters of a URL, with
// parentheses in pairs, the last one no punctuation.
constexpr std::string_view kURL =
    R"re(\b((?:([\w-]+):(/{1,3})|www[.])(?:(?:(?:[^\s&()]|&amp;|&quot;)*)re"
    R"re((?:[^!"#$%&'()*+,.:;<=>?@\[\]^`{|}~\s]))|(?:\((?:[^\s&()]|&amp;|&quot;)*\)))+))re";

constexpr std::size_t kLongest = 30;  // of a shortened URL, about

/// The beginning of a URL: its host, and eight characters of the path.
std::string shortened(std::string_view url, std::size_t protocol) {
  std::string out(url);
  const std::string_view rest = url.substr(protocol);
  if (const std::size_t slash = rest.find('/'); slash != std::string_view::npos) {
    std::string_view path = rest.substr(slash + 1);
    path = path.substr(0, std::min<std::size_t>(path.find('/'), 8));
    path = path.substr(0, path.find_first_of("?."));
    out = std::string(url.substr(0, protocol + slash + 1)) + std::string(path);
  }
  if (out.size() * 2 > kLongest * 3) out.resize(kLongest);
  if (out == url) return out;
  // Not in the middle of a character reference, nor of a character.
  if (const std::size_t amp = out.rfind('&'); amp != std::string::npos && amp > kLongest - 5) {
    out.resize(amp);
  }
  while (!out.empty() && (static_cast<unsigned char>(url[out.size()]) & 0xC0) == 0x80) {
    out.pop_back();
  }
  return out + "...";
}

void append_link(std::string& out, std::string_view url, std::string_view scheme,
                 std::string_view slashes, const LinkifyOptions& options) {
  const bool permitted =
      std::ranges::find(options.permitted_protocols, scheme) != options.permitted_protocols.end();
  if (scheme.empty() ? options.require_protocol : !permitted) {
    out += url;
    return;
  }
  const std::string href = (scheme.empty() ? "http://" : "") + std::string(url);
  std::string shown(url);
  std::string title;
  if (options.shorten && url.size() > kLongest) {
    const std::size_t protocol = scheme.empty() ? 0 : scheme.size() + 1 + slashes.size();
    std::string brief = shortened(url, protocol);
    if (brief.size() < url.size()) {
      shown = std::move(brief);
      title = " title=\"" + href + "\"";
    }
  }
  const std::string_view extra = trim(options.extra_params);
  out.append("<a href=\"").append(href).append("\"");
  if (!extra.empty()) out.append(" ").append(extra);
  out.append(title).append(">").append(shown).append("</a>");
}

}  // namespace

std::string linkify(std::string_view text, const LinkifyOptions& options) {
  static const CompiledRegex url(kURL);
  static const CompiledRegex before_and_url("((?s:.*?))" + std::string(kURL));
  const std::string escaped = xhtml_escape(text);
  std::string out;
  std::string_view rest = escaped;
  for (;;) {
    const std::size_t end = url.find_end(rest);
    if (end == std::string_view::npos) break;
    std::array<std::string_view, 4> groups;
    if (!before_and_url.full_match(rest.substr(0, end), groups)) break;
    out += groups[0];
    append_link(out, groups[1], groups[2], groups[3], options);
    rest.remove_prefix(end);
  }
  return out += rest;
}

}  // namespace coronado
