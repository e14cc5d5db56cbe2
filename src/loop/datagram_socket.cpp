#include <coronado/loop/datagram_socket.hpp>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <coronado/base/error.hpp>
#include <coronado/loop/reactor.hpp>

#include <cerrno>
#include <memory>

#include "loop/sockaddr.hpp"

namespace coronado {
namespace {

constexpr const char* kBind = "cannot bind a UDP socket to ";

std::system_error failure(int error, const char* attempt, const SocketAddress& address) {
  return std::system_error(error, std::system_category(), attempt + to_string(address));
}

[[noreturn]] void fail_to_bind(int error, const SocketAddress& address) {
  throw_bind_error({error, std::system_category()}, kBind, to_string(address));
}

int open_socket(const SocketAddress& local, const UDPOptions& options) {
  sockaddr_storage storage;
  const socklen_t length = to_sockaddr(local, storage);
  if (!local.is_ip()) fail_to_bind(EAFNOSUPPORT, local);
  const int fd = ::socket(storage.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) fail_to_bind(errno, local);
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
    fail_to_bind(error, local);
  }
  return fd;
}

bool would_block() noexcept { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

/// A socket of the system, watched as any descriptor is.
class SystemDatagramSocket final : public DatagramSocket, private PollHandler {
 public:
  SystemDatagramSocket(Reactor& reactor, int fd, DatagramHandler& handler) noexcept
      : reactor_(reactor), handler_(handler), fd_(fd) {}
  ~SystemDatagramSocket() override {
    reactor_.remove_poll(fd_);
    ::close(fd_);
  }

  bool receive(std::span<char> into, DatagramInfo& info) override {
    sockaddr_storage storage;
    iovec piece{.iov_base = into.data(), .iov_len = into.size()};
    msghdr message{};
    message.msg_name = &storage;
    message.msg_namelen = sizeof storage;
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    const ssize_t size = ::recvmsg(fd_, &message, 0);
    if (size < 0) {
      if (would_block()) return false;
      throw failure(errno, "cannot receive on ", local());
    }
    info.size = static_cast<std::size_t>(size);
    info.from = from_sockaddr(storage, message.msg_namelen);
    info.truncated = (message.msg_flags & MSG_TRUNC) != 0;
    return true;
  }

  bool send(std::string_view bytes, const SocketAddress& to) override {
    sockaddr_storage storage;
    const socklen_t length = to_sockaddr(to, storage);
    const ssize_t size =
        ::sendto(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL,
                 length != 0 ? reinterpret_cast<const sockaddr*>(&storage) : nullptr, length);
    if (size >= 0) return true;
    if (would_block()) return false;
    throw failure(errno, "cannot send a datagram to ", to);
  }

  void connect(const SocketAddress& peer) override {
    sockaddr_storage storage;
    const socklen_t length = to_sockaddr(peer, storage);
    if (length == 0 || ::connect(fd_, reinterpret_cast<const sockaddr*>(&storage), length) != 0) {
      throw failure(length == 0 ? EINVAL : errno, "cannot connect a UDP socket to ", peer);
    }
  }

  void join_group(const SocketAddress& group, unsigned interface_index) override {
    if (change_group(group, interface_index, MCAST_JOIN_GROUP)) return;
    throw failure(errno, "cannot join the multicast group ", group);
  }
  void leave_group(const SocketAddress& group, unsigned interface_index) override {
    if (change_group(group, interface_index, MCAST_LEAVE_GROUP)) return;
    throw failure(errno, "cannot leave the multicast group ", group);
  }

  void watch(unsigned events) override {
    if (events == watched_) return;
    if (events == 0) {
      reactor_.remove_poll(fd_);
    } else if (watched_ == 0) {
      reactor_.add_poll(fd_, *this, events);
    } else {
      reactor_.modify_poll(fd_, events);
    }
    watched_ = events;
  }

  SocketAddress local() const override { return local_address_of(fd_); }
  int native_handle() const noexcept override { return fd_; }

 private:
  void on_poll(int, unsigned events) noexcept override { handler_.on_datagrams(events); }

  bool change_group(const SocketAddress& group, unsigned interface_index, int action) const {
    group_req request{};
    request.gr_interface = interface_index;
    to_sockaddr(group, request.gr_group);
    const int level = group.family == SocketAddress::Family::kIPv6 ? IPPROTO_IPV6 : IPPROTO_IP;
    return ::setsockopt(fd_, level, action, &request, sizeof request) == 0;
  }

  Reactor& reactor_;
  DatagramHandler& handler_;
  int fd_;
  unsigned watched_ = 0;
};

}  // namespace

std::unique_ptr<DatagramSocket> Reactor::bind_datagrams(const SocketAddress& local,
                                                        const UDPOptions& options,
                                                        DatagramHandler& handler) {
  return std::make_unique<SystemDatagramSocket>(*this, open_socket(local, options), handler);
}

}  // namespace coronado
