/// Small pure functions on HTTP text: queries, cookies, dates, entity tags, hosts.
///
///     percent_decode, parse_qs, urlencode, url_concat     URLs and forms
///     parse_cookie, format_set_cookie, CookieOptions      cookies
///     format_timestamp, parse_http_date                   dates
///     make_etag, etag_matches                             entity tags
///     split_host_and_port, is_token, is_field_value
///
/// Layer: http.
#pragma once

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace coronado {

/// Names and values, in order; a name may occur more than once.
using ArgumentList = std::vector<std::pair<std::string, std::string>>;

/// What '+' stands for in percent-encoded text.
enum class PlusSign : std::uint8_t {
  kPlus,   ///< Itself, as in a path.
  kSpace,  ///< A space, as in a query or a form.
};

/// Decode "%41" to "A". An escape that is not two hexadecimal digits stays as it is.
/// Returns  Bytes; whether they are valid UTF-8 is for the caller to check.
/// Spec     RFC 3986 2.1.   Tornado  `escape.url_unescape`.
std::string percent_decode(std::string_view text, PlusSign plus);

/// Split a query or an urlencoded form at '&' and '=' and decode both sides.
///
/// A piece without '=' is a name with an empty value; empty pieces are skipped.
/// Params   max_fields  Most pieces accepted.
/// Throws   HTTPInputError  There are more pieces than that.
/// Spec     WHATWG URL 5.1.   Tornado  `escape.parse_qs_bytes`. Differs: there is a limit.
ArgumentList parse_qs(std::string_view query, std::size_t max_fields = 1000);

/// Encode names and values as a query or an urlencoded form; a space becomes '+'.
std::string urlencode(const ArgumentList& arguments);

/// Add query arguments to a URL. What query it has is decoded and encoded again; the fragment
/// stays.
/// Tornado  `httputil.url_concat`.
std::string url_concat(std::string_view url, const ArgumentList& arguments);

/// Read a Cookie field. Never fails: what is no pair is a value without a name, quoted values are
/// unquoted ("\073" is ";"), empty pieces are skipped.
/// Returns  In order. Of pairs with the same name the last one counts.
/// Cost     Linear.   Tornado  `httputil.parse_cookie`.
ArgumentList parse_cookie(std::string_view cookie);

/// When a browser sends a cookie with requests from other sites.   Spec  RFC 6265bis 4.1.2.7
enum class SameSite : std::uint8_t { kUnset, kLax, kStrict, kNone };

/// The attributes of a cookie that is set.
struct CookieOptions {
  std::string domain = {};                   ///< Empty: the host that sets it, without subdomains.
  std::string path = "/";                    ///< Empty: left out.
  std::optional<std::time_t> expires = {};   ///< Seconds since 1970. None: when the browser closes.
  std::optional<double> expires_days = {};   ///< Days from now on, instead of `expires`.
  std::optional<std::int64_t> max_age = {};  ///< Seconds; 0 deletes it. Wins over `expires`.
  bool secure = false;                       ///< Over TLS only.
  bool http_only = false;                    ///< Hidden from scripts.
  SameSite same_site = SameSite::kUnset;
  bool partitioned = false;  ///< One for each site that embeds this one; needs `secure`.
};

/// The value of a Set-Cookie field: `name=value; Domain=...; expires=...; HttpOnly; ...`,
/// attributes in alphabetical order, the value quoted when it has characters a cookie may not have
/// bare.
///
/// Params   name     A token, and not the name of an attribute.
///          value    No control bytes and no spaces.
///          options  Domain and path without control bytes, spaces and semicolons. With what the
///                   name's prefix promises: `__Secure-` needs `secure`, `__Host-` besides the path
///                   "/" and no domain.
/// Throws   std::invalid_argument  One of these is broken; the message names it.
/// Spec     RFC 6265 4.1, RFC 6265bis 4.1.3.   Tornado  `RequestHandler.set_cookie`. Differs: a
///          `max_age` of 0 is sent, prefixes are checked.
std::string format_set_cookie(std::string_view name, std::string_view value,
                              const CookieOptions& options = {});

/// "Sun, 06 Nov 1994 08:49:37 GMT".
/// Params   seconds  Since 1970, in the years 0 to 9999.
/// Throws   std::out_of_range  Another year.
/// Spec     RFC 9110 5.6.7.   Tornado  `httputil.format_timestamp`.
std::string format_timestamp(std::time_t seconds);

/// Read a date in any of the three forms HTTP has known. The day of the week is not checked against
/// the date.
/// Returns  Seconds since 1970, or nothing when it is no date.
/// Spec     RFC 9110 5.6.7.
std::optional<std::int64_t> parse_http_date(std::string_view text);

/// The strong entity tag of a representation: its SHA-1 in hexadecimal, in quotes. It is the same in
/// every process and on every machine.
/// Cost     One pass over `content`.
/// Spec     RFC 9110 8.8.3.   Tornado  `RequestHandler.compute_etag`.
std::string make_etag(std::string_view content);

/// True when an If-None-Match field names `etag`, by weak comparison, or is "*".
/// Params   etag  With its quotes, and "W/" if it is weak.
/// Spec     RFC 9110 13.1.2, 8.8.3.2.
bool etag_matches(std::string_view if_none_match, std::string_view etag) noexcept;

struct HostAndPort {
  std::string_view host;  ///< As given, with the brackets of an IPv6 address.
  std::optional<std::uint16_t> port;
};

/// Split "host:port" at its last colon; without digits after one, all of it is the host.
/// Tornado  `httputil.split_host_and_port`.
HostAndPort split_host_and_port(std::string_view authority) noexcept;

/// True for one or more token characters.   Spec  RFC 9110 5.6.2.
bool is_token(std::string_view text) noexcept;

/// True without control bytes other than the tab.   Spec  RFC 9110 5.5.
bool is_field_value(std::string_view text) noexcept;

}  // namespace coronado
