#include <coronado/coro/future.hpp>

#include <coronado/coro/combine.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/testing/async_test.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/coro/helpers.hpp"

namespace coronado {
namespace {

using namespace std::chrono_literals;

std::exception_ptr failure(const char* text) {
  return std::make_exception_ptr(std::runtime_error(text));
}

TEST(Future, DeliversAValueSetLater) {
  run_async([]() -> Task<> {
    Promise<std::unique_ptr<int>> promise;
    Future<std::unique_ptr<int>> future = promise.future();
    EXPECT_FALSE(future.done());
    IOLoop::current()->call_later(1s, [&] { promise.set_value(std::make_unique<int>(7)); });
    const std::unique_ptr<int> value = co_await future;
    EXPECT_EQ(*value, 7);
    EXPECT_TRUE(future.done());
  });
}

TEST(Future, DeliversAValueSetBefore) {
  run_async([]() -> Task<> {
    Promise<std::string> promise;
    promise.set_value("early");
    Future<std::string> future = promise.future();
    EXPECT_TRUE(future.done());
    EXPECT_EQ(co_await std::move(future), "early");
  });
}

TEST(Future, Void) {
  run_async([]() -> Task<> {
    Promise<> promise;
    Future<> future = promise.future();
    promise.set_value();
    co_await future;
    EXPECT_FALSE(Future<>());
    EXPECT_TRUE(future);
  });
}

TEST(Future, DeliversAnException) {
  run_async([]() -> Task<> {
    Promise<int> promise;
    Future<int> future = promise.future();
    promise.set_exception(failure("device is off"));
    std::string message;
    try {
      (void)co_await future;
    } catch (const std::runtime_error& error) {
      message = error.what();
    }
    EXPECT_EQ(message, "device is off");
  });
}

TEST(Future, AnErrorThatNobodyAwaitsIsLogged) {
  const ExpectLog log("failure of a future that nobody awaited: device is off");
  run_async([]() -> Task<> {
    Promise<int> promise;
    const Future<int> future = promise.future();
    promise.set_exception(failure("device is off"));
    co_return;
  });
  EXPECT_EQ(log.count(), 1U);
}

TEST(Future, BrokenPromise) {
  run_async([]() -> Task<> {
    Future<int> future;
    {
      Promise<int> promise;
      future = promise.future();
      Promise<int> moved = std::move(promise);
    }
    EXPECT_THROW((void)co_await future, ClosedError);
    auto late = std::make_unique<Promise<int>>();
    future = late->future();
    IOLoop::current()->call_later(1s, [&] { late.reset(); });
    EXPECT_THROW((void)co_await future, ClosedError);
    {
      const Promise<int> nobody_waits;
    }
  });
}

TEST(Future, CancelLeavesThePromiseUsable) {
  run_async([]() -> Task<> {
    Promise<int> promise;
    Future<int> future = promise.future();
    EXPECT_THROW((void)co_await with_timeout(1s, future.get()), TimeoutError);
    promise.set_value(3);
    EXPECT_EQ(co_await future, 3);
  });
}

TEST(Future, ResultInTheTurnOfACancelIsDelivered) {
  run_async([]() -> Task<> {
    Promise<int> promise;
    Future<int> future = promise.future();
    int got = 0;
    TaskGroup group;
    TaskHandle<> waiter = group.spawn(
        [](Future<int>& awaited, int& value) -> Task<> { value = co_await awaited; }(future, got));
    co_await moment();
    promise.set_value(4);
    waiter.cancel();
    co_await group.join();
    EXPECT_EQ(got, 4);
  });
}

TEST(Future, Misuse) {
  run_async([]() -> Task<> {
    Promise<int> promise;
    Future<int> future = promise.future();
    EXPECT_EQ(message_of([&] { (void)promise.future(); }),
              "the future of the promise was taken already");
    EXPECT_EQ(message_of([&] { (void)future.result(); }),
              "the promise has not delivered its result yet");
    TaskGroup group;
    group.spawn([](Future<int>& awaited) -> Task<> { (void)co_await awaited; }(future));
    co_await moment();
    EXPECT_THROW((void)co_await future, std::logic_error);
    promise.set_value(1);
    EXPECT_EQ(message_of([&] { promise.set_value(2); }),
              "the promise has delivered its result already");
    EXPECT_THROW(promise.set_exception(failure("late")), std::logic_error);
    co_await group.join();
    EXPECT_THROW((void)future.result(), std::logic_error);
  });
}

TEST(Future, OutsideALoopAPromiseNeedsOne) { EXPECT_THROW(Promise<int>(), std::logic_error); }

TEST(Future, AwaitedOnAnotherLoop) {
  IOLoop other({.reactor = ReactorKind::kSim});
  Promise<int> promise(other);
  Future<int> future = promise.future();
  run_async([&]() -> Task<> { EXPECT_THROW((void)co_await future, std::logic_error); });
}

TEST(Future, DoneCallbacks) {
  std::vector<std::string> log;
  run_async([&]() -> Task<> {
    Promise<int> promise;
    Future<int> future = promise.future();
    future.add_done_callback(
        [&](Future<int> done) { log.push_back("value " + std::to_string(done.result())); });
    future.add_done_callback(
        [&](Future<int> done) { log.push_back(message_of([&] { (void)done.result(); })); });
    co_await moment();
    EXPECT_TRUE(log.empty());
    promise.set_value(9);
    EXPECT_TRUE(log.empty());  // never inside set_value
    co_await sleep(1s);
    future.add_done_callback([&](Future<int>) { log.push_back("at once"); });
    co_await sleep(1s);
  });
  EXPECT_EQ(log, (std::vector<std::string>{"value 9", "the result of the promise was taken already",
                                           "at once"}));
}

TEST(Future, DoneCallbackThatThrowsIsLogged) {
  const ExpectLog log("exception in callback: no");
  run_async([]() -> Task<> {
    Promise<> promise;
    promise.set_value();
    promise.future().add_done_callback([](Future<>) { throw std::runtime_error("no"); });
    co_await sleep(1s);
  });
}

TEST(FutureThread, ResultsFromOtherThreads) {
  run_async(
      []() -> Task<> {
        constexpr int kThreads = 8;
        std::vector<std::thread> threads;
        std::vector<Task<int>> tasks;
        for (int i = 0; i < kThreads; ++i) {
          Promise<int> promise;
          tasks.push_back(as_task(promise.future()));
          threads.emplace_back([i, mine = std::move(promise)]() mutable {
            if (i == 3) return;  // breaks its promise
            if (i == 5) return mine.set_exception(failure("five"));
            mine.set_value(i);
          });
        }
        for (int i = 0; i < kThreads; ++i) {
          Task<int>& task = tasks[static_cast<std::size_t>(i)];
          std::string outcome;
          try {
            outcome = std::to_string(co_await std::move(task));
          } catch (const ClosedError&) {
            outcome = "broken";
          } catch (const std::runtime_error& error) {
            outcome = error.what();
          }
          EXPECT_EQ(outcome, i == 3 ? "broken" : i == 5 ? "five" : std::to_string(i));
        }
        for (std::thread& thread : threads) thread.join();
      },
      {.reactor = ReactorKind::kEpoll});
}

}  // namespace
}  // namespace coronado
