/// Trying again what failed, after a pause that grows.
///
///     retry          calls an operation until it succeeds
///     Backoff        the pauses alone, for loops of your own
///     RetryOptions   how often, how long, on which errors
///     retry_on       "on these errors" for `RetryOptions`
///
///     Reply reply = co_await retry([&] { return client.fetch(url); },
///                                  {.retry_if = retry_on<TimeoutError, StreamClosedError>()});
///
/// Layer: coro.
#pragma once

#include <coronado/base/random.hpp>
#include <coronado/coro/timeout.hpp>

#include <exception>
#include <optional>

namespace coronado {

/// How the pause between two attempts is drawn.
enum class Jitter : unsigned char {
  kFull,  ///< between zero and the back-off: clients that failed together come back apart
  kNone,  ///< the back-off itself
};

/// How pauses grow.
struct BackoffOptions {
  Duration first = std::chrono::milliseconds(100);  ///< the back-off after the first failure
  double factor = 2;                                ///< what it grows by each time; at least 1
  Duration longest = std::chrono::seconds(30);      ///< and what it does not grow beyond
  Jitter jitter = Jitter::kFull;
  /// What the jitter is drawn with, so that a test is exact. Default: a fresh one.
  std::optional<std::uint64_t> seed = std::nullopt;
};

/// Growing pauses with jitter.
///
///     Backoff backoff;
///     while (!co_await try_connect()) co_await sleep(backoff.next());
///     backoff.reset();
class Backoff {
 public:
  /// Throws  std::invalid_argument  `factor` is less than 1, or a span is negative.
  explicit Backoff(BackoffOptions options = {});

  /// The pause to make now; the next one will be longer.
  Duration next() noexcept;

  /// Begins again with the first pause: it worked.
  void reset() noexcept { current_ = options_.first; }

 private:
  BackoffOptions options_;
  Duration current_;
  Random random_;
};

/// What has just failed, for `RetryOptions::on_retry`.
struct RetryEvent {
  const std::exception_ptr& error;  ///< what was thrown
  int attempt;                      ///< the attempt that failed, from 1
  Duration pause;                   ///< until the next one
};

/// When `retry` goes on.
struct RetryOptions {
  BackoffOptions backoff = {};

  /// Most attempts in all; at least 1.
  int max_attempts = 5;

  /// No attempt begins later than so long after the first one began. Zero: no limit.
  Duration max_elapsed = Duration::zero();

  /// Whether another attempt may help against this error. Empty: against any `std::exception`.
  /// `retry_on<E...>()` makes one. Never asked about `Cancelled`.
  Function<bool(const std::exception_ptr&)> retry_if = {};

  /// Called before each pause, for a log line or a counter. What it throws ends the retry.
  Function<void(const RetryEvent&)> on_retry = {};
};

namespace detail {

/// The decisions of one `retry`.
class RetryState {
 public:
  /// Throws  std::invalid_argument
  explicit RetryState(RetryOptions options);

  /// The pause before the next attempt.
  /// Throws  `error`, when there is to be none.
  Duration pause_after(const std::exception_ptr& error);

 private:
  RetryOptions options_;
  Backoff backoff_;
  TimePoint begin_;
  int attempt_ = 0;
};

template <class E>
bool is_error(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const E&) {
    return true;
  } catch (...) {
    return false;
  }
}

}  // namespace detail

/// Accepts the errors `Es`, and what derives from them, for `RetryOptions::retry_if`.
template <class... Es>
auto retry_on() {
  return [](const std::exception_ptr& error) { return (detail::is_error<Es>(error) || ...); };
}

/// Calls `operation` and awaits what it returns, again after each failure that may pass, with a
/// growing pause in between.
///
/// It gives up, and the last failure comes through, when the attempts or the time are used up, when
/// the failure is not one to retry, and when the pause would outlast the deadline of a timeout around
/// it (`current_deadline`): then the caller learns at once why it failed, instead of a bare timeout
/// later. To limit each attempt, put a `with_timeout` inside `operation`.
///
/// Params   operation  Returns an awaitable; called for each attempt. Kept until the end.
/// Returns  What the first attempt that succeeds returns.
/// Throws   The failure of the last attempt.
///          std::invalid_argument  `max_attempts` is less than 1, or `backoff` is out of its range.
/// Cancel   Passed on to the attempt or ends the pause; never retried.
/// Tornado  None.
/// Code     src/coro/retry.cpp, tests/coro/retry_test.cpp
template <class F>
Task<await_result_t<std::invoke_result_t<F&>>> retry(F operation, RetryOptions options = {}) {
  detail::RetryState state(std::move(options));
  while (true) {
    std::exception_ptr error;
    try {
      co_return co_await operation();
    } catch (const Cancelled&) {
      throw;
    } catch (...) {
      error = std::current_exception();
    }
    co_await sleep(state.pause_after(error));
  }
}

}  // namespace coronado
