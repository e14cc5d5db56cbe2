// The same work done by coroutines, by threads and by processes, side by side: which run at the same
// time, who may crash without the others, and what it costs to hand over a piece of work.
//
//     three_ways               counts the primes below 400,000 in four pieces, each way
//     three_ways --count A B   what it runs as a process: counts those from A to B
#include <coronado/base/strings.hpp>
#include <coronado/coro/combine.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/loop/ioloop.hpp>
#include <coronado/net/subprocess.hpp>

#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

using namespace coronado;

namespace {

constexpr int kPieces = 4;
constexpr int kPieceSize = 100'000;

bool is_prime(int number) {
  for (int divisor = 2; divisor * divisor <= number; ++divisor) {
    if (number % divisor == 0) return false;
  }
  return number > 1;
}

int count_primes(int from, int to) {
  int count = 0;
  for (int number = from; number < to; ++number) count += is_prime(number) ? 1 : 0;
  return count;
}

// A coroutine shares its thread: it is never interrupted, and lets others in where it says so. Nothing
// runs at the same time, so this is for waiting, not for computing.
Task<int> by_coroutine(int from, int to) {
  int count = 0;
  for (int start = from; start < to; start += 1000) {
    count += count_primes(start, start + 1000);
    co_await moment();
  }
  co_return count;
}

// A thread runs beside the loop and shares the memory: captures are copies, and the result comes back.
Task<int> by_thread(int from, int to) {
  const auto count = [from, to] { return count_primes(from, to); };
  co_return co_await offload(count);
}

// A process shares nothing: it talks through pipes, and when it dies, that is an exit status.
Task<int> by_process(std::string program, int from, int to) {
  Subprocess child({std::move(program), "--count", std::to_string(from), std::to_string(to)},
                   {.output = Stdio::pipe()});
  const CommunicateResult result = co_await child.communicate();
  co_await child.wait_for_exit();  // throws CalledProcessError if it failed
  co_return parse_int<int>(result.output).value_or(0);
}

/// Does all the pieces at once and says how long it took.
template <class F>
Task<> measure(const char* name, F piece) {
  const TimePoint start = Clock::now();
  std::vector<Task<int>> pieces;
  for (int i = 0; i < kPieces; ++i) pieces.push_back(piece(i * kPieceSize, (i + 1) * kPieceSize));
  const std::vector<int> counts = co_await multi(std::move(pieces));
  int total = 0;
  for (const int count : counts) total += count;
  const std::chrono::duration<double, std::milli> took = Clock::now() - start;
  std::printf("%-11s %d primes in %.0f ms\n", name, total, took.count());
}

Task<> compare(std::string program) {
  co_await measure("coroutines", by_coroutine);
  co_await measure("threads", by_thread);
  const auto run = [&program](int from, int to) { return by_process(program, from, to); };
  co_await measure("processes", run);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 4 && std::string(argv[1]) == "--count") {
    std::printf("%d", count_primes(std::stoi(argv[2]), std::stoi(argv[3])));
    return 0;
  }
  IOLoop loop({.slow_step_threshold = Duration::zero()});
  loop.run_sync(compare("/proc/self/exe"));
}
