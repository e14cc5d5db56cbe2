#include <coronado/coro/async_generator.hpp>

#include <stdexcept>

namespace coronado::detail {

void GeneratorPromise::throw_busy() {
  throw std::logic_error("the generator is running: another task waits for its next value");
}

void GeneratorClose::await_resume() const {
  if (promise_ == nullptr || !promise_->closing()) return;
  if (promise_->state() == TaskOutcome::kCancelled) {
    // By us, or by whoever cancels the task that closes it.
    if (promise_->context()->interrupted()) throw Cancelled{};
    return;
  }
  promise_->rethrow();
}

}  // namespace coronado::detail
