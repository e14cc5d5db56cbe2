#include <coronado/ops/worker_group.hpp>

#include <coronado/coro/timeout.hpp>
#include <coronado/loop/ioloop.hpp>
#include <coronado/testing/async_test.hpp>

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace coronado {
namespace {

using namespace std::chrono_literals;

TEST(WorkerGroup, PostsWaitForTheWorkersStart) {
  run_async([]() -> Task<> {
    WorkerGroup workers(2);
    EXPECT_EQ(workers.size(), 2U);
    EXPECT_EQ(workers.current(), std::nullopt);
    EXPECT_THROW(workers.loop(1), std::logic_error);
    std::string log;
    workers.post(1, [&] { log += "early "; });
    workers.start(1, *IOLoop::current());
    workers.post(1, [&] { log += "late"; });
    EXPECT_EQ(log, "");
    co_await sleep(1ms);
    EXPECT_EQ(log, "early late");
    EXPECT_EQ(workers.current(), 1U);
    EXPECT_EQ(&workers.loop(1), IOLoop::current());
  });
}

TEST(WorkerGroup, BroadcastReachesEveryWorker) {
  run_async([]() -> Task<> {
    WorkerGroup workers(3);
    for (std::size_t i = 0; i < 3; ++i) workers.start(i, *IOLoop::current());
    int calls = 0;
    workers.broadcast([&] { ++calls; });
    co_await sleep(1ms);
    EXPECT_EQ(calls, 3);
  });
}

TEST(WorkerGroup, ThereAreOnlySoMany) {
  WorkerGroup workers(2);
  EXPECT_THROW(workers.post(2, [] {}), std::out_of_range);
  EXPECT_THROW(workers.loop(2), std::out_of_range);
}

TEST(WorkerGroup, AfterItsEndEverythingIsDropped) {
  run_async([]() -> Task<> {
    WorkerGroup workers(2);
    workers.start(0, *IOLoop::current());
    int calls = 0;
    workers.post(1, [&] { ++calls; });
    workers.end();
    workers.broadcast([&] { ++calls; });
    co_await sleep(1ms);
    EXPECT_EQ(calls, 0);
  });
}

}  // namespace
}  // namespace coronado
