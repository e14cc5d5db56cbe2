#include "http/field_parameters.hpp"

#include <gtest/gtest.h>

namespace coronado {
namespace {

std::string find(std::string_view text, std::string_view name) {
  const auto parsed = parse_field_parameters(text);
  if (!parsed) return "(malformed)";
  return parsed->find(name).value_or("(none)");
}

TEST(FieldParameters, ValueAndParameters) {
  const auto parsed = parse_field_parameters(" Form-Data ; Name=a; other=\"b c\" ");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->value, "form-data");
  EXPECT_EQ(parsed->find("name"), "a");
  EXPECT_EQ(parsed->find("other"), "b c");
  EXPECT_EQ(parsed->find("third"), std::nullopt);
  EXPECT_TRUE(parse_field_parameters("gzip;")->parameters.empty());
}

TEST(FieldParameters, QuotedStrings) {
  EXPECT_EQ(find(R"(x; f="a\"b\\c")", "f"), R"(a"b\c)");
  EXPECT_EQ(find(R"(x; f="C:\new.txt")", "f"), R"(C:\new.txt)");
  EXPECT_EQ(find(R"(x; f="a;b=c"; g=d)", "g"), "d");
  EXPECT_EQ(find(R"(x; f="")", "f"), "");
}

TEST(FieldParameters, TheExtendedFormWins) {  // RFC 6266 4.3
  EXPECT_EQ(find("x; f=plain; f*=UTF-8''na%C3%AFve%20file", "f"), "na\u00efve file");
  EXPECT_EQ(find("x; f*=utf-8'en'a; f=plain", "f"), "a");
  EXPECT_EQ(find("x; f=plain; f*=latin9''a", "f"), "plain");
  EXPECT_EQ(find("x; f=plain; f*=utf-8''%FF", "f"), "plain");
  EXPECT_EQ(find("x; f*=nonsense", "f"), "(none)");
}

TEST(FieldParameters, MalformedOnes) {
  for (const char* text :
       {"", " ; a=b", "x; a", "x; a b=c", "x; a=\"b", "x; a=\"b\"c", "x; a=1; A=2", "x y=z; =1"}) {
    EXPECT_EQ(find(text, "a"), "(malformed)") << text;
  }
}

}  // namespace
}  // namespace coronado
