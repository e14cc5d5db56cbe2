#include "base/regex.hpp"

#include <coronado/base/error.hpp>

#include <gtest/gtest.h>

#include <array>

namespace coronado {
namespace {

std::string error_of(std::string_view pattern) {
  try {
    CompiledRegex regex(pattern);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "(no error)";
}

TEST(CompiledRegex, MatchesTheWholeText) {
  const CompiledRegex regex("[a-c]+|x");
  EXPECT_TRUE(regex.full_match("abc"));
  EXPECT_TRUE(regex.full_match("x"));
  EXPECT_FALSE(regex.full_match("abcx"));
  EXPECT_FALSE(regex.full_match(""));
}

TEST(CompiledRegex, Groups) {
  const CompiledRegex regex("(?P<key>[a-z]+)(=)?([0-9]*)");
  EXPECT_EQ(regex.group_count(), 3u);
  EXPECT_EQ(regex.group_names(), (std::vector<std::string>{"key", "", ""}));
  std::array<std::string_view, 3> groups;
  ASSERT_TRUE(regex.full_match("ab", groups));
  EXPECT_EQ(groups[0], "ab");
  EXPECT_EQ(groups[1].data(), nullptr);
  EXPECT_EQ(groups[2], "");
  EXPECT_NE(groups[2].data(), nullptr);
  std::array<std::string_view, 1> first;
  ASSERT_TRUE(regex.full_match("c=12", first));
  EXPECT_EQ(first[0], "c");
}

TEST(CompiledRegex, TextIsBytes) {
  EXPECT_TRUE(
      CompiledRegex("a.c").full_match("a\xFF"
                                      "c"));
  EXPECT_TRUE(CompiledRegex("a.c").full_match("a\nc"));
  EXPECT_TRUE(CompiledRegex("\xC3\xA9+").full_match("\xC3\xA9"));
}

TEST(CompiledRegex, ErrorsNameThePatternAndThePlace) {
  EXPECT_EQ(error_of("a(?=b)"),
            "regular expression 'a(?=b)': invalid perl operator: (?= at offset 1");
  EXPECT_EQ(error_of("a["), "regular expression 'a[': missing ]: [ at offset 1");
  EXPECT_NE(error_of("(a").find("'(a': missing )"), std::string::npos);
}

TEST(CompiledRegex, IsLinearForWhatMakesOthersExplode) {
  const CompiledRegex regex("(a|a)*(a|aa)*b");
  EXPECT_FALSE(regex.full_match(std::string(100'000, 'a')));
}

TEST(CompiledRegex, FindsWhereTheFirstMatchEnds) {
  EXPECT_EQ(CompiledRegex("b+").find_end("abbc b"), 3U);
  EXPECT_EQ(CompiledRegex("\\n").find_end("abc"), std::string_view::npos);
  EXPECT_EQ(CompiledRegex("x*").find_end(""), 0U);
  EXPECT_EQ(CompiledRegex("x*").find_end("abc"), 0U);
}

}  // namespace
}  // namespace coronado
