#include <coronado/loop/periodic.hpp>

#include <coronado/base/log.hpp>

#include <random>
#include <stdexcept>

namespace coronado {
namespace {

void log_failure(const char* what) {
  app_log().error(std::string("exception in periodic callback: ") + what);
}

/// Between -0.5 and 0.5.
double random_half() {
  thread_local std::minstd_rand generator(std::random_device{}());
  return std::uniform_real_distribution<double>(-0.5, 0.5)(generator);
}

}  // namespace

/// Shared with the call that is scheduled and the coroutine that runs, which may outlive the owner.
struct PeriodicCallback::State {
  Callback callback;
  Duration period;
  double jitter;
  IOLoop* loop = nullptr;
  bool running = false;
  bool busy = false;  // the coroutine runs
  TimePoint next{};
  TimeoutHandle scheduled;

  static void schedule(const std::shared_ptr<State>& self) {
    self->set_next(self->loop->now());
    self->scheduled = self->loop->call_at(self->next, [self] { call(self); });
  }

  void set_next(TimePoint now) noexcept {
    Duration step = period;
    if (jitter > 0) {
      const double factor = 1 + jitter * random_half();
      step = Duration(static_cast<Duration::rep>(static_cast<double>(period.count()) * factor));
      if (step <= Duration::zero()) step = Duration(1);
    }
    next += step;
    if (next <= now) next += step * ((now - next) / step + 1);  // those that were missed
  }

  static void call(const std::shared_ptr<State>& self) {
    try {
      if (Task<> task = self->callback()) {
        self->busy = true;
        self->loop->spawn(follow(self, std::move(task)), "periodic callback");
        return;
      }
    } catch (const std::exception& error) {
      log_failure(error.what());
    } catch (...) {
      log_failure("not a std::exception");
    }
    if (self->running) schedule(self);
  }

  /// Runs the coroutine, then schedules the next call.
  static Task<> follow(std::shared_ptr<State> self, Task<> task) {
    try {
      co_await std::move(task);
    } catch (const Cancelled&) {
      throw;
    } catch (const std::exception& error) {
      log_failure(error.what());
    } catch (...) {
      log_failure("not a std::exception");
    }
    self->busy = false;
    if (self->running) schedule(self);
  }
};

PeriodicCallback::PeriodicCallback(Callback callback, Duration period, double jitter,
                                   std::nullptr_t)
    : state_(std::make_shared<State>()) {
  if (period <= Duration::zero()) {
    throw std::invalid_argument("PeriodicCallback: the period must be more than zero");
  }
  if (!(jitter >= 0 && jitter <= 1)) {
    throw std::invalid_argument("PeriodicCallback: jitter must be between 0 and 1");
  }
  state_->callback = std::move(callback);
  state_->period = period;
  state_->jitter = jitter;
}

PeriodicCallback::~PeriodicCallback() { stop(); }

void PeriodicCallback::start() {
  if (state_->running) return;
  state_->loop = &static_cast<IOLoop&>(Executor::require_current());
  state_->running = true;
  state_->next = state_->loop->now();
  if (!state_->busy) State::schedule(state_);
}

void PeriodicCallback::stop() noexcept {
  if (!std::exchange(state_->running, false)) return;
  // Of a loop that is gone nothing is pending.
  if (state_->scheduled.pending()) state_->loop->remove_timeout(state_->scheduled);
}

bool PeriodicCallback::is_running() const noexcept { return state_->running; }

}  // namespace coronado
