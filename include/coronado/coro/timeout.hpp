/// Deadlines for anything that can be awaited.
///
///     with_timeout       give up after a span, or at an instant
///     sleep              wait, and nothing else
///     moment             let the others have a turn
///     shield             hold cancellation off
///     current_deadline   how long the running task has
///
/// Layer: coro. Knows the loop only through `executor.hpp`.
#pragma once

#include <coronado/base/clock.hpp>
#include <coronado/coro/task.hpp>

namespace coronado {

namespace detail {

/// `when` later than now, without overflow.
TimePoint after(TimePoint now, Duration span) noexcept;

/// What `with_timeout` adds to the awaiting coroutine: a region and a timer.
class TimeoutScope : private Timer {
 public:
  /// Params  span  From the first await on, or `when` as an instant.
  explicit TimeoutScope(Duration span) noexcept : TimeoutScope(TimePoint(span), true) {}
  explicit TimeoutScope(TimePoint when) noexcept : TimeoutScope(when, false) {}
  TimeoutScope(const TimeoutScope& other) noexcept : TimeoutScope(other.when_, other.relative_) {}
  TimeoutScope& operator=(const TimeoutScope&) = delete;

  /// False: the time is up before anything has started.
  bool begin(TaskContext& context) noexcept;
  /// Throws `TimeoutError` when `outcome` is a cancellation that this scope caused.
  void end(PromiseBase::State outcome);

 protected:
  ~TimeoutScope() = default;

 private:
  void on_timer() noexcept override { scope_.cancel(); }

  TimeoutScope(TimePoint when, bool relative) noexcept
      : when_(when), scope_(CancelScope::Kind::kTimeout), relative_(relative) {}

  TimePoint when_;  // while `relative_`, a span
  CancelScope scope_;
  bool relative_;
};

}  // namespace detail

/// What `with_timeout` returns; await it at once.
template <class T>
class [[nodiscard("nothing runs until it is awaited")]] Timeout final : detail::TimeoutScope {
 public:
  template <class When>
  Timeout(When when, Task<T> task) noexcept : TimeoutScope(when), task_(std::move(task)) {}
  Timeout(Timeout&& other) noexcept : TimeoutScope(other), task_(std::move(other.task_)) {}

  bool await_ready() const noexcept { return false; }
  template <class P>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<P> handle) noexcept {
    PromiseBase& promise = handle.promise();
    if (!begin(*promise.context())) return handle;
    return task_.await_suspend(handle);
  }
  T await_resume() {
    end(task_.promise()->state());
    return task_.await_resume();
  }

 private:
  Task<T> task_;
};

/// Await `task`, but give up after `timeout`.
///
/// In time: the value or the exception of `task` comes through unchanged. Out of time: `task` is
/// cancelled, this call waits until it has unwound, and then throws `TimeoutError`. So when the
/// call ends, `task` has ended too, and everything it borrowed is yours again. If `task` still
/// delivers a value while it unwinds, that value is returned: finished work is not thrown away.
/// Timeouts nest, and the earliest wins.
///
///     std::string line = co_await with_timeout(5s, stream.read_until("\r\n", 8192));
///
/// Params   timeout  A span, counted from the first await, or an instant of `Clock`. Zero or less,
/// or
///                   past: throws `TimeoutError` at once, and `task` never starts.
///          task     A `Task` or any awaitable; consumed.
/// Returns  What `task` returns.
/// Throws   TimeoutError  The time passed and `task` ended by cancellation.
///          Cancelled     The caller was cancelled; never reported as a timeout.
///          Anything `task` throws.
/// Cancel   Passed on to `task`; completes when it has unwound.
/// Threads  Loop thread only.
/// Cost     One timer, stored in the awaiting frame: no allocation.
/// Tornado  `gen.with_timeout`. Differs: Tornado leaves the wrapped future running, and reads a
/// bare
///          number as an absolute time.
/// Code     src/coro/timeout.cpp, tests/coro/timeout_test.cpp
template <class T>
Timeout<T> with_timeout(Duration timeout, Task<T> task) {
  return Timeout<T>(timeout, std::move(task));
}
template <class T>
Timeout<T> with_timeout(TimePoint deadline, Task<T> task) {
  return Timeout<T>(deadline, std::move(task));
}
template <class When, class A>
  requires(is_awaitable<A> && !detail::IsTask<std::remove_cvref_t<A>>::value)
auto with_timeout(When when, A awaitable) {
  return with_timeout(when, as_task(std::move(awaitable)));
}

/// The awaiter of `sleep`.
class [[nodiscard("a sleep must be awaited")]] Sleep final : Timer, public Suspension {
 public:
  explicit Sleep(Duration span) noexcept : relative_(true) { deadline_ = TimePoint(span); }
  explicit Sleep(TimePoint when) noexcept : relative_(false) { deadline_ = when; }
  Sleep(Sleep&& other) noexcept : Timer(), Suspension(), relative_(other.relative_) {
    deadline_ = other.deadline_;
  }

  bool await_ready() const noexcept { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> handle) noexcept {
    return begin(handle.promise());
  }
  void await_resume() const { check(); }
  void cancel() noexcept override;
  const char* what() const noexcept override { return "sleeping"; }
  TimePoint due() const noexcept override { return armed() ? deadline() : TimePoint::max(); }

 private:
  bool begin(PromiseBase& promise) noexcept;
  void on_timer() noexcept override { wake(); }

  bool relative_;  // lies in the padding of Suspension: a million sleepers notice
};

/// Wait for a span, or until an instant. Never ends early; zero or less gives the others one turn.
/// Throws   Cancelled.
/// Cancel   At once; the timer is removed.
/// Tornado  `gen.sleep`.
inline Sleep sleep(Duration span) noexcept { return Sleep(span); }
inline Sleep sleep_until(TimePoint when) noexcept { return Sleep(when); }

/// The awaiter of `moment`.
class [[nodiscard("moment() must be awaited")]] Moment final : public Suspension {
 public:
  Moment() noexcept = default;
  Moment(Moment&&) noexcept : Suspension() {}
  bool await_ready() const noexcept { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> handle) noexcept {
    if (!park(handle.promise())) return false;
    wake(ReadyPlace::kLast);
    return true;
  }
  void await_resume() const { check(); }
  void cancel() noexcept override {}  // it is on the ready queue as soon as it is parked
};

/// Let every other ready task, and the network, have a turn.
/// Throws   Cancelled  When the task was cancelled before.
/// Tornado  `gen.moment`.
inline Moment moment() noexcept { return {}; }

/// What `shield` returns; await it at once.
template <class T>
class [[nodiscard("nothing runs until it is awaited")]] Shield final {
 public:
  explicit Shield(Task<T> task) noexcept
      : scope_(CancelScope::Kind::kShield), task_(std::move(task)) {}
  Shield(Shield&& other) noexcept : Shield(std::move(other.task_)) {}

  bool await_ready() const noexcept { return false; }
  template <class P>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<P> handle) noexcept {
    scope_.enter(*static_cast<PromiseBase&>(handle.promise()).context());
    return task_.await_suspend(handle);
  }
  T await_resume() {
    scope_.leave();
    return task_.await_resume();
  }

 private:
  CancelScope scope_;
  Task<T> task_;
};

/// Await `task` to its end even when this task is cancelled meanwhile: for work that must not be left
/// half done, such as a commit. The cancellation is delivered at the next suspension after it.
/// Deadlines from outside do not reach inside either.
/// Throws   Anything `task` throws.
/// Cancel   Held off until `task` has ended.
/// Tornado  `asyncio.shield`; here nothing is detached: the caller waits.
template <class T>
Shield<T> shield(Task<T> task) {
  return Shield<T>(std::move(task));
}

/// The earliest deadline of the timeouts around the running task, `TimePoint::max()` when there is
/// none or no task is running. Clients use it as the limit of what they do.
TimePoint current_deadline() noexcept;

}  // namespace coronado
