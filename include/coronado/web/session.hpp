/// Sessions: values that belong to one browser, from one request to the next.
///
///     sessions            the middleware: in a cookie, or in a store behind one
///     SessionOptions      cookie, time limits, size
///     Session             the values of one browser
///     (where they are kept on the server: <coronado/web/session_store.hpp>)
///
///     app.use(web::sessions(web::CookieSecret(secret)));
///
///     app.post("/cart", [](web::Session& session, web::Query<"item"> item) {
///       session.set("item", *item);
///       return web::redirect("/cart");
///     });
///
///     struct Page : web::RequestHandler {
///       Task<> prepare() override { return load_session(); }
///       Task<> get() override { write(session().get("item", "nothing").as_string()); co_return; }
///     };
///
/// **When.** A session is loaded for the handlers that ask for it, and for no others: for functions
/// with a parameter `Session&`, and for classes that await `load_session`. When the handler has ended
/// it is saved if it was changed, and the response leaves after that, also one that was finished
/// before. A response with a status of 500 or more saves nothing. One that is sent in pieces leaves at
/// once: change the session before the first piece, and with a store `co_await session.save()`. A
/// change that comes too late is a `std::logic_error`.
///
/// **Where they are kept.** In an encrypted cookie nothing is kept on the server, and so nothing can
/// be taken back: a copy of the cookie is good until it expires, after `destroy` too. With a store
/// the cookie has only a random id, and `destroy` ends the session everywhere.
///
/// **Log in and log out** with `renew` and `destroy`: an id that somebody has planted in a browser
/// before the login (session fixation) is worth nothing afterwards.
///
/// A cookie that is expired, changed, from another secret or unknown to the store is a new session,
/// and the log says why. An id that a client has made up is never used.
///
/// Threads  The workers of a process share a store, which is made before them; each has its own
///          middleware.
/// Layer: web.
#pragma once

#include <coronado/base/json.hpp>
#include <coronado/coro/task.hpp>
#include <coronado/web/middleware.hpp>
#include <coronado/web/session_store.hpp>
#include <coronado/web/signed_value.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace coronado::web {

class WebExchange;
namespace detail {
class SessionManager;
}  // namespace detail

/// The values of one browser: of the request that it is made for, and as long.
class Session {
 public:
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // What looks at the values loads a session that is kept in a cookie, or is new, by itself.

  /// The value of that name; null if there is none.
  /// Throws  std::logic_error  It is in a store, and has not been loaded.
  const Json* find(std::string_view name) { return values().find(name); }
  /// A copy of the value; `fallback` if there is none.   Throws  As `find`.
  Json get(std::string_view name, Json fallback = {}) {
    const Json* value = find(name);
    return value != nullptr ? *value : std::move(fallback);
  }
  /// Throws  std::logic_error  The head of the response has left. As `find`.
  void set(std::string_view name, Json value);
  /// Returns whether there was one.   Throws  As `set`.
  bool erase(std::string_view name);
  /// Forgets all values.   Throws  As `set`.
  void clear();
  /// Throws  As `find`.
  const Json& values() {
    if (!loaded_) load_now();
    return values_;
  }

  /// Gives the session a new id, and its time begins anew: call it when somebody logs in, or gets more
  /// rights. The old id is worth nothing from then on.   Throws  As `set`.
  void renew();
  /// Ends the session: at log-out. Its values are gone, and the cookie is deleted. What is set after
  /// that is in a new session.   Throws  As `set`.
  void destroy();

  /// True when the browser did not bring it.   Throws  As `find`.
  bool is_new() {
    if (!loaded_) load_now();
    return created_ == 0;
  }
  /// True when it has to be saved.
  bool changed() const noexcept { return changed_; }

  /// Loads the values, if they are not yet; for middleware of your own, and handlers of other kinds.
  ///
  ///     web::Session& session = web::Session::from_exchange(exchange);
  ///     co_await session.load();
  ///
  /// Throws  What the store throws.
  /// Cancel  Passed on to the store.
  Task<> load();

  /// Saves what was changed now, ahead of a response that is sent in pieces.
  /// Throws  std::length_error  The session is too large.
  ///         std::logic_error   The head of the response has left.
  ///         What the store throws.
  /// Cancel  Passed on to the store.
  Task<> save();

  /// The session of a request.
  /// Throws    std::logic_error  The middleware `sessions` is not around this route.
  /// Lifetime  The request's.
  static Session& from_exchange(WebExchange& exchange);

  // For functions with a parameter `Session&`.
  static constexpr bool kLivesWithRequest = true;
  /// `load` of the session of `exchange`.   Throws  As both.   Cancel  Passed on to the store.
  static Task<> prepare(WebExchange& exchange);

 private:
  friend class detail::SessionManager;
  Session(const detail::SessionManager& manager, WebExchange& exchange) noexcept
      : manager_(&manager), exchange_(&exchange) {}
  void load_now();
  void change();

  const detail::SessionManager* manager_;
  WebExchange* exchange_;
  Json values_;
  std::string id_;                         // that the cookie has, with a store; empty: none yet
  std::optional<std::string> set_cookie_;  // what the response says
  std::time_t created_ = 0;                // or renewed
  bool loaded_ = false;
  bool changed_ = false;
  bool renewed_ = false;
  bool destroyed_ = false;
  bool refresh_ = false;  // to be written again though nothing changed
};

/// How a session without a store is written into its cookie.
enum class SessionFormat : std::uint8_t {
  kEncrypted,  ///< AES-256-GCM: the client can neither read nor change it
  kSigned,     ///< the client can read it
};

/// How sessions behave.
struct SessionOptions {
  /// Over TLS "__Host-session" is better: no other host, such as a subdomain, can set it.
  std::string cookie_name = "session";
  /// Its attributes but for the expiry. `secure` is added when the request came over TLS.
  CookieOptions cookie = {.http_only = true, .same_site = SameSite::kLax};
  /// A session that is not used for so long has ended.
  std::chrono::seconds idle_timeout = std::chrono::hours(2);
  /// A session ends so long after it began, or was renewed, whatever happens.
  std::chrono::seconds absolute_timeout = std::chrono::hours(24);
  /// Whether the browser keeps it when it is closed.
  bool persistent = false;
  /// Without a store.
  SessionFormat format = SessionFormat::kEncrypted;
  /// Most bytes of a session's values as JSON, with a store. A cookie has at most 4,096 bytes.
  std::size_t max_size = 64 * 1024;
  /// The time, in seconds since 1970; for tests.
  std::time_t (*now)() = nullptr;
};

/// Gives each request its session, kept in a cookie.
/// Params  secret  With a table the sessions of older keys are read, and written with the new one.
/// Throws  UsageError  There is no secret, or a timeout is not positive.
Middleware sessions(CookieSecret secret, SessionOptions options = {});

/// Gives each request its session, kept in a store.
/// Throws  UsageError  There is no store, or a timeout is not positive.
Middleware sessions(std::shared_ptr<SessionStore> store, SessionOptions options = {});

}  // namespace coronado::web
