/// Streams over TLS.
///
///     TLSStream   an IOStream that knows who its peer is
///     start_tls   goes over to TLS on an open stream, as client or server
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

}  // namespace coronado
