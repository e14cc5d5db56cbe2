#include <coronado/http/exchange.hpp>

#include <coronado/base/log.hpp>
#include <coronado/http/upgrade.hpp>

#include "http/exchange_body.hpp"

namespace coronado {

std::unique_ptr<HTTPExchange> HTTPService::make_exchange() {
  return std::make_unique<HTTPExchange>();
}

void HTTPService::request_refused(const SocketAddress&, int, std::string_view) noexcept {}

HTTPExchange::HTTPExchange() = default;
HTTPExchange::~HTTPExchange() = default;

// --- the response ------------------------------------------------------------------------------

void HTTPExchange::respond(const ResponseHead& head, std::string_view body) {
  start(head, body.size(), body);
  finish();
}

void HTTPExchange::start(const ResponseHead& head, std::optional<std::uint64_t> length,
                         std::string_view first) {
  if (started_) throw std::logic_error("the response has been started already");
  started_ = true;
  status_ = head.status;
  length_known_ = length.has_value();
  promised_ = length.value_or(0);
  sink_->start(*this, head, length, first);
}

void HTTPExchange::write(std::string_view bytes) {
  if (!started_ || finished_) {
    throw std::logic_error(started_ ? "the response is finished" : "the response is not started");
  }
  if (bytes.empty() || body_forbidden_) return;
  if (length_known_ && body_sent_ + bytes.size() > promised_) {
    abort();
    throw std::logic_error("more was written than Content-Length says");
  }
  body_sent_ += bytes.size();
  sink_->write(*this, bytes);
}

void HTTPExchange::finish() {
  if (finished_) return;
  if (!started_) throw std::logic_error("the response is not started");
  finished_ = true;
  if (length_known_ && !body_forbidden_ && body_sent_ < promised_) {
    general_log().error("a response ended " + std::to_string(promised_ - body_sent_) +
                        " bytes before its Content-Length; the connection is cut");
    sink_->abort(*this);
    return;
  }
  sink_->finish(*this);
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
  body_.reset();
  next_.reset();
  endpoint_ = nullptr;
  promised_ = body_sent_ = 0;
  status_ = 0;
  pinned_valid_ = started_ = finished_ = chunked_ = length_known_ = false;
  body_forbidden_ = keep_alive_ = client_gone_ = false;
  cancel_on_close_ = true;
}

// --- Drain -------------------------------------------------------------------------------------

bool HTTPExchange::Drain::await_ready() const noexcept {
  return exchange_.client_gone_ || exchange_.sink_->pending() <= kHighWater;
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

// --- ReadBody ----------------------------------------------------------------------------------

bool HTTPExchange::ReadBody::await_ready() {
  const Body* body = exchange_.body_.get();
  if (body == nullptr || !body->data.empty() || body->complete || body->failed_status != 0 ||
      exchange_.client_gone_) {
    return true;
  }
  exchange_.sink_->want_body(exchange_);
  return false;
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
    if (!body->complete) exchange_.sink_->want_body(exchange_);
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
