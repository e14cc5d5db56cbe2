#include <coronado/loop/periodic.hpp>

#include <coronado/coro/timeout.hpp>
#include <coronado/testing/async_test.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

namespace coronado {
namespace {

using namespace std::chrono_literals;

/// Seconds since the loop began, to the nearest tenth: what a call notes.
class Stopwatch {
 public:
  Stopwatch() : begin_(IOLoop::current()->now()) {}
  double seconds() const {
    const auto passed = IOLoop::current()->now() - begin_;
    return static_cast<double>((passed + 50ms) / 100ms) / 10;
  }

 private:
  TimePoint begin_;
};

TEST(PeriodicCallback, CallsAtAFixedRate) {
  run_async([]() -> Task<> {
    const Stopwatch watch;
    std::vector<double> calls;
    PeriodicCallback beat([&] { calls.push_back(watch.seconds()); }, 10s);
    EXPECT_FALSE(beat.is_running());
    beat.start();
    beat.start();
    EXPECT_TRUE(beat.is_running());
    co_await sleep(45s);
    EXPECT_EQ(calls, (std::vector<double>{10, 20, 30, 40}));
    beat.stop();
    beat.stop();
    EXPECT_FALSE(beat.is_running());
    co_await sleep(45s);
    EXPECT_EQ(calls.size(), 4U);
    beat.start();  // counts from here
    co_await sleep(11s);
    EXPECT_EQ(calls.back(), 100);
  });
}

TEST(PeriodicCallback, ACoroutineNeverOverlapsAndMissedCallsAreLeftOut) {
  run_async([]() -> Task<> {
    const Stopwatch watch;
    std::vector<double> calls;
    int running = 0;
    PeriodicCallback beat(
        [&]() -> Task<> {
          EXPECT_EQ(++running, 1);
          calls.push_back(watch.seconds());
          co_await sleep(calls.size() == 2 ? 25s : 3s);
          --running;
        },
        10s);
    beat.start();
    co_await sleep(75s);
    EXPECT_EQ(calls, (std::vector<double>{10, 20, 50, 60, 70}));
  });
}

TEST(PeriodicCallback, ASlowFunctionDoesNotMakeItDrift) {
  run_async([]() -> Task<> {
    const Stopwatch watch;
    std::vector<double> calls;
    PeriodicCallback beat([&] { calls.push_back(watch.seconds()); }, 1s);
    beat.start();
    for (int i = 0; i < 10; ++i) co_await sleep(1030ms);
    EXPECT_EQ(calls, (std::vector<double>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}));
  });
}

TEST(PeriodicCallback, ErrorsAreLoggedAndItGoesOn) {
  const ExpectLog log("error coronado.application: exception in periodic callback: ");
  run_async([]() -> Task<> {
    int calls = 0;
    PeriodicCallback plain(
        [&] {
          ++calls;
          throw std::runtime_error("plain");
        },
        1s);
    PeriodicCallback async(
        [&]() -> Task<> {
          ++calls;
          co_await moment();
          throw std::runtime_error("async");
        },
        1s);
    PeriodicCallback odd(
        [&] {
          ++calls;
          throw 42;
        },
        1s);
    plain.start();
    async.start();
    odd.start();
    co_await sleep(2500ms);
    EXPECT_EQ(calls, 6);
  });
  EXPECT_EQ(log.count(), 6U);
}

TEST(PeriodicCallback, StoppedByItself) {
  run_async([]() -> Task<> {
    int calls = 0;
    std::unique_ptr<PeriodicCallback> beat;
    beat = std::make_unique<PeriodicCallback>(
        [&] {
          if (++calls == 3) beat->stop();
        },
        1s);
    beat->start();
    co_await sleep(10s);
    EXPECT_EQ(calls, 3);
    calls = 0;
    beat = std::make_unique<PeriodicCallback>(
        [&] {
          if (++calls == 3) beat.reset();  // destroyed by its own callback
        },
        1s);
    beat->start();
    co_await sleep(10s);
    EXPECT_EQ(calls, 3);
  });
}

TEST(PeriodicCallback, DestroyedWhileItsCoroutineRuns) {
  run_async([]() -> Task<> {
    auto token = std::make_shared<std::string>("captured");
    std::string seen;
    auto beat = std::make_unique<PeriodicCallback>(
        [&seen, token]() -> Task<> {
          co_await sleep(5s);
          seen = *token;
        },
        1s);
    beat->start();
    co_await sleep(2s);
    beat.reset();
    EXPECT_EQ(token.use_count(), 2);
    co_await sleep(10s);
    EXPECT_EQ(seen, "captured");
    EXPECT_EQ(token.use_count(), 1);
  });
}

TEST(PeriodicCallback, RestartedWhileItsCoroutineRuns) {
  run_async([]() -> Task<> {
    const Stopwatch watch;
    std::vector<double> calls;
    PeriodicCallback beat(
        [&]() -> Task<> {
          calls.push_back(watch.seconds());
          co_await sleep(5s);
        },
        2s);
    beat.start();
    co_await sleep(3s);
    beat.stop();
    beat.start();
    co_await sleep(7s);
    EXPECT_EQ(calls, (std::vector<double>{2, 9}));  // 3 + 3 * 2, after the first had ended at 7
  });
}

TEST(PeriodicCallback, JitterStaysWithinItsBounds) {
  run_async([]() -> Task<> {
    std::vector<Duration> gaps;
    TimePoint last = IOLoop::current()->now();
    PeriodicCallback beat(
        [&] {
          gaps.push_back(IOLoop::current()->now() - last);
          last = IOLoop::current()->now();
        },
        10s, 0.5);
    beat.start();
    co_await sleep(3000s);
    EXPECT_GT(gaps.size(), 200U);
    const auto [least, most] = std::minmax_element(gaps.begin(), gaps.end());
    EXPECT_GE(*least, 7400ms);
    EXPECT_LE(*most, 12600ms);
    EXPECT_LT(*least, 8500ms);
    EXPECT_GT(*most, 11500ms);
  });
}

TEST(PeriodicCallback, BadArguments) {
  const auto make = [](Duration period, double jitter) {
    PeriodicCallback beat([] {}, period, jitter);
  };
  EXPECT_THROW(make(0s, 0), std::invalid_argument);
  EXPECT_THROW(make(-1s, 0), std::invalid_argument);
  EXPECT_THROW(make(1s, -0.1), std::invalid_argument);
  EXPECT_THROW(make(1s, 1.1), std::invalid_argument);
  PeriodicCallback beat([] {}, 1s);
  EXPECT_THROW(beat.start(), std::logic_error);
  EXPECT_FALSE(beat.is_running());
}

TEST(PeriodicCallback, OutlivesItsLoop) {
  std::unique_ptr<PeriodicCallback> beat;
  run_async([&]() -> Task<> {
    beat = std::make_unique<PeriodicCallback>([] {}, 1s);
    beat->start();
    co_return;
  });
  EXPECT_TRUE(beat->is_running());
}

}  // namespace
}  // namespace coronado
