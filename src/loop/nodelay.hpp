/// Whether a socket waits with small segments.
#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace coronado {

/// Does nothing to sockets that are not of TCP.   See `Transport::set_nodelay`.
inline void set_socket_nodelay(int fd, bool on) noexcept {
  const int value = on ? 1 : 0;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, sizeof value);
}

}  // namespace coronado
