/// Sockets whose connection is being made.
#pragma once

#include <coronado/loop/reactor.hpp>

namespace coronado {

/// A new non-blocking stream socket that has begun to connect. When it becomes writable, SO_ERROR
/// tells what came of it.
/// Throws  std::system_error  See `Reactor::connect`.
int open_connecting_socket(const SocketAddress& to, const ConnectOptions& options);

}  // namespace coronado
