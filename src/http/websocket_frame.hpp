/// The frames of the WebSocket protocol: their heads read and written, payloads masked and compressed.
///
/// No I/O.
///
/// Layer: http.   Spec  RFC 6455 5.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace coronado {

class Compressor;

enum class WebSocketOpcode : std::uint8_t {
  kContinuation = 0,
  kText = 1,
  kBinary = 2,
  kClose = 8,
  kPing = 9,
  kPong = 10,
};

constexpr bool is_control(WebSocketOpcode opcode) noexcept {
  return static_cast<std::uint8_t>(opcode) >= 8;
}

/// A mask: four bytes that are laid over the payload.
using WebSocketMask = std::array<char, 4>;

/// What precedes a payload.
struct WebSocketFrameHead {
  WebSocketOpcode opcode = WebSocketOpcode::kBinary;
  bool final = true;
  bool compressed = false;  ///< RSV1, as RFC 7692 uses it
  bool masked = false;
  WebSocketMask mask{};
  std::uint64_t size = 0;  ///< of the payload
};

/// The outcome of reading a head.
struct WebSocketHeadResult {
  enum class Status : std::uint8_t { kMore, kHead, kError };
  Status status;
  std::size_t consumed = 0;  ///< with `kHead`: 2 to 14 bytes
  const char* reason = "";   ///< with `kError`; the close code is 1002
};

/// Reads a head from the beginning of `bytes`.
///
/// Refused are: reserved bits and opcodes, control frames that are fragmented or longer than 125
/// bytes, and lengths that are not written in the shortest form or do not fit 63 bits.
WebSocketHeadResult read_frame_head(std::string_view bytes, WebSocketFrameHead& head) noexcept;

/// Most bytes of a head.
inline constexpr std::size_t kMostHeadBytes = 14;

/// Writes a head into `out`.   Returns  Its size.
std::size_t write_frame_head(const WebSocketFrameHead& head,
                             std::span<char, kMostHeadBytes> out) noexcept;

/// Lays `mask` over `bytes`, which begin at the byte `offset` of the payload. Done twice it is
/// undone.   Spec  RFC 6455 5.3.
void apply_mask(std::span<char> bytes, const WebSocketMask& mask,
                std::uint64_t offset = 0) noexcept;

/// Appends the compressed form of a message to `out`.
/// Params  compressor  Of `Coding::kRawDeflate`.
/// Spec    RFC 7692 7.2.1.
void compress_payload(Compressor& compressor, std::string_view payload, std::string& out);

}  // namespace coronado
