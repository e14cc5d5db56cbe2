/// JSON Web Tokens: claims that somebody has signed.
///
///     JWTAlgorithm   how they are signed
///     JWTKey         what signs or verifies, bound to the algorithms of its type
///     JWKSet         several keys, as a provider publishes them
///     JWTRules       what a token must say to be accepted
///     jwt_encode, jwt_decode
///     JWTError       why a token is not accepted
///     (a set that is fetched and kept is in <coronado/web/auth/jwks_cache.hpp>)
///
///     const auto key = web::JWTKey::from_secret(secret);
///     std::string token = web::jwt_encode({{"sub", "7"}, {"exp", now + 3600}}, key,
///                                         web::JWTAlgorithm::kHS256);
///     Json claims = web::jwt_decode(token, key, {.algorithms = {web::JWTAlgorithm::kHS256}});
///
/// The algorithm is never chosen by the token alone: it must be one of the rules' and one of the
/// key's type, so that a public key is not taken for an HMAC secret. "none" does not exist.
///
/// Threads  All may be called from any thread; a key is a value that copies share.
/// Layer: web.   Spec  RFC 7515, 7517, 7518, 7519, 8037, 8725.
#pragma once

#include <coronado/base/error.hpp>
#include <coronado/base/json.hpp>

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace coronado::web {

enum class JWTAlgorithm : std::uint8_t {
  kHS256,  ///< HMAC, for who verifies may sign, too
  kHS384,
  kHS512,
  kRS256,  ///< RSA, PKCS #1
  kRS384,
  kRS512,
  kPS256,  ///< RSA, PSS
  kPS384,
  kPS512,
  kES256,  ///< ECDSA over P-256
  kES384,  ///< over P-384
  kES512,  ///< over P-521
  kEdDSA,  ///< Ed25519
};

/// "HS256".
std::string_view to_string(JWTAlgorithm algorithm) noexcept;
/// Nothing for "none" and what is unknown.
std::optional<JWTAlgorithm> parse_jwt_algorithm(std::string_view name) noexcept;

/// Why a token, or a key, is not accepted. Uncaught in a handler it is a 401, and the log has the
/// reason.
class JWTError : public HTTPError {
 public:
  enum class Reason : std::uint8_t {
    kMalformed,     ///< no token: three parts of base64, two of them JSON objects
    kAlgorithm,     ///< the algorithm is not allowed, or "none", or not the key's
    kUnknownKey,    ///< no key has the token's `kid`
    kBadSignature,  ///< changed, or signed by somebody else
    kExpired,       ///< `exp` has passed
    kNotYet,        ///< `nbf` or `iat` is in the future
    kIssuer,        ///< `iss` is another one
    kAudience,      ///< `aud` does not name us
    kClaim,         ///< a claim is missing or has another type
    kBadKey,        ///< a key cannot be read
  };
  JWTError(Reason reason, const std::string& message) : HTTPError(401, message), why_(reason) {}
  Reason why() const noexcept { return why_; }

 private:
  Reason why_;
};

/// A key with its type. It may have an id, the `kid` of the tokens that it signs.
class JWTKey {
 public:
  enum class Type : std::uint8_t { kSecret, kRSA, kP256, kP384, kP521, kEd25519 };

  /// For HS256, HS384 and HS512.
  /// Throws  JWTError(kBadKey)  It has less than 32 bytes.   Spec  RFC 7518 3.2.
  static JWTKey from_secret(std::string secret, std::string id = {});

  /// A private or public key, or a certificate, in PEM without a password.
  /// Throws  JWTError(kBadKey)  It is none, of another type, or RSA with less than 2,048 bits.
  static JWTKey from_pem(std::string_view pem, std::string id = {});

  /// A JWK: `oct`, or the public part of `RSA`, `EC`, `OKP`; what a private one has beyond is not read.
  /// Throws  JWTError(kBadKey)  As `from_pem`.
  static JWTKey from_jwk(const Json& jwk);

  Type type() const noexcept;
  const std::string& id() const noexcept;
  /// False: it verifies only.
  bool can_sign() const noexcept;
  bool fits(JWTAlgorithm algorithm) const noexcept;

  /// The public part, to be published; `kid`, `use` and `kty` included.
  /// Throws  std::logic_error  A secret has none.
  Json public_jwk() const;

  /// The signature of `message`, in the form JOSE has.
  /// Throws  JWTError(kAlgorithm)  The key is of another type.
  ///         std::logic_error      It has no private part.
  std::string sign(JWTAlgorithm algorithm, std::string_view message) const;
  /// Throws  JWTError(kAlgorithm)  The key is of another type.
  bool verify(JWTAlgorithm algorithm, std::string_view message, std::string_view signature) const;

 private:
  struct State;
  explicit JWTKey(std::shared_ptr<const State> state) noexcept : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

/// Keys as a provider publishes them.
class JWKSet {
 public:
  JWKSet() = default;
  /// Reads {"keys": [...]}. Keys that cannot be used are left out: they are for encryption, of an
  /// unknown type, or too short. So are secrets, which nobody publishes.
  /// Throws  JWTError(kBadKey)  It has another shape.
  static JWKSet from_json(const Json& json);

  void add(JWTKey key) { keys_.push_back(std::move(key)); }
  const std::vector<JWTKey>& keys() const noexcept { return keys_; }

  /// The key with that id; without an id the only one that fits the algorithm. Null: there is none.
  const JWTKey* find(std::optional<std::string_view> id, JWTAlgorithm algorithm) const noexcept;

  /// {"keys": [...]} of the public parts, to be served at /.well-known/jwks.json.
  Json public_json() const;

 private:
  std::vector<JWTKey> keys_;
};

/// What a token must say to be accepted.
struct JWTRules {
  /// Those that may have signed it. None: nothing is accepted.
  std::vector<JWTAlgorithm> algorithms = {};
  /// The `iss` it must have. Empty: any.
  std::string issuer = {};
  /// The `aud` that must name us. Empty: then a token that is for somebody is refused.
  std::string audience = {};
  /// Whether it must expire.
  bool require_exp = true;
  /// How far clocks may differ, in seconds.
  std::int64_t leeway_seconds = 60;
  /// The time, in seconds since 1970. None: the time it is.
  std::optional<std::time_t> now = {};
  /// The header's `typ`, such as "at+jwt". Empty: any.
  std::string type = {};
};

/// Longest token that is looked at, in bytes.
inline constexpr std::size_t kMaxJWTSize = 64 * 1024;

/// Signs `claims`, an object. The header has `alg`, `typ`, the key's `kid` and what `header` has.
/// Throws  JWTError(kAlgorithm)   The key is of another type.
///         std::logic_error       It has no private part.
///         std::invalid_argument  `claims` is no object.
std::string jwt_encode(const Json& claims, const JWTKey& key, JWTAlgorithm algorithm,
                       const Json& header = Json::object());

/// The claims of a token that is signed by `key`, and as `rules` say.
/// Throws  JWTError  It is not; the message is for the log, not for the client.
Json jwt_decode(std::string_view token, const JWTKey& key, const JWTRules& rules);
/// The same with the key that the token's `kid` names.
Json jwt_decode(std::string_view token, const JWKSet& keys, const JWTRules& rules);

/// The header of a token, which nobody has verified.
/// Throws  JWTError(kMalformed)  It is no token.
Json jwt_unverified_header(std::string_view token);

}  // namespace coronado::web
