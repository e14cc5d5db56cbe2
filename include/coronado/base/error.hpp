/// The exception types of the library, all of them.
///
///     Cancelled            the task was asked to stop (not a std::exception)
///     TimeoutError         a deadline passed
///     ClosedError          a queue, pool or loop was closed
///     QueueFull, QueueEmpty   the `_nowait` verbs could not be served at once
///     StreamClosedError    a connection ended or broke
///     StreamLimitError     a peer sent more than it may
///     HTTPError            answer this request with that status
///     HTTPInputError       a peer's message breaks HTTP's rules
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

#include <stdexcept>
#include <string>
#include <system_error>

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

/// A peer sent more than a limit allows.   Tornado  `StreamBufferFullError`,
/// `UnsatisfiableReadError`.
class StreamLimitError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
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
class TLSFileError : public TLSConfigError {
 public:
  using TLSConfigError::TLSConfigError;
};
/// A private key belongs to another certificate.
class TLSKeyMismatchError : public TLSConfigError {
 public:
  using TLSConfigError::TLSConfigError;
};
/// A certificate of ours has a key, or a signature, that can be broken.
class TLSWeakKeyError : public TLSConfigError {
 public:
  using TLSConfigError::TLSConfigError;
};
/// A list of ciphers names none, or an unknown one.
class TLSCipherError : public TLSConfigError {
 public:
  using TLSConfigError::TLSConfigError;
};

/// A handshake failed for a reason that has no type of its own: no common version or cipher, ...
class TLSHandshakeError : public TLSError {
 public:
  using TLSError::TLSError;
};
/// The peer does not speak TLS: it sent plain HTTP, or something else.
class TLSGarbageError : public TLSHandshakeError {
 public:
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
class TLSTruncatedError : public TLSHandshakeError {
 public:
  using TLSHandshakeError::TLSHandshakeError;
};

/// The peer's certificate is not accepted for a reason that has no type of its own.
class TLSCertificateError : public TLSHandshakeError {
 public:
  using TLSHandshakeError::TLSHandshakeError;
};
/// It has expired, or is not valid yet.
class TLSExpiredError : public TLSCertificateError {
 public:
  using TLSCertificateError::TLSCertificateError;
};
/// It is for other hosts.
class TLSHostError : public TLSCertificateError {
 public:
  using TLSCertificateError::TLSCertificateError;
};
/// It is signed by nobody but itself.
class TLSSelfSignedError : public TLSCertificateError {
 public:
  using TLSCertificateError::TLSCertificateError;
};
/// It is signed by somebody who is not trusted.
class TLSUntrustedError : public TLSCertificateError {
 public:
  using TLSCertificateError::TLSCertificateError;
};
/// The peer has to show one, and did not.
class TLSNoCertificateError : public TLSCertificateError {
 public:
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
