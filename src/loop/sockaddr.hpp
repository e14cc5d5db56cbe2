/// `SocketAddress` to and from the system's form.
#pragma once

#include <coronado/loop/address.hpp>

#include <sys/socket.h>

namespace coronado {

/// Writes `address` for the system.
/// Returns  The length; zero when there is no address, or the path is too long for a Unix socket.
socklen_t to_sockaddr(const SocketAddress& address, sockaddr_storage& result) noexcept;

/// Reads what the system wrote; `kNone` for other families.
SocketAddress from_sockaddr(const sockaddr_storage& address, socklen_t length);

/// The address a socket is bound to; `kNone` when it is none.
SocketAddress local_address_of(int fd);

}  // namespace coronado
