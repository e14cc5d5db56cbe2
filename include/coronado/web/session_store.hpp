/// Where sessions are kept on the server.
///
///     SessionStore        the interface, for a database
///     StoredSession       what it keeps of a session
///     MemorySessionStore  a bounded one in this process
///
/// Layer: web.
#pragma once

#include <coronado/base/json.hpp>
#include <coronado/coro/task.hpp>

#include <chrono>
#include <cstddef>
#include <ctime>
#include <memory>
#include <optional>
#include <string>

namespace coronado::web {

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

}  // namespace coronado::web
