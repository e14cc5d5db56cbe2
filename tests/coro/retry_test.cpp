#include <coronado/coro/retry.hpp>

#include <coronado/coro/task_group.hpp>
#include <coronado/testing/async_test.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/coro/helpers.hpp"

namespace coronado {
namespace {

using namespace std::chrono_literals;

TimePoint now() { return IOLoop::current()->now(); }

struct Refused : std::runtime_error {
  Refused() : std::runtime_error("refused") {}
};

/// Fails so many times, then returns how often it was called.
struct Flaky {
  int failures = 0;
  int calls = 0;
  Duration takes = Duration::zero();

  Task<int> call() {
    ++calls;
    co_await sleep(takes);
    if (calls <= failures) throw Refused();
    co_return calls;
  }
};

constexpr BackoffOptions kExact{.jitter = Jitter::kNone};

// --- Backoff -------------------------------------------------------------------------------------

TEST(Backoff, GrowsUpToItsLongest) {
  Backoff backoff({.first = 1s, .factor = 3, .longest = 20s, .jitter = Jitter::kNone});
  for (const Duration expected : {1s, 3s, 9s, 20s, 20s}) EXPECT_EQ(backoff.next(), expected);
  backoff.reset();
  EXPECT_EQ(backoff.next(), 1s);
  Backoff capped({.first = 1h, .longest = 1s, .jitter = Jitter::kNone});
  EXPECT_EQ(capped.next(), 1s);
  Backoff endless(
      {.first = 1h, .factor = 1e9, .longest = Duration::max(), .jitter = Jitter::kNone});
  for (int i = 0; i < 10; ++i) EXPECT_GE(endless.next(), 1h) << "no overflow";
}

TEST(Backoff, JitterIsDrawnFromTheWholeSpanAndReplayedBySeed) {
  const BackoffOptions options{.first = 1s, .factor = 1, .seed = 7};
  Backoff backoff(options);
  Backoff same(options);
  Duration least = 1s;
  Duration most = 0s;
  for (int i = 0; i < 1000; ++i) {
    const Duration pause = backoff.next();
    EXPECT_EQ(pause, same.next());
    least = std::min(least, pause);
    most = std::max(most, pause);
  }
  EXPECT_GE(least, 0s);
  EXPECT_LT(least, 10ms);
  EXPECT_LT(most, 1s);
  EXPECT_GT(most, 990ms);
  Backoff other({.first = 1s, .factor = 1, .seed = 8});
  EXPECT_NE(other.next(), Backoff(options).next());
  EXPECT_NE(Backoff({.first = 1h}).next(), Backoff({.first = 1h}).next()) << "a fresh seed each";
}

TEST(Backoff, RefusesWhatCannotBe) {
  EXPECT_THROW(Backoff({.factor = 0.5}), std::invalid_argument);
  EXPECT_THROW(Backoff({.factor = std::numeric_limits<double>::quiet_NaN()}),
               std::invalid_argument);
  EXPECT_THROW(Backoff({.first = -1s}), std::invalid_argument);
  EXPECT_THROW(Backoff({.longest = -1s}), std::invalid_argument);
}

// --- retry ---------------------------------------------------------------------------------------

TEST(Retry, ReturnsTheFirstSuccess) {
  run_async([]() -> Task<> {
    Flaky flaky{.failures = 3};
    const TimePoint begin = now();
    const int calls = co_await retry([&] { return flaky.call(); }, {.backoff = kExact});
    EXPECT_EQ(calls, 4);
    EXPECT_TRUE(is_after(begin, 100ms + 200ms + 400ms));
    Flaky good;
    EXPECT_EQ(co_await retry([&] { return good.call(); }), 1);
  });
}

TEST(Retry, GivesUpAfterTheLastAttempt) {
  run_async([]() -> Task<> {
    Flaky flaky{.failures = 100};
    const TimePoint begin = now();
    EXPECT_EQ(co_await failure_of(
                  retry([&] { return flaky.call(); }, {.backoff = kExact, .max_attempts = 3})),
              "refused");
    EXPECT_EQ(flaky.calls, 3);
    EXPECT_TRUE(is_after(begin, 300ms)) << "no pause after the last";
  });
}

TEST(Retry, GivesUpWhenTheTimeIsUsedUp) {
  run_async([]() -> Task<> {
    Flaky flaky{.failures = 100, .takes = 1s};
    const TimePoint begin = now();
    EXPECT_EQ(
        co_await failure_of(retry([&] { return flaky.call(); },
                                  {.backoff = kExact, .max_attempts = 100, .max_elapsed = 3s})),
        "refused");
    EXPECT_EQ(flaky.calls, 3);
    EXPECT_TRUE(is_after(begin, 3s + 300ms));
  });
}

TEST(Retry, DoesNotSleepBeyondTheDeadlineAroundIt) {
  run_async([]() -> Task<> {
    Flaky flaky{.failures = 100};
    const TimePoint begin = now();
    EXPECT_EQ(co_await failure_of(with_timeout(1s, retry([&] { return flaky.call(); },
                                                         {.backoff = kExact, .max_attempts = 99}))),
              "refused")
        << "not a bare timeout";
    EXPECT_TRUE(is_after(begin, 700ms)) << "the next pause would have lasted until 1.5 s";
    EXPECT_EQ(flaky.calls, 4);
  });
}

TEST(Retry, ATaskInAGroupInheritsTheDeadlineToo) {
  run_async([]() -> Task<> {
    Flaky flaky{.failures = 100};
    const auto in_group = [](Flaky& operation) -> Task<> {
      co_await with_group([&](TaskGroup& group) -> Task<> {
        group.spawn(
            retry([&] { return operation.call(); }, {.backoff = kExact, .max_attempts = 99}));
        co_return;
      });
    };
    EXPECT_EQ(co_await failure_of(with_timeout(1s, in_group(flaky))), "refused");
    EXPECT_EQ(flaky.calls, 4);
  });
}

TEST(Retry, OnlyWhatMayPass) {
  run_async([]() -> Task<> {
    Flaky flaky{.failures = 3};
    RetryOptions options{.backoff = kExact, .retry_if = retry_on<TimeoutError, ClosedError>()};
    EXPECT_EQ(co_await failure_of(retry([&] { return flaky.call(); }, std::move(options))),
              "refused");
    EXPECT_EQ(flaky.calls, 1);
    Flaky again{.failures = 3};
    RetryOptions right{.backoff = kExact, .retry_if = retry_on<TimeoutError, std::runtime_error>()};
    EXPECT_EQ(co_await retry([&] { return again.call(); }, std::move(right)), 4);
  });
}

Task<> throw_a_number(int& calls) {
  ++calls;
  co_await moment();
  throw 7;
}

TEST(Retry, WhatIsNoStdExceptionComesThrough) {
  run_async([]() -> Task<> {
    int calls = 0;
    int caught = 0;
    try {
      co_await retry([&] { return throw_a_number(calls); });
    } catch (int number) {
      caught = number;
    }
    EXPECT_EQ(caught, 7);
    EXPECT_EQ(calls, 1);
  });
}

TEST(Retry, TellsTheHookBeforeEachPause) {
  run_async([]() -> Task<> {
    Flaky flaky{.failures = 2};
    std::vector<std::pair<int, Duration>> events;
    RetryOptions options{.backoff = kExact, .on_retry = [&](const RetryEvent& event) {
                           EXPECT_TRUE(detail::is_error<Refused>(event.error));
                           events.emplace_back(event.attempt, event.pause);
                         }};
    EXPECT_EQ(co_await retry([&] { return flaky.call(); }, std::move(options)), 3);
    EXPECT_EQ(events, (std::vector<std::pair<int, Duration>>{{1, 100ms}, {2, 200ms}}));
    RetryOptions throwing{.on_retry = [](const RetryEvent&) { throw std::logic_error("enough"); }};
    Flaky other{.failures = 2};
    EXPECT_EQ(co_await failure_of(retry([&] { return other.call(); }, std::move(throwing))),
              "enough");
  });
}

TEST(Retry, AnAttemptMayHaveATimeoutOfItsOwn) {
  run_async([]() -> Task<> {
    Flaky slow{.takes = 10s};
    const TimePoint begin = now();
    const auto attempt = [&] {
      if (slow.calls == 2) slow.takes = 1s;
      return with_timeout(2s, slow.call());
    };
    EXPECT_EQ(co_await retry(attempt, {.backoff = kExact}), 3);
    EXPECT_TRUE(is_after(begin, 2s + 100ms + 2s + 200ms + 1s));
  });
}

TEST(Retry, CancelEndsThePauseAndTheAttempt) {
  run_async([]() -> Task<> {
    for (const Duration takes : {Duration(0s), Duration(10h)}) {
      Flaky flaky{.failures = 100, .takes = takes};
      TaskGroup group;
      TaskHandle<int> handle =
          group.spawn(retry([&] { return flaky.call(); },
                            {.backoff = {.first = 10h, .longest = 10h, .jitter = Jitter::kNone}}));
      co_await sleep(1s);
      const TimePoint begin = now();
      handle.cancel();
      co_await group.join();
      EXPECT_EQ(handle.context()->outcome(), TaskOutcome::kCancelled);
      EXPECT_EQ(flaky.calls, 1);
      EXPECT_EQ(now(), begin);
    }
  });
}

TEST(Retry, RefusesWhatCannotBe) {
  run_async([]() -> Task<> {
    Flaky flaky;
    EXPECT_EQ(co_await failure_of(retry([&] { return flaky.call(); }, {.max_attempts = 0})),
              "retry: max_attempts must be at least 1");
    EXPECT_EQ(flaky.calls, 0);
  });
}

}  // namespace
}  // namespace coronado
