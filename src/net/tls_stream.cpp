#include <coronado/net/tls_stream.hpp>

namespace coronado {

TLSStream::TLSStream(IOLoop& loop, std::unique_ptr<TLSTransport> transport, IOStreamOptions options)
    : IOStream(loop, std::move(transport), options) {}

const TLSTransport& TLSStream::tls() const {
  return static_cast<const TLSTransport&>(transport());  // the constructor took no other
}

SocketAddress TLSStream::peer() const { return transport().peer(); }
SocketAddress TLSStream::local() const { return transport().local(); }

const TLSTransport* tls_of(const IOStream& stream) noexcept {
  return stream.closed() ? nullptr : dynamic_cast<const TLSTransport*>(&stream.transport());
}

Task<TLSStream> start_tls(IOStream stream, std::shared_ptr<const TLSContext> context,
                          std::string host, TLSHandshakeOptions options) {
  IOLoop& loop = stream.loop();
  const IOStreamOptions limits = stream.options();
  std::unique_ptr<TLSTransport> secure = co_await tls_handshake(
      stream.release_transport(), std::move(context), std::move(host), options);
  co_return TLSStream(loop, std::move(secure), limits);
}

TLSUpgrade::TLSUpgrade(std::shared_ptr<const TLSContext> context, std::string server_name)
    : context_(std::move(context)), server_name_(std::move(server_name)) {}

Task<std::unique_ptr<Transport>> TLSUpgrade::upgrade(std::unique_ptr<Transport> transport,
                                                     std::string host) {
  // The limit is the client's, for all layers together.
  std::string name = server_name_.empty() ? std::move(host) : server_name_;
  std::unique_ptr<TLSTransport> secure = co_await tls_handshake(
      std::move(transport), context_, std::move(name), {.timeout = Duration::zero()});
  co_return secure;
}

Task<TLSStream> connect_tls(TCPClient& client, std::string host, std::uint16_t port,
                            std::shared_ptr<const TLSContext> context, TCPConnectOptions options) {
  TLSUpgrade upgrade(std::move(context));
  options.upgrade = &upgrade;
  std::unique_ptr<Transport> transport =
      co_await client.connect_transport(std::move(host), port, options);
  // What the upgrade returned is a TLS transport.
  std::unique_ptr<TLSTransport> secure(static_cast<TLSTransport*>(transport.release()));
  co_return TLSStream(*IOLoop::current(), std::move(secure), options.stream);
}

}  // namespace coronado
