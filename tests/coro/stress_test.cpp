// Two hundred tasks at a time do random things to each other, a hundred thousand in all: sleep, lock,
// queue, wait, nest timeouts, groups, multi and race, fail, and cancel one another. Nothing may leak, and
// everything must end exactly once. The run is only worth something when each kind of event has really
// happened in number, so that is asserted as well.
#include <coronado/base/log.hpp>
#include <coronado/coro/combine.hpp>
#include <coronado/coro/locks.hpp>
#include <coronado/coro/queues.hpp>
#include <coronado/coro/registry.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/testing/async_test.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <stdexcept>
#include <vector>

namespace coronado {
namespace {

using namespace std::chrono_literals;

constexpr int kTasksAtATime = 200;
constexpr int kRounds = 100'000;

struct Failure : std::runtime_error {
  Failure() : std::runtime_error("planned failure") {}
};

/// What the tasks share and what is counted.
struct World {
  explicit World(std::uint64_t seed) : random(seed) {}

  int below(int bound) { return static_cast<int>(random() % static_cast<std::uint64_t>(bound)); }
  Duration some_time() { return std::chrono::microseconds(below(400)); }

  std::mt19937_64 random;
  Lock lock;
  Semaphore semaphore{3};
  Queue<int> queue{4};
  Event event;
  std::vector<TaskHandle<>> running;

  // Events of each kind.
  long spawned = 0, ended = 0;
  long finished = 0, thrown = 0, cancelled = 0, timed_out = 0;  // how they ended
  long inner_timeouts = 0;
  long cancels_sent = 0, raced = 0, grouped = 0, shielded = 0;
  long puts = 0, gets = 0;
  long alive = 0;        // tasks and sub-tasks whose frames exist
  long inside_lock = 0;  // never more than one
};

/// Lives in a frame: counts how often frames end, and that each ends once.
class Presence {
 public:
  explicit Presence(World& world) : world_(world) { ++world_.alive; }
  Presence(const Presence&) = delete;
  Presence& operator=(const Presence&) = delete;
  ~Presence() { --world_.alive; }

 private:
  World& world_;
};

Task<int> act(World& world, int depth);

Task<int> hold_lock(World& world) {
  const LockGuard guard = co_await world.lock.acquire();
  EXPECT_EQ(++world.inside_lock, 1);
  struct Leave {
    World& world;
    ~Leave() { --world.inside_lock; }
  } leave{world};
  co_await sleep(world.some_time() / 100);
  co_return 1;
}

Task<int> hold_semaphore(World& world) {
  const LockGuard guard = co_await world.semaphore.acquire();
  co_await moment();
  co_return 2;
}

Task<int> put(World& world) {
  co_await world.queue.put(1);
  ++world.puts;
  co_return 3;
}

Task<int> get(World& world) {
  const int got = co_await world.queue.get();
  ++world.gets;
  co_return got;
}

Task<int> in_time(World& world, int depth) {
  try {
    co_return co_await with_timeout(world.some_time(), act(world, depth + 1));
  } catch (const TimeoutError&) {
    ++world.inner_timeouts;
  }
  co_return 4;
}

Task<> act_void(World& world, int depth) { (void)co_await act(world, depth); }

Task<int> in_group(World& world, int depth) {
  ++world.grouped;
  TaskGroup group("stress");
  const int children = 1 + world.below(3);
  for (int i = 0; i < children; ++i) group.spawn(act_void(world, depth + 1));
  co_await group.join();
  co_return 5;
}

Task<int> in_race(World& world, int depth) {
  ++world.raced;
  std::vector<Task<int>> tasks;
  for (int i = 0; i < 2; ++i) tasks.push_back(act(world, depth + 1));
  (void)co_await race(std::move(tasks));
  co_return 6;
}

Task<int> together(World& world, int depth) {
  const auto both = co_await multi(act(world, depth + 1), act(world, depth + 1));
  co_return std::get<0>(both) + std::get<1>(both);
}

Task<int> shielded(World& world, int depth) {
  ++world.shielded;
  co_return co_await shield(act(world, depth + 1));
}

Task<int> wait_for_event(World& world) {
  if (world.below(2) == 0) {
    world.event.set();
    world.event.clear();
    co_return 7;
  }
  co_await with_timeout(200us, world.event.wait());
  co_return 8;
}

void cancel_somebody(World& world) {
  if (world.running.empty()) return;
  TaskHandle<>& victim =
      world.running[static_cast<std::size_t>(world.below(static_cast<int>(world.running.size())))];
  if (victim.done()) return;
  ++world.cancels_sent;
  victim.cancel();
}

Task<int> act(World& world, int depth) {
  const Presence presence(world);
  switch (world.below(depth < 3 ? 14 : 8)) {
    case 0: co_await sleep(world.some_time()); co_return 0;
    case 1: co_await moment(); co_return 0;
    case 2: co_return co_await hold_lock(world);
    case 3: co_return co_await hold_semaphore(world);
    case 4: co_return co_await with_timeout(300us, put(world));
    case 5: co_return co_await with_timeout(300us, get(world));
    case 6: co_return co_await wait_for_event(world);
    case 7:
      if (world.below(4) == 0) throw Failure();
      cancel_somebody(world);
      co_return 0;
    case 8:
    case 9: co_return co_await in_time(world, depth);
    case 10: co_return co_await in_group(world, depth);
    case 11: co_return co_await in_race(world, depth);
    case 12: co_return co_await together(world, depth);
    default: co_return co_await shielded(world, depth);
  }
}

/// One round: a few acts, one outcome.
Task<> live(World& world) {
  const Presence presence(world);
  struct Outcome {
    World& world;
    long World::* kind = &World::cancelled;  // unless something else is noted
    ~Outcome() {
      ++world.ended;
      ++(world.*kind);
    }
  } outcome{world};
  try {
    const int acts = 1 + world.below(3);
    for (int i = 0; i < acts; ++i) (void)co_await act(world, 0);
    outcome.kind = &World::finished;
  } catch (const Failure&) {
    outcome.kind = &World::thrown;
  } catch (const TimeoutError&) {
    outcome.kind = &World::timed_out;
  }
}

Task<> stress(World& world) {
  TaskGroup group("world", TaskGroup::OnFailure::kHandle);
  for (int round = 0; round < kRounds; ++round) {
    ++world.spawned;
    if (world.running.size() < kTasksAtATime) {
      world.running.push_back(group.spawn(live(world)));
      continue;
    }
    // The oldest makes room; it is waited for, however it ends.
    const std::size_t place = static_cast<std::size_t>(round % kTasksAtATime);
    try {
      co_await world.running[place].join();
    } catch (const Cancelled&) {
      // The task that was joined, not this one.
    }
    world.running[place] = group.spawn(live(world));
  }
  co_await group.join();
}

/// The failures nobody rethrows are logged, by the thousand here.
struct Quiet {
  Quiet() { app_log().set_level(LogLevel::kOff); }
  Quiet(const Quiet&) = delete;
  Quiet& operator=(const Quiet&) = delete;
  ~Quiet() { app_log().set_level(LogLevel::kInfo); }
};

TEST(Stress, EverythingEndsExactlyOnce) {
  World world(20261123);
  const Quiet quiet;
  run_async(
      [&]() -> Task<> {
        co_await stress(world);
        EXPECT_EQ(count_tasks(*Executor::current()), 1U) << dump_tasks(*Executor::current());
      },
      {.time_limit = 24h});
  world.running.clear();

  EXPECT_EQ(world.spawned, kRounds);
  EXPECT_EQ(world.ended, world.finished + world.thrown + world.cancelled + world.timed_out);
  EXPECT_EQ(world.ended, kRounds);
  EXPECT_EQ(world.alive, 0);
  EXPECT_EQ(world.inside_lock, 0);
  EXPECT_FALSE(world.lock.locked());
  EXPECT_EQ(world.semaphore.value(), 3);
  EXPECT_EQ(world.puts, world.gets + static_cast<long>(world.queue.qsize()));

  // It all happened.
  EXPECT_GT(world.finished, kRounds / 10);
  EXPECT_GT(world.thrown, kRounds / 100);
  EXPECT_GT(world.cancelled, kRounds / 100);
  EXPECT_GT(world.timed_out, kRounds / 100);
  EXPECT_GT(world.inner_timeouts, kRounds / 100);
  EXPECT_GT(world.cancels_sent, kRounds / 100);
  EXPECT_GT(world.raced, kRounds / 100);
  EXPECT_GT(world.grouped, kRounds / 100);
  EXPECT_GT(world.shielded, kRounds / 100);
  EXPECT_GT(world.gets, kRounds / 100);
}

}  // namespace
}  // namespace coronado
