#include <coronado/net/tls_stream.hpp>

namespace coronado {

TLSStream::TLSStream(IOLoop& loop, std::unique_ptr<TLSTransport> transport, IOStreamOptions options)
    : IOStream(loop, std::move(transport), options) {}

const TLSTransport& TLSStream::tls() const {
  return static_cast<const TLSTransport&>(transport());  // the constructor took no other
}

SocketAddress TLSStream::peer() const { return transport().peer(); }
SocketAddress TLSStream::local() const { return transport().local(); }

Task<TLSStream> start_tls(IOStream stream, std::shared_ptr<const TLSContext> context,
                          std::string host, TLSHandshakeOptions options) {
  IOLoop& loop = stream.loop();
  const IOStreamOptions limits = stream.options();
  std::unique_ptr<TLSTransport> secure = co_await tls_handshake(
      stream.release_transport(), std::move(context), std::move(host), options);
  co_return TLSStream(loop, std::move(secure), limits);
}

}  // namespace coronado
