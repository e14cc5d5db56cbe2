// A hundred thousand tasks each wait once, in eight ways, and are cancelled in random order while some
// of them are served. Each must end exactly once, whoever is served must be the one who came first,
// and what was given out when nobody was left must still be there.
//
// CORONADO_STRESS_ROUNDS and CORONADO_STRESS_SEED override the defaults.
#include <coronado/coro/pool.hpp>
#include <coronado/coro/queues.hpp>
#include <coronado/coro/rate_limiter.hpp>
#include <coronado/coro/registry.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/testing/async_test.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <vector>

#include "tests/coro/helpers.hpp"

namespace coronado {
namespace {

using namespace std::chrono_literals;

/// Tasks that each wait once, cancelled in random order while some are served.
class CancelledWaits {
 public:
  enum Wait : std::size_t { kSleep, kLock, kSemaphore, kPut, kGet, kPool, kLimit, kEvent, kWaits };

  struct Counts {
    long begun = 0;
    long served = 0;    // what it waited for was given to somebody in line
    long finished = 0;  // and that task went on
    long cancelled = 0;
  };

  explicit CancelledWaits(unsigned seed) : random_(seed) {}

  Task<> run(std::size_t count) {
    held_lock_ = co_await lock_.acquire();
    full_.put_nowait(0);
    lease_ = co_await pool_.acquire();
    co_await limiter_.acquire(limiter_.burst());
    TaskGroup group("waits", TaskGroup::OnFailure::kHandle);
    std::vector<TaskHandle<>> handles;
    for (std::size_t i = 0; i < count; ++i) {
      handles.push_back(group.spawn(wait(static_cast<Wait>(i % kWaits))));
    }
    co_await moment();
    EXPECT_EQ(group.size(), count) << "all of them wait";
    std::shuffle(handles.begin(), handles.end(), random_);
    for (std::size_t i = 0; i < count; ++i) {
      handles[i].cancel();
      if (i % 10 == 0) serve_one(static_cast<Wait>(1 + random_() % (kWaits - 1)));
      if (i % 100 == 0) co_await sleep(100us);
    }
    co_await group.join();
    expect_clean_end(handles);
  }

  const Counts& operator[](Wait wait) const { return counts_[wait]; }

 private:
  Task<> wait(Wait kind) {
    Counts& counts = counts_[kind];
    ++counts.begun;
    const long arrival = ++arrivals_;
    try {
      switch (kind) {
        case kSleep: co_await sleep(std::chrono::microseconds(random_() % 1'000'000)); break;
        case kLock: held_lock_ = co_await lock_.acquire(); break;
        case kSemaphore: {
          LockGuard permit = co_await semaphore_.acquire();
          permit.detach();
          break;
        }
        case kPut: co_await full_.put(1); break;
        case kGet: (void)co_await empty_.get(); break;
        case kPool: lease_ = co_await pool_.acquire(); break;
        case kLimit: co_await limiter_.acquire(); break;
        default: co_await event_.wait(); break;
      }
    } catch (const Cancelled&) {
      ++counts.cancelled;
      throw;
    }
    ++counts.finished;
    if (kind == kLock || kind == kPool) {  // where the next cannot be served before this one ran
      EXPECT_LT(std::exchange(last_arrival_[kind], arrival), arrival);
    }
  }

  /// Gives one of those who wait what they wait for.
  void serve_one(Wait kind) {
    switch (kind) {
      case kLock:
        if (!held_lock_) return;  // on its way to somebody
        held_lock_.release();
        break;
      case kSemaphore: semaphore_.release(); break;
      case kPut:
        if (full_.empty()) return;
        (void)full_.get_nowait();
        break;
      case kGet: empty_.put_nowait(1); break;
      case kPool:
        if (!lease_) return;
        lease_.release();
        break;
      default: return;
    }
    ++counts_[kind].served;
  }

  void expect_clean_end(const std::vector<TaskHandle<>>& handles) {
    for (const TaskHandle<>& handle : handles) EXPECT_TRUE(handle.done());
    EXPECT_EQ(count_tasks(*IOLoop::current()), 1U);
    held_lock_.release();
    EXPECT_FALSE(lock_.locked());
    lease_.release();
    EXPECT_EQ(pool_.stats().busy, 0U);
    EXPECT_EQ(pool_.stats().waiting, 0U);
    // Whatever was given out when nobody was left is still there; nothing has vanished.
    EXPECT_EQ(semaphore_.value(), counts_[kSemaphore].served - counts_[kSemaphore].finished);
    EXPECT_EQ(static_cast<long>(empty_.qsize()), counts_[kGet].served - counts_[kGet].finished);
    EXPECT_EQ(static_cast<long>(full_.qsize()), 1 + counts_[kPut].finished - counts_[kPut].served);
  }

  std::mt19937 random_;
  std::array<Counts, kWaits> counts_{};
  std::array<long, kWaits> last_arrival_{};
  long arrivals_ = 0;
  Lock lock_;
  LockGuard held_lock_;
  Semaphore semaphore_{0};
  Queue<int> full_{1};
  Queue<int> empty_;
  Event event_;
  RateLimiter limiter_{10'000, 1s, 100};
  Pool<int> pool_{[]() -> Task<int> { co_return 1; }, {.max_size = 1}};
  Lease<int> lease_;
};

TEST(CancelledWaits, AHundredThousandEachEndOnce) {
  const long count = from_environment("CORONADO_STRESS_ROUNDS", 100'000);
  CancelledWaits waits(static_cast<unsigned>(from_environment("CORONADO_STRESS_SEED", 1)));
  run_async([&] { return waits.run(static_cast<std::size_t>(count)); });
  for (std::size_t kind = 0; kind < CancelledWaits::kWaits; ++kind) {
    SCOPED_TRACE(kind);
    const CancelledWaits::Counts& counts = waits[static_cast<CancelledWaits::Wait>(kind)];
    EXPECT_EQ(counts.begun, count / static_cast<long>(CancelledWaits::kWaits));
    EXPECT_EQ(counts.begun, counts.finished + counts.cancelled) << "each ended exactly once";
    EXPECT_GT(counts.cancelled, counts.begun / 3);
    if (kind != CancelledWaits::kEvent) EXPECT_GT(counts.finished, counts.begun / 100);
  }
}

}  // namespace
}  // namespace coronado
