/// One factory a backend; `make_reactor` chooses.
#pragma once

#include <coronado/loop/reactor.hpp>

#include <memory>

namespace coronado {

std::unique_ptr<Reactor> make_epoll_reactor();
std::unique_ptr<Reactor> make_sim_reactor();

}  // namespace coronado
