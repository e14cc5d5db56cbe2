/// `websocket_connect`: opens a WebSocket to a server.
///
///     WebSocket socket = co_await websocket_connect({.url = "wss://example.org/feed"});
///     socket.send("hello");
///     while (const auto message = co_await socket.read()) ...
///
/// Layer: http.   Spec  RFC 6455 4.1.   Tornado  `websocket.websocket_connect`.
#pragma once

#include <coronado/coro/task.hpp>
#include <coronado/http/httpclient.hpp>
#include <coronado/http/websocket.hpp>

#include <string>
#include <vector>

namespace coronado {

struct WebSocketConnectOptions {
  WebSocketOptions socket = {};
  /// What is offered to the server; see `WebSocket::subprotocol` for what it chose.
  std::vector<std::string> subprotocols = {};
  /// Resolver, connector, proxies, cookies.
  HTTPClientOptions client = {};
};

/// Connects, and shakes hands.
///
/// Params   request  The URL (ws, wss, or http and https), further fields, credentials, TLS files,
///                   proxy, times; redirects are not followed.
/// Throws   HTTPClientError        The server answered with something else than 101; `code()` tells.
///          HTTPResponseError      Its answer breaks the rules, or chooses what was not offered.
///          HTTPTimeoutError, HTTPConnectError, HTTPStreamClosedError, TLSConfigError
///                                 See `HTTPClient::fetch`.
///          std::invalid_argument  The request, an option or a subprotocol is none.
/// Cancel   At once; the connection is closed.
Task<WebSocket> websocket_connect(HTTPRequest request, WebSocketConnectOptions options = {});

}  // namespace coronado
