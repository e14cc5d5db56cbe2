#include "web/plural_rule.hpp"

#include <coronado/base/error.hpp>

#include <gtest/gtest.h>

#include <string>

namespace coronado::web {
namespace {

/// The forms for 0 to 25.
std::string forms(std::string_view rule) {
  const PluralRule compiled(rule);
  std::string text;
  for (std::uint64_t n = 0; n <= 25; ++n) text += std::to_string(compiled.form_of(n));
  return text;
}

TEST(PluralRule, OfSeveralLanguages) {
  EXPECT_EQ(forms("nplurals=1; plural=0;"), std::string(26, '0'));
  EXPECT_EQ(forms("nplurals=2; plural=n != 1;"), "10111111111111111111111111");
  EXPECT_EQ(forms("nplurals=2; plural=(n > 1)"), "00111111111111111111111111");
  // Russian
  EXPECT_EQ(forms("nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && "
                  "(n%100<10 || n%100>=20) ? 1 : 2);"),
            "20111222222222222222201112");
  // Arabic
  EXPECT_EQ(forms("nplurals=6; plural=n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && n%100<=10 ? 3 : "
                  "n%100>=11 ? 4 : 5;"),
            "01233333333444444444444444");
}

TEST(PluralRule, CountsWithCsPrecedence) {
  EXPECT_EQ(PluralRule("nplurals=10; plural=1 + 2 * 3 - 4 / 2").form_of(0), 5U);
  EXPECT_EQ(PluralRule("nplurals=10; plural=(1 + 2) * 3 % 5").form_of(0), 4U);
  EXPECT_EQ(PluralRule("nplurals=2; plural=!n || n == 1 && 0").form_of(0), 1U);
  EXPECT_EQ(PluralRule("nplurals=2; plural=10 - 3 - 6").form_of(0), 1U);
}

TEST(PluralRule, WhatItCannotSayIsTheFirstForm) {
  EXPECT_EQ(PluralRule("nplurals=2; plural=n").form_of(7), 0U);
  EXPECT_EQ(PluralRule("nplurals=2; plural=n / 0").form_of(7), 0U);
  EXPECT_EQ(PluralRule("nplurals=2; plural=n % 0").form_of(7), 0U);
}

TEST(PluralRule, WrongOnesAreRefused) {
  for (const char* rule :
       {"", "nplurals=2", "plural=n", "nplurals=0; plural=0", "nplurals=99; plural=0",
        "nplurals=2; plural=", "nplurals=2; plural=x", "nplurals=2; plural=n !",
        "nplurals=2; plural=(n", "nplurals=2; plural=n ? 1", "nplurals=2; plural=n n",
        "nplurals=2; plural=n & 1", "nplurals=2; plural=99999999999999999999"}) {
    EXPECT_THROW(PluralRule{std::string_view(rule)}, UsageError) << rule;
  }
  EXPECT_THROW(PluralRule("nplurals=2; plural=" + std::string(10'000, '(')), UsageError);
  std::string long_sum = "nplurals=2; plural=n";
  for (int i = 0; i < 1000; ++i) long_sum += "+n";
  EXPECT_THROW(PluralRule{std::string_view(long_sum)}, UsageError);
}

}  // namespace
}  // namespace coronado::web
