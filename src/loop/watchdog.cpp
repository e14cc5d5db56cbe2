#include "loop/watchdog.hpp"

#include <coronado/base/log.hpp>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "loop/quiet_thread.hpp"
#include "loop/stack_sample.hpp"
#include "loop/symbolize.hpp"

namespace coronado {
namespace {

constexpr int kSamplesPerThreshold = 4;
/// After so many thresholds a step may never end.
constexpr int kEndless = 50;
/// How long a thread may take to say where it stands.
constexpr Duration kPatience = std::chrono::milliseconds(20);

class Watchdog {
 public:
  static Watchdog& instance() {
    static Watchdog watchdog;
    return watchdog;
  }

  ~Watchdog() { stop(); }

  void watch(StepProbe& probe, Duration threshold, bool stacks) {
    std::lock_guard guard(lifecycle_);
    {
      std::lock_guard lock(mutex_);
      Watched& fresh = watched_.emplace_back();
      fresh.probe = &probe;
      fresh.threshold = threshold;
      fresh.since = Clock::now();
      fresh.stacks = stacks;
    }
    changed_.notify_one();
    if (!thread_.joinable()) start();
  }

  std::string take_stack(StepProbe& probe) noexcept {
    std::lock_guard lock(mutex_);
    for (Watched& each : watched_) {
      if (each.probe == &probe) return std::exchange(each.stack, {});
    }
    return {};
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
    StepProbe* probe = nullptr;
    Duration threshold{};
    std::uint64_t steps = 0;
    TimePoint since{};  // when this number of steps was first seen
    bool stacks = false;
    bool seen = false;  // the stack of this step
    bool told = false;  // that this step does not end
    std::string stack{};
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
      std::string endless;
      for (Watched& each : watched_) sample(each, endless);
      if (endless.empty()) continue;
      lock.unlock();
      general_log().warning(endless);
      lock.lock();
    }
  }

  static void sample(Watched& each, std::string& endless) {
    const TimePoint now = Clock::now();
    const std::uint64_t steps = each.probe->steps.load(std::memory_order_relaxed);
    if (steps != each.steps || each.probe->idle.load(std::memory_order_relaxed)) {
      each.steps = steps;
      each.since = now;
      each.seen = each.told = false;
      return;
    }
    if (now - each.since < each.threshold) return;
    std::vector<const void*> stack;
    const bool look = each.stacks && !std::exchange(each.seen, true);
    if (look && !see(each, stack)) return;
    each.probe->slow_since.store(each.since.time_since_epoch().count(), std::memory_order_relaxed);
    if (look) each.stack = symbolize_stack(stack);  // the loop waits for it, should it be faster
    if (now - each.since < kEndless * each.threshold || std::exchange(each.told, true)) return;
    if (each.stacks && see(each, stack)) each.stack = symbolize_stack(stack);
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(now - each.since);
    endless = "a loop has been blocked for " + std::to_string(took.count()) + " ms and still is" +
              (each.stack.empty() ? "" : "; it is at" + each.stack);
  }

  /// Looks at the stack of the loop's thread. False: meanwhile the step has ended.
  static bool see(const Watched& each, std::vector<const void*>& stack) {
    stack = sample_stack(each.probe->thread.load(std::memory_order_relaxed), kPatience);
    return each.probe->steps.load(std::memory_order_relaxed) == each.steps;
  }

  std::mutex lifecycle_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Watched> watched_;
  std::thread thread_;
  bool stopping_ = false;
};

}  // namespace

void watch_steps(StepProbe& probe, Duration threshold, bool stacks) {
  if (stacks) prepare_stack_samples();
  Watchdog::instance().watch(probe, threshold, stacks);
}
void unwatch_steps(StepProbe& probe) noexcept { Watchdog::instance().unwatch(probe); }
std::string take_slow_stack(StepProbe& probe) noexcept {
  return Watchdog::instance().take_stack(probe);
}

}  // namespace coronado
