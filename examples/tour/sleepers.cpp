#include "sleepers.hpp"

#include <coronado/coro/locks.hpp>

#include "process.hpp"

#include <cmath>
#include <utility>

namespace tour {
namespace {

using coronado::Clock;
using coronado::Duration;
using coronado::HTTPError;
using coronado::IOLoop;
using coronado::Task;
using coronado::TaskGroup;
using coronado::TimePoint;

constexpr std::uint64_t kMostSleepers = 2'000'000;
constexpr std::uint32_t kSpawnedInOneTurn = 1000;

// Between half of `seconds` and all of it, spread evenly without repeating.
Duration nap(double seconds, std::uint32_t index) {
  constexpr double kGoldenRatio = 0.6180339887498949;
  const double place = kGoldenRatio * index;
  const double part = 0.5 + 0.5 * (place - std::floor(place));
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds * part));
}

}  // namespace

Task<SleepersStarted> Sleepers::start(SleepersWanted wanted) {
  if (wanted.count == 0 || now_.sleeping + wanted.count > kMostSleepers) {
    throw HTTPError(400, "at most two million may sleep at a time");
  }
  if (!(wanted.seconds > 0 && wanted.seconds <= 3600)) throw HTTPError(400, "1 to 3600 seconds");
  if (now_.sleeping == 0) now_ = {};
  if (rss_alone_ == 0) rss_alone_ = resident_bytes();
  if (group_ == nullptr) dormitory_ = IOLoop::current()->spawn(dormitory(), "sleepers");
  while (group_ == nullptr) co_await coronado::moment();

  SleepersStarted started{.count = wanted.count};
  started.group = dormitory_.context()->id();
  started.rss_before = resident_bytes();
  const TimePoint begin = Clock::now();
  // [spawn]
  for (std::uint32_t i = 0; i < wanted.count && group_ != nullptr; ++i) {
    group_->spawn(sleeper(nap(wanted.seconds, i)), "sleeper");
    if (i % kSpawnedInOneTurn == 0) co_await coronado::moment();  // everybody else has a turn
  }
  // [/spawn]
  co_await coronado::moment();  // the last of them go to sleep
  started.spawn_ms = milliseconds_between(begin, Clock::now());
  started.rss_after = resident_bytes();
  started.bytes_per_task = bytes_per_task(started.rss_after);
  co_return started;
}

Task<SleepersCancelled> Sleepers::cancel() {
  SleepersCancelled result{.cancelled = now_.sleeping, .cancel_ms = 0};
  if (group_ == nullptr) co_return result;
  const TimePoint begin = Clock::now();
  std::exchange(group_, nullptr)->cancel();
  coronado::TaskHandle<> closing = std::move(dormitory_);  // new sleepers get one of their own
  co_await closing.join();
  result.cancel_ms = milliseconds_between(begin, Clock::now());
  co_return result;
}

// The scope of all sleepers: it ends when it is cancelled and they have ended.
Task<> Sleepers::dormitory() {
  co_await coronado::with_group(
      [this](TaskGroup& group) -> Task<> {
        group_ = &group;
        coronado::Event closing_time;  // never set: the group is cancelled instead
        co_await closing_time.wait();
      },
      "sleepers");
}

Task<> Sleepers::sleeper(Duration span) {
  struct Count {
    SleepersNow& now;
    std::uint64_t* outcome = &now.cancelled;
    ~Count() {
      --now.sleeping;
      ++*outcome;
    }
  };
  ++now_.sleeping;
  Count count{now_};
  co_await coronado::sleep(span);
  count.outcome = &now_.finished;
}

// Memory that was given back is kept for the next ones, so only a new record tells what one takes.
double Sleepers::bytes_per_task(std::uint64_t resident) {
  if (now_.sleeping > most_sleeping_ && resident > rss_alone_) {
    most_sleeping_ = now_.sleeping;
    bytes_per_task_ =
        static_cast<double>(resident - rss_alone_) / static_cast<double>(now_.sleeping);
  }
  return bytes_per_task_;
}

}  // namespace tour
