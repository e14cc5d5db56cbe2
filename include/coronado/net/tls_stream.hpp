/// Streams over TLS.
///
///     TLSStream   an IOStream that knows who its peer is
///     start_tls   goes over to TLS on an open stream, as client or server
///     connect_tls  connects to a host and goes over to TLS
///     tls_of      what TLS says of any stream that may be over it
///     TLSUpgrade  the layer that `TCPClient` puts on its connections for that
///
///     TLSStream secure = co_await start_tls(std::move(stream), context, "mail.example.com");
///     co_await secure.write("EHLO me.example.com\r\n");
///
/// To finish politely `co_await shutdown()`, or at least `close()`: a peer whose stream is destroyed
/// without either, or with bytes unsent, sees a truncated one, `StreamClosedError` with `TLSErrc::kTruncated`.
///
/// Layer: net.   Tornado  `iostream.SSLIOStream`.
#pragma once

#include <coronado/net/iostream.hpp>
#include <coronado/net/tcpclient.hpp>
#include <coronado/net/tls.hpp>

#include <memory>
#include <string>

namespace coronado {

/// A stream over TLS, whose handshake is done.
class TLSStream : public IOStream {
 public:
  /// Takes what `tls_handshake` made.
  TLSStream(IOLoop& loop, std::unique_ptr<TLSTransport> transport, IOStreamOptions options = {});

  /// Version, cipher, ALPN, and the peer's certificate.   Throws  StreamClosedError  It is closed.
  const TLSTransport& tls() const;

  SocketAddress peer() const;
  SocketAddress local() const;
};

/// Version, cipher, ALPN and the peer's certificate of a stream over TLS: a handler of a `TCPServer`
/// with `TCPServerOptions::tls` learns from it who its peer is.
/// Returns  Null when the stream is not over TLS, or is closed.
const TLSTransport* tls_of(const IOStream& stream) noexcept;

/// Goes over to TLS on an open stream; the role is the context's.
///
/// What the peer sends after it has agreed to TLS belongs to the handshake: a stream that holds
/// unread bytes is refused, since bytes sent in the clear must never count as sent under TLS.
///
/// Params   stream   Idle: nothing unread, nothing unsent, no read or write going on. Its limits go
///                   over to the new stream.
///          context, host, options  As for `tls_handshake`.
/// Returns  The secure stream.
/// Throws   std::logic_error   The stream is not idle; the message says what is in the way.
///          StreamClosedError  It is closed.
///          And all that `tls_handshake` throws; the connection is closed then.
/// Cancel   At once; the connection is closed.
/// Tornado  `IOStream.start_tls`.
/// Code     src/net/tls_stream.cpp, tests/net/tls_stream_test.cpp
Task<TLSStream> start_tls(IOStream stream, std::shared_ptr<const TLSContext> context,
                          std::string host = {}, TLSHandshakeOptions options = {});

/// TLS for a `TCPClient`: what `TCPConnectOptions::upgrade` points to. Its time limit is
/// `TCPConnectOptions::upgrade_timeout`.
class TLSUpgrade final : public TransportUpgrade {
 public:
  /// Params   context      A client's.
  ///          server_name  Who the certificate must be for. Empty: the host that is connected to.
  explicit TLSUpgrade(std::shared_ptr<const TLSContext> context, std::string server_name = {});

  /// Throws   As `tls_handshake`.
  /// Cancel   At once; the connection is closed.
  Task<std::unique_ptr<Transport>> upgrade(std::unique_ptr<Transport> transport,
                                           std::string host) override;

 private:
  std::shared_ptr<const TLSContext> context_;
  std::string server_name_;
};

/// Connects to `host` with `client` and shakes hands.
///
///     TLSStream stream = co_await connect_tls(client, "example.org", 443, TLSContext::client());
///
/// Params   context  A client's; its certificate check is for `host`.
///          options  `upgrade` is not used; `upgrade_timeout` limits the handshake.
/// Throws   ConnectError  Of the phase `kUpgrade` when TLS failed; `cause()` then has the type that
///                        `tls_handshake` threw.
///          std::invalid_argument  An option is out of range.
/// Cancel   Ends the lookup, every attempt and the handshake, and completes when they have ended.
/// Lifetime `client` must stay until the task ends.
/// Tornado  `TCPClient.connect(ssl_options=...)`.
Task<TLSStream> connect_tls(TCPClient& client, std::string host, std::uint16_t port,
                            std::shared_ptr<const TLSContext> context,
                            TCPConnectOptions options = {});

}  // namespace coronado
