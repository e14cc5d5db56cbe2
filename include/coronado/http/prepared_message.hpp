/// `PreparedMessage`: a WebSocket message that goes to many connections.
///
///     const auto news = PreparedMessage::text(render_news());
///     for (WebSocket* reader : readers) reader->send(news);
///
/// Its frame is made once, and compressed once for all who agreed to compression without a window
/// that is kept; see `WebSocketCompression::forget_own_window`.
///
/// Threads  Any: copies share what never changes.
/// Layer: http.   Spec  RFC 6455, RFC 7692.
#pragma once

#include <memory>
#include <string_view>

namespace coronado {

class PreparedFrame;
struct WebSocketMessage;

class PreparedMessage {
 public:
  /// Params  compress  False: send it as it is, for what is compressed already.
  /// Throws  std::invalid_argument  `text` is not UTF-8.
  static PreparedMessage text(std::string_view text, bool compress = true);
  static PreparedMessage binary(std::string_view bytes, bool compress = true);
  /// As text or as bytes, as `message` came.
  explicit PreparedMessage(const WebSocketMessage& message);

  /// What was to be sent.
  /// Lifetime  As long as a copy of this.
  std::string_view data() const noexcept;
  bool is_text() const noexcept;
  bool may_compress() const noexcept;

 private:
  friend class WebSocketConnection;
  PreparedMessage(std::string_view payload, bool is_text, bool compress);
  std::shared_ptr<const PreparedFrame> frame_;
};

}  // namespace coronado
