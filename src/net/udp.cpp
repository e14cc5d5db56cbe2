#include <coronado/net/udp.hpp>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <coronado/base/error.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "loop/sockaddr.hpp"

namespace coronado {
namespace {

std::system_error failure(int error, const char* attempt, const SocketAddress& address) {
  return std::system_error(error, std::system_category(), attempt + to_string(address));
}

int open_socket(const SocketAddress& local, const UDPOptions& options) {
  sockaddr_storage storage;
  const socklen_t length = to_sockaddr(local, storage);
  if (!local.is_ip()) throw failure(EAFNOSUPPORT, "cannot bind a UDP socket to ", local);
  const int fd = ::socket(storage.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) throw failure(errno, "cannot bind a UDP socket to ", local);
  const auto set = [fd](bool wanted, int name) {
    const int on = 1;
    if (wanted) ::setsockopt(fd, SOL_SOCKET, name, &on, sizeof on);
  };
  set(options.reuse_port, SO_REUSEPORT);
  set(options.reuse_address, SO_REUSEADDR);
  set(options.broadcast, SO_BROADCAST);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&storage), length) != 0) {
    const int error = errno;
    ::close(fd);
    throw failure(error, "cannot bind a UDP socket to ", local);
  }
  return fd;
}

bool would_block() noexcept { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

}  // namespace

namespace detail {

/// What stands behind a `UDPSocket`, at an address that stays.
class UDPCore final : public PollHandler {
 public:
  UDPCore(IOLoop& owner, int socket) : loop(owner), fd(socket) {}
  ~UDPCore() { close(); }

  UDPWait*& waiter(bool sends) noexcept { return sends ? sender_ : receiver_; }

  void require_free(bool sends) {
    if (waiter(sends) == nullptr) return;
    throw std::logic_error(sends ? "another task sends on the socket"
                                 : "another task receives on the socket");
  }
  void require_open() const {
    if (fd < 0) throw StreamClosedError(std::make_error_code(std::errc::operation_canceled));
  }

  /// Watches for what is waited for. It goes on being watched for a while: the next wait, which
  /// usually follows at once, then needs no system call.
  void watch_more() {
    const unsigned more = watched_ | wanted();
    if (more == watched_) return;
    if (watched_ == 0) {
      loop.reactor().add_poll(fd, *this, more);
    } else {
      loop.reactor().modify_poll(fd, more);
    }
    watched_ = more;
  }

  void on_poll(int, unsigned events) noexcept override {
    const bool error = (events & Reactor::kError) != 0;
    bool concerns_somebody = false;
    if (((events & Reactor::kRead) != 0 || error) && receiver_ != nullptr) {
      concerns_somebody = true;
      receiver_->ready();
    }
    if (((events & Reactor::kWrite) != 0 || error) && sender_ != nullptr) {
      concerns_somebody = true;
      sender_->ready();
    }
    if (!concerns_somebody) watch_less();
  }

  void close() noexcept {
    if (fd < 0) return;
    loop.reactor().remove_poll(fd);
    watched_ = 0;
    ::close(std::exchange(fd, -1));
    for (UDPWait* waiter : {std::exchange(receiver_, nullptr), std::exchange(sender_, nullptr)}) {
      if (waiter == nullptr) continue;
      waiter->fail(std::make_exception_ptr(
          StreamClosedError(std::make_error_code(std::errc::operation_canceled))));
    }
  }

  IOLoop& loop;
  int fd;

 private:
  unsigned wanted() const noexcept {
    return (receiver_ != nullptr ? Reactor::kRead : 0) | (sender_ != nullptr ? Reactor::kWrite : 0);
  }

  void watch_less() noexcept {
    watched_ = wanted();
    if (watched_ == 0) {
      loop.reactor().remove_poll(fd);
    } else {
      loop.reactor().modify_poll(fd, watched_);
    }
  }

  UDPWait* receiver_ = nullptr;
  UDPWait* sender_ = nullptr;
  unsigned watched_ = 0;
};

bool UDPWait::begin() {
  core_->require_open();
  core_->require_free(sends());
  return attempt();
}

bool UDPWait::wait(PromiseBase& promise) {
  UDPWait*& place = core_->waiter(sends());
  place = this;
  try {
    core_->watch_more();
  } catch (...) {
    place = nullptr;
    throw;
  }
  if (park(promise)) return true;
  place = nullptr;
  return false;
}

void UDPWait::cancel() noexcept {
  core_->waiter(sends()) = nullptr;
  cancelled_ = true;
  wake();
}

void UDPWait::ready() noexcept {
  try {
    if (!attempt()) return;
  } catch (...) {
    failure_ = std::current_exception();
  }
  core_->waiter(sends()) = nullptr;
  wake();
}

void UDPWait::fail(std::exception_ptr failure) noexcept {
  failure_ = std::move(failure);
  wake();
}

namespace {

/// Returns  False when there is no datagram.
bool receive(UDPCore& core, std::span<char> into, DatagramInfo& info) {
  sockaddr_storage storage{};
  iovec piece{.iov_base = into.data(), .iov_len = into.size()};
  msghdr message{};
  message.msg_name = &storage;
  message.msg_namelen = sizeof storage;
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  const ssize_t size = ::recvmsg(core.fd, &message, 0);
  if (size < 0) {
    if (would_block()) return false;
    throw failure(errno, "cannot receive on ", local_address_of(core.fd));
  }
  info.size = static_cast<std::size_t>(size);
  info.from = from_sockaddr(storage, message.msg_namelen);
  info.truncated = (message.msg_flags & MSG_TRUNC) != 0;
  return true;
}

}  // namespace

bool UDPReceiveInto::attempt() { return receive(*core_, into_, info_); }

bool UDPReceive::attempt() {
  // One buffer for all: a datagram is received whole, and kept at its own size.
  static thread_local std::string buffer(UDPSocket::kMaxDatagram, '\0');
  DatagramInfo info;
  const std::size_t room = std::min(max_bytes_, buffer.size());
  if (!receive(*core_, std::span(buffer.data(), room), info)) return false;
  datagram_.bytes.assign(buffer, 0, info.size);
  datagram_.from = std::move(info.from);
  datagram_.truncated = info.truncated;
  return true;
}

bool UDPSend::attempt() {
  sockaddr_storage storage;
  const socklen_t length = to_sockaddr(to_, storage);
  const ssize_t size =
      ::sendto(core_->fd, bytes_.data(), bytes_.size(), MSG_NOSIGNAL,
               length != 0 ? reinterpret_cast<const sockaddr*>(&storage) : nullptr, length);
  if (size >= 0) return true;
  if (would_block()) return false;
  throw failure(errno, "cannot send a datagram to ", to_);
}

}  // namespace detail

UDPSocket::UDPSocket(IOLoop& loop, const SocketAddress& local, UDPOptions options)
    : core_(std::make_unique<detail::UDPCore>(loop, open_socket(local, options))) {}
UDPSocket::UDPSocket(UDPSocket&&) noexcept = default;
UDPSocket& UDPSocket::operator=(UDPSocket&&) noexcept = default;
UDPSocket::~UDPSocket() = default;

void UDPSocket::connect(const SocketAddress& peer) {
  core_->require_open();
  sockaddr_storage storage;
  const socklen_t length = to_sockaddr(peer, storage);
  if (length == 0 ||
      ::connect(core_->fd, reinterpret_cast<const sockaddr*>(&storage), length) != 0) {
    throw failure(length == 0 ? EINVAL : errno, "cannot connect a UDP socket to ", peer);
  }
}

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

namespace {

void change_group(int fd, const SocketAddress& group, unsigned interface_index, int action) {
  group_req request{};
  request.gr_interface = interface_index;
  to_sockaddr(group, request.gr_group);
  const int level = group.family == SocketAddress::Family::kIPv6 ? IPPROTO_IPV6 : IPPROTO_IP;
  if (::setsockopt(fd, level, action, &request, sizeof request) != 0) {
    throw failure(errno,
                  action == MCAST_JOIN_GROUP ? "cannot join the multicast group "
                                             : "cannot leave the multicast group ",
                  group);
  }
}

}  // namespace

void UDPSocket::join_multicast(const SocketAddress& group, unsigned interface_index) {
  core_->require_open();
  change_group(core_->fd, group, interface_index, MCAST_JOIN_GROUP);
}

void UDPSocket::leave_multicast(const SocketAddress& group, unsigned interface_index) {
  core_->require_open();
  change_group(core_->fd, group, interface_index, MCAST_LEAVE_GROUP);
}

SocketAddress UDPSocket::local() const {
  return closed() ? SocketAddress{} : local_address_of(core_->fd);
}
int UDPSocket::native_handle() const noexcept { return core_->fd; }
void UDPSocket::close() noexcept { core_->close(); }

}  // namespace coronado
