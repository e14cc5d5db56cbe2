#include "http/idna.hpp"

#include <gtest/gtest.h>

namespace coronado {
namespace {

TEST(IDNA, NamesBeyondASCII) {
  EXPECT_EQ(ascii_host_name("b\u00FCcher.example"), "xn--bcher-kva.example");
  EXPECT_EQ(ascii_host_name("B\u00DCCHER.Example"), "xn--bcher-kva.example");
  EXPECT_EQ(ascii_host_name("bu\u0308cher.example"), "xn--bcher-kva.example");  // two code points
  EXPECT_EQ(ascii_host_name("fa\u00DF.de"), "xn--fa-hia.de");  // not transitional: not "fass"
  EXPECT_EQ(ascii_host_name("\u4F8B\u5B50\u3002\u6D4B\u8BD5"), "xn--fsqu00a.xn--0zwm56d");
  EXPECT_EQ(ascii_host_name("\uFF11\uFF12\uFF17.0.0.1"), "127.0.0.1");
}

TEST(IDNA, WhatIsNoName) {
  EXPECT_EQ(ascii_host_name("b\xC3"
                            "cher"),
            std::nullopt);  // not UTF-8
  EXPECT_EQ(ascii_host_name(std::string_view("b\u00FC\0x", 5)), std::nullopt);
  EXPECT_EQ(ascii_host_name("\u05D0a\u05D1"), std::nullopt);  // from both directions: RFC 5893
  std::string endless;
  for (int i = 0; i < 64; ++i) endless += "\u00FC";
  EXPECT_EQ(ascii_host_name(endless), std::nullopt);  // longer than a label may be
}

}  // namespace
}  // namespace coronado
