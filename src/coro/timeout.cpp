#include <coronado/coro/timeout.hpp>

namespace coronado {

namespace detail {

TimePoint after(TimePoint now, Duration span) noexcept {
  if (span > TimePoint::max() - now) return TimePoint::max();
  return now + span;
}

bool TimeoutScope::begin(TaskContext& context) noexcept {
  Executor& executor = context.executor();
  const TimePoint now = executor.now();
  if (std::exchange(relative_, false)) when_ = after(now, when_.time_since_epoch());
  if (when_ <= now) return false;
  scope_.enter(context);
  scope_.set_deadline(when_);
  executor.arm(*this, when_);
  return true;
}

void TimeoutScope::end(PromiseBase::State outcome) {
  TaskContext* context = scope_.context();
  if (context == nullptr) throw TimeoutError();  // it never began
  context->executor().disarm(*this);
  scope_.leave();
  // A cancellation from outside is passed on as what it is.
  if (outcome == PromiseBase::State::kCancelled && scope_.cancelled() && !context->interrupted()) {
    throw TimeoutError();
  }
}

}  // namespace detail

bool Sleep::begin(PromiseBase& promise) noexcept {
  if (!park(promise)) return false;
  Executor& executor = context_->executor();
  const TimePoint now = executor.now();
  const TimePoint when = relative_ ? detail::after(now, deadline_.time_since_epoch()) : deadline_;
  if (when <= now) {
    wake(ReadyPlace::kLast);
  } else {
    executor.arm(*this, when);
  }
  return true;
}

void Sleep::cancel() noexcept {
  context_->executor().disarm(*this);
  cancelled_ = true;
  wake();
}

TimePoint current_deadline() noexcept {
  const Executor* executor = Executor::current();
  if (executor == nullptr || executor->running() == nullptr) return TimePoint::max();
  return executor->running()->deadline();
}

}  // namespace coronado
