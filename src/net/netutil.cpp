#include <coronado/net/netutil.hpp>

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
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
  const std::string host = options.address.empty() ? "*" : options.address;
  return "cannot listen on " + host + ":" + std::to_string(port);
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
    throw std::system_error(std::make_error_code(std::errc::address_not_available),
                            place(options, port) + ": " + ::gai_strerror(error));
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
    } catch (const std::system_error& error) {
      const int code = error.code().value();
      if (code == EAFNOSUPPORT) continue;  // no IPv6 here
      // "localhost" may resolve to ::1 on a machine without that address.
      if (code == EADDRNOTAVAIL && (each->ai_next != nullptr || !sockets.empty())) continue;
      throw std::system_error(error.code(), place(options, port));
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

bool is_valid_ip(std::string_view text) {
  return !text.contains('%') && SocketAddress::from_ip(text).has_value();
}

}  // namespace coronado
