/// One factory a backend; `make_reactor` chooses.
#pragma once

#include <coronado/loop/reactor.hpp>

#include <memory>

namespace coronado {

/// A reactor that another one can wait for.
class NestableReactor : public Reactor {
 public:
  /// Readable while `wait` would deliver something that came from the system.
  virtual int descriptor() const noexcept = 0;

  /// `wait` would deliver something of which the descriptor does not know.
  virtual bool has_backlog() const noexcept = 0;
};

std::unique_ptr<NestableReactor> make_epoll_reactor();
std::unique_ptr<Reactor> make_sim_reactor();

/// Throws  std::system_error  The kernel or a sandbox refuses it, or it lacks what we need.
std::unique_ptr<Reactor> make_uring_reactor();

}  // namespace coronado
