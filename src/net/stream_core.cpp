#include "net/stream_core.hpp"

#include <coronado/base/log.hpp>

#include <algorithm>
#include <stdexcept>

#include "net/stream_info.hpp"

namespace coronado::detail {
namespace {

constexpr std::size_t kKeptCapacity = 1024;  // of an empty buffer; a larger one is freed

/// Takes what still happens on a channel between two owners.
class Nobody final : public TransportHandler {
  void on_receive(std::span<char>) noexcept override {}
  void on_receive_end(std::error_code) noexcept override {}
  void on_drained() noexcept override {}
};

Nobody& nobody() noexcept {
  static constinit Nobody handler;
  return handler;
}

std::exception_ptr closed_error(std::error_code code) {
  return std::make_exception_ptr(StreamClosedError(code));
}

}  // namespace

// --- ReadBuffer ----------------------------------------------------------------------------------

void ReadBuffer::append(std::string_view bytes) {
  if (begin_ > bytes_.size() / 2) {
    bytes_.erase(0, begin_);
    begin_ = 0;
  }
  bytes_.append(bytes);
}

void ReadBuffer::drop(std::size_t size) noexcept {
  begin_ += size;
  if (begin_ < bytes_.size()) return;
  begin_ = 0;
  bytes_.clear();
  if (bytes_.capacity() > kKeptCapacity) bytes_ = {};
}

std::string ReadBuffer::take(std::size_t size) {
  if (begin_ == 0 && size == bytes_.size()) return std::exchange(bytes_, {});
  std::string taken = bytes_.substr(begin_, size);
  drop(size);
  return taken;
}

// --- StreamCore ----------------------------------------------------------------------------------

StreamCore::StreamCore(IOLoop& stream_loop, std::unique_ptr<Transport> transport,
                       IOStreamOptions stream_options)
    : OpenStream(stream_loop),
      loop(stream_loop),
      options(stream_options),
      transport_(std::move(transport)) {}

void StreamCore::start() {
  transport_->start(*this);
  transport_->resume_receive();  // it may come paused from another owner
}

void StreamCore::abandon() noexcept {
  on_close_ = {};
  close(std::make_error_code(std::errc::operation_canceled));
}

std::string StreamCore::peer_name() const { return detail::peer_name(transport_.get()); }

StreamInfo StreamCore::info() const {
  StreamInfo info = stream_info(transport_.get());
  info.buffered = buffer.size();
  return info;
}

// --- reading -------------------------------------------------------------------------------------

void StreamCore::require_no_read() const {
  if (reader_ != nullptr) throw std::logic_error("the stream is being read already");
}

bool StreamCore::begin(StreamRead& read) {
  require_no_read();
  note_use();
  try {
    UnreadBytes unread(*this);
    bool done = read.feed(unread);
    if (!done && ended_) {
      done = read.feed_end(unread, end_error_);
      if (!done) {
        put_back(read.taken());
        throw StreamClosedError(end_error_);
      }
    }
    if (!done) check_size(buffer.size());
    control_flow();
    return done;
  } catch (const StreamLimitError&) {
    close(std::make_error_code(std::errc::message_size));
    throw;
  }
}

void StreamCore::wait(StreamRead& read) noexcept {
  reader_ = &read;
  control_flow();
}

void StreamCore::cancel(StreamRead& read) noexcept {
  reader_ = nullptr;
  put_back(read.taken());
  read.ended();
  control_flow();
}

/// Gives the reader what is there.   Returns  True when it has ended.
bool StreamCore::offer(UnreadBytes& unread) noexcept {
  try {
    if (!reader_->feed(unread)) return false;
    std::exchange(reader_, nullptr)->finish(nullptr);
  } catch (const StreamLimitError&) {
    fail_reader(std::current_exception());
    close(std::make_error_code(std::errc::message_size));
  }
  return true;
}

void StreamCore::offer_again(StreamRead&) noexcept {
  UnreadBytes unread(*this);
  if (offer(unread)) control_flow();
}

void StreamCore::check_size(std::size_t size) const {
  if (size <= options.max_buffer_size) return;
  throw UnsatisfiableReadError(
      "a read needs more than max_buffer_size (" + std::to_string(options.max_buffer_size) + ")",
      options.max_buffer_size, peer_name());
}

void StreamCore::on_receive(std::span<char> bytes) noexcept {
  UnreadBytes arriving(std::string_view(bytes.data(), bytes.size()), *transport_);
  // Straight from the loop's buffer, when nothing older waits.
  const bool offered = reader_ != nullptr && buffer.size() == 0;
  if (offered && offer(arriving) && arriving.view().empty()) return;
  buffer.append(arriving.view());
  if (reader_ != nullptr && !offered) {
    UnreadBytes unread(*this);
    offer(unread);
  }
  if (reader_ != nullptr && buffer.size() > options.max_buffer_size) {
    try {
      check_size(buffer.size());
    } catch (const StreamLimitError&) {
      fail_reader(std::current_exception());
      close(std::make_error_code(std::errc::message_size));
    }
  }
  control_flow();
}

void StreamCore::on_receive_end(std::error_code error) noexcept {
  const bool ended_before = std::exchange(ended_, true);
  error_ = error;
  if (!ended_before) end_error_ = error;
  if (reader_ != nullptr) {
    UnreadBytes unread(*this);
    bool done = false;
    try {
      done = reader_->feed_end(unread, error);
    } catch (const StreamLimitError&) {
      fail_reader(std::current_exception());
    }
    if (done) {
      std::exchange(reader_, nullptr)->finish(nullptr);
    } else if (reader_ != nullptr) {
      fail_reader(closed_error(error));
    }
  }
  if (error) {
    transport_.reset();
    note_end();
    finish_writer(closed_error(error));
  }
  tell_close();
}

void StreamCore::fail_reader(std::exception_ptr failure) noexcept {
  if (reader_ == nullptr) return;
  StreamRead& read = *std::exchange(reader_, nullptr);
  put_back(read.taken());
  read.finish(std::move(failure));
}

/// A read that takes as it goes has left nothing in the buffer.
void StreamCore::put_back(std::string_view bytes) {
  if (!bytes.empty()) buffer.append(bytes);
}

/// Who waits gets all there is; else the stream reads ahead so far and no further.
void StreamCore::control_flow() noexcept {
  if (transport_ == nullptr || ended_) return;
  if (reader_ != nullptr || buffer.size() <= options.read_ahead / 2) {
    if (std::exchange(paused_, false)) transport_->resume_receive();
  } else if (buffer.size() >= options.read_ahead) {
    if (!std::exchange(paused_, true)) transport_->pause_receive();
  }
}

std::shared_ptr<const CompiledRegex> StreamCore::compile(std::string_view pattern) {
  if (regex_ == nullptr || regex_pattern_ != pattern) {
    regex_ = std::make_shared<const CompiledRegex>(pattern);
    regex_pattern_ = pattern;
  }
  return regex_;
}

// --- writing -------------------------------------------------------------------------------------

void StreamCore::require_no_waiter() const {
  if (writer_ != nullptr) throw std::logic_error("another write waits on the stream");
}

void StreamCore::require_no_file() const {
  if (sending_file) throw std::logic_error("a file is being sent on the stream");
}

void StreamCore::require_open_output() const {
  if (transport_ == nullptr) throw StreamClosedError(error_);
  if (shut_) throw StreamClosedError(std::make_error_code(std::errc::broken_pipe));
}

void StreamCore::write(std::string_view bytes) {
  require_open_output();
  note_use();
  const std::size_t limit = options.max_write_buffer_size;
  if (bytes.size() > limit || !is_unsent_within(limit - bytes.size())) {
    throw StreamBufferFullError("a write of " + std::to_string(bytes.size()) + " bytes exceeds " +
                                    "max_write_buffer_size (" + std::to_string(limit) + ")",
                                limit);
  }
  transport_->write(bytes);
  unsent_at_most_ += bytes.size();
}

std::optional<std::size_t> StreamCore::send_file(int file, std::uint64_t offset,
                                                 std::size_t count) {
  require_open_output();
  unsent_at_most_ = std::numeric_limits<std::size_t>::max();  // it must be asked
  return transport_->send_file(file, offset, count);
}

void StreamCore::shutdown() {
  if (transport_ == nullptr) throw StreamClosedError(error_);
  shut_ = true;
  transport_->shutdown_write();
}

bool StreamCore::sent_to(std::size_t mark) {
  if (transport_ == nullptr) throw StreamClosedError(error_);
  return is_unsent_within(mark);
}

/// The transport is asked only when it may be otherwise: for an answer it must send at once what it
/// would have sent together with the output of others.
bool StreamCore::is_unsent_within(std::size_t mark) noexcept {
  if (unsent_at_most_ > mark) unsent_at_most_ = transport_->pending();
  return unsent_at_most_ <= mark;
}

void StreamCore::on_drained() noexcept {
  unsent_at_most_ = 0;
  finish_writer(nullptr);
}

void StreamCore::finish_writer(std::exception_ptr failure) noexcept {
  if (writer_ != nullptr) std::exchange(writer_, nullptr)->complete(std::move(failure));
}

// --- the end -------------------------------------------------------------------------------------

void StreamCore::close(std::error_code reason) noexcept {
  if (transport_ == nullptr) return;
  transport_.reset();
  note_end();
  ended_ = true;
  if (!error_) error_ = end_error_ = reason;
  fail_reader(closed_error(error_));
  finish_writer(closed_error(error_));
  tell_close();
}

void StreamCore::set_close_callback(Function<void()> callback) {
  on_close_ = std::move(callback);
  if (ended_) tell_close();
}

void StreamCore::tell_close() noexcept {
  if (!on_close_ || std::exchange(close_due_, true)) return;
  loop.post([weak = weak_from_this()] {
    const std::shared_ptr<StreamCore> core = weak.lock();
    if (core == nullptr) return;
    core->close_due_ = false;
    Function<void()> callback = std::exchange(core->on_close_, {});
    if (callback) callback();
  });
}

std::unique_ptr<Transport> StreamCore::release_transport() {
  if (transport_ == nullptr || ended_) throw StreamClosedError(error_);
  const char* obstacle = reader_ != nullptr           ? "a read is active"
                         : writer_ != nullptr         ? "a write is active"
                         : sending_file               ? "a file is being sent"
                         : buffer.size() != 0         ? "there are unread bytes"
                         : transport_->pending() != 0 ? "there are unsent bytes"
                                                      : nullptr;
  if (obstacle != nullptr) {
    throw std::logic_error(std::string("the stream is not idle, so its transport cannot be ") +
                           "released: " + obstacle);
  }
  transport_->pause_receive();
  transport_->start(nobody());
  on_close_ = {};
  note_end();
  ended_ = true;
  error_ = end_error_ = std::make_error_code(std::errc::operation_canceled);
  return std::move(transport_);
}

}  // namespace coronado::detail
