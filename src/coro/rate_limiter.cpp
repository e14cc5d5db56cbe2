#include <coronado/coro/rate_limiter.hpp>

#include <coronado/base/strings.hpp>
#include <coronado/coro/timeout.hpp>

#include <algorithm>
#include <limits>
#include <numeric>
#include <stdexcept>

namespace coronado {

RateLimiter::RateLimiter(std::uint64_t tokens, Duration span, std::uint64_t burst) {
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  if (tokens == 0 || tokens > kMost) {
    throw std::invalid_argument("a rate limiter needs at least 1 token in each span");
  }
  if (span <= Duration::zero()) {
    throw std::invalid_argument("the span of a rate limiter must be more than zero");
  }
  if (burst == 0) burst = tokens;
  rate_ = static_cast<std::int64_t>(tokens);
  price_ = span.count();
  const std::int64_t common = std::gcd(rate_, price_);
  rate_ /= common;
  price_ /= common;
  if (burst > static_cast<std::uint64_t>((kMost - rate_) / price_)) {
    throw std::invalid_argument("the burst of a rate limiter is too large for its span");
  }
  capacity_ = static_cast<std::int64_t>(burst) * price_;
  level_ = capacity_;
}

RateLimiter::~RateLimiter() {
  if (armed()) executor_->disarm(*this);
}

void RateLimiter::refill(TimePoint now) noexcept {
  const std::int64_t elapsed = (now - updated_).count();
  updated_ = now;
  const std::int64_t missing = capacity_ - level_;
  if (elapsed > missing / rate_) {  // so that the product below cannot overflow
    level_ = capacity_;
  } else if (elapsed > 0) {
    level_ += elapsed * rate_;
  }
}

bool RateLimiter::take(std::uint64_t count) noexcept {
  const std::int64_t cost = static_cast<std::int64_t>(count) * price_;
  if (level_ < cost) return false;
  level_ -= cost;
  return true;
}

bool RateLimiter::try_acquire(std::uint64_t count) {
  if (!line_.empty() || count > burst()) return false;
  return available() >= count && take(count);
}

std::uint64_t RateLimiter::available() {
  executor_ = &Executor::require_current();
  refill(executor_->now());
  return static_cast<std::uint64_t>(level_ / price_);
}

RateLimiter::Acquire RateLimiter::acquire(std::uint64_t count) {
  if (count > burst()) {
    throw std::invalid_argument("a rate limiter with a burst of " + std::to_string(burst()) +
                                " will never have " + std::to_string(count) + " tokens");
  }
  return {*this, count};
}

/// Gives those in line what they wait for, and looks again when the next one's will be there. Each
/// takes at the very instant when it was there, however late this is called: so nothing is lost
/// beyond the brim meanwhile.
void RateLimiter::serve() noexcept {
  const TimePoint now = executor_->now();
  while (!line_.empty()) {
    const std::uint64_t count = static_cast<Acquire&>(line_.front()).count_;
    const std::int64_t missing = static_cast<std::int64_t>(count) * price_ - level_;
    const std::int64_t wait = missing <= 0 ? 0 : (missing - 1) / rate_ + 1;
    const TimePoint when = detail::after(updated_, Duration(wait));
    if (when > now) return executor_->arm(*this, when);
    level_ = wait * rate_ - missing;
    updated_ = when;
    line_.pop_front().serve();
  }
  executor_->disarm(*this);
}

void RateLimiter::on_timer() noexcept { serve(); }

bool RateLimiter::Acquire::begin(PromiseBase& promise) noexcept {
  if (!line_up(promise, limiter_.line_)) return false;
  if (&limiter_.line_.front() == this) limiter_.serve();
  return true;
}

void RateLimiter::Acquire::cancel() noexcept {
  const bool first = &limiter_.line_.front() == this;
  LineWaiter::cancel();
  if (first) limiter_.serve();
}

void RateLimiter::Acquire::describe(std::string& out) const {
  out += "rate limit: ";
  append_int(out, count_);
  out += count_ == 1 ? " token, " : " tokens, ";
  append_position(out, limiter_.line_);
}

}  // namespace coronado
