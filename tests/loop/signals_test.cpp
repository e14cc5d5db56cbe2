#include "loop/signals.hpp"

#include <coronado/coro/timeout.hpp>
#include <coronado/testing/async_test.hpp>

#include <gtest/gtest.h>
#include <signal.h>

#include <string>
#include <system_error>
#include <thread>

#include "tests/loop/reactor_kinds.hpp"

namespace coronado {
namespace {

using namespace std::chrono_literals;

class SignalTest : public testing::TestWithParam<ReactorKind> {
 protected:
  IOLoop loop_{{.reactor = GetParam(), .slow_step_threshold = Duration::zero()}};
};

#if __has_feature(thread_sanitizer)
// It hands a signal over in the next library call that it intercepts, and a thread that sleeps in
// liburing makes none: the loop would sleep on.
constexpr auto signal_reactors = [] {
  return testing::Values(ReactorKind::kSim, ReactorKind::kEpoll);
};
#else
constexpr auto signal_reactors = [] { return all_reactors(); };
#endif

INSTANTIATE_TEST_SUITE_P(Reactors, SignalTest, signal_reactors(), ReactorName());

bool has_default_action(int signal) {
  struct sigaction action{};
  ::sigaction(signal, nullptr, &action);
  return action.sa_handler == SIG_DFL;
}

TEST_P(SignalTest, OneThatWasKeptComesToWhoCatchesItFirst) {
  keep_signal(SIGUSR1);
  EXPECT_FALSE(has_default_action(SIGUSR1));
  ::raise(SIGUSR1);
  int times = 0;
  loop_.add_signal_handler(SIGUSR1, [&] {
    ++times;
    loop_.stop();
  });
  loop_.run();
  EXPECT_EQ(times, 1);
  loop_.remove_signal_handler(SIGUSR1);
  EXPECT_TRUE(has_default_action(SIGUSR1));
  ::signal(SIGUSR1, SIG_IGN);
  keep_signal(SIGUSR1);  // as it is told to be
  struct sigaction action{};
  ::sigaction(SIGUSR1, nullptr, &action);
  EXPECT_EQ(action.sa_handler, SIG_IGN);
  ::signal(SIGUSR1, SIG_DFL);
}

TEST_P(SignalTest, RunsOnTheLoop) {
  std::string log;
  loop_.add_signal_handler(SIGUSR1, [&] {
    EXPECT_EQ(IOLoop::current(), &loop_);
    log += '1';
  });
  loop_.add_signal_handler(SIGUSR2, [&] {
    log += '2';
    loop_.stop();
  });
  loop_.post([&] {
    ::raise(SIGUSR1);
    EXPECT_EQ(log, "");  // not inside the signal's own handler
  });
  loop_.post([] { ::raise(SIGUSR2); });
  loop_.run();
  EXPECT_EQ(log, "12");
}

TEST_P(SignalTest, TheNewestHandlerWinsAndRemovalRestoresTheDefault) {
  std::string log;
  loop_.add_signal_handler(SIGUSR1, [&] { log += "old"; });
  loop_.add_signal_handler(SIGUSR1, [&] {
    log += "new";
    loop_.remove_signal_handler(SIGUSR1);  // inside its own call
    loop_.stop();
  });
  EXPECT_FALSE(has_default_action(SIGUSR1));
  loop_.post([] { ::raise(SIGUSR1); });
  loop_.run();
  EXPECT_EQ(log, "new");
  EXPECT_TRUE(has_default_action(SIGUSR1));
  loop_.remove_signal_handler(SIGUSR1);
}

TEST_P(SignalTest, CloseRestoresTheDefault) {
  loop_.add_signal_handler(SIGUSR1, [] {});
  loop_.close();
  EXPECT_TRUE(has_default_action(SIGUSR1));
}

TEST_P(SignalTest, WakesALoopThatSleeps) {
  loop_.add_signal_handler(SIGUSR1, [&] { loop_.stop(); });
  // With virtual time the sleep ends at once, so something outside must be going on.
  loop_.reactor().begin_outside_work();
  std::thread sender([main = ::pthread_self()] { ::pthread_kill(main, SIGUSR1); });
  loop_.run();
  sender.join();
  loop_.reactor().end_outside_work();
}

TEST_P(SignalTest, WhatCannotBeCaught) {
  EXPECT_THROW(loop_.add_signal_handler(SIGKILL, [] {}), std::system_error);
  EXPECT_THROW(loop_.add_signal_handler(0, [] {}), std::system_error);
  EXPECT_THROW(loop_.add_signal_handler(-3, [] {}), std::system_error);
  EXPECT_THROW(loop_.add_signal_handler(100'000, [] {}), std::system_error);
}

TEST_P(SignalTest, AnotherLoopMayTakeItOver) {
  IOLoop other({.reactor = GetParam(), .slow_step_threshold = Duration::zero()});
  std::string log;
  loop_.add_signal_handler(SIGUSR1, [&] { log += "first"; });
  other.add_signal_handler(SIGUSR1, [&] {
    log += "second";
    other.stop();
  });
  other.post([] { ::raise(SIGUSR1); });
  other.run();
  EXPECT_EQ(log, "second");
  loop_.remove_signal_handler(SIGUSR1);  // no longer its own: the other one keeps it
  EXPECT_FALSE(has_default_action(SIGUSR1));
}

}  // namespace
}  // namespace coronado
