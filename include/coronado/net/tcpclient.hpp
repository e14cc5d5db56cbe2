/// Connections to hosts by name.
///
///     TCPClient            connects to a host, by whichever of its addresses answers first
///     connect_to           connects to one address
///     TransportUpgrade     a layer put on a new connection, such as TLS
///
///     TCPClient client;
///     TCPStream stream = co_await client.connect("example.org", 80);
///     co_await stream.write("GET / HTTP/1.0\r\nHost: example.org\r\n\r\n");
///     std::string answer = co_await stream.read_until_close();
///
/// Layer: net.   Tornado  `tornado.tcpclient`.
#pragma once

#include <coronado/base/clock.hpp>
#include <coronado/coro/task.hpp>
#include <coronado/loop/address.hpp>
#include <coronado/loop/reactor.hpp>
#include <coronado/loop/transport.hpp>
#include <coronado/net/iostream.hpp>
#include <coronado/net/resolver.hpp>

#include <cstdint>
#include <memory>
#include <string>

namespace coronado {

/// Connects to one IP address or Unix socket, on the loop of the awaiting task.
/// Params   to       Where; IP addresses need a port.
///          options  Where from.
/// Returns  The connected channel. It receives nothing before `Transport::start`.
/// Throws   std::system_error  It cannot be reached; "cannot connect to 127.0.0.1:80: Connection
///          refused".
/// Cancel   At once: the attempt is given up and its socket closed.
Task<std::unique_ptr<Transport>> connect_to(SocketAddress to, ConnectOptions options = {});

/// Makes connections to single addresses; what a `TCPClient` calls. Derive from it to go through a
/// tunnel.
class Connector {
 public:
  virtual ~Connector() = default;

  /// Connects to `to`.
  /// Throws   std::system_error  It cannot be reached.
  /// Cancel   Gives the attempt up and completes when nothing of it is left.
  virtual Task<std::unique_ptr<Transport>> connect(SocketAddress to, ConnectOptions options) = 0;
};

/// Puts a layer on a connection before it is handed out: TLS, a proxy's handshake.
class TransportUpgrade {
 public:
  virtual ~TransportUpgrade() = default;

  /// Params   transport  Connected and not started.
  ///          host       The name that was connected to; empty for an address.
  /// Returns  The channel to use, which owns `transport`.
  /// Throws   What went wrong; a `std::exception` becomes a `ConnectError` of the phase `kUpgrade`.
  /// Cancel   Closes the connection and completes when nothing of it is left.
  virtual Task<std::unique_ptr<Transport>> upgrade(std::unique_ptr<Transport> transport,
                                                   std::string host) = 0;
};

/// How a `TCPClient` connects. Of the times, zero is no limit.
struct TCPConnectOptions {
  /// Only addresses of this family.
  AddressFamily family = AddressFamily::kAny;

  /// Where the connection comes from: an address of this machine, port 0 for any. Addresses of the
  /// other family are then left out. `kNone`: the system chooses.
  SocketAddress source = {};

  /// The name of a network interface, such as "eth0", instead of `source`: connections come from
  /// its address of the peer's family. Empty: the system chooses.
  std::string source_interface = {};

  /// Longest time for everything together.
  Duration timeout = std::chrono::seconds(20);

  /// Longest time until the name is resolved.
  Duration resolve_timeout = std::chrono::seconds(10);

  /// Longest time for one attempt with one address; the others go on.
  Duration attempt_timeout = std::chrono::seconds(10);

  /// Longest time for `upgrade`.
  Duration upgrade_timeout = std::chrono::seconds(10);

  /// How long an attempt is alone before one with the next address begins beside it. At least 10 ms.
  /// Spec  RFC 8305 5.   Tornado  300 ms.
  Duration attempt_delay = std::chrono::milliseconds(250);

  /// How long to wait for IPv6 addresses when the IPv4 ones are there.   Spec  RFC 8305 3
  Duration resolution_delay = std::chrono::milliseconds(50);

  /// A layer for the connection that won. Null: none. It must outlive the task.
  TransportUpgrade* upgrade = nullptr;

  /// Limits of the stream that `connect` makes.
  IOStreamOptions stream = {};
};

/// Connects to hosts by name: "happy eyeballs", version 2.
///
/// IPv6 and IPv4 addresses are tried in turn. An attempt that fails is followed by the next at once;
/// one that takes longer than `attempt_delay` gets company. The first that is connected wins; the
/// others are closed, and have ended when the call returns.
///
/// Threads  The loop's thread only.
/// Lifetime It outlives the tasks that await it.
/// Spec     RFC 8305.   Tornado  `tcpclient.TCPClient`. Differs: any number of attempts, several per
///          family; addresses are used as they come; every attempt is in the error.
/// Code     src/net/tcpclient.cpp, tests/net/tcpclient_test.cpp
class TCPClient {
 public:
  /// Params  resolver   Null: `Resolver::shared()`.
  ///         connector  Null: `connect_to`.
  explicit TCPClient(std::shared_ptr<Resolver> resolver = nullptr,
                     std::shared_ptr<Connector> connector = nullptr);

  /// Connects to `host` as `connect_transport` does, and makes a stream of the connection.
  /// Returns  The connected stream.
  /// Throws   As `connect_transport`.
  /// Cancel   Ends the lookup and every attempt, and completes when they have ended.
  /// Tornado  `TCPClient.connect`.
  Task<TCPStream> connect(std::string host, std::uint16_t port, TCPConnectOptions options = {});

  /// Connects to one address, which may be a Unix socket (`SocketAddress::from_path`).
  /// Throws   As `connect_transport`.
  /// Cancel   Ends the attempt and completes when it has ended.
  Task<TCPStream> connect(SocketAddress address, TCPConnectOptions options = {});

  /// Connects to `host`, which may be a numeric address.
  /// Params   host     A name or an IP address, without brackets.
  /// Returns  The connected channel, upgraded if so wished, and not started.
  /// Throws   ConnectError  No address could be reached, the name did not resolve, the upgrade
  ///                        failed, or a time limit passed; `phase()` and `attempts()` say what.
  ///          std::invalid_argument  An option is out of range.
  /// Cancel   Ends the lookup and every attempt, and completes when they have ended.
  Task<std::unique_ptr<Transport>> connect_transport(std::string host, std::uint16_t port,
                                                     TCPConnectOptions options = {});

  /// Connects to one address, which may be a Unix socket (`SocketAddress::from_path`).
  /// Throws   ConnectError  It cannot be reached, the upgrade failed, or a time limit passed.
  ///          std::invalid_argument  An option is out of range.
  /// Cancel   Ends the attempt and completes when it has ended.
  Task<std::unique_ptr<Transport>> connect_transport(SocketAddress address,
                                                     TCPConnectOptions options = {});

 private:
  std::shared_ptr<Resolver> resolver_;
  std::shared_ptr<Connector> connector_;
};

}  // namespace coronado
