/// WebSocket: messages in both directions over one connection.
///
///     WebSocket          one end of a connection: read, send, close
///     WebSocketMessage   a message that came
///     WebSocketOptions   limits, keep-alive, compression
///
///     while (const auto message = co_await socket.read()) co_await socket.send(*message);
///
/// Servers make one with <coronado/web/websocket_handler.hpp>.
///
/// Threads  The loop's thread only.
/// Layer: http.   Spec  RFC 6455, RFC 7692.   Tornado  `tornado.websocket`.
#pragma once

#include <coronado/base/clock.hpp>
#include <coronado/base/error.hpp>
#include <coronado/base/intrusive_list.hpp>
#include <coronado/coro/locks.hpp>
#include <coronado/http/prepared_message.hpp>
#include <coronado/http/websocket_topic.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace coronado {

class WebSocketConnection;

/// A whole message.
struct WebSocketMessage {
  std::string_view data;
  /// True: `data` is UTF-8. False: bytes of any kind.
  bool is_text = false;
};

/// What is done with a message when more than `max_buffered` bytes wait to be sent.
enum class WebSocketOverflow : std::uint8_t {
  kThrow,  ///< `send` throws `QueueFull`: its caller should have awaited the sends before
  kDrop,   ///< the message is not sent; `WebSocket::dropped` counts it
  kClose,  ///< the connection is cut: its peer does not keep up
};

/// permessage-deflate.   Spec  RFC 7692.   Tornado  `get_compression_options`.
struct WebSocketCompression {
  /// 1 (fast) to 9 (small).
  int level = 6;
  /// Messages shorter than this are sent as they are.
  std::size_t threshold = 64;
  /// Forget our window after each message: messages get bigger, and an idle connection keeps no
  /// compressor. False: also when the peer does not ask for it.
  bool forget_own_window = true;
  /// Ask the peer to forget its window.
  bool forget_peer_window = false;
  /// Base-two logarithm of the windows: 8 to 15.
  int own_window_bits = 15;
  int peer_window_bits = 15;
};

struct WebSocketOptions {
  /// Most bytes of a message that comes, after decompression; beyond it the connection is closed
  /// with 1009.   Tornado  `websocket_max_message_size`.
  std::uint64_t max_message_size = 10ULL * 1024 * 1024;
  /// Most bytes that wait to be sent.
  std::size_t max_buffered = 16ULL * 1024 * 1024;
  WebSocketOverflow overflow = WebSocketOverflow::kThrow;
  /// A ping is sent when nothing has come for so long; zero: never.
  /// Tornado  `websocket_ping_interval`.
  Duration ping_interval{};
  /// A peer from which nothing comes for so long after a ping is gone. Zero: as `ping_interval`.
  /// Tornado  `websocket_ping_timeout`. Differs: zero is not "never".
  Duration ping_timeout{};
  /// How long a peer may take to answer our close frame.
  Duration close_timeout = std::chrono::seconds(5);
  /// Nothing: no message is compressed in either direction.
  std::optional<WebSocketCompression> compression = std::nullopt;
};

/// One end of a WebSocket connection.
///
/// Destroying it closes the connection with 1000, unless it is closed already; the farewell then
/// goes on by itself.
class WebSocket {
 public:
  explicit WebSocket(WebSocketConnection& connection) noexcept;
  WebSocket(WebSocket&& other) noexcept;
  WebSocket& operator=(WebSocket&& other) noexcept;
  ~WebSocket();

  class Read;
  /// The next message; nothing when the connection is closed, for whatever reason: see
  /// `close_code`.
  ///
  /// Returns  A message whose bytes live until the next `read`.
  /// Throws   std::logic_error  Another task is reading.
  /// Cancel   At once; no message is lost.
  Read read() noexcept;

  class Sent;
  /// Sends a message. What it returns may be awaited, and should be in a loop: it waits while the
  /// peer does not keep up (more than 64 KiB are waiting).
  ///
  ///     co_await socket.send("hello");
  ///
  /// Params   text      What is sent as text must be UTF-8.
  ///          compress  False: send it as it is, for what is compressed already.
  /// Throws   WebSocketClosedError   The connection is closed or being closed; also when awaited
  ///                                 and it is closed meanwhile.
  ///          QueueFull              See `WebSocketOverflow`.
  ///          std::invalid_argument  The text is not UTF-8.
  /// Cancel   Ends the wait; the message is sent anyway.
  Sent send(std::string_view text, bool compress = true);
  Sent send_binary(std::string_view bytes, bool compress = true);
  Sent send(const WebSocketMessage& message);
  /// Sends what is sent to many; see there.
  Sent send(const PreparedMessage& message);

  /// Hears `topic` as long as what is returned lives, which must be destroyed before this.
  [[nodiscard("it ends with the subscription")]] WebSocketTopic::Subscription subscribe(
      WebSocketTopic& topic);

  /// Sends a ping. Pings of the peer are answered by themselves.
  /// Params  data  At most 125 bytes.
  /// Throws  WebSocketClosedError, std::invalid_argument  `data` is too long.
  void ping(std::string_view data = {});

  /// Starts closing: nothing more can be sent, and what comes is dropped. Nothing happens when it is
  /// closed already.
  /// Params  code    1000 to 1003, 1007 to 1014, 3000 to 4999.
  ///         reason  UTF-8, at most 123 bytes.
  /// Throws  std::invalid_argument  Either is something else.
  void close(std::uint16_t code = 1000, std::string_view reason = {});

  /// Waits until the connection is closed.
  /// Cancel  Ends the wait.
  Event::Wait closed();

  /// True as long as messages can be sent.
  bool is_open() const noexcept;

  /// Why it is closed: the peer's code, 1005 when it gave none, 1006 when the connection broke, or
  /// ours when we have closed it and the peer has not answered yet. Zero: it is open.
  std::uint16_t close_code() const noexcept;
  const std::string& close_reason() const noexcept;

  /// The subprotocol that was agreed upon; empty: none.
  const std::string& subprotocol() const noexcept;

  /// Bytes that wait to be sent.
  std::size_t buffered_amount() const noexcept;
  /// Messages that `WebSocketOverflow::kDrop` has dropped.
  std::uint64_t dropped() const noexcept;

 private:
  WebSocketConnection* connection_;
};

/// The awaiter of `read`.
class [[nodiscard("read() must be awaited")]] WebSocket::Read final : public Suspension {
 public:
  explicit Read(WebSocketConnection& connection) noexcept : connection_(connection) {}
  Read(Read&& other) noexcept : Read(other.connection_) {}
  bool await_ready();
  template <class P>
  bool await_suspend(std::coroutine_handle<P> handle) noexcept {
    if (!park(handle.promise())) return false;
    listen(this);
    return true;
  }
  std::optional<WebSocketMessage> await_resume();
  void cancel() noexcept override;
  const char* what() const noexcept override { return "reading a WebSocket message"; }

 private:
  friend class WebSocketConnection;
  void listen(Read* reader) noexcept;
  WebSocketConnection& connection_;
};

/// The awaiter of `send`. It need not be awaited.
class WebSocket::Sent final : public Suspension, public ListHook {
 public:
  explicit Sent(WebSocketConnection& connection) noexcept : connection_(connection) {}
  Sent(Sent&& other) noexcept : Sent(other.connection_) {}
  bool await_ready() const;
  template <class P>
  bool await_suspend(std::coroutine_handle<P> handle) noexcept {
    if (!park(handle.promise())) return false;
    line_up();
    return true;
  }
  void await_resume() const;
  void cancel() noexcept override;
  const char* what() const noexcept override { return "sending a WebSocket message"; }

 private:
  friend class WebSocketConnection;
  void line_up() noexcept;
  WebSocketConnection& connection_;
};

}  // namespace coronado
