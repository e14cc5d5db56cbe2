/// The results of several tasks in the order in which they come.
///
///     WaitIterator    runs tasks and hands out one result after the other
///     as_completed    makes one of a vector
///
///     WaitIterator<Page> pages(fetch(a), fetch(b), fetch(c));
///     while (!pages.done()) {
///       Page page = co_await pages.next();
///       show(pages.current_index(), page);
///     }
///
/// Layer: coro.
#pragma once

#include <coronado/coro/task_group.hpp>

#include <vector>

namespace coronado {

namespace detail {

/// The tasks of one iterator, and those of them that have ended.
class WaitCore : private TaskOwner {
 public:
  WaitCore(const WaitCore&) = delete;
  WaitCore& operator=(const WaitCore&) = delete;

  /// True when every result has been taken.
  bool done() const noexcept { return left_ == 0; }

  /// The position, among the tasks given, of the one whose result `next` returned or threw last.
  std::size_t current_index() const noexcept { return current_index_; }

  class Close;
  /// Cancels the tasks that still run, waits until they have ended, and drops all results: what to
  /// do before leaving early.
  /// Cancel  Goes on waiting, then throws `Cancelled`.
  Close close() noexcept;

 protected:
  class Waiter;

  /// Throws  std::logic_error  Outside a task or callback of a loop.
  WaitCore();
  ~WaitCore();

  /// Starts a task; all are started one after the other.
  void start(PromiseBase& root, std::source_location site);

  bool has_result() const noexcept { return !ended_.empty(); }
  /// Throws  std::logic_error  `done()`.
  void require_more() const;
  /// Takes the next result; its frame lives until the following call.
  PromiseBase& take_ended() noexcept;

 private:
  void on_child_finished(TaskContext& child, PromiseBase& root) noexcept override;
  void drop_results() noexcept;

  IntrusiveList<TaskContext> ended_;
  TaskContext* current_ = nullptr;
  Waiter* waiter_ = nullptr;
  std::size_t left_ = 0;
  std::size_t current_index_ = 0;
  std::uint64_t first_id_ = 0;
};

/// The task that iterates, while it waits.
class WaitCore::Waiter : public Suspension {
 public:
  void cancel() noexcept override;
  const char* what() const noexcept override { return "waiting for the next of several tasks"; }

 protected:
  explicit Waiter(WaitCore& core) noexcept : core_(core) {}
  ~Waiter() = default;
  bool begin(PromiseBase& promise) noexcept;

  WaitCore& core_;
  bool wants_all_ = false;  // to end

 private:
  friend class WaitCore;
};

class [[nodiscard("close() must be awaited")]] WaitCore::Close final : public Waiter {
 public:
  explicit Close(WaitCore& core) noexcept : Waiter(core) { wants_all_ = true; }
  Close(Close&& other) noexcept : Close(other.core_) {}
  bool await_ready() const noexcept { return !core_.has_children(); }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> handle) noexcept {
    core_.cancel_children();
    return begin(handle.promise());
  }
  void await_resume() {
    core_.drop_results();
    check();
  }
};

inline WaitCore::Close WaitCore::close() noexcept { return Close(*this); }

}  // namespace detail

/// Runs tasks beside each other and hands out their results as they come.
///
/// The tasks start when it is made, below the running task. Leave it when it is `done()` or after
/// `close()`: an iterator destroyed earlier cancels what still runs, hands it to the loop's root
/// group and logs an error, as a `TaskGroup` does.
///
/// Threads  The loop's thread only.
/// Tornado  `gen.WaitIterator`. Differs: it owns the tasks.
template <class T>
class WaitIterator final : public detail::WaitCore {
 public:
  /// Throws  std::logic_error  Outside a task or callback of a loop.
  explicit WaitIterator(std::vector<Task<T>> tasks,
                        std::source_location site = std::source_location::current()) {
    for (Task<T>& task : tasks) start(*task.release(), site);
  }
  template <class... Tasks>
    requires(std::is_same_v<Tasks, Task<T>> && ...)
  explicit WaitIterator(Task<T> first, Tasks... rest) {
    const std::source_location site = std::source_location::current();
    start(*first.release(), site);
    (start(*rest.release(), site), ...);
  }

  class Next;
  /// Waits for the next task to end.
  /// Returns  Its result.
  /// Throws   What the task threw; the others go on. std::logic_error at the call when `done()`.
  /// Cancel   Cancels all the tasks, and completes when they have ended.
  Next next() {
    require_more();
    return Next(*this);
  }
};

template <class T>
class [[nodiscard("next() must be awaited")]] WaitIterator<T>::Next final
    : public detail::WaitCore::Waiter {
 public:
  explicit Next(WaitIterator& iterator) noexcept : Waiter(iterator), iterator_(iterator) {}
  Next(Next&& other) noexcept : Next(other.iterator_) {}
  bool await_ready() const noexcept { return iterator_.has_result(); }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> handle) noexcept {
    return begin(handle.promise());
  }
  T await_resume() {
    check();
    return static_cast<detail::TaskPromise<T>&>(iterator_.take_ended()).take();
  }

 private:
  WaitIterator& iterator_;
};

/// Runs `tasks` and hands out their results as they come; see `WaitIterator`.
/// Tornado  `asyncio.as_completed`.
template <class T>
WaitIterator<T> as_completed(std::vector<Task<T>> tasks,
                             std::source_location site = std::source_location::current()) {
  return WaitIterator<T>(std::move(tasks), site);
}

}  // namespace coronado
