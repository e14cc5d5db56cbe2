#include <coronado/loop/remote_call.hpp>

#include <coronado/coro/combine.hpp>
#include <coronado/coro/registry.hpp>
#include <coronado/coro/task_local.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/loop/ioloop.hpp>
#include <coronado/testing/async_test.hpp>

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <deque>
#include <latch>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace coronado {
namespace {

using namespace std::chrono_literals;

/// A thread that runs a loop until it is told to stop.
class LoopThread {
 public:
  LoopThread() : thread_([this] { work(); }) { ready_.wait(); }
  LoopThread(const LoopThread&) = delete;
  LoopThread& operator=(const LoopThread&) = delete;
  ~LoopThread() { stop(); }

  IOLoop& loop() { return *loop_; }
  std::thread::id id() const { return thread_.get_id(); }

  /// Ends the loop's run and closes it; the object stays.
  void stop() {
    if (!thread_.joinable()) return;
    loop_->stop();
    thread_.join();
  }

 private:
  void work() {
    loop_ = std::make_unique<IOLoop>(
        IOLoopOptions{.reactor = ReactorKind::kEpoll, .slow_step_threshold = Duration::zero()});
    ready_.count_down();
    loop_->run();
    loop_->close();
  }

  std::unique_ptr<IOLoop> loop_;
  std::latch ready_{1};
  std::thread thread_;
};

/// Runs `body` on a loop of this thread, in real time.
template <class F>
void run(F&& body) {
  run_async(std::forward<F>(body), {.reactor = ReactorKind::kEpoll, .time_limit = 60s});
}

Task<std::thread::id> where() { co_return std::this_thread::get_id(); }

/// Ends only by cancellation; says that it has begun and that it has ended.
struct Endless {
  std::atomic<int> begun = 0;
  std::atomic<int> ended = 0;

  Task<int> operator()() {
    struct AtTheEnd {
      Endless& owner;
      ~AtTheEnd() { ++owner.ended; }
    } at_the_end{*this};
    ++begun;
    begun.notify_all();
    co_await sleep(1h);
    co_return 1;
  }
};

// --- co_await other.run(task) ------------------------------------------------------------------

TEST(RemoteCallThread, RunsOnTheOtherLoopAndComesBack) {
  LoopThread other;
  run([&]() -> Task<> {
    const std::thread::id here = std::this_thread::get_id();
    EXPECT_EQ(co_await other.loop().run(where()), other.id());
    EXPECT_EQ(std::this_thread::get_id(), here);
    auto make = [](int value) -> Task<std::unique_ptr<int>> {
      co_await sleep(1us);
      co_return std::make_unique<int>(value);
    };
    const std::unique_ptr<int> value = co_await other.loop().run(make(7));
    EXPECT_EQ(*value, 7);
    co_await other.loop().run([]() -> Task<> { co_return; }());
  });
}

TEST(RemoteCallThread, ArgumentsDieOnTheCallersThreadBeforeItGoesOn) {
  struct Argument {
    std::thread::id* died;
    explicit Argument(std::thread::id* where_to) : died(where_to) {}
    Argument(Argument&& from) noexcept : died(std::exchange(from.died, nullptr)) {}
    ~Argument() {
      if (died != nullptr) *died = std::this_thread::get_id();
    }
  };
  LoopThread other;
  run([&]() -> Task<> {
    std::thread::id died;
    const auto use = [](Argument) -> Task<std::thread::id> {
      co_return std::this_thread::get_id();
    };
    EXPECT_EQ(co_await other.loop().run(use(Argument(&died))), other.id());
    EXPECT_EQ(died, std::this_thread::get_id());
  });
}

TEST(RemoteCallThread, ExceptionsTravelBack) {
  LoopThread other;
  run([&]() -> Task<> {
    auto fail = []() -> Task<int> {
      co_await moment();
      throw std::runtime_error("over there");
    };
    std::string message;
    try {
      co_await other.loop().run(fail());
    } catch (const std::runtime_error& error) {
      message = error.what();
    }
    EXPECT_EQ(message, "over there");
  });
}

TEST(RemoteCallThread, ATaskThatCancelsItselfThrowsCancelled) {
  LoopThread other;
  run([&]() -> Task<> {
    auto quit = []() -> Task<int> {
      co_await moment();
      throw Cancelled{};
    };
    bool cancelled = false;
    try {
      co_await other.loop().run(quit());
    } catch (const Cancelled&) {
      cancelled = true;
    }
    EXPECT_TRUE(cancelled);
  });
}

TEST(RemoteCallThread, CancellationTravelsAndWaits) {
  LoopThread other;
  run([&]() -> Task<> {
    Endless endless;
    TaskGroup group("callers", TaskGroup::OnFailure::kHandle);
    TaskHandle<int> caller = group.spawn(as_task(other.loop().run(endless())));
    co_await moment();
    endless.begun.wait(0);
    caller.cancel();
    co_await group.join();
    EXPECT_EQ(caller.context()->outcome(), TaskOutcome::kCancelled);
    EXPECT_EQ(endless.ended, 1);
  });
}

TEST(RemoteCallThread, ACancelThatComesBeforeTheFirstStepIsNotLost) {
  LoopThread other;
  run([&]() -> Task<> {
    std::latch posted(1);
    std::latch cancelled(1);
    std::atomic<bool> begun = false;
    Endless endless;
    // The other loop stands until the call has been posted behind what follows.
    other.loop().post([&] { posted.wait(); });
    const auto first = [](std::atomic<bool>& flag, std::latch& wait_for) -> Task<> {
      flag = true;
      flag.notify_all();
      wait_for.wait();
      co_return;
    };
    // More tasks than it runs in one turn are ready before that of the call.
    other.loop().post([&] {
      other.loop().spawn(first(begun, cancelled));
      for (int i = 0; i < 200; ++i) other.loop().spawn([]() -> Task<> { co_return; }());
    });
    TaskGroup group("callers", TaskGroup::OnFailure::kHandle);
    TaskHandle<int> caller = group.spawn(as_task(other.loop().run(endless())));
    co_await moment();
    posted.count_down();
    begun.wait(false);
    caller.cancel();
    cancelled.count_down();
    co_await group.join();
    EXPECT_EQ(caller.context()->outcome(), TaskOutcome::kCancelled);
    EXPECT_EQ(endless.ended, endless.begun);
  });
}

TEST(RemoteCallThread, TimeoutEndsTheTaskOverThere) {
  LoopThread other;
  run([&]() -> Task<> {
    Endless endless;
    bool timed_out = false;
    try {
      co_await with_timeout(5ms, other.loop().run(endless()));
    } catch (const TimeoutError&) {
      timed_out = true;
    }
    EXPECT_TRUE(timed_out);
    EXPECT_EQ(endless.ended, endless.begun);
  });
}

TEST(RemoteCallThread, WhatIsReturnedInSpiteOfCancellationIsNotLost) {
  LoopThread other;
  run([&]() -> Task<> {
    std::atomic<bool> begun = false;
    auto stubborn = [](std::atomic<bool>& flag) -> Task<int> {
      flag = true;
      flag.notify_all();
      try {
        co_await sleep(1h);
      } catch (const Cancelled&) {
      }
      co_return 5;
    };
    TaskGroup group("callers", TaskGroup::OnFailure::kHandle);
    TaskHandle<int> caller = group.spawn(as_task(other.loop().run(stubborn(begun))));
    co_await moment();
    begun.wait(false);
    caller.cancel();
    co_await group.join();
    EXPECT_EQ(caller.result(), 5);
  });
}

TEST(RemoteCallThread, ATaskThatHasNotBegunIsTakenBackAtOnce) {
  IOLoop idle({.reactor = ReactorKind::kEpoll});  // nobody runs it
  run([&]() -> Task<> {
    Endless endless;
    bool timed_out = false;
    try {
      co_await with_timeout(1ms, idle.run(endless()));
    } catch (const TimeoutError&) {
      timed_out = true;
    }
    EXPECT_TRUE(timed_out);
    EXPECT_EQ(endless.begun, 0);
  });
  idle.run_sync(as_task(sleep(1ms)));  // the message that is left does nothing
}

TEST(RemoteCallThread, ACancelledCallerSendsNothing) {
  LoopThread other;
  run([&]() -> Task<> {
    Endless endless;
    TaskGroup group("callers", TaskGroup::OnFailure::kHandle);
    TaskHandle<int> caller = group.spawn(as_task(other.loop().run(endless())));
    caller.cancel();  // before its first step
    co_await group.join();
    EXPECT_EQ(caller.context()->outcome(), TaskOutcome::kCancelled);
    EXPECT_EQ(endless.begun, 0);
  });
}

TEST(RemoteCallThread, ClosingTheLoopEndsItsCalls) {
  LoopThread other;
  run([&]() -> Task<> {
    Endless endless;
    TaskGroup group("callers", TaskGroup::OnFailure::kHandle);
    TaskHandle<int> caller = group.spawn(as_task(other.loop().run(endless())));
    co_await moment();
    endless.begun.wait(0);
    other.stop();
    EXPECT_EQ(endless.ended, 1);
    co_await group.join();
    EXPECT_THROW(caller.result(), ClosedError);
    // And what comes later is refused.
    bool closed = false;
    try {
      co_await other.loop().run(endless());
    } catch (const ClosedError&) {
      closed = true;
    }
    EXPECT_TRUE(closed);
    EXPECT_EQ(endless.begun, 1);
  });
}

TEST(RemoteCallThread, CallsThatWaitInAClosedLoopAreToldToo) {
  auto idle = std::make_unique<IOLoop>(IOLoopOptions{.reactor = ReactorKind::kEpoll});
  run([&]() -> Task<> {
    Endless endless;
    TaskGroup group("callers", TaskGroup::OnFailure::kHandle);
    TaskHandle<int> caller = group.spawn(as_task(idle->run(endless())));
    co_await moment();
    idle->close();
    co_await group.join();
    EXPECT_THROW(caller.result(), ClosedError);
    EXPECT_EQ(endless.begun, 0);
  });
}

TEST(RemoteCallThread, LoopsCallEachOtherInTurn) {
  LoopThread left;
  LoopThread right;
  run([&]() -> Task<> {
    struct Bounce {
      static Task<int> go(IOLoop& here, IOLoop& there, int times) {
        if (times == 0) co_return 0;
        co_return 1 + co_await there.run(go(there, here, times - 1));
      }
    };
    EXPECT_EQ(co_await left.loop().run(Bounce::go(left.loop(), right.loop(), 50)), 50);
  });
}

TEST(RemoteCallThread, OnTheSameLoopItIsATaskBesideTheCaller) {
  run_async([]() -> Task<> {
    IOLoop& loop = *IOLoop::current();
    auto later = []() -> Task<int> {
      co_await sleep(1min);  // simulated: the clock goes on
      co_return 3;
    };
    EXPECT_EQ(co_await loop.run(later()), 3);
  });
}

TEST(RemoteCallThread, SimulatedTimeStandsStillMeanwhile) {
  LoopThread other;
  run_async([&]() -> Task<> {
    const TimePoint before = IOLoop::current()->now();
    co_await with_timeout(1s, other.loop().run(as_task(sleep(2ms))));
    EXPECT_EQ(IOLoop::current()->now(), before);
    co_await sleep(1min);
    EXPECT_GE(IOLoop::current()->now(), before + 1min);
    EXPECT_LT(IOLoop::current()->now(), before + 1min + 1s);
  });
}

TEST(RemoteCallThread, TheDeadlineAndTaskLocalsTravel) {
  static const TaskLocal<std::string> name;
  static const TaskLocal<std::unique_ptr<int>> unique;
  static const TaskLocal<int> number;
  LoopThread other;
  run([&]() -> Task<> {
    name.set("old");
    number.set(4);
    name.set("Ada");
    unique.set(std::make_unique<int>(1));
    struct Seen {
      std::string name;
      bool unique;
      int number;
      TimePoint deadline;
    };
    auto look = []() -> Task<Seen> {
      Seen seen{name.get(), unique.find() != nullptr, number.get(), current_deadline()};
      name.set("changed over there");
      co_return seen;
    };
    const TimePoint before = Clock::now();
    const Seen seen = co_await with_timeout(1h, other.loop().run(look()));
    EXPECT_EQ(seen.name, "Ada");
    EXPECT_FALSE(seen.unique);
    EXPECT_EQ(seen.number, 4);
    EXPECT_GE(seen.deadline, before + 59min);
    EXPECT_LE(seen.deadline, Clock::now() + 1h);
    EXPECT_EQ(name.get(), "Ada");
    const Seen without = co_await other.loop().run(look());
    EXPECT_EQ(without.deadline, TimePoint::max());
  });
}

TEST(RemoteCallThread, ADumpShowsBothSides) {
  LoopThread other;
  run([&]() -> Task<> {
    Endless endless;
    TaskGroup group("callers", TaskGroup::OnFailure::kHandle);
    TaskHandle<int> caller = group.spawn(as_task(other.loop().run(endless())), "caller");
    co_await moment();
    endless.begun.wait(0);
    EXPECT_NE(dump_tasks(*IOLoop::current()).find("a call on another loop"), std::string::npos);
    auto dump = []() -> Task<std::string> { co_return dump_tasks(*IOLoop::current()); };
    const std::string there = co_await other.loop().run(dump());
    EXPECT_NE(there.find("\"remote call\""), std::string::npos) << there;
    caller.cancel();
    co_await group.join();
  });
}

// --- run_from_thread ---------------------------------------------------------------------------

TEST(RunFromThread, ReturnsAndThrows) {
  LoopThread other;
  EXPECT_EQ(other.loop().run_from_thread(where()), other.id());
  auto fail = []() -> Task<> {
    co_await moment();
    throw std::runtime_error("over there");
  };
  EXPECT_THROW(other.loop().run_from_thread(fail()), std::runtime_error);
  auto quit = []() -> Task<> {
    co_await moment();
    throw Cancelled{};
  };
  EXPECT_THROW(other.loop().run_from_thread(quit()), Cancelled);
}

TEST(RunFromThread, TimeoutCancelsAndWaits) {
  LoopThread other;
  Endless endless;
  try {
    other.loop().run_from_thread(endless(), 5ms);
    FAIL();
  } catch (const TimeoutError& error) {
    EXPECT_STREQ(error.what(), "operation timed out after 0.005 seconds");
  }
  EXPECT_EQ(endless.ended, endless.begun);
  EXPECT_EQ(other.loop().run_from_thread(where(), 1h), other.id());
}

TEST(RunFromThread, TimeoutTakesBackWhatHasNotBegun) {
  IOLoop idle({.reactor = ReactorKind::kEpoll});
  Endless endless;
  EXPECT_THROW(idle.run_from_thread(endless(), 1ms), TimeoutError);
  EXPECT_EQ(endless.begun, 0);
}

TEST(RunFromThread, AClosedLoopRefuses) {
  LoopThread other;
  other.stop();
  EXPECT_THROW(other.loop().run_from_thread(where()), ClosedError);
}

TEST(RunFromThread, ClosingTheLoopEndsTheCall) {
  LoopThread other;
  Endless endless;
  std::thread closer([&] {
    endless.begun.wait(0);
    other.stop();
  });
  EXPECT_THROW(other.loop().run_from_thread(endless()), ClosedError);
  EXPECT_EQ(endless.ended, 1);
  closer.join();
}

TEST(RunFromThread, RefusedWhereALoopRuns) {
  LoopThread other;
  run([&]() -> Task<> {
    EXPECT_THROW(IOLoop::current()->run_from_thread(where()), std::logic_error);
    EXPECT_THROW(other.loop().run_from_thread(where()), std::logic_error);
    co_return;
  });
}

TEST(RunFromThread, ManyThreadsAtOnce) {
  LoopThread other;
  long total = 0;  // the loop's alone: no lock
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 500; ++round) {
        other.loop().run_from_thread([](long& sum) -> Task<> {
          ++sum;
          co_return;
        }(total));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(total, 2000);
}

// --- stress ------------------------------------------------------------------------------------

// Four loops call each other, with failures, timeouts and cancellations at random moments. Every call
// ends exactly once; what began over there has ended when the call has.
class RemoteStress {
 public:
  static constexpr int kLoops = 4;
  static constexpr long kCalls = 100'000;

  struct Counts {
    std::atomic<long> made{0}, returned{0}, failed{0}, cancelled{0}, timed_out{0};
    std::atomic<long> begun{0}, ended{0};
    long sum() const { return returned + failed + cancelled + timed_out; }
  };

  void run() {
    std::vector<std::thread> threads;
    for (int i = 0; i < kLoops; ++i) {
      threads.emplace_back([this, i] {
        loops_[static_cast<std::size_t>(i)].loop().run_from_thread(
            drive(i, std::mt19937(static_cast<unsigned>(i) + 1)));
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (LoopThread& loop : loops_) loop.stop();
    EXPECT_GE(counts_.made, kCalls);
    EXPECT_EQ(counts_.made, counts_.sum());
    EXPECT_EQ(counts_.begun, counts_.ended);
    EXPECT_GT(counts_.returned, kCalls / 10);
    EXPECT_GT(counts_.failed, kCalls / 100);
    EXPECT_GT(counts_.cancelled, kCalls / 100);
    EXPECT_GT(counts_.timed_out, 0);
    EXPECT_LT(counts_.begun, counts_.made);  // some were taken back
  }

 private:
  static unsigned draw(std::mt19937& random) { return static_cast<unsigned>(random()); }

  IOLoop& pick(std::mt19937& random) { return loops_[random() % kLoops].loop(); }

  /// Keeps sixteen calls going from one loop, and cancels some of them.
  Task<> drive(int, std::mt19937 random) {
    TaskGroup group("calls", TaskGroup::OnFailure::kHandle);
    std::vector<TaskHandle<>> handles(16);
    while (counts_.made.load() < kCalls) {
      for (TaskHandle<>& handle : handles) {
        if (!handle.done()) {
          if (random() % 256 == 0) handle.cancel();
          continue;
        }
        handle = group.spawn(call(draw(random), 2), "call");
      }
      co_await moment();
    }
    co_await group.join();
  }

  /// One call, counted by its end.
  Task<> call(unsigned seed, int depth) {
    std::mt19937 random(seed);
    ++counts_.made;
    std::atomic<long>* end = &counts_.returned;
    try {
      IOLoop& there = pick(random);
      if (random() % 8 == 0) {
        co_await with_timeout(std::chrono::microseconds(random() % 50),
                              there.run(work(draw(random), depth)));
      } else {
        co_await there.run(work(draw(random), depth));
      }
    } catch (const Cancelled&) {
      end = &counts_.cancelled;
    } catch (const TimeoutError&) {
      end = &counts_.timed_out;
    } catch (const std::runtime_error&) {
      end = &counts_.failed;
    }
    ++*end;
  }

  Task<> work(unsigned seed, int depth) {
    struct Inside {
      Counts& counts;
      explicit Inside(Counts& all) : counts(all) { ++counts.begun; }
      ~Inside() { ++counts.ended; }
    } inside(counts_);
    switch (seed % 6) {
      case 0: co_return;
      case 1: co_await moment(); break;
      case 2: co_await sleep(std::chrono::microseconds(seed / 6 % 20)); break;
      case 3: throw std::runtime_error("made to fail");
      default:
        if (depth > 0) co_await call(seed / 6, depth - 1);
    }
  }

  std::array<LoopThread, kLoops> loops_;
  Counts counts_;
};

TEST(RemoteCallThread, Stress) { RemoteStress().run(); }

}  // namespace
}  // namespace coronado
