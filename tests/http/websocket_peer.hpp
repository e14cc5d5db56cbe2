/// What the tests of the WebSocket client share: servers that answer its handshake as a test says.
#pragma once

#include <coronado/http/websocket_client.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "http/websocket_handshake.hpp"
#include "tests/http/client_fixture.hpp"
#include "tests/http/websocket_wire.hpp"

namespace coronado::client_test {

/// What the key in a request's head is to be answered with.
inline std::string accept_for(const std::string& head) {
  const std::string_view name = "Sec-Websocket-Key: ";
  std::size_t at = head.find("Sec-WebSocket-Key: ");
  if (at == std::string::npos) at = head.find(name);
  if (at == std::string::npos) return "no key";
  at += name.size();
  return websocket_accept(head.substr(at, head.find('\r', at) - at));
}

/// Reads a request's head, answers 101 with these fields ("{accept}" stands for the right value) and
/// these bytes behind them.   Returns  The head.
inline Task<std::string> upgrade(IOStream& stream, std::string fields, std::string behind = {}) {
  std::string head = co_await stream.read_until("\r\n\r\n");
  std::string text = "HTTP/1.1 101 Switching Protocols\r\n" + fields + "\r\n";
  if (const std::size_t at = text.find("{accept}"); at != text.npos) {
    text.replace(at, 8, accept_for(head));
  }
  co_await stream.write(text + behind);
  co_return head;
}

/// A server that does this, keeps the request, and stays.
inline Peer::Script upgrades(std::string* asked, std::string fields, std::string behind = {}) {
  return [=](IOStream& stream) -> Task<> {
    const std::string head = co_await upgrade(stream, fields, behind);
    if (asked != nullptr) *asked = head;
    co_await stream.read_until_close();
  };
}

inline constexpr const char* kRight =
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n";

/// Connects to ws://peer/chat?room=1, or where the request says.
inline Task<WebSocket> connect(SimNetwork& network, WebSocketConnectOptions options = {},
                               HTTPRequest request = {}) {
  options.client.resolver = network.names();
  if (request.url.empty()) request.url = "ws://peer/chat?room=1";
  return websocket_connect(std::move(request), std::move(options));
}

}  // namespace coronado::client_test
