/// Datagrams.
///
///     UDPSocket   sends and receives datagrams
///     Datagram    one that was received
///
///     UDPSocket socket(loop, *SocketAddress::from_ip("127.0.0.1", 5353));
///     for (;;) {
///       Datagram datagram = co_await socket.receive_from();
///       co_await socket.send_to(datagram.bytes, datagram.from);
///     }
///
/// Threads  The loop's thread only.
/// Layer: net.   Tornado  None; there one adds a handler for a socket of one's own.
#pragma once

#include <coronado/loop/address.hpp>
#include <coronado/loop/datagram_socket.hpp>
#include <coronado/loop/ioloop.hpp>
#include <coronado/net/io_wait.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace coronado {

/// One datagram that was received.
struct Datagram {
  std::string bytes;
  SocketAddress from;
  bool truncated = false;  ///< it was longer than the room for it; the rest is lost
};

namespace detail {
class UDPCore;

/// What waits for a datagram, or for room to send one.
class UDPWait : public IOWait {
 protected:
  explicit UDPWait(UDPCore& core) noexcept : core_(&core) {}
  UDPWait(UDPWait&&) noexcept = default;
  ~UDPWait() = default;

  /// Returns  False when it would have to wait.
  virtual bool attempt() = 0;
  virtual bool sends() const noexcept = 0;

  UDPCore* core_;

 private:
  friend class UDPCore;
  bool begin() final;
  void enter() noexcept final;
  void leave() noexcept final;
  void ready() noexcept;
};

class [[nodiscard("a receive must be awaited")]] UDPReceiveInto final : public UDPWait {
 public:
  UDPReceiveInto(UDPCore& core, std::span<char> into) noexcept : UDPWait(core), into_(into) {}
  const char* what() const noexcept override { return "receiving a datagram"; }
  DatagramInfo await_resume() {
    check_outcome();
    return std::move(info_);
  }

 private:
  bool attempt() override;
  bool sends() const noexcept override { return false; }

  std::span<char> into_;
  DatagramInfo info_;
};

class [[nodiscard("a receive must be awaited")]] UDPReceive final : public UDPWait {
 public:
  UDPReceive(UDPCore& core, std::size_t max_bytes) noexcept
      : UDPWait(core), max_bytes_(max_bytes) {}
  const char* what() const noexcept override { return "receiving a datagram"; }
  Datagram await_resume() {
    check_outcome();
    return std::move(datagram_);
  }

 private:
  bool attempt() override;
  bool sends() const noexcept override { return false; }

  std::size_t max_bytes_;
  Datagram datagram_;
};

class [[nodiscard("a send must be awaited")]] UDPSend final : public UDPWait {
 public:
  UDPSend(UDPCore& core, std::string_view bytes, SocketAddress to)
      : UDPWait(core), bytes_(bytes), to_(std::move(to)) {}
  const char* what() const noexcept override { return "sending a datagram"; }
  void await_resume() const { check_outcome(); }

 private:
  bool attempt() override;
  bool sends() const noexcept override { return true; }

  std::string_view bytes_;
  SocketAddress to_;
};

}  // namespace detail

/// A UDP socket. One task may receive and one may send at a time.
/// Lifetime  The loop must outlive it. A task that waits on a socket that is closed or destroyed
///           gets `StreamClosedError`.
class UDPSocket {
 public:
  /// Longest datagram that UDP can carry.
  static constexpr std::size_t kMaxDatagram = 65'535;

  /// Binds to a local address; port 0: any free one. "0.0.0.0" or "::" hears every interface.
  /// Throws  AddressInUseError  Somebody has the address.
  ///         BindError          "cannot bind a UDP socket to 127.0.0.1:53: Permission denied".
  UDPSocket(IOLoop& loop, const SocketAddress& local, UDPOptions options = {});
  UDPSocket(UDPSocket&&) noexcept;
  UDPSocket& operator=(UDPSocket&&) noexcept;
  ~UDPSocket();

  /// Fixes the peer: only its datagrams are received, and that nobody listens there is heard of.
  /// Throws  std::system_error  The message names the address.
  void connect(const SocketAddress& peer);

  /// Receives one datagram.
  /// Params   max_bytes  What is longer is cut, and `truncated` set.
  /// Throws   StreamClosedError  The socket was closed.
  ///          std::system_error  The system reports an error, such as `connection_refused` on a
  ///                             connected socket; the socket can be used again.
  ///          std::logic_error   Another task receives.
  /// Cancel   At once; no datagram is lost by it.
  detail::UDPReceive receive_from(std::size_t max_bytes = kMaxDatagram);

  /// The same into memory of the caller.
  /// Throws   As `receive_from`.   Cancel  As `receive_from`.
  /// Lifetime `into` must stay until this has ended.
  detail::UDPReceiveInto receive_into(std::span<char> into);

  /// Sends one datagram; waits while the system has no room for it.
  /// Throws   StreamClosedError  The socket was closed.
  ///          std::system_error  The message names the address. `message_size`: too long.
  ///          std::logic_error   Another task sends.
  /// Cancel   At once; it was not sent then.
  /// Lifetime `bytes` must stay until this has ended.
  detail::UDPSend send_to(std::string_view bytes, const SocketAddress& to);

  /// Sends to the peer of `connect`.   Throws  As `send_to`.   Cancel  As `send_to`.
  detail::UDPSend send(std::string_view bytes);

  /// Hears a multicast group on the interface of that index; zero: the system chooses.
  /// Throws  std::system_error  The message names the group.
  void join_multicast(const SocketAddress& group, unsigned interface_index = 0);
  void leave_multicast(const SocketAddress& group, unsigned interface_index = 0);

  /// Our address, with the port that the system chose; `kNone` when closed.
  SocketAddress local() const;

  /// The socket, or -1 where there is none: closed, or on a simulated network.
  int native_handle() const noexcept;

  /// Closes; whoever waits gets `StreamClosedError`. Nothing happens the second time.
  void close() noexcept;
  bool closed() const noexcept;

 private:
  std::unique_ptr<detail::UDPCore> core_;
};

}  // namespace coronado
