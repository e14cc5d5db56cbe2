#include <coronado/web/event_stream.hpp>

#include <coronado/base/log.hpp>
#include <coronado/web/request_handler.hpp>

#include <string>

namespace coronado::web {
namespace {

constexpr std::string_view kType = "text/event-stream";
/// A stream is never the answer to another request.
constexpr std::string_view kCacheControl = "no-cache";
/// nginx and its kin hold responses back otherwise.
constexpr std::string_view kBuffering = "X-Accel-Buffering";

}  // namespace

EventStream::EventStream(HTTPExchange& exchange, EventStreamOptions options)
    : exchange_(exchange), heartbeat_(options.heartbeat) {
  HeaderBlock& fields = options.headers;
  fields.set("Content-Type", kType);
  if (!fields.contains("Cache-Control")) fields.set("Cache-Control", kCacheControl);
  fields.set(kBuffering, "no");
  exchange.start({.fields = fields.wire(),
                  .has_date = fields.contains(HeaderBlock::kDate),
                  .has_server = fields.contains(HeaderBlock::kServer)},
                 std::nullopt);
  begin(options.retry);
}

EventStream::EventStream(RequestHandler& handler, EventStreamOptions options)
    : exchange_(*handler.exchange_), heartbeat_(options.heartbeat) {
  if (exchange_.started()) throw std::logic_error("the response has been started already");
  handler.set_header("Content-Type", kType);
  handler.set_header("Cache-Control", kCacheControl);
  handler.set_header(kBuffering, "no");
  handler.flush();
  begin(options.retry);
}

EventStream::~EventStream() { exchange_.loop().disarm(timer_); }

void EventStream::begin(std::optional<Duration> retry) {
  if (exchange_.request().method_id() == Method::kHead) {  // the head was all that was asked for
    exchange_.finish();
    throw Cancelled{};
  }
  exchange_.set_cancel_on_drain(true);
  if (retry) {
    const auto time = std::chrono::duration_cast<std::chrono::milliseconds>(*retry);
    exchange_.write("retry: " + std::to_string(time.count()) + "\n\n");
  }
  if (exchange_.draining()) {  // nobody would cancel it any more
    exchange_.finish();
    throw Cancelled{};
  }
  last_ = exchange_.loop().now();
  if (heartbeat_ > Duration::zero()) exchange_.loop().arm(timer_, last_ + heartbeat_);
}

std::string_view EventStream::last_event_id() const noexcept {
  return exchange_.request().header(FieldId::kLastEventID).value_or("");
}

HTTPExchange::Drain EventStream::send(const ServerSentEvent& event) {
  std::string text;
  append_event(text, event);
  return put(text);
}

HTTPExchange::Drain EventStream::send(std::string_view data) {
  return send({.data = std::string(data)});
}

HTTPExchange::Drain EventStream::comment(std::string_view text) {
  std::string lines;
  append_comment(lines, text);
  return put(lines);
}

HTTPExchange::Drain EventStream::put(std::string_view text) {
  exchange_.write(text);
  last_ = exchange_.loop().turn_time();
  return exchange_.drain();
}

/// Says something when nothing was said for long.
void EventStream::beat() noexcept {
  if (exchange_.finished() || exchange_.client_gone()) return;
  const TimePoint now = exchange_.loop().now();
  if (now - last_ >= heartbeat_) {
    last_ = now;
    try {
      // A client that does not read needs no more to be read.
      if (exchange_.drain().await_ready()) exchange_.write(":\n\n");
    } catch (const std::exception& error) {
      general_log().warning(std::string("a heartbeat could not be sent: ") + error.what());
    }
  }
  exchange_.loop().arm(timer_, last_ + heartbeat_);
}

}  // namespace coronado::web
