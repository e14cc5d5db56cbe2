#include "loop/uring_transport.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <string>
#include <utility>

#include "loop/kernel_tls.hpp"
#include "loop/nodelay.hpp"
#include "loop/sendfile.hpp"
#include "loop/sockaddr.hpp"
#include "loop/system_calls.hpp"

namespace coronado {
namespace {

/// When so much has been written it is sent at once, rather than when the turn ends.
constexpr std::size_t kSendAtOnce = 64 * 1024;
constexpr std::size_t kManyKept = 256 * 1024;
constexpr int kSentAll = std::numeric_limits<int>::max();

std::error_code error_of(int code) noexcept { return {code, std::system_category()}; }

/// The state of a connection. It outlives its transport until the kernel has let go of it.
///
/// Output is deferred: it is sent with the next entry into the kernel, which may go on to wait, so
/// that nobody hears of its success soon. That is nobody's loss, because nobody knows that it was
/// deferred: whoever asks what is pending or ends the output has it sent before he is answered. What
/// the kernel has refused is pending, and then the handler is told when it is gone.
///
/// A transport that is destroyed with deferred output is closed by the same entry, right behind it:
/// an answer and the end of its connection need no call of their own.
///
/// The first receive of a connection is a single one. Many connections bring one request and are
/// closed with its answer; then there is nothing to cancel.
class UringChannel final : public UringSource, public PollHandler {
 public:
  UringChannel(UringReactor& reactor, int fd, SocketAddress peer)
      : UringSource(reactor), peer_(std::move(peer)), fd_(fd) {}

  void start(TransportHandler& handler) {
    handler_ = &handler;
    reactor_.mark(*this);
  }
  /// The transport is gone.
  void abandon() noexcept;

  void write(std::string_view bytes);
  std::optional<std::size_t> send_file(int file, std::uint64_t offset, std::size_t count);
  bool encrypt_output(std::span<const char> keys);
  bool send_record(unsigned char type, std::string_view content);
  std::size_t pending() noexcept {
    send_deferred();
    return (output_ ? unsent().size() : 0) + elsewhere_;
  }
  void shutdown_write() noexcept {
    send_deferred();
    shutdown_ = true;
    if (!output_ && !blocked_) ::shutdown(fd_, SHUT_WR);
  }
  void pause_receive() noexcept {
    paused_ = true;
    reactor_.mark(*this);
  }
  void resume_receive() noexcept;
  std::string take_received(std::string_view bytes);
  const SocketAddress& peer() const noexcept { return peer_; }
  int fd() const noexcept { return fd_; }

  // UringSource
  void prepare() override;
  void complete(unsigned operation, int result, std::uint32_t flags) noexcept override;
  void go_on() noexcept override;
  void sent_less(int result) noexcept override;
  void settle() noexcept override;

  // PollHandler: the socket takes more
  void on_poll(int fd, unsigned events) noexcept override;

 private:
  enum Operation : unsigned { kReceive = 1, kCancelReceive = 2 };

  /// What came while nobody wanted it: only what was on its way when the kernel was told.
  struct Kept {
    std::string bytes;
    std::error_code error;  // of the end

    /// One piece is likely to be the only one; two are the beginning of many.
    void append(std::span<const char> piece) {
      const std::size_t size = bytes.size() + piece.size();
      if (!bytes.empty() && size > bytes.capacity()) bytes.reserve(std::max(2 * size, kManyKept));
      bytes.append(piece.data(), piece.size());
    }
  };

  ~UringChannel() override {
    if (fd_ >= 0) ::close(fd_);  // the ring has ended before it was asked to
  }

  void ask_to_send();
  void ask_to_receive();
  void ask_to_close();
  std::string_view unsent() const noexcept {
    return std::string_view(output_->bytes).substr(output_->sent);
  }
  void write_at_once(std::string_view bytes);
  bool may_send_directly() noexcept;
  void send_deferred() noexcept;
  std::size_t send_now(std::string_view bytes, int flags) noexcept;
  void wait_for_room(std::size_t elsewhere = 0) noexcept;
  void send_refused() noexcept;
  void finish_output() noexcept;
  void broke(int error) noexcept;
  void tell_break() noexcept;
  void received(int result, std::uint32_t flags) noexcept;
  void deliver_kept() noexcept;
  void end(std::error_code error) noexcept;
  Kept& keep();

  TransportHandler* handler_ = nullptr;           // null: not started, or abandoned
  std::unique_ptr<UringReactor::Output> output_;  // only while there is something to send
  std::unique_ptr<Kept> kept_;
  std::string* delivered_ = nullptr;  // what was kept, while the handler is given it
  SocketAddress peer_;
  /// What the caller of `send_file` or `send_record` will ask for again, or the end of a record that
  /// the kernel keeps.
  std::size_t elsewhere_ = 0;
  int fd_;
  int send_result_ = kSentAll;  // of the operation in progress
  int broken_ = 0;              // why sending failed
  bool break_told_ = false;
  bool paused_ = false;
  bool receiving_ = false;   // the operation is in flight
  bool cancelling_ = false;  // and so is its cancellation
  bool ended_ = false;       // nothing more will come
  bool shutdown_ = false;
  bool first_ = true;       // nothing was received yet
  bool closing_ = false;    // the output is the last, and the socket is closed behind it
  bool blocked_ = false;    // the kernel has refused the output
  bool watched_ = false;    // and epoll says when it takes more; else we try in every turn
  bool encrypted_ = false;  // by the kernel
};

class UringTransport final : public Transport {
 public:
  explicit UringTransport(UringChannel& channel) noexcept : channel_(channel) {}
  ~UringTransport() override { channel_.abandon(); }

  void start(TransportHandler& handler) override { channel_.start(handler); }
  void write(std::string_view bytes) override { channel_.write(bytes); }
  std::optional<std::size_t> send_file(int file, std::uint64_t offset, std::size_t count) override {
    return channel_.send_file(file, offset, count);
  }
  bool encrypt_output(std::span<const char> keys) override { return channel_.encrypt_output(keys); }
  bool send_record(unsigned char type, std::string_view content) override {
    return channel_.send_record(type, content);
  }
  std::size_t pending() const noexcept override { return channel_.pending(); }
  void pause_receive() noexcept override { channel_.pause_receive(); }
  void resume_receive() noexcept override { channel_.resume_receive(); }
  std::string take_received(std::string_view bytes) override {
    return channel_.take_received(bytes);
  }
  void shutdown_write() noexcept override { channel_.shutdown_write(); }
  void set_nodelay(bool on) noexcept override { set_socket_nodelay(channel_.fd(), on); }
  SocketAddress peer() const override { return channel_.peer(); }
  SocketAddress local() const override { return local_address_of(channel_.fd()); }
  int native_handle() const noexcept override { return channel_.fd(); }

 private:
  UringChannel& channel_;
};

// --- life ----------------------------------------------------------------------------------------

void UringChannel::abandon() noexcept {
  if (watched_) reactor_.remove_poll(fd_);
  handler_ = nullptr;
  ended_ = true;
  kept_.reset();
  closing_ = output_ && !blocked_ && reactor_.in_turn();
  if (closing_) return release();  // marked it is, since there is output
  send_deferred();
  blocked_ = false;
  watched_ = false;
  output_.reset();
  ::close(std::exchange(fd_, -1));
  // The operation keeps the socket open, so that the peer does not hear of the end before it is
  // cancelled.
  if (receiving_) reactor_.mark_last(*this);
  release();
}

void UringChannel::prepare() {
  if (output_ && !blocked_) ask_to_send();
  ask_to_receive();
  if (std::exchange(closing_, false)) ask_to_close();
}

// --- sending -------------------------------------------------------------------------------------

void UringChannel::write(std::string_view bytes) {
  if (broken_ != 0 && !break_told_) reactor_.again(*this);  // receiving may have been paused since
  if (broken_ != 0 || shutdown_ || bytes.empty()) return;
  const std::size_t deferred = output_ ? output_->bytes.size() : 0;
  // The kernel's TLS does not know MSG_WAITALL, with which the deferred output is sent.
  const bool at_once = deferred + bytes.size() >= kSendAtOnce || !reactor_.in_turn() || encrypted_;
  if (!blocked_ && at_once) return write_at_once(bytes);
  if (!output_) output_ = reactor_.take_output();
  output_->bytes.append(bytes);
  if (!blocked_) reactor_.mark(*this);
}

void UringChannel::write_at_once(std::string_view bytes) {
  if (output_) {
    output_->sent += send_now(unsent(), MSG_MORE);
    if (unsent().empty()) finish_output();
  }
  if (!output_) bytes.remove_prefix(send_now(bytes, 0));
  if (broken_ != 0) return;
  if (bytes.empty()) {
    if (encrypted_ && !takes_more(fd_)) wait_for_room(1);
    return;
  }
  if (!output_) output_ = reactor_.take_output();
  output_->bytes.append(bytes);
  wait_for_room();
}

/// What was deferred goes first.
bool UringChannel::may_send_directly() noexcept {
  send_deferred();
  return !blocked_;
}

std::optional<std::size_t> UringChannel::send_file(int file, std::uint64_t offset,
                                                   std::size_t count) {
  if (broken_ != 0 || shutdown_) return count;  // dropped, as by `write`
  if (!may_send_directly()) return 0;
  const FileSending result = send_file_now(fd_, file, offset, count);
  if (result.error == EINVAL) return std::nullopt;
  if (result.error == EAGAIN) {
    wait_for_room(count - result.sent);
  } else if (result.error != 0) {
    broke(result.error);
    return count;
  } else if (encrypted_ && !takes_more(fd_)) {
    wait_for_room(1);
  }
  return result.sent;
}

bool UringChannel::encrypt_output(std::span<const char> keys) {
  if (!may_send_directly() || broken_ != 0 || shutdown_) return false;
  if (!encrypted_ && kernel_tls().attach(fd_) != 0) return false;
  if (kernel_tls().set_send_keys(fd_, keys) != 0) return false;
  encrypted_ = true;
  return true;
}

bool UringChannel::send_record(unsigned char type, std::string_view content) {
  if (broken_ != 0 || shutdown_) return true;
  if (!may_send_directly()) return false;
  const int error = takes_more(fd_) ? kernel_tls().send_record(fd_, type, content) : EAGAIN;
  if (error == EAGAIN) {
    wait_for_room(content.size());
    return false;
  }
  if (error != 0) broke(error);
  return true;
}

void UringChannel::send_deferred() noexcept {
  if (!output_ || blocked_) return;
  output_->sent += send_now(unsent(), 0);
  if (unsent().empty()) {
    finish_output();
  } else {
    wait_for_room();
  }
}

/// Returns  The bytes that need no more sending: all of them on a broken channel.
std::size_t UringChannel::send_now(std::string_view bytes, int flags) noexcept {
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    const std::string_view rest = bytes.substr(sent);
    const ssize_t n = send_to(fd_, rest, MSG_DONTWAIT | flags);
    if (n >= 0) {
      sent += static_cast<std::size_t>(n);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      break;
    } else if (errno != EINTR) {
      broke(errno);
      return bytes.size();
    }
  }
  return sent;
}

/// The operation is over when the kernel has been entered, for MSG_DONTWAIT keeps it from waiting
/// for room: the kernel never reads from the output afterwards. So success needs no completion;
/// MSG_WAITALL makes a failure of what was sent in part.
void UringChannel::ask_to_send() {
  const std::string_view rest = unsent();
  io_uring_sqe& entry = reactor_.entry();
  io_uring_prep_send(&entry, fd_, rest.data(), rest.size(),
                     MSG_NOSIGNAL | MSG_DONTWAIT | MSG_WAITALL);
  reactor_.expect_sent(entry, *this);
}

/// The kernel takes the entries one after the other, and sends without waiting: what it has not taken
/// by then is discarded.
void UringChannel::ask_to_close() {
  io_uring_sqe& entry = reactor_.entry();
  io_uring_prep_close(&entry, std::exchange(fd_, -1));
  reactor_.expect_success(entry);
}

void UringChannel::sent_less(int result) noexcept { send_result_ = result; }

void UringChannel::settle() noexcept {
  if (!output_) return;
  const int result = std::exchange(send_result_, kSentAll);
  if (fd_ < 0) return reactor_.give_back(std::move(output_));  // closed
  if (result == kSentAll) return finish_output();
  if (result >= 0) output_->sent += static_cast<std::size_t>(result);
  const bool passing = result >= 0 || result == -EAGAIN || result == -EINTR || result == -ENOMEM ||
                       result == -ECANCELED;
  if (passing) return wait_for_room();
  broke(-result);
  finish_output();
}

/// Nothing is pending any more.
void UringChannel::finish_output() noexcept {
  if (output_) reactor_.give_back(std::move(output_));
  if (shutdown_) ::shutdown(fd_, SHUT_WR);
}

/// This is left to epoll: a poll operation of io_uring reports a peer that has ended its side, too,
/// again and again.
void UringChannel::wait_for_room(std::size_t elsewhere) noexcept {
  blocked_ = true;
  elsewhere_ = elsewhere;
  try {
    reactor_.add_poll(fd_, *this, Reactor::kWrite);
    watched_ = true;
  } catch (const std::exception&) {
    reactor_.again(*this);  // no memory, or no descriptor left
  }
}

void UringChannel::on_poll(int, unsigned) noexcept { send_refused(); }

void UringChannel::send_refused() noexcept {
  if (output_) output_->sent += send_now(unsent(), 0);
  const bool refused = output_ ? !unsent().empty() : !takes_more(fd_);
  if (refused) {
    if (!watched_) reactor_.again(*this);
    return;
  }
  if (std::exchange(watched_, false)) reactor_.remove_poll(fd_);
  blocked_ = false;
  elsewhere_ = 0;
  finish_output();
  if (broken_ == 0) handler_->on_drained();
}

void UringChannel::go_on() noexcept {
  if (broken_ != 0) tell_break();
  if (blocked_ && !watched_) send_refused();
  if (kept_ && !paused_) deliver_kept();
}

/// Sending has failed. The handler is told in a turn of its own.
void UringChannel::broke(int error) noexcept {
  broken_ = error;
  reactor_.again(*this);
}

/// While receiving goes on it meets the break, too, behind the bytes that came before it.
void UringChannel::tell_break() noexcept {
  const bool receiving = !ended_ && !paused_;
  if (break_told_ || receiving || handler_ == nullptr) return;
  break_told_ = true;
  ended_ = true;
  kept_.reset();
  handler_->on_receive_end(error_of(broken_));
}

// --- receiving -----------------------------------------------------------------------------------

void UringChannel::resume_receive() noexcept {
  if (!std::exchange(paused_, false)) return;
  if (kept_) reactor_.again(*this);
  reactor_.mark(*this);
}

void UringChannel::ask_to_receive() {
  const bool wanted = !paused_ && !ended_;
  if (wanted == receiving_ || cancelling_) return;
  if (!wanted) {
    cancelling_ = true;
    return reactor_.cancel(*this, kReceive, kCancelReceive);
  }
  receiving_ = true;
  io_uring_sqe& entry = reactor_.entry();
  if (first_) {
    io_uring_prep_recv(&entry, fd_, nullptr, 0, 0);
  } else {
    io_uring_prep_recv_multishot(&entry, fd_, nullptr, 0, 0);
  }
  entry.flags |= IOSQE_BUFFER_SELECT;
  entry.buf_group = UringRing::kBufferGroup;
  reactor_.expect(entry, *this, kReceive);
}

void UringChannel::complete(unsigned operation, int result, std::uint32_t flags) noexcept {
  if (operation == kCancelReceive) {
    cancelling_ = false;
    return reactor_.mark(*this);  // it came too early or too late, or it is wanted again
  }
  if ((flags & IORING_CQE_F_MORE) == 0) {
    receiving_ = false;
    reactor_.mark(*this);
  }
  received(result, flags);
}

void UringChannel::received(int result, std::uint32_t flags) noexcept {
  first_ = first_ && result <= 0;
  if (result > 0 && !ended_) {
    const std::span<char> bytes = reactor_.buffer(flags, static_cast<std::size_t>(result));
    reactor_.count_step();
    if (paused_ || kept_) {
      keep().append(bytes);
    } else {
      handler_->on_receive(bytes);
    }
  }
  if ((flags & IORING_CQE_F_BUFFER) != 0) reactor_.recycle(flags);
  if (result > 0 || ended_) return;
  // These stop the operation and say nothing of the connection: no buffer was left, ...
  const bool passing = result == -ENOBUFS || result == -EAGAIN || result == -EINTR ||
                       result == -ENOMEM || result == -ECANCELED;
  // The system tells of a reset once: the send that failed may have been told.
  if (!passing) end(error_of(result == 0 ? broken_ : -result));
}

UringChannel::Kept& UringChannel::keep() {
  if (!kept_) kept_ = std::make_unique<Kept>();
  return *kept_;
}

void UringChannel::end(std::error_code error) noexcept {
  ended_ = true;
  if (paused_ || kept_) {
    keep().error = error;
  } else {
    break_told_ = static_cast<bool>(error);
    handler_->on_receive_end(error);
  }
}

/// The buffers of the ring stay where they are; a string of what was kept can be given away.
std::string UringChannel::take_received(std::string_view bytes) {
  if (delivered_ == nullptr || bytes.data() != delivered_->data() ||
      bytes.size() != delivered_->size()) {
    return std::string(bytes);
  }
  return std::move(*delivered_);
}

void UringChannel::deliver_kept() noexcept {
  const std::unique_ptr<Kept> kept = std::move(kept_);
  if (!kept->bytes.empty()) {
    delivered_ = &kept->bytes;
    handler_->on_receive(kept->bytes);
    delivered_ = nullptr;
  }
  if (!ended_ || handler_ == nullptr) return;
  if (paused_) {
    keep().error = kept->error;
  } else {
    break_told_ = static_cast<bool>(kept->error);
    handler_->on_receive_end(kept->error);
  }
}

}  // namespace

std::unique_ptr<Transport> make_uring_transport(UringReactor& reactor, int socket,
                                                SocketAddress peer) {
  auto* const channel = new UringChannel(reactor, socket, std::move(peer));
  return std::make_unique<UringTransport>(*channel);
}

}  // namespace coronado
