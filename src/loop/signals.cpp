#include "loop/signals.hpp"

#include <coronado/loop/reactor.hpp>

#include <signal.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <system_error>

namespace coronado {
namespace {

struct Slot {
  std::atomic<Reactor*> reactor{nullptr};
  std::atomic<bool> pending{false};
};

constinit std::array<Slot, NSIG> slots;

// Async-signal-safe: two atomic stores and a write to an eventfd.
void on_signal(int signal) {
  const int saved = errno;
  Slot& slot = slots[static_cast<std::size_t>(signal)];
  slot.pending.store(true, std::memory_order_release);
  if (Reactor* reactor = slot.reactor.load(std::memory_order_acquire)) reactor->wake();
  errno = saved;
}

int set_handler(int signal) noexcept {
  struct sigaction action{};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigfillset(&action.sa_mask);
  return ::sigaction(signal, &action, nullptr);
}

}  // namespace

void catch_signal(int signal, Reactor& reactor) {
  if (signal <= 0 || signal >= NSIG) {
    throw std::system_error(EINVAL, std::generic_category(), "signal " + std::to_string(signal));
  }
  Slot& slot = slots[static_cast<std::size_t>(signal)];
  slot.reactor.store(&reactor, std::memory_order_release);
  if (set_handler(signal) != 0) {
    throw std::system_error(errno, std::system_category(), "signal " + std::to_string(signal));
  }
  if (slot.pending.load(std::memory_order_acquire)) reactor.wake();  // it was kept
}

void keep_signal(int signal) noexcept {
  struct sigaction present{};
  if (::sigaction(signal, nullptr, &present) == 0 && present.sa_handler == SIG_DFL) {
    set_handler(signal);
  }
}

void release_signal(int signal, Reactor& reactor) noexcept {
  Slot& slot = slots[static_cast<std::size_t>(signal)];
  if (slot.reactor.load() != &reactor) return;
  ::signal(signal, SIG_DFL);
  slot.reactor.store(nullptr);
  slot.pending.store(false);
}

bool take_signal(int signal) noexcept {
  Slot& slot = slots[static_cast<std::size_t>(signal)];
  return slot.pending.load(std::memory_order_relaxed) &&
         slot.pending.exchange(false, std::memory_order_acquire);
}

}  // namespace coronado
