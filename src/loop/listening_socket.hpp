/// Listening sockets of the system.
#pragma once

#include <coronado/loop/reactor.hpp>

namespace coronado {

/// A bound, listening, non-blocking stream socket; see `Reactor::listen`.
/// Throws  std::system_error
int open_listening_socket(const SocketAddress& address, const ListenOptions& options);

}  // namespace coronado
