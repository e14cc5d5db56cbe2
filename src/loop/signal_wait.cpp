#include <coronado/loop/signal_wait.hpp>

#include <algorithm>
#include <csignal>

namespace coronado {
namespace {

IOLoop& require_loop() { return static_cast<IOLoop&>(Executor::require_current()); }

}  // namespace

SignalWatch::SignalWatch(const std::vector<int>& signals) : loop_(require_loop()) {
  arrived_.reserve(signals.size());
  try {
    for (const int signal : signals) loop_.add_signal_listener(signal, *this);
  } catch (...) {
    loop_.remove_signal_listener(*this);
    throw;
  }
}

SignalWatch::~SignalWatch() { loop_.remove_signal_listener(*this); }

void SignalWatch::on_signal(int signal) noexcept {
  if (std::ranges::find(arrived_, signal) != arrived_.end()) return;
  arrived_.push_back(signal);
  if (waiter_ != nullptr) std::exchange(waiter_, nullptr)->wake();
}

bool SignalWatch::Next::begin(PromiseBase& promise) {
  if (watch_.waiter_ != nullptr) throw std::logic_error("another task waits for these signals");
  if (!park(promise)) return false;
  watch_.waiter_ = this;
  return true;
}

int SignalWatch::Next::await_resume() {
  check();
  const int signal = watch_.arrived_.front();
  watch_.arrived_.erase(watch_.arrived_.begin());
  return signal;
}

void SignalWatch::Next::cancel() noexcept {
  watch_.waiter_ = nullptr;
  cancelled_ = true;
  wake();
}

Task<int> wait_for_signal(std::vector<int> signals) {
  SignalWatch watch(signals);
  co_return co_await watch.next();
}

Task<int> shutdown_requested() { return wait_for_signal({SIGTERM, SIGINT}); }

}  // namespace coronado
