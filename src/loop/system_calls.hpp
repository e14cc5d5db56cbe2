/// The system calls that every message costs, without glibc's part in them.
///
///     receive_from   recv
///     send_to        send, without SIGPIPE
///
/// In a program with threads glibc makes each of these a point where `pthread_cancel` may strike,
/// which takes some thirty instructions. Nothing here is ever cancelled like that. Sanitizers want to
/// see the calls: for them they are the usual ones.
///
/// Layer: loop.
#pragma once

#include <coronado/coro/frame_pool.hpp>

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>
#include <span>
#include <string_view>

namespace coronado {

inline ssize_t receive_from(int fd, std::span<char> buffer) noexcept {
#if CORONADO_SANITIZED
  return ::recv(fd, buffer.data(), buffer.size(), 0);
#else
  return ::syscall(SYS_recvfrom, fd, buffer.data(), buffer.size(), 0, nullptr, nullptr);
#endif
}

inline ssize_t send_to(int fd, std::string_view bytes, int flags = 0) noexcept {
#if CORONADO_SANITIZED
  return ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | flags);
#else
  return ::syscall(SYS_sendto, fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | flags, nullptr, 0);
#endif
}

}  // namespace coronado
