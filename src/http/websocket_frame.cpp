#include "http/websocket_frame.hpp"

#include <bit>
#include <cstring>

#include "http/compress.hpp"

namespace coronado {
namespace {

constexpr unsigned kFinal = 0x80;
constexpr unsigned kCompressed = 0x40;  // RSV1
constexpr unsigned kReserved = 0x30;    // RSV2 and RSV3
constexpr unsigned kMasked = 0x80;
constexpr unsigned kSize16 = 126;
constexpr unsigned kSize64 = 127;

unsigned byte_at(std::string_view bytes, std::size_t index) noexcept {
  return static_cast<unsigned char>(bytes[index]);
}

bool is_known(unsigned opcode) noexcept { return opcode <= 2 || (opcode >= 8 && opcode <= 10); }

WebSocketHeadResult fail(const char* reason) noexcept {
  return {WebSocketHeadResult::Status::kError, 0, reason};
}

constexpr WebSocketHeadResult kMore{WebSocketHeadResult::Status::kMore};

}  // namespace

WebSocketHeadResult read_frame_head(std::string_view bytes, WebSocketFrameHead& head) noexcept {
  if (bytes.size() < 2) return kMore;
  const unsigned first = byte_at(bytes, 0);
  const unsigned second = byte_at(bytes, 1);
  if ((first & kReserved) != 0) return fail("a reserved bit is set");
  if (!is_known(first & 0xF)) return fail("unknown opcode");
  head.opcode = static_cast<WebSocketOpcode>(first & 0xF);
  head.final = (first & kFinal) != 0;
  head.compressed = (first & kCompressed) != 0;
  head.masked = (second & kMasked) != 0;
  head.size = second & 0x7F;
  if (is_control(head.opcode)) {  // RFC 6455 5.5; RFC 7692 6.1: never compressed
    if (!head.final) return fail("a control frame is fragmented");
    if (head.size > 125) return fail("a control frame is too long");
    if (head.compressed) return fail("a control frame is compressed");
  }
  std::size_t at = 2;
  if (head.size >= kSize16) {
    const std::size_t width = head.size == kSize16 ? 2 : 8;
    if (bytes.size() < at + width) return kMore;
    head.size = 0;
    for (std::size_t i = 0; i < width; ++i) head.size = head.size << 8 | byte_at(bytes, at++);
    // RFC 6455 5.2: "the minimal number of bytes MUST be used", and the highest bit MUST be 0.
    if (head.size < (width == 2 ? 126U : 65536U))
      return fail("a length is not in its shortest form");
    if (head.size >> 63 != 0) return fail("a length has its highest bit set");
  }
  if (head.masked) {
    if (bytes.size() < at + head.mask.size()) return kMore;
    std::memcpy(head.mask.data(), bytes.data() + at, head.mask.size());
    at += head.mask.size();
  }
  return {WebSocketHeadResult::Status::kHead, at};
}

std::size_t write_frame_head(const WebSocketFrameHead& head,
                             std::span<char, kMostHeadBytes> out) noexcept {
  std::size_t at = 0;
  const auto put = [&](unsigned byte) { out[at++] = static_cast<char>(byte); };
  put(static_cast<unsigned>(head.opcode) | (head.final ? kFinal : 0) |
      (head.compressed ? kCompressed : 0));
  const unsigned masked = head.masked ? kMasked : 0;
  if (head.size < kSize16) {
    put(masked | static_cast<unsigned>(head.size));
  } else {
    const int width = head.size < 65536 ? 2 : 8;
    put(masked | (width == 2 ? kSize16 : kSize64));
    for (int shift = 8 * (width - 1); shift >= 0; shift -= 8) {
      put(static_cast<unsigned>(head.size >> shift) & 0xFF);
    }
  }
  if (head.masked) {
    std::memcpy(out.data() + at, head.mask.data(), head.mask.size());
    at += head.mask.size();
  }
  return at;
}

void apply_mask(std::span<char> bytes, const WebSocketMask& mask, std::uint64_t offset) noexcept {
  std::uint32_t word = 0;
  std::memcpy(&word, mask.data(), sizeof word);
  // Turned, so that the first byte of `bytes` meets its byte of the mask.
  const int turn = static_cast<int>(offset % 4) * 8;
  word = std::endian::native == std::endian::little ? std::rotr(word, turn) : std::rotl(word, turn);
  const std::uint64_t wide = std::uint64_t{word} << 32 | word;
  char* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= sizeof wide; at += sizeof wide, left -= sizeof wide) {
    std::uint64_t block = 0;
    std::memcpy(&block, at, sizeof block);
    block ^= wide;
    std::memcpy(at, &block, sizeof block);
  }
  char rest[sizeof wide];
  std::memcpy(rest, &wide, sizeof wide);
  for (std::size_t i = 0; i < left; ++i) at[i] = static_cast<char>(at[i] ^ rest[i]);
}

void compress_payload(Compressor& compressor, std::string_view payload, std::string& out) {
  constexpr std::size_t kTail = 4;  // 00 00 FF FF
  compressor.append(payload, Compressor::Flush::kSync, out);
  out.resize(out.size() - kTail);
}

}  // namespace coronado
