#include "net/source_addresses.hpp"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>

#include "loop/sockaddr.hpp"

namespace coronado {
namespace {

using Family = SocketAddress::Family;

struct FreeAddresses {
  void operator()(ifaddrs* list) const noexcept { ::freeifaddrs(list); }
};

/// RFC 4291 2.5.6: fe80::/10. Others are not reached from there.
bool is_link_local(const SocketAddress& address) noexcept {
  return address.family == Family::kIPv6 && address.ip[0] == 0xFE && (address.ip[1] & 0xC0) == 0x80;
}

/// The IP address in `from`; nothing of other kinds.
SocketAddress ip_address(const sockaddr* from) {
  if (from == nullptr || (from->sa_family != AF_INET && from->sa_family != AF_INET6)) return {};
  sockaddr_storage storage{};
  const std::size_t size = from->sa_family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
  std::memcpy(&storage, from, size);
  return from_sockaddr(storage, static_cast<socklen_t>(size));
}

}  // namespace

SourceAddresses::SourceAddresses(const SocketAddress& address)
    : any_(address.family == Family::kNone) {
  if (address.family == Family::kIPv4) four_ = address;
  if (address.family == Family::kIPv6) six_ = address;
}

SourceAddresses SourceAddresses::of_interface(const std::string& name) {
  if (::if_nametoindex(name.c_str()) == 0) {
    throw std::system_error(std::make_error_code(std::errc::no_such_device),
                            "there is no network interface \"" + name + "\"");
  }
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) != 0) {
    throw std::system_error(errno, std::generic_category(),
                            "cannot list the addresses of the network interface " + name);
  }
  const std::unique_ptr<ifaddrs, FreeAddresses> list(first);
  SourceAddresses sources;
  sources.any_ = false;
  sources.interface_ = name;
  for (const ifaddrs* each = list.get(); each != nullptr; each = each->ifa_next) {
    if (name != each->ifa_name) continue;
    const SocketAddress found = ip_address(each->ifa_addr);
    if (!found.is_ip()) continue;
    SocketAddress& mine = found.family == Family::kIPv4 ? sources.four_ : sources.six_;
    if (mine.family == Family::kNone || (is_link_local(mine) && !is_link_local(found))) {
      mine = found;
    }
  }
  if (sources.four_.is_ip() || sources.six_.is_ip()) return sources;
  throw std::system_error(std::make_error_code(std::errc::address_not_available),
                          "the network interface " + name + " has no IP address");
}

SocketAddress SourceAddresses::for_family(Family family) const {
  if (family == Family::kIPv4) return four_;
  return family == Family::kIPv6 ? six_ : SocketAddress();
}

void SourceAddresses::keep_reachable(std::vector<SocketAddress>& addresses) const {
  if (any_) return;
  std::erase_if(addresses, [this](const SocketAddress& address) {
    return for_family(address.family).family == Family::kNone;
  });
}

std::string SourceAddresses::why_unreachable(const std::vector<SocketAddress>& addresses) const {
  if (interface_.empty()) {
    return "none of its addresses is of the family of the source address " +
           (four_.is_ip() ? four_ : six_).host();
  }
  const bool six = std::ranges::any_of(
      addresses, [](const SocketAddress& each) { return each.family == Family::kIPv6; });
  return "the network interface " + interface_ + " has no " + (six ? "IPv6" : "IPv4") + " address";
}

}  // namespace coronado
