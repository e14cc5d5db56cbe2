#include <coronado/testing/run_seeds.hpp>

#include <coronado/base/error.hpp>
#include <coronado/base/log.hpp>
#include <coronado/coro/locks.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/net/tcpclient.hpp>

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <vector>

#include "tests/testing/sim_peers.hpp"

namespace coronado {
namespace {

using namespace std::chrono_literals;

Task<> fail_at_five(SimNetwork& network) {
  co_await sleep(1s);
  network.note("about to look");
  EXPECT_NE(network.seed(), 5U) << "five is bad";
}

TEST(RunSeeds, GivesEachRunItsSeed) {
  std::vector<std::uint64_t> seeds;
  std::set<std::uint64_t> drawn;
  run_seeds(10,
            [&](SimNetwork& network) -> Task<> {
              seeds.push_back(network.seed());
              drawn.insert(network.random().next());
              co_return;
            },
            {.first_seed = 7});
  EXPECT_EQ(seeds, (std::vector<std::uint64_t>{7, 8, 9, 10, 11, 12, 13, 14, 15, 16}));
  EXPECT_EQ(drawn.size(), 10U);
}

TEST(RunSeeds, StopsAtTheFirstThatFails) {
  const auto failure = find_failing_seed(10, fail_at_five);
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->seed, 5U);
  EXPECT_EQ(failure->runs, 5U);
  EXPECT_TRUE(failure->what.contains("five is bad")) << failure->what;
  EXPECT_TRUE(failure->what.contains("run_seeds_test.cpp:")) << failure->what;
  EXPECT_TRUE(failure->events.contains("about to look")) << failure->events;
  EXPECT_TRUE(failure->replays);
  EXPECT_FALSE(find_failing_seed(4, fail_at_five));
}

TEST(RunSeeds, SaysHowToReplay) {
  EXPECT_NONFATAL_FAILURE(
      run_seeds(10, fail_at_five),
      "replay it with CORONADO_SIM_SEED=5 --gtest_filter=RunSeeds.SaysHowToReplay");
}

/// The reason why the first run fails.
std::string why(Function<Task<>(SimNetwork&)> body, SeedOptions options = {}) {
  const auto failure = find_failing_seed(1, std::move(body), options);
  return failure ? failure->what : "passed";
}

TEST(RunSeeds, ExceptionsFail) {
  const std::string what = why([](SimNetwork&) -> Task<> {
    co_await moment();
    throw std::runtime_error("broken");
  });
  EXPECT_TRUE(what.contains("the body threw: broken")) << what;
  EXPECT_TRUE(why([](SimNetwork&) -> Task<> {
                co_await moment();
                throw 42;
              }).contains("no std::exception"));
}

TEST(RunSeeds, TheTimeLimitFails) {
  const std::string what = why(
      [](SimNetwork&) -> Task<> {
        Event never;
        co_await never.wait();
      },
      {.time_limit = 10s});
  EXPECT_TRUE(what.contains("did not end within its time limit")) << what;
  EXPECT_TRUE(what.contains("event")) << what;
}

TEST(RunSeeds, UnexpectedLogLinesFail) {
  const std::string what = why([](SimNetwork&) -> Task<> {
    general_log().warning("odd");
    co_return;
  });
  EXPECT_TRUE(what.contains("unexpected log line: warning coronado.general: odd")) << what;
}

TEST(RunSeeds, AFailingTaskOfAHostFails) {
  const std::string what = why([](SimNetwork& network) -> Task<> {
    network.add_host("server").spawn([]() -> Task<> {
      co_await moment();
      throw std::runtime_error("broken");
    }());
    co_await sleep(1s);
  });
  EXPECT_TRUE(what.contains("broken")) << what;
}

TEST(RunSeeds, WhatIsLeftBehindFails) {
  const std::string task = why([](SimNetwork& network) -> Task<> {
    network.loop().spawn([]() -> Task<> { co_await sleep(1h); }(), "forgotten");
    co_return;
  });
  EXPECT_TRUE(task.contains("1 tasks of no host are left")) << task;
  EXPECT_TRUE(task.contains("forgotten")) << task;
  std::unique_ptr<Transport> kept;
  sim_test::Peer peer;
  const std::string transport = why([&](SimNetwork& network) -> Task<> {
    struct Ignore final : AcceptHandler {
      void on_accept(std::unique_ptr<Transport>) noexcept override {}
      void on_accept_error(std::error_code) noexcept override {}
    } ignore;
    const SocketAddress address = network.host("local").address(80);
    auto acceptor = network.loop().reactor().listen(address, {}, ignore);
    kept.reset();
    kept = co_await connect_to(address);
    kept->start(peer);
  });
  EXPECT_TRUE(transport.contains("1 transports were not closed")) << transport;
}

TEST(RunSeeds, TasksOfHostsAreStopped) {
  bool stopped = false;
  run_seeds(1, [&](SimNetwork& network) -> Task<> {
    network.add_host("server").spawn([](bool& told) -> Task<> {
      try {
        co_await sleep(24h);
      } catch (const Cancelled&) {
        told = true;
        throw;
      }
    }(stopped));
    co_await sleep(1s);
  });
  EXPECT_TRUE(stopped);
}

TEST(RunSeeds, TellsThatAFailureDoesNotComeAgain) {
  int runs = 0;
  const auto failure = find_failing_seed(10, [&](SimNetwork& network) -> Task<> {
    network.note("run " + std::to_string(++runs));
    EXPECT_NE(runs, 3);
    co_return;
  });
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->seed, 3U);
  EXPECT_FALSE(failure->replays);
  EXPECT_TRUE(describe(*failure).contains("run again, did something else"));
}

/// Sets a variable of the environment for a while.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) { ::setenv(name, value, 1); }
  ~Variable() { ::unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
};

TEST(RunSeeds, TheEnvironmentReplaysOneSeed) {
  const auto failure = find_failing_seed(10, fail_at_five);
  const Variable seed("CORONADO_SIM_SEED", "5");
  int runs = 0;
  testing::internal::CaptureStderr();
  const auto again = find_failing_seed(10, [&](SimNetwork& network) -> Task<> {
    ++runs;
    co_await fail_at_five(network);
  });
  const std::string printed = testing::internal::GetCapturedStderr();
  ASSERT_TRUE(again);
  EXPECT_EQ(again->seed, 5U);
  EXPECT_EQ(again->fingerprint, failure->fingerprint);
  EXPECT_EQ(again->events, failure->events);
  EXPECT_EQ(printed, failure->events);
  EXPECT_EQ(runs, 2);  // and once more, to see whether it comes again
}

TEST(RunSeeds, TheEnvironmentAsksForMore) {
  const Variable count("CORONADO_SIM_COUNT", "50");
  int runs = 0;
  run_seeds(2, [&](SimNetwork&) -> Task<> {
    ++runs;
    co_return;
  });
  EXPECT_EQ(runs, 50);
}

TEST(RunSeeds, ABadEnvironmentIsRefused) {
  const Variable seed("CORONADO_SIM_SEED", "five");
  EXPECT_THROW(find_failing_seed(1, fail_at_five), UsageError);
}

}  // namespace
}  // namespace coronado
