// What a fetch does to send a request, and what a body producer writes to.
#include <coronado/coro/timeout.hpp>
#include <coronado/loop/ioloop.hpp>

#include <algorithm>
#include <stdexcept>

#include "http/client_fetch.hpp"

namespace coronado {
namespace {

/// A body up to this size is sent together with the head.
constexpr std::size_t kSmallBody = 64 * 1024;
/// Pieces of a larger one, and how much of it may be unsent.
constexpr std::size_t kUploadPiece = 64 * 1024;
/// RFC 9110 10.1.1: a client does not wait for 100 (Continue) without end.
constexpr Duration kContinueTime = std::chrono::seconds(1);
/// Of the text of a head and a small body so much memory is kept for the next one.
constexpr std::size_t kMostHead = 16 * 1024;

}  // namespace

void ClientFetch::send() {
  using Asked = ResponseDecoder::Request;
  connection_->begin(mode_ == Mode::kUpgrade ? Asked::kUpgrade
                     : method() == "HEAD"    ? Asked::kHead
                                             : Asked::kUsual,
                     keeps_body() ? core_.options.limits.max_body_size : kAnySize);
  phase_ = HTTPPhase::kSend;
  answered_ = false;
  go_ahead_.clear();
  uploaded_ = !uploads_beside();
  std::string& text = core_.head_text;
  write_head(text);
  if (uploaded_ && has_body()) text += *request_.body;
  sent_ = recent(hop_begin_);
  connection_->write(text);
  if (text.capacity() > kMostHead) text = std::string();
  if (uploaded_) phase_ = HTTPPhase::kWait;
}

/// The body is sent while the response is awaited.
Task<> ClientFetch::exchange_beside() {
  Function<Task<>(TaskGroup&)> body = [this](TaskGroup& group) { return transfer(group); };
  co_await with_group(std::move(body), "HTTP request");
}

/// A body that is sent beside receiving: the server may answer while it comes.
bool ClientFetch::uploads_beside() const noexcept {
  if (!has_body()) return false;
  return request_.body_producer || request_.expect_100_continue ||
         request_.body->size() > kSmallBody;
}

Task<> ClientFetch::transfer(TaskGroup& group) {
  TaskHandle<> sending = group.spawn(upload(), "HTTP request body");
  co_await receive();
  // The caller reads the body later, and nothing may be sent beside that.
  const bool wanted = mode_ == Mode::kHead && response_.ok() && connection_->decoder().in_body();
  if (wanted && !uploaded_) co_await sending.join();
  sending.cancel();
}

Task<> ClientFetch::upload() {
  if (request_.expect_100_continue) {
    try {
      co_await with_timeout(kContinueTime, go_ahead_.wait());
    } catch (const TimeoutError&) {  // then it does without
    }
    if (answered_) co_return;
  }
  try {
    if (request_.body) {
      for (std::string_view rest = *request_.body; !rest.empty();) {
        connection_->write(rest.substr(0, kUploadPiece));
        rest.remove_prefix(std::min(kUploadPiece, rest.size()));
        co_await connection_->drain(kUploadPiece);
      }
    } else {
      HTTPBodyWriter writer(*connection_, promised_length());
      co_await request_.body_producer(writer);
      if (writer.left_ != 0) {
        throw std::logic_error("the body producer wrote less than the Content-Length");
      }
      if (writer.chunked_) connection_->write("0\r\n" + writer.trailers_.to_string() + "\r\n");
    }
    sent_ = IOLoop::current()->now();
    uploaded_ = true;
    if (phase_ == HTTPPhase::kSend) phase_ = HTTPPhase::kWait;
  } catch (const StreamClosedError&) {  // the response, or that there is none, says more
  }
}

// --- HTTPBodyWriter ----------------------------------------------------------------------------

Task<> HTTPBodyWriter::write(std::string_view bytes) {
  if (!chunked_) {
    if (bytes.size() > left_) {
      throw std::logic_error("the body producer wrote more than the Content-Length");
    }
    left_ -= bytes.size();
    connection_.write(bytes);
  } else if (!bytes.empty()) {
    std::string chunk;
    chunk.reserve(bytes.size() + 24);
    append_chunk_header(chunk, bytes.size());
    chunk.append(bytes).append("\r\n");
    connection_.write(chunk);
  }
  co_await connection_.drain(kUploadPiece);
}

void HTTPBodyWriter::add_trailer(std::string_view name, std::string_view value) {
  if (!chunked_) throw std::logic_error("a request with a Content-Length has no trailers");
  if (!may_be_trailer(name)) {
    throw std::invalid_argument("must not come behind a body: " + std::string(name));
  }
  trailers_.add(name, value);
}

}  // namespace coronado
