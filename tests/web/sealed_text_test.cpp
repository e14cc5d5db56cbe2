#include "web/sealed_text.hpp"

#include <gtest/gtest.h>

namespace coronado::web_test {
namespace {

using web::CookieSecret;

std::string open(const CookieSecret& secret, std::string_view purpose, std::string_view context,
                 std::string_view text) {
  std::string why;
  const auto plain = web::open_text(secret, purpose, context, text, why);
  return plain ? "open: " + *plain : why;
}

TEST(SealedText, OpensForTheSamePurposeAndContextOnly) {
  const CookieSecret secret("secret");
  const std::string text = web::seal_text(secret, "purpose", "name", "plain");
  EXPECT_TRUE(text.starts_with("0."));
  EXPECT_EQ(web::sealed_key_version(text), 0);
  EXPECT_EQ(open(secret, "purpose", "name", text), "open: plain");
  const std::string changed = "it was changed, or encrypted with another key";
  EXPECT_EQ(open(secret, "other", "name", text), changed);
  EXPECT_EQ(open(secret, "purpose", "other", text), changed);
  EXPECT_EQ(open("another secret", "purpose", "name", text), changed);
}

TEST(SealedText, KeysHaveVersions) {
  const CookieSecret table({{1, "one"}, {2, "two"}}, 2);
  const std::string text = web::seal_text(table, "p", "n", "plain");
  EXPECT_TRUE(text.starts_with("2."));
  EXPECT_EQ(open(CookieSecret({{2, "two"}, {3, "three"}}, 3), "p", "n", text), "open: plain");
  EXPECT_EQ(open(CookieSecret({{1, "one"}}, 1), "p", "n", text),
            "it is encrypted with a key that is not in use");
}

TEST(SealedText, WhatIsNone) {
  for (const char* text : {"", ".", "x", "0", "x.AAAA", "0.!", "99999999999.AAAA"}) {
    EXPECT_EQ(open("secret", "p", "n", text), "it is malformed") << text;
  }
  EXPECT_NE(open("secret", "p", "n", "0."), "open: ");
}

}  // namespace
}  // namespace coronado::web_test
