#include <coronado/testing/async_test.hpp>

#include <coronado/coro/locks.hpp>
#include <coronado/coro/timeout.hpp>

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

namespace coronado {
namespace {

using namespace std::chrono_literals;

Task<int> answer_after(Duration span) {
  co_await sleep(span);
  co_return 42;
}

TEST(RunAsync, ReturnsWhatTheTaskReturns) {
  EXPECT_EQ(run_async([] { return answer_after(50min); }), 42);
  EXPECT_EQ(run_async([] { return answer_after(1ms); }, {.reactor = ReactorKind::kEpoll}), 42);
}

TEST(RunAsync, ThrowsWhatTheTaskThrows) {
  const auto fail = []() -> Task<> {
    co_await moment();
    throw std::runtime_error("broken");
  };
  EXPECT_THROW(run_async(fail), std::runtime_error);
}

void exceed_limit(ReactorKind reactor, Duration limit) {
  const auto never = []() -> Task<> {
    Event event;
    co_await event.wait();
  };
  EXPECT_THROW(run_async(never, {.reactor = reactor, .time_limit = limit}), ClosedError);
}

TEST(RunAsync, PrintsTheTaskTreeWhenTimeIsUp) {
  EXPECT_NONFATAL_FAILURE(exceed_limit(ReactorKind::kSim, 5s), "\"main\" waiting: event");
  EXPECT_NONFATAL_FAILURE(exceed_limit(ReactorKind::kEpoll, 1ms), "within its time limit");
}

TEST(RunAsync, FailsOnUnexpectedWarnings) {
  const auto warn = []() -> Task<> {
    general_log().warning("odd");
    co_return;
  };
  EXPECT_NONFATAL_FAILURE(run_async(warn), "unexpected log line");
}

TEST(RunAsync, SaysTheOrderOfATestThatFails) {
  const auto fail = []() -> Task<> {
    co_await moment();
    throw std::runtime_error("broken");
  };
  testing::internal::CaptureStderr();
  EXPECT_THROW(run_async(fail, {.shuffle_seed = 77}), std::runtime_error);
  EXPECT_NE(testing::internal::GetCapturedStderr().find("CORONADO_SHUFFLE_SEED=77\n"),
            std::string::npos);
  testing::internal::CaptureStderr();
  EXPECT_EQ(run_async([] { return answer_after(1s); }, {.shuffle_seed = 77}), 42);
  EXPECT_THROW(run_async(fail, {.shuffle_seed = 0}), std::runtime_error);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "") << "nothing to say";
}

TEST(RunAsync, CancelsDetachedTasksAtTheEnd) {
  bool cancelled = false;
  run_async([&]() -> Task<> {
    IOLoop::current()->spawn([](bool& told) -> Task<> {
      try {
        co_await sleep(100h);
      } catch (const Cancelled&) {
        told = true;
        throw;
      }
    }(cancelled));
    co_await moment();
  });
  EXPECT_TRUE(cancelled);
}

}  // namespace
}  // namespace coronado
