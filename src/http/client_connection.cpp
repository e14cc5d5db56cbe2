#include "http/client_connection.hpp"

#include <coronado/base/error.hpp>

#include <algorithm>
#include <utility>

namespace coronado {
namespace {

/// With this much unread the server is slowed down.
constexpr std::size_t kMostUnread = 64 * 1024;
/// A connection that is kept owns no more memory than this.
constexpr std::size_t kMostKept = 16 * 1024;

}  // namespace

ClientConnection::ClientConnection(std::unique_ptr<Transport> transport, const HTTPLimits& limits)
    : transport_(std::move(transport)), decoder_(limits) {
  transport_->start(*this);
  transport_->resume_receive();  // a proxy's dialog has left it paused
}

ClientConnection::~ClientConnection() {
  if (transport_ != nullptr && !active_ && !ended_ && unsent() == 0) transport_->say_farewell();
}

void ClientConnection::begin(ResponseDecoder::Request request, std::uint64_t max_body_size) {
  decoder_.begin(request, max_body_size);
  failure_.reset();
  active_ = true;
  fresh_ = answered_ = false;
  ++requests_;
}

/// Forgets the bytes that are done with.
void ClientConnection::compact() noexcept {
  if (consumed_ == input_.size()) {
    input_.clear();
  } else {
    input_.erase(0, consumed_);
  }
  consumed_ = 0;
}

void ClientConnection::park(Keeper& keeper) noexcept {
  keeper_ = &keeper;
  if (input_.capacity() > kMostKept) input_ = std::string();
}

ResponseDecoder::Step ClientConnection::next(std::size_t max_bytes) {
  using Event = ResponseDecoder::Event;
  if (failure_) throw *failure_;
  ResponseDecoder::Step step;
  do {
    const std::string_view bytes = input();
    // A head is parsed from all its bytes; a body may be taken in smaller pieces.
    const std::size_t most = decoder_.in_body() ? max_bytes : bytes.size();
    step = decoder_.feed(bytes.data(), std::min(bytes.size(), most));
    consumed_ += step.consumed;
  } while (step.event == Event::kMore && step.consumed != 0 && !input().empty());
  // Its view lives until more comes.
  if (step.event == Event::kData || step.event == Event::kHead) return step;
  if (step.event == Event::kMore) {
    fresh_ = false;
    if (paused_) {
      paused_ = false;
      transport_->resume_receive();
      if (fresh_) return next(max_bytes);
    }
    if (!ended_) return step;
    // An end that is no orderly one cuts also what ends with the connection.
    if (error_) fail(WireError::Kind::kClosed, "the connection broke");
    step.event = decoder_.end();
    if (step.event == Event::kError) {
      fail(WireError::Kind::kClosed, "the server closed the connection");
    }
  }
  if (step.event == Event::kDone) end_message();
  if (step.event != Event::kError) return step;
  fail(decoder_.too_large() ? WireError::Kind::kTooLarge : WireError::Kind::kMalformed,
       decoder_.error());
}

bool ClientConnection::finish_body() noexcept {
  if (decoder_.in_body()) return false;
  end_message();
  return true;
}

/// The response has come. An idle connection listens, however fast the body came.
void ClientConnection::end_message() noexcept {
  active_ = false;
  compact();
  if (std::exchange(paused_, false)) transport_->resume_receive();
}

/// Whoever asks again gets the same answer.
void ClientConnection::fail(WireError::Kind kind, const char* why) {
  failure_.emplace(kind, why, error_);
  throw *failure_;
}

bool ClientConnection::reusable() const noexcept {
  return !active_ && !ended_ && !spoiled_ && decoder_.keeps_alive() && input().empty() &&
         transport_->pending() == 0;
}

std::unique_ptr<Transport> ClientConnection::release(std::string& rest) noexcept {
  transport_->pause_receive();
  compact();
  rest = std::move(input_);
  return std::move(transport_);
}

void ClientConnection::on_receive(std::span<char> bytes) noexcept {
  if (!active_) return spoil();
  compact();
  input_.append(bytes.data(), bytes.size());
  fresh_ = answered_ = true;
  if (input_.size() >= kMostUnread && !paused_) {
    paused_ = true;
    transport_->pause_receive();
  }
  if (reader_ != nullptr) std::exchange(reader_, nullptr)->wake();
}

void ClientConnection::on_receive_end(std::error_code error) noexcept {
  if (std::exchange(ended_, true)) return;  // nothing is written after the end
  error_ = error;
  if (reader_ != nullptr) std::exchange(reader_, nullptr)->wake();
  if (writer_ != nullptr) std::exchange(writer_, nullptr)->wake();
  if (keeper_ != nullptr) std::exchange(keeper_, nullptr)->on_end(*this);
}

void ClientConnection::on_drained() noexcept {
  if (writer_ != nullptr) std::exchange(writer_, nullptr)->wake();
}

/// RFC 9112 9.2: what comes without having been asked for is no response; the connection is not
/// used again.
void ClientConnection::spoil() noexcept {
  spoiled_ = true;
  transport_->pause_receive();
  if (keeper_ != nullptr) std::exchange(keeper_, nullptr)->on_end(*this);
}

void ClientConnection::Drain::await_resume() const {
  check();
  if (connection_.ended_) throw StreamClosedError(connection_.error_);
}

}  // namespace coronado
