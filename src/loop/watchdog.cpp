#include "loop/watchdog.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "loop/quiet_thread.hpp"

namespace coronado {
namespace {

constexpr int kSamplesPerThreshold = 4;

class Watchdog {
 public:
  static Watchdog& instance() {
    static Watchdog watchdog;
    return watchdog;
  }

  ~Watchdog() { stop(); }

  void watch(StepProbe& probe, Duration threshold) {
    std::lock_guard guard(lifecycle_);
    {
      std::lock_guard lock(mutex_);
      watched_.push_back({&probe, threshold, 0, Clock::now()});
    }
    changed_.notify_one();
    if (!thread_.joinable()) start();
  }

  void unwatch(StepProbe& probe) noexcept {
    std::lock_guard guard(lifecycle_);
    bool last = false;
    {
      std::lock_guard lock(mutex_);
      std::erase_if(watched_, [&](const Watched& each) { return each.probe == &probe; });
      last = watched_.empty();
    }
    if (last) stop();
  }

 private:
  struct Watched {
    StepProbe* probe;
    Duration threshold;
    std::uint64_t steps;
    TimePoint since;  // when this number of steps was first seen
  };

  void start() {
    stopping_ = false;
    thread_ = start_quiet_thread([this] { run(); });
  }

  void stop() noexcept {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_one();
    if (thread_.joinable()) thread_.join();
  }

  void run() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      Duration pause = std::chrono::seconds(1);
      for (const Watched& each : watched_) {
        pause = std::min(pause, each.threshold / kSamplesPerThreshold);
      }
      changed_.wait_for(lock, pause);
      const TimePoint now = Clock::now();
      for (Watched& each : watched_) sample(each, now);
    }
  }

  static void sample(Watched& each, TimePoint now) {
    const std::uint64_t steps = each.probe->steps.load(std::memory_order_relaxed);
    if (steps != each.steps || each.probe->idle.load(std::memory_order_relaxed)) {
      each.steps = steps;
      each.since = now;
    } else if (now - each.since >= each.threshold) {
      each.probe->slow_since.store(each.since.time_since_epoch().count(),
                                   std::memory_order_relaxed);
    }
  }

  std::mutex lifecycle_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Watched> watched_;
  std::thread thread_;
  bool stopping_ = false;
};

}  // namespace

void watch_steps(StepProbe& probe, Duration threshold) {
  Watchdog::instance().watch(probe, threshold);
}
void unwatch_steps(StepProbe& probe) noexcept { Watchdog::instance().unwatch(probe); }

}  // namespace coronado
