#include <coronado/loop/signal_wait.hpp>

#include <coronado/coro/combine.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/testing/async_test.hpp>

#include <gtest/gtest.h>
#include <signal.h>

#include <string>

namespace coronado {
namespace {

using namespace std::chrono_literals;

class SignalWaitTest : public testing::TestWithParam<ReactorKind> {
 protected:
  template <class F>
  void run(F&& body) {
    run_async(std::forward<F>(body), {.reactor = GetParam()});
  }
};

INSTANTIATE_TEST_SUITE_P(Reactors, SignalWaitTest,
                         testing::Values(ReactorKind::kSim, ReactorKind::kEpoll),
                         [](const auto& each) {
                           return each.param == ReactorKind::kSim ? "Sim" : "Epoll";
                         });

bool has_default_action(int signal) {
  struct sigaction action{};
  ::sigaction(signal, nullptr, &action);
  return action.sa_handler == SIG_DFL;
}

TEST_P(SignalWaitTest, ReturnsTheSignalThatCame) {
  run([]() -> Task<> {
    IOLoop::current()->call_later(1ms, [] { ::raise(SIGUSR2); });
    EXPECT_EQ(co_await wait_for_signal({SIGUSR1, SIGUSR2}), SIGUSR2);
    EXPECT_TRUE(has_default_action(SIGUSR1));
    EXPECT_TRUE(has_default_action(SIGUSR2));
  });
}

TEST_P(SignalWaitTest, ShutdownRequested) {
  run([]() -> Task<> {
    for (const int signal : {SIGTERM, SIGINT}) {
      IOLoop::current()->call_later(1ms, [signal] { ::raise(signal); });
      EXPECT_EQ(co_await shutdown_requested(), signal);
    }
  });
}

TEST_P(SignalWaitTest, CancellationRestoresTheDefault) {
  run([]() -> Task<> {
    bool timed_out = false;
    try {
      co_await with_timeout(1ms, wait_for_signal({SIGUSR1, SIGUSR2}));
    } catch (const TimeoutError&) {
      timed_out = true;
    }
    EXPECT_TRUE(timed_out);
    EXPECT_TRUE(has_default_action(SIGUSR1));
    EXPECT_TRUE(has_default_action(SIGUSR2));
  });
}

TEST_P(SignalWaitTest, AWatchKeepsWhatComesBetween) {
  run([]() -> Task<> {
    SignalWatch watch({SIGUSR1, SIGUSR2});
    ::raise(SIGUSR2);
    co_await sleep(1ms);
    ::raise(SIGUSR1);
    ::raise(SIGUSR1);  // one with the other
    co_await sleep(1ms);
    EXPECT_EQ(co_await watch.next(), SIGUSR2);
    EXPECT_EQ(co_await watch.next(), SIGUSR1);
    bool timed_out = false;
    try {
      co_await with_timeout(1ms, watch.next());
    } catch (const TimeoutError&) {
      timed_out = true;
    }
    EXPECT_TRUE(timed_out);
    ::raise(SIGUSR1);
    EXPECT_EQ(co_await watch.next(), SIGUSR1);  // a cancelled wait leaves the watch as it was
  });
}

TEST_P(SignalWaitTest, ASignalThatHasWokenTheTaskSurvivesItsCancellation) {
  run([]() -> Task<> {
    SignalWatch watch({SIGUSR1});
    TaskGroup group("waiters", TaskGroup::OnFailure::kHandle);
    TaskHandle<int> waiter = group.spawn(
        [](SignalWatch& signals) -> Task<int> { co_return co_await signals.next(); }(watch));
    IOLoop::current()->add_signal_handler(SIGUSR1, [&] { waiter.cancel(); });  // after the wake
    co_await moment();
    ::raise(SIGUSR1);
    EXPECT_EQ(co_await waiter.join(), SIGUSR1);
    IOLoop::current()->remove_signal_handler(SIGUSR1);
  });
}

TEST_P(SignalWaitTest, EveryWatchAndTheHandlerAreTold) {
  run([]() -> Task<> {
    int handled = 0;
    IOLoop& loop = *IOLoop::current();
    loop.add_signal_handler(SIGUSR1, [&] { ++handled; });
    loop.call_later(1ms, [] { ::raise(SIGUSR1); });
    const auto both = co_await multi(wait_for_signal({SIGUSR1}), wait_for_signal({SIGUSR1}));
    EXPECT_EQ(both, std::make_tuple(SIGUSR1, SIGUSR1));
    EXPECT_EQ(handled, 1);
    EXPECT_FALSE(has_default_action(SIGUSR1));  // the handler is still there
    {
      SignalWatch watch({SIGUSR1});
      loop.remove_signal_handler(SIGUSR1);
      EXPECT_FALSE(has_default_action(SIGUSR1));
    }
    EXPECT_TRUE(has_default_action(SIGUSR1));
  });
}

TEST_P(SignalWaitTest, WhatCannotBeCaughtLeavesNothingBehind) {
  run([]() -> Task<> {
    bool thrown = false;
    try {
      co_await wait_for_signal({SIGUSR1, SIGKILL});
    } catch (const std::system_error& error) {
      thrown = true;
      EXPECT_NE(std::string(error.what()).find("signal 9"), std::string::npos) << error.what();
    }
    EXPECT_TRUE(thrown);
    EXPECT_TRUE(has_default_action(SIGUSR1));
  });
}

TEST_P(SignalWaitTest, OneWaiterAtATime) {
  run([]() -> Task<> {
    SignalWatch watch({SIGUSR1});
    TaskGroup group("waiters", TaskGroup::OnFailure::kHandle);
    const auto wait = [](SignalWatch& signals) -> Task<int> { co_return co_await signals.next(); };
    TaskHandle<int> waiter = group.spawn(wait(watch));
    co_await moment();
    bool refused = false;
    try {
      co_await watch.next();
    } catch (const std::logic_error&) {
      refused = true;
    }
    EXPECT_TRUE(refused);
    ::raise(SIGUSR1);
    EXPECT_EQ(co_await waiter.join(), SIGUSR1);
  });
}

TEST(SignalWatch, NeedsALoop) { EXPECT_THROW(SignalWatch({SIGUSR1}), std::logic_error); }

}  // namespace
}  // namespace coronado
