/// What the tests of this layer share.
#pragma once

#include <coronado/coro/timeout.hpp>
#include <coronado/testing/async_test.hpp>

#include <algorithm>
#include <cstdlib>
#include <string>

namespace coronado {

/// For tests of the order in which tasks are woken, which a shuffled ready queue would hide.
inline constexpr AsyncTestOptions kFirstInFirstOut{.shuffle_seed = 0};

/// Whether it is `span` after `begin` now: not earlier, and later by a tick of the timers at most.
inline bool is_after(TimePoint begin, Duration span) {
  const Duration late = Executor::require_current().now() - begin - span;
  return late >= Duration::zero() && late < std::chrono::microseconds(300);
}

/// What `call` throws.
template <class F>
std::string message_of(F&& call) {
  try {
    call();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "nothing thrown";
}

/// What awaiting `awaitable` throws.
template <class A>
Task<std::string> failure_of(A awaitable) {
  std::string text = "nothing thrown";
  try {
    (void)co_await std::move(awaitable);
  } catch (const std::exception& error) {
    text = error.what();
  } catch (const Cancelled&) {
    text = "Cancelled";
  }
  co_return text;
}

inline Task<> turns(int count) {
  for (int i = 0; i < count; ++i) co_await moment();
}

/// A number from the environment.
inline long from_environment(const char* name, long otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::atol(text);
}

inline std::string sorted(std::string text) {
  std::sort(text.begin(), text.end());
  return text;
}

}  // namespace coronado
