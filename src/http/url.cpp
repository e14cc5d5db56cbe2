#include <coronado/http/url.hpp>

#include <coronado/base/strings.hpp>
#include <coronado/http/httputil.hpp>
#include <coronado/loop/address.hpp>

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <utility>

#include "http/ascii.hpp"
#include "http/char_class.hpp"
#include "http/idna.hpp"
#include "http/quote.hpp"

namespace coronado {
namespace {

constexpr std::size_t kMostHostBytes = 255;

[[noreturn]] void refuse(std::string_view text, const char* why) {
  throw std::invalid_argument("invalid URL " + quote_for_log(text) + ": " + why);
}

/// Appends `part`, with what is above ASCII encoded.
/// Throws  std::invalid_argument  `whole` has a byte that no URL has.
void append_part(std::string& out, std::string_view part, std::string_view whole) {
  // What is plain is taken at once.
  std::size_t plain = 0;
  while (plain < part.size() && is_in(part[plain], kTargetChar) && part[plain] != '%' &&
         part[plain] != '\\') {
    ++plain;
  }
  out.append(part, 0, plain);
  for (std::size_t i = plain; i < part.size(); ++i) {
    const char c = part[i];
    if (static_cast<unsigned char>(c) >= 0x80) {
      static constexpr char kDigits[] = "0123456789ABCDEF";
      out += {'%', kDigits[static_cast<unsigned char>(c) >> 4], kDigits[c & 15]};
      continue;
    }
    // RFC 3986 2: what is left after unreserved, reserved and '%'. '"', '<', '>', '^', '`', '{',
    // '|' and '}' are seen in the wild and cannot be mistaken; they pass.
    if (c <= ' ' || c == 0x7F || c == '\\') refuse(whole, "a space, control byte or backslash");
    if (c == '%' &&
        (part.size() - i < 3 || !is_in(part[i + 1], kHexDigit) || !is_in(part[i + 2], kHexDigit))) {
      refuse(whole, "'%' without two hexadecimal digits");
    }
    out += c;
  }
}

/// Appends the path without its dot segments.   Spec  RFC 3986 5.2.4
std::string remove_dot_segments(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    // Each round takes one segment with the slash before it.
    const std::size_t next = std::min(path.find('/', 1), path.size());
    const std::string_view segment = path.substr(0, next);
    const bool last = next == path.size();
    path.remove_prefix(next);
    if (segment == "/." || segment == "/..") {
      if (segment == "/..") out.resize(std::min(out.rfind('/'), out.size()));
      if (last) out += '/';
    } else {
      out += segment;
    }
  }
  return out;
}

void set_host(URL& url, std::string_view host, std::string_view whole) {
  if (host.starts_with('[')) {
    if (!host.ends_with(']')) refuse(whole, "'[' without ']'");
    host = host.substr(1, host.size() - 2);
    const auto address = SocketAddress::from_ip(host);
    if (!address || address->family != SocketAddress::Family::kIPv6) {
      refuse(whole, "no IPv6 address between brackets");
    }
    url.host = address->host();
    return;
  }
  if (host.size() > kMostHostBytes) refuse(whole, "the host is too long");
  std::string ascii;
  if (std::ranges::any_of(host, [](char c) { return static_cast<unsigned char>(c) >= 0x80; })) {
    std::optional<std::string> found = ascii_host_name(host);
    if (!found) refuse(whole, "the host is no name: what is beyond ASCII in it cannot be there");
    ascii = std::move(*found);
    host = ascii;
  }
  if (host.empty()) refuse(whole, "no host");
  for (const char c : host) {
    if (!is_in(c, kAlpha) && !is_in(c, kDigit) && c != '-' && c != '.' && c != '_') {
      refuse(whole, "the host has a character that no host has");
    }
  }
  url.host = ascii_lower(host);
}

/// "user:password@host:port"
void set_authority(URL& url, std::string_view authority, std::string_view whole) {
  // RFC 3986 3.2.1: user information has no '@'; the first one ends it. What follows must be a host.
  const std::size_t at = authority.find('@');
  if (at != std::string_view::npos) {
    std::string checked;
    append_part(checked, authority.substr(0, at), whole);
    const std::size_t colon = std::min(checked.find(':'), checked.size());
    url.username = percent_decode(std::string_view(checked).substr(0, colon), PlusSign::kPlus);
    if (colon < checked.size()) {
      url.password = percent_decode(std::string_view(checked).substr(colon + 1), PlusSign::kPlus);
    }
    authority.remove_prefix(at + 1);
  }
  std::size_t colon = authority.rfind(':');
  if (colon != std::string_view::npos && authority.find(']', colon) != std::string_view::npos) {
    colon = std::string_view::npos;  // inside brackets
  }
  url.port = url.secure() ? 443 : 80;
  if (colon != std::string_view::npos) {
    const std::string_view digits = authority.substr(colon + 1);
    if (!digits.empty()) {
      const auto port = parse_int<std::uint16_t>(digits);
      if (!port || *port == 0) refuse(whole, "the port is no number from 1 to 65535");
      url.port = *port;
    }
  }
  set_host(url, authority.substr(0, colon), whole);
}

/// "/path?query#fragment", all of it optional; an absolute path.
void set_tail(URL& url, std::string_view tail, std::string_view whole) {
  const std::size_t hash = tail.find('#');
  url.fragment.clear();
  if (hash != std::string_view::npos) append_part(url.fragment, tail.substr(hash + 1), whole);
  tail = tail.substr(0, hash);
  const std::size_t mark = tail.find('?');
  url.query.clear();
  url.has_query = mark != std::string_view::npos;
  if (url.has_query) append_part(url.query, tail.substr(mark + 1), whole);
  std::string path;
  append_part(path, tail.substr(0, mark), whole);
  url.path = path.find("/.") == std::string::npos ? std::move(path) : remove_dot_segments(path);
  if (url.path.empty()) url.path = "/";
}

/// The length of "scheme:" at the start; 0: there is none.
std::size_t scheme_size(std::string_view text) noexcept {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == ':') return i == 0 ? 0 : i + 1;
    const bool first = is_in(c, kAlpha);
    const bool more = is_in(c, kDigit) || c == '+' || c == '-' || c == '.';
    if (!first && (i == 0 || !more)) return 0;
  }
  return 0;
}

}  // namespace

URL URL::parse(std::string_view text) {
  URL url;
  const std::size_t scheme = scheme_size(text);
  if (scheme == 0) refuse(text, "it does not begin with http:// or https://");
  url.scheme = ascii_lower(text.substr(0, scheme - 1));
  if (url.scheme != "http" && url.scheme != "https") refuse(text, "unsupported scheme");
  std::string_view rest = text.substr(scheme);
  if (!rest.starts_with("//")) refuse(text, "no \"//\" after the scheme");
  rest.remove_prefix(2);
  const std::size_t end = std::min(rest.find_first_of("/?#\\"), rest.size());
  set_authority(url, rest.substr(0, end), text);
  set_tail(url, rest.substr(end), text);
  return url;
}

bool URL::is_normal_tail(std::string_view tail) noexcept {
  if (tail.empty() || tail[0] != '/') return false;
  // Escapes, dot segments and fragments are looked at more closely elsewhere.
  unsigned classes = kPlainURLChar;
  for (const char c : tail) classes &= kCharClasses[static_cast<unsigned char>(c)];
  if (classes == 0) return false;
  return tail.find('.') == std::string_view::npos || tail.find("/.") == std::string_view::npos;
}

void URL::set_normal_tail(std::string_view tail) {
  const std::size_t mark = tail.find('?');
  path = tail.substr(0, mark);
  has_query = mark != std::string_view::npos;
  query = has_query ? tail.substr(mark + 1) : std::string_view();
  fragment.clear();
}

URL URL::resolve(std::string_view reference) const {
  if (scheme_size(reference) != 0) {
    URL url = parse(reference);
    if (url.fragment.empty()) url.fragment = fragment;
    return url;
  }
  URL url = *this;
  url.username.clear();
  url.password.clear();
  std::string_view tail = reference;
  if (reference.starts_with("//")) {
    tail.remove_prefix(2);
    const std::size_t end = std::min(tail.find_first_of("/?#\\"), tail.size());
    set_authority(url, tail.substr(0, end), reference);
    tail.remove_prefix(end);
    set_tail(url, tail, reference);
  } else if (reference.starts_with('/')) {
    set_tail(url, tail, reference);
  } else if (reference.empty() || reference.starts_with('#')) {
    set_tail(url, target() + std::string(reference), reference);
  } else if (reference.starts_with('?')) {
    set_tail(url, path + std::string(reference), reference);
  } else {
    // RFC 3986 5.2.3: the reference replaces what follows the last slash.
    set_tail(url, path.substr(0, path.rfind('/') + 1) + std::string(reference), reference);
  }
  if (reference.find('#') == std::string_view::npos) url.fragment = fragment;
  return url;
}

void URL::append_authority(std::string& out) const {
  if (host.find(':') == std::string::npos) {
    out += host;
  } else {
    out.append(1, '[').append(host).append(1, ']');
  }
  if (has_default_port()) return;
  out += ':';
  append_int(out, port);
}

void URL::append_target(std::string& out) const {
  out += path;
  if (has_query) out.append(1, '?').append(query);
}

void URL::append_origin(std::string& out) const {
  out.append(scheme).append("://");
  append_authority(out);
}

std::string URL::authority() const {
  std::string text;
  append_authority(text);
  return text;
}

std::string URL::target() const {
  std::string text;
  append_target(text);
  return text;
}

std::string URL::origin() const {
  std::string text;
  append_origin(text);
  return text;
}

std::string URL::to_string() const {
  std::string text;
  text.reserve(scheme.size() + host.size() + path.size() + query.size() + fragment.size() + 16);
  append_origin(text);
  append_target(text);
  if (!fragment.empty()) text.append("#").append(fragment);
  return text;
}

}  // namespace coronado
