#include "net/source_addresses.hpp"

#include <coronado/base/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <system_error>

namespace coronado {
namespace {

using Family = SocketAddress::Family;

SocketAddress ip(const char* text) { return *SocketAddress::from_ip(text, 80); }

std::string reachable(const SourceAddresses& sources) {
  std::vector<SocketAddress> addresses = {ip("2001:db8::1"), ip("192.0.2.1")};
  sources.keep_reachable(addresses);
  std::string text;
  for (const SocketAddress& each : addresses) text += each.host() + " ";
  return text;
}

TEST(SourceAddresses, TheSystemChooses) {
  const SourceAddresses any;
  EXPECT_EQ(reachable(any), "2001:db8::1 192.0.2.1 ");
  EXPECT_EQ(any.for_family(Family::kIPv4).family, Family::kNone);
  EXPECT_EQ(reachable(SourceAddresses(SocketAddress())), "2001:db8::1 192.0.2.1 ");
}

TEST(SourceAddresses, OneAddressReachesItsFamily) {
  const SourceAddresses four(*SocketAddress::from_ip("192.0.2.7", 4000));
  EXPECT_EQ(reachable(four), "192.0.2.1 ");
  EXPECT_EQ(to_string(four.for_family(Family::kIPv4)), "192.0.2.7:4000");
  EXPECT_EQ(four.for_family(Family::kIPv6).family, Family::kNone);
  EXPECT_EQ(four.why_unreachable({ip("2001:db8::1")}),
            "none of its addresses is of the family of the source address 192.0.2.7");
  const SourceAddresses six(*SocketAddress::from_ip("2001:db8::7"));
  EXPECT_EQ(reachable(six), "2001:db8::1 ");
  EXPECT_THAT(six.why_unreachable({ip("192.0.2.1")}), ::testing::HasSubstr("2001:db8::7"));
}

TEST(SourceAddresses, AnInterfaceHasOneOfEachFamily) {
  const SourceAddresses lo = SourceAddresses::of_interface("lo");
  EXPECT_EQ(to_string(lo.for_family(Family::kIPv4)), "127.0.0.1:0");
  const SocketAddress six = lo.for_family(Family::kIPv6);  // where IPv6 is not switched off
  EXPECT_EQ(six.host(), six.is_ip() ? "::1" : "");
  EXPECT_EQ(reachable(lo), six.is_ip() ? "2001:db8::1 192.0.2.1 " : "192.0.2.1 ");
  EXPECT_EQ(lo.for_family(Family::kUnix).family, Family::kNone);
  EXPECT_EQ(lo.why_unreachable({ip("2001:db8::1")}),
            "the network interface lo has no IPv6 address");
  EXPECT_EQ(lo.why_unreachable({ip("192.0.2.1")}), "the network interface lo has no IPv4 address");
}

TEST(SourceAddresses, AnInterfaceThatIsNotThereIsNamed) {
  for (const std::string name : {"nosuch0", "a-name-that-no-interface-can-have", ""}) {
    try {
      SourceAddresses::of_interface(name);
      ADD_FAILURE() << name;
    } catch (const std::system_error& error) {
      EXPECT_EQ(error.code(), std::errc::no_such_device);
      EXPECT_THAT(error.what(),
                  ::testing::HasSubstr("there is no network interface \"" + name + "\""));
    }
  }
}

}  // namespace
}  // namespace coronado
