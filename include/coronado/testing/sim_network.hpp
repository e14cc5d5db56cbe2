/// A network in memory and in virtual time, on which everything goes wrong that can go wrong, by a
/// seed: the same seed, the same run.
///
///     SimNetwork   the network of one loop
///     SimHost      a machine on it
///     SimLink      what a way between two hosts does to the bytes
///     SimFault     a fault at an exact place: the n-th byte of the n-th connection
///     SimNames     the names its hosts are looked up by
///
/// Servers and clients that are written against `IOLoop` and `Reactor` run on it unmodified. A
/// connection behaves as TCP does: bytes arrive in order or the connection breaks; buffers are
/// bounded on both sides, and what does not fit is `pending()`; a segment that is lost comes late,
/// when it has been sent again. Datagrams (`UDPSocket`) arrive whole, or not at all, or twice, in
/// any order.
///
///     IOLoop loop({.reactor = ReactorKind::kSim});
///     SimNetwork network(loop, {.seed = 7, .link = {.latency = 20ms, .jitter = 30ms}});
///     SimHost& server = network.add_host("server");
///     SimHost& client = network.add_host("client");
///     server.spawn(serve());
///     loop.run_sync(client.run(ask()));
///
/// `run_seeds` of <coronado/testing/run_seeds.hpp> runs a test under many seeds.
///
/// Threads   The loop's thread only. What is done in threads (`offload`) has no fixed order, so a
///           run with several of them at a time is not replayed exactly.
/// Layer: testing.
#pragma once

#include <coronado/base/error.hpp>
#include <coronado/base/random.hpp>
#include <coronado/loop/ioloop.hpp>
#include <coronado/net/resolver.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace coronado {

class SimCore;
class SimNames;

/// What a way between two hosts does to the bytes, in each direction. A chance goes from 0, never,
/// to 1, always.
struct SimLink {
  /// How long a segment is under way.
  Duration latency = std::chrono::milliseconds(1);
  /// Up to so much longer, each length as likely.
  Duration jitter = Duration::zero();
  /// Bytes a second that all connections of the way share. Zero: no limit.
  std::uint64_t bandwidth = 0;

  /// Bytes the sender's system keeps; what does not fit is `pending()`.
  std::size_t send_buffer = 64 * 1024;
  /// Bytes the receiver's system keeps until they are read.
  std::size_t receive_buffer = 64 * 1024;

  /// Most bytes in a segment, taken by one write, and delivered by one read. With 1 each protocol
  /// sees its messages byte by byte.
  std::size_t max_segment = 1460;
  std::size_t max_write = SIZE_MAX;
  std::size_t max_read = SIZE_MAX;
  /// Chance that a segment, a write or a read is shorter than it could be, down to one byte.
  double short_segment = 0;
  double short_write = 0;
  double short_read = 0;

  /// Chance that a segment is lost and must be sent again, after 200 ms, then 400 ms, and so on.
  double loss = 0;
  /// Chance, for each segment, that the connection is reset there.
  double reset = 0;
  /// Chance, for each segment, that from there on nothing gets through, and neither side is told.
  double vanish = 0;
  /// Chance that a connection is refused, or never answered.
  double refuse = 0;
  double blackhole = 0;

  // Of the above, `latency`, `jitter`, `bandwidth`, the two buffers and `loss` hold for datagrams,
  // too; but one that is lost does not come again, and with a jitter they overtake one another.
  /// Chance that a datagram arrives twice.
  double duplicate = 0;
  /// Chance that a datagram is held up for so long that many others overtake it.
  double reorder = 0;
  /// Longest datagram that gets through, as where fragments are dropped; a longer one is lost.
  std::size_t max_datagram = 65'527;

  /// Every segment, write and read is one byte long.
  static SimLink bytewise();
  /// A bad day: a little of all of the above.
  static SimLink rough();
};

/// A direction of a connection.
enum class SimDirection : unsigned char { kToServer, kToClient };

/// A fault at an exact place.
struct SimFault {
  enum class Kind : unsigned char {
    kReset,      ///< both sides are told that the connection was reset
    kVanish,     ///< nothing gets through any more, and neither side is told: half open
    kStall,      ///< nothing gets through in this direction for `span`
    kRefuse,     ///< the connection is refused when it is made
    kBlackhole,  ///< it is never answered: connecting times out
  };
  Kind kind = Kind::kReset;
  /// Which connection, in the order in which they are asked for, from 0.
  std::size_t connection = 0;
  /// Where: as many bytes of the direction get through before it happens.
  SimDirection direction = SimDirection::kToServer;
  std::uint64_t after_bytes = 0;
  Duration span = Duration::zero();
};

/// How a network is made.
struct SimOptions {
  /// Decides everything that is left to chance.
  std::uint64_t seed = 1;
  /// What holds between hosts for which nothing else was set.
  SimLink link{};

  /// Chance that the process oversleeps when it waits, for up to `max_stall`: timers and bytes that
  /// were due one after the other are then due together.
  double stall = 0;
  Duration max_stall = std::chrono::milliseconds(50);
  /// Chance that accepting a connection fails at first, with "too many open files".
  double accept_failure = 0;

  /// How long a system goes on trying to reach a peer that does not answer: to connect, and to have
  /// bytes taken. Then the operation fails with `timed_out`. As Linux does by default.
  Duration connect_timeout = std::chrono::seconds(127);
  Duration retransmit_timeout = std::chrono::seconds(924);

  /// Lines of the log that are kept; the oldest are forgotten.
  std::size_t log_lines = 1000;
};

/// A machine on the network, with its own addresses, listeners and tasks.
///
/// A task belongs to the host on which it was spawned, and so does what it spawns: connections go
/// out from there, and a listener on every interface ("0.0.0.0", "::") or on a Unix socket is a
/// listener of that host. One on an address belongs to the host that has it, whoever asks. Tasks of
/// no host, and code outside of tasks, belong to the host "local", unless the network is just
/// delivering something to another.
class SimHost {
 public:
  SimHost(const SimHost&) = delete;
  SimHost& operator=(const SimHost&) = delete;
  ~SimHost();

  const std::string& name() const noexcept;

  /// Its first address, with a port.
  SocketAddress address(std::uint16_t port = 0) const;
  const std::vector<SocketAddress>& addresses() const noexcept;

  /// Starts a task on this host. Its failure is logged; `crash` and the end of the loop cancel it.
  template <class T>
  TaskHandle<T> spawn(Task<T> task, const char* name = "",
                      std::source_location site = std::source_location::current()) {
    return tasks().spawn(run(std::move(task)), name, site);
  }

  /// Runs `task` as on this host, awaited in place.
  /// Returns  What it returns.
  /// Throws   What it throws.
  /// Cancel   Cancels it.
  template <class T>
  Task<T> run(Task<T> task) {
    const Here here(*this);
    co_return co_await std::move(task);
  }

  /// The machine loses its power: its peers are told nothing, its listeners are gone, its tasks are
  /// cancelled, and whatever they still send goes nowhere.
  void crash();
  /// It is back, and knows nothing of its old connections: who sends on them is told of a reset.
  void restart();
  bool is_up() const noexcept;

  /// The next `times` connections are not accepted but reported as `error`; they stay in the queue.
  void fail_accepts(std::size_t times,
                    std::error_code error = std::make_error_code(std::errc::too_many_files_open));

  struct State;

 private:
  friend class SimCore;
  friend class SimNetwork;
  explicit SimHost(std::unique_ptr<State> state) noexcept;
  TaskGroup& tasks() noexcept;

  /// Makes the running task one of this host, as long as it lives.
  class Here {
   public:
    explicit Here(SimHost& host);
    Here(const Here&) = delete;
    Here& operator=(const Here&) = delete;
    ~Here();

   private:
    SimHost* outer_;
    TaskContext* task_;
  };

  std::unique_ptr<State> state_;
};

/// The network of one loop in simulated time.
/// Lifetime  The loop must outlive it. Connections that outlive the network are dead.
class SimNetwork {
 public:
  /// Throws  std::logic_error  The loop is not simulated, or has a network already.
  explicit SimNetwork(IOLoop& loop, SimOptions options = {});
  SimNetwork(const SimNetwork&) = delete;
  SimNetwork& operator=(const SimNetwork&) = delete;
  ~SimNetwork();

  IOLoop& loop() noexcept;
  std::uint64_t seed() const noexcept;

  /// The one source of chance, for the test's own decisions as well.
  Random& random() noexcept;

  /// From 0 to `most`, in nanoseconds each as likely.
  Duration random_span(Duration most) noexcept;

  // --- hosts ---------------------------------------------------------------------------------

  /// A new host.
  /// Params   addresses  IP addresses. None: 10.0.0.2, 10.0.0.3, and so on.
  /// Throws   std::invalid_argument  The name or an address is taken, or is none.
  SimHost& add_host(std::string name, const std::vector<std::string>& addresses = {});

  /// The host with that name; "local" is always there, at 10.0.0.1.
  /// Throws   std::invalid_argument  There is none.
  SimHost& host(std::string_view name);

  /// Cancels the tasks of every host, and waits until they have ended.
  /// Throws  Nothing of its own.
  /// Cancel  Ends the wait.
  Task<> stop_hosts();

  /// What the names of hosts are looked up in: give it to a `TCPClient`.
  std::shared_ptr<SimNames> names() const noexcept;

  // --- ways ----------------------------------------------------------------------------------

  /// What holds from now on: between all hosts for which nothing else was set, or between two.
  void set_link(const SimLink& link);
  void set_link(SimHost& one, SimHost& other, const SimLink& link);

  /// Nothing gets through between two hosts until `heal`; then what was not taken meanwhile is sent
  /// again.
  void partition(SimHost& one, SimHost& other);
  void heal(SimHost& one, SimHost& other);

  /// An address that never answers, or refuses every connection (or does so no more).
  enum class Answer : unsigned char { kUsual, kRefuses, kSilent };
  void set_answer(const SocketAddress& address, Answer answer);

  /// Plans a fault.
  void inject(SimFault fault);

  /// Lets the clock leap, as when a suspended machine goes on.
  void leap(Duration span);

  // --- what happened -------------------------------------------------------------------------

  /// Writes a line of the test's own into the log.
  void note(std::string text);

  /// The last lines of the log: what was asked for, what arrived, what broke, and when.
  std::string log() const;

  /// A fingerprint of everything that has happened. Two runs with the same are the same.
  std::uint64_t fingerprint() const noexcept;

  std::uint64_t event_count() const noexcept;

  /// Transports that exist: what has been connected or accepted and not been destroyed.
  std::size_t open_transports() const noexcept;
  /// Datagram sockets that exist.
  std::size_t open_datagram_sockets() const noexcept;
  /// Connections asked for so far.
  std::size_t connections_made() const noexcept;

 private:
  std::shared_ptr<SimCore> core_;
};

/// The names of a simulated network, with answers that come late, fail, or change: a `Resolver` for
/// clients. It does not remember; a `CachingResolver` over it does.
class SimNames final : public Resolver {
 public:
  /// What a look-up finds.
  struct Answer {
    /// Those of the family asked for are given out, with the port asked for.
    std::vector<SocketAddress> addresses = {};
    Duration delay = std::chrono::milliseconds(1);
    /// Set: the look-up fails.
    std::optional<ResolveError::Reason> error = std::nullopt;
    std::optional<Duration> ttl = std::nullopt;
  };

  explicit SimNames(SimCore& core) noexcept;
  ~SimNames() override;

  /// Answers for a name, one for each look-up in turn; the last one stays.
  /// Throws  std::invalid_argument  There is no answer.
  void set(std::string name, std::vector<Answer> answers);

  using Resolver::resolve;
  /// The answer for a name, or the addresses of the host with that name.
  Task<Resolution> resolve(ResolveRequest request) override;

  /// Look-ups so far.
  std::size_t lookups() const noexcept;

 private:
  friend class SimCore;
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace coronado
