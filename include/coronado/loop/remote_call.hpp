/// Calls from one loop into another, and from ordinary threads into a loop.
///
///     RemoteCall<T>   what `co_await other.run(task)` awaits
///
///     // On the loop of one worker:
///     long total = co_await statistics_loop.run(add_up(samples));
///     // In a thread without a loop:
///     long total = statistics_loop.run_from_thread(add_up(samples));
///
/// The task runs on the other loop, so what it touches there needs no lock. Its arguments are made
/// and destroyed on the caller's thread, and its result is moved there; what it makes meanwhile
/// lives on the other loop.
///
/// Layer: loop.
#pragma once

#include <coronado/coro/task.hpp>

#include <atomic>
#include <memory>
#include <optional>

namespace coronado {

class IOLoop;

namespace detail {

/// Told, on any thread, that a call has ended.
class RemoteCaller {
 public:
  virtual void call_ended() noexcept = 0;

 protected:
  ~RemoteCaller() = default;
};

/// One task on its way to another loop and back. Both sides share it.
class RemoteTask : public std::enable_shared_from_this<RemoteTask> {
 public:
  RemoteTask(IOLoop& target, PromiseBase* root, std::source_location site) noexcept
      : target_(target), root_(root), site_(site) {}
  RemoteTask(const RemoteTask&) = delete;
  RemoteTask& operator=(const RemoteTask&) = delete;

  /// Sends the task off. `caller` must live until it is told, or `cancel` has said true.
  /// Params  time_left  Of the caller's deadline, for `current_deadline()` over there.
  ///         locals     The task-local values it starts with, not shared with anybody.
  void begin(RemoteCaller& caller, Duration time_left, LocalNode* locals);

  /// Asks the task to stop. True: it had not begun and will not; the caller is not told.
  /// Threads  The caller's.
  bool cancel() noexcept;

  IOLoop& target() const noexcept { return target_; }

  /// Begins and blocks this thread until the task has ended; `take` then throws TimeoutError if that
  /// took too long.
  /// Throws  std::logic_error  A loop runs on this thread.
  void run_blocking(std::optional<Duration> timeout);

 protected:
  ~RemoteTask();
  /// Throws what is not in the task itself: it was withdrawn, or the other loop was closed.
  void check() const;

 private:
  enum class Stage : unsigned char { kSent, kBegun, kWithdrawn };
  class Start;

  bool claim(Stage stage) noexcept;
  void start() noexcept;
  void refuse() noexcept;
  static Task<> serve(std::shared_ptr<RemoteTask> self);
  void end() noexcept;

  IOLoop& target_;
  PromiseBase* root_;
  std::source_location site_;
  RemoteCaller* caller_ = nullptr;
  Duration time_left_ = Duration::max();
  LocalNode* locals_ = nullptr;
  std::atomic<Stage> stage_{Stage::kSent};
  bool cancel_sent_ = false;        // the caller's
  bool timed_out_ = false;          // the caller's
  TaskContext* context_ = nullptr;  // the other loop's: while the task runs
  std::exception_ptr error_;        // written before the caller is told
};

template <class T>
class TypedRemoteTask final : public RemoteTask {
 public:
  TypedRemoteTask(IOLoop& target, Task<T> task, std::source_location site) noexcept
      : RemoteTask(target, task.promise(), site), task_(std::move(task)) {}

  /// The outcome; the task is gone then.   Threads  The caller's.
  T take() {
    Task<T> ended = std::move(task_);
    check();
    return ended.await_resume();
  }

 private:
  Task<T> task_;
};

/// The side that waits.
class RemoteCallCore : public Suspension, private RemoteCaller {
 public:
  void cancel() noexcept override;
  const char* what() const noexcept override { return "a call on another loop"; }

 protected:
  RemoteCallCore() noexcept = default;
  ~RemoteCallCore() = default;
  bool begin(PromiseBase& promise, RemoteTask& task);

 private:
  void call_ended() noexcept override;
  void finish() noexcept;

  IOLoop* home_ = nullptr;
  RemoteTask* task_ = nullptr;
};

}  // namespace detail

/// What `IOLoop::run(task)` returns; await it at once.
template <class T>
class [[nodiscard("nothing runs until it is awaited")]] RemoteCall final
    : public detail::RemoteCallCore {
 public:
  RemoteCall(IOLoop& target, Task<T> task, std::source_location site)
      : state_(std::make_shared<detail::TypedRemoteTask<T>>(target, std::move(task), site)) {}
  RemoteCall(RemoteCall&& other) noexcept : state_(std::move(other.state_)) {}

  bool await_ready() const noexcept { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> handle) {
    return begin(handle.promise(), *state_);
  }
  T await_resume() {
    check();
    return state_->take();
  }

 private:
  std::shared_ptr<detail::TypedRemoteTask<T>> state_;
};

}  // namespace coronado
