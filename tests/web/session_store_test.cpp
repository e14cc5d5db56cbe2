#include <coronado/web/session_store.hpp>

#include <coronado/coro/timeout.hpp>
#include <coronado/loop/ioloop.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace coronado::web_test {
namespace {

using namespace std::chrono_literals;
using web::MemorySessionStore;

struct StoreBench {
  explicit StoreBench(std::size_t max = 3) : loop({.reactor = ReactorKind::kSim}), store(max) {}
  void save(std::string key, int seconds = 100) {
    loop.run_sync(store.save(std::move(key), {}, std::chrono::seconds(seconds)));
  }
  bool has(std::string key) { return loop.run_sync(store.load(std::move(key))).has_value(); }
  void wait(Duration span) { loop.run_sync(pause(span)); }
  static Task<> pause(Duration span) { co_await sleep(span); }
  IOLoop loop;
  MemorySessionStore store;
};

TEST(MemorySessionStore, IsBounded) {
  StoreBench bench;
  for (const char* key : {"a", "b", "c"}) bench.save(key);
  EXPECT_TRUE(bench.has("a"));  // used last
  bench.save("d");
  EXPECT_EQ(bench.store.size(), 3U);
  EXPECT_TRUE(bench.has("a"));
  EXPECT_FALSE(bench.has("b"));
  bench.save("a");  // again: nobody goes
  EXPECT_TRUE(bench.has("c"));
}

TEST(MemorySessionStore, ForgetsWhatHasExpired) {
  StoreBench bench(10);
  bench.save("a", 10);
  bench.save("b", 20);
  bench.wait(10s);
  EXPECT_FALSE(bench.has("a"));
  EXPECT_TRUE(bench.has("b"));
  bench.wait(10s);
  bench.save("c", 10);  // sweeps
  EXPECT_EQ(bench.store.size(), 1U);
  bench.loop.run_sync(bench.store.remove("c"));
  bench.loop.run_sync(bench.store.remove("nobody"));
  EXPECT_EQ(bench.store.size(), 0U);
}

TEST(MemorySessionStore, ThreadsShareOne) {
  MemorySessionStore store(50);
  std::atomic<int> found{0};
  std::vector<std::thread> threads;
  for (int id = 0; id < 4; ++id) {
    threads.emplace_back([&store, &found] {
      IOLoop loop({.reactor = ReactorKind::kSim});
      for (int i = 0; i < 200; ++i) {
        const std::string key = std::to_string(i % 60);
        loop.run_sync(store.save(key, {}, std::chrono::seconds(100)));
        found += loop.run_sync(store.load(std::to_string((i + 1) % 60))).has_value() ? 1 : 0;
        if (i % 7 == 0) loop.run_sync(store.remove(key));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(found, 0);
  EXPECT_LE(store.size(), 50U);
}

}  // namespace
}  // namespace coronado::web_test
