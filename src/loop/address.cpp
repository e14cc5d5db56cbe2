#include <coronado/loop/address.hpp>

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstring>

#include "loop/sockaddr.hpp"

namespace coronado {
namespace {

/// "eth0" or "2" as the index of an interface; zero when there is none.
std::uint32_t interface_index(const std::string& name) noexcept {
  std::uint32_t index = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), index);
  if (error == std::errc{} && end == name.data() + name.size()) return index;
  return ::if_nametoindex(name.c_str());
}

}  // namespace

std::optional<SocketAddress> SocketAddress::from_ip(std::string_view text, std::uint16_t port) {
  const std::size_t percent = text.find('%');
  const std::string_view digits = text.substr(0, percent);
  if (digits.empty() || digits.size() >= INET6_ADDRSTRLEN || digits.contains('\0')) return {};
  const std::string copy(digits);
  SocketAddress address;
  address.port = port;
  if (percent == text.npos && ::inet_pton(AF_INET, copy.c_str(), address.ip.data()) == 1) {
    address.family = Family::kIPv4;
    return address;
  }
  if (::inet_pton(AF_INET6, copy.c_str(), address.ip.data()) != 1) return {};
  address.family = Family::kIPv6;
  if (percent != text.npos) {
    address.scope = interface_index(std::string(text.substr(percent + 1)));
    if (address.scope == 0) return {};
  }
  return address;
}

SocketAddress SocketAddress::from_path(std::string path) {
  SocketAddress address;
  address.family = Family::kUnix;
  if (!path.empty()) address.shared_path = std::make_shared<const std::string>(std::move(path));
  return address;
}

const std::string& SocketAddress::path() const noexcept {
  static const std::string none;
  return shared_path ? *shared_path : none;
}

bool SocketAddress::operator==(const SocketAddress& other) const noexcept {
  return family == other.family && port == other.port && ip == other.ip && scope == other.scope &&
         path() == other.path();
}

std::string SocketAddress::host() const {
  if (family == Family::kUnix) return path();
  if (family == Family::kNone) return {};
  char text[INET6_ADDRSTRLEN];
  ::inet_ntop(family == Family::kIPv4 ? AF_INET : AF_INET6, ip.data(), text, sizeof text);
  std::string result = text;
  if (scope != 0) result += "%" + std::to_string(scope);
  return result;
}

std::string to_string(const SocketAddress& address) {
  using Family = SocketAddress::Family;
  switch (address.family) {
    case Family::kIPv4: return address.host() + ":" + std::to_string(address.port);
    case Family::kIPv6: return "[" + address.host() + "]:" + std::to_string(address.port);
    case Family::kUnix: {
      std::string text = "unix:" + address.path();
      std::ranges::replace(text, '\0', '@');
      return text;
    }
    case Family::kNone: break;
  }
  return {};
}

socklen_t to_sockaddr(const SocketAddress& address, sockaddr_storage& result) noexcept {
  using Family = SocketAddress::Family;
  std::memset(&result, 0, sizeof result);
  if (address.family == Family::kIPv4) {
    auto& in = reinterpret_cast<sockaddr_in&>(result);
    in.sin_family = AF_INET;
    in.sin_port = htons(address.port);
    std::memcpy(&in.sin_addr, address.ip.data(), 4);
    return sizeof in;
  }
  if (address.family == Family::kIPv6) {
    auto& in = reinterpret_cast<sockaddr_in6&>(result);
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(address.port);
    in.sin6_scope_id = address.scope;
    std::memcpy(&in.sin6_addr, address.ip.data(), 16);
    return sizeof in;
  }
  auto& in = reinterpret_cast<sockaddr_un&>(result);
  const bool abstract = address.path().starts_with('\0');
  const std::size_t room = sizeof in.sun_path - (abstract ? 0 : 1);  // a path ends with NUL
  if (address.family != Family::kUnix || address.path().empty() || address.path().size() > room)
    return 0;
  in.sun_family = AF_UNIX;
  std::memcpy(in.sun_path, address.path().data(), address.path().size());
  return static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.path().size() +
                                (abstract ? 0 : 1));
}

SocketAddress from_sockaddr(const sockaddr_storage& address, socklen_t length) {
  using Family = SocketAddress::Family;
  SocketAddress result;
  if (address.ss_family == AF_INET) {
    const auto& in = reinterpret_cast<const sockaddr_in&>(address);
    result.family = Family::kIPv4;
    result.port = ntohs(in.sin_port);
    std::memcpy(result.ip.data(), &in.sin_addr, 4);
  } else if (address.ss_family == AF_INET6) {
    const auto& in = reinterpret_cast<const sockaddr_in6&>(address);
    result.family = Family::kIPv6;
    result.port = ntohs(in.sin6_port);
    result.scope = in.sin6_scope_id;
    std::memcpy(result.ip.data(), &in.sin6_addr, 16);
  } else if (address.ss_family == AF_UNIX) {
    const auto& in = reinterpret_cast<const sockaddr_un&>(address);
    constexpr socklen_t kHead = offsetof(sockaddr_un, sun_path);
    std::string path;
    if (length > kHead) path.assign(in.sun_path, length - kHead);
    if (!path.starts_with('\0')) path = path.c_str();  // ends with NUL
    return SocketAddress::from_path(std::move(path));
  }
  return result;
}

SocketAddress local_address_of(int fd) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) return {};
  return from_sockaddr(address, length);
}

}  // namespace coronado
