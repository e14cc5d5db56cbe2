/// Callbacks that repeat.
///
///     PeriodicCallback   calls a function, or runs a coroutine, once in a period
///
/// Layer: loop.
#pragma once

#include <coronado/coro/task.hpp>
#include <coronado/loop/ioloop.hpp>

#include <memory>

namespace coronado {

/// Calls a function at a fixed rate.
///
/// The first call comes one period after `start`. Calls never overlap and the rate does not drift:
/// the next one is due a whole number of periods after the one before, and those that were missed
/// are left out. What the callback throws is logged, and it goes on.
///
///     PeriodicCallback beat([&] { send_ping(); }, 30s);
///     beat.start();
///
/// Threads  The loop's thread only.
/// Lifetime Destroying it stops it. A coroutine that is running then goes on to its end; the loop
///          must outlive it.
/// Tornado  `ioloop.PeriodicCallback`.
class PeriodicCallback {
 public:
  /// Params   callback  A function that returns nothing or a `Task<>`: then the next call waits for
  ///                    its end.
  ///          period    More than zero.
  ///          jitter    Between 0 and 1: each period is longer or shorter by up to half of this
  ///                    fraction, at random, so that many of them do not fall together.
  /// Throws   std::invalid_argument  A period or jitter out of range.
  template <class F>
    requires std::is_invocable_v<F&>
  PeriodicCallback(F callback, Duration period, double jitter = 0)
      : PeriodicCallback(adapt(std::move(callback)), period, jitter, nullptr) {}
  PeriodicCallback(const PeriodicCallback&) = delete;
  PeriodicCallback& operator=(const PeriodicCallback&) = delete;
  ~PeriodicCallback();

  /// Begins, on the loop that runs on this thread. Nothing happens when it runs already.
  /// Throws  std::logic_error  No loop runs on this thread.
  void start();

  /// Ends it. A coroutine that is running goes on to its end.
  void stop() noexcept;

  bool is_running() const noexcept;

 private:
  /// Returns the task to wait for, or an empty one.
  using Callback = Function<Task<>()>;
  struct State;

  PeriodicCallback(Callback callback, Duration period, double jitter, std::nullptr_t);

  template <class F>
  static Callback adapt(F callback) {
    if constexpr (std::is_same_v<std::invoke_result_t<F&>, Task<>>) {
      return Callback(std::move(callback));
    } else {
      return [call = std::move(callback)]() mutable {
        call();
        return Task<>();
      };
    }
  }

  std::shared_ptr<State> state_;
};

}  // namespace coronado
