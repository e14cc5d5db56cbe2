/// Two TCP sockets of this machine that are connected, and what its kernel says when it is asked to
/// encrypt on one.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

namespace coronado::tls_test {

/// A pair of connected TCP sockets.
inline std::pair<int, int> tcp_pair() {
  const int listening = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  EXPECT_EQ(::bind(listening, reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(::listen(listening, 1), 0);
  EXPECT_EQ(::getsockname(listening, reinterpret_cast<sockaddr*>(&address), &size), 0);
  const int one = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EXPECT_EQ(::connect(one, reinterpret_cast<sockaddr*>(&address), size), 0);
  const int other = ::accept4(listening, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  ::fcntl(one, F_SETFL, ::fcntl(one, F_GETFL) | O_NONBLOCK);
  ::close(listening);
  return {one, other};
}

/// What this machine's kernel says when it is asked.
inline bool kernel_offers_tls() {
  const auto [one, other] = tcp_pair();
  const bool offers = ::setsockopt(one, IPPROTO_TCP, TCP_ULP, "tls", 3) == 0;
  ::close(one);
  ::close(other);
  return offers;
}

}  // namespace coronado::tls_test
