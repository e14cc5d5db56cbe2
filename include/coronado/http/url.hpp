/// `URL`: an absolute http or https URL, taken apart, and references resolved against it.
///
/// Layer: http.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace coronado {

/// A URL as a client needs it.
///
/// Strict: no white space, no control bytes, no backslash, every '%' followed by two hexadecimal
/// digits, a host that is a name of letters, digits, '-', '.' and '_', or an IP address. Bytes above
/// ASCII in path, query and fragment are percent-encoded; a host with letters above ASCII gets its
/// form for DNS ("xn--...").
/// Spec  RFC 3986; RFC 5891 and UTS 46 of hosts.
/// Code  src/http/url.cpp, tests/http/url_test.cpp
struct URL {
  std::string scheme;    ///< "http" or "https", in lower case
  std::string username;  ///< decoded
  std::string password;  ///< decoded
  std::string host;      ///< in lower case; an IPv6 address without brackets
  std::uint16_t port = 0;
  std::string path = "/";  ///< dot segments removed; encoded; never empty
  std::string query;       ///< encoded, without '?'
  std::string fragment;    ///< encoded, without '#'
  bool has_query = false;  ///< "http://host/?" has an empty one

  /// Throws  std::invalid_argument  `text` is no such URL; the message shows it and says why.
  static URL parse(std::string_view text);

  /// The URL that `reference`, relative or absolute, leads to from this one. A reference without a
  /// fragment keeps this one's, as redirects do; user information is not inherited.
  /// Throws  std::invalid_argument  It is none, or has another scheme than http and https.
  /// Spec    RFC 3986 5.2, RFC 9110 10.2.2
  URL resolve(std::string_view reference) const;

  /// Whether `tail` is a path, perhaps with a query, that `parse` leaves as it is. False for some
  /// that it leaves, too: with escapes, or dots behind a slash in the query.
  static bool is_normal_tail(std::string_view tail) noexcept;
  /// Replaces path, query and fragment by such a tail.
  void set_normal_tail(std::string_view tail);

  bool secure() const noexcept { return scheme == "https"; }
  bool has_default_port() const noexcept { return port == (secure() ? 443 : 80); }
  bool has_user() const noexcept { return !username.empty() || !password.empty(); }

  /// "example.org", "example.org:8080", "[::1]:80": without the port where it is the scheme's.
  std::string authority() const;
  /// Path and query: what a request asks for.
  std::string target() const;
  /// Scheme, host and port, which decide whom credentials are for: "https://example.org".
  std::string origin() const;
  /// All of it but user information, which belongs in no log.
  std::string to_string() const;

  /// The same, appended.
  void append_authority(std::string& out) const;
  void append_target(std::string& out) const;
  void append_origin(std::string& out) const;

  bool same_origin(const URL& other) const noexcept {
    return port == other.port && scheme == other.scheme && host == other.host;
  }
};

}  // namespace coronado
