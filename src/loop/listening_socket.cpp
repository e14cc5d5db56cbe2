#include "loop/listening_socket.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <coronado/base/error.hpp>

#include <cerrno>
#include <system_error>

#include "loop/sockaddr.hpp"

namespace coronado {
namespace {

void set_option(int fd, int level, int name) {
  const int on = 1;
  ::setsockopt(fd, level, name, &on, sizeof on);
}

void prepare(int fd, const SocketAddress& address, const ListenOptions& options) {
  if (!address.is_ip()) return;
  set_option(fd, SOL_SOCKET, SO_REUSEADDR);
  if (options.reuse_port) set_option(fd, SOL_SOCKET, SO_REUSEPORT);
  set_option(fd, IPPROTO_TCP, TCP_NODELAY);  // accepted sockets inherit it
  if (address.family == SocketAddress::Family::kIPv6) set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY);
}

}  // namespace

int open_listening_socket(const SocketAddress& address, const ListenOptions& options) {
  const auto fail = [&](int error) {
    throw_bind_error({error, std::system_category()}, "cannot listen on ", to_string(address));
  };
  sockaddr_storage storage;
  const socklen_t length = to_sockaddr(address, storage);
  if (length == 0) fail(address.path().empty() ? EINVAL : ENAMETOOLONG);
  const int fd = ::socket(storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) fail(errno);
  prepare(fd, address, options);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&storage), length) != 0 ||
      ::listen(fd, options.backlog) != 0) {
    const int error = errno;
    ::close(fd);
    fail(error);
  }
  return fd;
}

}  // namespace coronado
