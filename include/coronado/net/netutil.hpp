/// Addresses and listening sockets.
///
///     bind_sockets      listening sockets for a port on one or all addresses
///     is_valid_ip       is this a numeric address?
///
/// Layer: net.   Tornado  `tornado.netutil`.
#pragma once

#include <coronado/loop/address.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace coronado {

/// An owned socket descriptor.
class Socket {
 public:
  Socket() noexcept = default;
  explicit Socket(int fd) noexcept : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(other.release()) {}
  Socket& operator=(Socket&& other) noexcept;
  ~Socket();

  int fd() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }
  /// Gives up ownership.
  int release() noexcept {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }

 private:
  int fd_ = -1;
};

/// How `bind_sockets` binds.
struct BindOptions {
  /// A name or numeric address. Empty: every interface, IPv4 and IPv6.
  std::string address;
  /// Connections the kernel queues before they are accepted.
  int backlog = 1024;
  /// Let several sockets (one a worker) share the port; the kernel spreads connections over them.
  bool reuse_port = false;
};

/// Listening, non-blocking TCP sockets on `port`, one for each address the name resolves to.
///
/// Port 0 lets the system choose; all sockets then get the same one. IPv6 sockets take no IPv4.
/// Accepted connections have TCP_NODELAY.
///
/// Throws   std::system_error  The message names the address and the port, such as "cannot listen
/// on
///                             127.0.0.1:80: Permission denied".
/// Tornado  `netutil.bind_sockets`.
std::vector<Socket> bind_sockets(std::uint16_t port, const BindOptions& options = {});

/// The port a bound socket has.   Throws  std::system_error
std::uint16_t local_port(const Socket& socket);

/// True for a numeric IPv4 or IPv6 address.   Tornado  `netutil.is_valid_ip`.
bool is_valid_ip(std::string_view text);

}  // namespace coronado
