#include "net/stream_info.hpp"

#include <coronado/net/tls.hpp>

namespace coronado::detail {

std::string peer_name(const Transport* transport) {
  const SocketAddress peer = transport != nullptr ? transport->peer() : SocketAddress{};
  return peer.is_ip() || !peer.path().empty() ? to_string(peer) : "a stream";
}

StreamInfo stream_info(const Transport* transport) {
  StreamInfo info{.peer = peer_name(transport)};
  if (transport == nullptr) return info;
  info.unsent = transport->pending();
  if (const auto* tls = dynamic_cast<const TLSTransport*>(transport)) {
    info.security = tls->version() == TLSVersion::kTLS12 ? "TLS 1.2, " : "TLS 1.3, ";
    info.security += tls->cipher();
    info.kernel_tls = tls->kernel_tls();
  }
  return info;
}

}  // namespace coronado::detail
