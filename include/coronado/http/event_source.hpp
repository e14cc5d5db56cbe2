/// `EventSource`: reads a server's events, and connects again when the connection is lost.
///
///     EventSource events(client, {.url = "http://example.org/prices"});
///     while (const auto event = co_await events.next()) {
///       std::printf("%s: %s\n", event->event.c_str(), event->data.c_str());
///     }
///
/// Layer: http.   Spec  WHATWG HTML 9.2.
#pragma once

#include <coronado/base/clock.hpp>
#include <coronado/coro/task.hpp>
#include <coronado/http/httpclient.hpp>
#include <coronado/http/server_sent_event.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace coronado {

struct EventSourceOptions {
  /// The pause before connecting again, until the server asks for another one.
  Duration retry = std::chrono::seconds(3);
  /// The pause doubles with each attempt in a row that fails, up to this.
  Duration longest_retry = std::chrono::seconds(60);
  /// After so many attempts in a row have failed, `next` throws what the last one did. Zero: it tries
  /// for ever.
  unsigned max_attempts = 0;

  /// When nothing has come for so long, not even a heartbeat, the connection counts as lost. Zero: no
  /// limit.
  Duration idle_timeout = std::chrono::minutes(5);

  /// Most bytes of one event.
  std::size_t max_event_size = EventStreamParser::kMaxSize;

  /// Where to go on, if another source has been reading before.
  std::string last_event_id = {};
};

/// Reads the events of one URL, over as many connections as it takes.
///
/// A connection is lost when it ends or breaks, cannot be made, is not answered within the request's
/// `request_timeout`, or is answered with 500 or more. Then the source waits and asks again, with the
/// id of the last event in Last-Event-ID, so that the server can go on behind it. Between events
/// nothing is buffered but what has come: a server is slowed down by who does not read. It takes one
/// of the client's places.
///
/// Differs from a browser's: statuses from 500 on are tried again.
/// Threads   The loop's thread only.
/// Lifetime  The client may go before it; then connecting again fails.
class EventSource {
 public:
  /// Params  request  As for `HTTPClient::open`; Accept and Cache-Control are set unless they are
  ///                  there.
  /// Throws  std::invalid_argument  The request is none that can be sent, or a span is negative.
  EventSource(HTTPClient& client, HTTPRequest request, EventSourceOptions options = {});
  ~EventSource();
  EventSource(const EventSource&) = delete;
  EventSource& operator=(const EventSource&) = delete;

  /// The next event.
  /// Returns  Nothing when there will be none: the server has answered 204, or `close` was called.
  /// Throws   HTTPClientError        Another status than 200, 204 or 500 and more.
  ///          HTTPResponseError      No `text/event-stream`, no valid HTTP, or an event that is too
  ///                                 large.
  ///          HTTPTimeoutError, HTTPConnectError, HTTPStreamClosedError
  ///                                 The last of `max_attempts`.
  ///          ClosedError, TLSConfigError
  ///                                 See `HTTPClient::fetch`.
  /// Cancel   At once; nothing is lost, and it may be called again.
  Task<std::optional<ServerSentEvent>> next();

  /// What will be shown in Last-Event-ID; empty: nothing.
  const std::string& last_event_id() const noexcept;

  /// How many connections have brought a stream so far.
  std::uint64_t connects() const noexcept;

  /// Ends the connection, not while `next` is waiting: cancel that then. What has come already can
  /// still be read.
  void close() noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace coronado
