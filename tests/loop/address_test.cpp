#include <coronado/loop/address.hpp>

#include <gtest/gtest.h>

#include "loop/sockaddr.hpp"

namespace coronado {
namespace {

TEST(SocketAddress, ReadsNumericAddresses) {
  const auto four = SocketAddress::from_ip("127.0.0.1", 80);
  ASSERT_TRUE(four);
  EXPECT_EQ(four->host(), "127.0.0.1");
  EXPECT_EQ(to_string(*four), "127.0.0.1:80");
  const auto six = SocketAddress::from_ip("::1", 443);
  ASSERT_TRUE(six);
  EXPECT_TRUE(six->is_ip());
  EXPECT_EQ(to_string(*six), "[::1]:443");
  const auto local = SocketAddress::from_ip("fe80::1%lo");
  ASSERT_TRUE(local);
  EXPECT_EQ(local->scope, 1U);
  EXPECT_EQ(local->host(), "fe80::1%1");
}

TEST(SocketAddress, RefusesWhatIsNoNumericAddress) {
  for (const char* text : {"", "localhost", "1.2.3", "1.2.3.4.5", "::1%", "127.0.0.1%lo", "[::1]",
                           "fe80::1%no-such-interface"}) {
    EXPECT_FALSE(SocketAddress::from_ip(text)) << text;
  }
  EXPECT_FALSE(SocketAddress::from_ip(std::string_view("1.2.3.4\0", 8)));
}

TEST(SocketAddress, PathsAndNothing) {
  EXPECT_EQ(to_string(SocketAddress()), "");
  EXPECT_FALSE(SocketAddress().is_ip());
  EXPECT_EQ(to_string(SocketAddress::from_path("/run/app.sock")), "unix:/run/app.sock");
  EXPECT_EQ(to_string(SocketAddress::from_path(std::string("\0name", 5))), "unix:@name");
}

TEST(SocketAddress, SurvivesTheSystemsForm) {
  for (const SocketAddress& address :
       {*SocketAddress::from_ip("10.1.2.3", 8080), *SocketAddress::from_ip("fe80::1%1", 1),
        SocketAddress::from_path("/run/app.sock"),
        SocketAddress::from_path(std::string("\0abstract", 9))}) {
    sockaddr_storage storage;
    const socklen_t length = to_sockaddr(address, storage);
    ASSERT_NE(length, 0U) << to_string(address);
    EXPECT_EQ(from_sockaddr(storage, length), address) << to_string(address);
  }
}

TEST(SocketAddress, AnUnnamedUnixSocketHasAnEmptyPath) {
  sockaddr_storage storage{};
  storage.ss_family = AF_UNIX;
  EXPECT_EQ(from_sockaddr(storage, sizeof storage.ss_family), SocketAddress::from_path(""));
}

TEST(SocketAddress, APathThatDoesNotFitHasNoSystemsForm) {
  sockaddr_storage storage;
  EXPECT_EQ(to_sockaddr(SocketAddress::from_path(""), storage), 0U);
  EXPECT_EQ(to_sockaddr(SocketAddress::from_path(std::string(108, 'x')), storage), 0U);
  EXPECT_NE(to_sockaddr(SocketAddress::from_path(std::string(107, 'x')), storage), 0U);
  EXPECT_EQ(to_sockaddr(SocketAddress(), storage), 0U);
}

}  // namespace
}  // namespace coronado
