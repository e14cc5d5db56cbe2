/// `SimCore`: what hosts, ways, listeners and connections of one simulated network share: the
/// events that are due, the source of chance, the log.
#pragma once

#include <coronado/coro/task_group.hpp>
#include <coronado/loop/virtual_network.hpp>
#include <coronado/testing/sim_network.hpp>

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <utility>
#include <vector>

#include "testing/sim_connection.hpp"
#include "testing/sim_datagrams.hpp"
#include "testing/sim_log.hpp"

namespace coronado {

struct SimHost::State {
  State(SimCore& owner, std::string host_name, std::vector<SocketAddress> host_addresses,
        std::size_t host_index);

  SimCore& core;
  std::string name;
  std::vector<SocketAddress> addresses;
  std::size_t index;
  std::vector<std::unique_ptr<TaskGroup>> tasks;  // the last takes new ones; the others end
  std::uint16_t next_port = 40000;
  std::size_t accepts_to_fail = 0;
  std::error_code accept_error;
  bool up = true;
};

/// The way between two hosts.
struct SimPath {
  std::optional<SimLink> own;
  bool partitioned = false;
  std::array<TimePoint, 2> busy_until{};  // of the bandwidth, for each direction
};

/// A listening socket.
struct SimListener {
  SimHost::State* host;
  SocketAddress address;
  std::size_t backlog;
  AcceptHandler* handler;  // null: closed
  std::deque<SimConnection*> queue;
  bool paused = false;
  bool ready = false;   // stands in the list of what is ready
  bool closed = false;  // nobody holds the acceptor any more
};

/// Something that happens to a connection at an instant.
enum class SimStep : std::uint8_t {
  kSyn,          // the request to connect arrives
  kConnected,    // the answer to it arrives
  kConnectFail,  // no, or none
  kRetry,        // the client asks once more
  kArrival,      // the first segment under way to a side arrives
  kWindow,       // a side learns that the other one has room again
  kWritable,     // a side may write again
  kResume,       // a stall is over
  kGiveUp,       // a side's bytes have not been taken for too long
};

bool is_same_ip(const SocketAddress& one, const SocketAddress& other) noexcept;
bool is_wildcard(const SocketAddress& address) noexcept;
bool is_loopback(const SocketAddress& address) noexcept;

class SimCore final : public VirtualNetwork, public std::enable_shared_from_this<SimCore> {
 public:
  SimCore(IOLoop& owner, SimOptions wanted);
  ~SimCore();
  SimCore(const SimCore&) = delete;
  SimCore& operator=(const SimCore&) = delete;

  // VirtualNetwork
  std::unique_ptr<Acceptor> listen(const SocketAddress& address, const ListenOptions& options,
                                   AcceptHandler& handler) override;
  std::unique_ptr<Connecting> connect(const SocketAddress& to, const ConnectOptions& options,
                                      ConnectHandler& handler) override;
  std::unique_ptr<DatagramSocket> bind_datagrams(const SocketAddress& local,
                                                 const UDPOptions& options,
                                                 DatagramHandler& handler) override;
  TimePoint next_due() const noexcept override;
  TimePoint wake_up(TimePoint until) noexcept override;
  void deliver(TimePoint now) noexcept override;

  // For connections
  TimePoint now() const noexcept { return loop.now(); }
  void schedule(TimePoint when, SimConnection& connection, SimStep step, int side);
  void make_ready(SimConnection& connection, int side);
  void make_ready(SimListener& listener);
  void make_ready(SimPort& port);
  /// A connection on which nothing can happen any more.
  void bury(SimConnection& connection);
  bool chance(double probability) noexcept {
    return probability > 0 && random.unit() < probability;
  }
  /// From 1 to `most`; short ones and long ones are about as likely.
  std::size_t shorter(std::size_t most) noexcept;
  Duration span(Duration most) noexcept;
  const SimLink& link(const SimPath& path) const noexcept {
    return path.own ? *path.own : options.link;
  }
  SimPath& path(const SimHost::State& one, const SimHost::State& other);
  /// How long so many bytes take on a way of limited bandwidth.
  static Duration time_for(std::size_t size, const SimLink& way) noexcept {
    return Duration(static_cast<std::int64_t>(size * std::uint64_t{1'000'000'000} / way.bandwidth));
  }
  /// Until when a direction of a way is taken up.
  TimePoint& busy_until(const SimHost::State& from, const SimHost::State& to);
  /// Takes a direction up for so many bytes.
  /// Returns  When the last of them leaves.
  TimePoint occupy(const SimHost::State& from, const SimHost::State& to, std::size_t size);
  std::vector<SimHost::State*> host_states() const;
  std::uint16_t free_port(SimHost::State& host);
  /// Who listens there, or null.
  SimListener* listener_at(const SimHost::State& host, const SocketAddress& address);
  SimHost::State* host_of(const SocketAddress& address, SimHost::State& from);
  SimNetwork::Answer answer_of(const SocketAddress& address) const;
  void log(SimEventKind kind, std::uint32_t connection, int side, std::uint64_t value = 0,
           std::string text = {}) {
    events.add(now(), kind, connection, side, value, std::move(text));
  }

  // For the network
  SimHost& add_host(std::string name, std::vector<SocketAddress> addresses);
  SimHost::State& here();
  void heal(SimPath& path);
  void crash(SimHost::State& host);
  void restart(SimHost::State& host);
  void accept(SimListener& listener);
  void close(SimListener& listener) noexcept;
  /// The network ends: handlers are not called any more.
  void end() noexcept;
  bool has_tasks() const noexcept;
  /// Cancels the tasks of all hosts and waits until they have ended.
  Task<> stop_tasks();

  IOLoop& loop;
  SimOptions options;
  Random random;
  SimLog events;
  SimDatagrams datagrams;
  std::vector<std::unique_ptr<SimHost>> hosts;
  std::map<std::pair<std::size_t, std::size_t>, SimPath> paths;
  std::vector<std::unique_ptr<SimListener>> listeners;
  std::vector<SimFault> faults;
  std::vector<std::pair<SocketAddress, SimNetwork::Answer>> answers;
  std::shared_ptr<SimNames> names;
  SimHost::State* delivering_to = nullptr;  // the host whose handler is being called
  bool delivering = false;                  // somebody is being handed bytes
  std::size_t open_transports = 0;
  std::uint32_t connections_made = 0;

 private:
  struct Due {
    TimePoint when;
    std::uint64_t order;
    SimConnection* connection;
    SimStep step;
    std::uint8_t side;
    bool operator<(const Due& other) const noexcept {  // the greatest comes first
      return when != other.when ? when > other.when : order > other.order;
    }
  };
  struct Ready {
    SimConnection* connection;  // null: the listener
    SimListener* listener;
    SimPort* port;  // null: the connection or the listener
    int side;
  };
  void reap() noexcept;
  bool listeners_closed_ = false;

  std::priority_queue<Due> due_;
  std::uint64_t order_ = 0;
  std::vector<Ready> ready_;
  std::vector<Ready> ready_now_;
  std::vector<SimConnection*> buried_;
  std::vector<std::unique_ptr<SimConnection>> connections_;
  std::size_t next_address_ = 2;
};

}  // namespace coronado
