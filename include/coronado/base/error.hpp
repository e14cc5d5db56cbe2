/// The exception types of the library, all of them.
///
///     Cancelled            the task was asked to stop (not a std::exception)
///     TimeoutError         a deadline passed
///     ClosedError          a queue, pool or loop was closed
///     QueueFull, QueueEmpty   the `_nowait` verbs could not be served at once
///     StreamClosedError    a connection ended or broke
///     StreamLimitError     a peer sent more than it may
///     CalledProcessError   a program ended with an error
///     HTTPError            answer this request with that status
///     HTTPInputError       a peer's message breaks HTTP's rules
///     UsageError           a program's options or configuration are wrong
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

/// An option, a configuration value or an argument of the program is wrong; the message names it.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The standard reason phrase of an HTTP status, "Unknown" for a number without one.
/// Spec  RFC 9110 15, the IANA registry.   Tornado  `httputil.responses`.
const char* reason_phrase(int status) noexcept;

}  // namespace coronado
