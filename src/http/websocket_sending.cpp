// How a WebSocket sends: compressing, making room, and the frames, which leave together when the input
// has been processed.
#include <coronado/base/escape.hpp>
#include <coronado/base/log.hpp>
#include <coronado/loop/ioloop.hpp>

#include <array>
#include <stdexcept>

#include "http/prepared_frame.hpp"
#include "http/websocket_close_code.hpp"
#include "http/websocket_output.hpp"
#include "http/websocket_random.hpp"

namespace coronado {
namespace {

/// From so many bytes waiting on, senders wait.
constexpr std::size_t kHighWater = 64 * 1024;
/// So much is collected before it is handed to the transport.
constexpr std::size_t kMostCorked = 64 * 1024;

/// Compressors without memory are shared by the connections of a thread.
Compressor& shared_compressor(int level, int window_bits) {
  constexpr std::size_t kLevels = 10;
  constexpr std::size_t kWindows = 16;
  thread_local std::array<std::unique_ptr<Compressor>, kLevels * kWindows> all;
  auto& one =
      all[static_cast<std::size_t>(window_bits) * kLevels + static_cast<std::size_t>(level)];
  if (!one)
    one = make_compressor(Coding::kRawDeflate, {.level = level, .window_bits = window_bits});
  return *one;
}

}  // namespace

std::size_t WebSocketConnection::buffered_amount() const noexcept {
  const std::size_t corked = websocket_output.owner == this ? websocket_output.corked.size() : 0;
  return corked + (transport_ ? transport_->pending() : 0);
}

bool WebSocketConnection::must_wait() {
  if (state_ != State::kOpen || buffered_amount() <= kHighWater) return false;
  flush();
  if (buffered_amount() <= kHighWater) return false;
  rare();  // the place to wait
  return true;
}

/// False: the message is not to be sent.
bool WebSocketConnection::make_room() {
  if (buffered_amount() <= options_->max_buffered) return true;
  switch (options_->overflow) {
    case WebSocketOverflow::kThrow:
      throw QueueFull("too many bytes wait to be sent to a WebSocket: " +
                      std::to_string(buffered_amount()));
    case WebSocketOverflow::kDrop: count_dropped(); return false;
    case WebSocketOverflow::kClose: break;
  }
  general_log().warning("a WebSocket is cut: its peer does not keep up");
  close_code_ = kCloseBroken;
  state_ = State::kClosing;
  transport_.reset();
  loop_->arm(*this, loop_->now());  // told later: the sender may be going through all connections
  return false;
}

void WebSocketConnection::send(WebSocketOpcode kind, std::string_view payload, bool compress,
                               bool checked) {
  if (state_ != State::kOpen) throw WebSocketClosedError();
  if (kind == WebSocketOpcode::kText && !checked && !is_valid_utf8(payload)) {
    throw std::invalid_argument("a WebSocket's text must be UTF-8");
  }
  if (!make_room()) return;
  if (!compress || !compresses(payload.size())) return emit(kind, payload);
  Compressor& compressor =
      compressor_ ? *compressor_ : shared_compressor(compression_level(), window_bits_);
  keep_small(websocket_output.compressed, kMostKept);
  compress_payload(compressor, payload, websocket_output.compressed);
  if (!compressor_) compressor.reset();
  emit(kind, websocket_output.compressed, true);
}

void WebSocketConnection::send(const PreparedMessage& message) {
  const PreparedFrame& frame = *message.frame_;
  const std::size_t size = frame.payload().size();
  const bool compressed = frame.may_compress() && compresses(size);
  // A kept or a small window has its own bytes; clients mask theirs, with another mask each.
  if (!is_server_ || (compressed && (compressor_ || size > std::size_t{1} << window_bits_))) {
    return send(frame.opcode(), frame.payload(), frame.may_compress(), true);
  }
  if (state_ != State::kOpen) throw WebSocketClosedError();
  if (!make_room()) return;
  emit_frame(compressed ? frame.compressed(compression_level()) : frame.plain());
}

bool WebSocketConnection::compresses(std::size_t size) const noexcept {
  const auto& wanted = options_->compression;
  return window_bits_ != 0 && size > 0 && !(wanted && size < wanted->threshold);
}

int WebSocketConnection::compression_level() const noexcept {
  return options_->compression ? options_->compression->level : 0;
}

void WebSocketConnection::emit(WebSocketOpcode opcode, std::string_view payload, bool compressed) {
  if (!transport_) return;
  WebSocketFrameHead head;
  head.opcode = opcode;
  head.compressed = compressed;
  head.size = payload.size();
  if (!is_server_) {
    head.masked = true;
    head.mask = random_websocket_mask();
  }
  const bool corked = websocket_output.owner == this;
  std::string& out = corked ? websocket_output.corked : websocket_output.scratch;
  std::array<char, kMostHeadBytes> bytes;
  out.append(bytes.data(), write_frame_head(head, bytes));
  const std::size_t begin = out.size();
  out.append(payload);
  if (head.masked) apply_mask(std::span<char>(out).subspan(begin), head.mask);
  if (corked) {
    if (out.size() > kMostCorked) flush();
    return;
  }
  transport_->write(out);
  keep_small(out, kMostKept);
}

/// Sends a frame that is ready.
void WebSocketConnection::emit_frame(std::string_view frame) {
  if (!transport_) return;
  if (websocket_output.owner != this) {
    transport_->write(frame);
    return;
  }
  websocket_output.corked.append(frame);
  if (websocket_output.corked.size() > kMostCorked) flush();
}

void WebSocketConnection::flush() noexcept {
  if (websocket_output.owner != this || websocket_output.corked.empty()) return;
  if (transport_) transport_->write(websocket_output.corked);
  keep_small(websocket_output.corked, kMostKept);
}

void WebSocketConnection::wake_senders() noexcept {
  if (!rare_) return;
  while (!rare_->senders.empty()) rare_->senders.pop_front().wake();
}

void WebSocketConnection::on_drained() noexcept {
  enter([this] {
    if (rare_ && rare_->pong && state_ == State::kOpen) emit(WebSocketOpcode::kPong, *rare_->pong);
    if (rare_) rare_->pong.reset();
    wake_senders();
  });
}

/// A peer that pings and does not read is answered when it has read: to the last ping alone, as
/// RFC 6455 5.5.3 allows, so that what waits for it has a bound.
void WebSocketConnection::answer_ping(std::string_view data) {
  if (state_ != State::kOpen) return;
  if (must_wait()) {
    rare_->pong.emplace(data);
  } else {
    emit(WebSocketOpcode::kPong, data);
  }
}

void WebSocketConnection::ping(std::string_view data) {
  if (state_ != State::kOpen) throw WebSocketClosedError();
  if (data.size() > 125) throw std::invalid_argument("a ping has at most 125 bytes");
  emit(WebSocketOpcode::kPing, data);
}

void WebSocketConnection::set_nodelay(bool on) noexcept {
  if (transport_) transport_->set_nodelay(on);
}

}  // namespace coronado
