#include <coronado/coro/retry.hpp>

#include <algorithm>
#include <stdexcept>

namespace coronado {

Backoff::Backoff(BackoffOptions options)
    : options_(options),
      current_(options.first),
      random_(options.seed ? *options.seed : random_seed()) {
  if (!(options.factor >= 1)) {
    throw std::invalid_argument("the factor of a back-off must be at least 1");
  }
  if (options.first < Duration::zero() || options.longest < Duration::zero()) {
    throw std::invalid_argument("the spans of a back-off must not be negative");
  }
  options_.first = std::min(options.first, options.longest);
  reset();
}

Duration Backoff::next() noexcept {
  const auto scaled = [](Duration span, double by) {
    return static_cast<double>(span.count()) * by;
  };
  const Duration base = current_;
  const double grown = scaled(base, options_.factor);
  current_ = grown >= scaled(options_.longest, 1) ? options_.longest
                                                  : Duration(static_cast<Duration::rep>(grown));
  if (options_.jitter == Jitter::kNone) return base;
  return Duration(static_cast<Duration::rep>(scaled(base, random_.unit())));
}

namespace detail {

RetryState::RetryState(RetryOptions options)
    : options_(std::move(options)),
      backoff_(options_.backoff),
      begin_(Executor::require_current().now()) {
  if (options_.max_attempts < 1) {
    throw std::invalid_argument("retry: max_attempts must be at least 1");
  }
}

Duration RetryState::pause_after(const std::exception_ptr& error) {
  ++attempt_;
  const bool may_pass =
      options_.retry_if ? options_.retry_if(error) : is_error<std::exception>(error);
  if (!may_pass || attempt_ >= options_.max_attempts) std::rethrow_exception(error);
  const Duration pause = backoff_.next();
  const TimePoint next = after(Executor::require_current().now(), pause);
  const bool too_late =
      options_.max_elapsed > Duration::zero() && next - begin_ > options_.max_elapsed;
  if (too_late || next >= current_deadline()) std::rethrow_exception(error);
  if (options_.on_retry) options_.on_retry({error, attempt_, pause});
  return pause;
}

}  // namespace detail
}  // namespace coronado
