#include <coronado/coro/queues.hpp>

#include <coronado/coro/combine.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/testing/async_test.hpp>

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "tests/coro/helpers.hpp"

namespace coronado {
namespace {

using namespace std::chrono_literals;

template <class Q>
Task<> collect(Q& queue, std::vector<typename Q::value_type>& out) {
  while (auto item = co_await queue.next()) out.push_back(std::move(*item));
}

// --- order ---------------------------------------------------------------------------------------

TEST(Queue, FirstInFirstOut) {
  run_async([]() -> Task<> {
    Queue<int> queue;
    for (int i = 0; i < 100; ++i) co_await queue.put(i);
    EXPECT_EQ(queue.qsize(), 100U);
    for (int i = 0; i < 60; ++i) EXPECT_EQ(co_await queue.get(), i);
    for (int i = 100; i < 150; ++i) co_await queue.put(i);  // the ring wraps and grows
    for (int i = 60; i < 150; ++i) EXPECT_EQ(co_await queue.get(), i);
    EXPECT_TRUE(queue.empty());
  });
}

TEST(PriorityQueue, SmallestFirst) {
  run_async([]() -> Task<> {
    PriorityQueue<int> queue;
    for (int i : {5, 1, 4, 1, 3}) co_await queue.put(i);
    queue.close();
    std::vector<int> out;
    co_await collect(queue, out);
    EXPECT_EQ(out, (std::vector<int>{1, 1, 3, 4, 5}));
    PriorityQueue<int, std::greater<int>> largest;
    for (int i : {5, 1, 9, 3}) largest.put_nowait(i);
    EXPECT_EQ(largest.get_nowait(), 9);
  });
}

TEST(PriorityQueue, RoomGoesToTheFirstPutter) {
  run_async([]() -> Task<> {
    PriorityQueue<int> queue(1);
    queue.put_nowait(5);
    TaskGroup group;
    for (int i : {7, 3}) {
      group.spawn(
          [](PriorityQueue<int>& to, int item) -> Task<> { co_await to.put(item); }(queue, i));
      co_await moment();
    }
    EXPECT_EQ(co_await queue.get(), 5);
    EXPECT_EQ(co_await queue.get(), 7);
    EXPECT_EQ(co_await queue.get(), 3);
    co_await group.join();
  });
}

TEST(LifoQueue, LastInFirstOut) {
  run_async([]() -> Task<> {
    LifoQueue<std::unique_ptr<int>> queue;
    for (int i = 0; i < 3; ++i) co_await queue.put(std::make_unique<int>(i));
    for (int i = 2; i >= 0; --i) EXPECT_EQ(*co_await queue.get(), i);
  });
}

// --- waiting -------------------------------------------------------------------------------------

TEST(Queue, PutWaitsForRoom) {
  run_async([]() -> Task<> {
    Queue<int> queue(2);
    int put = 0;
    TaskGroup group;
    group.spawn([](Queue<int>& to, int& done) -> Task<> {
      for (int i = 0; i < 5; ++i) {
        co_await to.put(i);
        ++done;
      }
    }(queue, put));
    co_await sleep(1s);
    EXPECT_EQ(put, 2);
    EXPECT_TRUE(queue.full());
    EXPECT_EQ(co_await queue.get(), 0);
    EXPECT_TRUE(queue.full());  // the putter's item has moved up
    co_await sleep(1s);
    EXPECT_EQ(put, 3);
    for (int i = 1; i < 5; ++i) EXPECT_EQ(co_await queue.get(), i);
    co_await group.join();
  });
}

TEST(Queue, ItemsGoToGettersInTheOrderTheyCame) {
  std::map<char, char> got;
  run_async([&]() -> Task<> {
    Queue<char> queue;
    TaskGroup group;
    const auto get = [](Queue<char>& from, char& item) -> Task<> { item = co_await from.get(); };
    for (char name : {'a', 'b', 'c'}) {
      group.spawn(get(queue, got[name]));
      co_await moment();
    }
    queue.put_nowait('1');
    EXPECT_TRUE(queue.empty());  // it is the first getter's already
    EXPECT_THROW(queue.get_nowait(), QueueEmpty);
    queue.put_nowait('2');
    queue.put_nowait('3');
    co_await group.join();
  });
  EXPECT_EQ(got, (std::map<char, char>{{'a', '1'}, {'b', '2'}, {'c', '3'}}));
}

TEST(Queue, NowaitErrors) {
  Queue<int> queue(1);
  EXPECT_EQ(message_of([&] { queue.get_nowait(); }), "queue is empty");
  queue.put_nowait(1);
  EXPECT_EQ(message_of([&] { queue.put_nowait(2); }), "queue is full");
  EXPECT_THROW(queue.put_nowait(2), QueueFull);
  EXPECT_EQ(queue.get_nowait(), 1);
  EXPECT_THROW(queue.get_nowait(), QueueEmpty);
}

TEST(Queue, NegativeSize) {
  EXPECT_THROW(Queue<int>(-1), std::invalid_argument);
  EXPECT_EQ(message_of([] { LifoQueue<int> queue(-3); }),
            "the size of a queue must not be negative: -3");
  EXPECT_EQ(Queue<int>(7).maxsize(), 7U);
  EXPECT_FALSE(Queue<int>().full());
}

// --- join ----------------------------------------------------------------------------------------

TEST(Queue, JoinWaitsForTaskDone) {
  run_async([]() -> Task<> {
    Queue<int> queue;
    co_await queue.join();  // nothing was ever put
    TaskGroup group;
    bool joined = false;
    for (int i = 0; i < 3; ++i) queue.put_nowait(i);
    group.spawn([](Queue<int>& waited, bool& done) -> Task<> {
      co_await waited.join();
      done = true;
    }(queue, joined));
    for (int i = 0; i < 3; ++i) {
      (void)co_await queue.get();
      co_await sleep(1s);
      EXPECT_FALSE(joined);
      queue.task_done();
    }
    co_await moment();
    EXPECT_TRUE(joined);
    co_await group.join();
    queue.put_nowait(1);
    EXPECT_THROW(co_await with_timeout(1s, queue.join()), TimeoutError);
  });
}

TEST(Queue, JoinCountsWhatIsHandedOver) {
  run_async([]() -> Task<> {
    Queue<int> queue(1);
    TaskGroup group;
    group.spawn([](Queue<int>& from) -> Task<> {
      (void)co_await from.get();
      co_await sleep(1s);
      from.task_done();
    }(queue));
    co_await moment();
    co_await queue.put(1);
    const TimePoint begin = IOLoop::current()->now();
    co_await queue.join();
    EXPECT_GE(IOLoop::current()->now() - begin, 1s);
    co_await group.join();
  });
}

TEST(Queue, TaskDoneTooOften) {
  Queue<int> queue;
  EXPECT_EQ(message_of([&] { queue.task_done(); }), "task_done() called too many times");
  queue.put_nowait(1);
  queue.task_done();
  EXPECT_THROW(queue.task_done(), std::logic_error);
}

// --- close ---------------------------------------------------------------------------------------

TEST(Queue, CloseDrainsThenEnds) {
  run_async([]() -> Task<> {
    Queue<int> queue(3);
    for (int i = 0; i < 3; ++i) queue.put_nowait(i);
    TaskGroup group;
    TaskHandle<> putter =
        group.spawn([](Queue<int>& to) -> Task<> { co_await to.put(9); }(queue), "putter");
    co_await moment();
    queue.close();
    EXPECT_TRUE(queue.closed());
    EXPECT_THROW(co_await queue.put(4), ClosedError);
    EXPECT_THROW(queue.put_nowait(4), ClosedError);
    EXPECT_EQ(co_await queue.get(), 0);
    EXPECT_EQ(co_await queue.next(), 1);
    EXPECT_EQ(queue.get_nowait(), 2);
    EXPECT_THROW((void)co_await queue.get(), ClosedError);
    EXPECT_THROW(queue.get_nowait(), ClosedError);
    EXPECT_EQ(co_await queue.next(), std::nullopt);
    EXPECT_THROW(co_await group.join(), ClosedError);
    EXPECT_EQ(putter.context()->outcome(), TaskOutcome::kError);
  });
}

TEST(Queue, CloseWakesWaitingGetters) {
  run_async([]() -> Task<> {
    Queue<int> queue;
    std::vector<int> out;
    TaskGroup group("getters", TaskGroup::OnFailure::kCancelSiblings);
    group.spawn(collect(queue, out));
    TaskHandle<> strict = group.spawn([](Queue<int>& from) -> Task<> {
      EXPECT_THROW((void)co_await from.get(), ClosedError);
    }(queue));
    co_await moment();
    queue.close();
    queue.close();
    co_await group.join();
    EXPECT_TRUE(out.empty());
  });
}

// --- cancellation --------------------------------------------------------------------------------

TEST(Queue, CancelledGetterTakesNothing) {
  run_async([]() -> Task<> {
    Queue<int> queue;
    EXPECT_THROW((void)co_await with_timeout(1s, queue.get()), TimeoutError);
    EXPECT_THROW((void)co_await with_timeout(1s, queue.next()), TimeoutError);
    queue.put_nowait(1);
    EXPECT_EQ(queue.qsize(), 1U);
    EXPECT_EQ(co_await queue.get(), 1);
  });
}

TEST(Queue, CancelledPutterPutsNothing) {
  run_async([]() -> Task<> {
    Queue<std::unique_ptr<int>> queue(1);
    co_await queue.put(std::make_unique<int>(1));
    EXPECT_THROW(co_await with_timeout(1s, queue.put(std::make_unique<int>(2))), TimeoutError);
    EXPECT_EQ(*co_await queue.get(), 1);
    EXPECT_TRUE(queue.empty());
    queue.task_done();
    co_await queue.join();  // the cancelled one was not counted
  });
}

TEST(Queue, ItemHandedToATaskCancelledInTheSameTurnArrives) {
  run_async([]() -> Task<> {
    Queue<int> queue;
    int got = 0;
    TaskGroup group;
    TaskHandle<> getter = group.spawn([](Queue<int>& from, int& item) -> Task<> {
      item = co_await from.get();
      co_await moment();
    }(queue, got));
    co_await moment();
    queue.put_nowait(7);
    getter.cancel();
    co_await group.join();
    EXPECT_EQ(got, 7);
    EXPECT_EQ(getter.context()->outcome(), TaskOutcome::kCancelled);
  });
}

/// Puts or gets with random limits until it has had its share.
struct Traffic {
  Queue<int> queue{2};
  std::vector<int> received;
  std::mt19937 random{42};
  int timeouts = 0;
  int next_item = 0;
  int open_putters = 0;

  Duration limit() { return std::chrono::milliseconds(random() % 3); }

  Task<> put_all(int count) {
    for (int i = 0; i < count;) {
      const int item = next_item++;
      while (true) {
        bool timed_out = false;
        try {
          co_await with_timeout(limit(), queue.put(item));
        } catch (const TimeoutError&) {
          timed_out = true;
        }
        if (!timed_out) break;
        ++timeouts;
        co_await moment();
      }
      ++i;
    }
    if (--open_putters == 0) queue.close();
  }

  Task<> get_all() {
    while (true) {
      bool timed_out = false;
      std::optional<int> item;
      try {
        item = co_await with_timeout(limit(), queue.next());
      } catch (const TimeoutError&) {
        timed_out = true;
      }
      if (timed_out) {
        ++timeouts;
        co_await sleep(limit());
        continue;
      }
      if (!item) co_return;
      received.push_back(*item);
      co_await sleep(limit());
    }
  }
};

TEST(Queue, NothingIsLostOrDoubledUnderTimeouts) {
  Traffic traffic;
  run_async([&]() -> Task<> {
    TaskGroup group;
    for (int i = 0; i < 5; ++i) {
      ++traffic.open_putters;
      group.spawn(traffic.put_all(400));
      group.spawn(traffic.get_all());
    }
    co_await group.join();
  });
  EXPECT_GT(traffic.timeouts, 1000);
  std::sort(traffic.received.begin(), traffic.received.end());
  ASSERT_EQ(traffic.received.size(), 2000U);
  for (int i = 0; i < 2000; ++i) ASSERT_EQ(traffic.received[static_cast<std::size_t>(i)], i);
}

}  // namespace
}  // namespace coronado
