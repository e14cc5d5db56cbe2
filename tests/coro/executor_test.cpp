#include <coronado/coro/executor.hpp>

#include <coronado/coro/timeout.hpp>
#include <coronado/testing/async_test.hpp>

#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "tests/coro/helpers.hpp"

namespace coronado {
namespace {

using namespace std::chrono_literals;

TEST(Executor, CurrentIsTheLoopThatRunsOnThisThread) {
  EXPECT_EQ(Executor::current(), nullptr);
  EXPECT_THROW(Executor::require_current(), std::logic_error);
  run_async([]() -> Task<> {
    EXPECT_EQ(&Executor::require_current(), IOLoop::current());
    EXPECT_EQ(Executor::current(), &IOLoop::current()->running()->executor());
    co_return;
  });
  EXPECT_EQ(Executor::current(), nullptr);
}

TEST(Executor, ReadyTasksRunInTheOrderInWhichTheyBecameReady) {
  std::string log;
  run_async(
      [&]() -> Task<> {
        TaskGroup group;
        for (char name = 'a'; name <= 'z'; ++name) {
          group.spawn([](std::string& out, char mine) -> Task<> {
            out += mine;
            co_return;
          }(log, name));
        }
        EXPECT_EQ(Executor::current()->ready_count(), 26U);
        co_await group.join();
      },
      kFirstInFirstOut);
  EXPECT_EQ(log, "abcdefghijklmnopqrstuvwxyz");
}

// --- a shuffled ready queue ----------------------------------------------------------------------

Task<> append(std::string& out, char name) {
  out += name;
  co_return;
}

/// The order in which 26 tasks run that were spawned one after the other.
std::string order_of(std::uint64_t seed) {
  std::string out;
  run_async(
      [&]() -> Task<> {
        EXPECT_EQ(Executor::current()->shuffle_seed(), seed);
        TaskGroup group;
        for (char name = 'a'; name <= 'z'; ++name) group.spawn(append(out, name));
        co_await group.join();
      },
      {.shuffle_seed = seed});
  return out;
}

TEST(ExecutorShuffle, TheSeedDecidesTheOrder) {
  const std::string in_order = "abcdefghijklmnopqrstuvwxyz";
  EXPECT_EQ(order_of(0), in_order);
  EXPECT_NE(order_of(1), in_order);
  EXPECT_EQ(sorted(order_of(1)), in_order) << "each runs once";
  EXPECT_EQ(order_of(1), order_of(1));
  EXPECT_NE(order_of(1), order_of(2));
}

TEST(ExecutorShuffle, AnyOfTheReadyMayComeFirst) {
  std::string first;
  for (std::uint64_t seed = 1; seed <= 400; ++seed) first += order_of(seed).front();
  std::sort(first.begin(), first.end());
  first.erase(std::unique(first.begin(), first.end()), first.end());
  EXPECT_EQ(first, "abcdefghijklmnopqrstuvwxyz");
}

TEST(ExecutorShuffle, AfterAMomentAllWhoWereReadyHaveRun) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    run_async(
        []() -> Task<> {
          std::string out;
          TaskGroup group;
          for (char name = 'a'; name <= 'z'; ++name) group.spawn(append(out, name));
          co_await moment();
          EXPECT_EQ(out.size(), 26U);
          for (char name = 'a'; name <= 'z'; ++name) group.spawn(append(out, name));
          co_await sleep(0s);
          EXPECT_EQ(out.size(), 52U) << "sleeping for no time gives way as well";
        },
        {.shuffle_seed = seed});
  }
}

TEST(ExecutorShuffle, NobodyIsLeftBehind) {
  run_async(
      []() -> Task<> {
        bool done = false;
        int ran = 0;
        TaskGroup group;
        const auto spin = [](const bool& stop) -> Task<> {
          while (!stop) co_await moment();
        };
        for (int i = 0; i < 100; ++i) group.spawn(spin(done));
        const auto step = [](int& count) -> Task<> {
          for (int i = 0; i < 100; ++i) co_await moment();
          ++count;
        };
        for (int i = 0; i < 100; ++i) group.spawn(step(ran));
        for (int i = 0; i < 110; ++i) co_await moment();
        EXPECT_EQ(ran, 100) << "as many moments as they, and then some";
        done = true;
        co_await group.join();
      },
      {.shuffle_seed = 5});
}

struct CountingTimer final : Timer {
  void on_timer() noexcept override {
    ++fired;
    if (again != nullptr && fired < 3) again->arm(*this, again->now() + 1s);
  }
  Executor* again = nullptr;
  int fired = 0;
};

TEST(Executor, TimersAreArmedMovedAndDisarmed) {
  run_async([]() -> Task<> {
    Executor& executor = Executor::require_current();
    CountingTimer timer;
    executor.disarm(timer);  // not armed: nothing happens
    executor.arm(timer, executor.now() + 1s);
    EXPECT_TRUE(timer.armed());
    EXPECT_EQ(timer.deadline(), executor.now() + 1s);
    executor.arm(timer, executor.now() + 5s);  // moved
    co_await sleep(3s);
    EXPECT_EQ(timer.fired, 0);
    co_await sleep(3s);
    EXPECT_EQ(timer.fired, 1);
    EXPECT_FALSE(timer.armed());
    executor.arm(timer, executor.now() + 1s);
    executor.disarm(timer);
    co_await sleep(3s);
    EXPECT_EQ(timer.fired, 1);
    executor.arm(timer, TimePoint::max());
    EXPECT_FALSE(timer.armed());
    timer.fired = 0;
    timer.again = &executor;
    executor.arm(timer, executor.now());
    co_await sleep(10s);
    EXPECT_EQ(timer.fired, 3);
  });
}

TEST(Executor, EachThreadHasItsOwn) {
  run_async([]() -> Task<> {
    Executor* other = Executor::current();
    std::thread([&] { other = Executor::current(); }).join();
    EXPECT_EQ(other, nullptr);
    EXPECT_NE(Executor::current(), nullptr);
    co_return;
  });
}

}  // namespace
}  // namespace coronado
