#include <coronado/coro/task_group.hpp>

#include <coronado/coro/locks.hpp>
#include <coronado/coro/registry.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/testing/async_test.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/coro/helpers.hpp"

namespace coronado {
namespace {

using namespace std::chrono_literals;

TimePoint now() { return IOLoop::current()->now(); }

Task<> sleeper(Duration span, std::string& log, char name) {
  try {
    co_await sleep(span);
    log += name;
  } catch (const Cancelled&) {
    log += '!';
    log += name;
    throw;
  }
}

Task<> failing(Duration span, const char* text) {
  co_await sleep(span);
  throw std::runtime_error(text);
}

std::string text_of(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& exception) {
    return exception.what();
  }
}

template <class A>
Task<std::string> outcome_of(A awaitable) {
  try {
    co_await std::move(awaitable);
  } catch (const std::exception& error) {
    co_return error.what();
  } catch (const Cancelled&) {
    co_return "Cancelled";
  }
  co_return "value";
}

// --- TaskGroup -----------------------------------------------------------------------------------

TEST(TaskGroup, JoinWaitsForAll) {
  std::string log;
  run_async([&]() -> Task<> {
    TaskGroup group;
    co_await group.join();  // empty
    group.spawn(sleeper(2s, log, 'b'));
    group.spawn(sleeper(1s, log, 'a'));
    EXPECT_EQ(log, "");
    EXPECT_EQ(group.size(), 2U);
    EXPECT_FALSE(group.empty());
    co_await group.join();
    EXPECT_TRUE(group.empty());
    EXPECT_EQ(log, "ab");
    group.spawn(sleeper(1s, log, 'c'));  // it may be used again
    co_await group.join();
  });
  EXPECT_EQ(log, "abc");
}

TEST(TaskGroup, FirstFailureCancelsSiblingsAndIsRethrown) {
  std::string log;
  run_async(
      [&]() -> Task<> {
        TaskGroup group;
        group.spawn(sleeper(1h, log, 'a'));
        group.spawn(failing(1s, "first"));
        group.spawn(failing(2s, "would be second"));
        group.spawn(sleeper(1h, log, 'b'));
        const TimePoint begin = now();
        EXPECT_EQ(co_await outcome_of(group.join()), "first");
        EXPECT_LT(now() - begin, 2s);
        EXPECT_TRUE(group.empty());
        EXPECT_TRUE(group.failures().empty());
      },
      kFirstInFirstOut);
  EXPECT_EQ(log, "!a!b");
}

TEST(TaskGroup, OtherFailuresAreKeptInOrderAndLogged) {
  const ExpectLog log("another failure in the same task group: ");
  run_async(
      []() -> Task<> {
        TaskGroup group;
        for (const char* text : {"one", "two", "three"}) group.spawn(failing(1s, text));
        co_await sleep(2s);
        EXPECT_EQ(group.failures().size(), 3U);
        if (group.failures().size() == 3) {
          EXPECT_EQ(text_of(group.failures()[0]), "one");
          EXPECT_EQ(text_of(group.failures()[1]), "two");
          EXPECT_EQ(text_of(group.failures()[2]), "three");
        }
        EXPECT_EQ(co_await outcome_of(group.join()), "one");
      },
      kFirstInFirstOut);
  EXPECT_EQ(log.count(), 2U);
}

TEST(TaskGroup, AChildCancelledByItselfConcernsNobody) {
  std::string log;
  run_async([&]() -> Task<> {
    TaskGroup group;
    TaskHandle<> one = group.spawn(sleeper(1h, log, 'a'));
    group.spawn(sleeper(2s, log, 'b'));
    co_await moment();
    one.cancel();
    co_await group.join();
  });
  EXPECT_EQ(log, "!ab");
}

TEST(TaskGroup, CancelReachesChildrenAndThoseToCome) {
  std::string log;
  run_async(
      [&]() -> Task<> {
        TaskGroup group;
        group.spawn(sleeper(1h, log, 'a'));
        co_await moment();
        group.cancel();
        group.spawn(sleeper(1h, log, 'b'));
        co_await group.join();
      },
      kFirstInFirstOut);
  EXPECT_EQ(log, "!a!b");
}

TEST(TaskGroup, CancelOfTheJoinerCancelsChildrenAndWaits) {
  std::string log;
  run_async([&]() -> Task<> {
    const auto body = [](std::string& out) -> Task<> {
      TaskGroup group;
      group.spawn(sleeper(1h, out, 'a'));
      group.spawn([](std::string& text) -> Task<> {
        bool stopped = false;
        try {
          co_await sleep(1h);
        } catch (const Cancelled&) {
          stopped = true;
        }
        if (stopped) co_await shield(as_task(sleep(5s)));
        text += 's';
      }(out));
      co_await group.join();
    };
    const TimePoint begin = now();
    EXPECT_EQ(co_await outcome_of(with_timeout(1s, body(log))), "Timeout");
    EXPECT_GE(now() - begin, 6s);
  });
  EXPECT_EQ(log, "!as");
}

TEST(TaskGroup, JoinInATaskThatIsBeingCancelled) {
  std::string log;
  run_async([&]() -> Task<> {
    TaskGroup outer;
    TaskHandle<> handle = outer.spawn([](std::string& out) -> Task<> {
      TaskGroup group;
      group.spawn(sleeper(1h, out, 'a'));
      co_await moment();
      IOLoop::current()->running()->cancel();
      co_await group.join();
    }(log));
    co_await outer.join();
    EXPECT_EQ(handle.context()->outcome(), TaskOutcome::kCancelled);
  });
  EXPECT_EQ(log, "!a");
}

TEST(TaskGroup, AFailureWhileBeingCancelledComesFirst) {
  run_async([]() -> Task<> {
    const auto body = []() -> Task<> {
      TaskGroup group;
      group.spawn([]() -> Task<> {
        bool stopped = false;
        try {
          co_await sleep(1h);
        } catch (const Cancelled&) {
          stopped = true;
        }
        if (stopped) throw std::runtime_error("while stopping");
      }());
      co_await group.join();
    };
    EXPECT_EQ(co_await outcome_of(with_timeout(1s, body())), "while stopping");
  });
}

TEST(TaskGroup, SeveralMayJoin) {
  std::string log;
  run_async(
      [&]() -> Task<> {
        TaskGroup group;
        group.spawn(sleeper(1s, log, 'a'));
        TaskGroup joiners;
        for (char name : {'x', 'y'}) {
          joiners.spawn([](TaskGroup& joined, std::string& out, char mine) -> Task<> {
            co_await joined.join();
            out += mine;
          }(group, log, name));
        }
        co_await joiners.join();
      },
      kFirstInFirstOut);
  EXPECT_EQ(log, "axy");
}

TEST(TaskGroup, PolicyLog) {
  const ExpectLog log("error coronado.application: uncaught exception in task #");
  std::string text;
  run_async([&]() -> Task<> {
    TaskGroup group("logging", TaskGroup::OnFailure::kLog);
    group.spawn(failing(1s, "told to the log"), "doomed");
    group.spawn(sleeper(2s, text, 'a'));
    co_await group.join();
  });
  EXPECT_EQ(text, "a");
  ASSERT_EQ(log.count(), 1U);
  EXPECT_NE(log.lines()[0].find("\"doomed\" spawned at task_group_test.cpp:"), std::string::npos);
  EXPECT_TRUE(log.lines()[0].contains(": told to the log\n  thrown in "));
}

TEST(TaskGroup, PolicyHandle) {
  std::string text;
  run_async([&]() -> Task<> {
    TaskGroup group(*IOLoop::current(), "handles", TaskGroup::OnFailure::kHandle);
    TaskHandle<> bad = group.spawn(failing(1s, "for the handle"));
    group.spawn(sleeper(2s, text, 'a'));
    co_await group.join();
    EXPECT_EQ(bad.context()->outcome(), TaskOutcome::kError);
    EXPECT_THROW(bad.result(), std::runtime_error);
  });
  EXPECT_EQ(text, "a");
}

TEST(TaskGroup, FailuresThatNobodyJoinedAreLogged) {
  const ExpectLog log("failure in a task group that nobody joined: lost");
  run_async([]() -> Task<> {
    TaskGroup group;
    group.spawn(failing(1s, "lost"));
    co_await sleep(2s);
  });
  EXPECT_EQ(log.count(), 1U);
}

TEST(TaskGroup, LeftEarlyItLogsAndCancels) {
  const ExpectLog log("a task group was destroyed while its task #");
  std::string text;
  run_async([&]() -> Task<> {
    {
      TaskGroup group;
      group.spawn(sleeper(1h, text, 'a'), "left behind");
      co_await moment();
    }
    EXPECT_EQ(IOLoop::current()->root_group().size(), 1U);
    co_await moment();
    EXPECT_EQ(IOLoop::current()->root_group().size(), 0U);
  });
  EXPECT_EQ(text, "!a");
  ASSERT_EQ(log.count(), 1U);
  EXPECT_NE(log.lines()[0].find("\"left behind\""), std::string::npos);
}

TEST(TaskGroup, OutsideALoopItNeedsAnExecutor) { EXPECT_THROW(TaskGroup(), std::logic_error); }

TEST(TaskGroup, SpawnNowRunsUpToTheFirstWait) {
  std::string log;
  run_async([&]() -> Task<> {
    TaskGroup group(*IOLoop::current(), "callbacks", TaskGroup::OnFailure::kLog);
    IOLoop::current()->call_later(1s, [&] {
      log += "before ";
      group.spawn_now([](std::string& out) -> Task<> {
        out += "inside ";
        co_await moment();
        out += "later ";
      }(log));
      log += "after ";
      group.spawn_now([](std::string& out) -> Task<> {
        out += "whole ";
        co_return;
      }(log));
      EXPECT_EQ(group.size(), 1U);
    });
    co_await sleep(2s);
    co_await group.join();
  });
  EXPECT_EQ(log, "before inside after whole later ");
}

TEST(TaskGroup, SpawnStartsInTheNextTurn) {
  std::string log;
  run_async([&]() -> Task<> {
    TaskGroup group;
    group.spawn([](std::string& out) -> Task<> {
      out += "child ";
      co_return;
    }(log));
    log += "parent ";
    co_await group.join();
  });
  EXPECT_EQ(log, "parent child ");
}

// --- with_group ----------------------------------------------------------------------------------

TEST(WithGroup, EndsWhenAllHaveEnded) {
  std::string log;
  run_async([&]() -> Task<> {
    std::string local = "captured ";
    co_await with_group([&](TaskGroup& group) -> Task<> {
      group.spawn(sleeper(2s, log, 'b'));
      group.spawn(sleeper(1s, log, 'a'));
      co_await sleep(500ms);
      log += local;
    });
  });
  EXPECT_EQ(log, "captured ab");
}

TEST(WithGroup, AFailureOfTheBodyCancelsTheChildren) {
  std::string log;
  run_async([&]() -> Task<> {
    Task<> scope = with_group([&](TaskGroup& group) -> Task<> {
      group.spawn(sleeper(1h, log, 'a'));
      co_await sleep(1s);
      throw std::runtime_error("body failed");
    });
    EXPECT_EQ(co_await outcome_of(std::move(scope)), "body failed");
    Task<> other = with_group([&](TaskGroup& group) -> Task<> {
      group.spawn(failing(1s, "child failed"));
      co_await sleep(1h);
    });
    EXPECT_EQ(co_await outcome_of(std::move(other)), "child failed");
  });
  EXPECT_EQ(log, "!a");
}

TEST(WithGroup, CancelReachesBodyAndChildren) {
  std::string log;
  run_async([&]() -> Task<> {
    Task<> scope = with_group([&](TaskGroup& group) -> Task<> {
      group.spawn(sleeper(1h, log, 'a'));
      co_await sleeper(1h, log, 'b');
    });
    EXPECT_EQ(co_await outcome_of(with_timeout(1s, std::move(scope))), "Timeout");
  });
  EXPECT_EQ(log.size(), 4U);
  EXPECT_NE(log.find("!a"), std::string::npos);
  EXPECT_NE(log.find("!b"), std::string::npos);
}

// --- TaskHandle ----------------------------------------------------------------------------------

TEST(TaskHandle, JoinReturnsTheValue) {
  run_async([]() -> Task<> {
    TaskGroup group;
    TaskHandle<std::unique_ptr<int>> handle = group.spawn([]() -> Task<std::unique_ptr<int>> {
      co_await sleep(1s);
      co_return std::make_unique<int>(5);
    }());
    EXPECT_FALSE(handle.done());
    const std::unique_ptr<int> value = co_await handle.join();
    EXPECT_EQ(*value, 5);
    EXPECT_TRUE(handle.done());
    co_await group.join();
  });
}

TEST(TaskHandle, JoinThrowsWhatTheTaskThrew) {
  run_async([]() -> Task<> {
    TaskGroup group(*IOLoop::current(), "", TaskGroup::OnFailure::kHandle);
    TaskHandle<> bad = group.spawn(failing(1s, "bad"));
    EXPECT_EQ(co_await outcome_of(bad.join()), "bad");
    EXPECT_EQ(co_await outcome_of(bad.join()), "bad");
    TaskHandle<> stopped = group.spawn(as_task(sleep(1h)));
    co_await moment();
    stopped.cancel();
    EXPECT_EQ(co_await outcome_of(stopped.join()), "Cancelled");
  });
}

TEST(TaskHandle, CancelOfTheJoinLeavesTheTask) {
  run_async([]() -> Task<> {
    std::string log;
    TaskGroup group;
    TaskHandle<> handle = group.spawn(sleeper(10s, log, 'a'));
    EXPECT_EQ(co_await outcome_of(with_timeout(1s, handle.join())), "Timeout");
    EXPECT_FALSE(handle.done());
    co_await group.join();
    EXPECT_EQ(log, "a");
  });
}

TEST(TaskHandle, SeveralJoinersAreWokenInOrderAndOneMayLeave) {
  std::string log;
  run_async(
      [&]() -> Task<> {
        TaskGroup group;
        TaskHandle<> handle = group.spawn(as_task(sleep(10s)));
        std::vector<TaskHandle<>> joiners;
        for (char name : {'a', 'b', 'c', 'd'}) {
          joiners.push_back(
              group.spawn([](TaskHandle<>& joined, std::string& out, char mine) -> Task<> {
                co_await joined.join();
                out += mine;
              }(handle, log, name)));
        }
        co_await sleep(1s);
        joiners[1].cancel();
        joiners[3].cancel();
        co_await group.join();
      },
      kFirstInFirstOut);
  EXPECT_EQ(log, "ac");
}

TEST(TaskHandle, KeepsTheOutcomeAfterTheGroupIsGone) {
  run_async([]() -> Task<> {
    TaskHandle<std::string> handle;
    EXPECT_FALSE(handle);
    EXPECT_TRUE(handle.done());
    handle.cancel();
    {
      TaskGroup group;
      handle = group.spawn([]() -> Task<std::string> { co_return "kept"; }());
      co_await group.join();
    }
    EXPECT_EQ(handle.result(), "kept");
    TaskHandle<std::string> moved = std::move(handle);
    EXPECT_TRUE(moved);
  });
}

TEST(TaskHandle, DroppingItDoesNotStopTheTask) {
  std::string log;
  run_async([&]() -> Task<> {
    TaskGroup group;
    {
      const TaskHandle<> dropped = group.spawn(sleeper(1s, log, 'a'));
    }
    co_await group.join();
  });
  EXPECT_EQ(log, "a");
}

// --- the tree ------------------------------------------------------------------------------------

TEST(TaskGroup, AGroupMayOutliveTheTaskThatMadeIt) {
  run_async([]() -> Task<> {
    std::unique_ptr<TaskGroup> group;
    TaskHandle<> maker = IOLoop::current()->spawn(
        [](std::unique_ptr<TaskGroup>& out) -> Task<> {
          out = std::make_unique<TaskGroup>("long-lived");
          out->spawn(as_task(sleep(10s)), "survivor");
          co_await sleep(1s);
        }(group),
        "maker");
    co_await moment();
    std::vector<TaskInfo> tree = task_tree(*IOLoop::current());
    EXPECT_EQ(tree.size(), 2U);
    EXPECT_EQ(tree[0].name, "maker");
    EXPECT_EQ(tree[0].children.size(), 1U);
    co_await maker.join();
    maker = {};
    tree = task_tree(*IOLoop::current());  // it stands at the top now
    EXPECT_EQ(tree.size(), 2U);
    EXPECT_EQ(tree[1].name, "survivor");
    co_await group->join();
  });
}

}  // namespace
}  // namespace coronado
