#include <coronado/http/prepared_message.hpp>

#include <coronado/base/escape.hpp>
#include <coronado/http/websocket.hpp>

#include <array>
#include <stdexcept>

#include "http/compress.hpp"
#include "http/prepared_frame.hpp"

namespace coronado {

// --- PreparedFrame -------------------------------------------------------------------------------

PreparedFrame::PreparedFrame(WebSocketOpcode opcode, std::string_view payload, bool may_compress)
    : opcode_(opcode), may_compress_(may_compress) {
  std::array<char, kMostHeadBytes> head;
  head_size_ = write_frame_head({.opcode = opcode, .size = payload.size()}, head);
  plain_.reserve(head_size_ + payload.size());
  plain_.assign(head.data(), head_size_);
  plain_.append(payload);
}

std::string_view PreparedFrame::compressed(int level) const {
  std::call_once(compressed_once_, [&] {
    std::string payload_bytes;
    compress_payload(*make_compressor(Coding::kRawDeflate, {.level = level}), payload(),
                     payload_bytes);
    std::array<char, kMostHeadBytes> head;
    const std::size_t head_size = write_frame_head(
        {.opcode = opcode_, .compressed = true, .size = payload_bytes.size()}, head);
    compressed_.assign(head.data(), head_size);
    compressed_.append(payload_bytes);
  });
  return compressed_;
}

// --- PreparedMessage -----------------------------------------------------------------------------

PreparedMessage::PreparedMessage(std::string_view payload, bool is_text, bool compress)
    : frame_(std::make_shared<const PreparedFrame>(
          is_text ? WebSocketOpcode::kText : WebSocketOpcode::kBinary, payload, compress)) {
  if (is_text && !is_valid_utf8(payload)) {
    throw std::invalid_argument("a WebSocket's text must be UTF-8");
  }
}
PreparedMessage::PreparedMessage(const WebSocketMessage& message)
    : PreparedMessage(message.data, message.is_text, true) {}

PreparedMessage PreparedMessage::text(std::string_view text, bool compress) {
  return {text, true, compress};
}
PreparedMessage PreparedMessage::binary(std::string_view bytes, bool compress) {
  return {bytes, false, compress};
}

std::string_view PreparedMessage::data() const noexcept { return frame_->payload(); }
bool PreparedMessage::is_text() const noexcept {
  return frame_->opcode() == WebSocketOpcode::kText;
}
bool PreparedMessage::may_compress() const noexcept { return frame_->may_compress(); }

}  // namespace coronado
