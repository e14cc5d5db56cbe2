/// Where another thread stands at this moment: its stack, taken by a signal.
///
/// The asking thread sends a realtime signal to the other one, whose handler writes the return
/// addresses of the stack it interrupted into a fixed buffer. The handler allocates nothing and
/// takes no lock: it makes two atomic exchanges and calls the unwinder, which needs none from
/// glibc 2.35 and libgcc 12 on (`_dl_find_object`). Names are looked up later, elsewhere; see
/// "loop/symbolize.hpp".
///
/// A signal interrupts a system call: those that the kernel does not restart, such as `poll`,
/// `nanosleep` and `epoll_wait`, return early with EINTR in the thread that is looked at.
#pragma once

#include <coronado/base/clock.hpp>

#include <vector>

namespace coronado {

/// Prepares the handler, once for the process, on the highest realtime signal that nobody has
/// claimed; there it stays. Returns the signal, or 0 when none is free.
/// Threads  Any.
int prepare_stack_samples() noexcept;

/// Gives this thread a stack of its own for signal handlers, unless it has one: a sample then needs
/// nothing of the stack it looks at. It goes with the thread.
/// Threads  Any.
void use_alternate_signal_stack() noexcept;

/// The stack of the thread with that kernel id, innermost first; addresses inside the calls, not
/// behind them. Empty when the thread has ended or does not answer in time: it blocks the signal,
/// or the kernel holds it.
/// Threads  Any but the one that is looked at. One at a time asks.
std::vector<const void*> sample_stack(int thread, Duration patience);

/// The kernel's id of this thread.
int this_thread_id() noexcept;

}  // namespace coronado
