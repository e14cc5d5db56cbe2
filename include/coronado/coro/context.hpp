/// The context of a root task, and how a suspended task is woken and cancelled.
///
///     TaskContext   one running task: where it is suspended, its stop flag, parent, name, locals
///     Suspension    base of every awaiter that really waits
///     CancelScope   a region of a task that can be cancelled by itself (a timeout) or not at all
///     PromiseBase   what all coroutine promises share
///
/// Needed by those who write awaitables; users meet `Task`, `TaskGroup` and `with_timeout`.
///
/// A chain of awaits has one suspended leaf. `TaskContext::cancel` marks the context and asks that
/// leaf to finish; the leaf throws `Cancelled` at its `co_await`. A cancelled task that suspends
/// again is thrown at again, until it has ended; only `shield` holds that off.
///
/// Threads  The loop's thread only.
/// Layer: coro.
#pragma once

#include <coronado/base/error.hpp>
#include <coronado/coro/executor.hpp>
#include <coronado/coro/frame_pool.hpp>

#include <cstdint>
#include <exception>
#include <source_location>
#include <string>

namespace coronado {

class JoinWaiter;
class PromiseBase;
class TaskContext;
namespace detail {
struct LocalNode;
}  // namespace detail

/// How a coroutine ended.
enum class TaskOutcome : unsigned char { kPending, kValue, kError, kCancelled };

/// A region of a task with its own stop flag. Lives inside an awaiter; regions nest.
class CancelScope {
 public:
  enum class Kind : unsigned char { kTimeout, kShield };

  explicit CancelScope(Kind kind, TimePoint deadline = TimePoint::max()) noexcept
      : deadline_(deadline), kind_(kind) {}
  CancelScope(const CancelScope&) = delete;
  CancelScope& operator=(const CancelScope&) = delete;

  /// Makes this the innermost region of `context`.
  void enter(TaskContext& context) noexcept;
  /// Leaves it; it must be the innermost.
  void leave() noexcept;
  /// Asks what runs inside to stop.
  void cancel() noexcept;

  void set_deadline(TimePoint deadline) noexcept { deadline_ = deadline; }

  bool cancelled() const noexcept { return cancelled_; }
  /// The task it was entered in; null before.
  TaskContext* context() const noexcept { return context_; }

 private:
  friend class TaskContext;
  TaskContext* context_ = nullptr;
  CancelScope* outer_ = nullptr;
  TimePoint deadline_;
  Kind kind_;
  bool cancelled_ = false;
};

/// Base of every awaiter that waits for something.
///
/// The protocol: `await_suspend` calls `park`; when that says false the task is being cancelled and
/// must not suspend. Whoever completes the operation calls `wake` once. `cancel` is called at most
/// while parked; it undoes the operation, sets `cancelled_` and wakes, or, when the operation needs
/// time to end, arranges that it wakes later. `await_resume` calls `check`.
class Suspension {
 public:
  Suspension() noexcept = default;
  Suspension(const Suspension&) = delete;
  Suspension& operator=(const Suspension&) = delete;

  /// Asks the operation to finish; see above. Called only while the task is parked here, perhaps
  /// more than once when it does not wake at once.
  virtual void cancel() noexcept = 0;

  /// What a task dump says about this wait, such as "sleeping"; empty: nothing. Static text.
  virtual const char* what() const noexcept { return ""; }

  /// Writes what a task dump says about this very wait, where more can be told than `what()`:
  /// "lock, 2nd of 5 in line", "reading from 127.0.0.1:80". Called only while somebody looks.
  virtual void describe(std::string& out) const { out += what(); }

  /// When the wait ends by itself; `TimePoint::max()`: never.
  virtual TimePoint due() const noexcept { return TimePoint::max(); }

  TaskContext* context() const noexcept { return context_; }

 protected:
  ~Suspension() = default;

  /// Parks the task on this awaiter. False: it is being cancelled, do not suspend.
  bool park(PromiseBase& promise) noexcept;

  /// Parks even a task that is being cancelled: for waits that must end before anything else may
  /// (the children of a scope).
  void park_always(PromiseBase& promise) noexcept;

  /// Puts the parked task on the ready queue.
  void wake() noexcept { wake(ReadyPlace::kAny); }
  void wake(ReadyPlace place) noexcept;

  /// Throws `Cancelled` when the wait was cancelled.
  void check() const {
    if (cancelled_) [[unlikely]]
      throw_cancelled();
  }

  [[noreturn]] static void throw_cancelled();

  TaskContext* context_ = nullptr;
  bool cancelled_ = false;
};

/// One running task: the root coroutine and all it awaits in place.
class TaskContext final : public ListHook, public detail::Pooled {
 public:
  Executor& executor() const noexcept { return *executor_; }

  /// Asks the task to stop: the operation it waits for ends, and `Cancelled` is thrown at its
  /// `co_await`. Returns at once; the task ends in its own time. Nothing happens when it has ended.
  void cancel() noexcept;

  /// True once `cancel` was called.
  bool cancel_requested() const noexcept { return cancelled_; }

  /// True when the next suspension will throw `Cancelled`.
  bool interrupted() const noexcept { return interrupted_; }

  bool finished() const noexcept { return finished_; }
  /// How the task ended; `kPending` while it has not.
  TaskOutcome outcome() const noexcept;

  /// The earliest deadline that applies here: of the enclosing timeouts, and of those around the
  /// scope that owns this task. `TimePoint::max()`: none, or the task has ended.
  TimePoint deadline() const noexcept;

  /// Unique on its executor.
  std::uint64_t id() const noexcept { return id_; }
  /// The name given at spawn; empty string: none.
  const char* name() const noexcept { return name_; }
  /// Where it was spawned.
  const std::source_location& spawn_site() const noexcept { return spawn_site_; }
  /// The coroutine suspended innermost, or null while the task runs. Its `parent()` chain leads to
  /// the root.
  PromiseBase* leaf() const noexcept { return suspension_ != nullptr || ready() ? leaf_ : nullptr; }
  /// What it waits for, or null.
  const Suspension* suspension() const noexcept { return suspension_; }
  bool ready() const noexcept { return place_ != ReadyPlace::kNone; }

 private:
  friend class CancelScope;
  friend class Executor;
  friend class JoinWaiter;
  friend class PromiseBase;
  friend class Suspension;
  friend class coronado::TaskRegistry;
  friend class detail::TaskOwner;
  friend struct detail::LocalNode;
  template <class>
  friend class TaskHandle;

  TaskContext(Executor& executor, PromiseBase& root, const char* name,
              std::source_location site) noexcept;
  ~TaskContext();

  void update_interrupted() noexcept;
  void interrupt() noexcept;
  void retain() noexcept { ++references_; }
  void release() noexcept;
  void notify_waiters() noexcept;

  TaskContext* next_ready_ = nullptr;
  Executor* executor_;
  PromiseBase* leaf_;  // the root's until it first suspends and after it has finished
  Suspension* suspension_ = nullptr;
  CancelScope* scope_ = nullptr;
  detail::TaskOwner* owner_ = nullptr;
  detail::LocalNode* locals_ = nullptr;
  const char* name_;
  std::source_location spawn_site_;
  JoinWaiter* waiters_ = nullptr;
  std::uint32_t id_;
  std::uint32_t owned_ = 0;  // owners (groups) whose parent this task is
  std::uint16_t references_ = 1;
  bool cancelled_ = false;
  bool interrupted_ = false;
  bool finished_ = false;
  ReadyPlace place_ = ReadyPlace::kNone;
};

/// Waits for a task to finish; what `TaskHandle` awaits.
class JoinWaiter : public Suspension {
 public:
  const char* what() const noexcept override { return "waiting for a task"; }

 protected:
  ~JoinWaiter() = default;
  void watch(TaskContext& target) noexcept;
  void unwatch(TaskContext& target) noexcept;

 private:
  friend class TaskContext;
  JoinWaiter* next_ = nullptr;
};

/// What all coroutine promises share. The first member of every promise type.
class PromiseBase {
 public:
  using State = TaskOutcome;

  TaskContext* context() const noexcept { return context_; }
  /// The coroutine that awaits this one, or null for a root.
  PromiseBase* parent() const noexcept { return parent_; }
  /// Where this coroutine is suspended.
  const std::source_location& site() const noexcept { return site_; }
  State state() const noexcept { return state_; }
  const std::exception_ptr& error() const noexcept { return error_; }

  std::coroutine_handle<> handle() noexcept {
    return std::coroutine_handle<PromiseBase>::from_promise(*this);
  }

  /// Starts `child` as part of this coroutine's chain.
  std::coroutine_handle<> start(PromiseBase& child) noexcept {
    child.parent_ = this;
    child.context_ = context_;
    return transfer(child);
  }

  /// Throws what the coroutine ended with, if it was not a value.
  void rethrow() const {
    if (state_ != State::kValue) [[unlikely]]
      throw_outcome();
  }

  /// Takes the exception in flight as the outcome, and notes for `await_trace` that it has left this
  /// coroutine. The compiler calls it from the coroutine, which is what the parameter tells.
  void unhandled_exception(
      std::source_location coroutine = std::source_location::current()) noexcept;

  std::suspend_always initial_suspend() const noexcept { return {}; }

  struct FinalAwaiter {
    bool await_ready() const noexcept { return false; }
    template <class P>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<P> handle) const noexcept {
      return static_cast<PromiseBase&>(handle.promise()).finish();
    }
    void await_resume() const noexcept {}
  };
  FinalAwaiter final_suspend() const noexcept { return {}; }

  static void* operator new(std::size_t size) { return detail::FramePool::allocate(size); }
  static void operator delete(void* frame, std::size_t size) noexcept {
    detail::FramePool::deallocate(frame, size);
  }

 protected:
  /// Symmetric transfer. It is a real tail call only in optimised builds; elsewhere a long run of
  /// awaits would grow the stack, so the loop makes the jump.
  std::coroutine_handle<> transfer(PromiseBase& to) noexcept {
#if defined(__OPTIMIZE__) && !CORONADO_SANITIZED
    return to.handle();
#else
    context_->executor_->transfer_ = to.handle();
    return std::noop_coroutine();
#endif
  }

  PromiseBase() noexcept = default;
  ~PromiseBase() = default;
  PromiseBase(const PromiseBase&) = delete;
  PromiseBase& operator=(const PromiseBase&) = delete;

  TaskContext* context_ = nullptr;
  PromiseBase* parent_ = nullptr;
  std::source_location site_;
  std::exception_ptr error_;
  State state_ = State::kPending;

 private:
  friend class TaskContext;
  friend class detail::TaskOwner;

  std::coroutine_handle<> finish() noexcept {
    if (parent_ != nullptr) [[likely]]
      return transfer(*parent_);
    context_->leaf_ = this;
    context_->finished_ = true;  // the loop hands it to its owner when this step returns
    return std::noop_coroutine();
  }

  [[noreturn]] void throw_outcome() const;
};

inline void Executor::make_ready(TaskContext& context, ReadyPlace place) noexcept {
  context.place_ = place;
  context.next_ready_ = nullptr;
  *ready_end_ = &context;
  ready_end_ = &context.next_ready_;
}

inline TaskOutcome TaskContext::outcome() const noexcept {
  return finished_ ? leaf_->state() : TaskOutcome::kPending;
}

// The context is held in a local variable in these: it would be loaded anew after every store.

inline bool Suspension::park(PromiseBase& promise) noexcept {
  if (promise.context()->interrupted_) [[unlikely]] {
    context_ = promise.context();
    cancelled_ = true;
    return false;
  }
  park_always(promise);
  return true;
}

inline void Suspension::park_always(PromiseBase& promise) noexcept {
  TaskContext* const context = promise.context();
  context_ = context;
  context->leaf_ = &promise;
  context->suspension_ = this;
}

inline void Suspension::wake(ReadyPlace place) noexcept {
  TaskContext* const context = context_;
  context->suspension_ = nullptr;
  context->executor_->make_ready(*context, place);
}

}  // namespace coronado
