/// Structured concurrency: tasks that run beside their parent and end before it goes on.
///
///     TaskGroup       owns its children; `join` ends when they have ended
///     with_group      a scope: run a body, then wait for all it spawned
///     TaskHandle<T>   one spawned task: await its result, cancel it
///
/// Layer: coro.
#pragma once

#include <coronado/base/function.hpp>
#include <coronado/coro/task.hpp>

#include <source_location>
#include <vector>

namespace coronado {

namespace detail {

/// Whoever owns running tasks: a group, or an awaiter such as `multi`. Also a node of the task
/// tree.
class TaskOwner : public ListHook {
 public:
  const char* owner_name() const noexcept { return name_; }
  /// The task in whose scope the children run; null for detached ones, and when it has ended.
  TaskContext* parent() const noexcept { return parent_; }
  bool has_children() const noexcept { return !children_.empty(); }
  const IntrusiveList<TaskContext>& children() const noexcept { return children_; }
  Executor& executor() const noexcept { return *executor_; }

  /// Asks every child to stop.
  void cancel_children() noexcept;

 protected:
  TaskOwner() noexcept = default;
  ~TaskOwner();

  /// Joins the task tree; before any child is created.
  void attach(Executor& executor, TaskContext* parent, const char* name) noexcept;

  /// Makes a coroutine a root task owned by this. It runs when it is put on the ready queue.
  TaskContext& create(PromiseBase& root, const char* name, std::source_location site);

  /// Keeps a child's context, and with it the frame and its result, beyond the child's end.
  static void retain(TaskContext& child) noexcept { child.retain(); }
  static void release(TaskContext& child) noexcept { child.release(); }
  /// The coroutine of a child that has ended.
  static PromiseBase& root_of(TaskContext& child) noexcept { return *child.leaf_; }

  /// A child has ended; its outcome is in `root`. The child is unlinked and released afterwards.
  virtual void on_child_finished(TaskContext& child, PromiseBase& root) noexcept = 0;

  /// The child that ended has been released: its frame is gone, unless somebody retained it.
  /// Nothing of the owner is used after this call.
  virtual void on_child_released() noexcept {}

  /// For an owner that goes before its children: logs each, cancels them, and hands them to the
  /// executor's root group.
  /// Params  what  Who goes, for the log.
  void abandon_children(const char* what) noexcept;

 private:
  friend class coronado::Executor;
  friend class coronado::TaskContext;
  void child_finished(TaskContext& child) noexcept;
  static void orphan_owners_of(TaskContext& parent) noexcept;

  Executor* executor_ = nullptr;
  TaskContext* parent_ = nullptr;
  const char* name_ = "";
  IntrusiveList<TaskContext> children_;
};

}  // namespace detail

/// One spawned task. Dropping the handle does not stop the task.
/// Threads  The loop's thread only.
template <class T = void>
class TaskHandle {
 public:
  TaskHandle() noexcept = default;
  explicit TaskHandle(TaskContext& context) noexcept : context_(&context) { context_->retain(); }
  TaskHandle(TaskHandle&& other) noexcept : context_(std::exchange(other.context_, nullptr)) {}
  TaskHandle& operator=(TaskHandle&& other) noexcept {
    std::swap(context_, other.context_);
    return *this;
  }
  ~TaskHandle() {
    if (context_ != nullptr) context_->release();
  }

  /// False for a default-constructed or moved-from handle.
  explicit operator bool() const noexcept { return context_ != nullptr; }

  /// Asks the task to stop; see `TaskContext::cancel`.
  void cancel() noexcept {
    if (context_ != nullptr) context_->cancel();
  }
  bool done() const noexcept { return context_ == nullptr || context_->finished(); }
  TaskContext* context() const noexcept { return context_; }

  /// The outcome of a task that is `done()`: its value, moved out, or what it threw. Take it once.
  T result() { return static_cast<detail::TaskPromise<T>&>(*context_->leaf_).take(); }

  class Join;
  /// Waits for the task to end and returns what it returned.
  /// Returns  The task's value, moved out: join once.
  /// Throws   What the task threw; `Cancelled` when the task was cancelled.
  /// Cancel   Ends the wait; the task goes on.
  Join join() noexcept { return Join(context_); }

 private:
  TaskContext* context_ = nullptr;
};

template <class T>
class TaskHandle<T>::Join final : public JoinWaiter {
 public:
  explicit Join(TaskContext* target) noexcept : target_(target) {}
  Join(Join&& other) noexcept : Join(other.target_) {}
  bool await_ready() const noexcept { return target_->finished(); }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> handle) noexcept {
    if (!park(handle.promise())) return false;
    watch(*target_);
    return true;
  }
  T await_resume() {
    check();
    return TaskHandle(*target_).result();
  }
  void describe(std::string& out) const override {
    out += "waiting for task #" + std::to_string(target_->id());
  }
  void cancel() noexcept override {
    unwatch(*target_);
    cancelled_ = true;
    wake();
  }

 private:
  TaskContext* target_;
};

/// Owns the tasks spawned into it.
///
/// Inside a task use `with_group`, which cannot be left before the children have ended. A group
/// that is a member of a long-lived object (a server, a connection) is cancelled and joined by its
/// owner. The first child that fails cancels its siblings; the failures that follow are kept in
/// `failures()`, and logged when nobody took them. A group destroyed with children still running
/// cancels them, hands them to the loop's root group and logs an error: a scope was left early.
///
/// Threads  The loop's thread only.
/// Tornado  None; asyncio's `TaskGroup`.
class TaskGroup final : private detail::TaskOwner {
 public:
  enum class OnFailure : unsigned char {
    kCancelSiblings,  ///< the first failure stops the others and is rethrown by `join`
    kLog,             ///< a failure is logged with its spawn site and concerns nobody else
    kHandle,          ///< a failure is for whoever holds the task's handle
  };

  /// A group on the loop of this thread, below the task that is running (if any). It may outlive
  /// that task.
  explicit TaskGroup(const char* name = "", OnFailure on_failure = OnFailure::kCancelSiblings);
  /// A group on `executor`, below no task.
  TaskGroup(Executor& executor, const char* name, OnFailure on_failure) noexcept;
  ~TaskGroup();

  /// Starts `task` in the loop's next turn.
  /// Params   name  What dumps call it; static text, or empty for the spawn site alone.
  template <class T>
  TaskHandle<T> spawn(Task<T> task, const char* name = "",
                      std::source_location site = std::source_location::current()) {
    TaskContext& child = create_child(*task.release(), name, site);
    executor().make_ready(child);
    return TaskHandle<T>(child);
  }

  /// Like `spawn`, but runs the task at once, up to its first suspension; for callbacks of the
  /// loop, where no task is running.
  template <class T>
  TaskHandle<T> spawn_now(Task<T> task, const char* name = "",
                          std::source_location site = std::source_location::current()) {
    TaskHandle<T> handle(create_child(*task.release(), name, site));
    executor().run_now(*handle.context());
    return handle;
  }

  /// Asks every child, and every child spawned from now on, to stop.
  void cancel() noexcept;

  bool empty() const noexcept { return !has_children(); }
  std::size_t size() const noexcept { return children().size(); }
  using detail::TaskOwner::executor;

  /// The exceptions of the children that failed, first one first; cleared by `join`, which rethrows
  /// the first.
  const std::vector<std::exception_ptr>& failures() const noexcept { return failures_; }

  class Join;
  /// Waits until the group is empty.
  /// Throws  The first failure of a child (with `kCancelSiblings`).
  /// Cancel  Cancels the children, goes on waiting until they have ended, then throws `Cancelled`.
  Join join() noexcept;

 private:
  friend class Executor;
  friend class coronado::TaskRegistry;
  friend class detail::TaskOwner;
  TaskContext& create_child(PromiseBase& root, const char* name, std::source_location site);
  void on_child_finished(TaskContext& child, PromiseBase& root) noexcept override;
  void rethrow_failure();

  OnFailure on_failure_;
  bool cancelled_ = false;
  IntrusiveList<Join> joiners_;
  std::vector<std::exception_ptr> failures_;
};

class TaskGroup::Join final : public Suspension, public ListHook {
 public:
  explicit Join(TaskGroup& group) noexcept : group_(group) {}
  Join(Join&& other) noexcept : Join(other.group_) {}
  bool await_ready() const noexcept { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> handle) noexcept {
    return begin(handle.promise());
  }
  void await_resume();
  void cancel() noexcept override;
  const char* what() const noexcept override { return "joining a group"; }

 private:
  friend class TaskGroup;
  bool begin(PromiseBase& promise) noexcept;
  TaskGroup& group_;
};

inline TaskGroup::Join TaskGroup::join() noexcept { return Join(*this); }

/// Runs `body(group)` and waits for everything it spawned.
///
///     co_await with_group([&](TaskGroup& group) -> Task<> {
///       group.spawn(left());
///       group.spawn(right());
///       co_return;
///     });
///
/// When the body or a child fails, the others are cancelled, all are waited for, and the first
/// failure is rethrown.
///
/// Params   body  `Task<>(TaskGroup&)`. Kept in the frame until the scope has ended, so that
/// captures
///                by reference to the caller's locals are safe.
/// Throws   The first failure.
/// Cancel   Cancels the body and the children, and completes when they have ended.
/// Code     src/coro/task_group.cpp, tests/coro/task_group_test.cpp
Task<> with_group(Function<Task<>(TaskGroup&)> body, const char* name = "");

}  // namespace coronado
