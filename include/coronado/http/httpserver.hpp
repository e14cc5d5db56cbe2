/// `HTTPServer`: accepts connections, speaks HTTP/1, and hands requests to a service.
///
/// Layer: http.   Tornado  `httpserver.HTTPServer`.
#pragma once

#include <coronado/base/clock.hpp>
#include <coronado/coro/task.hpp>
#include <coronado/http/content_coding.hpp>
#include <coronado/http/http_limits.hpp>
#include <coronado/loop/ioloop.hpp>
#include <coronado/net/listener.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace coronado {

class HTTPService;
class TLSContext;

/// Every limit and timeout of a server; all are on by default.
struct HTTPServerOptions {
  /// Sizes of heads and bodies.
  HTTPLimits limits = {};

  /// Longest wait for the first byte of a request on an idle connection. When it passes: close.
  Duration idle_timeout = std::chrono::seconds(75);

  /// Longest time from the first byte of a request to the end of its head.
  /// When it passes: `408 Request Timeout`, then close.
  Duration header_timeout = std::chrono::seconds(15);

  /// Longest pause between two pieces of a request's body.
  /// When it passes: `408 Request Timeout`, then close.
  Duration body_timeout = std::chrono::seconds(30);

  /// Least bytes a second of a request's body, on the average since it began, as long as it is
  /// waited for; it has `body_grace_period` to get there. What a handler does between two reads does
  /// not count. Slower than that: `408 Request Timeout`, then close. Zero: no limit.
  std::uint32_t min_body_rate = 240;

  /// See `min_body_rate`.
  Duration body_grace_period = std::chrono::seconds(5);

  /// Longest time during which a client takes nothing of what is sent. When it passes: close.
  Duration write_timeout = std::chrono::seconds(60);

  /// Most connections at a time, with those whose TLS handshake goes on. One more is closed at once.
  std::size_t max_connections = 100'000;

  /// Most connections at a time from one IPv4 address or IPv6 network of 64 bits. One more is
  /// closed at once. Zero: no limit.
  std::size_t max_connections_per_peer = 0;

  /// Whether connections begin with the PROXY protocol.
  ProxyProtocolOptions proxy = {};

  /// Most requests a second on one connection. When exceeded: `429 Too Many Requests`, then close.
  std::uint32_t max_request_rate = 1'000'000;

  /// Compress responses, of functions and of `RequestHandler`s, for clients that ask for it:
  ///
  ///     options.compress_response = ResponseCompression{};
  ///
  /// None: they are sent as they are.
  /// Tornado  The application's setting `compress_response`.
  std::optional<ResponseCompression> compress_response = std::nullopt;

  /// Decompress the bodies of requests: gzip, deflate, Brotli, Zstandard. Handlers see no
  /// Content-Encoding then. Off: they get the bytes as they came, with the field.
  /// An unknown coding: `415 Unsupported Media Type`; a body that is none: `400 Bad Request`; one
  /// that is too large, or grows too much (see `HTTPLimits`): `413 Content Too Large`; then close.
  /// Tornado  `decompress_request`.
  bool decompress_request = false;

  /// Networks of proxies, such as "10.0.0.0/8", "::1" or "unix", that are believed what they say of
  /// the client: `Forwarded`, or else `X-Forwarded-For` and `X-Forwarded-Proto`. Then
  /// `remote_ip` and `protocol` are the client's.   Spec  RFC 7239.
  /// Tornado  `xheaders` and `trusted_downstream`. Differs: nobody is believed who is not named.
  std::vector<std::string> trust_forwarded = {};

  /// Believe them also what they say of the host that the client has asked for: `Forwarded`, or else
  /// `X-Forwarded-Host` and `X-Forwarded-Port`. Then `host`, `full_url` and the routes by host go by
  /// that. Only for proxies that set these fields, or take them away: others pass on what clients send.
  bool trust_forwarded_host = false;

  /// Serve HTTPS with these certificates. Null: plain HTTP.
  std::shared_ptr<const TLSContext> tls = nullptr;

  /// Longest time for a TLS handshake. When it passes: close.
  Duration tls_handshake_timeout = std::chrono::seconds(10);

  /// What the `Server` field says. Empty: no such field.
  std::string server_name = "Coronado";
};

/// Serves HTTP on listening sockets and ready-made transports.
///
/// Threads   The loop's thread only.
/// Lifetime  The loop and the service must outlive it. Destroying it closes every connection;
/// requests
///           in progress are cancelled and waited for by `close`, which must come first if any run.
class HTTPServer {
 public:
  /// Throws  std::invalid_argument  A level of `compress_response` is out of its range.
  ///         UsageError             `trust_forwarded` names what is no network.
  HTTPServer(IOLoop& loop, HTTPService& service, HTTPServerOptions options = {});
  ~HTTPServer();
  HTTPServer(const HTTPServer&) = delete;
  HTTPServer& operator=(const HTTPServer&) = delete;

  /// Accepts on `sockets`, which it then owns.   Throws  std::system_error
  void add_sockets(std::vector<Socket> sockets);

  /// Binds and accepts.   Throws  std::system_error  See `bind_sockets`.
  void listen(std::uint16_t port, const BindOptions& options = {});

  /// Binds and accepts on a Unix socket, whose file is removed by `stop`.
  /// Throws  std::system_error  See `bind_unix_socket`.
  void listen_unix(const std::string& path, const UnixBindOptions& options = {});

  /// The listening sockets, for filters and addresses.
  Listener& listener() noexcept;

  /// The port of the first listening socket.
  std::uint16_t port() const;

  /// Serves one connection that somebody else made: a test, or a protocol beneath.
  void serve(std::unique_ptr<Transport> transport);

  /// Stops accepting; connections go on.   Tornado  `stop`.
  void stop() noexcept;

  /// Stops accepting, closes idle connections, lets requests in progress finish, and cuts what is
  /// left at `deadline`.
  /// Returns  True when nothing had to be cut.
  /// Throws   Cancelled.
  /// Cancel   Ends the wait; what is in progress goes on, and `close` cuts it.
  Task<bool> drain(TimePoint deadline);

  /// Cuts every connection and waits until its tasks have ended.
  /// Throws   Nothing of its own.
  /// Cancel   Held off: it takes no longer than the handlers' own cleaning up.
  Task<> close();

  std::size_t connection_count() const noexcept;
  std::uint64_t request_count() const noexcept;
  const HTTPServerOptions& options() const noexcept;

  struct Core;

 private:
  std::unique_ptr<Core> core_;
};

}  // namespace coronado
