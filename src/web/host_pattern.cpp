#include "web/host_pattern.hpp"

#include <coronado/base/error.hpp>
#include <coronado/base/strings.hpp>

namespace coronado {

std::string_view strip_port(std::string_view host) noexcept {
  // RFC 3986 3.2.2: an IPv6 literal holds colons of its own, inside brackets.
  const std::size_t bracket = host.starts_with('[') ? host.find(']') : 0;
  if (bracket == std::string_view::npos) return host;
  return host.substr(0, host.find(':', bracket));
}

HostPattern::HostPattern(const Pattern& pattern) {
  if (pattern.is_regex()) {
    kind_ = Kind::kRegex;
    regex_.emplace(pattern.text());
    return;
  }
  std::string_view text = pattern.text();
  if (text.starts_with("*.")) {
    kind_ = Kind::kSuffix;
    text.remove_prefix(1);
  }
  if (text.empty() || text == "." || text.find_first_of("*/ ") != std::string_view::npos) {
    throw UsageError("host pattern '" + pattern.text() +
                     "': expected 'host', '*.domain' or a regular expression");
  }
  if (strip_port(text) != text) {
    throw UsageError("host pattern '" + pattern.text() +
                     "': a port is never compared; leave it out");
  }
  text_ = ascii_lower(text);
}

bool HostPattern::matches(std::string_view host) const {
  switch (kind_) {
    case Kind::kExact: return equals_ignore_case(host, text_);
    case Kind::kSuffix:
      return host.size() > text_.size() &&
             equals_ignore_case(host.substr(host.size() - text_.size()), text_);
    case Kind::kRegex: return regex_->full_match(ascii_lower(host));
  }
  return false;
}

}  // namespace coronado
