#include <coronado/loop/reactor.hpp>

#include "loop/listening_socket.hpp"
#include "loop/reactor_factories.hpp"

namespace coronado {

std::unique_ptr<Reactor> make_reactor(ReactorKind kind) {
  switch (kind) {
    case ReactorKind::kSim: return make_sim_reactor();
    case ReactorKind::kEpoll: break;
  }
  return make_epoll_reactor();
}

std::unique_ptr<Acceptor> Reactor::listen(const SocketAddress& address,
                                          const ListenOptions& options, AcceptHandler& handler) {
  return accept_from(open_listening_socket(address, options), handler);
}

}  // namespace coronado
