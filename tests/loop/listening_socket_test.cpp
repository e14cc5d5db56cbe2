#include "loop/listening_socket.hpp"

#include <coronado/base/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "loop/sockaddr.hpp"

namespace coronado {
namespace {

using testing::HasSubstr;

std::string failure(const SocketAddress& address) {
  try {
    ::close(open_listening_socket(address, {}));
  } catch (const BindError& error) {
    return error.what();
  }
  return "no failure";
}

TEST(ListeningSocket, TheSystemChoosesThePort) {
  const int fd = open_listening_socket(*SocketAddress::from_ip("127.0.0.1"), {});
  EXPECT_GT(local_address_of(fd).port, 0);
  EXPECT_EQ(local_address_of(fd).host(), "127.0.0.1");
  ::close(fd);
}

TEST(ListeningSocket, SharesAPortOnlyWhenAsked) {
  const int first = open_listening_socket(*SocketAddress::from_ip("127.0.0.1"),
                                          {.backlog = 16, .reuse_port = true});
  const SocketAddress taken = local_address_of(first);
  ::close(open_listening_socket(taken, {.backlog = 16, .reuse_port = true}));
  EXPECT_EQ(failure(taken), "cannot listen on " + to_string(taken) + ": Address already in use");
  ::close(first);
}

TEST(ListeningSocket, FailuresNameTheAddress) {
  EXPECT_THAT(failure(*SocketAddress::from_ip("192.0.2.1", 80)),
              HasSubstr("cannot listen on 192.0.2.1:80: Cannot assign requested address"));
  EXPECT_THAT(failure(SocketAddress::from_path(std::string(200, 'x'))),
              HasSubstr("File name too long"));
  EXPECT_THAT(failure(SocketAddress()), HasSubstr("Invalid argument"));
}

}  // namespace
}  // namespace coronado
