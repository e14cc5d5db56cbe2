/// `HTTPProxies`: which URLs are fetched through which proxy.
///
/// Layer: http.
#pragma once

#include <coronado/http/url.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace coronado {

/// Proxies by scheme, and the hosts that are reached without one.
///
/// A proxy is "http://host:port", "socks5://host:port" (names are looked up by the proxy), or
/// "host:port"; with "user:password@" if it asks for that. Without a port: 8080, for SOCKS 1080.
/// Code  src/http/http_proxies.cpp, tests/http/http_proxies_test.cpp
struct HTTPProxies {
  /// For http and for https URLs. Empty: none.
  std::string http = {};
  std::string https = {};
  /// Hosts without a proxy: "example.org" (with its subdomains, as ".example.org"),
  /// "example.org:8080", an IP address, "10.0.0.0/8", or "*" for all.
  std::vector<std::string> except = {};

  /// What `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy` say, in lower or upper case. In a
  /// CGI program (`REQUEST_METHOD` is set) HTTP_PROXY comes from a client and is not looked at.
  /// Threads  As `getenv`.
  static HTTPProxies from_environment();

  /// The proxy for `url`, as it was given.
  std::optional<std::string_view> find(const URL& url) const;
};

/// A proxy, taken apart.
struct HTTPProxy {
  enum class Kind : unsigned char { kHTTP, kSOCKS5 };
  Kind kind = Kind::kHTTP;
  std::string host;
  std::uint16_t port = 0;
  std::string username;
  std::string password;

  bool has_user() const noexcept { return !username.empty() || !password.empty(); }

  /// Throws  std::invalid_argument  It is none; the message shows it without the password.
  static HTTPProxy parse(std::string_view text);
};

}  // namespace coronado
