#include "http/websocket_receiver.hpp"

#include <coronado/base/escape.hpp>

#include <algorithm>
#include <utility>

#include "base/utf8.hpp"
#include "http/websocket_close_code.hpp"

namespace coronado {
namespace {

/// What a sender of permessage-deflate leaves out at the end of a message.   Spec  RFC 7692 7.2.1.
constexpr std::string_view kDeflateTail("\0\0\xff\xff", 4);

/// A connection does not keep more memory than this from one message to the next.
constexpr std::size_t kMostKept = 64 * 1024;

constexpr const char* kNotText = "a text is not valid UTF-8";
constexpr const char* kMessageTooBig = "the message is too big";

std::string_view view(std::span<char> bytes) noexcept { return {bytes.data(), bytes.size()}; }

}  // namespace

bool is_valid_close_code(std::uint16_t code) noexcept {
  return (code >= 1000 && code <= 1014 && (code < 1004 || code > 1006)) ||
         (code >= 3000 && code <= 4999);
}

WebSocketReceiver::WebSocketReceiver(WebSocketReceiverOptions options,
                                     std::unique_ptr<Decompressor> decompressor,
                                     bool keep_window) noexcept
    : options_(options), decompressor_(std::move(decompressor)), keep_window_(keep_window) {}

WebSocketReceiver::Pieces& WebSocketReceiver::pieces() {
  if (!pieces_) pieces_ = std::make_unique<Pieces>();
  return *pieces_;
}

WebSocketReceiver::Step WebSocketReceiver::fail(std::uint16_t code, const char* reason) noexcept {
  ended_ = true;
  return {Event::kError, 0, reason, false, code};
}

WebSocketReceiver::Step WebSocketReceiver::feed(std::span<char> bytes) {
  if (std::exchange(hand_out_, false)) {
    if (pieces_->message.capacity() > kMostKept) pieces_->message = {};
    pieces_->message.clear();
    pieces_->checked = 0;
  }
  if (ended_) return {Event::kMore, bytes.size()};
  if (!in_frame_ && !in_message_) {
    if (const Step step = small_message(bytes); step.event != Event::kMore) return step;
  }
  std::size_t consumed = 0;
  while (true) {
    Step step = in_frame_ ? take_payload(bytes.subspan(consumed))
                          : begin_frame(view(bytes.subspan(consumed)));
    consumed += step.consumed;
    step.consumed = consumed;
    // A head was read, or the last byte of a frame that ends no message: there may be more.
    const bool going_on = step.event == Event::kMore && std::exchange(progress_, false);
    if (!going_on) return step;
  }
}

/// A message in one small frame that is there whole and not compressed, as most are. Everything else
/// is left to the general way.
WebSocketReceiver::Step WebSocketReceiver::small_message(std::span<char> bytes) noexcept {
  constexpr unsigned kWholeText = 0x81;  // final, and no reserved bit
  constexpr unsigned kWholeBinary = 0x82;
  constexpr std::size_t kMostSmall = 125;
  const std::size_t head = options_.masked ? 6 : 2;
  if (bytes.size() < head) return {};
  const unsigned kind = static_cast<unsigned char>(bytes[0]);
  const unsigned second = static_cast<unsigned char>(bytes[1]);
  const std::size_t size = second & 0x7F;
  if ((kind != kWholeText && kind != kWholeBinary) || (second >> 7 != 0) != options_.masked ||
      size > kMostSmall || size > options_.max_message_size || bytes.size() - head < size) {
    return {};
  }
  const std::span<char> payload = bytes.subspan(head, size);
  if (options_.masked) apply_mask(payload, {bytes[2], bytes[3], bytes[4], bytes[5]});
  const bool text = kind == kWholeText;
  if (text && !is_valid_utf8(view(payload))) return fail(kCloseInvalidPayload, kNotText);
  return {Event::kMessage, head + size, view(payload), text};
}

/// Reads a head and checks that such a frame may come now.
WebSocketReceiver::Step WebSocketReceiver::begin_frame(std::string_view bytes) {
  const WebSocketHeadResult result = read_frame_head(bytes, head_);
  if (result.status == WebSocketHeadResult::Status::kMore) return {};
  if (result.status == WebSocketHeadResult::Status::kError) {
    return fail(kCloseProtocolError, result.reason);
  }
  if (head_.masked != options_.masked) {  // RFC 6455 5.1
    return fail(kCloseProtocolError,
                options_.masked ? "a frame is not masked" : "a frame is masked");
  }
  if (!is_control(head_.opcode)) {
    const bool continues = head_.opcode == WebSocketOpcode::kContinuation;
    if (continues != in_message_) {
      return fail(kCloseProtocolError, continues ? "there is no message to continue"
                                                 : "the message before is not complete");
    }
    // RFC 7692 6.1: the first frame tells for the whole message.
    if (head_.compressed && (continues || decompressor_ == nullptr)) {
      return fail(kCloseProtocolError, "a reserved bit is set");
    }
    if (!continues) {
      text_ = head_.opcode == WebSocketOpcode::kText;
      compressed_ = head_.compressed;
    }
    if (!compressed_ && head_.size > room()) return fail(kCloseTooBig, kMessageTooBig);
    in_message_ = true;
  }
  in_frame_ = true;
  taken_ = 0;
  progress_ = true;
  return {Event::kMore, result.consumed};
}

std::uint64_t WebSocketReceiver::room() const noexcept {
  return options_.max_message_size - (pieces_ ? pieces_->message.size() : 0);
}

/// Takes what is there of a payload. A frame that is there whole is not copied.
WebSocketReceiver::Step WebSocketReceiver::take_payload(std::span<char> bytes) {
  const auto size =
      static_cast<std::size_t>(std::min<std::uint64_t>(head_.size - taken_, bytes.size()));
  const std::span<char> piece = bytes.first(size);
  if (head_.masked) apply_mask(piece, head_.mask, taken_);
  const bool first = taken_ == 0;
  taken_ += size;
  const bool last = taken_ == head_.size;
  if (last && (first || !is_control(head_.opcode))) return end_frame(view(piece), size);
  if (is_control(head_.opcode)) {
    pieces().control.append(view(piece));
    if (!last) return {Event::kMore, size};
    return end_frame(pieces_->control, size);
  }
  if (compressed_) {
    if (const auto failure = decompress(view(piece))) return *failure;
  } else {
    pieces().message.append(view(piece));
  }
  if (text_ && !check_text(false)) return fail(kCloseInvalidPayload, kNotText);
  return {Event::kMore, size};
}

/// The present frame is complete; of a data frame `payload` is the last piece.
WebSocketReceiver::Step WebSocketReceiver::end_frame(std::string_view payload,
                                                     std::size_t consumed) {
  in_frame_ = false;
  switch (head_.opcode) {
    case WebSocketOpcode::kPing: break;
    case WebSocketOpcode::kPong: break;
    case WebSocketOpcode::kClose: return end_close(payload, consumed);
    case WebSocketOpcode::kContinuation:
    case WebSocketOpcode::kText:
    case WebSocketOpcode::kBinary: return end_message(payload, consumed);
  }
  const Event event = head_.opcode == WebSocketOpcode::kPing ? Event::kPing : Event::kPong;
  if (pieces_ && payload.data() == pieces_->control.data()) {
    pieces_->handed_out.swap(pieces_->control);
    pieces_->control.clear();
    payload = pieces_->handed_out;
  }
  return {event, consumed, payload};
}

WebSocketReceiver::Step WebSocketReceiver::end_message(std::string_view last,
                                                       std::size_t consumed) {
  const bool whole = head_.final;
  const bool in_pieces = pieces_ && !pieces_->message.empty();
  if (whole && !in_pieces && !compressed_) {  // the usual one: a message in one piece
    in_message_ = false;
    if (text_ && !is_valid_utf8(last)) return fail(kCloseInvalidPayload, kNotText);
    return {Event::kMessage, consumed, last, text_};
  }
  if (compressed_) {
    auto failure = decompress(last);
    if (!failure && whole) failure = decompress(kDeflateTail);
    if (failure) return *failure;
  } else {
    pieces().message.append(last);
  }
  if (text_ && !check_text(whole)) return fail(kCloseInvalidPayload, kNotText);
  if (!whole) {
    progress_ = true;
    return {Event::kMore, consumed};
  }
  if (compressed_ && !keep_window_) decompressor_->reset();
  in_message_ = false;
  hand_out_ = true;
  return {Event::kMessage, consumed, pieces_->message, text_};
}

WebSocketReceiver::Step WebSocketReceiver::end_close(std::string_view payload,
                                                     std::size_t consumed) {
  if (payload.empty()) {
    ended_ = true;
    return {Event::kClose, consumed, {}, false, kCloseNoCode};
  }
  if (payload.size() == 1) return fail(kCloseProtocolError, "a close frame has half a code");
  const auto code = static_cast<std::uint16_t>(static_cast<unsigned char>(payload[0]) << 8 |
                                               static_cast<unsigned char>(payload[1]));
  if (!is_valid_close_code(code))
    return fail(kCloseProtocolError, "a close frame has no valid code");
  if (!is_valid_utf8(payload.substr(2)))
    return fail(kCloseInvalidPayload, "a reason is not valid UTF-8");
  ended_ = true;
  return {Event::kClose, consumed, payload.substr(2), false, code};
}

/// Appends what `piece` stands for to the message.   Returns  What is wrong, if anything is.
std::optional<WebSocketReceiver::Step> WebSocketReceiver::decompress(std::string_view piece) {
  using Status = Decompressor::Status;
  const auto most = static_cast<std::size_t>(room());
  switch (decompressor_->append(piece, most, pieces().message)) {
    case Status::kMore:
    case Status::kDone: return std::nullopt;  // RFC 7692 7.2.3.4: it may end its deflate stream
    case Status::kLimit: return fail(kCloseTooBig, kMessageTooBig);
    case Status::kMalformed: break;
  }
  return fail(kCloseInvalidPayload, "a compressed message is malformed");
}

/// Whether the text so far can be, or as a whole is, UTF-8. Looks at each byte once.
bool WebSocketReceiver::check_text(bool whole) noexcept {
  std::string_view rest = std::string_view(pieces_->message).substr(pieces_->checked);
  if (whole) return is_valid_utf8(rest);
  // A character may be cut: its first bytes wait for the rest.
  std::size_t tail = 0;
  while (tail < std::min<std::size_t>(rest.size(), 3) &&
         (static_cast<unsigned char>(rest[rest.size() - tail - 1]) & 0xC0) == 0x80) {
    ++tail;
  }
  const unsigned first =
      tail < rest.size() ? static_cast<unsigned char>(rest[rest.size() - tail - 1]) : 0;
  if (first >= 0xC2 && first <= 0xF4) {  // no other byte begins a character of several
    const std::string_view cut = rest.substr(rest.size() - tail - 1);
    bool valid = true;
    const std::size_t unit = utf8_unit(cut, valid);
    // Not valid, yet all of it the start of a character: more must come.
    if (!valid && unit == cut.size()) rest.remove_suffix(cut.size());
  }
  if (!is_valid_utf8(rest)) return false;
  pieces_->checked += rest.size();
  return true;
}

}  // namespace coronado
