/// The middleware that most programs need.
///
///     request_id       a name for each request: in the response, the logs, a task-local
///     rate_limit       so many requests in a span for each client, then 429
///     time_limit       cancels a handler that takes too long: 503
///     body_limit       refuses longer bodies: 413
///     basic_auth       a user name and password, checked by a function of yours
///     bearer_auth      a token, checked by a function of yours
///     cache_control    the field of that name, on what is answered with success
///     add_slash, remove_slash   sends those who ask for "/x" to "/x/", or the other way round
///     compression      compresses the responses of some routes, or of none
///     (cors is in <coronado/web/cors.hpp>)
///
///     app.use(web::request_id())
///         .use("/api", web::cors({.origins = {"https://app.example.com"}}))
///         .use("/api", web::rate_limit({.tokens = 100, .span = 1s}));
///
/// An access log of a form of your own is `Application::set_log_function`.
///
/// Layer: web.
#pragma once

#include <coronado/base/clock.hpp>
#include <coronado/http/content_coding.hpp>
#include <coronado/http/server_request.hpp>
#include <coronado/web/exchange.hpp>
#include <coronado/web/middleware.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace coronado::web {

// --- request_id --------------------------------------------------------------------------------

struct RequestIDOptions {
  std::string header = "X-Request-ID";
  /// Takes over the identifier that the request brings, if it is 1 to 128 letters, digits, and
  /// "-_.:/+=@": for servers behind a proxy of one's own, which sets it.
  bool trust_incoming = false;
};

/// The identifier of a request, as an extension: `web::Extension<web::RequestID>`.
struct RequestID {
  std::string value;
};

/// Gives each request an identifier (32 hexadecimal digits): in a field of the response, in its line
/// of the access log, in front of every line that its task logs, and in `current_request_id`.
/// Throws  std::invalid_argument  From requests, when `header` is no field name.
Middleware request_id(RequestIDOptions options = {});

/// The identifier of the request that the running task works for, also in tasks it has spawned;
/// empty outside of requests.
std::string current_request_id();

// --- limits ------------------------------------------------------------------------------------

struct RateLimitOptions {
  /// How many requests a client has in each span; see `RateLimiter`.
  std::uint64_t tokens = 100;
  Duration span = std::chrono::seconds(1);
  /// Most that gather; 0: as many as `tokens`.
  std::uint64_t burst = 0;
  /// Who counts as one client. Null: the address (of IPv6 the first 64 bits, which belong to one
  /// network).
  std::string (*client)(const WebExchange& exchange) = nullptr;
  /// Clients remembered; beyond, the one that was quiet longest is forgotten.
  std::size_t max_clients = 10'000;
};

/// Answers 429 with `Retry-After` to a client that asks more often. Its copies, and so the routes it
/// is used for, count together; each worker counts its own.
/// Throws  UsageError  A number is out of its range.
/// Spec    RFC 6585 4.
Middleware rate_limit(RateLimitOptions options);

/// Cancels what is further in when it takes longer than `limit`, and answers 503; a response that has
/// begun is cut. The handler's cleanup runs to its end first.
/// Throws  UsageError  `limit` is not more than zero.
Middleware time_limit(Duration limit);

/// Answers 413 to a request whose body is longer than `bytes`, or says so in its Content-Length. The
/// server's own limit holds before; what a route streams is cut by `RouteOptions`.
Middleware body_limit(std::uint64_t bytes);

// --- who asks ----------------------------------------------------------------------------------

namespace detail {
std::optional<std::pair<std::string, std::string>> basic_credentials(
    const HTTPServerRequest& request);
std::optional<std::string> bearer_token(const HTTPServerRequest& request);
/// Answers 401 and says what is asked for.
void challenge(WebExchange& exchange, const std::string& with);
/// `scheme realm="..."`.   Throws  UsageError  The realm has control characters.
std::string challenge_text(std::string_view scheme, std::string_view realm);
}  // namespace detail

/// Lets in who sends a user name and password that `check` accepts; others are asked for them (401).
///
///     app.use("/admin", web::basic_auth("admin", [](std::string user, std::string password)
///                                                    -> Task<std::optional<User>> { ... }));
///
/// Params  check  Takes both as std::string by value; returns a Task of an std::optional. Its value
///                becomes an extension of the request, `web::Extension<User>`.
/// Throws  UsageError  The realm has control characters.
/// Spec    RFC 7617, in UTF-8.
template <class F>
Middleware basic_auth(std::string_view realm, F check) {
  return [challenge = detail::challenge_text("Basic", realm) + ", charset=\"UTF-8\"",
          check = std::move(check)](WebExchange& exchange, Next next) mutable -> Task<> {
    auto sent = detail::basic_credentials(exchange.request());
    if (!sent) co_return detail::challenge(exchange, challenge);
    auto user = co_await check(std::move(sent->first), std::move(sent->second));
    if (!user) co_return detail::challenge(exchange, challenge);
    exchange.set_extension(*std::move(user));
    co_await next(exchange);
  };
}

/// Lets in who sends a bearer token that `check` accepts; others get 401.
/// Params  check  Takes the token as std::string by value; as for `basic_auth`.
/// Throws  UsageError  The realm has control characters.
/// Spec    RFC 6750: the token comes in `Authorization`, never in the URL.
template <class F>
Middleware bearer_auth(std::string_view realm, F check) {
  return [challenge = detail::challenge_text("Bearer", realm), check = std::move(check)](
             WebExchange& exchange, Next next) mutable -> Task<> {
    std::optional<std::string> token = detail::bearer_token(exchange.request());
    if (!token) co_return detail::challenge(exchange, challenge);
    auto user = co_await check(*std::move(token));
    if (!user) co_return detail::challenge(exchange, challenge + ", error=\"invalid_token\"");
    exchange.set_extension(*std::move(user));
    co_await next(exchange);
  };
}

// --- paths -------------------------------------------------------------------------------------

/// Redirects GET and HEAD of a path without a slash at its end to the one with it (301, the query
/// stays); anything else gets 404. For the routes whose pattern takes both.
/// Tornado  `web.addslash`.
Middleware add_slash();

/// The same the other way round; "/" itself stays.   Tornado  `web.removeslash`.
Middleware remove_slash();

// --- responses ---------------------------------------------------------------------------------

/// Sets `Cache-Control` on answers with a status below 400 to GET and HEAD that have none.
/// Throws  UsageError  `value` has control characters.
Middleware cache_control(std::string value);

/// Compresses responses as `HTTPServerOptions::compression` would, for the routes it is put around.
/// Throws  std::invalid_argument  A level is out of its range.
Middleware compression(ResponseCompression options = {});

/// Leaves responses as they are, though the server compresses: where a page shows a secret beside
/// text that an attacker can choose, its length would tell the secret.   Spec  The BREACH attack.
Middleware no_compression();

}  // namespace coronado::web
