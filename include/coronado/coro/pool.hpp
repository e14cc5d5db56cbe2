/// `Pool<T>`: resources that are costly to make, such as connections, lent to one task at a time.
///
///     Pool<T>       makes, keeps, checks, lends and retires them
///     Lease<T>      what is lent; gives it back
///     PoolOptions   how many, for how long
///     PoolStats     what has become of them
///
///     Pool<Connection> pool(connect, {.max_size = 20, .check = ping});
///     Lease<Connection> connection = co_await with_timeout(2s, pool.acquire());
///     co_await connection->execute("...");
///
/// Threads  The loop's thread only.
/// Layer: coro.
#pragma once

#include <coronado/coro/locks.hpp>
#include <coronado/coro/task.hpp>

#include <cstdint>
#include <exception>
#include <memory>

namespace coronado {

template <class T>
class Lease;

/// How a pool works.
template <class T>
struct PoolOptions {
  /// Most resources at a time: lent, idle and being made. At least 1.
  std::size_t max_size = 10;

  /// A resource that nobody has used for so long is destroyed. Zero: it is kept.
  Duration idle_timeout = std::chrono::minutes(10);

  /// A resource older than this is not lent again. Zero: any age will do.
  Duration max_lifetime = Duration::zero();

  /// Whether an idle resource still works, asked before it is lent again. False, or an exception:
  /// it is destroyed, and the next one is tried. Empty: not asked.
  Function<Task<bool>(T&)> check = {};

  /// A resource that was idle for less is lent without a check.
  Duration check_after = Duration::zero();

  /// Whether a resource may be lent again, asked when it comes back; must not throw. Empty: yes,
  /// unless its lease went because of an exception: then it may be in the middle of something.
  Function<bool(T&)> reusable = {};

  /// What a task dump calls it; static text.
  const char* name = "pool";
};

/// What a pool holds, and what has happened since it was made.
struct PoolStats {
  std::size_t idle = 0;     ///< ready to be lent
  std::size_t busy = 0;     ///< lent, being made or being checked
  std::size_t waiting = 0;  ///< tasks in line

  std::uint64_t acquired = 0;   ///< leases given
  std::uint64_t waits = 0;      ///< acquisitions that had to stand in line
  Duration wait_time{};         ///< what those that were served have waited, in all
  std::uint64_t made = 0;       ///< resources made
  std::uint64_t failed = 0;     ///< attempts to make one that threw, or were cancelled
  std::uint64_t unhealthy = 0;  ///< destroyed: `check` said no, threw or was cancelled
  std::uint64_t expired = 0;    ///< destroyed: idle or alive for too long
  std::uint64_t discarded = 0;  ///< destroyed: `discard`, `reusable`, an exception, or the end
};

namespace detail {

/// One resource, but for the resource.
struct PoolEntry : ListHook {
  TimePoint made{};
  TimePoint returned{};

 protected:
  ~PoolEntry() = default;
};

/// The part of a pool that does not depend on its resources: places, the line, ages, the end.
class PoolCore : private Timer {
 public:
  PoolCore(const PoolCore&) = delete;
  PoolCore& operator=(const PoolCore&) = delete;

  PoolStats stats() const noexcept;

  bool closed() const noexcept { return closed_; }

  /// Ends the pool: tasks in line get `ClosedError`, idle resources are destroyed, and what is lent
  /// or being made will be as soon as it comes back. Waits until all have gone.
  /// Throws   Cancelled.
  /// Cancel   Ends the wait; the pool stays closed.
  Task<> close();

 protected:
  class Turn;
  class Place;
  struct Limits {
    std::size_t max_size;
    Duration idle_timeout;
    Duration max_lifetime;
    Duration check_after;
  };

  /// Throws  std::invalid_argument  `max_size` is zero, or a span is negative.
  PoolCore(const char* name, Limits limits);
  ~PoolCore() = default;

  virtual void destroy(PoolEntry& entry) noexcept = 0;

  /// The idle resource used last that is not too old, or null. Destroys those that are.
  PoolEntry* take_idle() noexcept;
  void keep_idle(PoolEntry& entry) noexcept;
  bool wants_check(const PoolEntry& entry) const noexcept;
  void count_made(PoolEntry& entry) noexcept;
  /// Takes a place if one is free. Throws `std::logic_error` when no loop runs on this thread.
  bool try_enter();
  /// Gives a place up: to the first in line, if there is one.
  void leave() noexcept;
  /// Takes back what was lent, and its place.
  void give_back(PoolEntry& entry, bool usable) noexcept;
  /// Throws `ClosedError` once the pool is closed.
  void require_open() const;
  /// Refuses whoever waits and destroys what is idle.
  void shut() noexcept;

  PoolStats counts_;  // `waiting` is counted when asked

 private:
  void on_timer() noexcept override;
  bool expired(const PoolEntry& entry, TimePoint now) const noexcept;
  TimePoint expiry(const PoolEntry& entry) const noexcept;
  void destroy_expired(PoolEntry& entry) noexcept;

  const char* name_;
  Limits limits_;
  Executor* executor_ = nullptr;    // of whoever came last
  IntrusiveList<PoolEntry> idle_;   // the one used last in front
  IntrusiveList<LineWaiter> line_;  // while anybody stands here, every place is taken
  Event drained_;
  bool closed_ = false;
};

/// One of the pool's places. Whoever holds it and leaves, by an exception or a cancellation, leaves
/// it to the next in line.
class [[nodiscard]] PoolCore::Place {
 public:
  explicit Place(PoolCore& core) noexcept : core_(&core) {}
  Place(Place&& other) noexcept : core_(std::exchange(other.core_, nullptr)) {}
  Place& operator=(Place&&) = delete;
  ~Place() {
    if (core_ != nullptr) core_->leave();
  }
  /// It is held by a lease from now on.
  void pass_on() noexcept { core_ = nullptr; }

 private:
  PoolCore* core_;
};

/// Waits for a place.
class PoolCore::Turn final : public LineWaiter {
 public:
  explicit Turn(PoolCore& core) noexcept : core_(core) {}
  bool await_ready();
  template <class P>
  bool await_suspend(std::coroutine_handle<P> handle) noexcept {
    return begin(handle.promise());
  }
  Place await_resume();
  const char* what() const noexcept override { return core_.name_; }
  void describe(std::string& out) const override;

  /// The pool was closed: the task goes on, with `ClosedError`.
  void refuse() noexcept {
    refused_ = true;
    serve();
  }

 private:
  bool begin(PromiseBase& promise) noexcept;

  PoolCore& core_;
  TimePoint since_{};
  bool refused_ = false;
};

}  // namespace detail

/// Lends resources that it makes when they are needed, at most so many at a time.
///
/// Whoever waits is served in the order of arrival. Of the idle resources the one used last is lent
/// first, so that those that are not needed grow old and go. An idle resource passes the checks of
/// `PoolOptions` before it is lent; when none does, one is made. No place is ever lost: when making
/// one fails or is cancelled, the place goes to the next in line, who tries in turn.
///
/// Params   T  Movable without throwing. Destroying it releases it: closes the connection.
/// Lifetime Must outlive its leases and the tasks that wait on it.
/// Cost     An allocation for each resource that is made; nothing for lending it again but the
///          frame of `acquire`, from the frame pool.
template <class T>
class Pool final : public detail::PoolCore {
  static_assert(std::is_nothrow_move_constructible_v<T>,
                "a pool's resources must be movable without throwing, so that none can be lost");

 public:
  using Factory = Function<Task<T>()>;

  /// Params   make  Makes a resource. Called when one is needed, perhaps several times at once.
  /// Throws   std::invalid_argument  `max_size` is zero, or a span is negative.
  explicit Pool(Factory make, PoolOptions<T> options = {})
      : PoolCore(options.name, {options.max_size, options.idle_timeout, options.max_lifetime,
                                options.check_after}),
        make_(std::move(make)),
        check_(std::move(options.check)),
        reusable_(std::move(options.reusable)) {}

  ~Pool() { shut(); }

  /// Waits for a resource: an idle one, or one made for this task.
  /// Returns  A `Lease`.
  /// Throws   ClosedError  The pool is closed, or is closed meanwhile.
  ///          What the factory throws.
  /// Cancel   At once for a task in line. While a resource is made or checked that is cancelled, and
  ///          the resource destroyed. A place that was handed over goes to the next in line.
  Task<Lease<T>> acquire() {
    Place place = co_await Turn(*this);
    while (detail::PoolEntry* idle = take_idle()) {
      Owned resource(static_cast<Entry*>(idle));
      if (check_ && wants_check(*resource)) {
        const bool healthy = co_await passes_check(resource->value);
        if (!healthy) continue;
        require_open();
      }
      co_return lend(std::move(place), std::move(resource));
    }
    Owned resource = co_await make_one();
    require_open();
    co_return lend(std::move(place), std::move(resource));
  }

  /// Lends an idle resource that needs no check, if there is one and nobody is in line; an empty
  /// lease otherwise.
  /// Throws   std::logic_error  Outside a task or callback of a loop.
  Lease<T> try_acquire() {
    if (closed() || !try_enter()) return {};
    Place place(*this);
    detail::PoolEntry* idle = take_idle();
    if (idle == nullptr) return {};
    Owned resource(static_cast<Entry*>(idle));
    if (check_ && wants_check(*resource)) {
      keep_idle(*resource.release());
      return {};
    }
    return lend(std::move(place), std::move(resource));
  }

 private:
  friend class Lease<T>;

  struct Entry final : detail::PoolEntry {
    explicit Entry(T made_value) noexcept : value(std::move(made_value)) {}
    T value;
  };
  using Owned = std::unique_ptr<Entry>;

  Lease<T> lend(Place place, Owned resource) noexcept {
    ++counts_.acquired;
    place.pass_on();
    return Lease<T>(*this, *resource.release());
  }

  void take_back(Entry& entry, bool usable) noexcept {
    give_back(entry, reusable_ ? reusable_(entry.value) : usable);
  }

  Task<Owned> make_one() {
    try {
      T value = co_await make_();
      Owned resource = std::make_unique<Entry>(std::move(value));
      count_made(*resource);
      co_return resource;
    } catch (...) {
      ++counts_.failed;
      throw;
    }
  }

  Task<bool> passes_check(T& resource) {
    try {
      const bool healthy = co_await check_(resource);
      if (!healthy) ++counts_.unhealthy;
      co_return healthy;
    } catch (const std::exception&) {
      ++counts_.unhealthy;
    } catch (...) {
      ++counts_.unhealthy;
      throw;
    }
    co_return false;
  }

  void destroy(detail::PoolEntry& entry) noexcept override { delete static_cast<Entry*>(&entry); }

  Factory make_;
  Function<Task<bool>(T&)> check_;
  Function<bool(T&)> reusable_;
};

/// A resource on loan; gives it back when it is destroyed.
/// Lifetime  Not longer than its pool.
template <class T>
class [[nodiscard("dropping the lease gives the resource back at once")]] Lease {
 public:
  Lease() noexcept = default;
  Lease(Lease&& other) noexcept
      : pool_(other.pool_),
        entry_(std::exchange(other.entry_, nullptr)),
        exceptions_(other.exceptions_) {}
  Lease& operator=(Lease&& other) noexcept {
    Lease old(std::move(*this));
    pool_ = other.pool_;
    entry_ = std::exchange(other.entry_, nullptr);
    exceptions_ = other.exceptions_;
    return *this;
  }
  ~Lease() { finish(std::uncaught_exceptions() == exceptions_); }

  /// True while it holds a resource.
  explicit operator bool() const noexcept { return entry_ != nullptr; }

  T& operator*() const noexcept { return entry_->value; }
  T* operator->() const noexcept { return &entry_->value; }

  /// Gives the resource back, now, to be lent again. Nothing happens when that was done.
  void release() noexcept { finish(true); }

  /// Gives the place back and destroys the resource: it is broken, or in the middle of something.
  void discard() noexcept {
    if (entry_ != nullptr) pool_->give_back(*std::exchange(entry_, nullptr), false);
  }

 private:
  friend class Pool<T>;
  using Entry = Pool<T>::Entry;

  Lease(Pool<T>& pool, Entry& entry) noexcept
      : pool_(&pool), entry_(&entry), exceptions_(std::uncaught_exceptions()) {}

  void finish(bool orderly) noexcept {
    if (entry_ != nullptr) pool_->take_back(*std::exchange(entry_, nullptr), orderly);
  }

  Pool<T>* pool_ = nullptr;
  Entry* entry_ = nullptr;
  int exceptions_ = 0;
};

}  // namespace coronado
