/// Blocking work off the loop.
///
///     offload      runs a function in a thread and awaits its result
///     ThreadPool   a bounded number of threads, for work that should have its own
///
///     std::string text = co_await offload([path] { return read_whole_file(path); });
///
/// Layer: loop.
#pragma once

#include <coronado/coro/task.hpp>

#include <memory>
#include <optional>
#include <variant>

namespace coronado {

class IOLoop;
class ThreadPool;

namespace detail {

/// A job and the task that waits for it. The job lives in the awaiter: queueing allocates nothing.
class OffloadCore : public Suspension, public ListHook {
 public:
  void cancel() noexcept override;
  const char* what() const noexcept override { return "blocking work in a thread"; }

  /// Runs the job and has the loop told.   Threads  The worker.
  void run() noexcept;

 protected:
  explicit OffloadCore(ThreadPool& pool) noexcept : pool_(pool) {}
  ~OffloadCore() = default;

  bool begin(PromiseBase& promise);
  /// Throws what the job threw, or `Cancelled`.
  void end() const;

  ThreadPool& pool_;

 private:
  virtual void call() = 0;
  void finish() noexcept;

  IOLoop* loop_ = nullptr;
  std::exception_ptr error_;
};

}  // namespace detail

/// What `offload` returns; await it at once.
template <class F>
class [[nodiscard("nothing runs until it is awaited")]] Offload final : public detail::OffloadCore {
  using Result = std::invoke_result_t<F&>;
  using Stored = std::conditional_t<std::is_void_v<Result>, std::monostate, Result>;
  static_assert(!std::is_reference_v<Result>, "offload: return a value, not a reference");
  static_assert(!detail::IsTask<Result>::value,
                "offload runs plain functions that block; a coroutine is awaited on the loop");

 public:
  Offload(ThreadPool& pool, F function) noexcept
      : OffloadCore(pool), function_(std::move(function)) {}
  Offload(Offload&& other) noexcept : Offload(other.pool_, std::move(other.function_)) {}

  bool await_ready() const noexcept { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> handle) {
    return begin(handle.promise());
  }
  Result await_resume() {
    end();
    if constexpr (!std::is_void_v<Result>) return std::move(*result_);
  }

 private:
  void call() override {
    if constexpr (std::is_void_v<Result>) {
      function_();
    } else {
      result_.emplace(function_());
    }
  }

  F function_;
  std::optional<Stored> result_;
};

/// How a pool is made.
struct ThreadPoolOptions {
  /// Most threads. Zero: four more than the machine has cores, and not more than 32.
  std::size_t threads = 0;

  /// Most jobs that wait for a thread. When exceeded, `offload` throws `QueueFull`.
  std::size_t max_queued = 10'000;
};

/// Threads for work that blocks. They are started as they are needed, and stay.
/// Threads  `offload` may be awaited on any loop.
/// Lifetime It must outlive the tasks that await its jobs.
/// Tornado  `concurrent.futures.ThreadPoolExecutor`.
class ThreadPool {
 public:
  explicit ThreadPool(ThreadPoolOptions options = {});
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  /// Runs what is still queued, and waits until all jobs are done.
  ~ThreadPool();

  /// The pool that the free function `offload` uses when its loop has no other. It is never
  /// destroyed.
  static ThreadPool& shared();

  /// The default executor of the loop that runs on this thread; `shared()` when there is no loop.
  static ThreadPool& current();

  /// Runs `function()` in a thread of this pool; see the free function.
  template <class F>
  Offload<F> offload(F function) noexcept {
    return Offload<F>(*this, std::move(function));
  }

  /// Most threads it may have.
  std::size_t max_threads() const noexcept;

 private:
  friend class detail::OffloadCore;
  void submit(detail::OffloadCore& job);
  bool withdraw(detail::OffloadCore& job) noexcept;

  struct State;
  std::unique_ptr<State> state_;
};

/// Runs `function()` in a thread of the loop's default pool (`IOLoop::set_default_executor`, else the
/// shared one) and awaits the result.
///
/// Params   function  A callable without parameters; it may block. What it captures must not be
///                    used by the loop meanwhile.
/// Returns  What it returns, moved.
/// Throws   What it throws.
///          QueueFull          Too many jobs wait for a thread.
///          std::system_error  No thread can be started, and there is none.
/// Cancel   A job that has not begun is taken out, at once. One that runs cannot be stopped: the
///          task waits until it is done, drops its result, and then throws `Cancelled`.
/// Threads  `function` runs in another thread: it must not touch the loop, except by `post`.
/// Tornado  `IOLoop.run_in_executor`, which is here, too.
template <class F>
Offload<F> offload(F function) {
  return ThreadPool::current().offload(std::move(function));
}

}  // namespace coronado
