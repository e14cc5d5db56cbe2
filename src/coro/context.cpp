#include <coronado/coro/context.hpp>

#include <cxxabi.h>

#include <coronado/coro/await_trace.hpp>
#include <coronado/coro/task_group.hpp>
#include <coronado/coro/task_local.hpp>

#include <typeinfo>

namespace coronado {

// --- CancelScope -------------------------------------------------------------------------------

void CancelScope::enter(TaskContext& context) noexcept {
  context_ = &context;
  outer_ = context.scope_;
  context.scope_ = this;
  if (kind_ == Kind::kShield) context.update_interrupted();
}

void CancelScope::leave() noexcept {
  context_->scope_ = outer_;
  context_->update_interrupted();
}

void CancelScope::cancel() noexcept {
  cancelled_ = true;
  context_->interrupt();
}

// --- Suspension --------------------------------------------------------------------------------

void Suspension::throw_cancelled() { throw Cancelled{}; }

// --- TaskContext -------------------------------------------------------------------------------

TaskContext::TaskContext(Executor& executor, PromiseBase& root, const char* name,
                         std::source_location site) noexcept
    : executor_(&executor),
      leaf_(&root),
      name_(name),
      spawn_site_(site),
      id_(static_cast<std::uint32_t>(executor.next_task_id_++)) {
  root.context_ = this;
}

TaskContext::~TaskContext() {
  leaf_->handle().destroy();
  detail::LocalNode::release(locals_);
}

void TaskContext::release() noexcept {
  if (--references_ == 0) delete this;
}

void TaskContext::cancel() noexcept {
  if (finished_) return;
  cancelled_ = true;
  interrupt();
}

void TaskContext::interrupt() noexcept {
  update_interrupted();
  if (interrupted_ && suspension_ != nullptr) suspension_->cancel();
}

void TaskContext::update_interrupted() noexcept {
  for (CancelScope* scope = scope_; scope != nullptr; scope = scope->outer_) {
    if (scope->cancelled_) {
      interrupted_ = true;
      return;
    }
    if (scope->kind_ == CancelScope::Kind::kShield) {
      interrupted_ = false;
      return;
    }
  }
  interrupted_ = cancelled_;
}

TimePoint TaskContext::deadline() const noexcept {
  TimePoint earliest = TimePoint::max();
  for (const CancelScope* scope = scope_; scope != nullptr; scope = scope->outer_) {
    if (scope->kind_ == CancelScope::Kind::kShield) return earliest;
    if (scope->deadline_ < earliest) earliest = scope->deadline_;
  }
  if (owner_ != nullptr && owner_->parent() != nullptr) {
    const TimePoint outer = owner_->parent()->deadline();
    if (outer < earliest) earliest = outer;
  }
  return earliest;
}

void TaskContext::notify_waiters() noexcept {
  // Woken in the order they came.
  JoinWaiter* reversed = nullptr;
  for (JoinWaiter* waiter = std::exchange(waiters_, nullptr); waiter != nullptr;) {
    JoinWaiter* next = std::exchange(waiter->next_, reversed);
    reversed = std::exchange(waiter, next);
  }
  while (reversed != nullptr) std::exchange(reversed, reversed->next_)->wake();
}

void JoinWaiter::watch(TaskContext& target) noexcept {
  next_ = target.waiters_;
  target.waiters_ = this;
}

void JoinWaiter::unwatch(TaskContext& target) noexcept {
  JoinWaiter** link = &target.waiters_;
  while (*link != this) link = &(*link)->next_;
  *link = next_;
}

// --- PromiseBase -------------------------------------------------------------------------------

void PromiseBase::unhandled_exception(std::source_location coroutine) noexcept {
  // Told by its type, so that the frames a cancellation passes through carry one byte instead of a
  // reference-counted exception.
  const std::type_info* type = abi::__cxa_current_exception_type();
  if (type != nullptr && *type == typeid(Cancelled)) {
    state_ = State::kCancelled;
  } else {
    error_ = std::current_exception();
    state_ = State::kError;
    detail::note_left_coroutine(error_, coroutine, site_);
  }
}

void PromiseBase::throw_outcome() const {
  if (state_ == State::kCancelled) throw Cancelled{};
  std::rethrow_exception(error_);
}

}  // namespace coronado
