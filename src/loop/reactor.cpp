#include <coronado/loop/reactor.hpp>

#include "loop/reactor_factories.hpp"

namespace coronado {

std::unique_ptr<Reactor> make_reactor(ReactorKind kind) {
  switch (kind) {
    case ReactorKind::kSim: return make_sim_reactor();
    case ReactorKind::kEpoll: break;
  }
  return make_epoll_reactor();
}

}  // namespace coronado
