#include <coronado/coro/pool.hpp>

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

/// What a pool under test makes: numbered, and counted while they live.
class Thing {
 public:
  Thing(int number, int& alive) : number_(number), alive_(&alive) { ++alive; }
  Thing(Thing&& other) noexcept
      : number_(other.number_), alive_(std::exchange(other.alive_, nullptr)) {}
  Thing& operator=(Thing&&) = delete;
  ~Thing() {
    if (alive_ != nullptr) --*alive_;
  }
  int number() const { return number_; }

 private:
  int number_;
  int* alive_;
};

/// Makes things, one after the other or when told to fail.
struct Maker {
  int made = 0;
  int alive = 0;
  int failures_left = 0;
  Duration takes = Duration::zero();

  auto factory() {
    return [this] { return make(); };
  }
  Task<Thing> make() {
    if (takes > Duration::zero()) co_await sleep(takes);
    if (failures_left > 0) {
      --failures_left;
      throw std::runtime_error("cannot connect");
    }
    co_return Thing(++made, alive);
  }
};

TimePoint now() { return IOLoop::current()->now(); }

Task<int> borrow(Pool<Thing>& pool, Duration span) {
  Lease<Thing> lease = co_await pool.acquire();
  co_await sleep(span);
  co_return lease->number();
}

// --- lending -------------------------------------------------------------------------------------

TEST(Pool, MakesWhatIsNeededAndLendsItAgain) {
  run_async([]() -> Task<> {
    Maker maker;
    Pool<Thing> pool(maker.factory(), {.max_size = 3});
    EXPECT_EQ(maker.made, 0) << "nothing before the first lease";
    {
      Lease<Thing> one = co_await pool.acquire();
      Lease<Thing> two = co_await pool.acquire();
      EXPECT_EQ(one->number(), 1);
      EXPECT_EQ((*two).number(), 2);
      EXPECT_EQ(pool.stats().busy, 2U);
    }
    EXPECT_EQ(pool.stats().idle, 2U);
    EXPECT_EQ(pool.stats().busy, 0U);
    for (int i = 0; i < 10; ++i) EXPECT_EQ(co_await borrow(pool, 0s), 1) << "the last one used";
    EXPECT_EQ(maker.made, 2);
    EXPECT_EQ(pool.stats().acquired, 12U);
    EXPECT_EQ(pool.stats().made, 2U);
  });
}

TEST(Pool, NeverMakesMoreThanItsSizeAndServesInOrder) {
  run_async([]() -> Task<> {
    Maker maker;
    maker.takes = 1s;
    Pool<Thing> pool(maker.factory(), {.max_size = 2});
    std::string order;
    TaskGroup group;
    for (char name = 'a'; name <= 'f'; ++name) {
      group.spawn([](Pool<Thing>& from, std::string& out, char mine) -> Task<> {
        Lease<Thing> lease = co_await from.acquire();
        out += mine;
        co_await sleep(10s);
      }(pool, order, name));
      co_await sleep(1ms);
    }
    EXPECT_EQ(pool.stats().busy, 2U);
    EXPECT_EQ(pool.stats().waiting, 4U);
    co_await group.join();
    EXPECT_EQ(order, "abcdef");
    EXPECT_EQ(maker.made, 2);
    const PoolStats stats = pool.stats();
    EXPECT_EQ(stats.waits, 4U);
    EXPECT_GT(stats.wait_time, 2 * 10s + 2 * 20s);
    EXPECT_EQ(stats.waiting, 0U);
  });
}

TEST(Pool, ALeaseMovesAndIsReleasedOnce) {
  run_async([]() -> Task<> {
    Maker maker;
    Pool<Thing> pool(maker.factory(), {.max_size = 2});
    Lease<Thing> lease;
    EXPECT_FALSE(lease);
    lease.release();
    lease.discard();
    lease = co_await pool.acquire();
    Lease<Thing> moved = std::move(lease);
    EXPECT_FALSE(lease);
    EXPECT_TRUE(moved);
    Lease<Thing> other = co_await pool.acquire();
    moved = std::move(other);
    EXPECT_EQ(pool.stats().idle, 1U) << "the one it held went back";
    moved.release();
    moved.release();
    EXPECT_EQ(pool.stats().idle, 2U);
    EXPECT_EQ(pool.stats().busy, 0U);
  });
}

TEST(Pool, TryAcquireTakesOnlyWhatIsThere) {
  run_async([]() -> Task<> {
    Maker maker;
    Pool<Thing> pool(maker.factory(), {.max_size = 1});
    EXPECT_FALSE(pool.try_acquire()) << "nothing was made";
    (void)co_await borrow(pool, 0s);
    {
      Lease<Thing> lease = pool.try_acquire();
      EXPECT_TRUE(lease);
      EXPECT_FALSE(pool.try_acquire());
    }
    EXPECT_EQ(pool.stats().idle, 1U);
    co_await pool.close();
    EXPECT_FALSE(pool.try_acquire());
  });
}

// --- what breaks ---------------------------------------------------------------------------------

TEST(Pool, ADiscardedResourceIsReplaced) {
  run_async([]() -> Task<> {
    Maker maker;
    Pool<Thing> pool(maker.factory(), {.max_size = 1});
    {
      Lease<Thing> lease = co_await pool.acquire();
      lease.discard();
      EXPECT_FALSE(lease);
      EXPECT_EQ(maker.alive, 0);
    }
    EXPECT_EQ(co_await borrow(pool, 0s), 2);
    EXPECT_EQ(pool.stats().discarded, 1U);
  });
}

Task<> fail_with(Pool<Thing>& pool) {
  Lease<Thing> lease = co_await pool.acquire();
  co_await moment();
  throw std::runtime_error("in the middle of something");
}

TEST(Pool, ALeaseThatGoesByAnExceptionDiscards) {
  run_async([]() -> Task<> {
    Maker maker;
    Pool<Thing> pool(maker.factory(), {.max_size = 1});
    EXPECT_EQ(co_await failure_of(fail_with(pool)), "in the middle of something");
    EXPECT_EQ(maker.alive, 0);
    EXPECT_EQ(co_await failure_of(with_timeout(1s, borrow(pool, 1h))), "Timeout");
    EXPECT_EQ(maker.alive, 0);
    EXPECT_EQ(pool.stats().discarded, 2U);
    EXPECT_EQ(pool.stats().busy, 0U);
  });
}

TEST(Pool, ReusableDecidesWhatComesBack) {
  run_async([]() -> Task<> {
    Maker maker;
    bool good = true;
    Pool<Thing> pool(maker.factory(),
                     {.max_size = 1, .reusable = [&good](Thing&) { return good; }});
    EXPECT_EQ(co_await failure_of(fail_with(pool)), "in the middle of something");
    EXPECT_EQ(pool.stats().idle, 1U) << "it knows better";
    good = false;
    EXPECT_EQ(co_await borrow(pool, 0s), 1);
    EXPECT_EQ(pool.stats().idle, 0U);
    EXPECT_EQ(pool.stats().discarded, 1U);
  });
}

TEST(Pool, AFailingFactoryGivesItsPlaceToTheNext) {
  run_async([]() -> Task<> {
    Maker maker;
    maker.takes = 1s;
    maker.failures_left = 2;
    Pool<Thing> pool(maker.factory(), {.max_size = 1});
    std::vector<std::string> failures;
    TaskGroup group;
    std::vector<TaskHandle<std::string>> handles;
    for (int i = 0; i < 4; ++i) {
      handles.push_back(group.spawn(failure_of(borrow(pool, 1s))));
      co_await sleep(1ms);
    }
    co_await group.join();
    EXPECT_EQ(handles[0].result(), "cannot connect");
    EXPECT_EQ(handles[1].result(), "cannot connect");
    EXPECT_EQ(handles[2].result(), "nothing thrown");
    EXPECT_EQ(handles[3].result(), "nothing thrown");
    const PoolStats stats = pool.stats();
    EXPECT_EQ(stats.failed, 2U);
    EXPECT_EQ(stats.made, 1U);
    EXPECT_EQ(stats.busy, 0U) << "no place is lost";
    EXPECT_EQ(stats.idle, 1U);
  });
}

// --- checks and ages -----------------------------------------------------------------------------

TEST(Pool, ChecksBeforeItLendsAgain) {
  run_async([]() -> Task<> {
    Maker maker;
    int checks = 0;
    Pool<Thing> pool(maker.factory(), {.max_size = 3, .check = [&checks](Thing& thing) {
                                         return [](int& count, int number) -> Task<bool> {
                                           ++count;
                                           co_await sleep(1s);
                                           if (number == 1) throw std::runtime_error("reset");
                                           co_return number != 2;
                                         }(checks, thing.number());
                                       }});
    {
      Lease<Thing> one = co_await pool.acquire();
      Lease<Thing> two = co_await pool.acquire();
      Lease<Thing> three = co_await pool.acquire();
      EXPECT_EQ(checks, 0) << "what is fresh needs none";
      three.release();
      two.release();
      one.release();
    }
    EXPECT_EQ(co_await borrow(pool, 0s), 3) << "1 threw, 2 was refused";
    EXPECT_EQ(checks, 3);
    EXPECT_EQ(maker.alive, 1);
    EXPECT_EQ(pool.stats().unhealthy, 2U);
  });
}

TEST(Pool, WhatWasIdleForAShortTimeIsNotChecked) {
  run_async([]() -> Task<> {
    Maker maker;
    int checks = 0;
    Pool<Thing> pool(maker.factory(), {.max_size = 1,
                                       .check =
                                           [&checks](Thing&) {
                                             ++checks;
                                             return []() -> Task<bool> { co_return true; }();
                                           },
                                       .check_after = 10s});
    (void)co_await borrow(pool, 0s);
    co_await sleep(9s);
    EXPECT_TRUE(pool.try_acquire());
    (void)co_await borrow(pool, 0s);
    EXPECT_EQ(checks, 0);
    co_await sleep(10s);
    EXPECT_FALSE(pool.try_acquire()) << "it needs a check, which must be awaited";
    EXPECT_EQ(pool.stats().idle, 1U);
    (void)co_await borrow(pool, 0s);
    EXPECT_EQ(checks, 1);
  });
}

TEST(Pool, IdleResourcesExpire) {
  run_async([]() -> Task<> {
    Maker maker;
    Pool<Thing> pool(maker.factory(), {.max_size = 2, .idle_timeout = 1min});
    TaskGroup group;
    group.spawn(borrow(pool, 1s));
    co_await moment();
    group.spawn(borrow(pool, 30s));
    co_await group.join();
    EXPECT_EQ(maker.alive, 2);
    co_await sleep(32s);
    EXPECT_EQ(maker.alive, 1) << "the one that came back first went first";
    co_await sleep(20s);
    EXPECT_EQ(co_await borrow(pool, 0s), 2);
    co_await sleep(59s);
    EXPECT_EQ(maker.alive, 1) << "using it made it young";
    co_await sleep(2s);
    EXPECT_EQ(maker.alive, 0);
    EXPECT_EQ(pool.stats().expired, 2U);
  });
}

TEST(Pool, AResourceOfZeroIdleTimeoutStays) {
  run_async([]() -> Task<> {
    Maker maker;
    Pool<Thing> pool(maker.factory(), {.idle_timeout = 0s});
    (void)co_await borrow(pool, 0s);
    co_await sleep(30min);
    EXPECT_EQ(co_await borrow(pool, 0s), 1);
  });
}

TEST(Pool, OldResourcesRetireHoweverBusy) {
  run_async([]() -> Task<> {
    Maker maker;
    Pool<Thing> pool(maker.factory(), {.max_size = 1, .max_lifetime = 10s});
    EXPECT_EQ(co_await borrow(pool, 4s), 1);
    EXPECT_EQ(co_await borrow(pool, 4s), 1);
    EXPECT_EQ(co_await borrow(pool, 4s), 1);
    EXPECT_EQ(maker.alive, 0) << "it came back too old";
    EXPECT_EQ(co_await borrow(pool, 4s), 2);
    co_await sleep(7s);
    EXPECT_EQ(maker.alive, 0) << "it grew too old while it was idle";
    EXPECT_EQ(pool.stats().expired, 2U);
  });
}

// --- cancellation --------------------------------------------------------------------------------

TEST(Pool, ACancelledWaiterLeavesTheLine) {
  run_async([]() -> Task<> {
    Maker maker;
    Pool<Thing> pool(maker.factory(), {.max_size = 1});
    TaskGroup group;
    Lease<Thing> lease = co_await pool.acquire();
    TaskHandle<int> first = group.spawn(borrow(pool, 1s));
    co_await moment();
    TaskHandle<int> second = group.spawn(borrow(pool, 1s));
    co_await moment();
    EXPECT_EQ(pool.stats().waiting, 2U);
    first.cancel();
    EXPECT_EQ(pool.stats().waiting, 1U);
    lease.release();
    co_await group.join();
    EXPECT_EQ(first.context()->outcome(), TaskOutcome::kCancelled);
    EXPECT_EQ(second.result(), 1);
    EXPECT_EQ(pool.stats().busy, 0U);
  });
}

TEST(Pool, APlaceHandedToACancelledTaskGoesOn) {
  run_async([]() -> Task<> {
    Maker maker;
    Pool<Thing> pool(maker.factory(), {.max_size = 1});
    TaskGroup group;
    Lease<Thing> lease = co_await pool.acquire();
    TaskHandle<int> first = group.spawn(borrow(pool, 1s));
    co_await moment();
    TaskHandle<int> second = group.spawn(borrow(pool, 1s));
    co_await moment();
    lease.discard();  // the first has the place from now on,
    first.cancel();   // and is cancelled before it can use it
    co_await group.join();
    EXPECT_EQ(first.context()->outcome(), TaskOutcome::kCancelled);
    EXPECT_EQ(second.context()->outcome(), TaskOutcome::kValue);
    EXPECT_EQ(pool.stats().busy, 0U);
  });
}

TEST(Pool, CancelledWhileMakingOrCheckingLosesNothing) {
  run_async([]() -> Task<> {
    Maker maker;
    maker.takes = 10s;
    Pool<Thing> pool(maker.factory(), {.max_size = 1, .check = [](Thing&) {
                                         return []() -> Task<bool> {
                                           co_await sleep(10s);
                                           co_return true;
                                         }();
                                       }});
    EXPECT_EQ(co_await failure_of(with_timeout(1s, pool.acquire())), "Timeout");
    EXPECT_EQ(pool.stats().failed, 1U);
    EXPECT_EQ(pool.stats().busy, 0U);
    (void)co_await borrow(pool, 0s);
    EXPECT_EQ(pool.stats().idle, 1U);
    EXPECT_EQ(co_await failure_of(with_timeout(1s, pool.acquire())), "Timeout");
    EXPECT_EQ(maker.alive, 0) << "who knows in what state the check left it";
    EXPECT_EQ(pool.stats().unhealthy, 1U);
    EXPECT_EQ(pool.stats().busy, 0U);
  });
}

// --- the end -------------------------------------------------------------------------------------

TEST(Pool, CloseRefusesAndDrains) {
  run_async([]() -> Task<> {
    Maker maker;
    Pool<Thing> pool(maker.factory(), {.max_size = 2, .name = "db"});
    (void)co_await multi(borrow(pool, 0s), borrow(pool, 0s));
    TaskGroup group;
    TaskHandle<int> lent = group.spawn(borrow(pool, 10s));
    TaskHandle<int> lent_too = group.spawn(borrow(pool, 5s));
    co_await moment();
    TaskHandle<std::string> waiter = group.spawn(failure_of(pool.acquire()));
    co_await moment();
    const TimePoint begin = now();
    co_await pool.close();
    EXPECT_TRUE(is_after(begin, 10s));
    EXPECT_EQ(maker.alive, 0);
    EXPECT_TRUE(pool.closed());
    co_await group.join();
    EXPECT_EQ(waiter.result(), "db: the pool is closed");
    EXPECT_EQ(co_await failure_of(pool.acquire()), "db: the pool is closed");
    EXPECT_EQ(lent.context()->outcome(), TaskOutcome::kValue);
    co_await pool.close();
  });
}

TEST(Pool, WhatIsBeingMadeAtTheEndIsNotLent) {
  run_async([]() -> Task<> {
    Maker maker;
    maker.takes = 5s;
    Pool<Thing> pool(maker.factory());
    TaskGroup group;
    TaskHandle<std::string> asking = group.spawn(failure_of(pool.acquire()));
    co_await sleep(1s);
    co_await pool.close();
    EXPECT_EQ(maker.made, 1);
    EXPECT_EQ(maker.alive, 0);
    co_await group.join();
    EXPECT_EQ(asking.result(), "pool: the pool is closed");
  });
}

TEST(Pool, ACancelledCloseStaysClosed) {
  run_async([]() -> Task<> {
    Maker maker;
    Pool<Thing> pool(maker.factory());
    Lease<Thing> lease = co_await pool.acquire();
    EXPECT_EQ(co_await failure_of(with_timeout(1s, pool.close())), "Timeout");
    EXPECT_TRUE(pool.closed());
    EXPECT_EQ(lease->number(), 1) << "what is lent is not taken away";
    lease.release();
    EXPECT_EQ(maker.alive, 0);
    co_await pool.close();
  });
}

TEST(Pool, TheLeaseOfALoserIsGivenBack) {
  run_async([]() -> Task<> {
    Maker maker;
    Pool<Thing> pool(maker.factory(), {.max_size = 2});
    (void)co_await race(pool.acquire(), pool.acquire());
    EXPECT_EQ(pool.stats().busy, 0U);
  });
}

TEST(Pool, OutlivesItsLoopAndServesTheNext) {
  Maker maker;
  Pool<Thing> pool(maker.factory(), {.idle_timeout = 1min});
  for (int i = 0; i < 2; ++i) {
    run_async([&]() -> Task<> { EXPECT_EQ(co_await borrow(pool, 1s), 1); });
    EXPECT_EQ(maker.alive, 1) << "idle, and its timer went with the loop";
  }
  EXPECT_THROW((void)pool.try_acquire(), std::logic_error);
  Lease<Thing> lease;
  run_async([&]() -> Task<> { lease = co_await pool.acquire(); });
  lease.release();
  EXPECT_EQ(maker.alive, 0) << "it came back when there was no loop any more";
}

TEST(Pool, RefusesImpossibleOptions) {
  Maker maker;
  EXPECT_THAT(message_of([&] { Pool<Thing>(maker.factory(), {.max_size = 0}); }),
              testing::HasSubstr("max_size of at least 1"));
  EXPECT_THAT(message_of([&] { Pool<Thing>(maker.factory(), {.idle_timeout = -1s}); }),
              testing::HasSubstr("must not be negative"));
}

TEST(Pool, TheDumpSaysWhoWaits) {
  run_async([]() -> Task<> {
    Maker maker;
    Pool<Thing> pool(maker.factory(), {.max_size = 1, .name = "db"});
    Lease<Thing> lease = co_await pool.acquire();
    TaskGroup group;
    group.spawn(borrow(pool, 0s), "query");
    co_await moment();
    EXPECT_THAT(dump_tasks(group.executor()),
                testing::HasSubstr("\"query\" waiting: db: all 1 are busy, number 1 in line\n"));
    lease.release();
    co_await group.join();
  });
}

}  // namespace
}  // namespace coronado
