/// The exception types of the library, all of them.
///
///     Cancelled            the task was asked to stop (not a std::exception)
///     TimeoutError         a deadline passed
///     ClosedError          a queue, pool or loop was closed
///     QueueFull, QueueEmpty   the `_nowait` verbs could not be served at once
///     StreamClosedError    a connection ended or broke
///     StreamLimitError     more bytes than a limit allows; its kinds:
///                          UnsatisfiableReadError, StreamBufferFullError
///     BindError            an address cannot be listened on; AddressInUseError: somebody has it
///     WebSocketClosedError a message for a WebSocket that is closed
///     ResolveError         a host name has no address, or nobody could say
///     ConnectError         no connection could be made; every attempt with its reason
///     CalledProcessError   a program ended with an error
///     HTTPError            answer this request with that status
///     HTTPInputError       a peer's message breaks HTTP's rules
///     HTTPClientError      a fetch failed, or was answered with an error; its kinds without an answer:
///                          HTTPTimeoutError, HTTPConnectError, HTTPStreamClosedError,
///                          HTTPResponseError
///     UsageError           a program's options or configuration are wrong
///     TLSError             TLS could not be set up, or a handshake failed; its kinds:
///       TLSConfigError       a context cannot be made: TLSFileError, TLSKeyMismatchError,
///                            TLSWeakKeyError, TLSCipherError
///       TLSHandshakeError    a handshake failed: TLSGarbageError, TLSAlertError,
///                            TLSTruncatedError
///       TLSCertificateError  a peer's certificate is not accepted: TLSExpiredError,
///                            TLSHostError, TLSSelfSignedError, TLSUntrustedError,
///                            TLSNoCertificateError
///     TLSTimeoutError      a handshake took too long (a TimeoutError)
///
/// Layer: base.
#pragma once

#include <coronado/base/clock.hpp>

#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

namespace coronado {

/// Thrown at a `co_await` when the task has been asked to stop.
///
/// It does not derive from `std::exception`, so that `catch (const std::exception&)` in a handler
/// cannot swallow it. Catch it only to clean up, and rethrow.
/// Tornado  `asyncio.CancelledError`.
struct Cancelled {};

/// A deadline passed before the work was done.   Tornado  `gen.TimeoutError`.
class TimeoutError : public std::runtime_error {
 public:
  TimeoutError() : std::runtime_error("Timeout") {}
  using std::runtime_error::runtime_error;
};

/// A queue, pool or loop was closed while, or before, somebody waited on it.
class ClosedError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// `put_nowait` found no room.   Tornado  `queues.QueueFull`.
class QueueFull : public std::runtime_error {
 public:
  QueueFull() : std::runtime_error("queue is full") {}
  using std::runtime_error::runtime_error;
};

/// `get_nowait` found nothing.   Tornado  `queues.QueueEmpty`.
class QueueEmpty : public std::runtime_error {
 public:
  QueueEmpty() : std::runtime_error("queue is empty") {}
};

/// The connection ended, or broke, before the operation was done. `code()` says why; an orderly end
/// by the peer has the empty code.   Tornado  `iostream.StreamClosedError`.
class StreamClosedError : public std::runtime_error {
 public:
  explicit StreamClosedError(std::error_code code = {})
      : std::runtime_error(code ? "Stream is closed: " + code.message() : "Stream is closed"),
        code_(code) {}
  const std::error_code& code() const noexcept { return code_; }

 private:
  std::error_code code_;
};

/// Nothing can be sent any more: the WebSocket is closed, or is being closed.
/// Tornado  `websocket.WebSocketClosedError`.
class WebSocketClosedError : public std::runtime_error {
 public:
  WebSocketClosedError() : std::runtime_error("WebSocket is closed") {}
};

/// There are more bytes than a limit allows; the message names it.
class StreamLimitError : public std::runtime_error {
 public:
  StreamLimitError(const std::string& message, std::size_t limit)
      : std::runtime_error(message), limit_(limit) {}
  /// The limit, in bytes.
  std::size_t limit() const noexcept { return limit_; }

 private:
  std::size_t limit_;
};

/// A peer sent more than a read may take: "the delimiter did not come within max_bytes (1024)".
/// Tornado  `iostream.UnsatisfiableReadError`.
class UnsatisfiableReadError : public StreamLimitError {
 public:
  UnsatisfiableReadError(const std::string& message, std::size_t limit, std::string peer)
      : StreamLimitError(message, limit), peer_(std::move(peer)) {}
  /// Who sent it: "192.0.2.7:4711"; "a stream" when it has no address.
  const std::string& peer() const noexcept { return peer_; }

 private:
  std::string peer_;
};

/// More would be kept to be sent than a limit allows.   Tornado  `iostream.StreamBufferFullError`.
struct StreamBufferFullError : StreamLimitError {
  using StreamLimitError::StreamLimitError;
};

/// An address cannot be listened on, or be bound to: "cannot listen on 127.0.0.1:80: Permission
/// denied". `code()` says why.
class BindError : public std::system_error {
 public:
  /// Params   attempt  What was attempted, without the address: "cannot listen on ".
  ///          detail   What is known beyond `code`. Empty: nothing.
  BindError(std::error_code code, const std::string& attempt, std::string address,
            const std::string& detail = {})
      : std::system_error(code, attempt + address + detail), address_(std::move(address)) {}
  /// "127.0.0.1:80", "unix:/run/app.sock".
  const std::string& address() const noexcept { return address_; }

 private:
  std::string address_;
};

/// Somebody else has the address: `std::errc::address_in_use`.
struct AddressInUseError : BindError {
  using BindError::BindError;
};

/// Throws an `AddressInUseError` or a `BindError`, as `code` says; see there.
[[noreturn]] void throw_bind_error(std::error_code code, const std::string& attempt,
                                   std::string address);

/// A host name could not be turned into addresses: "cannot resolve db.local: no such name".
/// Tornado  `socket.gaierror`.
class ResolveError : public std::runtime_error {
 public:
  enum class Reason : unsigned char {
    kNoSuchName,     ///< the name does not exist
    kNoAddress,      ///< the name exists, but has no address of the family asked for
    kServerFailure,  ///< a name server could not find out
    kRefused,        ///< the name servers refuse to answer, or nothing listens there
    kTimeout,        ///< no name server answered in time
    kMalformed,      ///< the text is no host name; nobody was asked
    kSystem,         ///< this machine could not ask
  };

  /// Params   detail  What is known beyond the reason. Empty: nothing.
  ///          ttl     See `ttl()`.
  ResolveError(std::string host, Reason reason, std::string detail = {},
               std::optional<Duration> ttl = std::nullopt);

  /// The name as it was asked for.
  const std::string& host() const noexcept { return host_; }
  Reason reason() const noexcept { return reason_; }

  /// How long it may be remembered that there is nothing. Nothing: nobody said.   Spec  RFC 2308 5
  std::optional<Duration> ttl() const noexcept { return ttl_; }

  /// True when asking again later may help: the answer is missing, not negative.
  bool temporary() const noexcept {
    return reason_ != Reason::kNoSuchName && reason_ != Reason::kNoAddress &&
           reason_ != Reason::kMalformed;
  }

 private:
  std::string host_;
  Reason reason_;
  std::optional<Duration> ttl_;
};

/// One address that a client tried to connect to in vain.
struct FailedAttempt {
  std::string address;   ///< "192.0.2.1:80", "[2001:db8::1]:80", "unix:/run/app.sock"
  std::error_code code;  ///< `std::errc::timed_out` after a time limit of ours too
  std::string reason;    ///< "Connection refused", "timed out after 3 s"
};

/// No connection could be made. The message names the phase, each address and its reason: "cannot
/// connect to example.org:80: 192.0.2.1:80 Connection refused; [2001:db8::1]:80 timed out after 3 s".
class ConnectError : public std::runtime_error {
 public:
  enum class Phase : unsigned char {
    kResolve,  ///< the name gave no address; `resolve_reason()` says why
    kConnect,  ///< no address answered; see `attempts()`
    kUpgrade,  ///< connected, but the layer above (TLS) failed
  };

  /// Params   target    What was asked for: "example.org:80".
  ///          reason    Why, in words; empty: what `attempts` say.
  ConnectError(std::string target, Phase phase, std::error_code code, std::string reason,
               std::vector<FailedAttempt> attempts = {},
               std::optional<ResolveError::Reason> resolve_reason = std::nullopt,
               std::exception_ptr cause = nullptr);

  const std::string& target() const noexcept { return target_; }
  Phase phase() const noexcept { return phase_; }
  /// Of the attempt that failed last; `std::errc::timed_out` after a time limit; may be empty
  /// when the name did not resolve or the upgrade failed.
  const std::error_code& code() const noexcept { return code_; }
  /// The addresses in the order in which they failed.
  const std::vector<FailedAttempt>& attempts() const noexcept { return attempts_; }
  /// Set in the phase `kResolve`.
  std::optional<ResolveError::Reason> resolve_reason() const noexcept { return resolve_reason_; }
  /// In the phase `kUpgrade`: what the layer above threw, such as a `TLSCertificateError`, for those
  /// who want its type. Null: it threw nothing, it was out of time.
  const std::exception_ptr& cause() const noexcept { return cause_; }

 private:
  std::string target_;
  Phase phase_;
  std::error_code code_;
  std::vector<FailedAttempt> attempts_;
  std::optional<ResolveError::Reason> resolve_reason_;
  std::exception_ptr cause_;
};

/// A program that was run ended with an exit code other than zero, or by a signal. The message names
/// the command: `command "ls /nowhere" exited with code 2`.
/// Tornado  `process.CalledProcessError`.
class CalledProcessError : public std::runtime_error {
 public:
  /// Params   returncode  The exit code, or the number of the signal, negative.
  CalledProcessError(std::string command, int returncode, const std::string& how)
      : std::runtime_error("command \"" + command + "\" " + how),
        command_(std::move(command)),
        returncode_(returncode) {}
  const std::string& command() const noexcept { return command_; }
  int returncode() const noexcept { return returncode_; }

 private:
  std::string command_;
  int returncode_;
};

/// Thrown by a handler to answer with `status`.
///
/// `what()` is "HTTP 404: Not Found (log message)" and goes to the log, never to the client; the
/// client sees the status and `reason()`.
/// Tornado  `web.HTTPError`.
class HTTPError : public std::runtime_error {
 public:
  /// Params   status       100 to 599.
  ///          log_message  For the log only. Empty: none.
  ///          reason       The reason phrase sent. Empty: the standard one of `status`.
  explicit HTTPError(int status = 500, std::string log_message = {}, std::string reason = {});

  int status() const noexcept { return status_; }
  const std::string& log_message() const noexcept { return log_message_; }
  const std::string& reason() const noexcept { return reason_; }

 private:
  int status_;
  std::string log_message_;
  std::string reason_;
};

/// A required argument is missing: 400, "Missing argument NAME".   Tornado
/// `web.MissingArgumentError`.
class MissingArgumentError : public HTTPError {
 public:
  explicit MissingArgumentError(std::string name)
      : HTTPError(400, "Missing argument " + name), name_(std::move(name)) {}
  const std::string& name() const noexcept { return name_; }

 private:
  std::string name_;
};

/// A peer's HTTP message breaks the rules.   Tornado  `httputil.HTTPInputError`.
class HTTPInputError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct HTTPClientResponse;

/// A fetch failed, or its response is none of success (200 to 299). The message names the URL:
/// "GET http://example.org/x: HTTP 404: Not Found".   Tornado  `httpclient.HTTPClientError`.
class HTTPClientError : public std::runtime_error {
 public:
  /// For failures without a response.
  static constexpr int kNoResponse = 599;

  /// Params   url      Without user information.
  ///          message  All of it, the URL included.
  HTTPClientError(int code, std::string url, const std::string& message,
                  std::shared_ptr<const HTTPClientResponse> response = nullptr)
      : std::runtime_error(message),
        code_(code),
        url_(std::move(url)),
        response_(std::move(response)) {}

  /// The status of the response, or 599 when there is none.
  int code() const noexcept { return code_; }
  /// What was fetched when it failed: after redirects the last one.
  const std::string& url() const noexcept { return url_; }
  /// The response; null when there is none.
  const std::shared_ptr<const HTTPClientResponse>& response() const noexcept { return response_; }

 private:
  int code_;
  std::string url_;
  std::shared_ptr<const HTTPClientResponse> response_;
};

/// What a client was doing when it failed.
enum class HTTPPhase : unsigned char {
  kQueue,    ///< waiting for one of the client's places
  kConnect,  ///< looking the name up, connecting, the proxy's and the TLS handshake
  kSend,     ///< sending the request
  kWait,     ///< waiting for the head of the response
  kReceive,  ///< receiving the body
};

/// A fetch was out of time; the message says in which phase, and where.
/// Tornado  `simple_httpclient.HTTPTimeoutError`.
class HTTPTimeoutError : public HTTPClientError {
 public:
  HTTPTimeoutError(std::string url, const std::string& message, HTTPPhase phase)
      : HTTPClientError(kNoResponse, std::move(url), message), phase_(phase) {}
  HTTPPhase phase() const noexcept { return phase_; }

 private:
  HTTPPhase phase_;
};

/// No connection could be made: each address with its reason, the proxy's refusal, or the reason
/// why TLS failed.
class HTTPConnectError : public HTTPClientError {
 public:
  HTTPConnectError(std::string url, const std::string& message, ConnectError connect_error)
      : HTTPClientError(kNoResponse, std::move(url), message),
        connect_error_(std::move(connect_error)) {}
  const ConnectError& connect_error() const noexcept { return connect_error_; }

 private:
  ConnectError connect_error_;
};

/// The connection ended or broke before the response was complete.
/// Tornado  `simple_httpclient.HTTPStreamClosedError`.
class HTTPStreamClosedError : public HTTPClientError {
 public:
  HTTPStreamClosedError(std::string url, const std::string& message, HTTPPhase phase,
                        std::error_code reason)
      : HTTPClientError(kNoResponse, std::move(url), message), phase_(phase), reason_(reason) {}
  HTTPPhase phase() const noexcept { return phase_; }
  /// Why the connection broke; none after an orderly end by the peer.
  const std::error_code& reason() const noexcept { return reason_; }

 private:
  HTTPPhase phase_;
  std::error_code reason_;
};

/// What came is no response by HTTP's rules, or is larger than a limit allows.
class HTTPResponseError : public HTTPClientError {
 public:
  enum class Kind : unsigned char {
    kMalformed,  ///< it breaks the rules
    kTooLarge,   ///< it exceeds a limit
  };
  HTTPResponseError(std::string url, const std::string& message, Kind kind)
      : HTTPClientError(kNoResponse, std::move(url), message), kind_(kind) {}
  Kind kind() const noexcept { return kind_; }

 private:
  Kind kind_;
};

/// An option, a configuration value or an argument of the program is wrong; the message names it.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// TLS could not be set up, or a handshake failed. The message says what was attempted and why it
/// failed.   Tornado  `ssl.SSLError`, `ssl.CertificateError`.
class TLSError : public std::runtime_error {
 public:
  TLSError(std::string subject, const std::string& message)
      : std::runtime_error(message), subject_(std::move(subject)) {}
  /// What it is about: a file, a list of ciphers, a host, or a peer's address.
  const std::string& subject() const noexcept { return subject_; }

 private:
  std::string subject_;
};

/// A context cannot be made of what it was given.
class TLSConfigError : public TLSError {
 public:
  using TLSError::TLSError;
};
/// A certificate or key file is absent, unreadable, or does not hold what it should.
struct TLSFileError : TLSConfigError {
  using TLSConfigError::TLSConfigError;
};
/// A private key belongs to another certificate.
struct TLSKeyMismatchError : TLSConfigError {
  using TLSConfigError::TLSConfigError;
};
/// A certificate of ours has a key, or a signature, that can be broken.
struct TLSWeakKeyError : TLSConfigError {
  using TLSConfigError::TLSConfigError;
};
/// A list of ciphers names none, or an unknown one.
struct TLSCipherError : TLSConfigError {
  using TLSConfigError::TLSConfigError;
};

/// A handshake failed for a reason that has no type of its own: no common version or cipher, ...
class TLSHandshakeError : public TLSError {
 public:
  using TLSError::TLSError;
};
/// The peer does not speak TLS: it sent plain HTTP, or something else.
struct TLSGarbageError : TLSHandshakeError {
  using TLSHandshakeError::TLSHandshakeError;
};
/// The peer refused us with an alert.
class TLSAlertError : public TLSHandshakeError {
 public:
  TLSAlertError(std::string subject, const std::string& message, int alert)
      : TLSHandshakeError(std::move(subject), message), alert_(alert) {}
  /// Its number.   Spec  RFC 8446 6
  int alert() const noexcept { return alert_; }

 private:
  int alert_;
};
/// The connection ended, or broke, before the handshake was done.
struct TLSTruncatedError : TLSHandshakeError {
  using TLSHandshakeError::TLSHandshakeError;
};

/// The peer's certificate is not accepted for a reason that has no type of its own.
struct TLSCertificateError : TLSHandshakeError {
  using TLSHandshakeError::TLSHandshakeError;
};
/// It has expired, or is not valid yet.
struct TLSExpiredError : TLSCertificateError {
  using TLSCertificateError::TLSCertificateError;
};
/// It is for other hosts.
struct TLSHostError : TLSCertificateError {
  using TLSCertificateError::TLSCertificateError;
};
/// It is signed by nobody but itself.
struct TLSSelfSignedError : TLSCertificateError {
  using TLSCertificateError::TLSCertificateError;
};
/// It is signed by somebody who is not trusted.
struct TLSUntrustedError : TLSCertificateError {
  using TLSCertificateError::TLSCertificateError;
};
/// The peer has to show one, and did not.
struct TLSNoCertificateError : TLSCertificateError {
  using TLSCertificateError::TLSCertificateError;
};

/// A handshake was not done in time.
class TLSTimeoutError : public TimeoutError {
 public:
  TLSTimeoutError(std::string subject, const std::string& message)
      : TimeoutError(message), subject_(std::move(subject)) {}
  /// The host, or the peer's address.
  const std::string& subject() const noexcept { return subject_; }

 private:
  std::string subject_;
};

/// The standard reason phrase of an HTTP status, "Unknown" for a number without one.
/// Spec  RFC 9110 15, the IANA registry.   Tornado  `httputil.responses`.
const char* reason_phrase(int status) noexcept;

}  // namespace coronado
