#include "net/dns_message.hpp"

#include <gtest/gtest.h>

#include "tests/net/dns_server.hpp"

namespace coronado {
namespace {

using namespace std::chrono_literals;

/// A negative answer with an SOA record.
std::string negative(std::uint32_t ttl, std::uint32_t minimum) {
  const auto u32 = [](std::uint32_t value) {
    return dns_u16(value >> 16) + dns_u16(value & 0xffff);
  };
  const std::string data =
      dns_name("ns.test") + "\xc0\x0c" + u32(1) + u32(2) + u32(3) + u32(4) + u32(minimum);
  return dns_u16(7) + dns_u16(0x8183) + dns_u16(1) + dns_u16(1) + dns_u16(1) + dns_u16(0) +
         dns_name("no.test") + dns_u16(kTypeA) + dns_u16(1) + "\xc0\x0c" + dns_u16(kTypeCNAME) +
         dns_u16(1) + u32(60) + dns_u16(2) + "\xc0\x0c" + dns_name("test") + dns_u16(6) +
         dns_u16(1) + u32(ttl) + dns_u16(static_cast<unsigned>(data.size())) + data;
}

TEST(DnsMessage, TheResponseCodeAndTheNegativeTtl) {
  EXPECT_EQ(summarize_dns(negative(3600, 900)).rcode, kNxDomain);
  EXPECT_EQ(summarize_dns(negative(3600, 900)).negative_ttl, 900s);
  EXPECT_EQ(summarize_dns(negative(30, 900)).negative_ttl, 30s);
  EXPECT_EQ(summarize_dns(negative(0xffffffff, 900)).negative_ttl, 0s);
}

TEST(DnsMessage, WhatIsCutOffAnywhereIsNotBelieved) {
  const std::string whole = negative(30, 900);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const DnsSummary summary = summarize_dns(std::string_view(whole).substr(0, size));
    EXPECT_EQ(summary.rcode, size < 12 ? -1 : kNxDomain);
    EXPECT_FALSE(summary.negative_ttl) << size;
  }
}

TEST(DnsMessage, CountsThatLieEnd) {
  std::string wire(12, '\xff');
  EXPECT_FALSE(summarize_dns(wire).negative_ttl);
  wire += std::string(60'000, '\x01');
  EXPECT_FALSE(summarize_dns(wire).negative_ttl);
}

}  // namespace
}  // namespace coronado
