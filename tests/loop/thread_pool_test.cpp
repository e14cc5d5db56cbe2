#include <coronado/loop/thread_pool.hpp>

#include <coronado/coro/combine.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/testing/async_test.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <memory>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "tests/loop/reactor_kinds.hpp"

namespace coronado {
namespace {

using namespace std::chrono_literals;

class OffloadTest : public testing::TestWithParam<ReactorKind> {
 protected:
  template <class F>
  void run(F&& body) {
    run_async(std::forward<F>(body), {.reactor = GetParam()});
  }
};

INSTANTIATE_TEST_SUITE_P(Reactors, OffloadTest, all_reactors(), ReactorName());

TEST_P(OffloadTest, RunsInAnotherThreadAndReturnsTheValue) {
  run([]() -> Task<> {
    const std::thread::id loop_thread = std::this_thread::get_id();
    auto work = [] { return std::make_unique<std::thread::id>(std::this_thread::get_id()); };
    const std::unique_ptr<std::thread::id> thread = co_await offload(work);
    EXPECT_NE(*thread, loop_thread);
    EXPECT_EQ(std::this_thread::get_id(), loop_thread);
  });
}

TEST_P(OffloadTest, VoidAndExceptions) {
  run([]() -> Task<> {
    std::atomic<int> calls = 0;
    co_await offload([&] { ++calls; });
    EXPECT_EQ(calls, 1);
    std::string message;
    try {
      co_await offload([] { throw std::runtime_error("from the thread"); });
    } catch (const std::runtime_error& error) {
      message = error.what();
    }
    EXPECT_EQ(message, "from the thread");
  });
}

TEST_P(OffloadTest, ManyAtOnce) {
  run([]() -> Task<> {
    ThreadPool pool({.threads = 4});
    std::vector<Task<int>> tasks;
    for (int i = 0; i < 200; ++i) {
      tasks.push_back(as_task(pool.offload([i] { return i; })));
    }
    const std::vector<int> results = co_await multi(std::move(tasks));
    EXPECT_EQ(std::accumulate(results.begin(), results.end(), 0), 200 * 199 / 2);
    EXPECT_EQ(pool.max_threads(), 4U);
  });
}

/// Keeps the only thread of a pool busy until it is told to go on.
class Blocker {
 public:
  explicit Blocker(ThreadPool& pool) : pool_(pool) {}
  ~Blocker() { release(); }

  Task<> occupy() {
    co_await pool_.offload([this] {
      running_.count_down();
      go_on_.wait();
    });
  }
  void await_running() { running_.wait(); }
  void release() {
    if (!go_on_.try_wait()) go_on_.count_down();
  }

 private:
  ThreadPool& pool_;
  std::latch running_{1};
  std::latch go_on_{1};
};

TEST_P(OffloadTest, AQueuedJobThatIsCancelledNeverRuns) {
  run([]() -> Task<> {
    ThreadPool pool({.threads = 1});
    Blocker blocker(pool);
    TaskGroup group;
    group.spawn(blocker.occupy());
    co_await moment();
    blocker.await_running();
    std::atomic<bool> ran = false;
    TaskHandle<> queued = group.spawn([](ThreadPool& threads, std::atomic<bool>& told) -> Task<> {
      co_await threads.offload([&told] { told = true; });
    }(pool, ran));
    co_await moment();
    queued.cancel();
    co_await moment();
    EXPECT_TRUE(queued.done());  // at once: the thread is busy still
    EXPECT_EQ(queued.context()->outcome(), TaskOutcome::kCancelled);
    blocker.release();
    co_await group.join();
    EXPECT_FALSE(ran);
  });
}

TEST_P(OffloadTest, ARunningJobIsWaitedForWhenCancelled) {
  run([]() -> Task<> {
    ThreadPool pool({.threads = 1});
    Blocker blocker(pool);
    TaskGroup group;
    TaskHandle<> running = group.spawn(blocker.occupy());
    co_await moment();
    blocker.await_running();
    running.cancel();
    running.cancel();
    co_await moment();
    co_await moment();
    EXPECT_FALSE(running.done());
    blocker.release();
    co_await group.join();
    EXPECT_EQ(running.context()->outcome(), TaskOutcome::kCancelled);
  });
}

TEST_P(OffloadTest, InACancelledTaskNothingIsQueued) {
  run([]() -> Task<> {
    std::atomic<bool> ran = false;
    TaskGroup group;
    TaskHandle<> handle = group.spawn([](std::atomic<bool>& told) -> Task<> {
      IOLoop::current()->running()->cancel();
      co_await offload([&told] { told = true; });
    }(ran));
    co_await group.join();
    EXPECT_EQ(handle.context()->outcome(), TaskOutcome::kCancelled);
    EXPECT_FALSE(ran);
  });
}

TEST_P(OffloadTest, TooManyJobs) {
  run([]() -> Task<> {
    ThreadPool pool({.threads = 1, .max_queued = 1});
    Blocker blocker(pool);
    TaskGroup group;
    group.spawn(blocker.occupy());
    co_await moment();
    blocker.await_running();
    group.spawn(as_task(pool.offload([] {})));
    co_await moment();
    std::string message;
    try {
      co_await pool.offload([] {});
    } catch (const QueueFull& error) {
      message = error.what();
    }
    EXPECT_EQ(message, "too many jobs wait for a thread: 1");
    blocker.release();
    co_await group.join();
    co_await pool.offload([] {});
  });
}

TEST_P(OffloadTest, AFullPoolOfTwoDoesTwoThingsAtOnce) {
  run([]() -> Task<> {
    ThreadPool pool({.threads = 2, .max_queued = 0});
    auto meeting = std::make_shared<std::latch>(2);
    // Each waits for the other: with one thread this would never end.
    auto meet = [meeting] { meeting->arrive_and_wait(); };
    co_await multi(pool.offload(meet), pool.offload(meet));
  });
}

TEST(Offload, VirtualTimeStandsStillMeanwhile) {
  run_async([]() -> Task<> {
    IOLoop& loop = *IOLoop::current();
    const TimePoint begin = loop.now();
    TaskGroup group;
    TaskHandle<> sleeper = group.spawn(as_task(sleep(1ms)));
    for (int i = 0; i < 20; ++i) co_await offload([] { std::this_thread::yield(); });
    EXPECT_FALSE(sleeper.done());
    EXPECT_EQ(loop.now(), begin);
    co_await group.join();
    EXPECT_GE(loop.now() - begin, 1ms);
  });
}

TEST(Offload, SeveralLoopsShareOnePool) {
  ThreadPool pool({.threads = 2});
  std::atomic<int> sum = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      IOLoop loop({.slow_step_threshold = Duration::zero()});
      loop.run_sync([](ThreadPool& shared, std::atomic<int>& total) -> Task<> {
        for (int i = 0; i < 50; ++i) total += co_await shared.offload([i] { return i; });
      }(pool, sum));
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(sum, 4 * 50 * 49 / 2);
}

TEST(Offload, ClosingTheLoopWaitsForTheJob) {
  std::latch running(1);
  std::latch go_on(1);
  std::atomic<bool> done = false;
  std::thread releaser;
  {
    IOLoop loop({.slow_step_threshold = Duration::zero()});
    loop.spawn(as_task(offload([&] {
      running.count_down();
      go_on.wait();
      done = true;
    })));
    loop.run_sync(as_task(moment()));
    running.wait();
    releaser = std::thread([&] { go_on.count_down(); });
  }
  EXPECT_TRUE(done);
  releaser.join();
}

TEST_P(OffloadTest, RunInExecutorAndTheDefaultExecutor) {
  run([]() -> Task<> {
    IOLoop& loop = *IOLoop::current();
    EXPECT_EQ(&loop.default_executor(), &ThreadPool::shared());
    ThreadPool one({.threads = 1});
    auto thread = [] { return std::this_thread::get_id(); };
    const std::thread::id only = co_await loop.run_in_executor(one, thread);
    loop.set_default_executor(&one);
    EXPECT_EQ(co_await loop.run_in_executor(thread), only);
    EXPECT_EQ(co_await offload(thread), only);
    loop.set_default_executor(nullptr);
    EXPECT_NE(co_await offload(thread), only);
  });
}

}  // namespace
}  // namespace coronado
