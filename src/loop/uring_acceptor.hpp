/// Accepting and connecting, for the io_uring backend.
#pragma once

#include <memory>

#include "loop/uring_reactor.hpp"

namespace coronado {

/// See `Reactor::accept_from`.
std::unique_ptr<Acceptor> make_uring_acceptor(UringReactor& reactor, int socket,
                                              AcceptHandler& handler);

/// Takes a socket whose connection is under way; see `Reactor::connect`.
std::unique_ptr<Connecting> make_uring_connecting(UringReactor& reactor, int socket,
                                                  SocketAddress to, ConnectHandler& handler);

}  // namespace coronado
