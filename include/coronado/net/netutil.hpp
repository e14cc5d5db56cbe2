/// Addresses and listening sockets.
///
///     bind_sockets        listening sockets for a port on one or all addresses
///     bind_unix_socket    a listening Unix socket, with its file
///     inherited_sockets   listening sockets that the service manager opened
///     IPNetwork           an address range such as 10.0.0.0/8
///     is_valid_ip         is this a numeric address?
///
/// Layer: net.   Tornado  `tornado.netutil`.
#pragma once

#include <coronado/loop/address.hpp>

#include <cstdint>
#include <optional>
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
/// Throws   AddressInUseError  Somebody has the address.
///          BindError          "cannot listen on 127.0.0.1:80: Permission denied".
/// Tornado  `netutil.bind_sockets`.
std::vector<Socket> bind_sockets(std::uint16_t port, const BindOptions& options = {});

/// The port a bound socket has.   Throws  std::system_error
std::uint16_t local_port(const Socket& socket);

/// How `bind_unix_socket` binds.
struct UnixBindOptions {
  /// Who may connect: the permissions of the file.
  unsigned mode = 0600;
  /// Connections the kernel queues before they are accepted.
  int backlog = 1024;
};

/// A listening, non-blocking Unix socket. The file never has other permissions than `mode`.
///
/// A socket file that is there already is removed when nobody listens on it; any other file stays,
/// and is an error. Whoever owns the socket removes the file at the end, as `Listener` does.
///
/// Params   path  Beginning with a NUL: a name in Linux's abstract name space, without a file.
/// Throws   AddressInUseError  Somebody listens there.
///          BindError          The message names the path. `file_exists`: the file is no socket.
/// Tornado  `netutil.bind_unix_socket`.
Socket bind_unix_socket(const std::string& path, const UnixBindOptions& options = {});

/// A listening socket that the service manager opened.
struct InheritedSocket {
  Socket socket;
  std::string name;  ///< what the unit calls it (`FileDescriptorName=`); may be empty
};

/// The sockets that systemd passes to a service it starts on demand (`LISTEN_FDS`, `LISTEN_PID`,
/// `LISTEN_FDNAMES`), non-blocking. The variables are removed, so that they concern no child and
/// no second call. Empty when there are none, or they are meant for another process.
/// Throws   UsageError  The variables make no sense, or a descriptor is no listening socket.
/// Threads  Before others are started: it changes the environment.
/// Spec     sd_listen_fds(3)
std::vector<InheritedSocket> inherited_sockets();

/// A range of IP addresses.
class IPNetwork {
 public:
  /// "10.0.0.0/8", "fd00::/8", or one address. Bits beyond the prefix must be zero.
  /// Returns  Nothing when `text` is no network.
  static std::optional<IPNetwork> from_text(std::string_view text);

  /// False for an address of the other family, or of none.
  bool contains(const SocketAddress& address) const noexcept;

 private:
  SocketAddress base_;
  unsigned prefix_ = 0;
};

/// True for a numeric IPv4 or IPv6 address.   Tornado  `netutil.is_valid_ip`.
bool is_valid_ip(std::string_view text);

}  // namespace coronado
