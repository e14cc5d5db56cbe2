#include <coronado/coro/locks.hpp>

#include <coronado/coro/combine.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/testing/async_test.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/coro/helpers.hpp"

namespace coronado {
namespace {

using namespace std::chrono_literals;

// --- Lock --------------------------------------------------------------------------------------

Task<> append_locked(Lock& lock, std::string& out, char name) {
  LockGuard guard = co_await lock.acquire();
  out += name;
  co_await moment();
  out += name;
}

TEST(Lock, ServesInOrderOfArrival) {
  std::string out;
  run_async([&]() -> Task<> {
    Lock lock;
    TaskGroup group;
    LockGuard held = co_await lock.acquire();
    for (char name = 'a'; name <= 'e'; ++name) {
      group.spawn(append_locked(lock, out, name));
      co_await moment();
    }
    held.release();
    co_await group.join();
    EXPECT_FALSE(lock.locked());
  });
  EXPECT_EQ(out, "aabbccddee");
}

TEST(Lock, NobodyOvertakesTheWoken) {
  std::string out;
  run_async([&]() -> Task<> {
    Lock lock;
    TaskGroup group;
    LockGuard guard = co_await lock.acquire();
    group.spawn(append_locked(lock, out, 'w'));
    co_await moment();
    guard.release();
    EXPECT_TRUE(lock.locked());  // handed to the waiter, which has not run yet
    EXPECT_FALSE(lock.try_acquire());
    group.spawn(append_locked(lock, out, 'n'));
    co_await group.join();
  });
  EXPECT_EQ(out, "wwnn");
}

TEST(Lock, TryAcquire) {
  run_async([]() -> Task<> {
    Lock lock;
    LockGuard guard = lock.try_acquire();
    EXPECT_TRUE(guard);
    EXPECT_FALSE(lock.try_acquire());
    LockGuard moved = std::move(guard);
    EXPECT_TRUE(lock.locked());
    moved = LockGuard();
    EXPECT_FALSE(lock.locked());
    co_return;
  });
}

TEST(Lock, ReleaseByHand) {
  run_async([]() -> Task<> {
    Lock lock;
    LockGuard guard = co_await lock.acquire();
    guard.detach();
    EXPECT_FALSE(guard);
    EXPECT_TRUE(lock.locked());
    lock.release();
    EXPECT_FALSE(lock.locked());
  });
}

TEST(Lock, ReleaseOfAnUnlockedLock) {
  Lock lock;
  EXPECT_EQ(message_of([&] { lock.release(); }), "release unlocked lock");
}

TEST(Lock, CancelledWaiterLeavesTheLine) {
  std::string out;
  run_async([&]() -> Task<> {
    Lock lock;
    TaskGroup group;
    LockGuard guard = co_await lock.acquire();
    TaskHandle<> first = group.spawn(append_locked(lock, out, 'x'));
    group.spawn(append_locked(lock, out, 'y'));
    co_await moment();
    first.cancel();
    co_await moment();
    EXPECT_EQ(first.context()->outcome(), TaskOutcome::kCancelled);
    guard.release();
    co_await group.join();
    EXPECT_FALSE(lock.locked());
  });
  EXPECT_EQ(out, "yy");
}

TEST(Lock, HandOverToATaskCancelledInTheSameTurnIsNotLost) {
  std::string out;
  run_async([&]() -> Task<> {
    Lock lock;
    TaskGroup group;
    LockGuard guard = co_await lock.acquire();
    TaskHandle<> first = group.spawn(append_locked(lock, out, 'x'));
    co_await moment();
    group.spawn(append_locked(lock, out, 'y'));
    co_await moment();
    guard.release();  // 'x' has it from now on,
    first.cancel();   // and is cancelled at its next wait
    co_await group.join();
    EXPECT_EQ(first.context()->outcome(), TaskOutcome::kCancelled);
    EXPECT_FALSE(lock.locked());
  });
  EXPECT_EQ(out, "xyy");
}

TEST(Lock, CancelledFirstAndReleasedInTheSameTurn) {
  std::string out;
  run_async([&]() -> Task<> {
    Lock lock;
    TaskGroup group;
    LockGuard guard = co_await lock.acquire();
    TaskHandle<> first = group.spawn(append_locked(lock, out, 'x'));
    group.spawn(append_locked(lock, out, 'y'));
    co_await moment();
    first.cancel();
    guard.release();
    co_await group.join();
    EXPECT_FALSE(lock.locked());
  });
  EXPECT_EQ(out, "yy");
}

TEST(Lock, TimeoutWhileWaiting) {
  run_async([]() -> Task<> {
    Lock lock;
    LockGuard guard = co_await lock.acquire();
    EXPECT_THROW((void)co_await with_timeout(1s, lock.acquire()), TimeoutError);
    guard.release();
    LockGuard again = co_await with_timeout(1s, lock.acquire());
    EXPECT_TRUE(again);
  });
}

TEST(Lock, TimeoutInTheTurnOfTheRelease) {
  // The holder's sleep and the waiter's limit end at the same instant, in either order.
  for (const bool release_first : {true, false}) {
    run_async([&]() -> Task<> {
      Lock lock;
      TaskGroup group;
      int acquired = 0;
      int timed_out = 0;
      const TimePoint instant = IOLoop::current()->now() + 1s;
      const auto hold = [](Lock& held, TimePoint until) -> Task<> {
        LockGuard guard = co_await held.acquire();
        co_await sleep_until(until);
      };
      const auto wait = [](Lock& wanted, TimePoint until, int& got, int& missed) -> Task<> {
        try {
          LockGuard guard = co_await with_timeout(until, wanted.acquire());
          ++got;
          co_await moment();
        } catch (const TimeoutError&) {
          ++missed;
        }
      };
      if (release_first) {
        group.spawn(hold(lock, instant));
        group.spawn(wait(lock, instant, acquired, timed_out));
      } else {
        LockGuard guard = co_await lock.acquire();
        group.spawn(wait(lock, instant, acquired, timed_out));
        co_await moment();
        co_await sleep_until(instant);
      }
      co_await group.join();
      EXPECT_EQ(acquired + timed_out, 1);
      EXPECT_FALSE(lock.locked());
    });
  }
}

// --- Semaphore ---------------------------------------------------------------------------------

TEST(Semaphore, LetsSoManyThrough) {
  run_async([]() -> Task<> {
    Semaphore semaphore(3);
    int inside = 0;
    int most = 0;
    const auto work = [](Semaphore& permits, int& now, int& highest) -> Task<> {
      LockGuard guard = co_await permits.acquire();
      highest = std::max(highest, ++now);
      co_await sleep(1s);
      --now;
    };
    TaskGroup group;
    for (int i = 0; i < 10; ++i) group.spawn(work(semaphore, inside, most));
    const TimePoint begin = IOLoop::current()->now();
    co_await group.join();
    EXPECT_EQ(most, 3);
    EXPECT_EQ(semaphore.value(), 3);
    EXPECT_GE(IOLoop::current()->now() - begin, 4s);  // 10 tasks, three at a time
    EXPECT_LT(IOLoop::current()->now() - begin, 5s);
  });
}

TEST(Semaphore, ReleaseAddsPermits) {
  run_async([]() -> Task<> {
    Semaphore semaphore(0);
    EXPECT_TRUE(semaphore.locked());
    semaphore.release();
    semaphore.release();
    EXPECT_EQ(semaphore.value(), 2);
    LockGuard guard = co_await semaphore.acquire();
    EXPECT_EQ(semaphore.value(), 1);
  });
}

TEST(Semaphore, PermitsSurviveCancelledWaiters) {
  run_async([]() -> Task<> {
    Semaphore semaphore(2);
    TaskGroup group;
    const auto hold = [](Semaphore& permits) -> Task<> {
      LockGuard guard = co_await permits.acquire();
      co_await sleep(1s);
    };
    std::vector<TaskHandle<>> handles;
    for (int i = 0; i < 20; ++i) handles.push_back(group.spawn(hold(semaphore)));
    co_await turns(2);
    for (int i = 0; i < 20; i += 2) handles[static_cast<std::size_t>(i)].cancel();
    co_await group.join();
    EXPECT_EQ(semaphore.value(), 2);
  });
}

TEST(Semaphore, NegativeValue) {
  EXPECT_THROW(Semaphore(-1), std::invalid_argument);
  EXPECT_THROW(BoundedSemaphore(-7), std::invalid_argument);
  EXPECT_EQ(message_of([] { Semaphore semaphore(-7); }),
            "the initial value of a semaphore must not be negative: -7");
}

TEST(BoundedSemaphore, ReleasedTooOften) {
  run_async([]() -> Task<> {
    BoundedSemaphore semaphore(2);
    {
      LockGuard guard = co_await semaphore.acquire();
      EXPECT_EQ(semaphore.value(), 1);
    }
    EXPECT_EQ(message_of([&] { semaphore.release(); }), "semaphore released too many times");
    EXPECT_EQ(semaphore.value(), 2);
  });
}

// --- Event -------------------------------------------------------------------------------------

Task<> count_event(Event& event, int& count) {
  co_await event.wait();
  ++count;
}

TEST(Event, SetWakesAllEvenIfClearedAtOnce) {
  run_async([]() -> Task<> {
    Event event;
    int count = 0;
    TaskGroup group;
    for (int i = 0; i < 5; ++i) group.spawn(count_event(event, count));
    co_await moment();
    EXPECT_FALSE(event.is_set());
    event.set();
    event.clear();
    co_await moment();
    EXPECT_EQ(count, 5);
    group.spawn(count_event(event, count));
    co_await turns(3);
    EXPECT_EQ(count, 5);
    event.set();
    co_await group.join();
    EXPECT_EQ(count, 6);
  });
}

TEST(Event, WaitIsImmediateWhenSet) {
  run_async([]() -> Task<> {
    Event event;
    event.set();
    const std::uint64_t id = IOLoop::current()->running()->id();
    bool other_ran = false;
    TaskGroup group;
    group.spawn([](bool& ran) -> Task<> {
      ran = true;
      co_return;
    }(other_ran));
    co_await event.wait();
    EXPECT_EQ(IOLoop::current()->running()->id(), id);
    EXPECT_FALSE(other_ran);
    co_await group.join();
  });
}

TEST(Event, CancelledWaiterLeaves) {
  run_async([]() -> Task<> {
    Event event;
    int count = 0;
    TaskGroup group;
    TaskHandle<> waiter = group.spawn(count_event(event, count));
    group.spawn(count_event(event, count));
    co_await moment();
    waiter.cancel();
    event.set();
    co_await group.join();
    EXPECT_EQ(count, 1);
    EXPECT_EQ(waiter.context()->outcome(), TaskOutcome::kCancelled);
    EXPECT_THROW(co_await with_timeout(0s, event.wait()), TimeoutError);
  });
}

// --- Condition ---------------------------------------------------------------------------------

Task<> note(Condition& condition, std::string& out, char name) {
  co_await condition.wait();
  out += name;
}

TEST(Condition, NotifiesInOrder) {
  std::string out;
  run_async([&]() -> Task<> {
    Condition condition;
    TaskGroup group;
    for (char name = 'a'; name <= 'f'; ++name) {
      group.spawn(note(condition, out, name));
      co_await moment();
    }
    condition.notify();
    co_await moment();
    EXPECT_EQ(out, "a");
    condition.notify(2);
    co_await moment();
    EXPECT_EQ(sorted(out), "abc");
    condition.notify(0);
    condition.notify_all();
    condition.notify(3);  // nobody is left
    co_await group.join();
  });
  EXPECT_EQ(sorted(out), "abcdef");
}

TEST(Condition, WaitForReturnsFalseOnTimeout) {
  run_async([]() -> Task<> {
    Condition condition;
    const TimePoint begin = IOLoop::current()->now();
    EXPECT_FALSE(co_await condition.wait_for(3s));
    EXPECT_GE(IOLoop::current()->now() - begin, 3s);
    EXPECT_FALSE(co_await condition.wait_for(-1s));
  });
}

TEST(Condition, WaitForReturnsTrueWhenNotified) {
  run_async([]() -> Task<> {
    Condition condition;
    TaskGroup group;
    group.spawn([](Condition& waited) -> Task<> {
      co_await sleep(1s);
      waited.notify();
    }(condition));
    const TimePoint begin = IOLoop::current()->now();
    EXPECT_TRUE(co_await condition.wait_for(3s));
    EXPECT_LT(IOLoop::current()->now() - begin, 2s);
    co_await group.join();
  });
}

TEST(Condition, NotifySkipsTheTimedOut) {
  std::string out;
  run_async([&]() -> Task<> {
    Condition condition;
    TaskGroup group;
    group.spawn(
        [](Condition& waited) -> Task<> { EXPECT_FALSE(co_await waited.wait_for(1s)); }(condition));
    co_await moment();
    group.spawn(note(condition, out, 'n'));
    co_await sleep(2s);
    condition.notify();
    co_await group.join();
  });
  EXPECT_EQ(out, "n");
}

TEST(Condition, CancelledWaiters) {
  run_async([]() -> Task<> {
    Condition condition;
    std::string out;
    TaskGroup group;
    TaskHandle<> plain = group.spawn(note(condition, out, 'p'));
    TaskHandle<> timed = group.spawn([](Condition& waited, std::string& text) -> Task<> {
      co_await waited.wait_for(1h);
      text += 't';
    }(condition, out));
    group.spawn(note(condition, out, 'q'));
    co_await moment();
    plain.cancel();
    timed.cancel();
    condition.notify();
    co_await group.join();
    EXPECT_EQ(out, "q");
    EXPECT_EQ(plain.context()->outcome(), TaskOutcome::kCancelled);
    EXPECT_EQ(timed.context()->outcome(), TaskOutcome::kCancelled);
  });
}

TEST(Condition, NotifiedAndTimedOutInOneTurn) {
  run_async([]() -> Task<> {
    Condition condition;
    IOLoop& loop = *IOLoop::current();
    loop.call_later(1s, [&] { condition.notify(); });
    EXPECT_TRUE(co_await condition.wait_for(1s));  // its own timer comes second
    TaskGroup group;
    group.spawn([](Condition& waited, TimePoint when) -> Task<> {
      co_await sleep_until(when);
      waited.notify();
    }(condition, loop.now() + 1s));
    EXPECT_FALSE(co_await condition.wait_for(1s));  // armed first; the notifier only wakes up then
    co_await group.join();
    EXPECT_FALSE(co_await condition.wait_for(1s));  // a notification is not kept
  });
}

}  // namespace
}  // namespace coronado
