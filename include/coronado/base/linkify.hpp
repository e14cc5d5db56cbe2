/// Plain text to HTML with links.
///
/// Layer: base.   Tornado  `escape.linkify`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace coronado {

struct LinkifyOptions {
  /// Show long URLs by their beginning; the whole one is the link's title.
  bool shorten = false;
  /// Attributes of each link: `rel="nofollow" class="external"`.
  std::string extra_params = {};
  /// Only what has a scheme is a link: `www.example.com` is none.
  bool require_protocol = false;
  /// The schemes that become links. Never one that runs scripts.
  std::vector<std::string> permitted_protocols = {"http", "https"};
};

/// Escapes `text` as HTML and makes links of its URLs. Punctuation behind a URL is not a part of it.
///
///     linkify("Hello http://tornadoweb.org!")
///     // Hello <a href="http://tornadoweb.org">http://tornadoweb.org</a>!
std::string linkify(std::string_view text, const LinkifyOptions& options = {});

}  // namespace coronado
