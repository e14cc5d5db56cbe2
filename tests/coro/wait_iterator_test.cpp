#include <coronado/coro/wait_iterator.hpp>

#include <coronado/coro/timeout.hpp>
#include <coronado/testing/async_test.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/coro/helpers.hpp"

namespace coronado {
namespace {

using namespace std::chrono_literals;

Task<int> after(Duration span, int value, int* cancelled = nullptr) {
  try {
    co_await sleep(span);
  } catch (const Cancelled&) {
    if (cancelled != nullptr) ++*cancelled;
    throw;
  }
  co_return value;
}

TEST(WaitIterator, ResultsInTheOrderInWhichTheyCome) {
  run_async([]() -> Task<> {
    WaitIterator<int> results(after(3s, 30), after(1s, 10), after(2s, 20));
    std::vector<int> values;
    std::vector<std::size_t> indexes;
    while (!results.done()) {
      values.push_back(co_await results.next());
      indexes.push_back(results.current_index());
    }
    EXPECT_EQ(values, (std::vector<int>{10, 20, 30}));
    EXPECT_EQ(indexes, (std::vector<std::size_t>{1, 2, 0}));
    EXPECT_THROW((void)results.next(), std::logic_error);
  });
}

TEST(WaitIterator, AsCompletedWithManyAtOnce) {
  run_async([]() -> Task<> {
    std::vector<Task<std::unique_ptr<int>>> tasks;
    for (int i = 0; i < 100; ++i) {
      tasks.push_back([](int n) -> Task<std::unique_ptr<int>> {
        co_await sleep(1s * (n % 7));
        co_return std::make_unique<int>(n);
      }(i));
    }
    auto results = as_completed(std::move(tasks));
    co_await sleep(4s);
    int taken = 0;
    int last = 0;
    while (!results.done()) {
      const std::unique_ptr<int> value = co_await results.next();
      EXPECT_EQ(static_cast<std::size_t>(*value), results.current_index());
      EXPECT_GE(*value % 7, last);
      last = *value % 7;
      ++taken;
    }
    EXPECT_EQ(taken, 100);
    EXPECT_TRUE(as_completed(std::vector<Task<>>()).done());
  });
}

TEST(WaitIterator, AFailureConcernsOneOnly) {
  run_async([]() -> Task<> {
    const auto fail = []() -> Task<int> {
      co_await sleep(1s);
      throw std::runtime_error("one of them");
    };
    const auto give_up = []() -> Task<int> {
      co_await sleep(2s);
      throw Cancelled{};
    };
    WaitIterator<int> results(fail(), after(3s, 3), give_up());
    EXPECT_THROW((void)co_await results.next(), std::runtime_error);
    EXPECT_EQ(results.current_index(), 0U);
    EXPECT_THROW((void)co_await results.next(), Cancelled);
    EXPECT_EQ(results.current_index(), 2U);
    EXPECT_EQ(co_await results.next(), 3);
    EXPECT_TRUE(results.done());
  });
}

TEST(WaitIterator, CancelCancelsAllAndWaitsForThem) {
  int cancelled = 0;
  run_async([&]() -> Task<> {
    const auto iterate = [](int& told) -> Task<> {
      WaitIterator<int> results(after(1h, 1, &told), after(1s, 2, &told), after(1h, 3, &told));
      EXPECT_EQ(co_await results.next(), 2);
      (void)co_await results.next();
    };
    EXPECT_THROW(co_await with_timeout(2s, iterate(cancelled)), TimeoutError);
    EXPECT_EQ(cancelled, 2);
  });
}

TEST(WaitIterator, InATaskThatIsBeingCancelled) {
  int cancelled = 0;
  run_async([&]() -> Task<> {
    TaskGroup group;
    TaskHandle<> handle = group.spawn([](int& told) -> Task<> {
      WaitIterator<int> results(after(1h, 1, &told), after(1h, 2, &told));
      co_await moment();
      IOLoop::current()->running()->cancel();
      (void)co_await results.next();
    }(cancelled));
    co_await group.join();
    EXPECT_EQ(handle.context()->outcome(), TaskOutcome::kCancelled);
    EXPECT_EQ(cancelled, 2);
  });
}

TEST(WaitIterator, CloseEndsEarly) {
  run_async(
      []() -> Task<> {
        int cancelled = 0;
        WaitIterator<int> results(after(1h, 1, &cancelled), after(1s, 2), after(1s, 3),
                                  after(1h, 4, &cancelled));
        EXPECT_EQ(co_await results.next(), 2);
        co_await results.close();
        EXPECT_EQ(cancelled, 2);
        EXPECT_TRUE(results.done());
        co_await results.close();
      },
      kFirstInFirstOut);
}

TEST(WaitIterator, CancelWhileClosingWaitsAllTheSame) {
  run_async([]() -> Task<> {
    bool ended = false;
    TaskGroup group;
    TaskHandle<> handle = group.spawn([](bool& told) -> Task<> {
      const auto slow_to_stop = [](bool& out) -> Task<int> {
        co_await shield(as_task(sleep(10s)));
        out = true;
        co_return 1;
      };
      WaitIterator<int> results(slow_to_stop(told), after(1h, 2));
      co_await results.close();
    }(ended));
    co_await sleep(1s);
    handle.cancel();
    co_await sleep(1s);
    EXPECT_FALSE(handle.done());
    co_await group.join();
    EXPECT_TRUE(ended);
    EXPECT_EQ(handle.context()->outcome(), TaskOutcome::kCancelled);
  });
}

TEST(WaitIterator, DestroyedEarlyIsLogged) {
  const ExpectLog log("an iterator over tasks was destroyed while its task #");
  int cancelled = 0;
  run_async([&]() -> Task<> {
    {
      WaitIterator<int> results(after(1h, 1, &cancelled), after(1s, 2));
      EXPECT_EQ(co_await results.next(), 2);
    }
    co_await moment();
    EXPECT_EQ(cancelled, 1);
  });
  EXPECT_EQ(log.count(), 1U);
}

TEST(WaitIterator, OutsideALoop) {
  EXPECT_THROW(WaitIterator<int>(std::vector<Task<int>>()), std::logic_error);
}

}  // namespace
}  // namespace coronado
