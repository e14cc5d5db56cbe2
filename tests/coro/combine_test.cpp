#include <coronado/coro/combine.hpp>

#include <coronado/coro/locks.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/testing/async_test.hpp>

#include <gtest/gtest.h>

#include <list>
#include <memory>
#include <string>
#include <vector>

#include "tests/coro/helpers.hpp"

namespace coronado {
namespace {

using namespace std::chrono_literals;

/// Says of itself how it ended.
struct Ending {
  int started = 0;
  int finished = 0;
  int cancelled = 0;
};

template <class T>
Task<T> after(Duration span, T value, Ending* ending = nullptr) {
  if (ending != nullptr) ++ending->started;
  try {
    co_await sleep(span);
  } catch (const Cancelled&) {
    if (ending != nullptr) ++ending->cancelled;
    throw;
  }
  if (ending != nullptr) ++ending->finished;
  co_return value;
}

Task<> fail_after(Duration span, std::string message) {
  co_await sleep(span);
  throw std::runtime_error(message);
}

/// Takes a while to end after it was cancelled.
Task<int> slow_to_stop(Ending& ending) {
  ++ending.started;
  try {
    co_await sleep(1h);
  } catch (const Cancelled&) {
    ++ending.cancelled;
  }
  co_await shield([]() -> Task<> { co_await sleep(10s); }());
  ++ending.finished;
  throw Cancelled{};
}

Duration since(TimePoint begin) { return IOLoop::current()->now() - begin; }

// --- multi ---------------------------------------------------------------------------------------

TEST(Multi, ResultsInOrderOfTheArguments) {
  run_async([]() -> Task<> {
    const TimePoint begin = IOLoop::current()->now();
    auto results = co_await multi(after(3s, 1), after(1s, std::string("two")), sleep(2s));
    EXPECT_EQ(std::get<0>(results), 1);
    EXPECT_EQ(std::get<1>(results), "two");
    EXPECT_GE(since(begin), 3s);
    EXPECT_LT(since(begin), 4s);
    co_await multi(sleep(1s), moment());  // nothing to return
  });
}

TEST(Multi, Vector) {
  run_async([]() -> Task<> {
    std::vector<Task<std::unique_ptr<int>>> tasks;
    for (int i = 0; i < 10; ++i) {
      tasks.push_back([](int n) -> Task<std::unique_ptr<int>> {
        co_await sleep(1s * (10 - n));
        co_return std::make_unique<int>(n);
      }(i));
    }
    const std::vector<std::unique_ptr<int>> results = co_await multi(std::move(tasks));
    for (int i = 0; i < 10; ++i) EXPECT_EQ(*results[static_cast<std::size_t>(i)], i);
    EXPECT_TRUE((co_await multi(std::vector<Task<int>>())).empty());
    co_await multi(std::vector<Task<>>());
  });
}

TEST(Multi, FirstFailureCancelsTheOthers) {
  run_async([]() -> Task<> {
    Ending ending;
    const TimePoint begin = IOLoop::current()->now();
    EXPECT_EQ(co_await failure_of(multi(after(1h, 1, &ending), fail_after(2s, "first"),
                                        slow_to_stop(ending), fail_after(3s, "too late"))),
              "first");
    EXPECT_EQ(ending.started, 2);
    EXPECT_EQ(ending.cancelled, 2);
    EXPECT_EQ(ending.finished, 1);
    EXPECT_GE(since(begin), 12s);  // it waited for the slow one
    EXPECT_LT(since(begin), 13s);
  });
}

TEST(Multi, FurtherFailuresAreLogged) {
  const ExpectLog log("another failure of multi() in task #");
  run_async(
      []() -> Task<> {
        EXPECT_EQ(co_await failure_of(multi(fail_after(1s, "one"), fail_after(1s, "two"))), "one");
      },
      kFirstInFirstOut);
  EXPECT_EQ(log.count(), 1U);
}

TEST(Multi, AChildCancelledByItself) {
  run_async([]() -> Task<> {
    const auto give_up = []() -> Task<> {
      co_await sleep(1s);
      throw Cancelled{};
    };
    EXPECT_EQ(co_await failure_of(multi(give_up(), after(2s, 1))), "Cancelled");
  });
}

TEST(Multi, CancelReachesAllAndWaitsForThem) {
  run_async([]() -> Task<> {
    Ending ending;
    const TimePoint begin = IOLoop::current()->now();
    EXPECT_EQ(
        co_await failure_of(with_timeout(1s, multi(after(1h, 1, &ending), slow_to_stop(ending)))),
        "Timeout");
    EXPECT_EQ(ending.cancelled, 2);
    EXPECT_GE(since(begin), 11s);
  });
}

TEST(Multi, DestroyedWithoutBeingAwaited) {
  auto captured = std::make_shared<int>(1);
  const auto hold = [](std::shared_ptr<int> held) -> Task<int> { co_return *held; };
  {
    const auto both = multi(hold(captured), hold(captured));
    std::vector<Task<int>> tasks;
    tasks.push_back(hold(captured));
    const auto list = multi(std::move(tasks));
    const auto first = race(hold(captured), hold(captured));
    EXPECT_EQ(captured.use_count(), 6);
  }
  EXPECT_EQ(captured.use_count(), 1);
}

TEST(Multi, InACancelledTaskNothingStarts) {
  run_async([]() -> Task<> {
    Ending ending;
    TaskGroup group;
    TaskHandle<> handle = group.spawn([](Ending& children) -> Task<> {
      IOLoop::current()->running()->cancel();
      co_await multi(after(1s, 1, &children), after(1s, 2, &children));
    }(ending));
    co_await group.join();
    EXPECT_EQ(handle.context()->outcome(), TaskOutcome::kCancelled);
    EXPECT_EQ(ending.started, 0);
  });
}

// --- race ----------------------------------------------------------------------------------------

TEST(Race, FirstWinsAndTheOthersHaveEnded) {
  run_async([]() -> Task<> {
    Ending ending;
    const TimePoint begin = IOLoop::current()->now();
    const auto result =
        co_await race(after(1h, 1, &ending), after(1s, std::string("won")), slow_to_stop(ending));
    EXPECT_EQ(result.index(), 1U);
    EXPECT_EQ(std::get<1>(result), "won");
    EXPECT_EQ(ending.cancelled, 2);
    EXPECT_EQ(ending.finished, 1);
    EXPECT_GE(since(begin), 11s);
  });
}

TEST(Race, VoidAndAwaiters) {
  run_async([]() -> Task<> {
    Event event;
    const auto result = co_await race(event.wait(), sleep(1s));
    EXPECT_EQ(result.index(), 1U);
    event.set();
    const auto second = co_await race(event.wait(), sleep(1s));
    EXPECT_EQ(second.index(), 0U);
    std::vector<Task<>> tasks;
    tasks.push_back(as_task(sleep(3s)));
    tasks.push_back(as_task(sleep(2s)));
    const std::size_t index = co_await race(std::move(tasks));
    EXPECT_EQ(index, 1U);
  });
}

TEST(Race, Vector) {
  run_async([]() -> Task<> {
    std::vector<Task<int>> tasks;
    for (int i = 0; i < 5; ++i) tasks.push_back(after(1s * (5 - i), i * 10));
    const RaceResult<int> result = co_await race(std::move(tasks));
    EXPECT_EQ(result.index, 4U);
    EXPECT_EQ(result.value, 40);
  });
}

TEST(Race, EmptyVector) {
  EXPECT_THROW((void)race(std::vector<Task<int>>()), std::invalid_argument);
}

TEST(Race, AFailureThatComesFirstIsThrown) {
  run_async([]() -> Task<> {
    Ending ending;
    EXPECT_EQ(co_await failure_of(race(fail_after(1s, "lost"), after(2s, 1, &ending))), "lost");
    EXPECT_EQ(ending.cancelled, 1);
  });
}

TEST(Race, AFailureOfALoserIsLogged) {
  const ExpectLog log("failure of a loser of race() in task #");
  run_async([]() -> Task<> {
    const auto bad_loser = []() -> Task<> {
      bool stopped = false;
      try {
        co_await sleep(1h);
      } catch (const Cancelled&) {
        stopped = true;
      }
      if (stopped) throw std::runtime_error("bad loser");
    };
    const auto result = co_await race(after(1s, 7), bad_loser());
    EXPECT_EQ(std::get<0>(result), 7);
  });
  EXPECT_EQ(log.count(), 1U);
  EXPECT_TRUE(log.lines().front().contains(": bad loser\n  thrown in lambda in "));
}

TEST(Race, CancelReachesAllAndWaitsForThem) {
  run_async([]() -> Task<> {
    Ending ending;
    const TimePoint begin = IOLoop::current()->now();
    EXPECT_EQ(
        co_await failure_of(with_timeout(1s, race(after(1h, 1, &ending), slow_to_stop(ending)))),
        "Timeout");
    EXPECT_EQ(ending.cancelled, 2);
    EXPECT_GE(since(begin), 11s);
  });
}

TEST(Race, FinishedWorkIsNotThrownAwayByACancel) {
  run_async([]() -> Task<> {
    const auto delivers_anyway = []() -> Task<int> {
      try {
        co_await sleep(1h);
      } catch (const Cancelled&) {
      }
      co_return 5;
    };
    const auto result = co_await with_timeout(1s, race(delivers_anyway(), after(1h, 1)));
    EXPECT_EQ(std::get<0>(result), 5);
  });
}

// --- map_concurrent ------------------------------------------------------------------------------

TEST(MapConcurrent, ResultsInOrderAndNeverMoreThanTheLimit) {
  run_async([]() -> Task<> {
    int running = 0;
    int most = 0;
    std::vector<int> items;
    for (int i = 0; i < 20; ++i) items.push_back(i);
    auto square = [&](int item) -> Task<std::string> {
      most = std::max(most, ++running);
      co_await sleep(1s * ((item * 7) % 5));
      --running;
      co_return std::to_string(item * item);
    };
    const std::vector<std::string> results = co_await map_concurrent(items, 3, std::move(square));
    EXPECT_EQ(results.size(), 20U);
    for (int i = 0; i < 20; ++i) {
      EXPECT_EQ(results[static_cast<std::size_t>(i)], std::to_string(i * i));
    }
    EXPECT_EQ(most, 3);
  });
}

TEST(MapConcurrent, VoidListAndMoreThanThereAre) {
  run_async([]() -> Task<> {
    std::list<std::unique_ptr<int>> items;
    for (int i = 1; i <= 4; ++i) items.push_back(std::make_unique<int>(i));
    int sum = 0;
    auto add = [&](std::unique_ptr<int>& item) -> Task<> {
      sum += *item;
      co_return;
    };
    co_await map_concurrent(std::move(items), 100, add);
    EXPECT_EQ(sum, 10);
    EXPECT_TRUE((co_await map_concurrent(std::vector<int>(), 1, [](int i) {
                  return after(1s, i);
                })).empty());
  });
}

TEST(MapConcurrent, FirstFailureCancelsAndLeavesTheRest) {
  run_async([]() -> Task<> {
    Ending ending;
    auto work = [&](int item) -> Task<int> {
      if (item == 2) {
        co_await sleep(1s);
        throw std::runtime_error("item 2");
      }
      co_return co_await after(1h, item, &ending);
    };
    std::vector<int> items(10);
    for (int i = 0; i < 10; ++i) items[static_cast<std::size_t>(i)] = i;
    EXPECT_EQ(co_await failure_of(map_concurrent(items, 4, work)), "item 2");
    EXPECT_EQ(ending.started, 3);
    EXPECT_EQ(ending.cancelled, 3);
  });
}

TEST(MapConcurrent, Cancel) {
  run_async([]() -> Task<> {
    Ending ending;
    auto work = [&](int item) { return after(1h, item, &ending); };
    EXPECT_EQ(
        co_await failure_of(with_timeout(1s, map_concurrent(std::vector<int>{1, 2, 3}, 2, work))),
        "Timeout");
    EXPECT_EQ(ending.started, 2);
    EXPECT_EQ(ending.cancelled, 2);
  });
}

TEST(MapConcurrent, LimitOfZero) {
  run_async([]() -> Task<> {
    auto work = [](int item) { return after(1s, item); };
    EXPECT_THROW((void)co_await map_concurrent(std::vector<int>{1}, 0, work),
                 std::invalid_argument);
  });
}

}  // namespace
}  // namespace coronado
