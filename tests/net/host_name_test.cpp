#include "net/host_name.hpp"

#include <coronado/base/error.hpp>

#include <gtest/gtest.h>

namespace coronado {
namespace {

using Reason = ResolveError::Reason;

std::string refusal(const std::string& host) {
  try {
    check_host_name(host);
  } catch (const ResolveError& error) {
    EXPECT_EQ(error.reason(), Reason::kMalformed) << host;
    return error.what();
  }
  return "";
}

std::vector<std::string> known(const std::string& host,
                               AddressFamily family = AddressFamily::kAny) {
  std::vector<std::string> texts;
  const auto found = answer_without_asking({.host = host, .port = 7, .family = family});
  if (!found) return texts;
  for (const SocketAddress& address : found->addresses) texts.push_back(to_string(address));
  return texts;
}

Reason reason(const std::string& host, AddressFamily family = AddressFamily::kAny) {
  try {
    known(host, family);
  } catch (const ResolveError& error) {
    return error.reason();
  }
  ADD_FAILURE() << host;
  return Reason::kSystem;
}

TEST(HostName, WhatNamesLookLike) {
  const std::string longest = std::string(63, 'a') + "." + std::string(63, 'b') + "." +
                              std::string(63, 'c') + "." + std::string(61, 'd');
  for (const std::string& good : {std::string("a"), std::string("example.org"),
                                  std::string("example.org."), std::string("_sip._tcp.x-1.org"),
                                  std::string("1.2.3.4.in-addr.arpa"), longest, longest + "."}) {
    EXPECT_EQ(refusal(good), "");
  }
  for (const std::string& bad :
       {std::string(""), std::string("."), std::string(".org"), std::string("a..b"),
        std::string("a b"), std::string("a/b"), std::string("[::1]"), std::string("a\0b", 3),
        std::string("a:80"), std::string("100%"), longest + "d", std::string(64, 'a') + ".org"}) {
    EXPECT_NE(refusal(bad), "") << bad;
  }
}

TEST(HostName, ARefusalSaysWhyOnOneLine) {
  EXPECT_EQ(refusal("b\xc3\xbc"
                    "cher.example"),
            "cannot resolve b\\xc3\\xbccher.example: not a host name (names beyond ASCII are "
            "written in their xn-- form)");
  EXPECT_EQ(refusal("a\nb"),
            "cannot resolve a\\x0ab: not a host name (a character that no host "
            "name has)");
  EXPECT_LT(refusal(std::string(100'000, 'x')).size(), 200U);
}

// Programs disagree about these, and filters of addresses are got around with them.
TEST(HostName, NumbersAreNoNames) {
  for (const char* bad : {"127.1", "999.1.1.1", "1", "0x7f.1", "127.0.0.0x1", "1.2.3.4.", "a.12"}) {
    EXPECT_NE(refusal(bad), "") << bad;
  }
}

TEST(HostName, NumericAddressesAreKnown) {
  EXPECT_EQ(known("192.0.2.1"), std::vector<std::string>{"192.0.2.1:7"});
  EXPECT_EQ(known("2001:db8::1"), std::vector<std::string>{"[2001:db8::1]:7"});
  EXPECT_EQ(reason("192.0.2.1", AddressFamily::kIPv6), Reason::kNoAddress);
  EXPECT_EQ(reason("::1", AddressFamily::kIPv4), Reason::kNoAddress);
}

TEST(HostName, LocalhostIsHere) {
  const std::vector<std::string> both{"[::1]:7", "127.0.0.1:7"};
  for (const char* host : {"localhost", "LOCALHOST.", "a.b.localhost"})
    EXPECT_EQ(known(host), both);
  EXPECT_EQ(known("localhost", AddressFamily::kIPv4), std::vector<std::string>{"127.0.0.1:7"});
  EXPECT_EQ(known("notlocalhost"), std::vector<std::string>{});
  EXPECT_EQ(known("localhost.org"), std::vector<std::string>{});
}

TEST(HostName, NamesThatExistNowhere) {
  EXPECT_EQ(reason("invalid"), Reason::kNoSuchName);
  EXPECT_EQ(reason("a.Invalid."), Reason::kNoSuchName);
  EXPECT_EQ(reason("hidden.onion"), Reason::kNoSuchName);
}

}  // namespace
}  // namespace coronado
