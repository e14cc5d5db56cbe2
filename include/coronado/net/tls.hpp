/// TLS over any transport.
///
///     tls_handshake    makes a TLS transport of a connected one, as client or server
///     TLSTransport     the result: a `Transport` that knows who the peer is
///     TLSCertificate   what a certificate says
///     TLSErrc          how a TLS connection can break after its handshake
///
///     auto context = TLSContext::client();
///     std::unique_ptr<TLSTransport> secure =
///         co_await tls_handshake(std::move(transport), context, "example.com");
///
/// The role is the context's. Everything a `Transport` promises holds: writes are taken whole,
/// `pending` is the measure for back-pressure, and a handler may destroy the transport from inside
/// any call. An end without the peer's farewell (close_notify) is reported as `kTruncated`: what was
/// received may be cut short by somebody in between.
///
/// Layer: net.   Tornado  `iostream.SSLIOStream`.
#pragma once

#include <coronado/coro/task.hpp>
#include <coronado/loop/transport.hpp>
#include <coronado/net/tls_context.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace coronado {

/// What a certificate says.
struct TLSCertificate {
  std::string subject;      ///< "CN=example.com,O=Example"
  std::string issuer;       ///< the subject of who signed it
  std::string common_name;  ///< of the subject; empty: none
  std::vector<std::string> dns_names;
  std::vector<std::string> ip_addresses;
  std::vector<std::string> uris;  ///< "spiffe://..."
  std::vector<std::string> emails;
  std::string serial;       ///< hexadecimal
  std::string fingerprint;  ///< SHA-256 of the certificate, 64 hexadecimal digits
  std::chrono::system_clock::time_point not_before;
  std::chrono::system_clock::time_point not_after;
};

/// How a TLS connection can break: the error of `on_receive_end`, the code of `StreamClosedError`.
/// Alerts of the peer have the category "tls alert" and their number.
enum class TLSErrc {
  kTruncated = 1,  ///< the connection ended without close_notify: data may be missing
  kBadRecord,      ///< what came is not authentic, or breaks the protocol
};
const std::error_category& tls_category() noexcept;
const std::error_category& tls_alert_category() noexcept;
inline std::error_code make_error_code(TLSErrc code) noexcept {
  return {static_cast<int>(code), tls_category()};
}

/// A transport whose bytes are encrypted and whose peer is known.
///
/// `shutdown_write` says farewell to the peer. Destroying the transport without it leaves the peer
/// with a truncated stream, as it should when a message was cut short.
class TLSTransport : public Transport {
 public:
  virtual TLSVersion version() const noexcept = 0;
  /// "TLS_AES_256_GCM_SHA384".
  virtual std::string_view cipher() const noexcept = 0;
  /// The protocol agreed upon by ALPN; empty: none.
  virtual std::string_view alpn() const noexcept = 0;
  /// The host that the client asked for (SNI); empty: none.
  virtual std::string server_name() const = 0;
  /// True when an earlier session was resumed: the peer is the one that was verified then.
  virtual bool resumed() const noexcept = 0;
  /// True when the kernel encrypts what is sent; see `TLSServerOptions::kernel_tls`.
  virtual bool kernel_tls() const noexcept = 0;

  /// The peer's certificate.   Returns  Nothing when it has shown none, as most clients.
  virtual std::optional<TLSCertificate> peer_certificate() const = 0;
  /// The peer's certificate and those that lead to the trusted root, as they were verified. Empty
  /// for a peer that was not verified, or when the session was resumed.
  virtual std::vector<TLSCertificate> verified_chain() const = 0;
};

/// How a handshake is made.
struct TLSHandshakeOptions {
  /// Longest time for all of it. Zero: no limit.
  Duration timeout = std::chrono::seconds(10);
};

/// Makes a TLS connection over `transport`, which must be connected and not started.
///
/// Params   transport  Owned by the result; closed on failure.
///          context    Decides which side this is.
///          host       Client: the name or IP address the certificate must be for; also sent (SNI).
///                     May be empty only when the context does not verify hosts. Server: ignored.
/// Returns  The transport, not started: bytes that have come already wait for its `start`.
/// Throws   TLSCertificateError  The peer's certificate is not accepted: `TLSExpiredError`,
///                               `TLSHostError`, `TLSSelfSignedError`, `TLSUntrustedError`,
///                               `TLSNoCertificateError`.
///          TLSGarbageError      The peer does not speak TLS.
///          TLSAlertError        The peer refused.
///          TLSTruncatedError    The connection ended or broke.
///          TLSHandshakeError    Another failure: no common version, cipher or protocol.
///          TLSTimeoutError      `options.timeout` passed.
///          std::invalid_argument  A client that verifies hosts was given none.
/// Cancel   At once; the connection is closed.
/// Threads  The loop's thread only.
/// Spec     RFC 8446, RFC 5246, RFC 6066 3, RFC 7301, RFC 9525
/// Code     src/net/tls_openssl_transport.cpp, tests/net/tls_test.cpp
Task<std::unique_ptr<TLSTransport>> tls_handshake(std::unique_ptr<Transport> transport,
                                                  std::shared_ptr<const TLSContext> context,
                                                  std::string host = {},
                                                  TLSHandshakeOptions options = {});

}  // namespace coronado

template <>
struct std::is_error_code_enum<coronado::TLSErrc> : std::true_type {};
