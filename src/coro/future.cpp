#include <coronado/coro/future.hpp>

#include "coro/failure_log.hpp"

namespace coronado::detail {

FutureCore::~FutureCore() {
  if (error_ != nullptr && !taken_ && !broken_) {
    app_log().error("failure of a future that nobody awaited: " + describe(error_));
  }
}

void FutureCore::release() noexcept {
  if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
}

void FutureCore::claim() {
  if (claimed_.exchange(true, std::memory_order_relaxed)) {
    throw_future_error("the promise has delivered its result already");
  }
}

void FutureCore::set_error(std::exception_ptr error) {
  claim();
  error_ = std::move(error);
  publish();
}

void FutureCore::publish() {
  if (Executor::current() == &executor_) return complete();
  // The post orders what was written here before what the loop reads.
  executor_.post([self = FutureReference<FutureCore>(*this)] { self.get()->complete(); });
}

void FutureCore::abandon() {
  if (claimed_.load(std::memory_order_relaxed)) return;
  if (references_.load(std::memory_order_acquire) == 1) return;  // nobody is left to be told
  broken_ = true;
  set_error(std::make_exception_ptr(ClosedError("the promise was destroyed without a result")));
}

void FutureCore::complete() {
  done_ = true;
  if (waiter_ != nullptr) std::exchange(waiter_, nullptr)->wake();
  for (Callback& callback : std::exchange(callbacks_, {})) call(std::move(callback));
}

void FutureCore::add_callback(Callback callback) {
  if (done_) {
    call(std::move(callback));
  } else {
    callbacks_.push_back(std::move(callback));
  }
}

void FutureCore::call(Callback callback) {
  executor_.post([self = FutureReference<FutureCore>(*this), due = std::move(callback)]() mutable {
    due(*self.get());
  });
}

void FutureCore::take() {
  if (!done_) throw_future_error("the promise has not delivered its result yet");
  if (std::exchange(taken_, true))
    throw_future_error("the result of the promise was taken already");
  if (error_ != nullptr) std::rethrow_exception(error_);
}

bool FutureCore::Waiter::begin(PromiseBase& promise) {
  if (core_.waiter_ != nullptr) throw_future_error("the future is awaited by another task");
  if (&promise.context()->executor() != &core_.executor_) {
    throw_future_error("the promise belongs to another loop");
  }
  if (!park(promise)) return false;
  core_.waiter_ = this;
  return true;
}

void FutureCore::Waiter::cancel() noexcept {
  core_.waiter_ = nullptr;
  cancelled_ = true;
  wake();
}

void throw_future_error(const char* text) { throw std::logic_error(text); }

}  // namespace coronado::detail
