/// What proxies say about the clients they speak for.
///
///     TrustedProxies    the networks of those that are believed
///     ForwardedClient   what they said
///
/// Layer: http.   Spec  RFC 7239.   Tornado  `HTTPServer(xheaders=True, trusted_downstream=...)`.
#pragma once

#include <coronado/http/request_head.hpp>
#include <coronado/loop/address.hpp>
#include <coronado/net/netutil.hpp>

#include <optional>
#include <string>
#include <vector>

namespace coronado {

/// What is not there was not said.
struct ForwardedClient {
  std::optional<SocketAddress> address;
  std::optional<bool> https;
  std::string host;  // with the port, if it is not the usual one; valid
};

class TrustedProxies {
 public:
  /// Params  networks  Such as "10.0.0.0/8" or "::1"; "unix" for Unix sockets.
  /// Throws  UsageError  One is no network: the message names it.
  explicit TrustedProxies(const std::vector<std::string>& networks);

  bool empty() const noexcept { return networks_.empty() && !unix_; }
  bool contains(const SocketAddress& address) const noexcept;

  /// What the fields of a request say that came from a trusted proxy: `Forwarded`; else
  /// `X-Forwarded-For`, else `X-Real-Ip`, and `X-Forwarded-Proto`, else `X-Scheme`, and
  /// `X-Forwarded-Host` with `X-Forwarded-Port`.
  ///
  /// A list is read from its end, where the nearest proxy has written, as long as what it names is
  /// itself a trusted proxy: what stands before that anybody may have made up.
  ForwardedClient client_of(const RequestHead& head) const;

 private:
  ForwardedClient from_forwarded(const std::vector<std::string>& elements) const;
  ForwardedClient from_x_fields(const RequestHead& head) const;

  std::vector<IPNetwork> networks_;
  bool unix_ = false;
};

}  // namespace coronado
