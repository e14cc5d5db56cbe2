#include <coronado/coro/rate_limiter.hpp>

#include <coronado/coro/registry.hpp>
#include <coronado/coro/task_group.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/testing/async_test.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/coro/helpers.hpp"

namespace coronado {
namespace {

using namespace std::chrono_literals;

TimePoint now() { return IOLoop::current()->now(); }

Task<> take(RateLimiter& limiter, std::uint64_t count, std::string& out, char name) {
  co_await limiter.acquire(count);
  out += name;
}

TEST(RateLimiter, ABurstThenTheRate) {
  run_async([]() -> Task<> {
    RateLimiter limiter(10, 1s);
    EXPECT_EQ(limiter.burst(), 10U);
    EXPECT_EQ(limiter.available(), 10U);
    const TimePoint begin = now();
    for (int i = 0; i < 10; ++i) co_await limiter.acquire();
    EXPECT_EQ(now(), begin) << "the burst is free";
    for (int i = 1; i <= 5; ++i) {
      co_await limiter.acquire();
      EXPECT_TRUE(is_after(begin, i * 100ms));
    }
  });
}

TEST(RateLimiter, GathersNoMoreThanItsBurst) {
  run_async([]() -> Task<> {
    RateLimiter limiter(10, 1s, 3);
    co_await sleep(30min);
    EXPECT_EQ(limiter.available(), 3U);
    const TimePoint begin = now();
    for (int i = 0; i < 4; ++i) co_await limiter.acquire();
    EXPECT_TRUE(is_after(begin, 100ms));
    co_await sleep(250ms);
    EXPECT_EQ(limiter.available(), 2U) << "and a half";
    co_await sleep(50ms);
    EXPECT_EQ(limiter.available(), 3U);
  });
}

TEST(RateLimiter, DoesNotDrift) {
  run_async(
      []() -> Task<> {
        RateLimiter limiter(7, 1s, 1);  // a token costs no whole number of nanoseconds
        co_await limiter.acquire();
        const TimePoint begin = now();
        for (int i = 0; i < 700'000; ++i) co_await limiter.acquire();
        EXPECT_TRUE(is_after(begin, 100'000s)) << "but for the last timer";
      },
      {.time_limit = 1000h});
}

TEST(RateLimiter, AnUnevenConsumerGetsTheRateAllTheSame) {
  run_async([]() -> Task<> {
    RateLimiter limiter(3, 10ms, 2);
    const TimePoint begin = now();
    for (int i = 0; i < 300; ++i) {
      co_await limiter.acquire();
      co_await sleep(std::chrono::microseconds(100 * (i % 7)));
    }
    EXPECT_NEAR(std::chrono::duration<double>(now() - begin).count(), 0.993, 0.01);
  });
}

TEST(RateLimiter, ServesInOrderOfArrivalWhateverTheCount) {
  run_async([]() -> Task<> {
    RateLimiter limiter(10, 1s);
    std::string out;
    TaskGroup group;
    co_await limiter.acquire(10);
    const TimePoint begin = now();
    group.spawn(take(limiter, 8, out, 'm'));
    co_await moment();
    group.spawn(take(limiter, 1, out, 'f'));
    co_await sleep(700ms);
    EXPECT_FALSE(limiter.try_acquire()) << "others are in line";
    EXPECT_EQ(out, "") << "the one who wants few waits for the one who wants many";
    co_await group.join();
    EXPECT_EQ(out, "mf");
    EXPECT_TRUE(is_after(begin, 900ms));
  });
}

TEST(RateLimiter, TryAcquireTakesWhatIsThere) {
  run_async([]() -> Task<> {
    RateLimiter limiter(2, 1s);
    EXPECT_FALSE(limiter.try_acquire(3));
    EXPECT_TRUE(limiter.try_acquire(2));
    EXPECT_FALSE(limiter.try_acquire());
    EXPECT_TRUE(limiter.try_acquire(0));
    co_await sleep(500ms);
    EXPECT_TRUE(limiter.try_acquire());
  });
}

TEST(RateLimiter, ACancelledWaiterTakesNothing) {
  run_async([]() -> Task<> {
    RateLimiter limiter(10, 1s);
    std::string out;
    TaskGroup group;
    co_await limiter.acquire(10);
    const TimePoint begin = now();
    TaskHandle<> many = group.spawn(take(limiter, 10, out, 'm'));
    co_await moment();
    group.spawn(take(limiter, 2, out, 'f'));
    co_await sleep(100ms);
    many.cancel();  // the next in line has to wait for less from now on
    co_await group.join();
    EXPECT_EQ(out, "f");
    EXPECT_TRUE(is_after(begin, 200ms));
    EXPECT_EQ(limiter.available(), 0U);
    EXPECT_EQ(co_await failure_of(with_timeout(50ms, limiter.acquire())), "Timeout");
    co_await sleep(950ms);
    EXPECT_EQ(limiter.available(), 10U) << "the one that timed out took nothing";
  });
}

TEST(RateLimiter, CancelOfTheFirstServesTheNextAtOnce) {
  run_async([]() -> Task<> {
    RateLimiter limiter(10, 1s);
    std::string out;
    TaskGroup group;
    co_await limiter.acquire(5);
    TaskHandle<> many = group.spawn(take(limiter, 10, out, 'm'));
    co_await moment();
    group.spawn(take(limiter, 2, out, 'f'));
    co_await moment();
    EXPECT_EQ(out, "");
    many.cancel();
    const TimePoint begin = now();
    co_await group.join();
    EXPECT_EQ(out, "f");
    EXPECT_EQ(now(), begin);
  });
}

TEST(RateLimiter, RefusesWhatCannotBe) {
  EXPECT_THROW(RateLimiter(0, 1s), std::invalid_argument);
  EXPECT_THROW(RateLimiter(1, 0s), std::invalid_argument);
  EXPECT_THROW(RateLimiter(1, -1s), std::invalid_argument);
  EXPECT_THROW(RateLimiter(1, 24h, 1'000'000), std::invalid_argument);
  EXPECT_THROW(RateLimiter(~0ULL, 1s), std::invalid_argument);
  RateLimiter limiter(1, 1s, 5);
  EXPECT_EQ(message_of([&] { (void)limiter.acquire(6); }),
            "a rate limiter with a burst of 5 will never have 6 tokens");
  EXPECT_THROW((void)limiter.available(), std::logic_error) << "outside of a loop";
}

TEST(RateLimiter, TheDumpSaysWhoWaits) {
  run_async([]() -> Task<> {
    RateLimiter limiter(1, 1s);
    co_await limiter.acquire();
    std::string out;
    TaskGroup group;
    group.spawn(take(limiter, 1, out, 'a'), "worker");
    co_await moment();
    EXPECT_THAT(dump_tasks(group.executor()),
                testing::HasSubstr("\"worker\" waiting: rate limit: 1 token, number 1 in line\n"));
    co_await group.join();
  });
}

}  // namespace
}  // namespace coronado
