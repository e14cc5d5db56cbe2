/// Finds sessions, and keeps them: in a cookie, or in a store behind one.
#pragma once

#include <coronado/http/header_block.hpp>
#include <coronado/web/exchange.hpp>
#include <coronado/web/session.hpp>

#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace coronado::web::detail {

/// What the middleware of one application knows of its sessions.
class SessionManager {
 public:
  /// Throws  UsageError  There is no secret, or a timeout is not positive.
  SessionManager(CookieSecret secret, SessionOptions options);
  /// Throws  UsageError  There is no store, or a timeout is not positive.
  SessionManager(std::shared_ptr<SessionStore> store, SessionOptions options);

  /// The session of a request, not yet loaded.
  std::shared_ptr<Session> begin(WebExchange& exchange) const;

  /// Loads a session, unless the store has to be asked: then it returns false.
  bool load_now(Session& session) const;
  /// Throws  What the store throws.   Cancel  Passed on to the store.
  Task<> load_from_store(Session& session) const;

  bool must_save(const Session& session) const noexcept {
    return session.changed_ || session.refresh_;
  }
  /// Keeps what was changed; the head of the response gets its cookie from `edit_head`.
  /// Throws  std::length_error  It is too large.
  ///         What the store throws.
  /// Cancel  Passed on to the store.
  Task<> save(Session& session) const;

  /// Puts the cookie into the head of a response. A session that is not saved yet is saved when it
  /// goes into the cookie itself.
  /// Throws  std::length_error  It is too large.
  ///         std::logic_error   It was changed, and goes into a store.
  void edit_head(Session& session, int status, HeaderBlock& fields) const;

 private:
  std::time_t now() const noexcept;
  std::optional<std::string> read_cookie(std::string_view text, std::string& why) const;
  std::string write_cookie(std::string_view text) const;
  bool accept(Session& session, std::time_t created, std::time_t seen, Json values,
              std::string& why) const;
  void load_from_cookie(Session& session, std::string_view text, std::string& why) const;
  void log_refusal(const Session& session, const std::string& why) const;
  void save_in_cookie(Session& session) const;
  Task<> save_in_store(Session& session) const;
  void end(Session& session) const;
  void set_cookie(Session& session, std::string_view value) const;

  CookieSecret secret_;
  std::shared_ptr<SessionStore> store_;
  SessionOptions options_;
};

}  // namespace coronado::web::detail
