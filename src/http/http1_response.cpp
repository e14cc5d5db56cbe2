// The responses: how a connection writes the heads and bodies of its exchanges.
#include <algorithm>
#include <stdexcept>
#include <string>

#include "http/chunked.hpp"
#include "http/http1_connection.hpp"
#include "http/httpserver_core.hpp"

namespace coronado {
namespace {

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr std::string_view kClose = "Connection: close\r\n";
constexpr std::string_view kUpgrade = "Connection: Upgrade\r\n";
constexpr std::string_view kKeepAlive = "Connection: keep-alive\r\n";
constexpr std::string_view kLastChunk = "0\r\n";
constexpr std::string_view kErrorFields = "Content-Type: text/plain; charset=utf-8\r\n";
/// RFC 9110 12.5.3: with 415 it says what might have been sent.
constexpr std::string_view kUnsupportedFields =
    "Content-Type: text/plain; charset=utf-8\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n";

/// Larger pieces go to the socket by themselves instead of through the common buffer.
constexpr std::size_t kLargePiece = 32 * 1024;

bool status_forbids_body(int status) noexcept {
  return status < 200 || status == 204 || status == 304;
}

}  // namespace

/// The buffer to write to: the server's while this connection is corked, else one that is sent at
/// the end of the call.
class HTTP1Connection::Emission {
 public:
  explicit Emission(HTTP1Connection& connection) noexcept
      : connection_(connection), corked_(connection.server_.corked == &connection) {}
  ~Emission() {
    if (!corked_ && !own_.empty()) connection_.send(own_.view());
  }
  OutputBuffer& buffer() noexcept { return corked_ ? connection_.server_.output : own_; }

  /// Appends a piece of a body; a large one goes straight to the socket, and so does a buffer that
  /// has become large: what is back-pressure is known of the transport only.
  void append(std::string_view piece) {
    if (piece.size() + buffer().size() < kLargePiece) return buffer().append(piece);
    if (!buffer().empty()) connection_.send(buffer().view());
    buffer().clear();
    connection_.send(piece);
  }

 private:
  HTTP1Connection& connection_;
  bool corked_;
  OutputBuffer own_;
};

/// The client may send its body.
void HTTP1Connection::send_continue() {
  Emission out(*this);  // behind the responses to earlier requests
  out.buffer().append(kContinue);
}

void HTTP1Connection::send_interim(const ResponseHead& head) {
  std::string text = "HTTP/1.1 " + std::to_string(head.status) + " ";
  text += head.reason.empty() ? std::string_view(reason_phrase(head.status)) : head.reason;
  text.append("\r\n").append(head.fields).append("\r\n");
  Emission out(*this);
  out.buffer().append(text);
}

void HTTP1Connection::start(HTTPExchange& exchange, const ResponseHead& head,
                            std::optional<std::uint64_t> length, std::string_view first) {
  const RequestHead& request = exchange.request_.head_;
  const bool old_client = request.minor_version() == 0;
  ResponseFraming framing = ResponseFraming::kLength;
  exchange.body_forbidden_ =
      status_forbids_body(head.status) || request.method_id() == Method::kHead;
  if (status_forbids_body(head.status)) {
    framing = ResponseFraming::kNone;
  } else if (!length) {
    framing = exchange.body_forbidden_ ? ResponseFraming::kNone
              : old_client             ? ResponseFraming::kClose
                                       : ResponseFraming::kChunked;
  }
  exchange.chunked_ = framing == ResponseFraming::kChunked;
  if (framing == ResponseFraming::kClose || server_.draining) exchange.keep_alive_ = false;
  const std::string_view connection = exchange.next_          ? kUpgrade
                                      : !exchange.keep_alive_ ? kClose
                                      : old_client            ? kKeepAlive
                                                              : std::string_view();
  Emission out(*this);
  server_.heads.write(out.buffer(), server_.loop.turn_time(), head, framing, length.value_or(0),
                      connection);
  if (first.empty() || exchange.body_forbidden_) return;
  if (exchange.length_known_ && first.size() > exchange.promised_) {
    exchange.abort();
    throw std::logic_error("more was written than Content-Length says");
  }
  exchange.body_sent_ += first.size();
  if (exchange.chunked_) append_chunk_header(out.buffer(), first.size());
  out.append(first);
  if (exchange.chunked_) out.buffer().append("\r\n");
}

void HTTP1Connection::write(HTTPExchange& exchange, std::string_view bytes) {
  Emission out(*this);
  if (exchange.chunked_) append_chunk_header(out.buffer(), bytes.size());
  out.append(bytes);
  if (exchange.chunked_) out.buffer().append("\r\n");
}

std::optional<std::size_t> HTTP1Connection::send_file(int file, std::uint64_t offset,
                                                      std::size_t count) {
  flush_output();  // the head goes before it
  const std::optional<std::size_t> sent = transport_->send_file(file, offset, count);
  watch(server_.options.write_timeout);
  return sent;
}

void HTTP1Connection::finish(HTTPExchange& exchange, std::string_view trailers) {
  if (!exchange.chunked_) return;
  Emission out(*this);
  out.buffer().append(kLastChunk);
  out.buffer().append(trailers);
  out.buffer().append("\r\n");
}

void HTTP1Connection::abort(HTTPExchange& exchange) noexcept {
  exchange.keep_alive_ = false;
  // What was written so far leaves with the connection: the client sees a truncated message.
  flush_output();
  enter_from_outside([this] { dead_ = true; });
}

void HTTP1Connection::write_error_response(int status) {
  std::string body = std::to_string(status) + " " + reason_phrase(status) + "\n";
  ResponseHead head;
  head.status = status;
  head.fields = status == 415 ? kUnsupportedFields : kErrorFields;
  exchange_->respond(head, body);
}

std::size_t HTTP1Connection::pending() const noexcept { return transport_->pending(); }
bool HTTP1Connection::draining() const noexcept { return server_.draining; }

}  // namespace coronado
