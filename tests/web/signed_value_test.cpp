#include <coronado/web/signed_value.hpp>

#include <coronado/base/error.hpp>
#include <coronado/base/strings.hpp>

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "tests/web/tornado.hpp"

namespace coronado::web_test {
namespace {

using web::CookieSecret;
using web::create_signed_value;
using web::decode_signed_value;
using web::get_signature_key_version;
using web::SignedValueError;
using web::SignedValueRules;
using web::try_decode_signed_value;

// Tornado's own test vectors (web_test.py, SignedValueTest).
constexpr std::string_view kSecret = "It's a secret to everybody";
constexpr std::time_t kPast = 1'300'000'000;
constexpr std::string_view kVersion1 =
    "dmFsdWU=|1300000000|31c934969f53e48164c50768b40cbd7e2daaaa4f";
constexpr std::string_view kVersion2 =
    "2|1:0|10:1300000000|3:key|8:dmFsdWU=|"
    "3d4e60b996ff9c5d5788e333a0cba6f238a22c6c0f94788870e1a9ecd482e152";

CookieSecret secret() { return std::string(kSecret); }
CookieSecret table(int key_version = 1) {
  return {{{0, "ajklasdf0ojaisdf"}, {1, "aslkjasaolwkjsdf"}}, key_version};
}

SignedValueRules at(std::time_t now) { return {.now = now}; }

SignedValueError error_of(std::string_view text, const SignedValueRules& rules = at(kPast),
                          std::string_view name = "key") {
  const auto decoded = try_decode_signed_value(secret(), name, text, rules);
  EXPECT_FALSE(decoded) << *decoded;
  return decoded ? SignedValueError{255} : decoded.error();
}

TEST(SignedValue, KnownValues) {
  EXPECT_EQ(create_signed_value(secret(), "key", "value", 1, kPast), kVersion1);
  EXPECT_EQ(create_signed_value(secret(), "key", "value", 2, kPast), kVersion2);
  EXPECT_EQ(create_signed_value(secret(), "key", "value", 2, kPast),
            create_signed_value(secret(), "key", "value", web::kDefaultSignedValueVersion, kPast));
  EXPECT_EQ(decode_signed_value(secret(), "key", kVersion1, at(kPast)), "value");
  EXPECT_EQ(decode_signed_value(secret(), "key", kVersion2, at(kPast)), "value");
}

TEST(SignedValue, KnownValuesOfATable) {
  const std::string key0 = create_signed_value(table(0), "key", "\xe9", 2, kPast);
  EXPECT_EQ(key0, "2|1:0|10:1300000000|3:key|4:6Q==|" + key0.substr(key0.rfind('|') + 1));
  const std::string key1 = create_signed_value(table(1), "key", "\xe9", 2, kPast);
  EXPECT_TRUE(key1.starts_with("2|1:1|10:1300000000|3:key|4:6Q==|"));
  for (const std::string& text : {key0, key1}) {
    EXPECT_EQ(decode_signed_value(table(0), "key", text, at(kPast)), "\xe9");
    EXPECT_EQ(decode_signed_value(table(1), "key", text, at(kPast)), "\xe9");
  }
  EXPECT_EQ(get_signature_key_version(key0), 0);
  EXPECT_EQ(get_signature_key_version(key1), 1);
  EXPECT_EQ(get_signature_key_version(kVersion1), std::nullopt);
  EXPECT_EQ(get_signature_key_version("2|1:0"), std::nullopt);
  EXPECT_EQ(get_signature_key_version(""), std::nullopt);
}

TEST(SignedValue, AKeyThatIsNotInTheTableIsRefused) {
  const CookieSecret other({{2, "new"}}, 2);
  const std::string text = create_signed_value(table(1), "key", "value", 2, kPast);
  EXPECT_EQ(try_decode_signed_value(other, "key", text, at(kPast)).error(),
            SignedValueError::kKeyVersion);
  // A table has no key for version 1, which names none.
  EXPECT_EQ(try_decode_signed_value(table(), "key", kVersion1, at(kPast)).error(),
            SignedValueError::kKeyVersion);
  EXPECT_THROW(create_signed_value(table(), "key", "value", 1), UsageError);
}

TEST(SignedValue, EveryChangedByteIsSeen) {
  for (const std::string_view good : {kVersion1, kVersion2}) {
    for (std::size_t i = 0; i < good.size(); ++i) {
      std::string changed(good);
      changed[i] = static_cast<char>(changed[i] ^ 1);
      EXPECT_FALSE(decode_signed_value(secret(), "key", changed, at(kPast))) << changed;
      EXPECT_FALSE(decode_signed_value(secret(), "key", good.substr(0, i), at(kPast))) << i;
      EXPECT_FALSE(
          decode_signed_value(secret(), "key", std::string(good).insert(i, "0"), at(kPast)))
          << i;
    }
    EXPECT_FALSE(decode_signed_value(std::string("other"), "key", good, at(kPast)));
  }
}

TEST(SignedValue, AnotherNameIsRefused) {
  EXPECT_EQ(error_of(kVersion1, at(kPast), "other"), SignedValueError::kBadSignature);
  EXPECT_EQ(error_of(kVersion2, at(kPast), "other"), SignedValueError::kWrongName);
}

TEST(SignedValue, Expires) {
  constexpr std::time_t kDay = 86'400;
  for (const std::string_view text : {kVersion1, kVersion2}) {
    EXPECT_TRUE(decode_signed_value(secret(), "key", text, at(kPast + 31 * kDay)));
    EXPECT_EQ(error_of(text, at(kPast + 31 * kDay + 1)), SignedValueError::kExpired);
    EXPECT_EQ(error_of(text, {.max_age_days = 0.5, .now = kPast + kDay / 2 + 1}),
              SignedValueError::kExpired);
  }
}

TEST(SignedValue, ADateInTheFutureIsRefused) {
  for (const std::string_view text : {kVersion1, kVersion2}) {
    EXPECT_TRUE(decode_signed_value(secret(), "key", text, at(kPast - 300)));
    EXPECT_EQ(error_of(text, at(kPast - 301)), SignedValueError::kInFuture);
  }
}

// Version 1 signs name, value and date without anything between them, so that digits can be moved.
TEST(SignedValue, DigitsMovedBetweenValueAndDateAreSeen) {
  // "MTIzNDU2" + "1234" are the base64 texts of "123456" and of three other bytes.
  const std::string good = create_signed_value(secret(), "key", "123456\xd7\x6d\xf8", 1, kPast);
  ASSERT_TRUE(
      good.starts_with("MTIzNDU2"
                       "1234|1300000000|"))
      << good;
  const std::string signature = good.substr(good.rfind('|'));
  // The signature is right, and the date is far in the future.
  EXPECT_EQ(error_of("MTIzNDU2|12341300000000" + signature), SignedValueError::kInFuture);
  // A date that loses its digits to the value: the rest begins with a zero, or is old.
  EXPECT_EQ(error_of("MTIzNDU212341300|000000" + signature), SignedValueError::kBadSignature);
  EXPECT_EQ(error_of("MTIzNDU212341|300000000" + signature), SignedValueError::kExpired);
}

TEST(SignedValue, MinVersion) {
  EXPECT_EQ(error_of(kVersion1, {.min_version = 2, .now = kPast}), SignedValueError::kVersion);
  EXPECT_TRUE(decode_signed_value(secret(), "key", kVersion2, {.min_version = 2, .now = kPast}));
  EXPECT_THROW(decode_signed_value(secret(), "key", kVersion2, {.min_version = 3}),
               std::invalid_argument);
  EXPECT_THROW(create_signed_value(secret(), "key", "value", 3), std::invalid_argument);
}

TEST(SignedValue, WhatIsNoSignedValue) {
  for (const std::string_view text :
       {"", "|", "value", "2|", "2|x", "2|1:0|", "2|99999999999999999999:0|", "2|-1:0|a|b|c",
        "2|1:0|10:1300000000|3:key|8:dmFsdWU=", "2|1:x|10:1300000000|3:key|8:dmFsdWU=|00"}) {
    EXPECT_EQ(error_of(text), SignedValueError::kMalformed) << text;
  }
  for (const std::string_view text : {"3|1:0", "999|x"}) {
    EXPECT_EQ(error_of(text), SignedValueError::kVersion) << text;
  }
  // A number of four digits is version 1's base64.
  EXPECT_EQ(error_of("1234|1300000000|x"), SignedValueError::kBadSignature);
}

TEST(SignedValue, ValuesOfAnyBytes) {
  const std::string bytes("\0|:\xff\n 2|1:0|", 12);
  for (const int version : {1, 2}) {
    const std::string text = create_signed_value(secret(), "a name", bytes, version, kPast);
    EXPECT_EQ(decode_signed_value(secret(), "a name", text, at(kPast)), bytes);
    EXPECT_EQ(decode_signed_value(secret(), "",
                                  create_signed_value(secret(), "", "", version, kPast), at(kPast)),
              "");
  }
}

TEST(CookieSecret, RefusesWhatCannotBeASecret) {
  EXPECT_THROW(CookieSecret(""), UsageError);
  EXPECT_THROW(CookieSecret({{1, "a"}}, 2), UsageError);
  EXPECT_THROW(CookieSecret({{1, "a"}, {2, ""}}, 1), UsageError);
  EXPECT_THROW(CookieSecret({{-1, "a"}}, -1), UsageError);
  EXPECT_THROW(CookieSecret({{1, "a"}, {1, "b"}}, 1), UsageError);
  EXPECT_THROW(create_signed_value(CookieSecret(), "key", "value"), UsageError);
  EXPECT_THROW(decode_signed_value(CookieSecret(), "key", kVersion2), UsageError);
}

// --- Python's Tornado ------------------------------------------------------------------------------

std::string hex_of(std::string_view bytes) {
  std::string hex;
  append_hex(hex, bytes);
  return hex;
}

TEST(SignedValue, TornadoReadsOurs) {
  SKIP_WITHOUT_TORNADO();
  const std::string value("caf\xc3\xa9 \0|:", 9);
  std::string code = "from tornado.web import decode_signed_value as d\n";
  const auto ask = [&code](const std::string& keys, const std::string& text) {
    code += "print(d(" + keys + ", 'name', '" + text + "').hex())\n";
  };
  ask("'secret'", create_signed_value("secret", "name", value, 1));
  ask("'secret'", create_signed_value("secret", "name", value, 2));
  ask("{3: 'three', 4: 'four'}",
      create_signed_value(CookieSecret({{3, "three"}, {4, "four"}}, 4), "name", value));
  EXPECT_EQ(run_python(code), hex_of(value) + "\n" + hex_of(value) + "\n" + hex_of(value));
}

TEST(SignedValue, WeReadTornados) {
  SKIP_WITHOUT_TORNADO();
  const std::string output = run_python(
      "from tornado.web import create_signed_value as c\n"
      "v = bytes(range(256))\n"
      "print(c('secret', 'name', v, version=1).decode())\n"
      "print(c('secret', 'name', v).decode())\n"
      "print(c({3: 'three', 4: 'four'}, 'name', v, key_version=3).decode())");
  const std::vector<std::string_view> lines = split(output, '\n');
  ASSERT_EQ(lines.size(), 3U) << output;
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  EXPECT_EQ(decode_signed_value("secret", "name", lines[0]), bytes);
  EXPECT_EQ(decode_signed_value("secret", "name", lines[1]), bytes);
  EXPECT_EQ(decode_signed_value(CookieSecret({{3, "three"}, {4, "four"}}, 4), "name", lines[2]),
            bytes);
}

}  // namespace
}  // namespace coronado::web_test
