// Demonstration 1: many coroutines that sleep.
#pragma once

#include <coronado/base/describe.hpp>
#include <coronado/web.hpp>

#include <cstdint>

namespace tour {

struct SleepersWanted {
  std::uint32_t count;
  double seconds;
};
BOOST_DESCRIBE_STRUCT(SleepersWanted, (), (count, seconds))

struct SleepersStarted {
  std::uint64_t group = 0;
  std::uint32_t count = 0;
  double spawn_ms = 0;
  std::uint64_t rss_before = 0;
  std::uint64_t rss_after = 0;
  double bytes_per_task = 0;
};
BOOST_DESCRIBE_STRUCT(SleepersStarted, (),
                      (group, count, spawn_ms, rss_before, rss_after, bytes_per_task))

// Counts since there was nobody asleep.
struct SleepersNow {
  std::uint64_t sleeping = 0;
  std::uint64_t finished = 0;
  std::uint64_t cancelled = 0;
};
BOOST_DESCRIBE_STRUCT(SleepersNow, (), (sleeping, finished, cancelled))

struct SleepersCancelled {
  std::uint64_t cancelled;
  double cancel_ms;
};
BOOST_DESCRIBE_STRUCT(SleepersCancelled, (), (cancelled, cancel_ms))

class Sleepers {
 public:
  // Starts them and returns when all are asleep.
  coronado::Task<SleepersStarted> start(SleepersWanted wanted);

  // Cancels them and returns when all have ended.
  coronado::Task<SleepersCancelled> cancel();

  SleepersNow now() const { return now_; }

 private:
  coronado::Task<> dormitory();
  coronado::Task<> sleeper(coronado::Duration span);
  double bytes_per_task(std::uint64_t resident);

  SleepersNow now_;
  coronado::TaskGroup* group_ = nullptr;  // in the frame of `dormitory`
  coronado::TaskHandle<> dormitory_;
  std::uint64_t rss_alone_ = 0;  // before the first of them
  std::uint64_t most_sleeping_ = 0;
  double bytes_per_task_ = 0;
};

}  // namespace tour
