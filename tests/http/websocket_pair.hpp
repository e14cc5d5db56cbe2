/// Two ends of a WebSocket with a channel in memory between them.
#pragma once

#include <coronado/http/websocket.hpp>
#include <coronado/loop/ioloop.hpp>
#include <coronado/testing/memory_transport.hpp>

#include <memory>
#include <optional>
#include <utility>

#include "http/websocket_connection.hpp"

namespace coronado::http_test {

struct WebSocketPair {
  WebSocket server;
  WebSocket client;
};

/// The end of one side, which is open.
inline WebSocket make_websocket_end(IOLoop& loop, bool is_server, WebSocketOptions options,
                                    std::optional<DeflateAgreement> deflate,
                                    std::unique_ptr<Transport> transport) {
  auto* connection = new WebSocketConnection(
      {.is_server = is_server,
       .options = std::make_shared<const WebSocketOptions>(std::move(options)),
       .deflate = deflate},
      nullptr);
  WebSocket end(*connection);
  transport->pause_receive();
  connection->begin(loop, std::move(transport), {});
  return end;
}

inline WebSocketPair make_websocket_pair(IOLoop& loop, WebSocketOptions options = {},
                                         std::optional<DeflateAgreement> deflate = std::nullopt,
                                         MemoryTransportOptions channel = {}) {
  auto [near, far] = make_memory_transports(loop, channel);
  return {make_websocket_end(loop, true, options, deflate, std::move(near)),
          make_websocket_end(loop, false, options, deflate, std::move(far))};
}

}  // namespace coronado::http_test
