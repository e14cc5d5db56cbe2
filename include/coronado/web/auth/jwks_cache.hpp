/// `JWKSCache`: the keys a provider publishes, fetched when they are needed, and kept.
///
/// Layer: web.   Spec  RFC 7517 5.
#pragma once

#include <coronado/base/clock.hpp>
#include <coronado/coro/locks.hpp>
#include <coronado/coro/task.hpp>
#include <coronado/web/auth/jwt.hpp>

#include <memory>
#include <string>

namespace coronado {
class HTTPClient;
}  // namespace coronado

namespace coronado::web {

/// How long keys are kept.
struct JWKSCacheOptions {
  /// They are fetched again when they are older.
  Duration max_age = std::chrono::hours(1);
  /// When they cannot be fetched, they are used for so long.
  Duration max_stale = std::chrono::hours(24);
  /// Least time between two fetches, whatever tokens come: a token with an unknown `kid` makes us look
  /// whether the provider has new keys, and anybody can write one.
  Duration min_interval = std::chrono::seconds(30);
  Duration request_timeout = std::chrono::seconds(10);
};

/// Keys from a URL. Many tokens at a time wait for one fetch.
///
///     web::JWKSCache keys(client, "https://issuer.example/jwks.json");
///     Json claims = co_await keys.decode(token, {.algorithms = {web::JWTAlgorithm::kRS256},
///                                                .issuer = "https://issuer.example",
///                                                .audience = "our-id"});
///
/// Threads   The loop's thread only.
/// Lifetime  The client must outlive it.
class JWKSCache {
 public:
  JWKSCache(HTTPClient& client, std::string url, JWKSCacheOptions options = {});

  /// The claims of a token; see `jwt_decode`.
  /// Throws  JWTError   The token is not accepted.
  ///         AuthError  There are no keys: they cannot be fetched.
  /// Cancel  At once; others that wait for the keys fetch them.
  Task<Json> decode(std::string token, JWTRules rules);

  /// The keys as they were fetched last.
  const JWKSet& keys() const noexcept { return keys_; }
  const std::string& url() const noexcept { return url_; }

 private:
  Task<> refresh();
  Task<> fetch();

  HTTPClient& client_;
  std::string url_;
  JWKSCacheOptions options_;
  JWKSet keys_;
  Lock fetching_;
  TimePoint fetched_{};  // when `keys_` came
  TimePoint tried_{};
  bool has_keys_ = false;
  bool has_tried_ = false;
  std::string failure_;  // of the last fetch
};

}  // namespace coronado::web
