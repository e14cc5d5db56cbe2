/// Fuzzes the receiver of WebSocket frames: what it tells must not depend on how the input is split,
/// every text must be UTF-8, no message may be larger than the limit, and a head that was read must
/// come out again when it is written.
///
/// The first input byte is the size of the pieces and says, by its highest bits, whether
/// permessage-deflate was agreed upon and whether frames are masked; the rest is what a peer sends.
#include <coronado/base/escape.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "http/websocket_frame.hpp"
#include "http/websocket_receiver.hpp"

namespace {

using namespace coronado;
using Event = WebSocketReceiver::Event;

constexpr std::uint64_t kLimit = 4096;

void require(bool condition) {
  if (!condition) std::abort();
}

/// Everything that is told, as text.
std::string events(std::string_view bytes, std::size_t size, bool masked, bool compressed) {
  WebSocketReceiver receiver({.masked = masked, .max_message_size = kLimit},
                             compressed ? make_decompressor(Coding::kRawDeflate) : nullptr);
  std::string log;
  std::string kept;
  for (std::size_t at = 0; at < bytes.size(); at += size) {
    kept.append(bytes.substr(at, size));
    for (;;) {
      const WebSocketReceiver::Step step = receiver.feed(kept);
      require(step.consumed <= kept.size() && step.payload.size() <= kLimit);
      if (step.event != Event::kMore) {
        log += static_cast<char>('0' + static_cast<int>(step.event));
        // Which of two defects of a compressed message is seen first depends on its pieces.
        if (step.event == Event::kError && compressed) return log;
        log += std::to_string(step.code);
        log.append(step.payload).append("|");
      }
      if (step.event == Event::kMessage && step.text) require(is_valid_utf8(step.payload));
      kept.erase(0, step.consumed);
      if (step.event == Event::kMore) break;
    }
    require(kept.size() <= kMostHeadBytes);
  }
  return log;
}

void check_head(std::string_view bytes) {
  WebSocketFrameHead head;
  const WebSocketHeadResult result = read_frame_head(bytes, head);
  if (result.status != WebSocketHeadResult::Status::kHead) return;
  std::array<char, kMostHeadBytes> out;
  require(write_frame_head(head, out) == result.consumed);
  require(bytes.substr(0, result.consumed) == std::string_view(out.data(), result.consumed));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(input) + 1, size - 1);
  check_head(bytes);
  const bool masked = (input[0] & 0x80) == 0;
  const bool compressed = (input[0] & 0x40) != 0;
  const std::string whole = events(bytes, bytes.size(), masked, compressed);
  const std::string pieces = events(bytes, input[0] % 16 + 1U, masked, compressed);
  require(whole == pieces);
  return 0;
}
