/// What a client says to a proxy before the connection is its own.
///
///     http_connect     HTTP's CONNECT
///     socks5_connect   SOCKS, version 5
///     basic_credentials   the value of Authorization and Proxy-Authorization
///
/// Layer: http.
#pragma once

#include <coronado/coro/task.hpp>
#include <coronado/http/http_proxies.hpp>
#include <coronado/loop/transport.hpp>

#include <cstdint>
#include <memory>
#include <string>

namespace coronado {

/// "Basic ..."   Spec  RFC 7617
std::string basic_credentials(std::string_view username, std::string_view password);

/// Asks an HTTP proxy for a tunnel.
/// Params   transport  Connected to the proxy, not started.
///          host       Without brackets.
/// Returns  The transport, paused; what comes next is from `host`.
/// Throws   std::runtime_error  The proxy refuses, or speaks no HTTP; the message has its status.
///          StreamClosedError, StreamLimitError  It ended the connection, or never ends its answer.
/// Cancel   At once; the connection is closed.
/// Spec     RFC 9110 9.3.6
Task<std::unique_ptr<Transport>> http_connect(std::unique_ptr<Transport> transport,
                                              std::string host, std::uint16_t port,
                                              HTTPProxy proxy);

/// Asks a SOCKS proxy for a connection to `host`, whose name it looks up.
/// Params   As `http_connect`.
/// Throws   std::runtime_error  The proxy refuses, or speaks another protocol.
///          StreamClosedError   It ended the connection.
/// Cancel   At once; the connection is closed.
/// Spec     RFC 1928, RFC 1929
Task<std::unique_ptr<Transport>> socks5_connect(std::unique_ptr<Transport> transport,
                                                std::string host, std::uint16_t port,
                                                HTTPProxy proxy);

}  // namespace coronado
