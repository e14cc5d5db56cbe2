#include <coronado/http/exchange.hpp>

#include <coronado/base/log.hpp>
#include <coronado/http/header_block.hpp>
#include <coronado/http/headers.hpp>
#include <coronado/http/upgrade.hpp>

#include "http/exchange_body.hpp"
#include "http/held_response.hpp"
#include "http/response_encoder.hpp"
#include "http/transformed_response.hpp"

namespace coronado {

std::unique_ptr<HTTPExchange> HTTPService::make_exchange() {
  return std::make_unique<HTTPExchange>();
}

void HTTPService::request_refused(const HTTPRefusal&) noexcept {}

struct HTTPExchange::Encoded final : ResponseEncoder::Stream {
  using Stream::Stream;
};

HTTPExchange::HTTPExchange() = default;
HTTPExchange::~HTTPExchange() = default;

// --- the response ------------------------------------------------------------------------------

void HTTPExchange::respond(const ResponseHead& head, std::string_view body) {
  start(head, body.size(), body);
  finish();
}

void HTTPExchange::send_interim(const ResponseHead& head) {
  if (started_) throw std::logic_error("the response has been started already");
  if (head.status < 102 || head.status > 199) {
    throw std::invalid_argument("not the status of an interim response: " +
                                std::to_string(head.status));
  }
  // RFC 9110 15.2: a client of HTTP/1.0 does not know them.
  if (request_.head_.minor_version() != 0 && !client_gone_) sink_->send_interim(head);
}

void HTTPExchange::start(const ResponseHead& head, std::optional<std::uint64_t> length,
                         std::string_view first) {
  if (started_) throw std::logic_error("the response has been started already");
  if (!head_editors_.empty()) return start_edited(head, length, first);
  started_ = true;
  status_ = head.status;
  if (encoder_ != nullptr) return start_encoded(head, length, first);
  length_known_ = length.has_value();
  promised_ = length.value_or(0);
  sink_->start(*this, head, length, first);
}

void HTTPExchange::edit_head(HeadEditor edit) { head_editors_.push_back(std::move(edit)); }

void HTTPExchange::start_edited(const ResponseHead& head, std::optional<std::uint64_t> length,
                                std::string_view first) {
  if (transformed_ && !transformed_->running) return start_transformed(head, length, first);
  if (keep_held(head, length, first)) return;
  std::vector<HeadEditor> editors = std::exchange(head_editors_, {});
  HeaderBlock fields;
  fields.append_wire(head.fields);
  for (auto editor = editors.rbegin(); editor != editors.rend(); ++editor) {
    (*editor)(head.status, fields);
  }
  ResponseHead edited = head;
  edited.fields = fields.wire();
  edited.has_date = fields.find("Date").has_value();
  edited.has_server = fields.find("Server").has_value();
  start(edited, length, first);
}

void HTTPExchange::write(std::string_view bytes) {
  if (!started_ || finished_) {
    throw std::logic_error(started_ ? "the response is finished" : "the response is not started");
  }
  if (bytes.empty() || body_forbidden_) return;
  if (shaped_) return write_shaped(bytes);
  if (length_known_ && body_sent_ + bytes.size() > promised_) too_much();
  body_sent_ += bytes.size();
  sink_->write(*this, bytes);
}

void HTTPExchange::finish() { end({}); }

void HTTPExchange::finish(const HTTPHeaders& trailers) {
  for (const HTTPHeaders::Field& field : trailers) {
    if (may_be_trailer(field.name)) continue;
    throw std::invalid_argument("must not come behind a body: " + std::string(field.name));
  }
  end(request_.accepts_trailers() ? trailers.to_string() : std::string());
}

void HTTPExchange::end(std::string_view trailers) {
  if (finished_) return;
  if (!started_) throw std::logic_error("the response is not started");
  finished_ = true;
  if (shaped_) return finish_shaped(trailers);
  if (length_known_ && !body_forbidden_ && body_sent_ < promised_) {
    return too_little(promised_ - body_sent_);
  }
  sink_->finish(*this, trailers);
}

void HTTPExchange::too_much() {
  abort();
  throw std::logic_error("more was written than Content-Length says");
}

void HTTPExchange::too_little(std::uint64_t missing) {
  general_log().error("a response ended " + std::to_string(missing) +
                      " bytes before its Content-Length; the connection is cut");
  sink_->abort(*this);
}

void HTTPExchange::abort() noexcept {
  finished_ = true;
  if (const int error = body_error(); error != 0) status_ = error;
  if (sink_ != nullptr) sink_->abort(*this);
}

void HTTPExchange::upgrade(const ResponseHead& head, std::unique_ptr<UpgradedConnection> next) {
  if (started_) throw std::logic_error("the response has been started already");
  if (request_.head_.minor_version() == 0 || request_.head_.has_body()) {
    throw std::logic_error("a request of HTTP/1.0, or with a body, cannot be upgraded");
  }
  next_ = std::move(next);
  start(head, std::nullopt);
  finish();
}

// --- a response that is compressed, perhaps -----------------------------------------------------

void HTTPExchange::start_encoded(const ResponseHead& head, std::optional<std::uint64_t> length,
                                 std::string_view first) {
  ResponseEncoder::Plan plan = encoder_->plan(request_.head_, head, length);
  const bool whole = length == first.size();
  const bool bodiless = request_.method_id() == Method::kHead;
  std::string body;
  if (plan.coding && (whole || !bodiless)) {
    auto stream = std::make_unique<Encoded>(*encoder_, *plan.coding);
    if (whole) {
      body = stream->last(first);
      if (body.size() >= first.size() && !plan.must) plan.coding.reset();
    } else {
      if (length && first.size() > *length) too_much();
      stream->promised = length;
      body = stream->piece(first);
      encoded_ = std::move(stream);
      shaped_ = true;
    }
  }
  ResponseHead changed = head;
  std::string fields;
  if (plan.varies) {
    fields = ResponseEncoder::fields(head, plan);
    changed.fields = fields;
  }
  if (plan.coding) {
    first = body;
    // Compressed in pieces the body has no known length; that of a HEAD's is what GET would say.
    length = whole ? std::optional<std::uint64_t>(body.size()) : std::nullopt;
  }
  length_known_ = length.has_value();
  promised_ = length.value_or(0);
  sink_->start(*this, changed, length, first);
}

void HTTPExchange::write_shaped(std::string_view bytes) {
  transformed_ ? write_transformed(bytes) : write_encoded(bytes);
}

void HTTPExchange::finish_shaped(std::string_view trailers) {
  if (transformed_ && !body_forbidden_ && !finish_transformed()) return;
  if (encoded_) return finish_encoded(trailers);
  sink_->finish(*this, trailers);
}

void HTTPExchange::write_encoded(std::string_view bytes) {
  if (encoded_->promised && encoded_->written + bytes.size() > *encoded_->promised) too_much();
  const std::string piece = encoded_->piece(bytes);
  body_sent_ += piece.size();
  sink_->write(*this, piece);
}

void HTTPExchange::finish_encoded(std::string_view trailers) {
  const std::unique_ptr<Encoded> stream = std::move(encoded_);
  if (stream->promised && stream->written < *stream->promised) {
    return too_little(*stream->promised - stream->written);
  }
  const std::string piece = stream->last({});
  body_sent_ += piece.size();
  sink_->write(*this, piece);
  sink_->finish(*this, trailers);
}

// --- tasks -------------------------------------------------------------------------------------

void HTTPExchange::on_child_finished(TaskContext&, PromiseBase& root) noexcept {
  outcome_ = root.state();
  error_ = root.error();
  task_ = nullptr;
}

/// The handler's frame has gone, so the exchange may be used again.
void HTTPExchange::on_child_released() noexcept {
  const std::exception_ptr error = std::exchange(error_, nullptr);
  sink_->task_finished(*this, outcome_, error);
}

void HTTPExchange::pin() {
  if (pinned_valid_) return;
  pinned_valid_ = true;
  pinned_.assign(request_.head_.bytes());
  request_.head_.rebase(pinned_.data());
  on_pinned();
}

void HTTPExchange::recycle() noexcept {
  on_recycled();
  request_.clear();
  close_callback_ = nullptr;
  head_editors_.clear();
  body_.reset();
  if (shaped_) {
    encoded_.reset();
    transformed_.reset();
    shaped_ = false;
  }
  next_.reset();
  endpoint_ = nullptr;
  promised_ = body_sent_ = 0;
  status_ = 0;
  pinned_valid_ = started_ = finished_ = chunked_ = length_known_ = false;
  body_forbidden_ = keep_alive_ = client_gone_ = false;
  cancel_on_close_ = true;
  cancel_on_drain_ = false;
}

// --- Drain -------------------------------------------------------------------------------------

bool HTTPExchange::Drain::await_ready() const noexcept {
  return exchange_.client_gone_ || exchange_.sink_->pending() <= high_water_;
}

void HTTPExchange::Drain::await_resume() {
  check();
  if (exchange_.client_gone_) throw StreamClosedError();
}

void HTTPExchange::Drain::cancel() noexcept {
  exchange_.drain_ = nullptr;
  cancelled_ = true;
  wake();
}

int HTTPExchange::body_error() const noexcept { return body_ ? body_->failed_status : 0; }
std::string_view HTTPExchange::body_error_reason() const noexcept {
  return body_ ? body_->failed_reason : "";
}

// --- Body --------------------------------------------------------------------------------------

void HTTPExchange::Body::decode(std::size_t most) {
  std::string_view rest = encoded;
  ContentDecoder::Status status = ContentDecoder::Status::kFull;
  while (failed_status == 0 && status == ContentDecoder::Status::kFull && data.size() < most) {
    status = content->decode(rest, most - data.size(), data);
  }
  const bool cut = complete && status == ContentDecoder::Status::kMore && !content->complete();
  encoded.erase(0, encoded.size() - rest.size());
  if (status == ContentDecoder::Status::kError) {
    failed_status = content->too_large() ? 413 : 400;
    failed_reason = content->error();
  } else if (cut) {
    failed_status = 400;
    failed_reason = "the compressed body is truncated";
  }
  if (failed_status != 0) encoded.clear();
}

// --- ReadBody ----------------------------------------------------------------------------------

bool HTTPExchange::ReadBody::await_ready() {
  if (has_something()) return true;
  exchange_.sink_->receive_now();
  if (has_something()) return true;
  exchange_.sink_->want_body(exchange_);
  return false;
}

bool HTTPExchange::ReadBody::has_something() const noexcept {
  const Body* body = exchange_.body_.get();
  return body == nullptr || !body->data.empty() || body->complete || body->failed_status != 0 ||
         exchange_.client_gone_;
}

void HTTPExchange::ReadBody::listen() noexcept { exchange_.body_->reader = this; }

std::string HTTPExchange::ReadBody::await_resume() {
  check();
  Body* body = exchange_.body_.get();
  if (body == nullptr) {  // the whole body came with the head
    return std::string(std::exchange(exchange_.request_.body_, {}));
  }
  if (!body->data.empty()) {
    std::string piece = std::exchange(body->data, {});
    if (body->content) body->decode(Body::kHighWater);
    return piece;
  }
  if (body->failed_status != 0) throw HTTPError(body->failed_status, body->failed_reason);
  if (!body->complete) throw StreamClosedError();
  return {};
}

void HTTPExchange::ReadBody::cancel() noexcept {
  exchange_.body_->reader = nullptr;
  cancelled_ = true;
  wake();
}

}  // namespace coronado
