/// Sessions: values that belong to one browser, from one request to the next.
///
///     Session             the values of one browser
///     SessionManager      finds and keeps sessions: in a cookie, or in a store behind one
///     SessionOptions      cookie, time limits, size
///     SessionStore        where sessions are kept on the server: an interface
///     MemorySessionStore  a bounded one in this process
///     SessionHandler      a class handler with a session
///     with_session        a function handler with a session
///
///     auto sessions = std::make_shared<web::SessionManager>(web::CookieSecret(secret));
///
///     app.post("/cart", web::with_session(sessions, [](web::Session& session,
///                                                      web::Query<"item"> item) {
///       session.set("item", *item);
///       return web::redirect("/cart");
///     }));
///
/// **Where they are kept.** In an encrypted cookie (the default) nothing is kept on the server, and so
/// nothing can be taken back: a copy of the cookie is good until it expires, after `destroy` too. With
/// a store the cookie has only a random id, and `destroy` ends the session everywhere.
///
/// **Log in and log out** with `renew` and `destroy`: an id that somebody has planted in a browser
/// before the login (session fixation) is worth nothing afterwards.
///
/// Threads  A `SessionManager` and a `MemorySessionStore` may be shared by the workers of a process,
///          and must be, where there is a store: make them before the workers.
/// Layer: web.
#pragma once

#include <coronado/base/json.hpp>
#include <coronado/coro/task.hpp>
#include <coronado/web/function_handler.hpp>
#include <coronado/web/request_handler.hpp>
#include <coronado/web/response.hpp>
#include <coronado/web/signed_value.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace coronado::web {

/// The values of one browser. `SessionManager` makes and keeps them.
class Session {
 public:
  /// The value of that name; null if there is none.
  const Json* find(std::string_view name) const noexcept { return values_.find(name); }
  /// A copy of the value; `fallback` if there is none.
  Json get(std::string_view name, Json fallback = {}) const {
    const Json* value = find(name);
    return value != nullptr ? *value : std::move(fallback);
  }
  void set(std::string_view name, Json value) {
    values_[name] = std::move(value);
    changed_ = true;
  }
  /// Returns whether there was one.
  bool erase(std::string_view name);
  /// Forgets all values.
  void clear();
  const Json& values() const noexcept { return values_; }

  /// Gives the session a new id, and its time begins anew: call it when somebody logs in, or gets more
  /// rights. The old id is worth nothing from then on.
  void renew() noexcept { changed_ = renewed_ = true; }
  /// Ends the session: at log-out. Its values are gone, and the cookie is deleted.
  void destroy();

  /// True when the browser did not bring it.
  bool is_new() const noexcept { return created_ == 0; }
  /// True when it has to be saved.
  bool changed() const noexcept { return changed_; }

 private:
  friend class SessionManager;

  Json values_ = Json::object();
  std::string id_;           // that the cookie has, with a store; empty: none yet
  std::time_t created_ = 0;  // or renewed
  bool changed_ = false;
  bool renewed_ = false;
  bool destroyed_ = false;
  bool refresh_ = false;  // to be written again though nothing changed
  bool over_tls_ = false;
};

/// What a store keeps of a session.
struct StoredSession {
  Json values = Json::object();
  std::time_t created = 0;  ///< seconds since 1970
  std::time_t seen = 0;     ///< when it was saved last
};

/// Keeps sessions on the server, such as a database. The keys are hashes of the ids: who reads the
/// store cannot take over a session.
class SessionStore {
 public:
  virtual ~SessionStore() = default;

  /// The session with that key, if there is one, and it has not expired.
  /// Throws  What the store has to say: the request is answered with 500.
  /// Cancel  Ends the wait.
  virtual Task<std::optional<StoredSession>> load(std::string key) = 0;

  /// Keeps a session for `lifetime`, instead of the one with that key.
  /// Throws  As `load`.
  /// Cancel  Ends the wait; the session may have been saved.
  virtual Task<> save(std::string key, StoredSession session, std::chrono::seconds lifetime) = 0;

  /// Forgets a session, if there is one.
  /// Throws  As `load`.
  /// Cancel  Ends the wait; the session may have been removed.
  virtual Task<> remove(std::string key) = 0;
};

/// Keeps sessions in this process. Beyond `max_sessions` the one unused for the longest time goes.
/// Threads  Any: the workers of a process share one.
class MemorySessionStore final : public SessionStore {
 public:
  explicit MemorySessionStore(std::size_t max_sessions = 100'000);
  ~MemorySessionStore() override;

  Task<std::optional<StoredSession>> load(std::string key) override;
  Task<> save(std::string key, StoredSession session, std::chrono::seconds lifetime) override;
  Task<> remove(std::string key) override;

  /// Those that are kept, with some that have expired.
  std::size_t size() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
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

/// A cookie that a response sets.
struct SessionCookie {
  std::string value;
  CookieOptions options;
};

/// Finds the session of a request, and keeps it.
///
/// A cookie that is expired, changed, from another secret or unknown to the store is a new session,
/// and the log says why. An id that a client has made up is never used.
class SessionManager {
 public:
  /// Keeps sessions in cookies.
  /// Params  secret  With a table the sessions of older keys are read, and written with the new one.
  /// Throws  UsageError  There is no secret, or a timeout is not positive.
  explicit SessionManager(CookieSecret secret, SessionOptions options = {});
  /// Keeps sessions in a store.
  /// Throws  UsageError  There is no store, or a timeout is not positive.
  explicit SessionManager(std::shared_ptr<SessionStore> store, SessionOptions options = {});

  /// The session of a request, or a new one.
  /// Throws   What the store throws.
  /// Cancel   Passed on to the store.
  /// Lifetime `request` must live until the task ends.
  Task<Session> load(const HTTPServerRequest& request) const;

  /// Keeps what was changed, and sets or deletes the cookie. Call it before the response is sent.
  /// Throws   std::length_error  The session is too large.
  ///          What the store throws.
  /// Cancel   Passed on to the store.
  /// Lifetime Both must live until the task ends.
  Task<> save(Session& session, RequestHandler& handler) const;
  /// The same for the response of a function handler.   Throws  As above.   Cancel  As above.
  Task<> save(Session& session, Response& response) const;
  /// The same; returns the cookie, if one is to be set.   Throws  As above.   Cancel  As above.
  Task<std::optional<SessionCookie>> save(Session& session) const;

  const SessionOptions& options() const noexcept { return options_; }

 private:
  std::time_t now() const noexcept;
  std::optional<std::string> read_cookie(std::string_view text, std::string& why) const;
  std::string write_cookie(std::string_view text) const;
  bool accept(Session& session, std::time_t created, std::time_t seen, Json values,
              std::string& why) const;
  void load_from_cookie(Session& session, std::string_view text, std::string& why) const;
  SessionCookie cookie(std::string value, const Session& session) const;
  Task<> save_in_store(Session& session) const;

  CookieSecret secret_;
  std::shared_ptr<SessionStore> store_;
  SessionOptions options_;
};

/// A class handler with a session. It is loaded in `prepare`, and saved when the verb has ended,
/// before the response is sent; not when the response is a server error (500 to 599).
///
///     struct Login : web::SessionHandler {
///       using SessionHandler::SessionHandler;
///       Task<> post() override {
///         session().renew();
///         session().set("user", get_argument("name"));
///         redirect("/");
///         co_return;
///       }
///     };
///     app.add<Login>("/login", sessions);
///
/// A verb that calls `flush` calls `save_session` before.
class SessionHandler : public RequestHandler {
 public:
  explicit SessionHandler(std::shared_ptr<const SessionManager> sessions);

  /// Throws  std::logic_error  Before `prepare` has run: call it from an override.
  Session& session();

  /// Loads the session. An override awaits it first.
  /// Throws  What the store throws.
  /// Cancel  Passed on to the store.
  Task<> prepare() override;

  /// Saves the session now.   Throws  See `SessionManager::save`.   Cancel  Passed on to the store.
  Task<> save_session();

 protected:
  Task<> before_send() override;

 private:
  std::shared_ptr<const SessionManager> sessions_;
  std::optional<Session> session_;
};

namespace detail {

template <class F, class Arguments>
class SessionFunction;

template <class F, class... Args>
class SessionFunction<F, std::tuple<Session&, Args...>> {
  using Result = typename Signature<F>::Result;
  static constexpr bool kIsTask = AwaitedResult<Result>::kIsTask;
  static_assert(std::is_same_v<typename AwaitedResult<Result>::type, Response>,
                "a function with a session returns a web::Response, or a Task of one");
  static_assert((!std::is_reference_v<Args> && ...),
                "a function with a session takes its other arguments by value");

 public:
  SessionFunction(std::shared_ptr<const SessionManager> sessions, F function)
      : sessions_(std::move(sessions)), function_(std::make_shared<F>(std::move(function))) {}

  Task<Response> operator()(const HTTPServerRequest& request, Args... arguments) const {
    return run(sessions_, function_, request, std::move(arguments)...);
  }

 private:
  static Task<Response> run(std::shared_ptr<const SessionManager> sessions,
                            std::shared_ptr<F> function, const HTTPServerRequest& request,
                            Args... arguments) {
    Session session = co_await sessions->load(request);
    std::optional<Response> response;
    if constexpr (kIsTask) {
      Task<Response> task = (*function)(session, std::move(arguments)...);
      response = co_await std::move(task);
    } else {
      response = (*function)(session, std::move(arguments)...);
    }
    if (response->status() < 500) co_await sessions->save(session, *response);
    co_return std::move(*response);
  }

  std::shared_ptr<const SessionManager> sessions_;
  std::shared_ptr<F> function_;
};

}  // namespace detail

/// Makes a handler of a function that is given the session: `Response(Session&, ...)`, or a coroutine.
/// What else it takes, by value, is extracted from the request, as for every function handler. The
/// session is saved when it has returned.
template <class F>
auto with_session(std::shared_ptr<const SessionManager> sessions, F function) {
  using Arguments = typename detail::Signature<F>::Arguments;
  return detail::SessionFunction<F, Arguments>(std::move(sessions), std::move(function));
}

}  // namespace coronado::web
