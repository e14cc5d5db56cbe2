#include "web/template/expression_parser.hpp"

#include "tests/web/template/template_fixture.hpp"

namespace coronado::web::template_test {
namespace {

std::string syntax_error(const std::string& expression) {
  const std::string error = error_of("{{ " + expression + " }}");
  return error;
}

TEST(ExpressionParser, SaysWhatWasExpectedAndWhere) {
  EXPECT_EQ(syntax_error("1 +"), "expected an expression, got the end at <string>:1:8");
  EXPECT_EQ(syntax_error("a b"), "expected the end of the expression, got 'b' at <string>:1:6");
  EXPECT_EQ(syntax_error("f(1, 2"),
            "expected ')' after the arguments, got the end at <string>:1:11");
  EXPECT_EQ(syntax_error("a."), "expected a name after '.', got the end at <string>:1:7");
  EXPECT_EQ(syntax_error("a.if"), "expected a name after '.', got 'if' at <string>:1:6");
  EXPECT_EQ(syntax_error("[1, 2"), "expected ']' to close '[', got the end at <string>:1:10");
  EXPECT_EQ(syntax_error("a[]"), "expected an index, got ']' at <string>:1:6");
  EXPECT_EQ(syntax_error("1 if 2"),
            "expected 'else' of the conditional expression, got the end at <string>:1:11");
  EXPECT_EQ(syntax_error("{1, 2}"),
            "expected ':' and a value (sets are not supported), got ',' at <string>:1:6");
  EXPECT_EQ(syntax_error("f(a=1, 2)"),
            "positional argument follows keyword argument at <string>:1:11");
  EXPECT_EQ(syntax_error("f(a=1, a=2)"), "keyword argument repeated: a at <string>:1:11");
  EXPECT_EQ(syntax_error("f(*a)"), "'*' arguments are not supported at <string>:1:6");
  EXPECT_EQ(syntax_error("not"), "expected an expression, got the end at <string>:1:8");
  EXPECT_EQ(syntax_error("a not b"), "expected 'in' after 'not', got 'b' at <string>:1:10");
  EXPECT_EQ(syntax_error("yield"), "expected an expression, got 'yield' at <string>:1:4");
  EXPECT_EQ(syntax_error("[x for in y]"), "expected an expression, got 'in' at <string>:1:11");
  EXPECT_EQ(syntax_error("[x for x y]"),
            "expected 'in' of the comprehension, got 'y' at <string>:1:13");
}

TEST(ExpressionParser, FormatStrings) {
  EXPECT_EQ(syntax_error("f'{}'"), "empty expression in an f-string at <string>:1:6");
  EXPECT_EQ(syntax_error("f'{a'"), "'{' without '}' in an f-string at <string>:1:6");
  EXPECT_EQ(syntax_error("f'}'"), "single '}' in an f-string at <string>:1:6");
  EXPECT_EQ(syntax_error("f'{a!x}'"), "expected !r, !s or !a at <string>:1:8");
  EXPECT_EQ(syntax_error("f'ab{1 +}'"), "expected an expression, got the end at <string>:1:12");
}

TEST(ExpressionParser, Targets) {
  EXPECT_EQ(error_of("{% set 1 = 2 %}"), "cannot assign to this expression at <string>:1:8");
  EXPECT_EQ(error_of("{% set a + b = 2 %}"), "cannot assign to this expression at <string>:1:10");
  EXPECT_EQ(error_of("{% set a.b = 2 %}"), "cannot assign to this expression at <string>:1:9");
  EXPECT_EQ(error_of("{% for f() in x %}{% end %}"),
            "cannot assign to this expression at <string>:1:9");
  EXPECT_EQ(error_of("{% set _tt_x = 2 %}"),
            "names that begin with _tt_ are reserved at <string>:1:8");
  EXPECT_EQ(error_of("{% set a, b += 2 %}"), "cannot assign to this expression at <string>:1:8");
}

TEST(ExpressionParser, NestingIsLimited) {
  const std::string deep = std::string(1000, '(') + "1" + std::string(1000, ')');
  EXPECT_NE(syntax_error(deep).find("nested too deeply"), std::string::npos);
  EXPECT_NE(syntax_error(std::string(1000, '-') + "1").find("nested too deeply"),
            std::string::npos);
  std::string not_one;
  for (int i = 0; i < 1000; ++i) not_one += "not ";
  EXPECT_NE(syntax_error(not_one + "1").find("nested too deeply"), std::string::npos);
  std::string sum = "1";
  for (int i = 0; i < 100'000; ++i) sum += "+1";
  EXPECT_NE(syntax_error(sum).find("nested too deeply"), std::string::npos);
  std::string chain = "a";
  for (int i = 0; i < 100'000; ++i) chain += ".b";
  EXPECT_NE(syntax_error(chain).find("nested too deeply"), std::string::npos);
}

}  // namespace
}  // namespace coronado::web::template_test
