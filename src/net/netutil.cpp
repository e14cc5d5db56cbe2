#include <coronado/net/netutil.hpp>

#include <fcntl.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <coronado/base/error.hpp>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <system_error>

#include "loop/listening_socket.hpp"
#include "loop/sockaddr.hpp"

namespace coronado {
namespace {

struct AddressListDeleter {
  void operator()(addrinfo* list) const noexcept { ::freeaddrinfo(list); }
};
using AddressList = std::unique_ptr<addrinfo, AddressListDeleter>;

std::string place(const BindOptions& options, std::uint16_t port) {
  return (options.address.empty() ? "*" : options.address) + ":" + std::to_string(port);
}

AddressList resolve(std::uint16_t port, const BindOptions& options) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const int error = ::getaddrinfo(options.address.empty() ? nullptr : options.address.c_str(),
                                  std::to_string(port).c_str(), &hints, &list);
  if (error != 0) {
    throw BindError(std::make_error_code(std::errc::address_not_available), "cannot listen on ",
                    place(options, port), std::string(" (") + ::gai_strerror(error) + ")");
  }
  return AddressList(list);
}

}  // namespace

Socket& Socket::operator=(Socket&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = other.release();
  }
  return *this;
}

Socket::~Socket() {
  if (fd_ >= 0) ::close(fd_);
}

std::vector<Socket> bind_sockets(std::uint16_t port, const BindOptions& options) {
  const ListenOptions listen_options{.backlog = options.backlog, .reuse_port = options.reuse_port};
  const AddressList list = resolve(port, options);
  std::vector<Socket> sockets;
  for (addrinfo* each = list.get(); each != nullptr; each = each->ai_next) {
    sockaddr_storage storage{};
    std::memcpy(&storage, each->ai_addr, each->ai_addrlen);
    SocketAddress address = from_sockaddr(storage, each->ai_addrlen);
    if (port == 0 && !sockets.empty()) address.port = local_port(sockets.front());
    try {
      sockets.emplace_back(open_listening_socket(address, listen_options));
    } catch (const BindError& error) {
      const int code = error.code().value();
      if (code == EAFNOSUPPORT) continue;  // no IPv6 here
      // "localhost" may resolve to ::1 on a machine without that address.
      if (code == EADDRNOTAVAIL && (each->ai_next != nullptr || !sockets.empty())) continue;
      throw_bind_error(error.code(), "cannot listen on ", place(options, port));
    }
  }
  return sockets;
}

std::uint16_t local_port(const Socket& socket) {
  const SocketAddress address = local_address_of(socket.fd());
  if (!address.is_ip()) {
    throw std::system_error(EINVAL, std::system_category(), "the socket is not bound to a port");
  }
  return address.port;
}

// --- Unix sockets --------------------------------------------------------------------------------

namespace {

[[noreturn]] void fail_to_listen(int error, const SocketAddress& address) {
  throw_bind_error({error, std::system_category()}, "cannot listen on ", to_string(address));
}

Socket open_unix_socket() {
  return Socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

/// Removes a socket file on which nobody listens any more.
void remove_stale_file(const SocketAddress& address, const sockaddr_storage& storage,
                       socklen_t length) {
  struct stat status{};
  if (::lstat(address.path().c_str(), &status) != 0) return;
  if (!S_ISSOCK(status.st_mode)) {
    throw BindError({EEXIST, std::system_category()}, "cannot listen on ", to_string(address),
                    " (the file is no socket)");
  }
  const Socket probe = open_unix_socket();
  // A full queue of connections (EAGAIN) is a sign of life, too.
  if (::connect(probe.fd(), reinterpret_cast<const sockaddr*>(&storage), length) == 0 ||
      errno != ECONNREFUSED) {
    fail_to_listen(EADDRINUSE, address);
  }
  ::unlink(address.path().c_str());
}

}  // namespace

Socket bind_unix_socket(const std::string& path, const UnixBindOptions& options) {
  const SocketAddress address = SocketAddress::from_path(path);
  sockaddr_storage storage;
  const socklen_t length = to_sockaddr(address, storage);
  if (length == 0 || path.empty()) fail_to_listen(path.empty() ? EINVAL : ENAMETOOLONG, address);
  const bool has_file = !path.starts_with('\0');
  if (has_file) remove_stale_file(address, storage, length);
  Socket socket = open_unix_socket();
  if (!socket) fail_to_listen(errno, address);
  // The file gets the socket's permissions less the umask: never more than `mode`, then exactly it.
  if (has_file) ::fchmod(socket.fd(), options.mode);
  if (::bind(socket.fd(), reinterpret_cast<const sockaddr*>(&storage), length) != 0 ||
      (has_file && ::chmod(path.c_str(), options.mode) != 0) ||
      ::listen(socket.fd(), options.backlog) != 0) {
    fail_to_listen(errno, address);
  }
  return socket;
}

// --- socket activation ---------------------------------------------------------------------------

namespace {

constexpr int kFirstInherited = 3;

/// The value of a variable, which is then removed.
std::string take_variable(const char* name) {
  const char* value = std::getenv(name);
  std::string taken = value != nullptr ? value : "";
  ::unsetenv(name);
  return taken;
}

long number_in(const char* variable, const std::string& text) {
  long number = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < 0) {
    throw UsageError(std::string(variable) + "=\"" + text + "\" is no number");
  }
  return number;
}

void prepare_inherited(int fd) {
  int listening = 0;
  socklen_t size = sizeof listening;
  if (::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0 || listening == 0) {
    throw UsageError("LISTEN_FDS: descriptor " + std::to_string(fd) + " is no listening socket");
  }
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
}

}  // namespace

std::vector<InheritedSocket> inherited_sockets() {
  const std::string process = take_variable("LISTEN_PID");
  const std::string count = take_variable("LISTEN_FDS");
  std::string names = take_variable("LISTEN_FDNAMES");
  if (process.empty() || count.empty()) return {};
  if (number_in("LISTEN_PID", process) != ::getpid()) return {};
  const long sockets = number_in("LISTEN_FDS", count);
  if (sockets > 4096) throw UsageError("LISTEN_FDS=" + count + " is too many");
  std::vector<InheritedSocket> all;
  for (int fd = kFirstInherited; fd < kFirstInherited + sockets; ++fd) {
    prepare_inherited(fd);
    const std::size_t colon = std::min(names.find(':'), names.size());
    all.push_back({.socket = Socket(fd), .name = names.substr(0, colon)});
    names.erase(0, colon + 1);
  }
  return all;
}

// --- numeric addresses ---------------------------------------------------------------------------

std::optional<IPNetwork> IPNetwork::from_text(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::optional<SocketAddress> base = SocketAddress::from_ip(text.substr(0, slash));
  if (!base || text.contains('%')) return std::nullopt;
  IPNetwork network;
  network.base_ = *base;
  const unsigned bits = base->family == SocketAddress::Family::kIPv4 ? 32 : 128;
  network.prefix_ = bits;
  if (slash != std::string_view::npos) {
    const std::string_view prefix = text.substr(slash + 1);
    const auto [end, error] =
        std::from_chars(prefix.data(), prefix.data() + prefix.size(), network.prefix_);
    if (error != std::errc{} || end != prefix.data() + prefix.size() || network.prefix_ > bits) {
      return std::nullopt;
    }
  }
  // An address with more bits than its prefix is a slip of the pen.
  for (unsigned bit = network.prefix_; bit < bits; ++bit) {
    if ((base->ip[bit / 8] >> (7 - bit % 8) & 1) != 0) return std::nullopt;
  }
  return network;
}

bool IPNetwork::contains(const SocketAddress& address) const noexcept {
  if (address.family != base_.family) return false;
  for (unsigned bit = 0; bit < prefix_; bit += 8) {
    const unsigned kept = std::min(8U, prefix_ - bit);
    const unsigned differing = address.ip[bit / 8] ^ base_.ip[bit / 8];
    if (differing >> (8 - kept) != 0) return false;
  }
  return true;
}

bool is_valid_ip(std::string_view text) {
  return !text.contains('%') && SocketAddress::from_ip(text).has_value();
}

}  // namespace coronado
