#include <coronado/http/websocket.hpp>

#include <stdexcept>
#include <utility>

#include "http/websocket_connection.hpp"

namespace coronado {

WebSocket::WebSocket(WebSocketConnection& connection) noexcept : connection_(&connection) {
  connection.hold();
}
WebSocket::WebSocket(WebSocket&& other) noexcept
    : connection_(std::exchange(other.connection_, nullptr)) {}
WebSocket& WebSocket::operator=(WebSocket&& other) noexcept {
  std::swap(connection_, other.connection_);
  return *this;
}
WebSocket::~WebSocket() {
  if (connection_ != nullptr) connection_->let_go();
}

WebSocket::Read WebSocket::read() noexcept { return Read(*connection_); }

WebSocket::Sent WebSocket::send(std::string_view text, bool compress) {
  connection_->send(WebSocketOpcode::kText, text, compress, false);
  return Sent(*connection_);
}
WebSocket::Sent WebSocket::send_binary(std::string_view bytes, bool compress) {
  connection_->send(WebSocketOpcode::kBinary, bytes, compress, true);
  return Sent(*connection_);
}
WebSocket::Sent WebSocket::send(const WebSocketMessage& message) {
  connection_->send(message.is_text ? WebSocketOpcode::kText : WebSocketOpcode::kBinary,
                    message.data, true, false);
  return Sent(*connection_);
}

WebSocket::Sent WebSocket::send(const PreparedMessage& message) {
  connection_->send(message);
  return Sent(*connection_);
}
WebSocketTopic::Subscription WebSocket::subscribe(WebSocketTopic& topic) {
  return connection_->subscribe(topic);
}

void WebSocket::ping(std::string_view data) { connection_->ping(data); }
void WebSocket::close(std::uint16_t code, std::string_view reason) {
  connection_->close(code, reason);
}
Event::Wait WebSocket::closed() { return connection_->closed_event().wait(); }
bool WebSocket::is_open() const noexcept { return connection_->is_open(); }
std::uint16_t WebSocket::close_code() const noexcept { return connection_->close_code(); }
const std::string& WebSocket::close_reason() const noexcept { return connection_->close_reason(); }
const std::string& WebSocket::subprotocol() const noexcept { return connection_->subprotocol(); }
std::size_t WebSocket::buffered_amount() const noexcept { return connection_->buffered_amount(); }
std::uint64_t WebSocket::dropped() const noexcept { return connection_->dropped(); }

// --- Read ----------------------------------------------------------------------------------------

bool WebSocket::Read::await_ready() {
  if (connection_.has_reader()) throw std::logic_error("another task is reading this WebSocket");
  return connection_.begin_read();
}

void WebSocket::Read::listen(Read* reader) noexcept { connection_.set_reader(reader); }

std::optional<WebSocketMessage> WebSocket::Read::await_resume() {
  check();
  return connection_.take_message();
}

void WebSocket::Read::cancel() noexcept {
  connection_.set_reader(nullptr);
  cancelled_ = true;
  wake();
}

// --- Sent ----------------------------------------------------------------------------------------

bool WebSocket::Sent::await_ready() const { return !connection_.must_wait(); }

void WebSocket::Sent::line_up() noexcept { connection_.add_sender(*this); }

void WebSocket::Sent::await_resume() const {
  check();
  if (!connection_.is_open()) throw WebSocketClosedError();
}

void WebSocket::Sent::cancel() noexcept {
  unlink();
  cancelled_ = true;
  wake();
}

}  // namespace coronado
