/// `ClientPool`: how many requests a client has at a time, and the connections it keeps.
///
/// Layer: http.
#pragma once

#include <coronado/coro/locks.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "http/client_connection.hpp"

namespace coronado {

/// Places for requests, in all and for each host, and idle connections by host. A "host" is all that
/// must be the same for a connection to be used again, as one text.
class ClientPool final : private Timer {
 public:
  struct Limits {
    std::size_t max_clients = 0;  ///< zero: none
    std::size_t max_per_host = 0;
    std::size_t max_idle = 0;
    Duration idle_timeout{};
  };

  explicit ClientPool(Limits limits) noexcept : limits_(limits) {}
  ~ClientPool();

  class Place;
  class Turn;
  /// A place, if one is there and nobody is in line for it; an empty one otherwise.
  Place try_enter(std::string_view host);
  /// Waits for a place: first come, first served, but that nobody waits for a host that is full
  /// behind others.
  /// Returns  A `Place`.
  /// Lifetime `host` must stay until the await has ended.
  /// Throws   ClosedError  The pool is closed.
  /// Cancel   At once; a place that was handed over goes to the next in line.
  Turn enter(std::string_view host);

  /// The connection to the host of `place` that was used last; null: none is kept.
  std::unique_ptr<ClientConnection> take_idle(const Place& place) noexcept;
  /// Keeps a connection for the next request.
  /// Params  now  The present time.
  void keep(const Place& place, std::unique_ptr<ClientConnection> connection, TimePoint now);

  /// Closes what is kept; who is in line gets `ClosedError`.
  void close() noexcept;
  bool closed() const noexcept { return closed_; }

  std::size_t busy() const noexcept { return busy_; }
  std::size_t idle() const noexcept { return idle_; }
  std::size_t waiting() const noexcept;

 private:
  struct Idle {
    std::unique_ptr<ClientConnection> connection;
    TimePoint since;
  };
  struct Host final : ClientConnection::Keeper {
    Host(ClientPool& owner, std::string_view called) : pool(owner), name(called) {}
    void on_end(ClientConnection& connection) noexcept override {
      pool.on_connection_end(*this, connection);
    }

    ClientPool& pool;
    std::string name;
    std::size_t busy = 0;
    std::vector<Idle> idle;  // the one used last at the end
    IntrusiveList<detail::LineWaiter> line;
  };

  Host& host_named(std::string_view name);
  bool is_free(const Host& host) const noexcept;
  bool has_room(const Host& host) const noexcept;
  void leave(Host& host) noexcept;
  void serve() noexcept;
  void drop_if_unused(Host& host) noexcept;
  void drop_oldest() noexcept;
  void on_connection_end(Host& host, ClientConnection& connection) noexcept;
  void on_timer() noexcept override;
  /// Connections cannot outlive their loop; it is armed while there are any.
  void on_loop_closed() noexcept override {
    close();
    executor_ = nullptr;
  }

  Limits limits_;
  Executor* executor_ = nullptr;
  std::unordered_map<std::string, std::unique_ptr<Host>> hosts_;
  std::vector<Host*> waited_for_;  // those with a line
  Host* last_ = nullptr;           // the one that was asked for last
  std::size_t busy_ = 0;
  std::size_t idle_ = 0;
  std::uint64_t arrivals_ = 0;
  bool closed_ = false;
};

/// The right to have a request going on; given back when destroyed.
class [[nodiscard]] ClientPool::Place {
 public:
  Place() noexcept = default;
  Place(ClientPool& pool, Host& host) noexcept : pool_(&pool), host_(&host) {}
  Place(Place&& other) noexcept : pool_(std::exchange(other.pool_, nullptr)), host_(other.host_) {}
  Place& operator=(Place&& other) noexcept {
    Place old(std::move(*this));
    pool_ = std::exchange(other.pool_, nullptr);
    host_ = other.host_;
    return *this;
  }
  ~Place() { release(); }
  void release() noexcept {
    if (pool_ != nullptr) std::exchange(pool_, nullptr)->leave(*host_);
  }
  explicit operator bool() const noexcept { return pool_ != nullptr; }

 private:
  friend class ClientPool;
  ClientPool* pool_ = nullptr;
  Host* host_ = nullptr;
};

class ClientPool::Turn final : public detail::LineWaiter {
 public:
  Turn(ClientPool& pool, std::string_view host) noexcept : pool_(pool), name_(host) {}
  Turn(Turn&& other) noexcept : Turn(other.pool_, other.name_) {}
  ~Turn();
  bool await_ready();
  template <class P>
  bool await_suspend(std::coroutine_handle<P> handle) {
    return begin(handle.promise());
  }
  Place await_resume();
  void cancel() noexcept override;
  const char* what() const noexcept override { return "waiting for a place of the HTTP client"; }

 private:
  friend class ClientPool;
  bool begin(PromiseBase& promise);

  ClientPool& pool_;
  std::string_view name_;
  Host* host_ = nullptr;
  std::uint64_t number_ = 0;  // of its arrival
  bool served_ = false;       // a place was taken, and nobody holds it yet
};

}  // namespace coronado
