#include <coronado/net/iostream.hpp>

#include <coronado/coro/combine.hpp>

#include <random>

#include "tests/net/iostream_fixture.hpp"

namespace coronado {
namespace {

using namespace stream_test;

/// Reads `size` bytes in the way that the dice say, each cancelled by a timeout that may come first.
struct RandomReader {
  explicit RandomReader(unsigned seed) : dice(seed) {}

  Task<std::string> read_once(IOStream& in) {
    switch (dice() % 5) {
      case 0: co_return co_await in.read_some(1 + dice() % 50);
      case 1: co_return co_await in.read_bytes(1 + dice() % 50);
      case 2: co_return co_await in.read_until(" ");
      case 3: co_return co_await in.read_until_regex("[0-9] ");
      default: {
        std::string into(1 + dice() % 50, '\0');
        co_await in.read_into_exactly(into);
        co_return into;
      }
    }
  }

  std::mt19937 dice;
  std::string got;
  int cancelled = 0;
  int completed = 0;
};

TEST(IOStreamStress, AHundredThousandCancelledReadsLoseNothing) {
  run_async([]() -> Task<> {
    IOLoop& loop = *IOLoop::current();
    auto [near, far] = make_memory_transports(loop, {.piece = 7});
    IOStream in(loop, std::move(near));
    IOStream out(loop, std::move(far));
    RandomReader reader(20261125);
    std::string sent;
    std::mt19937 dice(7);
    TaskGroup tasks("readers");
    // One task reads; the others cancel it in random order, before, while and after bytes arrive.
    while (reader.cancelled < 100'000) {
      TaskHandle<std::string> read = tasks.spawn(reader.read_once(in));
      const auto turns = dice() % 4;
      if (dice() % 3 == 0) {
        const std::string piece = std::to_string(sent.size()) + ' ';
        out.write_nowait(piece);
        sent += piece;
      }
      for (unsigned i = 0; i < turns; ++i) co_await moment();
      const bool was_done = read.done();
      read.cancel();
      try {
        reader.got += co_await read.join();
        ++reader.completed;
      } catch (const Cancelled&) {
        EXPECT_FALSE(was_done);
        ++reader.cancelled;
      }
      EXPECT_FALSE(in.reading());
    }
    const std::size_t left = sent.size() - reader.got.size();
    if (left != 0) reader.got += co_await in.read_bytes(left);
    EXPECT_TRUE(reader.got == sent);
    EXPECT_GT(reader.completed, 10'000);
  });
}

TEST(IOStreamStress, CancelledReadsOnManySocketsLoseNothing) {
  run_async(
      []() -> Task<> {
        TaskGroup group("streams");
        int completed = 0;
        int cancelled = 0;
        const auto one = [&](unsigned seed) -> Task<> {
          auto pair = stream_pair(*IOLoop::current());
          RandomReader reader(seed);
          std::string sent;
          for (int i = 0; i < 400; ++i) {
            if (reader.dice() % 2 == 0) {
              const std::string piece = pattern(1 + reader.dice() % 60) + ' ';
              co_await pair.second.write(piece);
              sent += piece;
            }
            const Duration patience = std::chrono::microseconds(reader.dice() % 200);
            try {
              reader.got += co_await with_timeout(patience, reader.read_once(pair.first));
              ++reader.completed;
            } catch (const TimeoutError&) {
              ++reader.cancelled;
            }
          }
          const std::size_t left = sent.size() - reader.got.size();
          if (left != 0) reader.got += co_await pair.first.read_bytes(left);
          EXPECT_TRUE(reader.got == sent);
          completed += reader.completed;
          cancelled += reader.cancelled;
        };
        for (unsigned seed = 0; seed < 50; ++seed) group.spawn(one(seed));
        co_await group.join();
        EXPECT_GT(completed, 1000);
        EXPECT_GT(cancelled, 1000);
      },
      {.reactor = ReactorKind::kEpoll, .time_limit = 60s});
}

}  // namespace
}  // namespace coronado
