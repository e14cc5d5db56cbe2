#include <coronado/coro/locks.hpp>

#include <coronado/base/strings.hpp>
#include <coronado/coro/timeout.hpp>

#include <limits>
#include <stdexcept>

namespace coronado {

void detail::serve_line(IntrusiveList<LineWaiter>& line, std::size_t count) noexcept {
  while (count-- > 0 && !line.empty()) line.pop_front().serve();
}

void detail::LineWaiter::append_position(std::string& out,
                                         const IntrusiveList<LineWaiter>& line) const {
  constexpr std::size_t kMostCounted = 1000;  // a dump of a long line must not take for ever
  std::size_t position = 0;
  std::size_t seen = 0;
  line.for_each([&](const LineWaiter& waiter) {
    if (++seen <= kMostCounted && &waiter == this) position = seen;
  });
  if (position == 0) {
    out += "far back in line";
  } else {
    out += "number ";
    append_int(out, position);
    out += " in line";
  }
}

// --- Semaphore, Lock ---------------------------------------------------------------------------

Semaphore::Semaphore(std::ptrdiff_t value)
    : Semaphore(value, std::numeric_limits<std::ptrdiff_t>::max()) {}

Semaphore::Semaphore(std::ptrdiff_t value, std::ptrdiff_t bound, const char* what)
    : value_(value), bound_(bound), what_(what) {
  if (value < 0) {
    throw std::invalid_argument("the initial value of a semaphore must not be negative: " +
                                std::to_string(value));
  }
}

LockGuard Semaphore::try_acquire() noexcept { return take() ? guard() : LockGuard(); }

void Semaphore::Acquire::describe(std::string& out) const {
  out += semaphore_.what_;
  out += ", ";
  append_position(out, semaphore_.line_);
}

void Semaphore::release() {
  if (value_ >= bound_) throw std::logic_error("semaphore released too many times");
  give_back();
}

Lock::Lock() : semaphore_(1, std::numeric_limits<std::ptrdiff_t>::max(), "lock") {}

void Lock::release() {
  if (!locked()) throw std::logic_error("release unlocked lock");
  semaphore_.give_back();
}

// --- Condition::WaitFor ------------------------------------------------------------------------

bool Condition::WaitFor::begin(PromiseBase& promise) noexcept {
  if (!line_up(promise, condition_.line_)) return false;
  Executor& executor = context_->executor();
  executor.arm(*this, detail::after(executor.now(), timeout_));
  return true;
}

bool Condition::WaitFor::await_resume() {
  if (context_ != nullptr) context_->executor().disarm(*this);
  check();
  return !timed_out_;
}

void Condition::WaitFor::cancel() noexcept {
  context_->executor().disarm(*this);
  LineWaiter::cancel();
}

void Condition::WaitFor::on_timer() noexcept {
  // Notified in this very turn: then it is no longer in the line.
  if (!LineWaiter::linked()) return;
  LineWaiter::unlink();
  timed_out_ = true;
  wake();
}

}  // namespace coronado
