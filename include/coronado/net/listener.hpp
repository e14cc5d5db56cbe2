/// `Listener`: listening sockets and the way of a connection from the system to who serves it.
///
///     Listener          accepts, within limits, and hands transports on
///     ConnectionSlot    a place that a connection takes while it lives
///     ListenerOptions   the limits, and what stands before the protocol
///
/// What `TCPServer` and `HTTPServer` stand on; use it for a protocol of one's own at the level of
/// transports.
///
/// A connection passes: the limit of all connections; the PROXY header, if there is to be one; the
/// limit of its peer; the filters in the order they were added (TLS is one); the handler.
///
/// Threads  The loop's thread only.
/// Layer: net.
#pragma once

#include <coronado/base/clock.hpp>
#include <coronado/base/function.hpp>
#include <coronado/loop/ioloop.hpp>
#include <coronado/net/netutil.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace coronado {

/// Whether connections begin with the PROXY protocol (version 1 or 2), by which a proxy in front
/// says who the client is.   Spec  haproxy.org, proxy-protocol.txt
struct ProxyProtocolOptions {
  enum class Mode : unsigned char {
    kOff,          ///< never
    kFromTrusted,  ///< from `trusted` peers, always; others are served as they are
    kRequired,     ///< always, from everybody: only proxies can reach this socket
  };
  Mode mode = Mode::kOff;

  /// Networks of proxies, such as "10.0.0.0/8" or "::1"; "unix" for Unix sockets.
  std::vector<std::string> trusted;

  /// Longest wait for the whole header. When it passes, and for a wrong header: close, and a line
  /// in the log.
  Duration timeout = std::chrono::seconds(5);
};

/// The limits of a listener.
struct ListenerOptions {
  /// Most connections at a time. One more is closed at once.
  std::size_t max_connections = 100'000;

  /// Most connections at a time from one IPv4 address or IPv6 network of 64 bits. One more is
  /// closed at once. Zero: no limit. Unix sockets are not counted.
  std::size_t max_connections_per_peer = 0;

  /// The PROXY protocol; the limit of a peer then counts the clients it names.
  ProxyProtocolOptions proxy = {};
};

/// A connection's place among those that are counted. Kept by whoever serves it, for as long as
/// the connection lives.
class ConnectionSlot {
 public:
  ConnectionSlot() noexcept = default;
  ConnectionSlot(ConnectionSlot&& other) noexcept : count_(std::move(other.count_)) {}
  ConnectionSlot& operator=(ConnectionSlot&& other) noexcept {
    std::swap(count_, other.count_);
    return *this;
  }
  ~ConnectionSlot() {
    if (count_ != nullptr) release();
  }

 private:
  friend class Listener;
  struct Count;
  explicit ConnectionSlot(std::shared_ptr<Count> count) noexcept;
  void release() noexcept;

  std::shared_ptr<Count> count_;
};

/// Accepts connections and hands them on.
class Listener {
 public:
  using Handler = Function<void(std::unique_ptr<Transport>, ConnectionSlot)>;
  using Filter = Function<std::unique_ptr<Transport>(std::unique_ptr<Transport>)>;

  /// Params    handler  Given each connection, not started yet. What it throws is logged with the
  ///                    peer.
  /// Throws    UsageError  `options.proxy.trusted` names no network.
  /// Lifetime  The loop must outlive it.
  Listener(IOLoop& loop, ListenerOptions options, Handler handler);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  /// Binds and accepts on every address of `options.address`; repeatable.
  /// Throws  BindError  See `bind_sockets`.
  void listen(std::uint16_t port, const BindOptions& options = {});

  /// Binds and accepts on a Unix socket; `stop` removes its file.
  /// Throws  BindError  See `bind_unix_socket`.
  void listen_unix(const std::string& path, const UnixBindOptions& options = {});

  /// Accepts on listening sockets, which it then owns.   Throws  std::system_error
  void add_sockets(std::vector<Socket> sockets);

  /// Appends a step that connections pass before the handler. What it throws is logged, and the
  /// connection closed; an empty result closes it silently.
  void add_filter(Filter filter);

  /// Treats a connection that somebody else made like one that was accepted.
  void accept(std::unique_ptr<Transport> transport) noexcept;

  /// Stops accepting and closes the listening sockets; connections go on, except those whose PROXY
  /// header has not come. Nothing happens the second time.
  void stop() noexcept;

  /// The port of the first listening socket with one, also after `stop`.
  /// Throws  std::logic_error  It never listened on a port.
  std::uint16_t port() const;

  /// Where it listens.
  std::vector<SocketAddress> addresses() const;

  /// Connections that hold a slot, and those whose PROXY header is being read.
  std::size_t connection_count() const noexcept;

  const ListenerOptions& options() const noexcept { return options_; }

 private:
  friend class ConnectionSlot;
  struct State;

  void admit(std::unique_ptr<Transport> transport) noexcept;

  ListenerOptions options_;
  Handler handler_;
  std::vector<Filter> filters_;
  std::shared_ptr<State> state_;  // shared with the slots
};

}  // namespace coronado
