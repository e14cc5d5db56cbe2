/// Transports over sockets, for the io_uring backend.
#pragma once

#include <memory>

#include "loop/uring_reactor.hpp"

namespace coronado {

/// Makes a transport of a connected, non-blocking stream socket, which it then owns.
std::unique_ptr<Transport> make_uring_transport(UringReactor& reactor, int socket,
                                                SocketAddress peer);

}  // namespace coronado
