#include <coronado/coro/context.hpp>

#include <coronado/coro/locks.hpp>
#include <coronado/coro/task_group.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/testing/async_test.hpp>

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

namespace coronado {
namespace {

using namespace std::chrono_literals;

TaskContext& running() { return *IOLoop::current()->running(); }

Task<> wait_for(Event& event, std::string& log) {
  try {
    co_await event.wait();
    log += "woken ";
  } catch (const Cancelled&) {
    log += "cancelled ";
    throw;
  }
}

TEST(TaskContext, CancelThrowsAtTheAwaitInTheNextTurn) {
  run_async([]() -> Task<> {
    Event event;
    std::string log;
    TaskGroup group;
    TaskHandle<> handle = group.spawn(wait_for(event, log), "waiter");
    co_await moment();
    handle.cancel();
    EXPECT_EQ(log, "");  // never inside the call
    EXPECT_TRUE(handle.context()->cancel_requested());
    EXPECT_TRUE(handle.context()->ready());
    co_await moment();
    EXPECT_EQ(log, "cancelled ");
    EXPECT_EQ(handle.context()->outcome(), TaskOutcome::kCancelled);
    handle.cancel();  // ended: nothing happens
    EXPECT_EQ(handle.context()->outcome(), TaskOutcome::kCancelled);
    co_await group.join();
  });
}

TEST(TaskContext, ATaskThatWasWokenBeforeTheCancelGetsWhatItWaitedFor) {
  run_async([]() -> Task<> {
    Event event;
    std::string log;
    TaskGroup group;
    TaskHandle<> handle = group.spawn(wait_for(event, log));
    co_await moment();
    event.set();
    handle.cancel();
    co_await group.join();
    EXPECT_EQ(log, "woken ");
    EXPECT_EQ(handle.context()->outcome(), TaskOutcome::kValue);
  });
}

TEST(TaskContext, ARunningTaskIsStoppedAtItsNextWait) {
  run_async([]() -> Task<> {
    std::string log;
    TaskGroup group;
    TaskHandle<> handle = group.spawn([](std::string& out) -> Task<> {
      running().cancel();
      out += "goes on, ";
      EXPECT_TRUE(running().interrupted());
      co_await []() -> Task<> { co_return; }();  // nothing to wait for
      out += "and on, ";
      co_await moment();
      out += "not here";
    }(log));
    co_await group.join();
    EXPECT_EQ(log, "goes on, and on, ");
    EXPECT_EQ(handle.context()->outcome(), TaskOutcome::kCancelled);
  });
}

TEST(TaskContext, ATaskThatSwallowsCancelledIsThrownAtAgain) {
  run_async([]() -> Task<> {
    int thrown = 0;
    TaskGroup group;
    TaskHandle<> handle = group.spawn([](int& count) -> Task<> {
      for (int i = 0; i < 3; ++i) {
        try {
          co_await sleep(1h);
        } catch (const Cancelled&) {
          ++count;
        }
      }
    }(thrown));
    co_await moment();
    handle.cancel();
    co_await group.join();
    EXPECT_EQ(thrown, 3);
    EXPECT_EQ(handle.context()->outcome(), TaskOutcome::kValue);
  });
}

TEST(TaskContext, CatchStdExceptionDoesNotSwallowIt) {
  run_async([]() -> Task<> {
    TaskGroup group;
    TaskHandle<> handle = group.spawn([]() -> Task<> {
      try {
        co_await sleep(1h);
      } catch (const std::exception&) {
        ADD_FAILURE() << "Cancelled is not a std::exception";
      }
    }());
    co_await moment();
    handle.cancel();
    co_await group.join();
    EXPECT_EQ(handle.context()->outcome(), TaskOutcome::kCancelled);
  });
}

TEST(TaskContext, CancelledBeforeItsFirstStepItRunsToItsFirstWait) {
  run_async([]() -> Task<> {
    std::string log;
    TaskGroup group;
    TaskHandle<> handle = group.spawn([](std::string& out) -> Task<> {
      out += "began ";
      co_await moment();
      out += "not here";
    }(log));
    handle.cancel();
    co_await group.join();
    EXPECT_EQ(log, "began ");
  });
}

TEST(TaskContext, DescribesItself) {
  run_async([]() -> Task<> {
    Event event;
    std::string log;
    TaskGroup group;
    TaskHandle<> handle = group.spawn(wait_for(event, log), "named");
    const TaskContext& context = *handle.context();
    EXPECT_STREQ(context.name(), "named");
    EXPECT_NE(std::strstr(context.spawn_site().file_name(), "context_test.cpp"), nullptr);
    EXPECT_EQ(context.suspension(), nullptr);
    EXPECT_EQ(context.outcome(), TaskOutcome::kPending);
    EXPECT_FALSE(context.finished());
    EXPECT_GT(context.id(), running().id());
    co_await moment();
    EXPECT_STREQ(context.suspension()->what(), "event");
    EXPECT_NE(context.leaf(), nullptr);
    EXPECT_EQ(context.leaf()->parent(), nullptr);
    event.set();
    co_await group.join();
    EXPECT_TRUE(context.finished());
    EXPECT_EQ(context.deadline(), TimePoint::max());
  });
}

// --- shields and scopes --------------------------------------------------------------------------

TEST(CancelScope, InnerTimeoutDoesNotCancelTheOuterRegion) {
  run_async([]() -> Task<> {
    const auto inner = []() -> Task<std::string> {
      try {
        co_await with_timeout(1s, sleep(1h));
      } catch (const TimeoutError&) {
      }
      EXPECT_FALSE(running().interrupted());
      co_await sleep(1s);
      co_return "went on";
    };
    EXPECT_EQ(co_await with_timeout(1min, inner()), "went on");
  });
}

TEST(CancelScope, CancelInsideTwoTimeoutsIsNotATimeout) {
  run_async([]() -> Task<> {
    TaskGroup group;
    TaskHandle<> handle = group.spawn(
        []() -> Task<> { co_await with_timeout(1h, as_task(with_timeout(2h, sleep(3h)))); }());
    co_await sleep(1s);
    handle.cancel();
    co_await group.join();
    EXPECT_EQ(handle.context()->outcome(), TaskOutcome::kCancelled);
  });
}

TEST(CancelScope, TimeoutInsideAShieldStillWorks) {
  run_async([]() -> Task<> {
    std::string log;
    TaskGroup group;
    TaskHandle<> handle = group.spawn([](std::string& out) -> Task<> {
      co_await shield([](std::string& text) -> Task<> {
        try {
          co_await with_timeout(10s, sleep(1h));
        } catch (const TimeoutError&) {
          text += "timeout ";
        }
        co_await moment();
        text += "kept ";
      }(out));
      out += "after ";
      co_await moment();
      out += "not here";
    }(log));
    co_await sleep(1s);
    handle.cancel();
    co_await group.join();
    EXPECT_EQ(log, "timeout kept after ");
  });
}

}  // namespace
}  // namespace coronado
