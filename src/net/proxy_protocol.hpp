/// The header of HAProxy's PROXY protocol, versions 1 and 2.   Spec  haproxy.org, proxy-protocol.txt
#pragma once

#include <coronado/loop/address.hpp>

#include <cstddef>
#include <string_view>

namespace coronado {

/// What a proxy says of the connection it hands on.
struct ProxyHeader {
  /// False: the connection is the proxy's own (a health check), or it does not know the client.
  bool has_addresses = false;
  SocketAddress source = {};
  SocketAddress destination = {};
};

struct ProxyHeaderResult {
  enum class Status : unsigned char { kIncomplete, kDone, kBad };
  Status status = Status::kIncomplete;
  std::size_t size = 0;          ///< of the header, when it is done
  const char* reason = nullptr;  ///< what is wrong with it; static text
  ProxyHeader header = {};
};

/// Longest header that is accepted.
inline constexpr std::size_t kMaxProxyHeader = 4096;

/// Reads the header at the beginning of `bytes`. Strict: what the specification does not allow is
/// bad, as soon as that can be seen. Extensions (TLVs) must be well-formed and are skipped.
ProxyHeaderResult parse_proxy_header(std::string_view bytes);

}  // namespace coronado
