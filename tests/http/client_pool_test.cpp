#include "http/client_pool.hpp"

#include <coronado/coro/combine.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/testing/async_test.hpp>
#include <coronado/testing/memory_transport.hpp>

#include <gtest/gtest.h>

namespace coronado {
namespace {

using namespace std::chrono_literals;

TEST(ClientPool, APlaceThatIsHandedOverAndCancelledGoesOn) {
  run_async([]() -> Task<> {
    ClientPool pool({.max_clients = 1, .max_idle = 1, .idle_timeout = 1s});
    TaskGroup group("test", TaskGroup::OnFailure::kHandle);
    const auto use = [](ClientPool& from, Duration span) -> Task<> {
      ClientPool::Place place = co_await from.enter("a");
      co_await sleep(span);
    };
    ClientPool::Place held = co_await pool.enter("a");
    auto second = group.spawn(use(pool, 0s));
    auto third = group.spawn(use(pool, 1s));
    co_await sleep(1ms);
    EXPECT_EQ(pool.waiting(), 2U);
    held.release();   // the second has the place now, but has not run
    second.cancel();  // too late to be noticed by the line
    co_await sleep(1ms);
    EXPECT_EQ(pool.busy(), 1U);
    co_await third.join();
    EXPECT_EQ(pool.busy(), 0U);
    EXPECT_EQ(pool.waiting(), 0U);
  });
}

TEST(ClientPool, EveryPlaceComesBackWhateverIsCancelled) {
  run_async([]() -> Task<> {
    ClientPool pool({.max_clients = 3, .max_per_host = 2, .max_idle = 1, .idle_timeout = 1s});
    const auto use = [](ClientPool& from, int number) -> Task<> {
      co_await sleep(number % 7 * 1ms);
      ClientPool::Place place =
          co_await from.enter(std::string(1, static_cast<char>('a' + number % 3)));
      EXPECT_LE(from.busy(), 3U);
      co_await sleep(number % 5 * 1ms);
    };
    TaskGroup group("test", TaskGroup::OnFailure::kHandle);
    std::vector<TaskHandle<>> handles;
    for (int i = 0; i < 60; ++i) handles.push_back(group.spawn(use(pool, i)));
    for (int i = 0; i < 60; i += 4) {
      co_await sleep(1ms);
      handles[static_cast<std::size_t>(i)].cancel();
    }
    co_await group.join();
    EXPECT_EQ(pool.busy(), 0U);
    EXPECT_EQ(pool.waiting(), 0U);
    int done = 0;
    for (TaskHandle<>& handle : handles) {
      done += handle.context()->outcome() == TaskOutcome::kValue ? 1 : 0;
    }
    EXPECT_GE(done, 45);
    EXPECT_LT(done, 60);
  });
}

TEST(ClientPool, OnlyWhatCanBeReusedIsGivenOut) {
  run_async([]() -> Task<> {
    ClientPool pool({.max_idle = 5, .idle_timeout = 10s});
    const auto spent = [](std::string answer, std::unique_ptr<MemoryTransport>& other) {
      auto ends = make_memory_transports(*IOLoop::current());
      other = std::move(ends.second);
      auto connection = std::make_unique<ClientConnection>(std::move(ends.first), HTTPLimits{});
      connection->begin(ResponseDecoder::Request::kUsual, 100);
      other->write(answer);
      return connection;
    };
    ClientPool::Place place = co_await pool.enter("a");
    std::unique_ptr<MemoryTransport> peer;
    auto connection = spent("HTTP/1.1 204 No Content\r\n\r\n", peer);
    co_await connection->more();
    while (connection->next().event != ResponseDecoder::Event::kDone) {
    }
    ClientConnection* const address = connection.get();
    EXPECT_TRUE(connection->reusable());
    pool.keep(place, std::move(connection), IOLoop::current()->now());
    EXPECT_EQ(pool.idle(), 1U);
    auto taken = pool.take_idle(place);
    EXPECT_EQ(taken.get(), address);
    pool.keep(place, std::move(taken), IOLoop::current()->now());
    peer.reset();
    co_await sleep(1ms);
    EXPECT_EQ(pool.idle(), 0U);
    EXPECT_EQ(pool.take_idle(place), nullptr);
    // In the middle of a response it is not reusable.
    auto half = spent("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhal", peer);
    co_await half->more();
    EXPECT_EQ(half->next().event, ResponseDecoder::Event::kHead);
    EXPECT_FALSE(half->reusable());
  });
}

}  // namespace
}  // namespace coronado
