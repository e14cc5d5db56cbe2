#include <coronado/web/auth/jwks_cache.hpp>

#include <coronado/base/log.hpp>
#include <coronado/coro/executor.hpp>
#include <coronado/http/httpclient.hpp>
#include <coronado/web/auth/auth_error.hpp>

#include <optional>
#include <utility>

namespace coronado::web {
namespace {

TimePoint loop_time() { return Executor::current()->now(); }

/// The claims; nothing when no key has the token's id.
std::optional<Json> try_decode(const std::string& token, const JWKSet& keys,
                               const JWTRules& rules) {
  try {
    return jwt_decode(token, keys, rules);
  } catch (const JWTError& error) {
    if (error.why() != JWTError::Reason::kUnknownKey) throw;
    return std::nullopt;
  }
}

}  // namespace

JWKSCache::JWKSCache(HTTPClient& client, std::string url, JWKSCacheOptions options)
    : client_(client), url_(std::move(url)), options_(options) {}

Task<Json> JWKSCache::decode(std::string token, JWTRules rules) {
  if (!has_keys_ || loop_time() - fetched_ >= options_.max_age) co_await refresh();
  if (!has_keys_) {
    throw AuthError(AuthError::Reason::kProvider, "no keys from " + url_ + ": " + failure_);
  }
  std::optional<Json> claims = try_decode(token, keys_, rules);
  if (!claims) {
    co_await refresh();
    claims = jwt_decode(token, keys_, rules);
  }
  co_return std::move(*claims);
}

/// Fetches the keys, unless that was tried a moment ago; whoever comes meanwhile waits.
Task<> JWKSCache::refresh() {
  const LockGuard guard = co_await fetching_.acquire();
  if (has_tried_ && loop_time() - tried_ < options_.min_interval) co_return;
  co_await fetch();
}

Task<> JWKSCache::fetch() {
  try {
    const HTTPClientResponse response =
        co_await client_.fetch({.url = url_, .request_timeout = options_.request_timeout});
    JWKSet keys = JWKSet::from_json(json_decode(response.body));
    keys_ = std::move(keys);
    fetched_ = loop_time();
    has_keys_ = true;
    failure_.clear();
  } catch (const std::exception& error) {
    failure_ = error.what();
    general_log().warning("the keys of " + url_ + " cannot be fetched: " + failure_);
    if (has_keys_ && loop_time() - fetched_ >= options_.max_stale) has_keys_ = false;
  }
  tried_ = loop_time();
  has_tried_ = true;
}

}  // namespace coronado::web
