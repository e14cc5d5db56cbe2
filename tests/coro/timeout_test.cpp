#include <coronado/coro/timeout.hpp>

#include <coronado/coro/locks.hpp>
#include <coronado/coro/task_group.hpp>
#include <coronado/testing/async_test.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

namespace coronado {
namespace {

using namespace std::chrono_literals;

TimePoint now() { return IOLoop::current()->now(); }

Task<int> after(Duration span, int value) {
  co_await sleep(span);
  co_return value;
}

template <class A>
Task<std::string> outcome_of(A awaitable) {
  try {
    co_await std::move(awaitable);
  } catch (const TimeoutError& error) {
    co_return error.what();
  } catch (const std::exception& error) {
    co_return std::string("error: ") + error.what();
  } catch (const Cancelled&) {
    co_return "Cancelled";
  }
  co_return "value";
}

// --- sleep, moment -------------------------------------------------------------------------------

TEST(Sleep, NeverEndsEarly) {
  run_async([]() -> Task<> {
    for (const Duration span : {Duration(1), Duration(65535), Duration(1ms), Duration(30min)}) {
      const TimePoint begin = now();
      co_await sleep(span);
      EXPECT_GE(now() - begin, span);
      EXPECT_LT(now() - begin, span + 1ms);
    }
    const TimePoint instant = now() + 5s;
    co_await sleep_until(instant);
    EXPECT_GE(now(), instant);
  });
}

TEST(Sleep, ZeroOrPastGivesTheOthersOneTurn) {
  run_async([]() -> Task<> {
    for (int kind = 0; kind < 3; ++kind) {
      int turns = 0;
      TaskGroup group;
      group.spawn([](int& count) -> Task<> {
        ++count;
        co_await moment();
        ++count;
      }(turns));
      const TimePoint begin = now();
      if (kind == 0) co_await sleep(0s);
      if (kind == 1) co_await sleep(-5s);
      if (kind == 2) co_await sleep_until(begin - 1h);
      EXPECT_EQ(turns, 1);
      EXPECT_EQ(now(), begin);
      co_await group.join();
    }
  });
}

TEST(Sleep, CancelRemovesTheTimer) {
  run_async([]() -> Task<> {
    TaskGroup group;
    TaskHandle<int> handle = group.spawn(after(1h, 1));
    const TimePoint begin = now();
    co_await moment();
    handle.cancel();
    co_await group.join();
    EXPECT_EQ(now(), begin);
    EXPECT_EQ(handle.context()->outcome(), TaskOutcome::kCancelled);
  });
}

TEST(Sleep, OnTheSystemsClock) {
  run_async(
      []() -> Task<> {
        const TimePoint begin = Clock::now();
        co_await sleep(2ms);
        EXPECT_GE(Clock::now() - begin, 2ms);
      },
      {.reactor = ReactorKind::kEpoll});
}

TEST(Moment, IsFair) {
  std::string log;
  run_async([&]() -> Task<> {
    TaskGroup group;
    for (char name : {'a', 'b', 'c'}) {
      group.spawn([](std::string& out, char mine) -> Task<> {
        for (int i = 0; i < 3; ++i) {
          out += mine;
          co_await moment();
        }
      }(log, name));
    }
    co_await group.join();
  });
  for (std::size_t round = 0; round < 9; round += 3) {
    std::string names = log.substr(round, 3);
    std::sort(names.begin(), names.end());
    EXPECT_EQ(names, "abc") << "each has its turn before anyone has another: " << log;
  }
}

TEST(Moment, DoesNotStarveTimers) {
  run_async(
      []() -> Task<> {
        bool stop = false;
        IOLoop::current()->call_later(0s, [&] { stop = true; });
        int turns = 0;
        while (!stop) {
          co_await moment();
          ++turns;
          if (turns > 1'000'000) throw std::runtime_error("the timer never fired");
        }
      },
      {.reactor = ReactorKind::kEpoll});
}

// --- with_timeout --------------------------------------------------------------------------------

TEST(WithTimeout, InTimeTheResultComesThrough) {
  run_async([]() -> Task<> {
    EXPECT_EQ(co_await with_timeout(2s, after(1s, 7)), 7);
    EXPECT_EQ(co_await with_timeout(now() + 2s, after(1s, 8)), 8);
    const auto fail = []() -> Task<> {
      co_await sleep(1s);
      throw std::runtime_error("own error");
    };
    EXPECT_EQ(co_await outcome_of(with_timeout(2s, fail())), "error: own error");
    EXPECT_EQ(co_await with_timeout(2s,
                                    []() -> Task<std::unique_ptr<int>> {
                                      co_return std::make_unique<int>(9);
                                    }()) != nullptr,
              true);
  });
}

TEST(WithTimeout, OutOfTimeTheTaskHasEnded) {
  run_async([]() -> Task<> {
    std::string log;
    const auto body = [](std::string& out) -> Task<> {
      try {
        co_await sleep(1h);
      } catch (const Cancelled&) {
        out += "cancelled ";
        throw;
      }
    };
    const TimePoint begin = now();
    EXPECT_EQ(co_await outcome_of(with_timeout(3s, body(log))), "Timeout");
    EXPECT_EQ(log, "cancelled ");
    EXPECT_GE(now() - begin, 3s);
    EXPECT_LT(now() - begin, 4s);
  });
}

TEST(WithTimeout, ZeroAndPastNeverStartTheTask) {
  run_async([]() -> Task<> {
    bool started = false;
    const auto body = [](bool& told) -> Task<> {
      told = true;
      co_return;
    };
    EXPECT_EQ(co_await outcome_of(with_timeout(0s, body(started))), "Timeout");
    EXPECT_EQ(co_await outcome_of(with_timeout(-1s, body(started))), "Timeout");
    EXPECT_EQ(co_await outcome_of(with_timeout(now(), body(started))), "Timeout");
    EXPECT_FALSE(started);
  });
}

TEST(WithTimeout, TheEndOfTimeIsNoTimeout) {
  run_async([]() -> Task<> {
    EXPECT_EQ(co_await with_timeout(TimePoint::max(), after(1s, 1)), 1);
    EXPECT_EQ(co_await with_timeout(Duration::max(), after(1s, 2)), 2);
    EXPECT_EQ(co_await with_timeout(current_deadline(), after(1s, 3)), 3);
    EXPECT_EQ(co_await with_timeout(200h * 24 * 365, after(1s, 4)), 4);
  });
}

TEST(WithTimeout, AValueDeliveredWhileUnwindingIsReturned) {
  run_async([]() -> Task<> {
    const auto stubborn = []() -> Task<int> {
      try {
        co_await sleep(1h);
      } catch (const Cancelled&) {
      }
      co_return 5;
    };
    EXPECT_EQ(co_await with_timeout(1s, stubborn()), 5);
    const auto bad = []() -> Task<int> {
      bool stopped = false;
      try {
        co_await sleep(1h);
      } catch (const Cancelled&) {
        stopped = true;
      }
      if (stopped) throw std::runtime_error("while unwinding");
      co_return 5;
    };
    EXPECT_EQ(co_await outcome_of(with_timeout(1s, bad())), "error: while unwinding");
  });
}

TEST(WithTimeout, WaitsForASlowUnwinding) {
  run_async([]() -> Task<> {
    const auto slow = []() -> Task<> {
      bool stopped = false;
      try {
        co_await sleep(1h);
      } catch (const Cancelled&) {
        stopped = true;
      }
      if (stopped) co_await shield(as_task(sleep(10s)));
      throw Cancelled{};
    };
    const TimePoint begin = now();
    EXPECT_EQ(co_await outcome_of(with_timeout(1s, slow())), "Timeout");
    EXPECT_GE(now() - begin, 11s);
  });
}

TEST(WithTimeout, TheEarliestOfNestedDeadlinesWins) {
  run_async([]() -> Task<> {
    const TimePoint begin = now();
    EXPECT_EQ(co_await outcome_of(with_timeout(1s, as_task(with_timeout(1min, after(1h, 1))))),
              "Timeout");
    EXPECT_LT(now() - begin, 2s);
    EXPECT_EQ(co_await outcome_of(with_timeout(1min, as_task(with_timeout(1s, after(1h, 1))))),
              "Timeout");
    EXPECT_LT(now() - begin, 4s);
  });
}

TEST(WithTimeout, InnerAndOuterAtTheSameInstant) {
  run_async([]() -> Task<> {
    int inner_timeouts = 0;
    const auto body = [](int& count) -> Task<> {
      try {
        co_await with_timeout(1s, after(1h, 1));
      } catch (const TimeoutError&) {
        ++count;
      }
      co_await sleep(1h);
    };
    EXPECT_EQ(co_await outcome_of(with_timeout(1s, body(inner_timeouts))), "Timeout");
    EXPECT_EQ(inner_timeouts, 0);  // the outer one's cancellation is not the inner one's timeout
  });
}

TEST(WithTimeout, CancelledFromOutsideIsCancelled) {
  run_async([]() -> Task<> {
    std::string outcome;
    TaskGroup group;
    TaskHandle<> handle = group.spawn([](std::string& out) -> Task<> {
      out = co_await outcome_of(with_timeout(1min, after(1h, 1)));
    }(outcome));
    co_await sleep(1s);
    handle.cancel();
    co_await group.join();
    EXPECT_EQ(outcome, "Cancelled");
  });
}

TEST(WithTimeout, CancelledInTheTurnOfTheTimeout) {
  run_async([]() -> Task<> {
    std::string outcome;
    TaskGroup group;
    TaskHandle<> handle = group.spawn([](std::string& out) -> Task<> {
      out = co_await outcome_of(with_timeout(1s, after(1h, 1)));
    }(outcome));
    co_await moment();
    IOLoop::current()->call_later(1s, [&] { handle.cancel(); });  // after the timeout's own timer
    co_await group.join();
    EXPECT_EQ(outcome, "Cancelled");
  });
}

TEST(WithTimeout, FinishedInTheTurnOfTheTimeout) {
  run_async([]() -> Task<> {
    Event event;
    IOLoop::current()->call_later(1s, [&] { event.set(); });
    EXPECT_EQ(co_await outcome_of(with_timeout(1s, event.wait())), "value");
  });
}

// --- deadlines -----------------------------------------------------------------------------------

TEST(CurrentDeadline, OutsideATask) { EXPECT_EQ(current_deadline(), TimePoint::max()); }

TEST(CurrentDeadline, NestsAndIsInherited) {
  run_async([]() -> Task<> {
    EXPECT_EQ(current_deadline(), TimePoint::max());
    const TimePoint begin = now();
    const auto look = []() -> Task<TimePoint> { co_return current_deadline(); };
    const auto inner = [](auto self) -> Task<TimePoint> {
      co_return co_await with_timeout(1min, self());
    };
    EXPECT_EQ(co_await with_timeout(5s, look()), begin + 5s);
    EXPECT_EQ(co_await with_timeout(5s, inner(look)), begin + 5s);
    EXPECT_EQ(co_await with_timeout(1h, inner(look)), begin + 1min);
    const auto child = [](auto self) -> Task<TimePoint> {
      TaskGroup group;
      TaskHandle<TimePoint> handle = group.spawn(self());
      co_await group.join();
      co_return handle.result();
    };
    EXPECT_EQ(co_await with_timeout(5s, child(look)), begin + 5s);
    const auto shielded = [](auto self) -> Task<TimePoint> { co_return co_await shield(self()); };
    EXPECT_EQ(co_await with_timeout(5s, shielded(look)), TimePoint::max());
    EXPECT_EQ(current_deadline(), TimePoint::max());
  });
}

TEST(CurrentDeadline, OfAChildWhoseParentHasEnded) {
  run_async([]() -> Task<> {
    std::unique_ptr<TaskGroup> group;
    TaskHandle<> parent = IOLoop::current()->spawn([](std::unique_ptr<TaskGroup>& out) -> Task<> {
      out = std::make_unique<TaskGroup>("outlives its task");
      co_return;
    }(group));
    co_await parent.join();
    parent = {};
    TaskHandle<TimePoint> child = group->spawn([]() -> Task<TimePoint> {
      co_await sleep(1s);
      co_return current_deadline();
    }());
    co_await group->join();
    EXPECT_EQ(child.result(), TimePoint::max());
  });
}

// --- shield --------------------------------------------------------------------------------------

TEST(Shield, HoldsACancellationOffUntilItsTaskHasEnded) {
  run_async([]() -> Task<> {
    std::string log;
    TaskGroup group;
    TaskHandle<> handle = group.spawn([](std::string& out) -> Task<> {
      const int value = co_await shield(after(10s, 3));
      out += "value " + std::to_string(value);
      co_await moment();
      out += " not here";
    }(log));
    co_await sleep(1s);
    handle.cancel();
    co_await sleep(1s);
    EXPECT_FALSE(handle.done());
    co_await group.join();
    EXPECT_EQ(log, "value 3");
    EXPECT_EQ(handle.context()->outcome(), TaskOutcome::kCancelled);
  });
}

TEST(Shield, OfATaskThatIsBeingCancelledAlready) {
  run_async([]() -> Task<> {
    std::string log;
    TaskGroup group;
    TaskHandle<> handle = group.spawn([](std::string& out) -> Task<> {
      bool stopped = false;
      try {
        co_await sleep(1h);
      } catch (const Cancelled&) {
        stopped = true;
      }
      if (stopped) co_await shield(as_task(sleep(5s)));
      out += "cleaned up";
      throw Cancelled{};
    }(log));
    co_await moment();
    handle.cancel();
    co_await group.join();
    EXPECT_EQ(log, "cleaned up");
  });
}

TEST(Shield, ErrorsPassThrough) {
  run_async([]() -> Task<> {
    const auto fail = []() -> Task<> {
      co_await moment();
      throw std::runtime_error("inside");
    };
    EXPECT_EQ(co_await outcome_of(shield(fail())), "error: inside");
    EXPECT_FALSE(IOLoop::current()->running()->interrupted());
  });
}

TEST(Shield, AWithTimeoutAroundItWaits) {
  run_async([]() -> Task<> {
    const TimePoint begin = now();
    EXPECT_EQ(co_await with_timeout(1s, as_task(shield(after(10s, 4)))), 4);
    EXPECT_GE(now() - begin, 10s);
  });
}

}  // namespace
}  // namespace coronado
