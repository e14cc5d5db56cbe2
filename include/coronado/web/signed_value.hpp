/// Signed values: what a client keeps for us and cannot change, as in signed cookies.
///
///     CookieSecret                one secret, or a table of them by key version
///     create_signed_value         the text for the client
///     decode_signed_value         the value again, or nothing
///     try_decode_signed_value     the same, with the reason
///     get_signature_key_version   with which key it claims to be signed
///
/// The texts are Tornado's to the byte: either side reads what the other one has signed. A signed
/// value can be read by whoever has it; what must be hidden goes into an encrypted session
/// (<coronado/web/session.hpp>).
///
/// Threads  All may be called from any thread.
/// Layer: web.   Tornado  `web.create_signed_value`, `web.decode_signed_value`.
#pragma once

#include <coronado/http/httputil.hpp>

#include <cstdint>
#include <ctime>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace coronado::web {

inline constexpr int kMinSupportedSignedValueVersion = 1;
inline constexpr int kMaxSupportedSignedValueVersion = 2;
/// What is signed with unless another is asked for.
inline constexpr int kDefaultSignedValueVersion = 2;
/// The oldest that is accepted unless another is asked for.
inline constexpr int kDefaultSignedValueMinVersion = 1;

/// What cookies are signed with.
///
///     web::CookieSecret one("a long random text");
///     web::CookieSecret two({{1, "the old one"}, {2, "the new one"}}, 2);  // signs with 2, reads both
///
/// To change a secret without logging everybody out: give the new one the next number, sign with
/// it, and take the old one out a month later.   Tornado  The settings `cookie_secret`, `key_version`.
class CookieSecret {
 public:
  /// None: nothing can be signed.
  CookieSecret() noexcept = default;
  /// Throws  UsageError  It is empty.
  CookieSecret(std::string secret);
  CookieSecret(const char* secret);
  /// Params  key_version  The one that signs.
  /// Throws  UsageError   The table has no `key_version`, has a version twice or a negative one, or an
  ///                      empty secret.
  CookieSecret(std::vector<std::pair<int, std::string>> secrets, int key_version);

  bool empty() const noexcept { return secrets_.empty(); }
  /// True when it was made of a table: then only version 2 of the format can be used.
  bool is_table() const noexcept { return table_; }
  int key_version() const noexcept { return key_version_; }
  /// The secret with that number, or null. One that is no table has the same for every number.
  const std::string* find(int key_version) const noexcept;

 private:
  std::vector<std::pair<int, std::string>> secrets_;  // few: looked through
  int key_version_ = 0;
  bool table_ = false;
};

/// Why a signed value is not accepted.
enum class SignedValueError : std::uint8_t {
  kMalformed,     ///< no signed value, or cut
  kVersion,       ///< signed in a format that is unknown, or older than `min_version`
  kKeyVersion,    ///< signed with a key that is not in the table
  kBadSignature,  ///< changed, or signed by somebody else
  kWrongName,     ///< signed for another name
  kExpired,       ///< older than `max_age_days`
  kInFuture,      ///< dated later than now
};

/// "it has expired" and the like, for the log.
std::string_view to_string(SignedValueError error) noexcept;

/// What `decode_signed_value` accepts.
struct SignedValueRules {
  double max_age_days = 31;
  int min_version = kDefaultSignedValueMinVersion;
  /// How far the clock of who has signed may be ahead of ours.
  std::int64_t max_ahead_seconds = 300;
  /// Seconds since 1970. None: the time it is.
  std::optional<std::time_t> now = {};
};

/// `value` signed for `name`, in the format `version`.
///
/// Params   now  Seconds since 1970. None: the time it is.
/// Throws   UsageError             There is no secret, or a table is used with version 1.
///          std::invalid_argument  The version is neither 1 nor 2.
std::string create_signed_value(const CookieSecret& secret, std::string_view name,
                                std::string_view value, int version = kDefaultSignedValueVersion,
                                std::optional<std::time_t> now = {});

/// The value that was signed for `name`.
/// Throws   UsageError             There is no secret.
///          std::invalid_argument  `min_version` is beyond 2.
/// Tornado  Differs: a date in the future is refused in version 2, too.
std::expected<std::string, SignedValueError> try_decode_signed_value(
    const CookieSecret& secret, std::string_view name, std::string_view signed_value,
    const SignedValueRules& rules = {});

/// The same, for those who need not know why.   Throws  As `try_decode_signed_value`.
std::optional<std::string> decode_signed_value(const CookieSecret& secret, std::string_view name,
                                               std::string_view signed_value,
                                               const SignedValueRules& rules = {});

/// The key version that the value names. It is not verified: anybody can write one. None for
/// version 1 and for what is no signed value.
std::optional<int> get_signature_key_version(std::string_view signed_value) noexcept;

/// How `set_signed_cookie` sets a cookie.
struct SignedCookieOptions {
  /// Of the cookie, not of the signature. None: when the browser closes. An expiry in `cookie` wins.
  std::optional<double> expires_days = 30;
  CookieOptions cookie = {};
  int version = kDefaultSignedValueVersion;
};

}  // namespace coronado::web
