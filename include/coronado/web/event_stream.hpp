/// `EventStream`: sends server-sent events to a browser's `EventSource`, or any other client.
///
///     app.get("/clock", [](HTTPExchange& exchange) -> Task<> {
///       web::EventStream events(exchange);
///       for (int i = 0;; ++i) {
///         co_await events.send({.data = std::to_string(i)});
///         co_await sleep(1s);
///       }
///     });
///
/// Layer: web.   Spec  WHATWG HTML 9.2.
#pragma once

#include <coronado/base/clock.hpp>
#include <coronado/coro/executor.hpp>
#include <coronado/http/exchange.hpp>
#include <coronado/http/header_block.hpp>
#include <coronado/http/server_sent_event.hpp>

#include <string_view>

namespace coronado::web {

class RequestHandler;

struct EventStreamOptions {
  /// A comment is sent when nothing else was for so long: proxies keep the connection, and a client
  /// that has vanished is noticed. Zero: none.
  Duration heartbeat = std::chrono::seconds(15);

  /// How long the client is to wait before it connects again. None: what it likes, some seconds.
  std::optional<Duration> retry = std::nullopt;

  /// Further fields of the response, for example `Access-Control-Allow-Origin`. Of a `RequestHandler`
  /// those that it has set are sent.
  HeaderBlock headers = {};
};

/// The response to one client, as a stream of events.
///
/// The head is sent when it is made, and each event at once. When the client goes away the handler is
/// cancelled, as always; when the server drains, too, and the response is ended, for it has no end of
/// its own. When the handler ends, the response does, and the client will connect again: one that is
/// to stay away is answered with 204. A HEAD request, and one whose server is draining already, gets
/// the head, and the constructor throws `Cancelled`.
///
/// Such responses are never compressed: a client would hold a compressor for hours.
///
/// Threads   The loop's thread only.
/// Lifetime  A local of the handler: it refers to the exchange.
class EventStream {
 public:
  /// Throws  std::logic_error  The response has begun.
  ///         Cancelled         The request is a HEAD, or the server is draining: it is answered.
  explicit EventStream(HTTPExchange& exchange, EventStreamOptions options = {});
  /// The same in a class handler.   Throws  std::logic_error  As above.
  explicit EventStream(RequestHandler& handler, EventStreamOptions options = {});
  ~EventStream();
  EventStream(const EventStream&) = delete;
  EventStream& operator=(const EventStream&) = delete;

  /// The id of the last event this client has seen before its connection was lost; empty: it has
  /// none.
  std::string_view last_event_id() const noexcept;

  /// Sends an event.
  ///
  ///     co_await events.send({.event = "price", .data = "42\n43", .id = "7"});
  ///
  /// It is on its way when the call returns; the await holds the handler back while the client has
  /// more than 64 KiB still to take.
  /// Throws   std::invalid_argument  See `append_event`.
  ///          StreamClosedError      From the await: the client went away, and the handler is not
  ///                                 cancelled then.
  /// Cancel   Ends the wait; what was sent is sent.
  HTTPExchange::Drain send(const ServerSentEvent& event);
  /// An event with only data.   Throws  As above.   Cancel  As above.
  HTTPExchange::Drain send(std::string_view data);

  /// Sends what clients skip.   Throws  As `send`.   Cancel  As `send`.
  HTTPExchange::Drain comment(std::string_view text);

 private:
  struct Heartbeat final : Timer {
    explicit Heartbeat(EventStream& owner) noexcept : stream(owner) {}
    void on_timer() noexcept override { stream.beat(); }
    EventStream& stream;
  };

  void begin(std::optional<Duration> retry);
  HTTPExchange::Drain put(std::string_view text);
  void beat() noexcept;

  HTTPExchange& exchange_;
  Duration heartbeat_;
  TimePoint last_{};  // when something was sent
  Heartbeat timer_{*this};
};

}  // namespace coronado::web
