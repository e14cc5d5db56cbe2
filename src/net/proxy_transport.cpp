#include "net/proxy_transport.hpp"

#include <utility>

namespace coronado {

ProxyTransport::ProxyTransport(Executor& executor, std::unique_ptr<Transport> inner,
                               ProxyHeaderHandler& handler, Duration timeout)
    : executor_(executor), inner_(std::move(inner)), header_handler_(&handler) {
  inner_->start(*this);
  executor_.arm(deadline_, executor_.now() + timeout);
}

ProxyTransport::~ProxyTransport() {
  *alive_ = false;
  executor_.disarm(deadline_);
}

SocketAddress ProxyTransport::peer() const {
  return header_.has_addresses ? header_.source : inner_->peer();
}

SocketAddress ProxyTransport::local() const {
  return header_.has_addresses ? header_.destination : inner_->local();
}

// --- the header ----------------------------------------------------------------------------------

void ProxyTransport::read_header() {
  ProxyHeaderResult result = parse_proxy_header(early_);
  if (result.status == ProxyHeaderResult::Status::kIncomplete) return;
  if (result.status == ProxyHeaderResult::Status::kBad) return decide(result.reason);
  header_ = std::move(result.header);
  early_.erase(0, result.size);
  // What follows waits with the system until somebody has started on it.
  inner_->pause_receive();
  decide(nullptr);
}

/// The handler may destroy this.
void ProxyTransport::decide(const char* problem) noexcept {
  executor_.disarm(deadline_);
  std::exchange(header_handler_, nullptr)->on_proxy_header(*this, problem);
}

// --- afterwards ----------------------------------------------------------------------------------

void ProxyTransport::start(TransportHandler& handler) {
  if (std::exchange(handler_, &handler) != nullptr) return;
  if (!early_.empty() || ended_) return deliver_soon();
  inner_->resume_receive();
}

void ProxyTransport::pause_receive() noexcept {
  paused_ = true;
  inner_->pause_receive();
}

void ProxyTransport::resume_receive() noexcept {
  paused_ = false;
  if (!early_.empty() || ended_) return deliver_soon();
  inner_->resume_receive();
}

void ProxyTransport::deliver_soon() {
  executor_.post([this, alive = alive_] {
    if (*alive) deliver();
  });
}

void ProxyTransport::deliver() noexcept {
  if (paused_) return;
  const std::shared_ptr<bool> alive = alive_;
  if (!early_.empty()) {
    std::string early = std::exchange(early_, {});
    handler_->on_receive(early);
    if (!*alive || paused_) return;
  }
  if (std::exchange(ended_, false)) return handler_->on_receive_end(error_);
  inner_->resume_receive();
}

void ProxyTransport::on_receive(std::span<char> bytes) noexcept {
  if (handler_ != nullptr && early_.empty()) return handler_->on_receive(bytes);
  early_.append(bytes.data(), bytes.size());
  if (header_handler_ != nullptr) read_header();
}

void ProxyTransport::on_receive_end(std::error_code error) noexcept {
  if (header_handler_ != nullptr) return decide("the connection ended within the header");
  if (handler_ != nullptr && early_.empty()) return handler_->on_receive_end(error);
  ended_ = true;
  error_ = error;
}

void ProxyTransport::on_drained() noexcept {
  if (handler_ != nullptr) handler_->on_drained();
}

}  // namespace coronado
