#include <coronado/coro/async_generator.hpp>

#include <coronado/coro/combine.hpp>
#include <coronado/coro/registry.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/testing/async_test.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/coro/helpers.hpp"

namespace coronado {
namespace {

using namespace std::chrono_literals;

/// Says in a string that it has gone.
class Witness {
 public:
  Witness(std::string& log, char name) : log_(log), name_(name) {}
  Witness(const Witness&) = delete;
  Witness& operator=(const Witness&) = delete;
  ~Witness() { log_ += name_; }

 private:
  std::string& log_;
  char name_;
};

AsyncGenerator<int> count_to(int last) {
  for (int i = 1; i <= last; ++i) co_yield i;
}

AsyncGenerator<int> tick(Duration pause) {
  for (int i = 1;; ++i) {
    co_await sleep(pause);
    co_yield i;
  }
}

AsyncGenerator<int> guarded(std::string& log, Duration pause) {
  const Witness witness(log, 'u');
  for (int i = 1;; ++i) {
    co_yield i;
    co_await sleep(pause);
  }
}

Task<int> sum(AsyncGenerator<int> numbers) {
  int total = 0;
  while (const int* number = co_await numbers.next()) total += *number;
  co_return total;
}

// --- values --------------------------------------------------------------------------------------

TEST(AsyncGenerator, YieldsInOrderAndEnds) {
  run_async([]() -> Task<> {
    AsyncGenerator<int> numbers = count_to(3);
    for (int expected = 1; expected <= 3; ++expected) {
      const int* number = co_await numbers.next();
      EXPECT_EQ(*number, expected);
      EXPECT_FALSE(numbers.done());
    }
    EXPECT_EQ(co_await numbers.next(), nullptr);
    EXPECT_TRUE(numbers.done());
    EXPECT_EQ(co_await numbers.next(), nullptr) << "and so it stays";
    EXPECT_EQ(co_await sum(count_to(0)), 0);
    AsyncGenerator<int> none;
    EXPECT_TRUE(none.done());
    EXPECT_EQ(co_await none.next(), nullptr);
  });
}

TEST(AsyncGenerator, NothingRunsBeforeTheFirstNext) {
  run_async([]() -> Task<> {
    std::string log;
    {
      AsyncGenerator<int> unused = guarded(log, 1s);
      EXPECT_FALSE(unused.done());
    }
    EXPECT_EQ(log, "");
    co_return;
  });
}

TEST(AsyncGenerator, AwaitsBetweenItsValues) {
  run_async([]() -> Task<> {
    const TimePoint begin = IOLoop::current()->now();
    AsyncGenerator<int> ticks = tick(10s);
    for (int i = 1; i <= 3; ++i) {
      EXPECT_EQ(*co_await ticks.next(), i);
      EXPECT_TRUE(is_after(begin, 10s * i));
    }
  });
}

AsyncGenerator<std::unique_ptr<int>> boxes() {
  co_yield std::make_unique<int>(1);
  auto second = std::make_unique<int>(2);
  co_yield std::move(second);
  EXPECT_EQ(second, nullptr) << "the consumer took it";
}

TEST(AsyncGenerator, AValueMayBeMovedOut) {
  run_async([]() -> Task<> {
    AsyncGenerator<std::unique_ptr<int>> source = boxes();
    std::vector<std::unique_ptr<int>> taken;
    while (std::unique_ptr<int>* box = co_await source.next()) taken.push_back(std::move(*box));
    EXPECT_EQ(taken.size(), 2U);
    EXPECT_EQ(*taken.at(0) + *taken.at(1), 3);
  });
}

AsyncGenerator<std::string> words() {
  std::string word = "mine";
  co_yield word;
  EXPECT_EQ(word, "mine") << "the consumer got a copy";
  co_yield "converted";
}

AsyncGenerator<std::string&> same_word(std::string& word) {
  co_yield word;
  EXPECT_EQ(word, "yours");
}

TEST(AsyncGenerator, CopiesAnLvalueUnlessItYieldsReferences) {
  run_async([]() -> Task<> {
    AsyncGenerator<std::string> copies = words();
    *co_await copies.next() = "changed";
    EXPECT_EQ(*co_await copies.next(), "converted");
    EXPECT_EQ(co_await copies.next(), nullptr);

    std::string word = "mine";
    AsyncGenerator<std::string&> references = same_word(word);
    std::string* same = co_await references.next();
    EXPECT_EQ(same, &word);
    *same = "yours";
    EXPECT_EQ(co_await references.next(), nullptr);
  });
}

AsyncGenerator<int> squares(AsyncGenerator<int> numbers) {
  while (const int* number = co_await numbers.next()) co_yield *number** number;
}

TEST(AsyncGenerator, MayReadAnother) {
  run_async([]() -> Task<> { EXPECT_EQ(co_await sum(squares(squares(count_to(3)))), 98); });
}

TEST(AsyncGenerator, ManyValuesDoNotGrowTheStack) {
  run_async([]() -> Task<> { EXPECT_EQ(co_await sum(squares(count_to(1000))), 333'833'500); });
  run_async([]() -> Task<> { EXPECT_GT(co_await sum(count_to(60'000)), 0); });
}

TEST(AsyncGenerator, MovesWithItsState) {
  run_async([]() -> Task<> {
    AsyncGenerator<int> numbers = count_to(4);
    (void)co_await numbers.next();
    AsyncGenerator<int> moved = std::move(numbers);
    EXPECT_EQ(*co_await moved.next(), 2);
    AsyncGenerator<int> assigned = count_to(9);
    assigned = std::move(moved);
    EXPECT_EQ(co_await sum(std::move(assigned)), 7);
  });
}

// --- its end -------------------------------------------------------------------------------------

AsyncGenerator<int> failing(std::string& log) {
  const Witness witness(log, 'u');
  co_yield 1;
  co_await moment();
  throw std::runtime_error("broken");
}

TEST(AsyncGenerator, ThrowsOnceAndHasEnded) {
  run_async([]() -> Task<> {
    std::string log;
    AsyncGenerator<int> numbers = failing(log);
    EXPECT_EQ(*co_await numbers.next(), 1);
    std::string message;
    try {
      (void)co_await numbers.next();
    } catch (const std::runtime_error& error) {
      message = error.what();
    }
    EXPECT_EQ(message, "broken");
    EXPECT_EQ(log, "u");
    EXPECT_TRUE(numbers.done());
    EXPECT_EQ(co_await numbers.next(), nullptr);
  });
}

TEST(AsyncGenerator, DestroyedEarlyUnwindsItsLocals) {
  run_async([]() -> Task<> {
    std::string log;
    {
      AsyncGenerator<int> numbers = guarded(log, 1s);
      (void)co_await numbers.next();
      (void)co_await numbers.next();
      EXPECT_EQ(log, "");
    }
    EXPECT_EQ(log, "u");
  });
}

// --- cancellation --------------------------------------------------------------------------------

TEST(AsyncGenerator, CancelReachesWhatItWaitsFor) {
  run_async([]() -> Task<> {
    std::string log;
    AsyncGenerator<int> numbers = guarded(log, 1h);
    TaskGroup group;
    TaskHandle<int> consumer = group.spawn([](AsyncGenerator<int>& source) -> Task<int> {
      int total = 0;
      while (const int* number = co_await source.next()) total += *number;
      co_return total;
    }(numbers));
    co_await sleep(1s);
    consumer.cancel();
    co_await group.join();
    EXPECT_EQ(consumer.context()->outcome(), TaskOutcome::kCancelled);
    EXPECT_EQ(log, "u");
    EXPECT_TRUE(numbers.done());
    EXPECT_EQ(co_await numbers.next(), nullptr);
  });
}

TEST(AsyncGenerator, ATimeoutAroundNextEndsIt) {
  run_async([]() -> Task<> {
    AsyncGenerator<int> slow = tick(1min);
    bool timed_out = false;
    try {
      (void)co_await with_timeout(10s, slow.next());
    } catch (const TimeoutError&) {
      timed_out = true;
    }
    EXPECT_TRUE(timed_out);
    EXPECT_TRUE(slow.done());
    AsyncGenerator<int> fast = tick(1s);
    EXPECT_EQ(*co_await with_timeout(10s, fast.next()), 1);
    EXPECT_EQ(*co_await with_timeout(10s, fast.next()), 2);
  });
}

AsyncGenerator<TimePoint> deadlines() {
  while (true) co_yield current_deadline();
}

TEST(AsyncGenerator, TheConsumersDeadlineHoldsInside) {
  run_async([]() -> Task<> {
    AsyncGenerator<TimePoint> source = deadlines();
    EXPECT_EQ(*co_await source.next(), TimePoint::max());
    const TimePoint when = IOLoop::current()->now() + 5s;
    EXPECT_EQ(*co_await with_timeout(when, source.next()), when);
    EXPECT_EQ(*co_await source.next(), TimePoint::max());
  });
}

// --- the tasks that consume ----------------------------------------------------------------------

Task<int> take_one(AsyncGenerator<int>& source) { co_return *co_await source.next(); }

TEST(AsyncGenerator, MayBeReadByOneTaskAfterTheOther) {
  run_async([]() -> Task<> {
    AsyncGenerator<int> ticks = tick(1s);
    for (int expected = 1; expected <= 3; ++expected) {
      TaskGroup group;
      TaskHandle<int> one = group.spawn(take_one(ticks));
      co_await group.join();
      EXPECT_EQ(one.result(), expected);
    }
  });
}

TEST(AsyncGenerator, ASecondTaskAtATimeIsRefused) {
  run_async([]() -> Task<> {
    AsyncGenerator<int> ticks = tick(10s);
    TaskGroup group;
    TaskHandle<int> first = group.spawn(take_one(ticks));
    co_await sleep(1s);
    bool refused = false;
    try {
      (void)co_await ticks.next();
    } catch (const std::logic_error&) {
      refused = true;
    }
    EXPECT_TRUE(refused);
    refused = false;
    try {
      co_await ticks.close();
    } catch (const std::logic_error&) {
      refused = true;
    }
    EXPECT_TRUE(refused);
    co_await group.join();
    EXPECT_EQ(first.result(), 1) << "the first is not disturbed";
    EXPECT_EQ(*co_await ticks.next(), 2);
  });
}

TEST(AsyncGenerator, StandsInTheDumpOfItsConsumer) {
  run_async([]() -> Task<> {
    TaskGroup group;
    TaskHandle<int> consumer = group.spawn(sum(squares(tick(1h))));
    co_await sleep(1s);
    const std::vector<TaskInfo> tasks = task_tree(group);
    std::vector<std::string> functions;
    for (const AwaitFrame& frame : tasks.at(0).frames) functions.emplace_back(frame.function);
    EXPECT_THAT(functions,
                testing::ElementsAre(testing::HasSubstr("tick("), testing::HasSubstr("squares("),
                                     testing::HasSubstr("sum(")));
    consumer.cancel();
    co_await group.join();
  });
}

// --- close ---------------------------------------------------------------------------------------

AsyncGenerator<int> polite(std::string& log) {
  bool stopped = false;
  for (int i = 1; !stopped; ++i) {
    try {
      co_yield i;
    } catch (const Cancelled&) {
      stopped = true;
    }
  }
  co_await sleep(10s);
  log += "goodbye";
}

TEST(AsyncGenerator, CloseLetsItAwaitOnItsWayOut) {
  run_async([]() -> Task<> {
    std::string log;
    AsyncGenerator<int> numbers = polite(log);
    (void)co_await numbers.next();
    const TimePoint begin = IOLoop::current()->now();
    co_await numbers.close();
    EXPECT_EQ(log, "goodbye");
    EXPECT_TRUE(is_after(begin, 10s));
    EXPECT_EQ(co_await numbers.next(), nullptr);
    co_await numbers.close();
    EXPECT_EQ(log, "goodbye") << "it had ended";
  });
}

TEST(AsyncGenerator, CloseUnwindsAtTheYield) {
  run_async([]() -> Task<> {
    std::string log;
    AsyncGenerator<int> numbers = guarded(log, 1s);
    (void)co_await numbers.next();
    co_await numbers.close();
    EXPECT_EQ(log, "u");

    AsyncGenerator<int> fresh = guarded(log, 1s);
    co_await fresh.close();
    EXPECT_TRUE(fresh.done());
    EXPECT_EQ(log, "u") << "nothing of it has run";
  });
}

AsyncGenerator<int> stubborn(int& refusals) {
  while (refusals < 3) {
    try {
      co_yield refusals;
    } catch (const Cancelled&) {
      ++refusals;
    }
  }
  throw std::runtime_error("on the way out");
}

TEST(AsyncGenerator, CloseHoldsAgainstFurtherYieldsAndPassesErrorsOn) {
  run_async([]() -> Task<> {
    int refusals = 0;
    AsyncGenerator<int> numbers = stubborn(refusals);
    (void)co_await numbers.next();
    std::string message;
    try {
      co_await numbers.close();
    } catch (const std::runtime_error& error) {
      message = error.what();
    }
    EXPECT_EQ(message, "on the way out");
    EXPECT_EQ(refusals, 3);
  });
}

TEST(AsyncGenerator, CancelledWhileItCloses) {
  run_async([]() -> Task<> {
    std::string log;
    AsyncGenerator<int> numbers = polite(log);
    (void)co_await numbers.next();
    bool timed_out = false;
    try {
      co_await with_timeout(1s, numbers.close());
    } catch (const TimeoutError&) {
      timed_out = true;
    }
    EXPECT_TRUE(timed_out);
    EXPECT_EQ(log, "") << "its goodbye was cut short";
    EXPECT_TRUE(numbers.done());
  });
}

}  // namespace
}  // namespace coronado
