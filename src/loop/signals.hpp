/// Process signals, brought to the loops that asked for them.
#pragma once

namespace coronado {

class Reactor;

/// Has `signal` recorded and `reactor` woken whenever the process gets it; replaces whoever had it.
/// Throws  std::system_error
void catch_signal(int signal, Reactor& reactor);

/// Has `signal`, where it has its default action, recorded for whoever catches it first.
void keep_signal(int signal) noexcept;

/// Restores the default action, if `reactor` is the one that catches it.
void release_signal(int signal, Reactor& reactor) noexcept;

/// True once for each time (or burst) `signal` came since the last call.
bool take_signal(int signal) noexcept;

}  // namespace coronado
