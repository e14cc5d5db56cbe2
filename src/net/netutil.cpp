#include <coronado/net/netutil.hpp>

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <system_error>

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

void set_option(int fd, int level, int name) {
  const int on = 1;
  ::setsockopt(fd, level, name, &on, sizeof on);
}

void set_port(sockaddr* address, std::uint16_t port) {
  if (address->sa_family == AF_INET) {
    reinterpret_cast<sockaddr_in*>(address)->sin_port = htons(port);
  } else if (address->sa_family == AF_INET6) {
    reinterpret_cast<sockaddr_in6*>(address)->sin6_port = htons(port);
  }
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
  const AddressList list = resolve(port, options);
  std::vector<Socket> sockets;
  for (addrinfo* each = list.get(); each != nullptr; each = each->ai_next) {
    Socket socket(::socket(each->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!socket) {
      if (errno == EAFNOSUPPORT) continue;  // no IPv6 here
      throw std::system_error(errno, std::system_category(), place(options, port));
    }
    set_option(socket.fd(), SOL_SOCKET, SO_REUSEADDR);
    if (options.reuse_port) set_option(socket.fd(), SOL_SOCKET, SO_REUSEPORT);
    set_option(socket.fd(), IPPROTO_TCP, TCP_NODELAY);  // accepted sockets inherit it
    if (each->ai_family == AF_INET6) set_option(socket.fd(), IPPROTO_IPV6, IPV6_V6ONLY);
    if (port == 0 && !sockets.empty()) set_port(each->ai_addr, local_port(sockets.front()));
    if (::bind(socket.fd(), each->ai_addr, each->ai_addrlen) != 0) {
      // "localhost" may resolve to ::1 on a machine without that address.
      if (errno == EADDRNOTAVAIL && each->ai_next != nullptr) continue;
      if (errno == EADDRNOTAVAIL && !sockets.empty()) continue;
      throw std::system_error(errno, std::system_category(), place(options, port));
    }
    if (::listen(socket.fd(), options.backlog) != 0) {
      throw std::system_error(errno, std::system_category(), place(options, port));
    }
    sockets.push_back(std::move(socket));
  }
  return sockets;
}

std::uint16_t local_port(const Socket& socket) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (::getsockname(socket.fd(), reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    throw std::system_error(errno, std::system_category(), "getsockname");
  }
  if (address.ss_family == AF_INET) {
    return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
  }
  return ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
}

std::string to_string(const PeerAddress& address) {
  if (address.family == PeerAddress::Family::kNone) return {};
  char text[INET6_ADDRSTRLEN];
  const int family = address.family == PeerAddress::Family::kIPv4 ? AF_INET : AF_INET6;
  ::inet_ntop(family, address.ip.data(), text, sizeof text);
  return text;
}

bool is_valid_ip(std::string_view text) {
  if (text.empty() || text.size() >= INET6_ADDRSTRLEN) return false;
  const std::string copy(text);
  if (copy.find('\0') != std::string::npos) return false;
  std::array<unsigned char, 16> place{};
  return ::inet_pton(AF_INET, copy.c_str(), place.data()) == 1 ||
         ::inet_pton(AF_INET6, copy.c_str(), place.data()) == 1;
}

}  // namespace coronado
