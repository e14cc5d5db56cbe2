/// Locks between the tasks of one loop.
///
///     Lock               one holder at a time
///     Semaphore          so many holders at a time
///     BoundedSemaphore   a semaphore that is never released more often than acquired
///     LockGuard          what acquiring one of them returns; gives it back
///     Event              a flag to wait for
///     Condition          wait to be notified
///
///     LockGuard guard = co_await lock.acquire();
///     co_await with_timeout(5s, event.wait());
///
/// Whoever waits is served in the order of arrival, and what is released goes straight to the first
/// in line: nobody who comes later can overtake. The order in which those who were served run is
/// another matter (see `Executor`): an `Event` lets all go on, and who of them is first nobody
/// says. Waiting allocates nothing. None of them is
/// reentrant.
///
/// Threads  The loop's thread only.
/// Lifetime Each must outlive the tasks that wait on it.
/// Layer: coro.
#pragma once

#include <coronado/coro/context.hpp>

#include <cstddef>
#include <utility>

namespace coronado {

class Semaphore;

namespace detail {

/// A task in a line.
class LineWaiter : public Suspension, public ListHook {
 public:
  void cancel() noexcept override {
    unlink();
    cancelled_ = true;
    wake();
  }

  /// Lets the task go on; it has left the line.
  void serve() noexcept { wake(); }

 protected:
  LineWaiter() noexcept = default;
  ~LineWaiter() = default;

  /// Parks at the end of `line`. False: the task is being cancelled.
  bool line_up(PromiseBase& promise, IntrusiveList<LineWaiter>& line) noexcept {
    if (!park(promise)) return false;
    line.push_back(*this);
    return true;
  }

  /// Writes "number 2 in line".
  void append_position(std::string& out, const IntrusiveList<LineWaiter>& line) const;
};

/// Serves the first `count` in `line`, or all when there are fewer.
void serve_line(IntrusiveList<LineWaiter>& line, std::size_t count) noexcept;

}  // namespace detail

/// Holds a `Lock` or one permit of a `Semaphore`, and gives it back when it is destroyed.
/// Lifetime  Not longer than what it holds.
class [[nodiscard("dropping the guard releases the lock at once")]] LockGuard {
 public:
  LockGuard() noexcept = default;
  LockGuard(LockGuard&& other) noexcept : held_(std::exchange(other.held_, nullptr)) {}
  LockGuard& operator=(LockGuard&& other) noexcept {
    LockGuard old(std::move(*this));
    held_ = std::exchange(other.held_, nullptr);
    return *this;
  }
  ~LockGuard() { release(); }

  /// True while it holds something.
  explicit operator bool() const noexcept { return held_ != nullptr; }

  /// Gives back what is held, now. Nothing happens when that was done.
  void release() noexcept;

  /// Forgets what is held without giving it back: somebody calls `release()` of the lock itself.
  void detach() noexcept { held_ = nullptr; }

 private:
  friend class Semaphore;
  explicit LockGuard(Semaphore& held) noexcept : held_(&held) {}
  Semaphore* held_ = nullptr;
};

/// Lets a number of tasks through at a time.
/// Tornado  `locks.Semaphore`.
class Semaphore {
 public:
  /// Params  value  How many may hold it at once; zero is allowed, `release` adds one.
  /// Throws  std::invalid_argument  Negative.
  explicit Semaphore(std::ptrdiff_t value = 1);
  Semaphore(const Semaphore&) = delete;
  Semaphore& operator=(const Semaphore&) = delete;

  class Acquire;
  /// Waits for a permit and takes it.
  /// Returns  A `LockGuard` that gives it back.
  /// Cancel   At once; a permit that was already handed over is not lost: the guard has it.
  Acquire acquire() noexcept;

  /// Takes a permit if one is free; an empty guard otherwise.
  LockGuard try_acquire() noexcept;

  /// Gives one permit more: to the first who waits, or else to whoever comes next. Guards do this
  /// by themselves.
  /// Throws  std::logic_error  `BoundedSemaphore` only: "semaphore released too many times".
  void release();

  /// Permits that are free.
  std::ptrdiff_t value() const noexcept { return value_; }
  /// True when `acquire` would have to wait.
  bool locked() const noexcept { return value_ == 0; }

 protected:
  Semaphore(std::ptrdiff_t value, std::ptrdiff_t bound, const char* what = "semaphore");

 private:
  friend class LockGuard;
  friend class Lock;

  bool take() noexcept {
    if (value_ == 0) return false;
    --value_;
    return true;
  }
  LockGuard guard() noexcept { return LockGuard(*this); }
  void give_back() noexcept {
    if (line_.empty()) {
      ++value_;
    } else {
      line_.pop_front().serve();
    }
  }

  std::ptrdiff_t value_;  // while anybody waits, it is zero
  std::ptrdiff_t bound_;
  IntrusiveList<detail::LineWaiter> line_;
  const char* what_;  // for task dumps
};

class [[nodiscard("acquire() must be awaited")]] Semaphore::Acquire final
    : public detail::LineWaiter {
 public:
  explicit Acquire(Semaphore& semaphore) noexcept : semaphore_(semaphore) {}
  Acquire(Acquire&& other) noexcept : Acquire(other.semaphore_) {}

  bool await_ready() const noexcept { return semaphore_.take(); }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> handle) noexcept {
    return line_up(handle.promise(), semaphore_.line_);
  }
  LockGuard await_resume() const {
    check();
    return semaphore_.guard();
  }
  const char* what() const noexcept override { return semaphore_.what_; }
  void describe(std::string& out) const override;

 private:
  Semaphore& semaphore_;
};

inline Semaphore::Acquire Semaphore::acquire() noexcept { return Acquire(*this); }

inline void LockGuard::release() noexcept {
  if (held_ != nullptr) std::exchange(held_, nullptr)->give_back();
}

/// A semaphore whose `release` refuses to exceed the initial value: it finds the release too many.
/// Tornado  `locks.BoundedSemaphore`.
class BoundedSemaphore final : public Semaphore {
 public:
  /// Throws  std::invalid_argument  Negative.
  explicit BoundedSemaphore(std::ptrdiff_t value = 1) : Semaphore(value, value) {}
};

/// Lets one task through at a time. A task that acquires it twice waits for itself.
/// Tornado  `locks.Lock`.
class Lock {
 public:
  Lock();

  /// Waits for the lock and takes it.
  /// Returns  A `LockGuard` that releases it.
  /// Cancel   At once; a lock that was already handed over is not lost: the guard has it.
  Semaphore::Acquire acquire() noexcept { return semaphore_.acquire(); }

  /// Takes the lock if it is free; an empty guard otherwise.
  LockGuard try_acquire() noexcept { return semaphore_.try_acquire(); }

  /// Releases the lock by hand, after `LockGuard::detach`.
  /// Throws  std::logic_error  It is not held: "release unlocked lock".
  void release();

  bool locked() const noexcept { return semaphore_.locked(); }

 private:
  Semaphore semaphore_;
};

/// A flag that tasks wait for.
/// Tornado  `locks.Event`.
class Event {
 public:
  Event() noexcept = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  bool is_set() const noexcept { return set_; }

  /// Raises the flag and lets all go on who wait, even if it is cleared before they do.
  void set() noexcept {
    set_ = true;
    if (!line_.empty()) detail::serve_line(line_, static_cast<std::size_t>(-1));
  }

  /// Lowers the flag: who waits from now on waits for the next `set`.
  void clear() noexcept { set_ = false; }

  class Wait;
  /// Waits until the flag is raised; not at all when it is.
  /// Cancel  At once.
  Wait wait() noexcept;

 private:
  bool set_ = false;
  IntrusiveList<detail::LineWaiter> line_;
};

class [[nodiscard("wait() must be awaited")]] Event::Wait final : public detail::LineWaiter {
 public:
  explicit Wait(Event& event, const char* what = "event") noexcept : event_(event), what_(what) {}
  Wait(Wait&& other) noexcept : Wait(other.event_, other.what_) {}
  bool await_ready() const noexcept { return event_.set_; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> handle) noexcept {
    return line_up(handle.promise(), event_.line_);
  }
  void await_resume() const { check(); }
  const char* what() const noexcept override { return what_; }

 private:
  Event& event_;
  const char* what_;
};

inline Event::Wait Event::wait() noexcept { return Wait(*this); }

/// Lets tasks wait until another one notifies them. It needs no lock: tasks of one loop do not run
/// at the same time.
///
///     while (items.empty()) co_await condition.wait();
///
/// Tornado  `locks.Condition`.
class Condition {
 public:
  Condition() noexcept = default;
  Condition(const Condition&) = delete;
  Condition& operator=(const Condition&) = delete;

  class Wait;
  class WaitFor;
  /// Waits until notified.
  /// Cancel  At once; a notification that had arrived goes to nobody else.
  Wait wait() noexcept;

  /// Waits until notified, but not longer than `timeout`; zero or less: for one turn.
  /// Returns  False when the time passed.
  /// Cancel   At once; the timer is removed.
  /// Tornado  `Condition.wait(timeout)`.
  WaitFor wait_for(Duration timeout) noexcept;

  /// Lets the first `count` who wait go on.
  void notify(std::size_t count = 1) noexcept { detail::serve_line(line_, count); }
  void notify_all() noexcept { notify(static_cast<std::size_t>(-1)); }

 private:
  IntrusiveList<detail::LineWaiter> line_;
};

class [[nodiscard("wait() must be awaited")]] Condition::Wait final : public detail::LineWaiter {
 public:
  explicit Wait(Condition& condition) noexcept : condition_(condition) {}
  Wait(Wait&& other) noexcept : Wait(other.condition_) {}
  bool await_ready() const noexcept { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> handle) noexcept {
    return line_up(handle.promise(), condition_.line_);
  }
  void await_resume() const { check(); }
  const char* what() const noexcept override { return "condition"; }

 private:
  Condition& condition_;
};

class [[nodiscard("wait_for() must be awaited")]] Condition::WaitFor final
    : public detail::LineWaiter,
      private Timer {
 public:
  WaitFor(Condition& condition, Duration timeout) noexcept
      : condition_(condition), timeout_(timeout) {}
  WaitFor(WaitFor&& other) noexcept : WaitFor(other.condition_, other.timeout_) {}
  bool await_ready() const noexcept { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> handle) noexcept {
    return begin(handle.promise());
  }
  bool await_resume();
  void cancel() noexcept override;
  const char* what() const noexcept override { return "condition"; }
  TimePoint due() const noexcept override { return deadline(); }

 private:
  bool begin(PromiseBase& promise) noexcept;
  void on_timer() noexcept override;

  Condition& condition_;
  Duration timeout_;
  bool timed_out_ = false;
};

inline Condition::Wait Condition::wait() noexcept { return Wait(*this); }
inline Condition::WaitFor Condition::wait_for(Duration timeout) noexcept {
  return WaitFor(*this, timeout);
}

}  // namespace coronado
