#include "loop/uring_acceptor.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "loop/sockaddr.hpp"
#include "loop/uring_transport.hpp"

namespace coronado {
namespace {

std::error_code error_of(int code) noexcept { return {code, std::system_category()}; }

SocketAddress peer_address_of(int socket) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (::getpeername(socket, reinterpret_cast<sockaddr*>(&address), &length) != 0) return {};
  return from_sockaddr(address, length);
}

// --- accepting -----------------------------------------------------------------------------------

class UringListener final : public UringSource {
 public:
  UringListener(UringReactor& reactor, int fd, AcceptHandler& handler)
      : UringSource(reactor), handler_(&handler), fd_(fd) {
    reactor.mark(*this);
  }

  /// The acceptor is gone. While the operation is in flight the socket goes on listening although
  /// it is closed, so it is cancelled at once.
  void abandon() noexcept {
    handler_ = nullptr;
    ::close(std::exchange(fd_, -1));
    for (const int socket : std::exchange(kept_, {})) ::close(socket);
    if (accepting_ || resting_) {
      reactor_.mark(*this);
      reactor_.prepare_now(*this);
    }
    release();
  }
  void pause() noexcept {
    paused_ = true;
    reactor_.mark(*this);
  }
  void resume() noexcept {
    if (!std::exchange(paused_, false)) return;
    failed_ = false;
    if (!kept_.empty()) reactor_.again(*this);
    reactor_.mark(*this);
  }
  int fd() const noexcept { return fd_; }

  void prepare() override;
  void complete(unsigned operation, int result, std::uint32_t flags) noexcept override;
  void go_on() noexcept override;

 private:
  enum Operation : unsigned { kAccept = 1, kCancelAccept = 2, kRest = 3, kCancelRest = 4 };

  void accepted(int result) noexcept;
  void rest();

  AcceptHandler* handler_;  // null: abandoned
  int fd_;
  std::vector<int> kept_;  // accepted while paused
  bool paused_ = false;
  bool failed_ = false;  // rest before the next attempt
  bool accepting_ = false;
  bool resting_ = false;
  bool cancelling_ = false;
};

void UringListener::prepare() {
  if (cancelling_) return;
  const bool wanted = handler_ != nullptr && !paused_;
  if (resting_) {
    if (handler_ != nullptr) return;
    cancelling_ = true;
    return reactor_.cancel(*this, kRest, kCancelRest);
  }
  if (wanted == accepting_) return;
  if (!wanted) {
    cancelling_ = true;
    return reactor_.cancel(*this, kAccept, kCancelAccept);
  }
  if (std::exchange(failed_, false)) return rest();
  accepting_ = true;
  io_uring_sqe& entry = reactor_.entry();
  io_uring_prep_multishot_accept(&entry, fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  reactor_.expect(entry, *this, kAccept);
}

/// The next attempt would fail like the last one, and there would be no end of it.
void UringListener::rest() {
  static constexpr __kernel_timespec kRestTime{0, 100'000'000};
  resting_ = true;
  io_uring_sqe& entry = reactor_.entry();
  io_uring_prep_timeout(&entry, const_cast<__kernel_timespec*>(&kRestTime), 0, 0);
  reactor_.expect(entry, *this, kRest);
}

void UringListener::complete(unsigned operation, int result, std::uint32_t flags) noexcept {
  if (operation == kCancelAccept || operation == kCancelRest) {
    cancelling_ = false;
  } else if (operation == kRest) {
    resting_ = false;
  } else {
    if ((flags & IORING_CQE_F_MORE) == 0) accepting_ = false;
    accepted(result);
    if (accepting_) return;
  }
  reactor_.mark(*this);
}

void UringListener::accepted(int result) noexcept {
  if (result >= 0) {
    if (handler_ == nullptr) {
      ::close(result);
    } else if (paused_ || !kept_.empty()) {
      kept_.push_back(result);
    } else {
      reactor_.count_step();
      handler_->on_accept(make_uring_transport(reactor_, result, peer_address_of(result)));
    }
    return;
  }
  // The operation was stopped, or the peer left before it was served: the next one may be fine.
  if (handler_ == nullptr || result == -ECANCELED || result == -EINTR || result == -EAGAIN ||
      result == -ECONNABORTED || result == -EPROTO) {
    return;
  }
  failed_ = true;
  handler_->on_accept_error(error_of(-result));
}

void UringListener::go_on() noexcept {
  while (!kept_.empty() && !paused_ && handler_ != nullptr) {
    const int socket = kept_.front();
    kept_.erase(kept_.begin());
    handler_->on_accept(make_uring_transport(reactor_, socket, peer_address_of(socket)));
  }
}

class UringAcceptor final : public Acceptor {
 public:
  explicit UringAcceptor(UringListener& listener) noexcept : listener_(listener) {}
  ~UringAcceptor() override { listener_.abandon(); }

  void pause() noexcept override { listener_.pause(); }
  void resume() noexcept override { listener_.resume(); }
  SocketAddress local() const override { return local_address_of(listener_.fd()); }
  int native_handle() const noexcept override { return listener_.fd(); }

 private:
  UringListener& listener_;
};

// --- connecting ----------------------------------------------------------------------------------

class UringAttempt final : public UringSource {
 public:
  UringAttempt(UringReactor& reactor, int fd, SocketAddress to, ConnectHandler& handler)
      : UringSource(reactor), handler_(&handler), to_(std::move(to)), fd_(fd) {
    reactor.mark(*this);
  }

  void abandon() noexcept {
    handler_ = nullptr;
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
    if (waiting_) reactor_.mark_last(*this);
    release();
  }

  void prepare() override {
    if (cancelling_) return;
    if (handler_ == nullptr) {
      if (!waiting_) return;
      cancelling_ = true;
      return reactor_.cancel(*this, kWait, kCancelWait);
    }
    if (waiting_ || fd_ < 0) return;
    waiting_ = true;
    io_uring_sqe& entry = reactor_.entry();
    io_uring_prep_poll_add(&entry, fd_, POLLOUT);
    reactor_.expect(entry, *this, kWait);
  }

  void complete(unsigned operation, int, std::uint32_t) noexcept override {
    if (operation == kCancelWait) {
      cancelling_ = false;
      return;
    }
    waiting_ = false;
    if (handler_ == nullptr) return;
    reactor_.count_step();
    int error = 0;
    socklen_t length = sizeof error;
    ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &length);
    const int fd = std::exchange(fd_, -1);
    if (error != 0) {
      ::close(fd);
      return handler_->on_connect_error(error_of(error));
    }
    handler_->on_connect(make_uring_transport(reactor_, fd, to_));
  }

 private:
  enum Operation : unsigned { kWait = 1, kCancelWait = 2 };

  ConnectHandler* handler_;  // null: abandoned
  SocketAddress to_;
  int fd_;
  bool waiting_ = false;
  bool cancelling_ = false;
};

class UringConnecting final : public Connecting {
 public:
  explicit UringConnecting(UringAttempt& attempt) noexcept : attempt_(attempt) {}
  ~UringConnecting() override { attempt_.abandon(); }

 private:
  UringAttempt& attempt_;
};

}  // namespace

std::unique_ptr<Acceptor> make_uring_acceptor(UringReactor& reactor, int socket,
                                              AcceptHandler& handler) {
  return std::make_unique<UringAcceptor>(*new UringListener(reactor, socket, handler));
}

std::unique_ptr<Connecting> make_uring_connecting(UringReactor& reactor, int socket,
                                                  SocketAddress to, ConnectHandler& handler) {
  return std::make_unique<UringConnecting>(
      *new UringAttempt(reactor, socket, std::move(to), handler));
}

}  // namespace coronado
