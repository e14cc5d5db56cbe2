#include "net/proxy_protocol.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace coronado {
namespace {

using Status = ProxyHeaderResult::Status;

const std::string kSignature("\r\n\r\n\0\r\nQUIT\n", 12);

/// A header of version 2.
std::string version_2(int command, int family, const std::string& block) {
  std::string header = kSignature;
  header += static_cast<char>(command);
  header += static_cast<char>(family);
  header += static_cast<char>(block.size() >> 8);
  header += static_cast<char>(block.size() & 0xff);
  return header + block;
}

const std::string kTCP4("\x01\x02\x03\x04\x05\x06\x07\x08\x00\x50\x01\xbb", 12);

TEST(ProxyProtocol, Version1) {
  const std::string line = "PROXY TCP4 192.168.0.1 10.0.0.11 56324 443\r\n";
  const ProxyHeaderResult result = parse_proxy_header(line + "GET / HTTP/1.1\r\n");
  ASSERT_EQ(result.status, Status::kDone);
  EXPECT_EQ(result.size, line.size());
  EXPECT_TRUE(result.header.has_addresses);
  EXPECT_EQ(to_string(result.header.source), "192.168.0.1:56324");
  EXPECT_EQ(to_string(result.header.destination), "10.0.0.11:443");
  const ProxyHeaderResult six = parse_proxy_header("PROXY TCP6 2001:db8::1 ::1 0 65535\r\n");
  ASSERT_EQ(six.status, Status::kDone);
  EXPECT_EQ(to_string(six.header.source), "[2001:db8::1]:0");
  EXPECT_EQ(to_string(six.header.destination), "[::1]:65535");
}

TEST(ProxyProtocol, Version1Unknown) {
  for (const std::string line : {"PROXY UNKNOWN\r\n", "PROXY UNKNOWN ffff::1 what ever\r\n"}) {
    const ProxyHeaderResult result = parse_proxy_header(line + "rest");
    ASSERT_EQ(result.status, Status::kDone) << line;
    EXPECT_EQ(result.size, line.size());
    EXPECT_FALSE(result.header.has_addresses);
  }
}

TEST(ProxyProtocol, Version1IsStrict) {
  for (const std::string line : {"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n",
                                 "PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n",
                                 "PROXY TCP4  1.2.3.4 5.6.7.8 1 2\r\n",
                                 "PROXY TCP4 1.2.3.4 5.6.7.8 1 2 \r\n",
                                 "PROXY TCP4 1.2.3.4 5.6.7.8 01 2\r\n",
                                 "PROXY TCP4 1.2.3.4 5.6.7.8 1 65536\r\n",
                                 "PROXY TCP4 1.2.3.4 5.6.7.8 -1 2\r\n",
                                 "PROXY TCP4 1.2.3.4 5.6.7.8 1 \r\n",
                                 "PROXY TCP4 ::1 ::2 1 2\r\n",
                                 "PROXY TCP6 1.2.3.4 5.6.7.8 1 2\r\n",
                                 "PROXY TCP6 fe80::1%lo ::1 1 2\r\n",
                                 "PROXY TCP4 1.2.3 5.6.7.8 1 2\r\n",
                                 "PROXY UDP4 1.2.3.4 5.6.7.8 1 2\r\n",
                                 "PROXY UNKNOWNS\r\n",
                                 "PROXY \r\n",
                                 "PROXY \n",
                                 "proxy TCP4 1.2.3.4 5.6.7.8 1 2\r\n",
                                 "GET / HTTP/1.1\r\n",
                                 "PROXX",
                                 "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\r\n"}) {
    const ProxyHeaderResult result = parse_proxy_header(line);
    EXPECT_EQ(result.status, Status::kBad) << line;
    EXPECT_NE(result.reason, nullptr);
  }
  EXPECT_EQ(parse_proxy_header("PROXY UNKNOWN" + std::string(106 - 13, 'x')).status,
            Status::kIncomplete);
  EXPECT_EQ(parse_proxy_header("PROXY UNKNOWN" + std::string(107 - 13, 'x')).status, Status::kBad);
}

TEST(ProxyProtocol, Version2) {
  const std::string header = version_2(0x21, 0x11, kTCP4);
  const ProxyHeaderResult result = parse_proxy_header(header + "rest");
  ASSERT_EQ(result.status, Status::kDone);
  EXPECT_EQ(result.size, header.size());
  EXPECT_EQ(to_string(result.header.source), "1.2.3.4:80");
  EXPECT_EQ(to_string(result.header.destination), "5.6.7.8:443");

  const std::string six = std::string(15, '\0') + '\1' + std::string(15, '\0') + '\2' +
                          std::string("\x00\x07\x00\x08", 4);
  const ProxyHeaderResult at_six = parse_proxy_header(version_2(0x21, 0x21, six));
  ASSERT_EQ(at_six.status, Status::kDone);
  EXPECT_EQ(to_string(at_six.header.source), "[::1]:7");
  EXPECT_EQ(to_string(at_six.header.destination), "[::2]:8");

  std::string paths(216, '\0');
  paths.replace(0, 9, "/run/from");
  paths.replace(109, 8, "abstract");  // behind a NUL
  const ProxyHeaderResult at_path = parse_proxy_header(version_2(0x21, 0x31, paths));
  ASSERT_EQ(at_path.status, Status::kDone);
  EXPECT_EQ(to_string(at_path.header.source), "unix:/run/from");
  EXPECT_EQ(to_string(at_path.header.destination), "unix:@abstract");
}

TEST(ProxyProtocol, Version2LocalAndUnspecified) {
  for (const std::string& header : {version_2(0x20, 0x00, ""), version_2(0x20, 0x11, "whatever"),
                                    version_2(0x21, 0x00, ""), version_2(0x21, 0x00, "skipped")}) {
    const ProxyHeaderResult result = parse_proxy_header(header);
    ASSERT_EQ(result.status, Status::kDone);
    EXPECT_EQ(result.size, header.size());
    EXPECT_FALSE(result.header.has_addresses);
  }
}

TEST(ProxyProtocol, Version2SkipsExtensions) {
  const std::string extensions("\x01\x00\x02h2\x04\x00\x00", 8);
  const std::string header = version_2(0x21, 0x11, kTCP4 + extensions);
  const ProxyHeaderResult result = parse_proxy_header(header);
  ASSERT_EQ(result.status, Status::kDone);
  EXPECT_EQ(result.size, header.size());
  EXPECT_EQ(to_string(result.header.source), "1.2.3.4:80");
  for (const std::string& broken :
       {std::string("\x01"), std::string("\x01\x00", 2), std::string("\x01\x00\x03h2", 5)}) {
    EXPECT_EQ(parse_proxy_header(version_2(0x21, 0x11, kTCP4 + broken)).status, Status::kBad);
  }
}

TEST(ProxyProtocol, Version2IsStrict) {
  for (const std::string& header :
       {version_2(0x11, 0x11, kTCP4), version_2(0x22, 0x11, kTCP4), version_2(0x21, 0x12, kTCP4),
        version_2(0x21, 0x41, kTCP4), version_2(0x21, 0x11, kTCP4.substr(1)),
        version_2(0x21, 0x00, std::string(kMaxProxyHeader, 'x'))}) {
    EXPECT_EQ(parse_proxy_header(header).status, Status::kBad);
  }
  std::string signature = kSignature;
  signature.back() = '\r';
  EXPECT_EQ(parse_proxy_header(signature).status, Status::kBad);
}

TEST(ProxyProtocol, EveryPrefixIsIncomplete) {
  for (const std::string& header : {std::string("PROXY TCP4 192.168.0.1 10.0.0.11 56324 443\r\n"),
                                    version_2(0x21, 0x11, kTCP4), version_2(0x20, 0x00, "")}) {
    for (std::size_t size = 0; size < header.size(); ++size) {
      EXPECT_EQ(parse_proxy_header(header.substr(0, size)).status, Status::kIncomplete) << size;
    }
    EXPECT_EQ(parse_proxy_header(header).status, Status::kDone);
  }
}

}  // namespace
}  // namespace coronado
