#include <coronado/testing/virtual_time.hpp>

#include <coronado/coro/timeout.hpp>

#include <gtest/gtest.h>

namespace coronado {
namespace {

using namespace std::chrono_literals;

TEST(VirtualTime, RunForLetsASpanPass) {
  IOLoop loop({.reactor = ReactorKind::kSim});
  int called = 0;
  for (const Duration delay : {1h, 2h, 3h}) loop.call_later(delay, [&] { ++called; });
  run_for(loop, 1h);
  EXPECT_EQ(called, 1);
  run_for(loop, 90min);
  EXPECT_EQ(called, 2);
  run_for(loop, 30min);
  EXPECT_EQ(called, 3);
}

TEST(VirtualTime, SettleStandsStill) {
  IOLoop loop({.reactor = ReactorKind::kSim});
  const TimePoint begin = loop.now();
  int steps = 0;
  bool timer = false;
  loop.call_later(1ms, [&] { timer = true; });
  loop.spawn([](int& count) -> Task<> {
    for (int i = 0; i < 1000; ++i) {
      ++count;
      co_await moment();
    }
  }(steps));
  settle(loop);
  EXPECT_EQ(steps, 1000);
  EXPECT_EQ(loop.now(), begin);
  EXPECT_FALSE(timer);
}

TEST(VirtualTime, InsideATaskItIsRefused) {
  IOLoop loop({.reactor = ReactorKind::kSim});
  loop.run_sync([](IOLoop& own) -> Task<> {
    EXPECT_THROW(settle(own), std::logic_error);
    EXPECT_THROW(run_for(own, 1s), std::logic_error);
    co_return;
  }(loop));
}

}  // namespace
}  // namespace coronado
