#include "loop/connecting_socket.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "loop/sockaddr.hpp"

namespace coronado {

int open_connecting_socket(const SocketAddress& to, const ConnectOptions& options) {
  sockaddr_storage storage;
  const socklen_t length = to_sockaddr(to, storage);
  const auto fail = [&](int error, const SocketAddress& where, const char* attempt) {
    return std::system_error(error, std::system_category(), attempt + to_string(where));
  };
  if (length == 0) throw fail(to.path().empty() ? EINVAL : ENAMETOOLONG, to, "cannot connect to ");
  const int fd = ::socket(storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) throw fail(errno, to, "cannot connect to ");
  if (to.is_ip()) {
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  sockaddr_storage source;
  const socklen_t source_length = to_sockaddr(options.source, source);
  if (source_length != 0 &&
      ::bind(fd, reinterpret_cast<const sockaddr*>(&source), source_length) != 0) {
    const int error = errno;
    ::close(fd);
    throw fail(error, options.source, "cannot connect from ");
  }
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&storage), length) != 0 &&
      errno != EINPROGRESS && errno != EINTR) {
    const int error = errno;
    ::close(fd);
    throw fail(error, to, "cannot connect to ");
  }
  return fd;
}

}  // namespace coronado
