/// One request and its response, and who answers: the seam between the server and what stands on
/// it.
///
///     HTTPExchange   a request with the means to answer it
///     HTTPEndpoint   answers requests of one kind
///     HTTPService    chooses the endpoint, and hears how it went
///     HTTPRefusal    what never came to an endpoint
///     ResponseHead   status and fields of a response
///
/// Nothing here depends on the version of HTTP.
///
/// Threads  The loop's thread only.
/// Layer: http.
#pragma once

#include <coronado/base/function.hpp>
#include <coronado/coro/task_group.hpp>
#include <coronado/http/server_request.hpp>
#include <coronado/loop/ioloop.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace coronado {

class HeaderBlock;
class HTTPExchange;
class HTTPHeaders;
class OpenFile;
class OutputTransform;
class ResponseEncoder;
class UpgradedConnection;

/// Status and header fields of a response. Framing (`Content-Length`, `Transfer-Encoding`,
/// `Connection`) is the server's business, and `Date` and `Server` are added where they are
/// missing.
struct ResponseHead {
  int status = 200;
  /// Empty: the standard phrase.
  std::string_view reason = {};
  /// Fields as they go on the wire, each ended by CRLF; names and values checked by who built them.
  std::string_view fields = {};
  bool has_date = false;
  bool has_server = false;
};

/// What a version of HTTP implements for the exchanges it carries.
class ResponseSink {
 public:
  virtual void send_interim(const ResponseHead& head) = 0;
  virtual void start(HTTPExchange& exchange, const ResponseHead& head,
                     std::optional<std::uint64_t> length, std::string_view first) = 0;
  virtual void write(HTTPExchange& exchange, std::string_view bytes) = 0;
  /// See `Transport::send_file`.
  virtual std::optional<std::size_t> send_file(int file, std::uint64_t offset,
                                               std::size_t count) = 0;
  virtual void finish(HTTPExchange& exchange, std::string_view trailers) = 0;
  virtual void abort(HTTPExchange& exchange) noexcept = 0;
  virtual std::size_t pending() const noexcept = 0;
  virtual bool draining() const noexcept = 0;
  virtual void want_body(HTTPExchange& exchange) = 0;
  /// See `Transport::receive_now`.
  virtual void receive_now() noexcept = 0;
  virtual void task_finished(HTTPExchange& exchange, TaskOutcome outcome,
                             const std::exception_ptr& error) noexcept = 0;

 protected:
  ~ResponseSink() = default;
};

/// What an endpoint allows a request's body, where it differs from the server's own limits.
struct HTTPEndpointLimits {
  /// Most bytes, after the chunked coding is taken off, and again after it was decompressed.
  /// When exceeded: `413 Content Too Large`, then close.
  std::optional<std::uint64_t> max_body_size = std::nullopt;
  /// Longest pause between two pieces. When it passes: `408 Request Timeout`, then close.
  std::optional<Duration> body_timeout = std::nullopt;
  /// Least bytes a second; zero: no limit. See `HTTPServerOptions::min_body_rate`.
  std::optional<std::uint32_t> min_body_rate = std::nullopt;
  /// Of a multipart body: all of them, instead of those in `HTTPLimits`.
  /// When exceeded: `400 Bad Request`.
  std::optional<MultipartLimits> multipart = std::nullopt;
};

/// A message that was refused before it was handed to an endpoint, or while its body came.
struct HTTPRefusal {
  const SocketAddress& peer;
  int status;
  /// For the log.
  std::string_view reason;
  /// The request, when its head was whole and valid: it is for its body, or its rate. Null: there is
  /// none.
  const HTTPServerRequest* request;
};

/// Answers requests of one kind.
class HTTPEndpoint {
 public:
  virtual ~HTTPEndpoint() = default;

  /// Begins to answer. Returns an empty task when the response is complete; otherwise the task that
  /// will complete it, which the server runs and cancels when the client goes away.
  /// Throws  Anything: answered with 500 and logged.
  /// Cancel  The server cancels the task when the client goes away, and when it closes; it waits
  ///         until the task has ended.
  virtual Task<> handle(HTTPExchange& exchange) = 0;

  /// False: `handle` never returns a task, and the request's bytes need not be kept for it.
  bool suspends() const noexcept { return suspends_; }
  /// True: `handle` is called when the head is complete, and reads the body itself.
  bool streams_body() const noexcept { return streams_body_; }
  /// What task dumps call its requests. Static as long as the endpoint lives.
  const char* name() const noexcept { return name_; }

  const HTTPEndpointLimits& limits() const noexcept { return limits_; }

  /// Set once, before the first request.
  void set_limits(const HTTPEndpointLimits& limits) noexcept { limits_ = limits; }
  void describe(const char* name, bool streams_body) noexcept {
    name_ = name;
    streams_body_ = streams_body;
  }

 protected:
  bool suspends_ = true;
  bool streams_body_ = false;
  const char* name_ = "request";
  HTTPEndpointLimits limits_;
};

/// Chooses the endpoint of each request.
class HTTPService {
 public:
  virtual ~HTTPService() = default;

  /// Makes an exchange; the server recycles them. Services derive from it to keep their own data.
  virtual std::unique_ptr<HTTPExchange> make_exchange();

  /// The endpoint for a request whose head is complete.
  virtual HTTPEndpoint& route(HTTPExchange& exchange) = 0;

  /// The response is complete, or was cut.
  virtual void request_done(HTTPExchange& exchange) noexcept = 0;

  /// A message was refused; for that there is no `request_done`.
  virtual void request_refused(const HTTPRefusal& refusal) noexcept;
};

/// A request with the means to answer it.
///
/// Either `respond` once, or `start`, `write`..., `finish`.
class HTTPExchange : private detail::TaskOwner {
 public:
  HTTPExchange();
  virtual ~HTTPExchange();

  HTTPServerRequest& request() noexcept { return request_; }
  const HTTPServerRequest& request() const noexcept { return request_; }
  IOLoop& loop() noexcept { return *loop_; }

  // --- the response --------------------------------------------------------------------------

  /// Sends a whole response. The body is left out where HTTP forbids one (HEAD, 204, 304), and
  /// compressed when the server does that.
  void respond(const ResponseHead& head, std::string_view body);

  /// Sends an interim response ahead of the real one, at once. Clients of HTTP/1.0 get none.
  ///
  ///     exchange.send_interim({.status = 103, .fields = "Link: </a.css>; rel=preload; as=style\r\n"});
  ///
  /// Throws  std::logic_error       The response has begun.
  ///         std::invalid_argument  The status is not one of 102 to 199; 100 and 101 are the server's.
  /// Spec    RFC 9110 15.2; RFC 8297 for 103.
  void send_interim(const ResponseHead& head);

  using HeadEditor = Function<void(int status, HeaderBlock& fields)>;
  /// Lets `edit` change the fields of this exchange's response just before its head is sent, whoever
  /// sends it: a handler, an error page. Editors are called in the reverse order of their
  /// registration, as the layers of an onion are left. `Date` and `Server` are added behind them, and
  /// the framing is not theirs. Interim responses are not edited.
  ///
  ///     exchange.edit_head([](int, HeaderBlock& fields) { fields.set("X-Frame-Options", "DENY"); });
  ///
  /// Params  edit  Include <coronado/http/header_block.hpp>. What it throws is thrown where the
  ///               response is started, and then nothing is sent.
  void edit_head(HeadEditor edit);

  /// Lets `transform` change this exchange's response, head and body, whoever sends it. Transforms
  /// are called in the reverse order of their registration, before the functions of `edit_head`; the
  /// compression comes last. They are for the first response that is begun: when one of them throws,
  /// the error page goes out without them. A connection that leaves HTTP passes them by.
  ///
  ///     exchange.transform_output(std::make_unique<Signature>());
  ///
  /// Params  transform  Include <coronado/http/output_transform.hpp>.
  /// Throws  std::logic_error  The response has begun.
  void transform_output(std::unique_ptr<OutputTransform> transform);
  /// Whether the response, which has not begun, will be transformed: a part of it is no part of what
  /// the client gets then.
  bool transforms_output() const noexcept { return transformed_ != nullptr; }

  /// Keeps a response that is given whole until `release_response`, so that what must happen before
  /// its head leaves can be awaited, such as the saving of a session. For the handler it has been
  /// given: `started()`, `finished()` and `status()` say so. A response in pieces leaves at once.
  ///
  ///     exchange.hold_response();
  ///     co_await next(exchange);
  ///     co_await save();              // drop_response() if it fails
  ///     exchange.release_response();
  ///
  /// The one who holds it releases or drops it before the task ends. Once the response has begun,
  /// nothing is held.
  void hold_response();
  /// Whether a response is kept back: its head can still be changed.
  bool response_held() const noexcept;
  /// Sends what was kept, if anything was. The functions of `edit_head` are called now.
  /// Throws  What they throw; then nothing is sent.
  void release_response();
  /// Forgets what was kept: another response can be given.
  void drop_response() noexcept;

  /// Compresses this response with `encoder`, or, null, leaves it as it is, whatever the server does.
  /// For <coronado/web/standard_middleware.hpp>.
  /// Lifetime  `encoder` must live until the response is finished.
  void compress_with(ResponseEncoder* encoder) noexcept { encoder_ = encoder; }

  /// Begins a response of known or unknown length, with its first bytes.
  /// Throws  std::logic_error  It has begun already.
  void start(const ResponseHead& head, std::optional<std::uint64_t> length,
             std::string_view first = {});

  /// Sends more of the body; see `drain` for back-pressure. The client can read it at once, also
  /// when the response is compressed.
  /// Throws  std::logic_error  Not started, finished, or more than the promised length: then the
  ///                           connection is cut.
  void write(std::string_view bytes);

  /// Sends `count` bytes of a file as more of the body, by sendfile where the channel has it and the
  /// response is not compressed. What is not in memory is read from the disk in a thread, and the
  /// loop has its turn after each piece.
  ///
  /// Throws   std::logic_error    As `write`.
  ///          StreamClosedError   The client went away.
  ///          std::runtime_error  The file ends before that, or cannot be read: what was promised
  ///                              cannot be sent, and the connection will be cut.
  /// Cancel   Ends the wait; what was sent is sent.
  Task<> write_file(std::shared_ptr<const OpenFile> file, std::uint64_t offset,
                    std::uint64_t count);

  /// Ends the response. Less than the promised length cuts the connection.
  void finish();

  /// The same, with fields that were not known when the response began. They are sent when its
  /// length was unknown and the client has said `TE: trailers`; else they are left out.
  ///
  ///     exchange.finish({{"Content-Digest", digest}});
  ///
  /// Throws  std::invalid_argument  One must not come behind a body, such as Content-Length.
  /// Spec    RFC 9110 6.5.
  void finish(const HTTPHeaders& trailers);

  /// Cuts the connection: the client sees a truncated message.
  void abort() noexcept;

  /// Leaves HTTP: answers 101 with these fields and, when the endpoint's task has ended, hands the
  /// connection to `next`.
  ///
  ///     exchange.upgrade({.status = 101, .fields = "Upgrade: echo\r\n"}, std::move(next));
  ///
  /// `Connection: Upgrade` is added. When the client goes away before, `next` is destroyed.
  /// Throws  std::logic_error  The response has begun, or the request is HTTP/1.0 or has a body.
  /// Spec    RFC 9110 7.8.
  void upgrade(const ResponseHead& head, std::unique_ptr<UpgradedConnection> next);

  /// Ends the connection with this response.
  void close_after_response() noexcept { keep_alive_ = false; }

  class Drain;
  /// Waits until what was written has left, as far as the high-water mark (64 KiB) asks.
  /// Throws   StreamClosedError  The client went away.
  /// Cancel   Ends the wait.
  Drain drain() noexcept;

  bool started() const noexcept { return started_; }
  bool finished() const noexcept { return finished_; }
  int status() const noexcept { return status_; }
  /// Of the body as it is sent: compressed, perhaps.
  std::uint64_t bytes_sent() const noexcept { return body_sent_; }

  // --- the request's body, for endpoints that stream it ------------------------------------------

  class ReadBody;
  /// The next piece of the body: what has come of it, at most some hundred KiB; empty at the end.
  /// Throws   StreamClosedError  The client went away before the end.
  ///          HTTPError          The body breaks the rules or a limit (400, 413), or pauses (408).
  /// Cancel   Ends the wait; nothing is lost.
  ReadBody read_body() noexcept;

  /// The status that says why the body cannot be read to its end: 400, 408, 413; 0: nothing is
  /// wrong with it, or it is not streamed. When the response is cut for that, it is its status, too.
  int body_error() const noexcept;
  /// What is wrong with it, for the log; empty: nothing. Static.
  std::string_view body_error_reason() const noexcept;

  // --- the client going away -----------------------------------------------------------------

  /// Called when the client has gone while the response is pending, before the task is cancelled.
  void set_close_callback(Function<void()> callback) { close_callback_ = std::move(callback); }
  /// False: the task goes on when the client goes away, and what it writes is dropped.
  void set_cancel_on_close(bool cancel) noexcept { cancel_on_close_ = cancel; }
  /// True: a server that drains cancels the task and ends the response, instead of waiting for it.
  /// For responses without an end of their own.
  void set_cancel_on_drain(bool cancel) noexcept { cancel_on_drain_ = cancel; }
  bool client_gone() const noexcept { return client_gone_; }
  /// The server is shutting down: this response is the last one of its connection.
  bool draining() const noexcept { return sink_ != nullptr && sink_->draining(); }

 protected:
  /// The request's bytes have moved: follow them.
  virtual void on_pinned() noexcept {}
  /// The exchange is about to be used for another request.
  virtual void on_recycled() noexcept {}

 private:
  friend class HTTP1Connection;
  struct Body;
  struct Encoded;
  struct Transformed;
  class Held;

  void on_child_finished(TaskContext& child, PromiseBase& root) noexcept override;
  void on_child_released() noexcept override;
  void recycle() noexcept;
  void pin();
  void start_edited(const ResponseHead& head, std::optional<std::uint64_t> length,
                    std::string_view first);
  void start_transformed(const ResponseHead& head, std::optional<std::uint64_t> length,
                         std::string_view first);
  bool keep_held(const ResponseHead& head, std::optional<std::uint64_t> length,
                 std::string_view first);
  void start_encoded(const ResponseHead& head, std::optional<std::uint64_t> length,
                     std::string_view first);
  void write_shaped(std::string_view bytes);
  void write_encoded(std::string_view bytes);
  void end(std::string_view trailers);
  void finish_shaped(std::string_view trailers);
  void finish_encoded(std::string_view trailers);
  void transform_piece(std::string& piece, bool finishing);
  void write_transformed(std::string_view bytes);
  bool finish_transformed();
  void send_transformed(std::string_view piece);
  void too_much();
  void too_little(std::uint64_t missing);

  HTTPServerRequest request_;
  IOLoop* loop_ = nullptr;
  ResponseSink* sink_ = nullptr;  // null when the connection has left HTTP
  HTTPEndpoint* endpoint_ = nullptr;
  TaskContext* task_ = nullptr;
  std::exception_ptr error_;  // with `outcome_`: how the task ended
  Function<void()> close_callback_;
  std::vector<HeadEditor> head_editors_;
  std::string pinned_;          // the head's bytes, once they are ours
  std::unique_ptr<Body> body_;  // while the body is not yet complete, and what was kept of it
  ResponseEncoder* encoder_ = nullptr;        // the server's; null: responses are not compressed
  std::unique_ptr<Encoded> encoded_;          // the response, when it is compressed in pieces
  std::unique_ptr<Transformed> transformed_;  // those to come, then those at work
  std::unique_ptr<Held> held_;                // between `hold_response` and its end
  Drain* drain_ = nullptr;
  std::unique_ptr<UpgradedConnection> next_;  // what the connection becomes
  std::uint64_t promised_ = 0;                // the length told to the client
  std::uint64_t body_sent_ = 0;
  int status_ = 0;
  TaskOutcome outcome_ = TaskOutcome::kPending;
  bool pinned_valid_ = false;
  bool started_ = false;
  bool finished_ = false;
  bool chunked_ = false;
  bool length_known_ = false;
  bool body_forbidden_ = false;  // HEAD, 204, 304
  bool shaped_ = false;          // there is `encoded_` or `transformed_`
  bool keep_alive_ = false;
  bool client_gone_ = false;
  bool cancel_on_close_ = true;
  bool cancel_on_drain_ = false;
};

/// The awaiter of `drain`.
class HTTPExchange::Drain final : public Suspension {
 public:
  static constexpr std::size_t kHighWater = 64 * 1024;
  explicit Drain(HTTPExchange& exchange, std::size_t high_water = kHighWater) noexcept
      : exchange_(exchange), high_water_(high_water) {}
  Drain(Drain&& other) noexcept : Drain(other.exchange_, other.high_water_) {}

  bool await_ready() const noexcept;
  template <class P>
  bool await_suspend(std::coroutine_handle<P> handle) noexcept {
    if (!park(handle.promise())) return false;
    exchange_.drain_ = this;
    return true;
  }
  void await_resume();
  void cancel() noexcept override;
  const char* what() const noexcept override { return "writing to the client"; }

 private:
  friend class HTTP1Connection;
  HTTPExchange& exchange_;
  std::size_t high_water_;
};

inline HTTPExchange::Drain HTTPExchange::drain() noexcept { return Drain(*this); }

/// The awaiter of `read_body`.
class HTTPExchange::ReadBody final : public Suspension {
 public:
  explicit ReadBody(HTTPExchange& exchange) noexcept : exchange_(exchange) {}
  ReadBody(ReadBody&& other) noexcept : ReadBody(other.exchange_) {}

  bool await_ready();
  template <class P>
  bool await_suspend(std::coroutine_handle<P> handle) noexcept {
    if (!park(handle.promise())) return false;
    listen();
    return true;
  }
  std::string await_resume();
  void cancel() noexcept override;
  const char* what() const noexcept override { return "reading the request's body"; }

 private:
  friend class HTTP1Connection;
  friend class HTTPExchange;
  bool has_something() const noexcept;
  void listen() noexcept;
  HTTPExchange& exchange_;
};

inline HTTPExchange::ReadBody HTTPExchange::read_body() noexcept { return ReadBody(*this); }

}  // namespace coronado
