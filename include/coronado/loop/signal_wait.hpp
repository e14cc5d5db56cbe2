/// Signals of the process as something to await.
///
///     wait_for_signal      waits for one of some signals, once
///     shutdown_requested   waits for SIGTERM or SIGINT
///     SignalWatch          receives signals one after the other and loses none between
///
///     Task<> serve_until_told(Server& server) {
///       co_await shutdown_requested();
///       co_await server.drain();
///     }
///
/// A callback for a signal is `IOLoop::add_signal_handler`.
///
/// Layer: loop.   Tornado  asyncio's `add_signal_handler`.
#pragma once

#include <coronado/coro/task.hpp>
#include <coronado/loop/ioloop.hpp>

#include <vector>

namespace coronado {

/// Receives signals for as long as it lives, on the loop of this thread.
///
/// Their default action is suspended meanwhile, and back when the last watch and handler has gone. A
/// signal that comes while nobody waits is kept; several of the same kind that come before it is
/// taken are one, as everywhere in POSIX. Any number of watches on one loop see the same signal; of
/// several loops the one that asked last gets it.
///
/// Threads  The loop's thread only.
/// Lifetime The loop must outlive it.
class SignalWatch final : private detail::SignalListener {
 public:
  /// Throws  std::logic_error   No loop runs on this thread.
  ///         std::system_error  One of them cannot be caught, such as SIGKILL.
  explicit SignalWatch(const std::vector<int>& signals);
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;
  ~SignalWatch();

  class Next;
  /// The next signal: one that came since the last call, or the next to come.
  /// Returns  Its number.
  /// Throws   std::logic_error  Another task waits already.
  /// Cancel   At once; no signal is lost.
  Next next() noexcept;

 private:
  void on_signal(int signal) noexcept override;

  IOLoop& loop_;
  std::vector<int> arrived_;  // oldest first; has room for every signal it watches
  Next* waiter_ = nullptr;
};

class [[nodiscard("a wait must be awaited")]] SignalWatch::Next final : public Suspension {
 public:
  explicit Next(SignalWatch& watch) noexcept : watch_(watch) {}
  Next(Next&& other) noexcept : Next(other.watch_) {}
  bool await_ready() const noexcept { return !watch_.arrived_.empty(); }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> handle) {
    return begin(handle.promise());
  }
  int await_resume();
  void cancel() noexcept override;
  const char* what() const noexcept override { return "signal"; }

 private:
  friend class SignalWatch;
  bool begin(PromiseBase& promise);
  SignalWatch& watch_;
};

inline SignalWatch::Next SignalWatch::next() noexcept { return Next(*this); }

/// Waits for the first of `signals` that comes after the wait has begun.
///
///     int signal = co_await wait_for_signal({SIGTERM, SIGINT});
///
/// The default action holds before and after: whoever waits again and again keeps a `SignalWatch`.
///
/// Returns  Its number.
/// Throws   std::system_error  One of them cannot be caught.
/// Cancel   At once; the default action is back.
/// Threads  The loop's thread only.
Task<int> wait_for_signal(std::vector<int> signals);

/// Waits for SIGTERM or SIGINT. One that comes after that has its default action: it ends the
/// process.
/// Returns  Which of the two.
/// Throws   Nothing.
/// Cancel   At once; the default action is back.
Task<int> shutdown_requested();

}  // namespace coronado
