#include <coronado/http/cookie_jar.hpp>

#include <coronado/base/strings.hpp>
#include <coronado/http/httputil.hpp>
#include <coronado/loop/address.hpp>

#include <algorithm>
#include <limits>
#include <optional>

#include "http/ascii.hpp"

namespace coronado {
namespace {

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
constexpr std::size_t kMostBytes = 4096;  // of name and value

bool is_ip(std::string_view host) { return SocketAddress::from_ip(host).has_value(); }

/// RFC 6265 5.1.3
bool domain_matches(std::string_view host, std::string_view domain) {
  if (host == domain) return true;
  return host.ends_with(domain) && host[host.size() - domain.size() - 1] == '.' && !is_ip(host);
}

/// What registries of countries sell names under: "co.uk", "com.au", "ne.jp".
constexpr std::string_view kSecondLevels[] = {"ac", "co", "com", "edu", "gov", "mil", "net", "org"};
constexpr std::string_view kSecondLevelsOfJapanAndKorea[] = {"ad", "ed", "go", "gr", "lg",
                                                             "ne", "or", "pe", "re"};
/// Under these everybody has a site.
constexpr std::string_view kHosters[] = {
    "appspot.com", "azurewebsites.net", "blogspot.com",  "cloudfront.net", "firebaseapp.com",
    "github.io",   "gitlab.io",         "herokuapp.com", "netlify.app",    "pages.dev",
    "vercel.app",  "web.app",           "workers.dev"};

/// Whether names under `domain` belong to different people. The whole list of public suffixes has
/// thousands of entries and changes each week; these rules know the most of what is in use.
bool is_public_suffix(std::string_view domain) {
  const std::size_t dot = domain.find('.');
  if (dot == std::string_view::npos) return true;
  if (std::ranges::find(kHosters, domain) != std::end(kHosters)) return true;
  const std::string_view second = domain.substr(0, dot);
  const std::string_view country = domain.substr(dot + 1);
  if (country.size() != 2) return false;
  if (std::ranges::find(kSecondLevels, second) != std::end(kSecondLevels)) return true;
  return (country == "jp" || country == "kr") &&
         std::ranges::find(kSecondLevelsOfJapanAndKorea, second) !=
             std::end(kSecondLevelsOfJapanAndKorea);
}

/// RFC 6265 5.1.4
bool path_matches(std::string_view path, std::string_view cookie_path) noexcept {
  if (!path.starts_with(cookie_path)) return false;
  return path.size() == cookie_path.size() || cookie_path.ends_with('/') ||
         path[cookie_path.size()] == '/';
}

std::string default_path(const URL& url) {
  const std::size_t slash = url.path.rfind('/');
  return slash == 0 || slash == std::string::npos ? "/" : url.path.substr(0, slash);
}

/// RFC 6265 5.2.2
std::optional<std::int64_t> parse_max_age(std::string_view text, std::int64_t now) {
  const bool negative = text.starts_with('-');
  const std::string_view digits = text.substr(negative ? 1 : 0);
  if (digits.empty() || !std::ranges::all_of(digits, is_ascii_digit)) return std::nullopt;
  if (negative) return std::numeric_limits<std::int64_t>::min();
  const auto seconds = parse_int<std::int64_t>(digits);
  if (!seconds || *seconds > kNever - now) return kNever;
  return *seconds == 0 ? std::numeric_limits<std::int64_t>::min() : now + *seconds;
}

/// What the attributes of a Set-Cookie field say. The last of each kind counts.
struct Attributes {
  std::optional<std::int64_t> expires;
  std::optional<std::int64_t> max_age;
  std::string domain;
  std::string path;
  bool secure = false;
  bool http_only = false;

  void read(std::string_view rest, std::int64_t now) {
    while (!rest.empty()) {
      std::string_view piece = next_element(rest, ';');
      std::string_view value = piece;
      const std::string_view name = next_element(value, '=');
      value = trim_whitespace(value);
      if (equals_ignoring_case(name, "expires")) {
        if (const auto date = parse_http_date(value)) expires = date;
      } else if (equals_ignoring_case(name, "max-age")) {
        if (const auto age = parse_max_age(value, now)) max_age = age;
      } else if (equals_ignoring_case(name, "domain")) {
        if (value.starts_with('.')) value.remove_prefix(1);
        domain = ascii_lower(value);
      } else if (equals_ignoring_case(name, "path")) {
        path = value.starts_with('/') ? value : "";
      } else if (equals_ignoring_case(name, "secure")) {
        secure = true;
      } else if (equals_ignoring_case(name, "httponly")) {
        http_only = true;
      }
    }
  }
};

/// RFC 6265bis 4.1.3, and 5.7 for that the letters may be of either case.
bool keeps_promise(const StoredCookie& cookie) {
  const auto begins = [&](std::string_view prefix) {
    return equals_ignoring_case(std::string_view(cookie.name).substr(0, prefix.size()), prefix);
  };
  if (begins("__Secure-")) return cookie.secure;
  if (begins("__Host-")) {
    return cookie.secure && cookie.host_only && cookie.path == "/";
  }
  return true;
}

/// The cookie that a Set-Cookie field is about; nothing when it breaks the rules.
std::optional<StoredCookie> read_cookie(const URL& url, std::string_view text, std::int64_t now) {
  if (!is_field_value(text)) return std::nullopt;
  std::string_view rest = text;
  std::string_view value = next_element(rest, ';');
  const std::size_t equals = value.find('=');
  if (equals == std::string_view::npos || equals == 0) return std::nullopt;  // 5.2: ignore
  StoredCookie cookie;
  cookie.name = trim_whitespace(value.substr(0, equals));
  cookie.value = trim_whitespace(value.substr(equals + 1));
  if (cookie.name.empty() || cookie.name.size() + cookie.value.size() > kMostBytes) {
    return std::nullopt;
  }
  Attributes attributes;
  attributes.read(rest, now);
  cookie.expires = attributes.max_age.value_or(attributes.expires.value_or(kNever));
  cookie.secure = attributes.secure;
  cookie.http_only = attributes.http_only;
  cookie.path = attributes.path.empty() ? default_path(url) : attributes.path;
  cookie.domain = url.host;
  if (!attributes.domain.empty() && attributes.domain != url.host) {
    // 5.3 (6): a server may widen the circle to domains that it is in itself.
    if (!domain_matches(url.host, attributes.domain)) return std::nullopt;
    // 5.3 (5)
    if (is_public_suffix(attributes.domain)) return std::nullopt;
  }
  if (!attributes.domain.empty() && !is_ip(url.host)) {
    cookie.domain = attributes.domain;
    cookie.host_only = false;
  }
  // RFC 6265bis 5.7: only a secure origin may set what is secure.
  if (cookie.secure && !url.secure()) return std::nullopt;
  if (!keeps_promise(cookie)) return std::nullopt;
  return cookie;
}

}  // namespace

bool CookieJar::set(const URL& url, std::string_view set_cookie, std::int64_t now) {
  auto cookie = read_cookie(url, set_cookie, now);
  if (!cookie) return false;
  const auto same = [&](const StoredCookie& other) {
    return other.name == cookie->name && other.domain == cookie->domain &&
           other.path == cookie->path;
  };
  // RFC 6265bis 5.7: what came over TLS is not replaced by what did not, nor hidden behind it.
  const auto hides = [&](const StoredCookie& other) {
    return other.secure && other.expires > now && other.name == cookie->name &&
           (domain_matches(other.domain, cookie->domain) ||
            domain_matches(cookie->domain, other.domain)) &&
           path_matches(cookie->path, other.path);
  };
  if (!url.secure() && std::ranges::any_of(cookies_, hides)) return false;
  std::erase_if(cookies_,
                [&](const StoredCookie& other) { return same(other) || other.expires <= now; });
  if (cookie->expires <= now) return true;  // that was its removal
  const auto of_domain = [&](const StoredCookie& other) { return other.domain == cookie->domain; };
  if (static_cast<std::size_t>(std::ranges::count_if(cookies_, of_domain)) >= kMostPerDomain) {
    cookies_.erase(std::ranges::find_if(cookies_, of_domain));
  }
  if (cookies_.size() >= kMostCookies) cookies_.erase(cookies_.begin());
  cookies_.push_back(std::move(*cookie));
  return true;
}

std::string CookieJar::cookie_header(const URL& url, std::int64_t now) const {
  std::vector<const StoredCookie*> wanted;
  for (const StoredCookie& cookie : cookies_) {
    if (cookie.expires <= now || (cookie.secure && !url.secure())) continue;
    if (cookie.host_only ? url.host != cookie.domain : !domain_matches(url.host, cookie.domain)) {
      continue;
    }
    if (path_matches(url.path, cookie.path)) wanted.push_back(&cookie);
  }
  // RFC 6265 5.4 (2): longer paths first, then the older ones.
  std::ranges::stable_sort(wanted, [](const StoredCookie* a, const StoredCookie* b) {
    return a->path.size() > b->path.size();
  });
  std::string header;
  for (const StoredCookie* cookie : wanted) {
    if (!header.empty()) header += "; ";
    header.append(cookie->name).append("=").append(cookie->value);
  }
  return header;
}

}  // namespace coronado
