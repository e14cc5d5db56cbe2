#include "loop/kernel_tls.hpp"

#include <linux/tls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace coronado {
namespace {

// Of kernel headers that libc's may be older than.
constexpr int kUpperLayer = 31;  // TCP_ULP
constexpr int kTLSLevel = 282;   // SOL_TLS

class SystemCalls final : public KernelTLS {
 public:
  int attach(int socket) noexcept override {
    static constexpr std::string_view kName = "tls";
    const int done =
        ::setsockopt(socket, IPPROTO_TCP, kUpperLayer, kName.data(), socklen_t{kName.size()});
    return done == 0 ? 0 : errno;
  }

  int set_send_keys(int socket, std::span<const char> keys) noexcept override {
    const int done =
        ::setsockopt(socket, kTLSLevel, TLS_TX, keys.data(), static_cast<socklen_t>(keys.size()));
    return done == 0 ? 0 : errno;
  }

  int send_record(int socket, unsigned char type, std::string_view content) noexcept override {
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof type)> control{};
    iovec piece{const_cast<char*>(content.data()), content.size()};
    msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = kTLSLevel;
    header->cmsg_type = TLS_SET_RECORD_TYPE;
    header->cmsg_len = CMSG_LEN(sizeof type);
    std::memcpy(CMSG_DATA(header), &type, sizeof type);
    ssize_t sent = 0;
    do {
      sent = ::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0) return errno == EWOULDBLOCK ? EAGAIN : errno;
    // A record is taken whole or not at all: it is smaller than what the kernel makes of one call.
    return static_cast<std::size_t>(sent) == content.size() ? 0 : EPROTO;
  }
};

SystemCalls& system_calls() noexcept {
  static SystemCalls calls;
  return calls;
}

thread_local KernelTLS* stand_in = nullptr;

}  // namespace

KernelTLS& kernel_tls() noexcept { return stand_in != nullptr ? *stand_in : system_calls(); }

KernelTLSStandIn::KernelTLSStandIn(KernelTLS& calls) noexcept
    : before_(std::exchange(stand_in, &calls)) {}
KernelTLSStandIn::~KernelTLSStandIn() { stand_in = before_; }

bool takes_more(int socket) noexcept {
  pollfd entry{socket, POLLOUT, 0};
  return ::poll(&entry, 1, 0) > 0;
}

}  // namespace coronado
