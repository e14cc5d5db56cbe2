#include <coronado/net/udp.hpp>

#include <coronado/base/error.hpp>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace coronado {
namespace detail {
namespace {

StreamClosedError closed_here() {
  return StreamClosedError(std::make_error_code(std::errc::operation_canceled));
}

}  // namespace

/// What stands behind a `UDPSocket`, at an address that stays.
class UDPCore final : public DatagramHandler {
 public:
  UDPCore(IOLoop& loop, const SocketAddress& local, const UDPOptions& options)
      : socket_(loop.reactor().bind_datagrams(local, options, *this)) {}
  ~UDPCore() { close(); }

  bool closed() const noexcept { return socket_ == nullptr; }

  DatagramSocket& socket() const {
    if (socket_ == nullptr) throw closed_here();
    return *socket_;
  }

  void require_free(bool sends) const {
    if ((sends ? sender_ : receiver_) == nullptr) return;
    throw std::logic_error(sends ? "another task sends on the socket"
                                 : "another task receives on the socket");
  }

  /// Watches for what is waited for. It goes on being watched for a while: the next wait, which
  /// usually follows at once, then needs no system call.
  void wait(UDPWait& waiter) noexcept {
    place(waiter) = &waiter;
    try {
      watch(watched_ | wanted());
    } catch (...) {
      finish(waiter, std::current_exception());
    }
  }

  void cancel(UDPWait& waiter) noexcept { place(waiter) = nullptr; }

  void finish(UDPWait& waiter, std::exception_ptr failure) noexcept {
    place(waiter) = nullptr;
    waiter.complete(std::move(failure));
  }

  void close() noexcept {
    if (std::exchange(socket_, nullptr) == nullptr) return;
    for (UDPWait* waiter : {receiver_, sender_}) {
      if (waiter != nullptr) finish(*waiter, std::make_exception_ptr(closed_here()));
    }
  }

 private:
  void on_datagrams(unsigned events) noexcept override {
    const bool error = (events & Reactor::kError) != 0;
    UDPWait* const receiver = (events & Reactor::kRead) != 0 || error ? receiver_ : nullptr;
    UDPWait* const sender = (events & Reactor::kWrite) != 0 || error ? sender_ : nullptr;
    if (receiver != nullptr) receiver->ready();
    if (sender != nullptr) sender->ready();
    if (receiver == nullptr && sender == nullptr) watch(wanted());  // less: that cannot fail
  }

  UDPWait*& place(const UDPWait& waiter) noexcept { return waiter.sends() ? sender_ : receiver_; }

  unsigned wanted() const noexcept {
    return (receiver_ != nullptr ? Reactor::kRead : 0) | (sender_ != nullptr ? Reactor::kWrite : 0);
  }

  void watch(unsigned events) {
    socket_->watch(events);
    watched_ = events;
  }

  std::unique_ptr<DatagramSocket> socket_;
  UDPWait* receiver_ = nullptr;
  UDPWait* sender_ = nullptr;
  unsigned watched_ = 0;
};

bool UDPWait::begin() {
  core_->require_free(sends());
  return attempt();
}
void UDPWait::enter() noexcept { core_->wait(*this); }
void UDPWait::leave() noexcept { core_->cancel(*this); }

void UDPWait::ready() noexcept {
  std::exception_ptr failure;
  try {
    if (!attempt()) return;
  } catch (...) {
    failure = std::current_exception();
  }
  core_->finish(*this, std::move(failure));
}

bool UDPReceiveInto::attempt() { return core_->socket().receive(into_, info_); }

bool UDPReceive::attempt() {
  // One buffer for all: a datagram is received whole, and kept at its own size.
  static thread_local std::string buffer(UDPSocket::kMaxDatagram, '\0');
  DatagramInfo info;
  const std::size_t room = std::min(max_bytes_, buffer.size());
  if (!core_->socket().receive(std::span(buffer.data(), room), info)) return false;
  datagram_.bytes.assign(buffer, 0, info.size);
  datagram_.from = std::move(info.from);
  datagram_.truncated = info.truncated;
  return true;
}

bool UDPSend::attempt() { return core_->socket().send(bytes_, to_); }

}  // namespace detail

UDPSocket::UDPSocket(IOLoop& loop, const SocketAddress& local, UDPOptions options)
    : core_(std::make_unique<detail::UDPCore>(loop, local, options)) {}
UDPSocket::UDPSocket(UDPSocket&&) noexcept = default;
UDPSocket& UDPSocket::operator=(UDPSocket&&) noexcept = default;
UDPSocket::~UDPSocket() = default;

void UDPSocket::connect(const SocketAddress& peer) { core_->socket().connect(peer); }

detail::UDPReceive UDPSocket::receive_from(std::size_t max_bytes) {
  core_->require_free(false);
  return {*core_, max_bytes};
}

detail::UDPReceiveInto UDPSocket::receive_into(std::span<char> into) {
  core_->require_free(false);
  return {*core_, into};
}

detail::UDPSend UDPSocket::send_to(std::string_view bytes, const SocketAddress& to) {
  core_->require_free(true);
  return {*core_, bytes, to};
}

detail::UDPSend UDPSocket::send(std::string_view bytes) { return send_to(bytes, {}); }

void UDPSocket::join_multicast(const SocketAddress& group, unsigned interface_index) {
  core_->socket().join_group(group, interface_index);
}

void UDPSocket::leave_multicast(const SocketAddress& group, unsigned interface_index) {
  core_->socket().leave_group(group, interface_index);
}

SocketAddress UDPSocket::local() const {
  return closed() ? SocketAddress{} : core_->socket().local();
}
int UDPSocket::native_handle() const noexcept {
  return closed() ? -1 : core_->socket().native_handle();
}
void UDPSocket::close() noexcept { core_->close(); }
bool UDPSocket::closed() const noexcept { return core_->closed(); }

}  // namespace coronado
