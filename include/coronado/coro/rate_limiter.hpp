/// A limit on how often something is done: so many times in a span, with bursts.
///
///     RateLimiter limiter(100, 1s);        // 100 a second, up to 100 at once after a pause
///     co_await limiter.acquire();
///
/// Threads  The loop's thread only.
/// Layer: coro.
#pragma once

#include <coronado/coro/locks.hpp>

#include <cstdint>

namespace coronado {

/// A token bucket: it holds at most `burst` tokens, and regains `tokens` of them in each span.
///
/// Whoever waits is served in the order of arrival, each as soon as the tokens wanted are there: a
/// task that wants few does not overtake one that wants many. Time is counted in whole nanoseconds
/// and fractions of tokens are kept, so that the rate is exact however long it runs.
///
/// Lifetime Must outlive the tasks that wait on it.
/// Cost     No allocation; a timer while anybody waits.
/// Tornado  None.
class RateLimiter final : private Timer {
 public:
  /// Params   tokens  How many come back in each span; at least 1.
  ///          span    More than zero.
  ///          burst   Most tokens that gather, and what it begins with. Zero: as many as `tokens`.
  /// Throws   std::invalid_argument  A number is out of its range; or `burst` times `span` is beyond
  ///                                 292 years.
  RateLimiter(std::uint64_t tokens, Duration span, std::uint64_t burst = 0);
  RateLimiter(const RateLimiter&) = delete;
  RateLimiter& operator=(const RateLimiter&) = delete;
  ~RateLimiter();

  class Acquire;
  /// Takes `count` tokens; waits for its turn and until they are there.
  /// Throws   std::invalid_argument  At the call: `count` is more than `burst`, and so would never
  ///                                 be there.
  /// Cancel   At once; nothing is taken then. Tokens that were already given stay taken.
  Acquire acquire(std::uint64_t count = 1);

  /// Takes `count` tokens if they are there and nobody waits.
  /// Throws   std::logic_error  Outside a task or callback of a loop.
  bool try_acquire(std::uint64_t count = 1);

  /// Whole tokens that are there. While tasks wait for them they count as well.
  /// Throws   std::logic_error  Outside a task or callback of a loop.
  std::uint64_t available();

  std::uint64_t burst() const noexcept { return static_cast<std::uint64_t>(capacity_ / price_); }

 private:
  /// Brings the level up to date.
  void refill(TimePoint now) noexcept;
  bool take(std::uint64_t count) noexcept;
  void serve() noexcept;
  void on_timer() noexcept override;

  // The level is counted in parts: a nanosecond brings `rate_` of them, a token costs `price_`.
  std::int64_t rate_;
  std::int64_t price_;
  std::int64_t capacity_;
  std::int64_t level_;
  TimePoint updated_{};  // when the level was right
  Executor* executor_ = nullptr;
  IntrusiveList<detail::LineWaiter> line_;
};

class [[nodiscard("acquire() must be awaited")]] RateLimiter::Acquire final
    : public detail::LineWaiter {
 public:
  Acquire(RateLimiter& limiter, std::uint64_t count) noexcept : limiter_(limiter), count_(count) {}
  Acquire(Acquire&& other) noexcept : Acquire(other.limiter_, other.count_) {}
  bool await_ready() { return limiter_.try_acquire(count_); }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> handle) noexcept {
    return begin(handle.promise());
  }
  void await_resume() const { check(); }
  void cancel() noexcept override;
  const char* what() const noexcept override { return "rate limit"; }
  void describe(std::string& out) const override;

 private:
  friend class RateLimiter;
  bool begin(PromiseBase& promise) noexcept;
  RateLimiter& limiter_;
  std::uint64_t count_;
};

}  // namespace coronado
