/// Tests that run under many seeds, each time on another course of events.
///
///     run_seeds           runs a test body under many seeds; the first that fails fails the test
///     find_failing_seed   the same, for those who want to look at the failure
///
///     TEST(Registry, GivesANameOnce) {
///       run_seeds(1000, [](SimNetwork& network) -> Task<> {
///         SimHost& server = network.add_host("server");
///         ...
///         EXPECT_EQ(owners, 1);
///       });
///     }
///
/// Each run has a loop in simulated time and a `SimNetwork` of its own. The seed decides what the
/// network does and in which order the tasks that are ready run. A run fails when an expectation
/// fails in it, when the body throws or has not ended in time, when an unexpected warning is
/// logged, and when something is left behind: a task that belongs to no host, or a transport.
///
/// The message of a failure holds the seed, what failed, and the last events of the network.
/// `CORONADO_SIM_SEED=17` runs that seed alone, and prints all its events; the same program with the
/// same seed does the same, byte for byte. `CORONADO_SIM_COUNT=100000` runs so many seeds instead of
/// those the test asks for: for a night.
///
/// Layer: testing.
#pragma once

#include <coronado/base/function.hpp>
#include <coronado/testing/sim_network.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace coronado {

/// How the runs of a test are made.
struct SeedOptions {
  /// The network of each run; its seed is replaced.
  SimOptions network{};
  /// Longest time of a run, on its own clock.
  Duration time_limit = std::chrono::hours(1);
  /// The seeds are this one and those that follow.
  std::uint64_t first_seed = 1;
};

/// A run that failed.
struct SimFailure {
  std::uint64_t seed = 0;
  std::size_t runs = 0;           ///< how many seeds were tried, this one included
  std::string what;               ///< expectations, exceptions, log lines, what was left behind
  std::string events;             ///< the last lines of the network's log
  std::uint64_t fingerprint = 0;  ///< of all its events
  /// The same seed, run again, did the same. If not, the test depends on something outside of the
  /// simulation: the clock, threads, addresses of objects, state kept between runs.
  bool replays = false;
};

/// Runs `body` under `count` seeds until one fails.
/// Params   body  Called once a run, and once more to see whether the failure comes again.
/// Returns  The failure; nothing when every run has passed.
/// Throws   UsageError  A `CORONADO_SIM_...` variable is no number.
std::optional<SimFailure> find_failing_seed(std::size_t count, Function<Task<>(SimNetwork&)> body,
                                            const SeedOptions& options = {});

/// Runs `body` under `count` seeds; the first that fails fails the test and ends it.
/// Throws   UsageError  A `CORONADO_SIM_...` variable is no number.
void run_seeds(std::size_t count, Function<Task<>(SimNetwork&)> body,
               const SeedOptions& options = {});

/// The failure as `run_seeds` prints it.
std::string describe(const SimFailure& failure);

}  // namespace coronado
