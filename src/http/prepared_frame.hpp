/// `PreparedFrame`: the bytes behind a `PreparedMessage`.
///
/// Threads  Any.
/// Layer: http.
#pragma once

#include <mutex>
#include <string>
#include <string_view>

#include "http/websocket_frame.hpp"

namespace coronado {

/// The frames of a server, which are not masked.
class PreparedFrame {
 public:
  PreparedFrame(WebSocketOpcode opcode, std::string_view payload, bool may_compress = true);

  WebSocketOpcode opcode() const noexcept { return opcode_; }
  std::string_view payload() const noexcept { return std::string_view(plain_).substr(head_size_); }
  std::string_view plain() const noexcept { return plain_; }
  bool may_compress() const noexcept { return may_compress_; }

  /// The same, compressed. It is made for the first who asks, with his level.
  std::string_view compressed(int level) const;

 private:
  WebSocketOpcode opcode_;
  bool may_compress_;
  std::size_t head_size_;
  std::string plain_;
  mutable std::once_flag compressed_once_;
  mutable std::string compressed_;
};

}  // namespace coronado
