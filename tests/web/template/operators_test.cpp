#include "web/template/operators.hpp"

#include "tests/web/template/template_fixture.hpp"

namespace coronado::web::template_test {
namespace {

TEST(TemplateOperators, IntegersBeyond64BitsAreErrors) {
  const std::string overflow = "OverflowError: integer result is beyond 64 bits";
  for (const char* expression :
       {"9223372036854775807 + 1", "-9223372036854775807 - 2", "2 ** 63", "10 ** 10 * 10 ** 10",
        "-(-9223372036854775807 - 1)", "1 << 63", "(-9223372036854775807 - 1) // -1",
        "abs(-9223372036854775807 - 1)"}) {
    EXPECT_EQ(value_error(expression), overflow) << expression;
  }
  EXPECT_EQ(value_of("(-2) ** 63"), "-9223372036854775808");
  EXPECT_EQ(value_of("(-9223372036854775807 - 1) % -1"), "0");
}

TEST(TemplateOperators, DivisionByZero) {
  for (const char* expression : {"1 / 0", "1 // 0", "1 % 0", "1.0 / 0", "1.5 // 0.0", "1.5 % 0"}) {
    EXPECT_EQ(value_error(expression), "ZeroDivisionError: division by zero") << expression;
  }
  EXPECT_EQ(value_error("0 ** -1"), "ZeroDivisionError: 0 to a negative power");
}

TEST(TemplateOperators, WrongTypesAreNamed) {
  EXPECT_EQ(value_error("1 + 'a'"), "TypeError: unsupported operand types for +: 'int' and 'str'");
  EXPECT_EQ(value_error("[1] + (1,)"),
            "TypeError: unsupported operand types for +: 'list' and 'tuple'");
  EXPECT_EQ(value_error("1 < 'a'"),
            "TypeError: '<' not supported between instances of 'int' and 'str'");
  EXPECT_EQ(value_error("None < 1"),
            "TypeError: '<' not supported between instances of 'NoneType' and 'int'");
  EXPECT_EQ(value_error("-'a'"), "TypeError: bad operand type for unary -: 'str'");
  EXPECT_EQ(value_error("~1.5"), "TypeError: bad operand type for unary ~: 'float'");
  EXPECT_EQ(value_error("1 in 5"), "TypeError: 'int' object is not iterable");
  EXPECT_EQ(value_error("1 in 'abc'"),
            "TypeError: 'in <string>' requires str as left operand, not 'int'");
  EXPECT_EQ(value_error("{[1]: 2}"), "TypeError: unhashable type: 'list'");
  EXPECT_EQ(value_error("1 << -1"), "ValueError: negative shift count");
}

TEST(TemplateOperators, Subscripts) {
  EXPECT_EQ(value_error("[1][1]"), "IndexError: list index out of range");
  EXPECT_EQ(value_error("'ab'[-3]"), "IndexError: str index out of range");
  EXPECT_EQ(value_error("[1]['a']"), "TypeError: list indices must be an int, not 'str'");
  EXPECT_EQ(value_error("{'a': 1}['b']"), "KeyError: 'b'");
  EXPECT_EQ(value_error("5[0]"), "TypeError: 'int' object is not subscriptable");
  EXPECT_EQ(value_error("'abc'[::0]"), "ValueError: slice step cannot be zero");
  EXPECT_EQ(value_error("{}[1:2]"), "TypeError: 'dict' object cannot be sliced");
  EXPECT_EQ(value_of("[1, 2, 3][-9223372036854775807:9223372036854775807]"), "[1, 2, 3]");
}

TEST(TemplateOperators, SetItem) {
  EXPECT_EQ(render("{% set a = [1, 2] %}{% set a[-1] = 5 %}{{ a }}"), "[1, 5]");
  EXPECT_EQ(error_of("{% set a = [1] %}{% set a[1] = 5 %}"),
            "IndexError: list index out of range at <string>:1:26");
  EXPECT_NE(
      error_of("{% set a = 'x' %}{% set a[0] = 5 %}").find("does not support item assignment"),
      std::string::npos);
}

TEST(TemplateOperators, DictsOfEverySizeFindTheirKeys) {
  EXPECT_EQ(render("{% set d = {} %}{% for i in range(1000) %}{% set d[str(i)] = i %}{% end %}"
                   "{{ sum(d[str(i)] for i in range(1000)) }} {{ len(d) }} {{ '1000' in d }}"),
            "499500 1000 False");
  EXPECT_EQ(render("{% set d = {str(i): i for i in range(20)} %}{% for i in range(19) %}"
                   "{% set d.pop(str(i)) %}{% end %}{{ d }}"),
            "{&#x27;19&#x27;: 19}");
}

}  // namespace
}  // namespace coronado::web::template_test
