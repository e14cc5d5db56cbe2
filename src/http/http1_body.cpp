// The bodies of requests: how a connection takes them in, and hands them to endpoints.
#include <algorithm>
#include <utility>

#include "http/exchange_body.hpp"
#include "http/http1_connection.hpp"
#include "http/httpserver_core.hpp"
#include "http/quote.hpp"

namespace coronado {
namespace {

constexpr std::size_t kAll = static_cast<std::size_t>(-1);
/// Memory taken on the word of a Content-Length; more comes as the bytes come.
constexpr std::uint64_t kMostReserved = 1024 * 1024;

}  // namespace

/// The head is whole, and a body follows. Returns how much of it was consumed.
std::size_t HTTP1Connection::begin_body(std::string_view rest) {
  HTTPExchange& exchange = *exchange_;
  const HTTPEndpoint& endpoint = *exchange.endpoint_;
  const RequestHead& head = exchange.request_.head_;
  if (head.content_length() > most_body()) {
    refuse(413, "the body is larger than the limit");
    return 0;
  }
  const bool encoded =
      server_.options.decompress_request && head.contains(FieldId::kContentEncoding);
  if (!encoded && head.framing() == Framing::kLength && rest.size() >= head.content_length()) {
    return take_whole_body(rest);
  }
  more_input_ = true;
  exchange.pin();
  exchange.body_ = std::make_unique<HTTPExchange::Body>(server_.options.limits);
  exchange.body_->left = head.content_length();
  exchange.body_->continue_wanted = head.expects_continue() && rest.empty();
  if (encoded && !begin_decoding()) return 0;
  if (endpoint.streams_body()) {
    dispatch();
  } else {
    exchange.body_->data.reserve(
        static_cast<std::size_t>(std::min(head.content_length(), kMostReserved)));
    enter(Phase::kBody);
    want_body(exchange);
  }
  return 0;
}

/// The whole body came with its head.
std::size_t HTTP1Connection::take_whole_body(std::string_view rest) {
  HTTPExchange& exchange = *exchange_;
  const auto size = static_cast<std::size_t>(exchange.request_.head_.content_length());
  exchange.request_.body_ = rest.substr(0, size);
  more_input_ = rest.size() > size;
  if (exchange.endpoint_->suspends()) {
    exchange.body_ = std::make_unique<HTTPExchange::Body>(server_.options.limits);
    exchange.body_->data.assign(exchange.request_.body_);
    exchange.body_->complete = true;
    exchange.request_.body_ = {};
    if (!exchange.endpoint_->streams_body()) exchange.request_.body_ = exchange.body_->data;
  }
  dispatch();
  return size;
}

/// Most bytes of the body of the request in progress.
std::uint64_t HTTP1Connection::most_body() const noexcept {
  return exchange_->endpoint_->limits().max_body_size.value_or(
      server_.options.limits.max_body_size);
}

/// How long the next piece of it is waited for: no longer than a pause may be, nor than makes the
/// whole body too slow.
Duration HTTP1Connection::body_patience() const noexcept {
  const HTTPServerOptions& options = server_.options;
  const HTTPEndpointLimits& limits = exchange_->endpoint_->limits();
  const Duration pause = limits.body_timeout.value_or(options.body_timeout);
  const std::uint32_t rate = limits.min_body_rate.value_or(options.min_body_rate);
  if (rate == 0) return pause;
  const HTTPExchange::Body& body = *exchange_->body_;
  constexpr std::uint64_t kMostSeconds = 1'000'000'000;
  const std::chrono::seconds earned(std::min(body.received / rate, kMostSeconds));
  return std::min(pause, std::max<Duration>(options.body_grace_period, earned) - body.waited);
}

/// The body is to be decompressed. False: it cannot be.
bool HTTP1Connection::begin_decoding() {
  HTTPServerRequest& request = exchange_->request_;
  std::string field;
  for (const HeaderField& line : request.head_.fields()) {
    if (line.id != FieldId::kContentEncoding) continue;
    field.append(field.empty() ? "" : ", ").append(line.value);
  }
  const HTTPLimits& limits = server_.options.limits;
  std::optional<ContentDecoder> decoder =
      ContentDecoder::make(field, most_body(), limits.max_decompression_ratio);
  if (!decoder) {
    refuse(415, "unsupported Content-Encoding: " + quote_for_log(field));
    return false;
  }
  // What follows sees no compressed bytes, so it must not see the field either.
  request.head_.erase(FieldId::kContentEncoding);
  if (decoder->identity()) return true;
  request.set_consumed_content_encoding(std::move(field));
  exchange_->body_->content = std::make_unique<ContentDecoder>(std::move(*decoder));
  return true;
}

std::size_t HTTP1Connection::feed_body(std::string_view bytes) {
  if (phase_ == Phase::kBody || waits_for_body()) {
    const TimePoint now = server_.loop.turn_time();
    exchange_->body_->waited += now - std::exchange(phase_since_, now);
  }
  return exchange_->request_.head_.framing() == Framing::kChunked ? feed_chunked(bytes)
                                                                  : feed_length(bytes);
}

std::size_t HTTP1Connection::feed_length(std::string_view bytes) {
  HTTPExchange::Body& body = *exchange_->body_;
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(body.left, bytes.size()));
  body.left -= size;
  body_arrived(bytes.substr(0, size));
  if (exchange_ == nullptr) return bytes.size();  // refused
  if (body.left == 0) body_complete();
  return size;
}

std::size_t HTTP1Connection::feed_chunked(std::string_view bytes) {
  HTTPExchange::Body& body = *exchange_->body_;
  const ChunkedDecoder::Step step = body.decoder.feed(bytes.data(), bytes.size());
  if (step.status == ChunkedDecoder::Status::kError) {
    body_failed(body.decoder.http_status(), body.decoder.reason());
    return bytes.size();
  }
  if (body.decoder.decoded_size() + body.decoder.chunk_left() > most_body()) {
    body_failed(413, "the chunked body is larger than the limit");
    return bytes.size();
  }
  if (step.status == ChunkedDecoder::Status::kData) {
    // The pieces of what has come become one.
    const bool gathers = phase_ == Phase::kHandling && !body.content && !body.discard;
    if (gathers && body.data.empty() && step.data.size() < bytes.size()) {
      body.data.reserve(bytes.size());
    }
    body_arrived(step.data);
  }
  if (step.status == ChunkedDecoder::Status::kDone) body_complete();
  return step.consumed;
}

void HTTP1Connection::body_arrived(std::string_view piece) {
  HTTPExchange::Body& body = *exchange_->body_;
  body.received += piece.size();
  if (body.discard) {
    if (body.received > kMostDiscarded) close_soon(true);
    return;
  }
  if (body.content) {
    if (body.failed_status != 0) return;  // the endpoint has yet to hear of it
    body.encoded.append(piece);
    body.decode(phase_ == Phase::kHandling ? HTTPExchange::Body::kHighWater : kAll);
    if (body.failed_status != 0) return body_failed(body.failed_status, body.failed_reason);
    if (body.data.empty()) return;
  } else if (phase_ == Phase::kHandling && body.data.empty() &&
             piece.size() > body.data.capacity()) {
    body.data = transport_->take_received(piece);  // the endpoint gets it as it is
  } else {
    const std::size_t size = body.data.size() + piece.size();
    if (phase_ == Phase::kHandling && size > body.data.capacity()) {
      body.data.reserve(HTTPExchange::Body::kHighWater + piece.size());
    }
    body.data.append(piece);
  }
  if (phase_ != Phase::kHandling) return;
  if (body.reader != nullptr) std::exchange(body.reader, nullptr)->wake();
  if (body.waiting() >= HTTPExchange::Body::kHighWater && !receive_paused_) {
    receive_paused_ = true;
    transport_->pause_receive();
  }
}

void HTTP1Connection::body_complete() {
  HTTPExchange::Body& body = *exchange_->body_;
  body.complete = true;
  if (body.decoder.trailers().size() != 0) {
    exchange_->request_.set_trailers(std::move(body.decoder.trailers()));
  }
  if (body.discard) return complete();
  if (body.content && body.failed_status == 0) {  // is it whole?
    body.decode(phase_ == Phase::kHandling ? HTTPExchange::Body::kHighWater : kAll);
    if (body.failed_status != 0) return body_failed(body.failed_status, body.failed_reason);
  }
  if (phase_ == Phase::kHandling) {
    if (body.reader != nullptr) std::exchange(body.reader, nullptr)->wake();
    return;
  }
  exchange_->request_.body_ = body.data;
  dispatch();
}

void HTTP1Connection::body_failed(int status, const char* reason) {
  HTTPExchange::Body& body = *exchange_->body_;
  if (body.discard) return close_soon(true);  // answered already
  if (phase_ != Phase::kHandling) return refuse(status, reason);
  body.failed_status = status;
  body.failed_reason = reason;
  exchange_->keep_alive_ = false;  // what follows cannot be understood
  if (body.reader != nullptr) std::exchange(body.reader, nullptr)->wake();
}

/// Not while the input is being looked at, by which a handler may have been started.
void HTTP1Connection::receive_now() noexcept {
  if (depth_ == 0) transport_->receive_now();
}

void HTTP1Connection::want_body(HTTPExchange& exchange) {
  HTTPExchange::Body& body = *exchange.body_;
  if (std::exchange(body.continue_wanted, false)) send_continue();
  if (body.waiting() < HTTPExchange::Body::kHighWater) let_client_go_on();
  if (phase_ != Phase::kHandling) return;
  phase_since_ = server_.loop.turn_time();
  watch(body_patience());
}

}  // namespace coronado
