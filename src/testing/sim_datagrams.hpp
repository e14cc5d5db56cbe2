/// `SimDatagrams`: the datagrams of a simulated network, and the sockets that are bound for them.
#pragma once

#include <coronado/base/clock.hpp>
#include <coronado/loop/datagram_socket.hpp>
#include <coronado/testing/sim_network.hpp>

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace coronado {

enum class SimEventKind : std::uint8_t;

/// A bound socket.
struct SimPort {
  struct Packet {
    std::string bytes;
    SocketAddress from;
  };

  SimHost::State* host = nullptr;
  SocketAddress address;
  UDPOptions options;
  DatagramHandler* handler = nullptr;  // null: closed, or its host has crashed
  SocketAddress peer;                  // of `connect`
  std::vector<SocketAddress> groups;
  std::deque<Packet> queue;  // what has come and was not received
  std::size_t queued_bytes = 0;
  std::error_code error;   // what the network has reported
  bool full = false;       // a datagram found no room, and is waited for
  unsigned watched = 0;    // events of the reactor
  unsigned scheduled = 0;  // events that are due and concern it
  bool ready = false;      // stands in the list of what is ready
  bool closed = false;     // nobody holds the socket any more
};

class SimDatagrams {
 public:
  explicit SimDatagrams(SimCore& core) noexcept : core_(core) {}
  SimDatagrams(const SimDatagrams&) = delete;
  SimDatagrams& operator=(const SimDatagrams&) = delete;

  std::unique_ptr<DatagramSocket> bind(const SocketAddress& address, const UDPOptions& options,
                                       DatagramHandler& handler);

  /// When the next datagram arrives; `TimePoint::max()`: none is under way.
  TimePoint next_due() const noexcept;
  /// Lets everything take place that is due.
  void advance(TimePoint now);
  /// Tells the handler of a socket what it can do.
  void dispatch(SimPort& port) noexcept;

  /// The sockets of a host, or (null) all, are dead: nothing comes, and what they send goes nowhere.
  void silence(const SimHost::State* host) noexcept;
  /// Destroys the sockets that were closed and that nothing refers to any more.
  void reap() noexcept;
  bool has_closed() const noexcept { return has_closed_; }
  /// Sockets that exist.
  std::size_t open() const noexcept { return open_; }

  // For the sockets
  bool receive(SimPort& port, std::span<char> into, DatagramInfo& info);
  bool send(SimPort& port, std::string_view bytes, const SocketAddress& to);
  void connect(SimPort& port, const SocketAddress& peer);
  void join(SimPort& port, const SocketAddress& group);
  void leave(SimPort& port, const SocketAddress& group);
  void watch(SimPort& port, unsigned events) noexcept;
  void close(SimPort& port) noexcept;

 private:
  enum class Step : std::uint8_t {
    kArrival,  // a datagram reaches the host
    kRefusal,  // its sender hears that nobody listens there
    kRoom,     // a socket may send again
  };
  struct Due {
    Step step;
    SimPort* port;  // the sender
    SimHost::State* target;
    SocketAddress from;
    SocketAddress to;
    std::string bytes;
  };

  void schedule(TimePoint when, Due due);
  SocketAddress source_of(const SimPort& port, const SocketAddress& target) const;
  bool has_room(SimPort& port, SimHost::State& target);
  void launch(SimPort& port, SimHost::State* target, const SocketAddress& from,
              const SocketAddress& to, std::string_view bytes);
  void arrive(Due& due);
  void put(SimPort& port, const Due& due);
  SimPort* receiver_of(const Due& due);
  bool is_taken(const SimHost::State& host, const SocketAddress& address,
                const UDPOptions& options) const;
  void log(SimEventKind kind, const SocketAddress& from, const SocketAddress& to, std::size_t size);
  unsigned events_of(const SimPort& port) const noexcept;

  SimCore& core_;
  std::vector<std::unique_ptr<SimPort>> ports_;
  std::map<std::pair<TimePoint, std::uint64_t>, Due> due_;
  std::uint64_t order_ = 0;
  std::size_t open_ = 0;
  bool has_closed_ = false;
};

}  // namespace coronado
