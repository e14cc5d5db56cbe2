/// What coroutines need from an event loop, as an interface: a ready queue, a clock and timers.
///
///     Executor   runs tasks; `IOLoop` is the implementation
///     Timer      something that happens at an instant
///
/// Layer: coro. `loop` implements it, so nothing in `coro` knows about descriptors or system calls.
#pragma once

#include <coronado/base/clock.hpp>
#include <coronado/base/function.hpp>
#include <coronado/base/intrusive_list.hpp>
#include <coronado/base/random.hpp>

#include <atomic>
#include <coroutine>
#include <cstdint>

namespace coronado {

class TaskContext;
class TaskGroup;
class TaskRegistry;
namespace detail {
class TaskOwner;
}

/// Something that happens at an instant. It lives inside its owner (an awaiter, a connection):
/// arming allocates nothing and cannot fail. It must be disarmed before it is destroyed; a loop that
/// is destroyed disarms those it has.
class Timer : public ListHook {
 public:
  /// When it is due; meaningful while armed.
  TimePoint deadline() const noexcept { return deadline_; }
  bool armed() const noexcept { return linked(); }

  /// Called once on the loop thread, never before `deadline()`; the timer is disarmed by then and
  /// may be armed again.
  virtual void on_timer() noexcept = 0;

  /// The loop closes while the timer is armed: it is disarmed by then and must not be armed again.
  /// For what owns itself and lives no longer than its timer.
  virtual void on_loop_closed() noexcept {}

 protected:
  ~Timer() = default;

  TimePoint deadline_{};

 private:
  friend class TimerWheel;
};

/// What a watchdog on another thread sees of a loop: whether it gets on.
struct StepProbe {
  std::atomic<std::uint64_t> steps{0};  ///< counts every task step and callback
  std::atomic<bool> idle{true};         ///< the loop is waiting for events
  std::atomic<int> thread{0};           ///< the kernel's id of the thread it runs on
  std::atomic<std::int64_t> slow_since{
      0};  ///< set by the watchdog: this step runs since then, in ns

  void count_step() noexcept {
    steps.store(steps.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
};

/// Where a task stands in the ready queue.
enum class ReadyPlace : unsigned char {
  kNone,  ///< not there
  kAny,   ///< ready: first in, first out, or by lot where the queue is shuffled
  kLast,  ///< it gave way: behind all who stood there, shuffled or not
};

/// Runs tasks on one thread.
///
/// Tasks that are ready at the same time run in the order in which they became ready, but nothing
/// should rest on that: `IOLoopOptions::shuffle_seed` has them run in a random order, so that tests
/// find what does. These orders hold always: of the steps of one task; of who is served by a lock,
/// a queue or a pool (the order in which they came; what they were given is theirs, however late
/// they run); of callbacks that are posted; and after `moment()` every task that was ready before
/// has had its turn.
///
/// Threads  Only `post` may be called from another thread.
class Executor {
 public:
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  /// The executor whose loop runs on this thread, or null.
  static Executor* current() noexcept { return current_; }

  /// Like `current()`, but throws `std::logic_error` when no loop runs on this thread.
  static Executor& require_current();

  /// The present instant: `Clock::now()`, or the virtual time of a simulation.
  virtual TimePoint now() const noexcept = 0;

  /// Has `timer.on_timer()` called at `when`, or as soon after it as the loop gets to it. An armed
  /// timer is moved. `TimePoint::max()` is never: the timer is disarmed.
  virtual void arm(Timer& timer, TimePoint when) noexcept = 0;

  /// Nothing happens when it is not armed.
  virtual void disarm(Timer& timer) noexcept = 0;

  /// Runs `callback` on the loop thread in its next turn, in the order of the calls.
  /// Threads  Any. After the loop has been closed the callback is dropped.
  virtual void post(Function<void()> callback) = 0;

  /// The group of detached tasks: errors are logged, shutdown cancels and drains it.
  TaskGroup& root_group() noexcept { return *root_group_; }

  /// The task being run at this moment, or null.
  TaskContext* running() const noexcept { return running_; }

  /// Puts a task at the end of the ready queue. It must not be queued already.
  void make_ready(TaskContext& context, ReadyPlace place = ReadyPlace::kAny) noexcept;

  /// Runs the first step of a task that stands in no queue. For callbacks of the loop only: no task
  /// may be running.
  void run_now(TaskContext& context) noexcept;

  /// True when a task stands in the ready queue.
  bool has_ready() const noexcept { return ready_head_ != nullptr; }
  /// Counts the ready queue: linear.
  std::size_t ready_count() const noexcept;

  /// What the ready queue is shuffled with; zero: it is not.
  std::uint64_t shuffle_seed() const noexcept { return shuffle_seed_; }

 protected:
  Executor();
  virtual ~Executor();

  /// Resumes at most `budget` ready tasks, in FIFO order or shuffled; returns how many it resumed.
  std::size_t run_ready(std::size_t budget) noexcept;

  /// Has ready tasks run in an order drawn from `seed`; zero: in FIFO order.
  void shuffle(std::uint64_t seed) noexcept {
    shuffle_seed_ = seed;
    random_ = Random(seed);
  }

  StepProbe& probe() noexcept { return probe_; }

  /// Says which step was slow, after the watchdog has flagged it. Null: a callback.
  virtual void report_slow_step(const TaskContext* context) noexcept = 0;

  static thread_local constinit Executor* current_;

 private:
  friend class PromiseBase;
  friend class TaskContext;
  friend class detail::TaskOwner;
  friend class coronado::TaskRegistry;

  void step(TaskContext& context, TaskContext* outer) noexcept;
  TaskContext& take_first() noexcept;
  TaskContext& take_by_lot() noexcept;

  TaskContext* ready_head_ = nullptr;
  TaskContext** ready_end_ = &ready_head_;  // where the next one is linked
  TaskContext* running_ = nullptr;
  std::coroutine_handle<> transfer_;  // where a build without tail calls goes on
  StepProbe probe_;
  std::uint64_t next_task_id_ = 1;
  IntrusiveList<ListHook> owners_;  // every TaskOwner on this loop, for the registry
  TaskGroup* root_group_ = nullptr;
  std::uint64_t shuffle_seed_ = 0;
  Random random_{0};
};

}  // namespace coronado
