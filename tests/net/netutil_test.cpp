#include <coronado/net/netutil.hpp>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <system_error>

namespace coronado {
namespace {

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) != -1; }

TEST(Netutil, PortZeroIsChosenAndSharedByAllAddresses) {
  const std::vector<Socket> sockets = bind_sockets(0, {.address = "localhost"});
  ASSERT_FALSE(sockets.empty());
  const std::uint16_t port = local_port(sockets.front());
  EXPECT_NE(port, 0);
  for (const Socket& socket : sockets) {
    EXPECT_EQ(local_port(socket), port);
    EXPECT_NE(::fcntl(socket.fd(), F_GETFL) & O_NONBLOCK, 0);
    int listening = 0;
    socklen_t size = sizeof listening;
    ASSERT_EQ(::getsockopt(socket.fd(), SOL_SOCKET, SO_ACCEPTCONN, &listening, &size), 0);
    EXPECT_EQ(listening, 1);
  }
}

TEST(Netutil, AnOccupiedPortIsNamed) {
  const std::vector<Socket> first = bind_sockets(0, {.address = "127.0.0.1"});
  const std::uint16_t port = local_port(first.front());
  try {
    bind_sockets(port, {.address = "127.0.0.1"});
    FAIL() << "bound twice";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::errc::address_in_use);
    const std::string text = error.what();
    EXPECT_NE(text.find("127.0.0.1:" + std::to_string(port)), std::string::npos) << text;
  }
}

TEST(Netutil, ReusePortLetsWorkersShareOne) {
  const std::vector<Socket> first = bind_sockets(0, {.address = "127.0.0.1", .reuse_port = true});
  const std::uint16_t port = local_port(first.front());
  const std::vector<Socket> second =
      bind_sockets(port, {.address = "127.0.0.1", .reuse_port = true});
  EXPECT_EQ(local_port(second.front()), port);
}

TEST(Netutil, AnAddressThatDoesNotResolveIsNamed) {
  try {
    bind_sockets(0, {.address = "999.1.1.1"});
    FAIL() << "bound";
  } catch (const std::system_error& error) {
    EXPECT_NE(std::string(error.what()).find("999.1.1.1"), std::string::npos) << error.what();
  }
}

TEST(Netutil, ASocketClosesWhatItOwns) {
  int fd = -1;
  {
    Socket socket(::socket(AF_INET, SOCK_STREAM, 0));
    fd = socket.fd();
    Socket moved = std::move(socket);
    EXPECT_FALSE(socket);  // NOLINT(bugprone-use-after-move): what a moved-from socket promises
    EXPECT_TRUE(is_open(fd));
  }
  EXPECT_FALSE(is_open(fd));
  Socket kept(::socket(AF_INET, SOCK_STREAM, 0));
  const int released = kept.release();
  kept = Socket();
  EXPECT_TRUE(is_open(released));
  ::close(released);
}

TEST(Netutil, NumericAddresses) {
  for (const char* good : {"1.2.3.4", "::1", "fe80::1", "::ffff:1.2.3.4"}) {
    EXPECT_TRUE(is_valid_ip(good)) << good;
  }
  for (const std::string bad :
       {"", "localhost", "4.4.4.4<", "1.2.3", "1.2.3.4.5", "::1%", "1.2.3.4 "}) {
    EXPECT_FALSE(is_valid_ip(bad)) << bad;
  }
  EXPECT_FALSE(is_valid_ip(std::string_view("1.2.3.4\0", 8)));
}

}  // namespace
}  // namespace coronado
