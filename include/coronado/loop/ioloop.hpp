/// `IOLoop`: the event loop of one thread.
///
///     IOLoop            runs tasks, timers, callbacks and I/O
///     TimeoutHandle     a scheduled call, for `remove_timeout`
///
///     IOLoop loop;
///     int answer = loop.run_sync(compute());
///
/// Threads  A loop belongs to the thread that runs it. Only `post` (also named `add_callback`),
///          `stop`, and `run(task)` and `run_from_thread`, which stand on `post`, may come from
///          elsewhere.
/// Layer: loop.
#pragma once

#include <coronado/coro/executor.hpp>
#include <coronado/coro/task_group.hpp>
#include <coronado/loop/reactor.hpp>
#include <coronado/loop/remote_call.hpp>
#include <coronado/loop/thread_pool.hpp>

#include <memory>
#include <optional>

namespace coronado {

namespace detail {
struct ScheduledCall;

/// Told of a signal, on the loop; see `SignalWatch`.
class SignalListener {
 public:
  virtual void on_signal(int signal) noexcept = 0;

 protected:
  ~SignalListener() = default;
};
}  // namespace detail

/// A call scheduled with `call_later` or `call_at`. Dropping the handle does not cancel the call.
class TimeoutHandle {
 public:
  TimeoutHandle() noexcept = default;

  /// True until the call is made or removed, or its loop is closed.
  bool pending() const noexcept { return !call_.expired(); }

 private:
  friend class IOLoop;
  explicit TimeoutHandle(std::weak_ptr<detail::ScheduledCall> call) noexcept
      : call_(std::move(call)) {}
  std::weak_ptr<detail::ScheduledCall> call_;
};

/// How a loop is made.
struct IOLoopOptions {
  /// The backend. Default: what `CORONADO_REACTOR` says ("epoll", "uring"), else epoll.
  std::optional<ReactorKind> reactor = std::nullopt;

  /// A task step or callback that runs longer is logged with the place where it was spawned and
  /// where it next waited. Zero: never.
  Duration slow_step_threshold = std::chrono::milliseconds(100);

  /// Has the log say as well what the loop's thread was doing when the threshold passed: its stack,
  /// with the names of the functions. For that a realtime signal, the highest that is free when the
  /// first such loop is made, is sent to the thread. Calls of the system that do not go on after a
  /// signal (`poll`, `select`, `sleep`, `nanosleep`) return early then, with `EINTR`; code that
  /// blocks the loop in them for longer than the threshold and does not expect that needs this off.
  bool slow_step_stacks = true;

  /// Has tasks that are ready at the same time run in a random order, drawn from this seed: the
  /// same seed, the same order. Zero: first in, first out. What is promised about order all the
  /// same stands at `Executor`. Default: what `CORONADO_SHUFFLE_SEED` says (a number), else zero in
  /// a library built for release and a fresh seed in any other, so that tests come to depend on
  /// nothing that is not promised. `shuffle_seed()` is the one in force.
  std::optional<std::uint64_t> shuffle_seed = std::nullopt;
};

/// Runs tasks on one thread, with the system's events and timers.
/// Tornado  `ioloop.IOLoop`.
class IOLoop final : public Executor {
 public:
  static constexpr unsigned kRead = Reactor::kRead;
  static constexpr unsigned kWrite = Reactor::kWrite;
  static constexpr unsigned kError = Reactor::kError;

  /// Throws  std::system_error  The backend cannot be made.
  ///         UsageError         `CORONADO_REACTOR` names no backend, or `CORONADO_SHUFFLE_SEED`
  ///                            is no number.
  explicit IOLoop(IOLoopOptions options = {});

  /// Closes the loop if that was not done.
  ~IOLoop() override;

  /// The loop that runs on this thread, or null.
  static IOLoop* current() noexcept;

  /// How many loops there are in this process.   Threads  Any.
  static std::size_t count() noexcept;

  // --- running -------------------------------------------------------------------------------

  /// Runs until `stop`. A `stop` that came before makes this return at once.
  /// Tornado  `IOLoop.start`.
  void run();

  /// Ends `run` after the current turn.   Threads  Any; also from a signal handler's callback.
  void stop() noexcept;

  /// Runs the loop until `task` has ended, and returns its value.
  /// Params   timeout  Cancels the task when it passes.
  /// Throws   What the task throws; `TimeoutError`; `Cancelled`; `ClosedError` when `stop` came
  /// first
  ///          (the task is cancelled and has ended) or when, in simulated time, nothing was left
  ///          that could ever wake it: the message then holds the task tree.
  /// Tornado  `IOLoop.run_sync`.
  template <class T>
  T run_sync(Task<T> task, std::optional<Duration> timeout = std::nullopt,
             std::source_location site = std::source_location::current()) {
    TaskHandle<T> handle = main_group().spawn(std::move(task), "main", site);
    run_until_done(*handle.context(), timeout);
    return handle.result();
  }

  /// Starts a detached task: a failure is logged with the spawn site; `close` cancels and drains
  /// it.
  /// Tornado  `IOLoop.spawn_callback`.
  template <class T>
  TaskHandle<T> spawn(Task<T> task, const char* name = "",
                      std::source_location site = std::source_location::current()) {
    return root_group().spawn(std::move(task), name, site);
  }

  /// Cancels every task, waits until all have ended, and drops what is scheduled. The loop must not
  /// be running.   Tornado  `IOLoop.close`.
  void close();

  // --- time ----------------------------------------------------------------------------------

  TimePoint now() const noexcept override { return reactor_->now(); }

  /// When the current turn's events were collected: a clock without a system call, for deadlines
  /// and dates that may be late by a turn.
  TimePoint turn_time() const noexcept { return reactor_->wake_time(); }

  void arm(Timer& timer, TimePoint when) noexcept override;
  void disarm(Timer& timer) noexcept override;

  /// Calls `callback` after a span, or at an instant; a past one in the next turn. What the
  /// callback throws is logged.   Tornado  `call_later`, `call_at`, `add_timeout`.
  TimeoutHandle call_later(Duration delay, Function<void()> callback);
  TimeoutHandle call_at(TimePoint when, Function<void()> callback);
  /// Nothing happens when it has been called already.
  void remove_timeout(const TimeoutHandle& handle) noexcept;

  // --- from other threads --------------------------------------------------------------------

  /// Runs `callback` in the next turn, in the order of the calls; what it throws is logged. After
  /// `close` it is dropped.
  /// Threads  Any: this is the one thread-safe door.   Tornado  `IOLoop.add_callback`.
  void post(Function<void()> callback) override;
  void add_callback(Function<void()> callback) { post(std::move(callback)); }

  /// Runs `task` on this loop while the caller, a task on another loop, waits for it.
  ///
  ///     long total = co_await statistics_loop.run(add_up(samples));
  ///
  /// The caller's deadline is seen by `current_deadline()` over there; task-local values that can be
  /// copied are there, too. Awaited on this loop itself, it is a task beside the caller.
  ///
  /// Params   task  What it borrows from the caller is safe until the call has ended, but is then
  ///                used on another thread.
  /// Returns  What `task` returns, moved.
  /// Throws   What `task` throws.
  ///          ClosedError  The loop was closed before or during the call; `task` has ended.
  ///          Cancelled    The caller was cancelled, or `task` ended so.
  /// Cancel   A task that has not begun is taken back at once. One that runs is cancelled on its
  ///          loop, and this call ends when it has ended; a value it still returns is returned.
  /// Threads  From any loop. In simulated time the caller's clock stands still meanwhile.
  /// Lifetime This loop must outlive the call, and run, or be closed, for the call to end.
  /// Cost     One allocation, and waking the other thread.
  /// Tornado  None; `add_callback` and a future.
  /// Code     src/loop/remote_call.cpp, tests/loop/remote_call_test.cpp
  template <class T>
  RemoteCall<T> run(Task<T> task, std::source_location site = std::source_location::current()) {
    return RemoteCall<T>(*this, std::move(task), site);
  }

  /// The same for a thread that runs no loop: blocks it until `task` has ended.
  /// Params   timeout  Cancels the task when it passes; one that has not begun is taken back.
  /// Throws   What `task` throws; ClosedError as above; Cancelled when `task` ended so.
  ///          TimeoutError      The time passed, and `task` has ended by cancellation.
  ///          std::logic_error  A loop is running on this thread: it would be blocked, and be this
  ///                            one for ever. Use `run(task)` there.
  /// Threads  Any without a loop.
  /// Tornado  asyncio's `run_coroutine_threadsafe(...).result()`.
  template <class T>
  T run_from_thread(Task<T> task, std::optional<Duration> timeout = std::nullopt,
                    std::source_location site = std::source_location::current()) {
    auto call = std::make_shared<detail::TypedRemoteTask<T>>(*this, std::move(task), site);
    call->run_blocking(timeout);
    return call->take();
  }

  // --- to other threads ----------------------------------------------------------------------

  /// Runs `function()` in a thread of `pool` and awaits the result; see `offload`, which is the
  /// same.
  /// Throws   What `function` throws; see `offload`.
  /// Cancel   A job that has not begun is dropped; one that runs is waited for.
  /// Tornado  `IOLoop.run_in_executor`.
  template <class F>
  Offload<F> run_in_executor(ThreadPool& pool, F function) noexcept {
    return pool.offload(std::move(function));
  }
  template <class F>
  Offload<F> run_in_executor(F function) noexcept {
    return default_executor().offload(std::move(function));
  }

  /// The pool of this loop's `offload`: `ThreadPool::shared()`, unless another one was set.
  ThreadPool& default_executor() noexcept;
  /// Params   pool  Null: the shared one again.
  /// Lifetime  `pool` must outlive the loop or be replaced before it goes.
  /// Tornado  `IOLoop.set_default_executor`.
  void set_default_executor(ThreadPool* pool) noexcept;

  // --- the system ----------------------------------------------------------------------------

  /// Calls `handler(fd, events)` whenever `fd` is ready, level-triggered. Errors are always
  /// reported.
  /// Throws  std::system_error    The descriptor cannot be watched.
  ///         std::invalid_argument  It is watched already: "fd 7 added twice".
  /// Tornado  `IOLoop.add_handler`.
  void add_handler(int fd, Function<void(int, unsigned)> handler, unsigned events);
  /// Throws  std::invalid_argument  It is not watched.
  void update_handler(int fd, unsigned events);
  /// Nothing happens when it is not watched.
  void remove_handler(int fd) noexcept;

  /// Calls `handler` on the loop whenever the process gets `signal`. One loop per signal; the
  /// newest wins. The handler stays until it is removed or the loop closes, which restores the
  /// default.
  /// Throws  std::system_error  Not a signal that can be caught.
  void add_signal_handler(int signal, Function<void()> handler);
  void remove_signal_handler(int signal) noexcept;

  /// What `SignalWatch` stands on: any number of listeners beside the handler.
  /// Throws  std::system_error  Not a signal that can be caught.
  void add_signal_listener(int signal, detail::SignalListener& listener);
  void remove_signal_listener(detail::SignalListener& listener) noexcept;

  Reactor& reactor() noexcept { return *reactor_; }

 private:
  friend class detail::RemoteTask;
  class CurrentScope;
  struct State;

  TaskGroup& main_group() noexcept;
  void run_until_done(TaskContext& context, std::optional<Duration> timeout);
  bool turn();
  void finish_turns();
  bool goal_reached() noexcept;
  bool closing() const noexcept;
  void run_posted();
  void run_signal_handlers();
  void claim_thread() noexcept;
  void report_slow_step(const TaskContext* context) noexcept override;

  std::unique_ptr<Reactor> reactor_;
  std::unique_ptr<State> state_;
};

}  // namespace coronado
