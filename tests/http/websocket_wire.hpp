/// What the tests of WebSocket share: frames as a peer writes them, right or wrong.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "http/websocket_frame.hpp"

namespace coronado::http_test {

struct WireFrame {
  WebSocketOpcode opcode = WebSocketOpcode::kText;
  std::string payload = {};
  bool final = true;
  bool masked = true;
  bool compressed = false;
};

inline std::string wire(WireFrame frame) {
  WebSocketFrameHead head;
  head.opcode = frame.opcode;
  head.final = frame.final;
  head.compressed = frame.compressed;
  head.masked = frame.masked;
  if (frame.masked) head.mask = {'\x37', '\xfa', '\x21', '\x3d'};
  head.size = frame.payload.size();
  std::array<char, kMostHeadBytes> bytes;
  std::string text(bytes.data(), write_frame_head(head, bytes));
  if (frame.masked) apply_mask(frame.payload, head.mask);
  return text + frame.payload;
}

/// What a server sends.
inline std::string from_server(WebSocketOpcode opcode, std::string payload) {
  return wire({.opcode = opcode, .payload = std::move(payload), .masked = false});
}

inline std::string close_payload(int code, std::string_view reason = "") {
  std::string payload{static_cast<char>(code >> 8), static_cast<char>(code & 0xFF)};
  return payload.append(reason);
}

}  // namespace coronado::http_test
