#include <coronado/testing/async_test.hpp>

#include <coronado/coro/registry.hpp>

#include <gtest/gtest.h>

namespace coronado::detail {
namespace {

IOLoopOptions loop_options(const AsyncTestOptions& options) {
  // No slow-step log: a test must not depend on how busy the machine is.
  return {.reactor = options.reactor, .slow_step_threshold = Duration::zero()};
}

Duration time_limit(const AsyncTestOptions& options) {
  if (options.time_limit > Duration::zero()) return options.time_limit;
  if (options.reactor == ReactorKind::kSim) return std::chrono::hours(1);
  return std::chrono::seconds(10);
}

}  // namespace

AsyncTestLoop::AsyncTestLoop(AsyncTestOptions options) : loop_(loop_options(options)) {
  loop_.call_later(time_limit(options), [this] {
    ADD_FAILURE() << "the test did not end within its time limit; its tasks:\n"
                  << dump_tasks(loop_);
    loop_.stop();
  });
}

}  // namespace coronado::detail
