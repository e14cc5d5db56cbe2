#include <coronado/net/stream_operations.hpp>

#include <algorithm>
#include <cstring>

#include "net/stream_core.hpp"

namespace coronado::detail {
namespace {

/// Below this size a buffer is searched whenever there is more.
constexpr std::size_t kAlwaysSearched = 4096;
/// How long a search in so many bytes is put off, so that it takes a few percent of the time.
Duration search_pause(std::size_t size) noexcept {
  return std::chrono::nanoseconds(size) * 16 + std::chrono::microseconds(100);
}

[[noreturn]] void throw_too_long(const StreamCore& core, const char* goal, std::size_t max_bytes) {
  throw UnsatisfiableReadError(
      std::string(goal) + " within max_bytes (" + std::to_string(max_bytes) + ")", max_bytes,
      core.peer_name());
}

}  // namespace

// --- UnreadBytes ---------------------------------------------------------------------------------

UnreadBytes::UnreadBytes(StreamCore& core) noexcept : view_(core.buffer.view()), core_(&core) {}

std::string UnreadBytes::take(std::size_t size) {
  if (core_ != nullptr) {
    std::string taken = core_->buffer.take(size);
    view_ = core_->buffer.view();
    return taken;
  }
  std::string taken = from_->take_received(view_.substr(0, size));
  view_.remove_prefix(size);
  return taken;
}

void UnreadBytes::copy_to(char* to, std::size_t size) {
  if (size != 0) std::memcpy(to, view_.data(), size);
  view_.remove_prefix(size);
  if (core_ != nullptr) core_->buffer.drop(size);
}

// --- StreamRead ----------------------------------------------------------------------------------

/// "reading from 192.0.2.7:4711, 12 bytes buffered"
void StreamRead::describe(std::string& out) const {
  out.append("reading from ").append(core_->peer_name());
  const std::size_t buffered = core_->buffer.size();
  if (buffered != 0) out.append(", ").append(std::to_string(buffered)).append(" bytes buffered");
}

bool StreamRead::begin() { return core_->begin(*this); }
void StreamRead::enter() noexcept { core_->wait(*this); }
void StreamRead::leave() noexcept { core_->cancel(*this); }

void StreamRead::finish(std::exception_ptr failure) noexcept {
  ended();
  complete(std::move(failure));
}

// --- BytesRead -----------------------------------------------------------------------------------

bool BytesRead::feed(UnreadBytes& unread) {
  const std::size_t there = unread.view().size();
  if (mode_ == Mode::kExact ? there < size_ : there == 0 && size_ != 0) return false;
  value_ = unread.take(std::min(size_, there));
  return true;
}

bool BytesRead::feed_end(UnreadBytes&, const std::error_code& error) {
  return mode_ == Mode::kSome && !error;
}

// --- IntoRead ------------------------------------------------------------------------------------

bool IntoRead::feed(UnreadBytes& unread) {
  const std::size_t size = std::min(into_.size() - filled_, unread.view().size());
  unread.copy_to(into_.data() + filled_, size);
  filled_ += size;
  return filled_ == into_.size() || (mode_ != Mode::kExact && filled_ != 0);
}

bool IntoRead::feed_end(UnreadBytes&, const std::error_code& error) {
  return mode_ == Mode::kSome && !error;
}

// --- UntilRead -----------------------------------------------------------------------------------

bool UntilRead::feed(UnreadBytes& unread) {
  const std::string_view view = unread.view();
  // A delimiter may have begun in what was searched before.
  const std::size_t from = searched_ - std::min(searched_, delimiter_.size() - 1);
  const void* found =
      ::memmem(view.data() + from, view.size() - from, delimiter_.data(), delimiter_.size());
  if (found == nullptr) {
    searched_ = view.size();
    if (view.size() >= max_bytes_) throw_too_long(*core_, "the delimiter did not come", max_bytes_);
    return false;
  }
  const auto end =
      static_cast<std::size_t>(static_cast<const char*>(found) - view.data()) + delimiter_.size();
  if (end > max_bytes_) throw_too_long(*core_, "the delimiter did not come", max_bytes_);
  value_ = unread.take(end);
  return true;
}

// --- RegexRead -----------------------------------------------------------------------------------

bool RegexRead::feed(UnreadBytes& unread) {
  const std::size_t size = unread.view().size();
  const bool grown = size - searched_ >= searched_ / 8;
  if (size <= kAlwaysSearched || grown || size >= max_bytes_) return search(unread);
  if (!armed()) core_->loop.arm(*this, core_->loop.turn_time() + search_pause(size));
  return false;
}

bool RegexRead::feed_end(UnreadBytes& unread, const std::error_code&) {
  return unread.view().size() != searched_ && search(unread);
}

bool RegexRead::search(UnreadBytes& unread) {
  const std::string_view view = unread.view();
  core_->loop.disarm(*this);
  searched_ = view.size();
  const std::size_t end = regex_->find_end(view);
  if (end != std::string_view::npos && end <= max_bytes_) {
    value_ = unread.take(end);
    return true;
  }
  if (end != std::string_view::npos || view.size() >= max_bytes_) {
    throw_too_long(*core_, "the expression did not match", max_bytes_);
  }
  return false;
}

void RegexRead::ended() noexcept { core_->loop.disarm(*this); }

void RegexRead::on_timer() noexcept {
  searched_ = 0;  // whatever has come since
  core_->offer_again(*this);
}

// --- CloseRead -----------------------------------------------------------------------------------

bool CloseRead::feed(UnreadBytes& unread) {
  if (unread.view().size() > max_bytes_)
    throw_too_long(*core_, "the stream did not end", max_bytes_);
  return false;
}

bool CloseRead::feed_end(UnreadBytes& unread, const std::error_code& error) {
  if (error) return false;
  value_ = unread.take(unread.view().size());
  return true;
}

// --- StreamWrite ---------------------------------------------------------------------------------

/// "writing to 192.0.2.7:4711, 70000 bytes unsent"
void StreamWrite::describe(std::string& out) const {
  out.append("writing to ").append(core_->peer_name());
  const Transport* transport = core_->transport();
  const std::size_t unsent = transport != nullptr ? transport->pending() : 0;
  out.append(", ").append(std::to_string(unsent)).append(" bytes unsent");
}

bool StreamWrite::begin() {
  if (core_->sent_to(mark_)) return true;
  core_->require_no_waiter();
  return false;
}
void StreamWrite::enter() noexcept { core_->wait(*this); }
void StreamWrite::leave() noexcept { core_->cancel(*this); }

}  // namespace coronado::detail
