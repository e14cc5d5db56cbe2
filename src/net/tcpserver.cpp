#include <coronado/net/tcpserver.hpp>

#include <coronado/base/error.hpp>
#include <coronado/base/log.hpp>
#include <coronado/coro/timeout.hpp>

namespace coronado {

TCPServer::TCPServer(IOLoop& loop, Handler handler, TCPServerOptions options)
    : TCPServer(loop, std::move(options)) {
  handler_ = std::move(handler);
}

TCPServer::TCPServer(IOLoop& loop, TCPServerOptions options)
    : loop_(loop),
      stream_options_(options.stream),
      listener_(
          loop, std::move(options.listener),
          [this](std::unique_ptr<Transport> transport, ConnectionSlot slot) {
            SocketAddress peer = transport->peer();
            TCPStream stream(loop_, std::move(transport), stream_options_);
            connections_.spawn(serve_stream(std::move(stream), std::move(slot), std::move(peer)));
          }),
      connections_(loop, "connections", TaskGroup::OnFailure::kLog) {}

TCPServer::~TCPServer() { stop(); }

Task<> TCPServer::handle_stream(TCPStream stream) { return handler_(std::move(stream)); }

/// The slot is held until the handler, which owns the stream, has ended.
Task<> TCPServer::serve_stream(TCPStream stream, [[maybe_unused]] ConnectionSlot slot,
                               SocketAddress peer) {
  try {
    co_await handle_stream(std::move(stream));
  } catch (const StreamClosedError& error) {
    app_log().debug("the connection of " + to_string(peer) + " ended: " + error.what());
  } catch (const std::exception& error) {
    app_log().error("error in the handler of " + to_string(peer) + ": " + error.what());
  }
}

Task<bool> TCPServer::drain(TimePoint deadline) {
  stop();
  if (connections_.empty()) co_return true;
  try {
    co_await with_timeout(deadline, connections_.join());
  } catch (const TimeoutError&) {
    co_return false;
  }
  co_return true;
}

Task<> TCPServer::close() {
  stop();
  connections_.cancel();
  co_await shield(as_task(connections_.join()));
}

}  // namespace coronado
