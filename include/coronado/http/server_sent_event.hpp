/// Server-sent events as text: what both sides of a `text/event-stream` share.
///
///     ServerSentEvent     one event
///     append_event        writes one
///     append_comment      writes what clients skip
///     EventStreamParser   reads them, whatever the pieces they come in
///
/// Servers send them with `web::EventStream`, clients read them with `EventSource`. No I/O.
///
/// Layer: http.   Spec  WHATWG HTML 9.2.
#pragma once

#include <coronado/base/clock.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace coronado {

/// One event.
struct ServerSentEvent {
  /// What the client's listener is registered for. Empty is "message"; a client always gets a name.
  std::string event = {};
  /// Text in UTF-8, of any number of lines.
  std::string data = {};
  /// What a client that has lost its connection shows in Last-Event-ID. Empty: it forgets what it
  /// has. To send: none leaves it as it is. Received: what holds after this event; always there.
  std::optional<std::string> id = std::nullopt;
  /// To send: how long the client is to wait before it connects again, in whole milliseconds.
  std::optional<Duration> retry = std::nullopt;

  bool operator==(const ServerSentEvent&) const = default;
};

/// Writes an event to the end of `out`. Each line of `data` becomes one of the stream.
/// Throws  std::invalid_argument  `event` or `id` has a line break, `id` a NUL, or `retry` is
///                                negative; nothing is written.
void append_event(std::string& out, const ServerSentEvent& event);

/// Writes lines that clients skip.
void append_comment(std::string& out, std::string_view text);

/// Reads an event stream.
///
///     std::string_view bytes = piece;
///     while (const auto event = parser.next(bytes)) handle(*event);
///
/// What is no UTF-8 becomes U+FFFD. An event that the stream's end cuts off is none.
/// Spec  WHATWG HTML 9.2.5, 9.2.6.
class EventStreamParser {
 public:
  static constexpr std::size_t kMaxSize = 1024 * 1024;

  /// Params  max_size  Most bytes of one event, names and all.
  explicit EventStreamParser(std::size_t max_size = kMaxSize) noexcept : max_size_(max_size) {}

  /// The next event; cuts off the front of `bytes` what it has read. Nothing: all was read, and more
  /// is needed.
  /// Throws  std::length_error  The event is larger than `max_size`.
  std::optional<ServerSentEvent> next(std::string_view& bytes);

  /// The stream begins anew, on another connection: an unfinished event is forgotten.
  void restart() noexcept;

  /// What to show in Last-Event-ID when connecting again; empty: nothing.
  const std::string& last_event_id() const noexcept { return last_event_id_; }
  void set_last_event_id(std::string id) { id_ = last_event_id_ = std::move(id); }

  /// The pause the server has asked for, if it has.
  std::optional<Duration> retry() const noexcept { return retry_; }

 private:
  std::optional<ServerSentEvent> take_line(std::string_view line);
  void take_field(std::string_view name, std::string_view value);
  std::optional<ServerSentEvent> dispatch();

  std::size_t max_size_;
  std::string line_;  // the beginning of one that is not complete
  std::string event_;
  std::string data_;
  std::string id_;  // of the event that is being read
  std::string last_event_id_;
  std::optional<Duration> retry_;
  bool first_line_ = true;
  bool after_cr_ = false;  // a line feed would belong to the line before
};

}  // namespace coronado
