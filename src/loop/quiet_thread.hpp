/// Threads of our own, which must not get the process's signals: those are for the loops.
#pragma once

#include <pthread.h>
#include <signal.h>

#include <thread>
#include <utility>

namespace coronado {

/// Starts a thread with every signal blocked.
/// Throws  std::system_error  The system has no more threads.
template <class F>
std::thread start_quiet_thread(F function) {
  struct Masked {
    Masked() noexcept {
      sigset_t all;
      sigfillset(&all);
      pthread_sigmask(SIG_SETMASK, &all, &before);
    }
    ~Masked() { pthread_sigmask(SIG_SETMASK, &before, nullptr); }
    sigset_t before;
  };
  const Masked masked;
  return std::thread(std::move(function));
}

}  // namespace coronado
