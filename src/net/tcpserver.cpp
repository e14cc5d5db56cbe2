#include <coronado/net/tcpserver.hpp>

#include <coronado/base/error.hpp>
#include <coronado/base/log.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/net/tls.hpp>

namespace coronado {

TCPServer::TCPServer(IOLoop& loop, Handler handler, TCPServerOptions options)
    : TCPServer(loop, std::move(options)) {
  handler_ = std::move(handler);
}

TCPServer::TCPServer(IOLoop& loop, TCPServerOptions options)
    : loop_(loop),
      stream_options_(options.stream),
      tls_(std::move(options.tls)),
      tls_handshake_timeout_(options.tls_handshake_timeout),
      listener_(loop, std::move(options.listener),
                [this](std::unique_ptr<Transport> transport, ConnectionSlot slot) {
                  take(std::move(transport), std::move(slot));
                }),
      handshakes_(loop, "TLS handshakes", TaskGroup::OnFailure::kLog),
      connections_(loop, "connections", TaskGroup::OnFailure::kLog) {}

TCPServer::~TCPServer() { stop(); }

Task<> TCPServer::handle_stream(TCPStream stream) { return handler_(std::move(stream)); }

void TCPServer::take(std::unique_ptr<Transport> transport, ConnectionSlot slot) {
  if (tls_ == nullptr) return begin(std::move(transport), std::move(slot));
  handshakes_.spawn(shake_hands(std::move(transport), std::move(slot)), "TLS handshake");
}

void TCPServer::begin(std::unique_ptr<Transport> transport, ConnectionSlot slot) {
  SocketAddress peer = transport->peer();
  TCPStream stream(loop_, std::move(transport), stream_options_);
  connections_.spawn(serve_stream(std::move(stream), std::move(slot), std::move(peer)));
}

Task<> TCPServer::shake_hands(std::unique_ptr<Transport> transport, ConnectionSlot slot) {
  const TLSHandshakeOptions how{.timeout = tls_handshake_timeout_};
  try {
    begin(co_await tls_handshake(std::move(transport), tls_, {}, how), std::move(slot));
  } catch (const TLSError& error) {
    general_log().info(error.what());
  } catch (const TLSTimeoutError& error) {
    general_log().info(error.what());
  }
}

/// The slot is held until the handler, which owns the stream, has ended.
Task<> TCPServer::serve_stream(TCPStream stream, [[maybe_unused]] ConnectionSlot slot,
                               SocketAddress peer) {
  try {
    co_await handle_stream(std::move(stream));
  } catch (const StreamClosedError& error) {
    app_log().debug("the connection of " + to_string(peer) + " ended: " + error.what());
  } catch (const UnsatisfiableReadError& error) {
    general_log().warning(error.peer() + " sent more than it may: " + error.what());
  } catch (const std::exception& error) {
    app_log().error("error in the handler of " + to_string(peer) + ": " + error.what());
  }
}

/// For after `handshakes_.cancel()`: they end at once.
Task<> TCPServer::join_all() {
  co_await shield(as_task(handshakes_.join()));
  co_await connections_.join();
}

Task<bool> TCPServer::drain(TimePoint deadline) {
  stop();
  handshakes_.cancel();
  if (handshakes_.empty() && connections_.empty()) co_return true;
  try {
    co_await with_timeout(deadline, join_all());
  } catch (const TimeoutError&) {
    co_return false;
  }
  co_return true;
}

Task<> TCPServer::close() {
  stop();
  handshakes_.cancel();
  connections_.cancel();
  co_await shield(join_all());
}

}  // namespace coronado
