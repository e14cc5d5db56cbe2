/// Coroutines as tests, for GoogleTest or any other framework.
///
///     run_async          runs one coroutine on a loop of its own, with a time limit
///     AsyncTestOptions   which loop, which limit
///
///     TEST(Chat, Greets) {
///       run_async([]() -> Task<> {
///         EXPECT_EQ(co_await greet("Ada"), "Hello, Ada");
///       });
///     }
///
/// By default time is simulated: a test that sleeps an hour takes microseconds.
///
/// Tornado  `testing.gen_test`.
/// Layer: testing.
#pragma once

#include <coronado/loop/ioloop.hpp>
#include <coronado/testing/expect_log.hpp>

namespace coronado {

/// How `run_async` runs.
struct AsyncTestOptions {
  /// Simulated time, or the system's sockets and clock.
  ReactorKind reactor = ReactorKind::kSim;

  /// Longest time on the loop's clock. When it passes the test fails with the tree of its tasks,
  /// and is cancelled. Zero: an hour of simulated time, 10 s of real time.
  Duration time_limit = Duration::zero();

  /// The order in which ready tasks run; see `IOLoopOptions::shuffle_seed`. A test that fails says
  /// which seed it ran with; `CORONADO_SHUFFLE_SEED` replays it.
  std::optional<std::uint64_t> shuffle_seed = std::nullopt;
};

namespace detail {

/// The loop of one test.
class AsyncTestLoop {
 public:
  explicit AsyncTestLoop(AsyncTestOptions options);
  AsyncTestLoop(const AsyncTestLoop&) = delete;
  AsyncTestLoop& operator=(const AsyncTestLoop&) = delete;
  /// Says which order the tasks ran in, when the test has failed meanwhile.
  ~AsyncTestLoop();

  IOLoop& loop() noexcept { return loop_; }

 private:
  ExpectLog unexpected_;  // outlives the loop, whose end may log
  IOLoop loop_;
  std::size_t failures_before_;
  int exceptions_before_;
};

}  // namespace detail

/// Runs `body()` on a loop of its own until it has ended.
///
/// A warning or an error that is logged meanwhile and that no `ExpectLog` waits for fails the test.
/// Tasks that were spawned on the loop and still run are cancelled at the end.
///
/// Params   body  Returns a `Task<T>`; a lambda may capture, for it outlives the task.
/// Returns  What the task returns.
/// Throws   What the task throws; `ClosedError` after the time limit.
template <class F>
auto run_async(F&& body, AsyncTestOptions options = {},
               std::source_location site = std::source_location::current()) {
  detail::AsyncTestLoop test(options);
  return test.loop().run_sync(body(), std::nullopt, site);
}

}  // namespace coronado
