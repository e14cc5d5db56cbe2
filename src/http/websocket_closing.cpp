// How a WebSocket ends: the closing handshake, the channel behind it, and the pings that find out
// whether the peer is still there.
#include <coronado/base/escape.hpp>
#include <coronado/base/log.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/http/exchange.hpp>
#include <coronado/loop/ioloop.hpp>

#include <stdexcept>
#include <utility>

#include "http/websocket_close_code.hpp"
#include "http/websocket_output.hpp"

namespace coronado {
namespace {

constexpr std::size_t kMostReason = 123;  // RFC 6455 5.5
/// So long a peer is waited for when `close_timeout` says "for ever", but nobody holds the socket.
constexpr Duration kLongestFarewell = std::chrono::minutes(1);

/// At most `size` bytes of it, which are whole characters.
std::string_view cut_text(std::string_view text, std::size_t size) noexcept {
  if (text.size() <= size) return text;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
  return text.substr(0, size);
}

}  // namespace

// --- closing -------------------------------------------------------------------------------------

void WebSocketConnection::close(std::uint16_t code, std::string_view reason) {
  if (!is_valid_close_code(code)) {
    throw std::invalid_argument("not a close code: " + std::to_string(code));
  }
  if (reason.size() > kMostReason || !is_valid_utf8(reason)) {
    throw std::invalid_argument("the reason of a close frame is UTF-8 of at most 123 bytes");
  }
  if (state_ != State::kOpen) return;
  if (peer_code_ != 0) return answer_close();
  send_close(code, reason);
  close_code_ = code;
  set_close_reason(reason);
  state_ = State::kClosing;
  arm(farewell_timeout());
  if (reader_ != nullptr) std::exchange(reader_, nullptr)->wake();
  has_held_ = false;  // what comes now is dropped, until the peer's close frame
  enter([this] { process_input(); });
}

void WebSocketConnection::send_close(std::uint16_t code, std::string_view reason) {
  std::string payload;
  if (code != kCloseNoCode) {
    payload += static_cast<char>(code >> 8);
    payload += static_cast<char>(code & 0xFF);
    payload += reason;
  }
  emit(WebSocketOpcode::kClose, payload);
}

/// The peer has said that it is over, and nobody works on what it said before.
void WebSocketConnection::answer_close() {
  if (state_ == State::kOpen) send_close(peer_code_, {});
  close_code_ = peer_code_;
  linger();
}

/// The peer broke the rules.
void WebSocketConnection::violated(std::uint16_t code, std::string_view why) {
  general_log().warning("a WebSocket is closed with " + std::to_string(code) + ": " +
                        std::string(why) + " (" + transport_->peer().host() + ")");
  if (state_ == State::kOpen) send_close(code, cut_text(why, kMostReason));
  close_code_ = code;
  set_close_reason(why);
  linger();
}

/// Both have said that it is over: what is on its way arrives, and then the channel is closed. A
/// server does that first.   Spec  RFC 6455 7.1.1.
void WebSocketConnection::linger() noexcept {
  flush();
  become_closed();
  if (!transport_) return;
  if (is_server_) transport_->shutdown_write();
  arm(farewell_timeout());
  update_flow();
}

/// Tells all who wait.
void WebSocketConnection::become_closed() noexcept {
  if (state_ == State::kClosed) return;
  state_ = State::kClosed;
  if (close_code_ == 0) close_code_ = peer_code_ != 0 ? peer_code_ : kCloseBroken;
  if (reader_ != nullptr) std::exchange(reader_, nullptr)->wake();
  wake_senders();
  if (rare_) rare_->closed.set();
  if (!listener_) return;
  try {
    listener_->closed();
  } catch (const std::exception& error) {
    app_log().error(std::string("uncaught exception in a WebSocket's on_close: ") + error.what());
  } catch (...) {
    app_log().error("uncaught exception in a WebSocket's on_close, not a std::exception");
  }
}

/// Closes the channel.
void WebSocketConnection::end() noexcept {
  if (dead_) return;
  dead_ = true;
  if (armed()) loop_->disarm(*this);
  become_closed();
  flush();
  if (transport_ && state_ == State::kClosed && !peer_ended_) transport_->say_farewell();
  transport_.reset();
}

// --- time ----------------------------------------------------------------------------------------

Duration WebSocketConnection::farewell_timeout() const noexcept {
  const Duration wanted = options_->close_timeout;
  return wanted == Duration::zero() && !has_handle_ ? kLongestFarewell : wanted;
}

/// Zero: never.
void WebSocketConnection::arm(Duration in) noexcept {
  if (in > Duration::zero()) {
    loop_->arm(*this, detail::after(loop_->now(), in));
  } else if (armed()) {
    loop_->disarm(*this);
  }
}

void WebSocketConnection::on_timer() noexcept {
  enter([this] {
    if (state_ != State::kOpen) return end();
    if (peer_code_ != 0) return answer_close();
    keep_alive();
  });
}

void WebSocketConnection::on_loop_closed() noexcept {
  enter([this] { end(); });
}

/// Nothing may have come for a while: asks whether somebody is there.
void WebSocketConnection::keep_alive() {
  const WebSocketOptions& options = *options_;
  const Duration silence = loop_->now() - last_heard_;
  if (awaits_pong_) {
    const Duration patience =
        options.ping_timeout > Duration::zero() ? options.ping_timeout : options.ping_interval;
    if (silence >= patience) {
      general_log().warning("a WebSocket is cut: no answer to a ping");
      close_code_ = kCloseBroken;
      set_close_reason("ping timed out");
      return end();
    }
    awaits_pong_ = false;  // something else has come
  }
  if (silence < options.ping_interval) return arm(options.ping_interval - silence);
  emit(WebSocketOpcode::kPing, {});
  awaits_pong_ = true;
  arm(options.ping_timeout > Duration::zero() ? options.ping_timeout : options.ping_interval);
}

}  // namespace coronado
