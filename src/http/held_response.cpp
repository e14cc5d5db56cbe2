#include "http/held_response.hpp"

#include <utility>

namespace coronado {

void HTTPExchange::Held::keep(ResponseSink& sink, const ResponseHead& head, std::uint64_t length,
                              std::string_view body) {
  sink_ = &sink;
  bodiless_ = length != body.size();
  status_ = head.status;
  reason_ = head.reason;
  fields_ = head.fields;
  has_date_ = head.has_date;
  has_server_ = head.has_server;
  length_ = length;
  body_ = body;
}

ResponseHead HTTPExchange::Held::head() const noexcept {
  return {status_, reason_, fields_, has_date_, has_server_};
}

void HTTPExchange::Held::take_more(HTTPExchange& exchange) const {
  if (!bodiless_) exchange.too_much();
}

void HTTPExchange::hold_response() {
  if (started_ || held_) return;
  held_ = std::make_unique<Held>();
  edit_head([](int, HeaderBlock&) {});  // so that `start` takes the way that looks
}

bool HTTPExchange::response_held() const noexcept { return held_ && held_->full(); }

bool HTTPExchange::keep_held(const ResponseHead& head, std::optional<std::uint64_t> length,
                             std::string_view first) {
  const bool whole = length && (length == first.size() || request_.method_id() == Method::kHead);
  if (!held_ || !whole) return false;
  held_->keep(*sink_, head, *length, first);
  sink_ = held_.get();
  started_ = true;
  status_ = head.status;
  return true;
}

void HTTPExchange::release_response() {
  const std::unique_ptr<Held> held = std::move(held_);
  if (!held || !held->full()) return;
  sink_ = &held->sink();
  if (held->aborted()) return;
  started_ = finished_ = false;
  status_ = 0;
  start(held->head(), held->length(), held->body());
  end(held->trailers());
}

void HTTPExchange::drop_response() noexcept {
  const std::unique_ptr<Held> held = std::move(held_);
  if (!held || !held->full()) return;
  sink_ = &held->sink();
  if (held->aborted()) return;
  started_ = finished_ = false;
  status_ = 0;
}

}  // namespace coronado
