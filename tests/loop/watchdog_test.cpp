#include "loop/watchdog.hpp"

#include <coronado/coro/timeout.hpp>
#include <coronado/loop/ioloop.hpp>
#include <coronado/testing/expect_log.hpp>

#include <gtest/gtest.h>

#include <string>

namespace coronado {
namespace {

using namespace std::chrono_literals;

/// What depends on the machine's scheduler gets a few tries.
template <class F>
bool one_of_many_tries(F&& attempt) {
  for (int i = 0; i < 50; ++i) {
    if (attempt()) return true;
  }
  return false;
}

/// Busy for a while, in real time.
[[gnu::noinline]] void block(Duration span) {
  const TimePoint end = Clock::now() + span;
  while (Clock::now() < end) {
  }
}

TEST(Watchdog, FlagsAProbeThatDoesNotGetOn) {
  StepProbe probe;
  probe.idle = false;
  watch_steps(probe, 4ms);
  while (probe.slow_since.load() == 0) {
  }
  unwatch_steps(probe);
  EXPECT_LE(probe.slow_since.load(), (Clock::now() - 4ms).time_since_epoch().count());
}

TEST(Watchdog, LeavesIdleAndProgressingProbesAlone) {
  EXPECT_TRUE(one_of_many_tries([] {
    StepProbe idle;
    StepProbe moving;
    StepProbe stuck;
    moving.idle = false;
    stuck.idle = false;
    watch_steps(idle, 20ms);
    watch_steps(moving, 20ms);
    watch_steps(stuck, 60ms);
    while (stuck.slow_since.load() == 0) moving.count_step();
    unwatch_steps(stuck);
    unwatch_steps(moving);
    unwatch_steps(idle);
    EXPECT_EQ(idle.slow_since.load(), 0);
    return moving.slow_since.load() == 0;
  }));
}

Task<> slow_step() {
  block(30ms);
  co_await sleep(1ms);
}

TEST(Watchdog, ASlowTaskIsLoggedWithItsPlace) {
  const ExpectLog log("warning coronado.general: the loop was blocked for at least ");
  IOLoop loop({.slow_step_threshold = 5ms});
  TaskGroup group(loop, "", TaskGroup::OnFailure::kLog);
  EXPECT_TRUE(one_of_many_tries([&] {
    group.spawn(slow_step(), "slow one");
    loop.run_sync(as_task(group.join()));
    return log.count() > 0;
  }));
  const std::string line = log.lines().at(0);
  EXPECT_NE(line.find("by task #"), std::string::npos) << line;
  EXPECT_NE(line.find("\"slow one\" spawned at watchdog_test.cpp:"), std::string::npos) << line;
  EXPECT_NE(line.find("now at watchdog_test.cpp:"), std::string::npos) << line;
  EXPECT_NE(line.find("slow_step()"), std::string::npos) << line;
}

TEST(Watchdog, ASlowTaskIsLoggedWithItsStack) {
  const ExpectLog others("the loop was blocked");  // seen too late for a stack
  const ExpectLog log("; it was at\n    #0 ");
  IOLoop loop({.reactor = ReactorKind::kEpoll, .slow_step_threshold = 5ms});
  TaskGroup group(loop, "", TaskGroup::OnFailure::kLog);
  ASSERT_TRUE(one_of_many_tries([&] {
    group.spawn(slow_step());
    loop.run_sync(as_task(group.join()));
    return log.count() > 0 && log.lines().back().find("::block(") != std::string::npos;
  }));
  const std::string line = log.lines().back();
  EXPECT_NE(line.find("::slow_step("), std::string::npos) << line;
  EXPECT_EQ(line.find("Executor::run_ready"), std::string::npos) << line;
  general_log().warning("the loop was blocked: so that one line is there");
}

TEST(Watchdog, StacksCanBeTurnedOff) {
  const ExpectLog log("the loop was blocked for at least ");
  IOLoop loop(
      {.reactor = ReactorKind::kEpoll, .slow_step_threshold = 5ms, .slow_step_stacks = false});
  TaskGroup group(loop, "", TaskGroup::OnFailure::kLog);
  EXPECT_TRUE(one_of_many_tries([&] {
    group.spawn(slow_step());
    loop.run_sync(as_task(group.join()));
    return log.count() > 0;
  }));
  EXPECT_EQ(log.lines().at(0).find("it was at"), std::string::npos);
}

/// Blocks until the watchdog has said that it does not end.
Task<> endless_step(const ExpectLog& log) {
  while (log.count() == 0) block(1ms);
  co_return;
}

TEST(WatchdogThread, AStepThatDoesNotEndIsLoggedWhileItRuns) {
  const ExpectLog log("warning coronado.general: a loop has been blocked for ");
  const ExpectLog afterwards("the loop was blocked for at least ");
  IOLoop loop({.reactor = ReactorKind::kEpoll, .slow_step_threshold = 5ms});
  loop.run_sync(endless_step(log));
  const std::string line = log.lines().at(0);
  EXPECT_NE(line.find(" ms and still is"), std::string::npos) << line;
  EXPECT_EQ(log.count(), 1U);
}

TEST(Watchdog, ASlowCallbackIsLogged) {
  const ExpectLog log("the loop was blocked for at least ");
  IOLoop loop({.slow_step_threshold = 5ms});
  EXPECT_TRUE(one_of_many_tries([&] {
    loop.call_later(0s, [&] {
      block(30ms);
      loop.stop();
    });
    loop.run();
    return log.count() > 0;
  }));
  EXPECT_NE(log.lines().at(0).find(" ms by a callback"), std::string::npos) << log.lines()[0];
}

TEST(Watchdog, BetweenItsRunsALoopIsNotWatched) {
  const ExpectLog log("the loop was blocked");
  IOLoop loop({.slow_step_threshold = 10ms});
  EXPECT_TRUE(one_of_many_tries([&] {
    const std::size_t before = log.count();
    loop.run_sync(as_task(moment()));
    block(30ms);
    loop.run_sync(as_task(moment()));
    return log.count() == before;
  }));
  general_log().warning("the loop was blocked: so that one line is there");
}

}  // namespace
}  // namespace coronado
