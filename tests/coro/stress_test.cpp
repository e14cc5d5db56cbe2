// Two hundred tasks do random things to each other, with failures, timeouts and cancellations at
// random moments, in simulated time. Every operation must end exactly once, nothing may leak or be
// lost, and the counts at the end prove that each kind of end really happened.
//
// CORONADO_STRESS_ROUNDS and CORONADO_STRESS_SEED override the defaults.
#include <coronado/coro/async_generator.hpp>
#include <coronado/coro/combine.hpp>
#include <coronado/coro/future.hpp>
#include <coronado/coro/pool.hpp>
#include <coronado/coro/queues.hpp>
#include <coronado/coro/rate_limiter.hpp>
#include <coronado/coro/registry.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/coro/wait_iterator.hpp>
#include <coronado/testing/async_test.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <string>
#include <vector>

#include "tests/coro/helpers.hpp"

namespace coronado {
namespace {

using namespace std::chrono_literals;

struct Failure : std::runtime_error {
  Failure() : std::runtime_error("made to fail") {}
};

enum Kind : std::size_t {
  kSleep,
  kMoment,
  kLock,
  kSemaphore,
  kEvent,
  kCondition,
  kPut,
  kGet,
  kPool,
  kLimit,
  kGenerate,
  kTimeout,
  kGroup,
  kMulti,
  kRace,
  kIterate,
  kMap,
  kShield,
  kFuture,
  kJoin,
  kFail,
  kKinds
};

constexpr std::array<const char*, kKinds> kNames = {
    "sleep", "moment",  "lock",  "semaphore", "event",   "condition", "put",
    "get",   "pool",    "limit", "generate",  "timeout", "group",     "multi",
    "race",  "iterate", "map",   "shield",    "future",  "join",      "fail"};

enum End : std::size_t { kFinished, kTimedOut, kThrown, kCancelled, kEnds };

/// How operations of one kind ended.
struct Tally {
  long begun = 0;
  std::array<long, kEnds> ended{};
  long sum() const { return ended[0] + ended[1] + ended[2] + ended[3]; }
};

/// One operation: must end exactly once.
class Operation {
 public:
  explicit Operation(Tally& tally) : tally_(tally) { ++tally_.begun; }
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;
  ~Operation() { EXPECT_EQ(ends_, 1); }
  void end(End how) {
    ++ends_;
    ++tally_.ended[how];
  }

 private:
  Tally& tally_;
  int ends_ = 0;
};

/// Counts those inside for as long as it lives.
class Inside {
 public:
  Inside(int& count, int most) : count_(count) { EXPECT_LE(++count_, most); }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;
  ~Inside() { --count_; }

 private:
  int& count_;
};

/// What the pool makes, counted.
class Thing {
 public:
  explicit Thing(int& alive) : alive_(&alive) { ++alive; }
  Thing(Thing&& other) noexcept : alive_(std::exchange(other.alive_, nullptr)) {}
  Thing& operator=(Thing&&) = delete;
  ~Thing() {
    if (alive_ != nullptr) --*alive_;
  }

 private:
  int* alive_;
};

class Stress {
 public:
  Stress(unsigned seed, long rounds) : random_(seed), rounds_(rounds) {}

  /// Keeps the workers going, and everything that waits for an outside event.
  Task<> run() {
    TaskGroup workers("workers", TaskGroup::OnFailure::kLog);
    std::vector<TaskHandle<>> handles(kWorkers);
    while (rounds_ > 0 || !workers.empty()) {
      for (TaskHandle<>& handle : handles) {
        if (handle.done() && rounds_ > 0) handle = workers.spawn(work(), "worker");
      }
      for (int i = 0; i < 3; ++i) handles[below(kWorkers)].cancel();
      stir();
      co_await sleep(1ms);
    }
    co_await workers.join();
    expect_clean_end();
  }

  void expect_all_happened() const {
    std::array<long, kEnds> total{};
    for (std::size_t kind = 0; kind < kKinds; ++kind) {
      const Tally& tally = tallies_[kind];
      SCOPED_TRACE(kNames[kind]);
      EXPECT_EQ(tally.begun, tally.sum());
      EXPECT_GT(tally.begun, began_ / 100);
      if (kind != kFail) EXPECT_GT(tally.ended[kFinished], tally.begun / 100);
      if (kind != kFail && kind != kShield) EXPECT_GT(tally.ended[kCancelled], 0);
      for (std::size_t end = 0; end < kEnds; ++end) total[end] += tally.ended[end];
    }
    EXPECT_GT(total[kFinished], began_ / 2);
    EXPECT_GT(total[kTimedOut], began_ / 50);
    EXPECT_GT(total[kThrown], began_ / 50);
    EXPECT_GT(total[kCancelled], began_ / 50);
    EXPECT_GT(workers_cancelled_, 0);
  }

 private:
  static constexpr std::size_t kWorkers = 200;
  static constexpr int kPermits = 3;
  static constexpr int kDeepest = 3;

  std::size_t below(std::size_t limit) { return random_() % limit; }
  Duration span() { return std::chrono::microseconds(below(4000)); }

  /// Random operations until the rounds are used up or it is cancelled.
  Task<> work() {
    bool done = false;
    try {
      while (rounds_-- > 0) {
        ++began_;
        try {
          co_await operation(0);
        } catch (const TimeoutError&) {
        } catch (const Failure&) {
        }
      }
      done = true;
    } catch (const Cancelled&) {
      ++workers_cancelled_;
      throw;
    }
    EXPECT_TRUE(done);
  }

  Task<int> operation(int depth) {
    const auto simple = static_cast<std::size_t>(kTimeout);
    const Kind kind = static_cast<Kind>(depth < kDeepest ? below(kKinds) : below(simple));
    Operation operation(tallies_[kind]);
    try {
      co_await perform(kind, depth + 1);
      operation.end(kFinished);
    } catch (const TimeoutError&) {
      operation.end(kTimedOut);
      throw;
    } catch (const Failure&) {
      operation.end(kThrown);
      throw;
    } catch (const Cancelled&) {
      operation.end(kCancelled);
      throw;
    }
    co_return depth;
  }

  Task<> perform(Kind kind, int depth) {
    switch (kind) {
      case kSleep: return as_task(sleep(span()));
      case kMoment: return as_task(moment());
      case kLock: return hold_lock();
      case kSemaphore: return hold_permit();
      case kEvent: return as_task(event_.wait());
      case kCondition: return wait_for_condition();
      case kPut: return put();
      case kGet: return get();
      case kPool: return borrow();
      case kLimit: return as_task(limiter_.acquire(1 + below(3)));
      case kGenerate: return generate();
      case kTimeout: return limited(depth);
      case kGroup: return group(depth);
      case kMulti: return several(depth);
      case kRace: return race_several(depth);
      case kIterate: return iterate(depth);
      case kMap: return map(depth);
      case kShield: return as_task(shield(as_task(sleep(span()))));
      case kFuture: return future();
      case kJoin: return join_or_cancel(depth);
      default: return fail();
    }
  }

  Task<> hold_lock() {
    const LockGuard guard = co_await lock_.acquire();
    const Inside inside(lock_holders_, 1);
    co_await sleep(span() / 100);
  }

  Task<> hold_permit() {
    const LockGuard guard = co_await semaphore_.acquire();
    const Inside inside(permit_holders_, kPermits);
    co_await sleep(span() / 100);
  }

  Task<> wait_for_condition() {
    if (below(2) == 0) {
      co_await condition_.wait();
    } else {
      (void)co_await condition_.wait_for(span());
    }
  }

  Task<> put() {
    co_await queue_.put(1);
    ++items_put_;
  }

  Task<> get() {
    const std::optional<int> item = co_await queue_.next();
    EXPECT_TRUE(item.has_value());
    ++items_got_;
  }

  /// A thing of the pool: sometimes it cannot be made, is found broken, or breaks.
  Task<Thing> make() {
    co_await sleep(span() / 20);
    if (below(10) == 0) throw Failure();
    co_return Thing(things_alive_);
  }

  Task<bool> check() {
    co_await sleep(span() / 100);
    if (below(20) == 0) throw Failure();
    co_return below(20) != 0;
  }

  Task<> borrow() {
    Lease<Thing> lease = co_await pool_.acquire();
    const Inside inside(lease_holders_, kPermits);
    co_await sleep(span() / 100);
    if (below(10) == 0) lease.discard();
  }

  AsyncGenerator<int> count(int last) {
    const Inside inside(generators_, 1'000'000);
    for (int i = 0; i < last; ++i) {
      if (below(2) == 0) co_await sleep(span() / 10);
      co_yield i;
    }
    if (below(20) == 0) throw Failure();
  }

  Task<> generate() {
    AsyncGenerator<int> numbers = count(4);
    int expected = 0;
    while (const int* number = co_await numbers.next()) {
      EXPECT_EQ(*number, expected++);
      if (below(20) == 0) co_return;  // before its end
    }
    EXPECT_EQ(expected, 4);
  }

  Task<> limited(int depth) {
    if (below(2) == 0) {
      (void)co_await with_timeout(span(), operation(depth));
    } else {
      (void)co_await with_timeout(IOLoop::current()->now() + span(),
                                  as_task(with_timeout(span(), operation(depth))));
    }
  }

  Task<> group(int depth) {
    TaskGroup group;
    for (std::size_t i = below(3); i > 0; --i) group.spawn(operation(depth));
    co_await group.join();
    co_await with_group([this, depth](TaskGroup& inner) -> Task<> {
      inner.spawn(operation(depth));
      co_await moment();
    });
  }

  std::vector<Task<int>> operations(std::size_t count, int depth) {
    std::vector<Task<int>> tasks;
    for (std::size_t i = 0; i < count; ++i) tasks.push_back(operation(depth));
    return tasks;
  }

  Task<> several(int depth) {
    if (below(2) == 0) {
      (void)co_await multi(operation(depth), sleep(span()));
    } else {
      const std::size_t count = below(4);
      const std::vector<int> depths = co_await multi(operations(count, depth));
      EXPECT_EQ(depths, std::vector<int>(count, depth));
    }
  }

  Task<> race_several(int depth) {
    if (below(2) == 0) {
      (void)co_await race(operation(depth), sleep(span()));
    } else {
      const RaceResult<int> winner = co_await race(operations(1 + below(3), depth));
      EXPECT_EQ(winner.value, depth);
    }
  }

  Task<> iterate(int depth) {
    const std::size_t count = below(4);
    WaitIterator<int> results(operations(count, depth));
    std::size_t taken = 0;
    bool failed = false;
    while (!results.done() && !failed) {
      try {
        (void)co_await results.next();
        ++taken;
      } catch (const std::runtime_error&) {
        failed = true;
      }
    }
    if (failed) {
      co_await results.close();
    } else {
      EXPECT_EQ(taken, count);
    }
  }

  Task<> map(int depth) {
    auto work = [this](int at) { return operation(at); };
    const std::vector<int> items(below(4), depth);
    const std::vector<int> results = co_await map_concurrent(items, 2, work);
    EXPECT_EQ(results, items);
  }

  Task<> future() {
    auto promise = std::make_shared<Promise<int>>();
    Future<int> future = promise->future();
    const std::size_t end = below(3);
    IOLoop::current()->call_later(span(), [promise, end] {
      if (end == 0) promise->set_exception(std::make_exception_ptr(Failure()));
      if (end == 1) promise->set_value(7);
    });
    promise.reset();
    bool broken = false;
    try {
      EXPECT_EQ(co_await future, 7);
    } catch (const ClosedError&) {
      broken = true;
    }
    EXPECT_EQ(broken, end == 2);
  }

  Task<> join_or_cancel(int depth) {
    TaskGroup group("joined", TaskGroup::OnFailure::kHandle);
    TaskHandle<int> handle = group.spawn(operation(depth));
    if (below(2) == 0) group.spawn(cancel_later(handle, span()));
    co_await group.join();
    EXPECT_TRUE(handle.done());
    if (handle.context()->outcome() != TaskOutcome::kCancelled) EXPECT_EQ(handle.result(), depth);
  }

  static Task<> cancel_later(TaskHandle<int>& handle, Duration delay) {
    co_await sleep(delay);
    handle.cancel();
  }

  Task<> fail() {
    co_await sleep(span() / 10);
    throw Failure();
  }

  /// Wakes those who wait for something that only comes from outside.
  void stir() {
    event_.set();
    if (below(4) != 0) event_.clear();
    condition_.notify(below(5));
    if (below(10) == 0) condition_.notify_all();
    for (std::size_t i = below(20); i > 0 && !queue_.empty(); --i) {
      (void)queue_.get_nowait();
      ++items_got_;
    }
    for (std::size_t i = below(20); i > 0 && !queue_.full(); --i) {
      queue_.put_nowait(1);
      ++items_put_;
    }
  }

  void expect_clean_end() {
    EXPECT_EQ(lock_holders_, 0);
    EXPECT_FALSE(lock_.locked());
    EXPECT_EQ(permit_holders_, 0);
    EXPECT_EQ(semaphore_.value(), kPermits);
    EXPECT_EQ(items_put_, items_got_ + static_cast<long>(queue_.qsize()));
    EXPECT_EQ(lease_holders_, 0);
    EXPECT_EQ(pool_.stats().busy, 0U);
    EXPECT_EQ(pool_.stats().waiting, 0U);
    EXPECT_EQ(static_cast<std::size_t>(things_alive_), pool_.stats().idle);
    for (const std::uint64_t count : {pool_.stats().waits, pool_.stats().failed,
                                      pool_.stats().unhealthy, pool_.stats().discarded}) {
      EXPECT_GT(count, pool_.stats().acquired / 1000);
    }
    EXPECT_EQ(generators_, 0);
    EXPECT_EQ(count_tasks(*IOLoop::current()), 1U);
  }

  std::mt19937 random_;
  long rounds_;
  long began_ = 0;
  long workers_cancelled_ = 0;
  std::array<Tally, kKinds> tallies_{};

  Lock lock_;
  Semaphore semaphore_{kPermits};
  Event event_;
  Condition condition_;
  Queue<int> queue_{8};
  int lock_holders_ = 0;
  int permit_holders_ = 0;
  long items_put_ = 0;
  long items_got_ = 0;
  int things_alive_ = 0;
  Pool<Thing> pool_{
      [this] { return make(); },
      {.max_size = kPermits, .max_lifetime = 50ms, .check = [this](Thing&) { return check(); }}};
  RateLimiter limiter_{50'000, 1s, 10};
  int lease_holders_ = 0;
  int generators_ = 0;
};

TEST(Stress, RandomOperationsEndExactlyOnce) {
  const ExpectLog failures("another failure ");  // of a group, of multi()
  const ExpectLog races("failure of a loser of race()");
  const ExpectLog futures("failure of a future that nobody awaited: made to fail");
  const long rounds = from_environment("CORONADO_STRESS_ROUNDS", 100'000);
  Stress stress(static_cast<unsigned>(from_environment("CORONADO_STRESS_SEED", 1)), rounds);
  run_async([&] { return stress.run(); }, {.time_limit = 1000h});
  stress.expect_all_happened();
}

}  // namespace
}  // namespace coronado
