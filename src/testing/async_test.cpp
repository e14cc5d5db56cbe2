#include <coronado/testing/async_test.hpp>

#include <coronado/coro/registry.hpp>

#include <gtest/gtest.h>

#include <cstdio>
#include <exception>

namespace coronado::detail {
namespace {

IOLoopOptions loop_options(const AsyncTestOptions& options) {
  // No slow-step log: a test must not depend on how busy the machine is.
  return {.reactor = options.reactor,
          .slow_step_threshold = Duration::zero(),
          .shuffle_seed = options.shuffle_seed};
}

Duration time_limit(const AsyncTestOptions& options) {
  if (options.time_limit > Duration::zero()) return options.time_limit;
  if (options.reactor == ReactorKind::kSim) return std::chrono::hours(1);
  return std::chrono::seconds(10);
}

/// Counts what has failed in the running test; zero outside of one.
std::size_t count_failures() {
  const testing::TestInfo* test = testing::UnitTest::GetInstance()->current_test_info();
  if (test == nullptr) return 0;
  std::size_t failures = 0;
  for (int i = 0; i < test->result()->total_part_count(); ++i) {
    if (test->result()->GetTestPartResult(i).failed()) ++failures;
  }
  return failures;
}

}  // namespace

AsyncTestLoop::AsyncTestLoop(AsyncTestOptions options)
    : loop_(loop_options(options)),
      failures_before_(count_failures()),
      exceptions_before_(std::uncaught_exceptions()) {
  loop_.call_later(time_limit(options), [this] {
    ADD_FAILURE() << "the test did not end within its time limit; its tasks:\n"
                  << dump_tasks(loop_);
    loop_.stop();
  });
}

AsyncTestLoop::~AsyncTestLoop() {
  const bool failed =
      count_failures() > failures_before_ || std::uncaught_exceptions() > exceptions_before_;
  if (!failed || loop_.shuffle_seed() == 0) return;
  std::fprintf(stderr, "The tasks of this test ran in the order of CORONADO_SHUFFLE_SEED=%llu\n",
               static_cast<unsigned long long>(loop_.shuffle_seed()));
}

}  // namespace coronado::detail
