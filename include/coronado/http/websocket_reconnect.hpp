/// `ReconnectingWebSocket`: a WebSocket of a client that comes back when its connection is lost.
///
///     ReconnectingWebSocket feed(
///         "wss://example.org/feed",
///         {.on_connect = [](WebSocket& socket) -> Task<> {      // on each connection again
///           co_await socket.send(R"({"subscribe": "prices"})");
///         }});
///     while (const auto message = co_await feed.read()) show(message->data);
///
/// Threads  The loop's thread only.
/// Layer: http.   Tornado  None.
#pragma once

#include <coronado/coro/retry.hpp>
#include <coronado/http/websocket_client.hpp>

#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>

namespace coronado {

/// What was lost, for `WebSocketReconnectOptions::on_retry`.
struct WebSocketRetry {
  /// Why no connection could be made, or what `on_connect` threw; null: there was one, which ended.
  std::exception_ptr error = nullptr;
  /// Of the connection that ended; see `WebSocket::close_code`.
  std::uint16_t close_code = 0;
  std::string_view close_reason = {};
  /// Failures in a row, from 1; see `stable_after`.
  int failures = 0;
  /// Until the next attempt.
  Duration pause{};
};

/// When and how it comes back.
struct WebSocketReconnectOptions {
  WebSocketConnectOptions connect = {};

  /// The pauses, which grow and are drawn at random: clients that were cut together come back apart.
  BackoffOptions backoff = {.first = std::chrono::milliseconds(500)};
  /// Most failures in a row; at least 1. Zero: no limit.
  int max_failures = 20;
  /// A connection that lives shorter than this counts as a failure: a server that accepts and closes
  /// at once is not called without pause.
  Duration stable_after = std::chrono::seconds(5);

  /// Called with each new connection before anything is read from it: the place to say who we are
  /// and to subscribe again. What it throws ends the connection and counts as a failure, as `retry_if`
  /// decides.
  Function<Task<>(WebSocket&)> on_connect = {};
  /// Called before each pause, for a log line or a counter. What it throws ends the `read`.
  Function<void(const WebSocketRetry&)> on_retry = {};

  /// Whether another attempt may help against what was thrown. Empty: against a connection that could
  /// not be made or was lost, a timeout, and the statuses 408, 425, 429 and 500 to 599.
  Function<bool(const std::exception_ptr&)> retry_if = {};
  /// Whether to come back after a connection has ended with this code. Empty: after all but 1000.
  Function<bool(std::uint16_t code, std::string_view reason)> retry_on_close = {};
};

/// A WebSocket that is connected when it is read, and again when the connection was lost.
///
/// Whoever reads drives it: there is no task beside. What was on its way when a connection broke may
/// be lost, in both directions; who needs more says in `on_connect` how far it has come.
///
/// Lifetime  Must outlive what it returns. Destroying it closes the connection with 1000.
/// Code      src/http/websocket_reconnect.cpp, tests/http/websocket_reconnect_test.cpp
class ReconnectingWebSocket {
 public:
  /// Params   request  Makes the request of each attempt, so that a token may be a fresh one.
  /// Throws   std::invalid_argument  `max_failures` or `backoff` is out of its range.
  explicit ReconnectingWebSocket(Function<HTTPRequest()> request,
                                 WebSocketReconnectOptions options = {});
  explicit ReconnectingWebSocket(std::string url, WebSocketReconnectOptions options = {});
  ReconnectingWebSocket(const ReconnectingWebSocket&) = delete;
  ReconnectingWebSocket& operator=(const ReconnectingWebSocket&) = delete;
  ~ReconnectingWebSocket();

  /// The next message, of this connection or of the next one.
  /// Returns  A message whose bytes live until the next `read`; nothing when it is over: `close` was
  ///          called, or the server has closed in a way that is not retried.
  /// Throws   What an attempt threw (see `websocket_connect`) when another one would not help, or
  ///          when there were `max_failures`; `WebSocketClosedError` when the last of those was a
  ///          connection that ended at once.
  ///          std::logic_error  Another task is reading.
  /// Cancel   At once: an attempt or a pause ends. No message is lost, and the next `read` goes on
  ///          where this one was, with what is left of the pause.
  Task<std::optional<WebSocketMessage>> read();

  /// Sends on the present connection; see `WebSocket::send`. Nothing is kept for the next one.
  /// Throws   WebSocketClosedError  There is none at present; and what `WebSocket::send` throws.
  WebSocket::Sent send(std::string_view text, bool compress = true);
  WebSocket::Sent send_binary(std::string_view bytes, bool compress = true);

  /// Waits until there is a connection; somebody must be reading meanwhile.
  /// Throws  WebSocketClosedError  It is over.
  /// Cancel  Ends the wait.
  Task<> connected();

  /// Ends it for good: the connection is closed, and who reads is told.
  /// Throws  std::invalid_argument  As `WebSocket::close`.
  void close(std::uint16_t code = 1000, std::string_view reason = {});

  /// The present connection; null when there is none.
  WebSocket* socket() noexcept;
  bool is_open() const noexcept;
  /// How many connections there have been.
  std::uint64_t connects() const noexcept { return connects_; }

 private:
  class Turn;
  Task<> connect();
  Task<WebSocket> make_connection();
  void lost();
  void failed(WebSocketRetry what);
  bool may_retry(const std::exception_ptr& error);
  WebSocket& present();

  Function<HTTPRequest()> request_;
  WebSocketReconnectOptions options_;
  Backoff backoff_;
  std::optional<WebSocket> socket_;
  Event connected_;
  Event closed_;
  TimePoint not_before_{};
  TimePoint connected_at_{};
  int failures_ = 0;
  std::uint64_t connects_ = 0;
  bool reading_ = false;
};

}  // namespace coronado
