#include <coronado/http/http_proxies.hpp>

#include <coronado/base/strings.hpp>
#include <coronado/loop/address.hpp>

#include <cstdlib>
#include <stdexcept>

namespace coronado {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string environment(const char* lower, const char* upper) {
  std::string value = environment(lower);
  return value.empty() ? environment(upper) : value;
}

/// Whether the first `bits` of two addresses are equal.
bool same_network(const SocketAddress& one, const SocketAddress& other, unsigned bits) noexcept {
  for (unsigned i = 0; i < bits; ++i) {
    const unsigned mask = 0x80U >> (i % 8);
    if ((one.ip[i / 8] & mask) != (other.ip[i / 8] & mask)) return false;
  }
  return true;
}

/// "10.0.0.0/8", or an address alone.
bool in_network(std::string_view network, const SocketAddress& address) {
  const std::size_t slash = network.find('/');
  const auto base = SocketAddress::from_ip(network.substr(0, slash));
  if (!base || base->family != address.family) return false;
  const unsigned all = base->family == SocketAddress::Family::kIPv4 ? 32 : 128;
  if (slash == std::string_view::npos) return same_network(*base, address, all);
  const auto bits = parse_int<unsigned>(network.substr(slash + 1));
  return bits && *bits <= all && same_network(*base, address, *bits);
}

/// Takes the port off a rule, if it has one: "name:80", "192.0.2.1:80", "[::1]:80".
/// Returns  False: it is another port.
bool take_port(std::string_view& rule, std::uint16_t port) {
  const std::size_t colon = rule.rfind(':');
  if (colon == std::string_view::npos || rule.ends_with(']')) return true;
  if (rule.find(':') != colon && !rule.starts_with('[')) return true;  // IPv6, bare
  if (parse_int<std::uint16_t>(rule.substr(colon + 1)) != port) return false;
  rule = rule.substr(0, colon);
  return true;
}

bool names(std::string_view rule, const URL& url) {
  if (rule == "*") return true;
  if (!take_port(rule, url.port)) return false;
  if (const auto address = SocketAddress::from_ip(url.host)) {
    if (rule.starts_with('[') && rule.ends_with(']')) rule = rule.substr(1, rule.size() - 2);
    return in_network(rule, *address);
  }
  if (rule.starts_with("*.")) rule.remove_prefix(1);
  if (rule.starts_with('.')) rule.remove_prefix(1);
  if (rule.empty() || url.host.size() < rule.size()) return false;
  const std::size_t before = url.host.size() - rule.size();
  if (!equals_ignore_case(std::string_view(url.host).substr(before), rule)) return false;
  return before == 0 || url.host[before - 1] == '.';
}

}  // namespace

HTTPProxies HTTPProxies::from_environment() {
  HTTPProxies proxies;
  // CVE-2016-5385 ("httpoxy"): a request's field `Proxy` becomes this variable in CGI.
  const bool cgi = !environment("REQUEST_METHOD").empty();
  proxies.http = cgi ? environment("http_proxy") : environment("http_proxy", "HTTP_PROXY");
  proxies.https = environment("https_proxy", "HTTPS_PROXY");
  const std::string all = environment("all_proxy", "ALL_PROXY");
  if (proxies.http.empty()) proxies.http = all;
  if (proxies.https.empty()) proxies.https = all;
  const std::string list = environment("no_proxy", "NO_PROXY");
  for_each_part(list, ',', [&](std::string_view part) {
    part = trim(part);
    if (!part.empty()) proxies.except.emplace_back(part);
  });
  return proxies;
}

std::optional<std::string_view> HTTPProxies::find(const URL& url) const {
  const std::string& proxy = url.secure() ? https : http;
  if (proxy.empty()) return std::nullopt;
  for (const std::string& rule : except) {
    if (names(rule, url)) return std::nullopt;
  }
  return proxy;
}

HTTPProxy HTTPProxy::parse(std::string_view text) {
  HTTPProxy proxy;
  std::string_view rest = text;
  const std::size_t mark = rest.find("://");
  if (mark != std::string_view::npos) {
    const std::string scheme = ascii_lower(rest.substr(0, mark));
    rest.remove_prefix(mark + 3);
    if (scheme == "socks5" || scheme == "socks5h") {
      proxy.kind = Kind::kSOCKS5;
    } else if (scheme != "http") {
      throw std::invalid_argument("unsupported scheme of a proxy: " + scheme);
    }
  }
  const std::size_t at = std::min(rest.rfind('@') + 1, rest.size());  // 0: there is none
  std::string shown(rest.substr(at));
  try {
    const URL url = URL::parse("http://" + std::string(rest));
    proxy.host = url.host;
    proxy.username = url.username;
    proxy.password = url.password;
    proxy.port = url.port;
    // Without a port it is the usual one of its kind.
    const std::string_view authority = std::string_view(shown).substr(0, shown.find('/'));
    if (url.port == 80 && !authority.ends_with(":80")) {
      proxy.port = proxy.kind == Kind::kSOCKS5 ? 1080 : 8080;
    }
  } catch (const std::invalid_argument&) {
    throw std::invalid_argument("no proxy: \"" + shown + "\"");
  }
  return proxy;
}

}  // namespace coronado
