#include <coronado/loop/reactor.hpp>

#include <coronado/base/log.hpp>

#include <atomic>
#include <string>

#include "loop/listening_socket.hpp"
#include "loop/reactor_factories.hpp"

namespace coronado {
namespace {

/// Containers and hardened systems often refuse io_uring: the program runs on without it, and says
/// so once, however many loops it has.
std::unique_ptr<Reactor> make_uring_or_epoll_reactor() {
  static constinit std::atomic<bool> told{false};
  try {
    return make_uring_reactor();
  } catch (const std::system_error& error) {
    if (!told.exchange(true)) {
      general_log().warning(std::string("epoll is used in place of io_uring: ") + error.what());
    }
  }
  return make_epoll_reactor();
}

}  // namespace

std::unique_ptr<Reactor> make_reactor(ReactorKind kind) {
  switch (kind) {
    case ReactorKind::kSim: return make_sim_reactor();
    case ReactorKind::kUring: return make_uring_or_epoll_reactor();
    case ReactorKind::kEpoll: break;
  }
  return make_epoll_reactor();
}

std::unique_ptr<Acceptor> Reactor::listen(const SocketAddress& address,
                                          const ListenOptions& options, AcceptHandler& handler) {
  return accept_from(open_listening_socket(address, options), handler);
}

}  // namespace coronado
