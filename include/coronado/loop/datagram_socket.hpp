/// Sockets for datagrams as the reactor offers them: what `UDPSocket` stands on.
///
///     DatagramSocket    sends and receives datagrams, and never waits
///     DatagramHandler   who is told that it may go on
///     DatagramInfo      what came, and from whom
///     UDPOptions        how it is bound
///
/// Threads  The loop's thread only.
/// Layer: loop.
#pragma once

#include <coronado/loop/address.hpp>

#include <cstddef>
#include <span>
#include <string_view>

namespace coronado {

/// How a datagram that was received into the caller's memory came out.
struct DatagramInfo {
  std::size_t size = 0;  ///< how many bytes were written
  SocketAddress from;
  bool truncated = false;  ///< it was longer than the room for it; the rest is lost
};

struct UDPOptions {
  /// Let several sockets share the port; the kernel spreads datagrams over them.
  bool reuse_port = false;
  /// Let several sockets of this machine hear the same multicast group.
  bool reuse_address = false;
  /// May send to broadcast addresses.
  bool broadcast = false;
};

/// Told about the readiness of a datagram socket.
class DatagramHandler {
 public:
  /// Called for as long as it is so; see `DatagramSocket::watch`. It may destroy the socket.
  /// Params   events  A union of `Reactor::kRead`, `kWrite`, `kError`.
  virtual void on_datagrams(unsigned events) noexcept = 0;

 protected:
  ~DatagramHandler() = default;
};

/// A bound socket for datagrams. Destroying it closes it.
class DatagramSocket {
 public:
  DatagramSocket() = default;
  DatagramSocket(const DatagramSocket&) = delete;
  DatagramSocket& operator=(const DatagramSocket&) = delete;
  virtual ~DatagramSocket() = default;

  /// Takes the datagram that came first.
  /// Returns  False when there is none.
  /// Throws   std::system_error  An error that the network has reported.
  virtual bool receive(std::span<char> into, DatagramInfo& info) = 0;

  /// Sends a datagram; to the peer of `connect` when `to` is none.
  /// Returns  False when there is no room for it.
  /// Throws   std::system_error  The message names the address.
  virtual bool send(std::string_view bytes, const SocketAddress& to) = 0;

  /// Fixes the peer: nothing else is received, and that nobody listens there is reported.
  /// Throws   std::system_error  The message names the address.
  virtual void connect(const SocketAddress& peer) = 0;

  /// Hears a multicast group, or does so no more.
  /// Params   interface_index  Zero: the system chooses.
  /// Throws   std::system_error  The message names the group.
  virtual void join_group(const SocketAddress& group, unsigned interface_index) = 0;
  virtual void leave_group(const SocketAddress& group, unsigned interface_index) = 0;

  /// What the handler is told about from now on: a union of `Reactor::kRead` and `kWrite`, level-
  /// triggered; errors as well unless it is 0.
  /// Throws   std::system_error  It cannot be watched.
  virtual void watch(unsigned events) = 0;

  /// The address it is bound to, with the port that the system chose.
  virtual SocketAddress local() const = 0;

  /// The socket, or -1 where there is none.
  virtual int native_handle() const noexcept = 0;
};

}  // namespace coronado
