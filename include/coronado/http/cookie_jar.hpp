/// `CookieJar`: keeps the cookies of servers and gives them back to those they are for.
///
/// Layer: http.
#pragma once

#include <coronado/http/url.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace coronado {

/// One cookie that was set.
struct StoredCookie {
  std::string name;
  std::string value;
  std::string domain;  ///< in lower case, without a dot in front
  std::string path;
  std::int64_t expires = 0;  ///< seconds since 1970; the largest: with the jar
  bool host_only = true;     ///< not for subdomains
  bool secure = false;       ///< over TLS only
  bool http_only = false;
};

/// Cookies in memory.
///
/// Of public suffixes it knows the usual forms, not the whole list: domains without a dot inside,
/// "co.uk" and its like under every country, and those of a dozen hosters are refused as `Domain`; IP
/// addresses, too. A cookie that is `Secure` is accepted over TLS only; the prefixes `__Host-` and `__Secure-` hold what they
/// promise.
///
/// Threads  One at a time.
/// Spec     RFC 6265; RFC 6265bis 4.1.3 (prefixes).
/// Code     src/http/cookie_jar.cpp, tests/http/cookie_jar_test.cpp
class CookieJar {
 public:
  /// Most cookies kept, in all and of one domain; the oldest go.   Spec  RFC 6265 6.1
  static constexpr std::size_t kMostCookies = 3000;
  static constexpr std::size_t kMostPerDomain = 50;

  /// Takes the value of a Set-Cookie field that `url` has sent. What breaks the rules is ignored.
  /// Params   now  Seconds since 1970.
  /// Returns  Whether a cookie was set, or removed.
  bool set(const URL& url, std::string_view set_cookie, std::int64_t now);

  /// The value of the Cookie field for a request of `url`; empty: none.
  std::string cookie_header(const URL& url, std::int64_t now) const;

  void clear() noexcept { cookies_.clear(); }
  const std::vector<StoredCookie>& cookies() const noexcept { return cookies_; }

 private:
  std::vector<StoredCookie> cookies_;  // the oldest first
};

}  // namespace coronado
