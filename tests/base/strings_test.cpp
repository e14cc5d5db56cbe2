#include <coronado/base/strings.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace coronado {
namespace {

template <class T>
std::string int_text(T value) {
  std::string text = "x";
  append_int(text, value);
  return text.substr(1);
}

std::string double_text(double value) {
  std::string text;
  append_double(text, value);
  return text;
}

TEST(Strings, LetterCaseIsASCIIOnly) {
  EXPECT_EQ(ascii_lower("AbZ[@\xC3\x89"), "abz[@\xC3\x89");
  EXPECT_EQ(ascii_upper("aBz{`\xC3\xA9"), "ABZ{`\xC3\xA9");
  EXPECT_TRUE(equals_ignore_case("Content-Type", "cONTENT-tYPE"));
  EXPECT_FALSE(equals_ignore_case("a", "ab"));
  EXPECT_FALSE(equals_ignore_case("[", "{"));
  EXPECT_TRUE(equals_ignore_case("", ""));
}

TEST(Strings, Trim) {
  EXPECT_EQ(trim(" \t a b\r\n"), "a b");
  EXPECT_EQ(trim(""), "");
  EXPECT_EQ(trim(" \n "), "");
  EXPECT_EQ(trim("xxaxx", "x"), "a");
  EXPECT_EQ(trim(std::string_view("\0a", 2)), std::string_view("\0a", 2));
}

TEST(Strings, Split) {
  using Parts = std::vector<std::string_view>;
  EXPECT_EQ(split("a,,b", ','), (Parts{"a", "", "b"}));
  EXPECT_EQ(split("", ','), (Parts{""}));
  EXPECT_EQ(split(",", ','), (Parts{"", ""}));
  EXPECT_EQ(split("abc", ','), (Parts{"abc"}));
}

TEST(Strings, Hex) {
  std::string text;
  append_hex(text, std::string_view("\x00\xff\x1a", 3));
  EXPECT_EQ(text, "00ff1a");
  EXPECT_EQ(parse_hex("00fF1A"), std::string("\x00\xff\x1a", 3));
  EXPECT_EQ(parse_hex(""), "");
  EXPECT_EQ(parse_hex("0"), std::nullopt);
  EXPECT_EQ(parse_hex("0g"), std::nullopt);
  EXPECT_EQ(parse_hex("+1"), std::nullopt);
  for (int c = 0; c < 256; ++c) {
    const char text_of_c[] = {static_cast<char>(c), 0};
    const bool is_hex =
        std::string_view("0123456789abcdefABCDEF").find(text_of_c[0]) != std::string_view::npos;
    EXPECT_EQ(hex_value(text_of_c[0]) >= 0, is_hex && c != 0) << c;
  }
}

TEST(Strings, AppendInt) {
  EXPECT_EQ(int_text(0), "0");
  EXPECT_EQ(int_text(std::numeric_limits<std::int64_t>::min()), "-9223372036854775808");
  EXPECT_EQ(int_text(std::numeric_limits<std::int64_t>::max()), "9223372036854775807");
  EXPECT_EQ(int_text(std::numeric_limits<std::uint64_t>::max()), "18446744073709551615");
  EXPECT_EQ(int_text(static_cast<signed char>(-128)), "-128");
  std::uint64_t value = 1;
  for (int digits = 1; digits < 20; ++digits, value *= 10) {
    for (std::uint64_t near : {value - 1, value, value + 1, value * 9 + 7}) {
      EXPECT_EQ(int_text(near), std::to_string(near));
      EXPECT_EQ(int_text(-static_cast<std::int64_t>(near)),
                std::to_string(-static_cast<std::int64_t>(near)));
    }
  }
}

TEST(Strings, ParseInt) {
  EXPECT_EQ(parse_int<int>("-12"), -12);
  EXPECT_EQ(parse_int<int>("007"), 7);
  EXPECT_EQ(parse_int<unsigned>("ff", 16), 255u);
  EXPECT_EQ(parse_int<std::uint8_t>("255"), 255);
  EXPECT_EQ(parse_int<std::uint8_t>("256"), std::nullopt);
  EXPECT_EQ(parse_int<std::int8_t>("-128"), -128);
  EXPECT_EQ(parse_int<std::int8_t>("-129"), std::nullopt);
  EXPECT_EQ(parse_int<std::uint64_t>("18446744073709551615"), 18446744073709551615u);
  EXPECT_EQ(parse_int<std::uint64_t>("18446744073709551616"), std::nullopt);
  for (const char* bad : {"", "-", "+1", " 1", "1 ", "1.0", "0x1", "a"}) {
    EXPECT_EQ(parse_int<int>(bad), std::nullopt) << bad;
  }
  EXPECT_EQ(parse_int<unsigned>("-1"), std::nullopt);
}

TEST(Strings, Doubles) {
  EXPECT_EQ(double_text(0.1), "0.1");
  EXPECT_EQ(double_text(1e300), "1e+300");
  EXPECT_EQ(double_text(-2.0), "-2");
  EXPECT_EQ(parse_double("0.1"), 0.1);
  EXPECT_EQ(parse_double("-1e-3"), -1e-3);
  EXPECT_EQ(parse_double("7"), 7.0);
  for (const char* bad : {"", "inf", "nan", "1x", "+1", " 1", "0x10", "1e999"}) {
    EXPECT_EQ(parse_double(bad), std::nullopt) << bad;
  }
  const double ugly = 0.1 + 0.2;
  EXPECT_EQ(parse_double(double_text(ugly)), ugly);
}

}  // namespace
}  // namespace coronado
