#include <coronado/coro/executor.hpp>

#include <coronado/coro/timeout.hpp>
#include <coronado/testing/async_test.hpp>

#include <gtest/gtest.h>

#include <string>
#include <thread>

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
  run_async([&]() -> Task<> {
    TaskGroup group;
    for (char name = 'a'; name <= 'z'; ++name) {
      group.spawn([](std::string& out, char mine) -> Task<> {
        out += mine;
        co_return;
      }(log, name));
    }
    EXPECT_EQ(Executor::current()->ready_count(), 26U);
    co_await group.join();
  });
  EXPECT_EQ(log, "abcdefghijklmnopqrstuvwxyz");
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
