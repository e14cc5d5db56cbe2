#include <coronado/loop/remote_call.hpp>

#include <coronado/base/strings.hpp>
#include <coronado/coro/task_local.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/loop/ioloop.hpp>

#include <condition_variable>
#include <mutex>

namespace coronado::detail {
namespace {

/// Awaits a coroutine but leaves its outcome in it.
struct RunToEnd {
  PromiseBase& child;
  bool await_ready() const noexcept { return false; }
  template <class P>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<P> handle) const noexcept {
    return static_cast<PromiseBase&>(handle.promise()).start(child);
  }
  void await_resume() const noexcept {}
};

/// The caller's deadline as the called task sees it. Keeping it is the caller's business.
class InheritedDeadline {
 public:
  InheritedDeadline(TaskContext& context, Duration time_left) noexcept
      : scope_(CancelScope::Kind::kTimeout, time_left == Duration::max()
                                                ? TimePoint::max()
                                                : after(context.executor().now(), time_left)) {
    scope_.enter(context);
  }
  InheritedDeadline(const InheritedDeadline&) = delete;
  InheritedDeadline& operator=(const InheritedDeadline&) = delete;
  ~InheritedDeadline() { scope_.leave(); }

 private:
  CancelScope scope_;
};

/// A thread that blocks until its call has ended.
class BlockedThread final : public RemoteCaller {
 public:
  void call_ended() noexcept override {
    // Told under the lock: when the thread gets on, this object goes.
    std::lock_guard lock(mutex_);
    ended_ = true;
    changed_.notify_one();
  }

  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return ended_; });
  }

  bool wait_until(TimePoint deadline) {
    std::unique_lock lock(mutex_);
    return changed_.wait_until(lock, deadline, [this] { return ended_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ended_ = false;  // guarded by mutex_
};

std::exception_ptr closed_error(const char* when) {
  return std::make_exception_ptr(
      ClosedError(std::string("the loop that was called was closed ") + when));
}

}  // namespace

/// The message to the other loop. One that is dropped unread still has the caller told.
class RemoteTask::Start {
 public:
  explicit Start(RemoteTask& task) : task_(task.shared_from_this()) {}
  Start(Start&&) noexcept = default;
  Start& operator=(Start&&) = delete;
  ~Start() {
    if (task_) task_->refuse();
  }
  void operator()() { std::exchange(task_, nullptr)->start(); }

 private:
  std::shared_ptr<RemoteTask> task_;
};

RemoteTask::~RemoteTask() { LocalNode::release(locals_); }

bool RemoteTask::claim(Stage stage) noexcept {
  Stage expected = Stage::kSent;
  return stage_.compare_exchange_strong(expected, stage, std::memory_order_acq_rel);
}

void RemoteTask::begin(RemoteCaller& caller, Duration time_left, LocalNode* locals) {
  caller_ = &caller;
  time_left_ = time_left;
  locals_ = locals;
  target_.post(Start(*this));
}

bool RemoteTask::cancel() noexcept {
  if (claim(Stage::kWithdrawn)) return true;
  if (!std::exchange(cancel_sent_, true)) {
    target_.post([self = shared_from_this()] {
      if (self->context_ != nullptr) self->context_->cancel();
    });
  }
  return false;
}

void RemoteTask::start() noexcept {
  if (!claim(Stage::kBegun)) return;
  try {
    if (!target_.closing()) {
      // Known from here on: a cancel may come before its first step.
      context_ =
          target_.main_group().spawn(serve(shared_from_this()), "remote call", site_).context();
      return;
    }
    error_ = closed_error("before the call began");
  } catch (const std::bad_alloc&) {
    error_ = std::current_exception();
  }
  caller_->call_ended();
}

void RemoteTask::refuse() noexcept {
  if (!claim(Stage::kBegun)) return;
  error_ = closed_error("before the call began");
  caller_->call_ended();
}

Task<> RemoteTask::serve(std::shared_ptr<RemoteTask> self) {
  TaskContext& context = *self->context_;
  LocalNode::give(context, std::exchange(self->locals_, nullptr));
  {
    const InheritedDeadline deadline(context, self->time_left_);
    co_await RunToEnd{*self->root_};
  }
  LocalNode::give(context, nullptr);
  self->end();
}

void RemoteTask::end() noexcept {
  context_ = nullptr;
  if (root_->state() == TaskOutcome::kCancelled && target_.closing()) {
    error_ = closed_error("during the call");
  }
  caller_->call_ended();
}

void RemoteTask::check() const {
  if (timed_out_) std::rethrow_exception(error_);
  if (stage_.load(std::memory_order_relaxed) == Stage::kWithdrawn) throw Cancelled{};
  if (error_ == nullptr) return;
  if (cancel_sent_) throw Cancelled{};
  std::rethrow_exception(error_);
}

void RemoteTask::run_blocking(std::optional<Duration> timeout) {
  if (Executor::current() != nullptr) {
    throw std::logic_error(
        "run_from_thread would block the loop of this thread; there, co_await loop.run(task)");
  }
  BlockedThread caller;
  const TimePoint deadline = timeout ? after(Clock::now(), *timeout) : TimePoint::max();
  begin(caller, timeout.value_or(Duration::max()), nullptr);
  if (!timeout || deadline == TimePoint::max()) return caller.wait();
  if (caller.wait_until(deadline)) return;
  if (!cancel()) {
    caller.wait();
    if (error_ == nullptr && root_->state() != TaskOutcome::kCancelled) return;
  }
  std::string text = "operation timed out after ";
  append_double(text, std::chrono::duration<double>(*timeout).count());
  error_ = std::make_exception_ptr(TimeoutError(text + " seconds"));
  timed_out_ = true;
}

// --- RemoteCallCore ----------------------------------------------------------------------------

bool RemoteCallCore::begin(PromiseBase& promise, RemoteTask& task) {
  TaskContext& context = *promise.context();
  if (!context.interrupted()) {
    home_ = &static_cast<IOLoop&>(context.executor());
    task_ = &task;
    const TimePoint deadline = context.deadline();
    task.begin(*this, deadline == TimePoint::max() ? Duration::max() : deadline - home_->now(),
               LocalNode::copy_of(context));
    if (&task.target() != home_) home_->reactor().begin_outside_work();
  }
  // The call may have ended by now, but what was posted here waits for this loop's next turn.
  return park(promise);
}

void RemoteCallCore::call_ended() noexcept {
  home_->post([this] { finish(); });
}

void RemoteCallCore::finish() noexcept {
  if (&task_->target() != home_) home_->reactor().end_outside_work();
  wake();
}

void RemoteCallCore::cancel() noexcept {
  if (task_->cancel()) finish();
}

}  // namespace coronado::detail
