#include <coronado/testing/run_seeds.hpp>

#include <coronado/base/error.hpp>
#include <coronado/coro/registry.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/testing/expect_log.hpp>
#include <coronado/testing/virtual_time.hpp>

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace coronado {
namespace {

/// Enough to keep the whole log of a run that is looked at.
constexpr std::size_t kAllLines = 1'000'000;

struct Outcome {
  std::string what;  // empty: passed
  std::string events;
  std::uint64_t fingerprint = 0;
};

std::optional<std::uint64_t> number_from_environment(const char* name) {
  const char* text = std::getenv(name);
  if (text == nullptr || *text == '\0') return std::nullopt;
  const std::string_view digits(text);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text, text + digits.size(), value);
  if (error != std::errc() || end != text + digits.size()) {
    throw UsageError(std::string(name) + "=" + text + ": expected a number");
  }
  return value;
}

/// What went wrong in the run beside failed expectations.
void check_end(SimNetwork& network) {
  IOLoop& loop = network.loop();
  loop.run_sync(network.stop_hosts());
  settle(loop);
  if (const std::size_t tasks = count_tasks(loop); tasks != 0) {
    ADD_FAILURE() << tasks << " tasks of no host are left at the end:\n" << dump_tasks(loop);
  }
  if (const std::size_t open = network.open_transports(); open != 0) {
    ADD_FAILURE() << open << " transports were not closed at the end";
  }
  if (const std::size_t open = network.open_datagram_sockets(); open != 0) {
    ADD_FAILURE() << open << " datagram sockets were not closed at the end";
  }
}

void run_body(SimNetwork& network, Function<Task<>(SimNetwork&)>& body, Duration limit) {
  IOLoop& loop = network.loop();
  const TimeoutHandle timer = loop.call_later(limit, [&] {
    ADD_FAILURE() << "the run did not end within its time limit; its tasks:\n" << dump_tasks(loop);
    loop.stop();
  });
  try {
    loop.run_sync(body(network));
    check_end(network);
  } catch (const Cancelled&) {
    ADD_FAILURE() << "the body ended with Cancelled";
  } catch (const std::exception& error) {
    ADD_FAILURE() << "the body threw: " << error.what();
  } catch (...) {
    ADD_FAILURE() << "the body threw something that is no std::exception";
  }
  loop.remove_timeout(timer);
}

Outcome run_seed(std::uint64_t seed, Function<Task<>(SimNetwork&)>& body,
                 const SeedOptions& options, std::size_t log_lines) {
  Outcome outcome;
  testing::TestPartResultArray results;
  {
    const testing::ScopedFakeTestPartResultReporter reporter(
        testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &results);
    const ExpectLog unexpected;  // outlives the loop, whose end may log
    IOLoop loop({.reactor = ReactorKind::kSim,
                 .slow_step_threshold = Duration::zero(),
                 .shuffle_seed = seed});
    SimOptions network_options = options.network;
    network_options.seed = seed;
    network_options.log_lines = log_lines;
    {
      SimNetwork network(loop, network_options);
      run_body(network, body, options.time_limit);
      outcome.events = network.log();
      outcome.fingerprint = network.fingerprint();
    }
    loop.close();
  }
  for (int i = 0; i < results.size(); ++i) {
    const testing::TestPartResult& result = results.GetTestPartResult(i);
    if (!result.failed()) continue;
    if (result.file_name() != nullptr) {
      outcome.what +=
          std::string(result.file_name()) + ":" + std::to_string(result.line_number()) + ": ";
    }
    outcome.what += std::string(result.message()) + "\n";
  }
  return outcome;
}

std::string test_name() {
  const testing::TestInfo* test = testing::UnitTest::GetInstance()->current_test_info();
  if (test == nullptr) return {};
  return std::string(test->test_suite_name()) + "." + test->name();
}

}  // namespace

std::optional<SimFailure> find_failing_seed(std::size_t count, Function<Task<>(SimNetwork&)> body,
                                            const SeedOptions& options) {
  const auto replayed = number_from_environment("CORONADO_SIM_SEED");
  const std::uint64_t first = replayed.value_or(options.first_seed);
  const std::uint64_t runs =
      replayed ? 1 : number_from_environment("CORONADO_SIM_COUNT").value_or(count);
  for (std::uint64_t run = 0; run < runs; ++run) {
    const std::uint64_t seed = first + run;
    const std::size_t lines = replayed ? kAllLines : options.network.log_lines;
    Outcome outcome = run_seed(seed, body, options, lines);
    if (replayed) std::fprintf(stderr, "%s", outcome.events.c_str());
    if (outcome.what.empty()) continue;
    const Outcome again = run_seed(seed, body, options, lines);
    return SimFailure{.seed = seed,
                      .runs = static_cast<std::size_t>(run) + 1,
                      .what = std::move(outcome.what),
                      .events = std::move(outcome.events),
                      .fingerprint = outcome.fingerprint,
                      .replays = !again.what.empty() && again.fingerprint == outcome.fingerprint};
  }
  return std::nullopt;
}

std::string describe(const SimFailure& failure) {
  const std::string seed = std::to_string(failure.seed);
  std::string text = "seed " + seed + " failed, after " + std::to_string(failure.runs - 1) +
                     " that passed:\n" + failure.what + "\nthe last events:\n" + failure.events +
                     "\nreplay it with CORONADO_SIM_SEED=" + seed;
  if (const std::string name = test_name(); !name.empty()) text += " --gtest_filter=" + name;
  if (!failure.replays) {
    text +=
        "\nbut the same seed, run again, did something else: the test depends on what is outside "
        "of "
        "the simulation (the clock, threads, addresses of objects, state kept between runs)";
  }
  return text;
}

void run_seeds(std::size_t count, Function<Task<>(SimNetwork&)> body, const SeedOptions& options) {
  if (const auto failure = find_failing_seed(count, std::move(body), options)) {
    ADD_FAILURE() << describe(*failure);
  }
}

}  // namespace coronado
