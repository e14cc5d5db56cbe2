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

class DigestLogin;

/// "Basic ..."   Spec  RFC 7617
std::string basic_credentials(std::string_view username, std::string_view password);

/// Asks an HTTP proxy for a tunnel.
/// Params   transport  Connected to the proxy, not started.
///          host       Without brackets.
///          login      Null: the proxy's user is shown at once, by Basic authentication.
/// Returns  The transport, paused; what comes next is from `host`.
/// Throws   std::runtime_error  The proxy refuses, ends the connection, or speaks no HTTP; the message
///                              has its status. With `login->unanswered()` it has asked for
///                              credentials, which must go over another connection.
/// Cancel   At once; the connection is closed.
/// Spec     RFC 9110 9.3.6, RFC 7616 3.8
Task<std::unique_ptr<Transport>> http_connect(std::unique_ptr<Transport> transport,
                                              std::string host, std::uint16_t port, HTTPProxy proxy,
                                              DigestLogin* login);

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
