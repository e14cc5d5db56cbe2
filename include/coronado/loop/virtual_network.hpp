/// What a simulated reactor lets stand behind it: a network in virtual time.
///
///     VirtualNetwork   takes over `listen`, `connect` and `bind_datagrams`, and says when something happens
///     attach_network   puts one behind a simulated reactor
///     leap_clock       lets virtual time leap, as after a suspended laptop wakes up
///
/// Applications do not need this: the network is `SimNetwork` of the test kit.
///
/// Threads  The loop's thread only.
/// Layer: loop.
#pragma once

#include <coronado/loop/reactor.hpp>

namespace coronado {

/// A network in virtual time. The reactor asks it when its next event is due, lets time pass until
/// then, and has it deliver: what lies between two instants costs nothing.
class VirtualNetwork {
 public:
  /// As `Reactor::listen`, `Reactor::connect` and `Reactor::bind_datagrams`.
  virtual std::unique_ptr<Acceptor> listen(const SocketAddress& address,
                                           const ListenOptions& options,
                                           AcceptHandler& handler) = 0;
  virtual std::unique_ptr<Connecting> connect(const SocketAddress& to,
                                              const ConnectOptions& options,
                                              ConnectHandler& handler) = 0;
  virtual std::unique_ptr<DatagramSocket> bind_datagrams(const SocketAddress& local,
                                                         const UDPOptions& options,
                                                         DatagramHandler& handler) = 0;

  /// When its next event is due; a past instant: something can be delivered now;
  /// `TimePoint::max()`: nothing is on its way.
  virtual TimePoint next_due() const noexcept = 0;

  /// When a process that sleeps until `until` really goes on: then, or later.
  virtual TimePoint wake_up(TimePoint until) noexcept = 0;

  /// Delivers what is due at `now`.
  virtual void deliver(TimePoint now) noexcept = 0;

 protected:
  ~VirtualNetwork() = default;
};

/// Has `reactor` listen and connect on `network`; null: it has no network again.
/// Lifetime  The network is detached before it ends, or outlives the reactor.
/// Throws    std::logic_error  The reactor is not simulated, or another network is attached.
void attach_network(Reactor& reactor, VirtualNetwork* network);

/// Lets the clock of a simulated reactor leap forward: all that becomes due meanwhile is late.
/// Throws    std::logic_error  The reactor is not simulated.
void leap_clock(Reactor& reactor, Duration span);

}  // namespace coronado
