/// `WebSocketReceiver`: bytes of a WebSocket peer in, messages and control frames out.
///
/// No I/O.
///
/// Layer: http.   Spec  RFC 6455 5, 7, 8; RFC 7692 6.2.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "http/compress.hpp"
#include "http/websocket_frame.hpp"

namespace coronado {

/// What a receiver expects and allows.
struct WebSocketReceiverOptions {
  /// A server's peer masks its frames, a client's does not.
  bool masked = true;
  /// Most bytes of a message, after decompression. When exceeded: 1009.
  std::uint64_t max_message_size = 10ULL * 1024 * 1024;
};

class WebSocketReceiver {
 public:
  enum class Event : std::uint8_t {
    kMore,     ///< more bytes are needed
    kMessage,  ///< `payload` is a whole message; `text` says of which kind
    kPing,     ///< `payload` is to be sent back in a pong
    kPong,
    kClose,  ///< `code` and `payload`, the reason; nothing that follows is looked at
    kError,  ///< the peer broke the rules: `code` and `payload`, in words, go into a close frame
  };

  struct Step {
    Event event = Event::kMore;
    std::size_t consumed = 0;
    /// A view of the input or of the receiver, valid until the next call.
    std::string_view payload = {};
    bool text = false;
    /// Of `kClose`: 1005 when the peer gave none. Of `kError`: 1002, 1007 or 1009.
    std::uint16_t code = 0;
  };

  /// Params  decompressor  For raw deflate, when permessage-deflate was agreed upon; else null.
  ///         keep_window   The peer's window lives on from one message to the next.
  explicit WebSocketReceiver(WebSocketReceiverOptions options,
                             std::unique_ptr<Decompressor> decompressor = nullptr,
                             bool keep_window = true) noexcept;

  /// Takes the next event out of `bytes`, which it changes in place: the mask comes off there.
  /// Call again with what follows the bytes consumed. After `kMore` what was not consumed, less
  /// than a head, must be offered again with more bytes behind it. After `kClose` and `kError` the
  /// answer stays `kMore` and everything is consumed.
  Step feed(std::span<char> bytes);

 private:
  Step small_message(std::span<char> bytes) noexcept;
  Step begin_frame(std::string_view bytes);
  Step take_payload(std::span<char> bytes);
  Step end_frame(std::string_view payload, std::size_t consumed);
  Step end_message(std::string_view last, std::size_t consumed);
  Step end_close(std::string_view payload, std::size_t consumed);
  Step fail(std::uint16_t code, const char* reason) noexcept;
  std::optional<Step> decompress(std::string_view piece);
  bool check_text(bool whole) noexcept;
  std::uint64_t room() const noexcept;

  /// What came in pieces. A connection whose messages come whole does without.
  struct Pieces {
    std::string message;      // what is there of it, decompressed
    std::size_t checked = 0;  // how much of a text is known to be UTF-8
    std::string control;      // the payload of a control frame
    std::string handed_out;   // that of the last control event
  };
  Pieces& pieces();

  WebSocketReceiverOptions options_;
  std::unique_ptr<Decompressor> decompressor_;
  std::unique_ptr<Pieces> pieces_;
  WebSocketFrameHead head_;
  std::uint64_t taken_ = 0;  // of the payload of the present frame
  bool keep_window_;
  bool in_frame_ = false;
  bool in_message_ = false;  // frames of it have come, its last one has not
  bool text_ = false;        // kind of the present message
  bool compressed_ = false;  // and whether it is
  bool hand_out_ = false;    // `Pieces::message` was the payload of the last event
  bool progress_ = false;    // the last step told nothing but may be followed by another at once
  bool ended_ = false;
};

/// True for codes that may stand in a close frame: 1000 to 1003, 1007 to 1014, 3000 to 4999.
/// Spec  RFC 6455 7.4, the IANA registry.
bool is_valid_close_code(std::uint16_t code) noexcept;

}  // namespace coronado
