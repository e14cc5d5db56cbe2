/// `TCPServer`: a coroutine for each connection.
///
///     Task<> echo(TCPStream stream) {
///       for (;;) {
///         std::string bytes = co_await stream.read_some();
///         if (bytes.empty()) co_return;
///         co_await stream.write(bytes);
///       }
///     }
///
///     TCPServer server(loop, echo);
///     server.listen(8888);
///     loop.run();
///
/// Threads  The loop's thread only.
/// Layer: net.   Tornado  `tcpserver.TCPServer`.
#pragma once

#include <coronado/base/clock.hpp>
#include <coronado/base/function.hpp>
#include <coronado/coro/task_group.hpp>
#include <coronado/net/iostream.hpp>
#include <coronado/net/listener.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace coronado {

class TLSContext;

/// How a `TCPServer` serves.
struct TCPServerOptions {
  /// Limits of connections; the PROXY protocol.
  ListenerOptions listener = {};
  /// Limits of each stream.
  IOStreamOptions stream = {};
  /// Serve TLS with these certificates: a handler gets a stream whose handshake is done, and
  /// `tls_of` tells who the peer is. A handshake that fails is logged as info. Null: plain TCP.
  std::shared_ptr<const TLSContext> tls = nullptr;
  /// Longest time for a TLS handshake. When it passes: close, and a line in the log.
  Duration tls_handshake_timeout = std::chrono::seconds(10);
};

/// Accepts connections and runs a coroutine for each, in a task group of its own.
///
/// A coroutine that returns closes its connection. One that throws is logged with the peer, as
/// "error in the handler of 127.0.0.1:50000: ..."; a connection that ended or broke while it was
/// read or written (`StreamClosedError`) is everyday life and logged as debugging only. A peer that
/// exceeds the limit of a read (`UnsatisfiableReadError`) costs one warning: "192.0.2.7:4711 sent
/// more than it may: the delimiter did not come within max_bytes (1024)".
///
/// Lifetime  The loop must outlive it. `close` (or a `drain`) must come before it is destroyed when
///           connections may be open.
class TCPServer {
 public:
  using Handler = Function<Task<>(TCPStream)>;

  /// Params  handler  Called for each connection; a lambda may capture, for it outlives the tasks.
  /// Throws  UsageError  See `Listener`.
  TCPServer(IOLoop& loop, Handler handler, TCPServerOptions options = {});
  virtual ~TCPServer();
  TCPServer(const TCPServer&) = delete;
  TCPServer& operator=(const TCPServer&) = delete;

  /// Binds and accepts on every address of `options.address`; repeatable.
  /// Throws  BindError  See `bind_sockets`.
  void listen(std::uint16_t port, const BindOptions& options = {}) {
    listener_.listen(port, options);
  }

  /// Binds and accepts on a Unix socket, whose file is removed by `stop`.
  /// Throws  BindError  See `bind_unix_socket`.
  void listen_unix(const std::string& path, const UnixBindOptions& options = {}) {
    listener_.listen_unix(path, options);
  }

  /// Accepts on listening sockets, which it then owns.   Throws  std::system_error
  void add_sockets(std::vector<Socket> sockets) { listener_.add_sockets(std::move(sockets)); }

  /// Serves a connection that somebody else made: a test, or a protocol beneath.
  void serve(std::unique_ptr<Transport> transport) { listener_.accept(std::move(transport)); }

  /// The port of the first listening socket.   Throws  std::logic_error  There is none.
  std::uint16_t port() const { return listener_.port(); }

  /// The sockets, for filters and addresses.
  Listener& listener() noexcept { return listener_; }

  /// Stops accepting; connections go on.   Tornado  `stop`.
  void stop() noexcept { listener_.stop(); }

  /// Stops accepting, gives up TLS handshakes that are going on, waits until every handler has
  /// returned, and cancels at `deadline` those that have not.
  /// Returns  True when nothing had to be cancelled.
  /// Throws   Cancelled.
  /// Cancel   Cancels the handlers, and completes when they have ended.
  Task<bool> drain(TimePoint deadline);

  /// Stops accepting, cancels every handler and waits until all have ended. The server accepts
  /// nothing from then on.
  /// Throws   Nothing of its own.
  /// Cancel   Held off: it takes no longer than the handlers' own cleaning up.
  Task<> close();

  /// Connections being served, and those whose TLS handshake goes on.
  std::size_t connection_count() const noexcept { return listener_.connection_count(); }

 protected:
  /// For a class that overrides `handle_stream`.
  explicit TCPServer(IOLoop& loop, TCPServerOptions options = {});

  /// Serves one connection; the default calls the function given to the constructor.
  /// Throws   What is logged with the peer.
  /// Cancel   By `close`, and `drain` after its deadline.
  virtual Task<> handle_stream(TCPStream stream);

 private:
  void take(std::unique_ptr<Transport> transport, ConnectionSlot slot);
  void begin(std::unique_ptr<Transport> transport, ConnectionSlot slot);
  Task<> shake_hands(std::unique_ptr<Transport> transport, ConnectionSlot slot);
  Task<> serve_stream(TCPStream stream, ConnectionSlot slot, SocketAddress peer);
  Task<> join_all();

  IOLoop& loop_;
  IOStreamOptions stream_options_;
  std::shared_ptr<const TLSContext> tls_;
  Duration tls_handshake_timeout_;
  Handler handler_;
  Listener listener_;
  TaskGroup handshakes_;  // of connections that no handler has yet
  TaskGroup connections_;
};

}  // namespace coronado
