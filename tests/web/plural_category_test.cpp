#include "web/plural_category.hpp"

#include <gtest/gtest.h>

#include <array>
#include <initializer_list>
#include <string>

namespace coronado::web {
namespace {

/// One letter for each count: z(ero), o(ne), t(wo), f(ew), m(any), x (other).
std::string categories(std::string_view code, std::initializer_list<std::uint64_t> counts) {
  std::string text;
  for (const std::uint64_t n : counts) {
    text += std::string_view("zotfmx")[static_cast<std::size_t>(plural_category(code, n))];
  }
  return text;
}

TEST(PluralCategory, HasANameForEach) {
  EXPECT_EQ(parse_plural_category("zero"), PluralCategory::kZero);
  EXPECT_EQ(parse_plural_category("other"), PluralCategory::kOther);
  EXPECT_EQ(parse_plural_category("plural"), std::nullopt);
  EXPECT_EQ(parse_plural_category(""), std::nullopt);
}

// The samples are those that CLDR gives for its rules.
TEST(PluralCategory, OfTheLanguages) {
  EXPECT_EQ(categories("en", {0, 1, 2, 100}), "xoxx");
  EXPECT_EQ(categories("en_GB", {1, 2}), "ox");
  EXPECT_EQ(categories("xx", {1, 2}), "ox");
  EXPECT_EQ(categories("zh_CN", {0, 1, 2}), "xxx");
  EXPECT_EQ(categories("fr", {0, 1, 2, 1'000'000}), "ooxm");
  EXPECT_EQ(categories("pt_BR", {0, 1, 2}), "oox");
  EXPECT_EQ(categories("pt_PT", {0, 1, 2, 2'000'000}), "xoxm");
  EXPECT_EQ(categories("hi", {0, 1, 2}), "oox");
  EXPECT_EQ(categories("is", {1, 11, 21, 30, 111}), "oxoxx");
  EXPECT_EQ(categories("tl", {0, 1, 3, 4, 6, 9, 10, 14}), "oooxxxox");
  EXPECT_EQ(categories("ru", {0, 1, 2, 4, 5, 11, 12, 14, 21, 22, 101, 111, 112, 124}),
            "moffmmmmofommf");
  EXPECT_EQ(categories("sr", {0, 1, 3, 5, 11, 21, 22}), "xofxxof");
  EXPECT_EQ(categories("pl", {0, 1, 2, 5, 12, 21, 22, 112}), "mofmmmfm");
  EXPECT_EQ(categories("cs", {0, 1, 2, 4, 5, 22}), "xoffxx");
  EXPECT_EQ(categories("lt", {0, 1, 2, 9, 10, 11, 19, 20, 21, 22, 101, 111}), "xoffxxxxofox");
  EXPECT_EQ(categories("lv", {0, 1, 2, 10, 11, 19, 20, 21, 22, 111}), "zoxzzzzoxz");
  EXPECT_EQ(categories("ro", {0, 1, 2, 19, 20, 100, 101, 119, 120}), "foffxxffx");
  EXPECT_EQ(categories("sl", {0, 1, 2, 3, 4, 5, 101, 102, 103, 105}), "xotffxotfx");
  EXPECT_EQ(categories("he", {0, 1, 2, 3, 20}), "xotxx");
  EXPECT_EQ(categories("ga", {0, 1, 2, 3, 6, 7, 10, 11}), "xotffmmx");
  EXPECT_EQ(categories("cy", {0, 1, 2, 3, 4, 6, 7}), "zotfxmx");
  EXPECT_EQ(categories("ar", {0, 1, 2, 3, 10, 11, 99, 100, 102, 103, 111}), "zotffmmxxfm");
}

}  // namespace
}  // namespace coronado::web
