/// `SourceAddresses`: where connections come from, for each family.
///
/// Layer: net.
#pragma once

#include <coronado/loop/address.hpp>

#include <string>
#include <vector>

namespace coronado {

/// The addresses of this machine that connections are made from.
class SourceAddresses {
 public:
  /// The system chooses.
  SourceAddresses() noexcept = default;
  /// This one; connections of the other family are not made.
  explicit SourceAddresses(const SocketAddress& address);
  /// Those of a network interface.
  /// Throws  std::system_error  There is no such interface, or it has no IP address; the message
  ///                            names it.
  static SourceAddresses of_interface(const std::string& name);

  /// The one for a peer of this family; of the family `kNone`: the system chooses.
  SocketAddress for_family(SocketAddress::Family family) const;

  /// Removes the addresses that cannot be reached, as there is no source of their family.
  void keep_reachable(std::vector<SocketAddress>& addresses) const;

  /// Why none of `addresses` can be reached: "the network interface lo has no IPv6 address".
  std::string why_unreachable(const std::vector<SocketAddress>& addresses) const;

 private:
  bool any_ = true;
  SocketAddress four_;
  SocketAddress six_;
  std::string interface_;  // empty: it is one address
};

}  // namespace coronado
