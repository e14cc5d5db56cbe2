#include "tests/web/template/template_fixture.hpp"

namespace coronado::web::template_test {
namespace {

// What Python has too is in python_test.cpp.
TEST(TemplateBuiltins, TornadosFunctions) {
  EXPECT_EQ(value_of("escape('<')"), "&lt;");
  EXPECT_EQ(value_of("xhtml_escape('<')"), "&lt;");
  EXPECT_EQ(value_of("url_escape('a b/c')"), "a+b%2Fc");
  EXPECT_EQ(value_of("url_escape('a b/c', plus=False)"), "a%20b/c");
  EXPECT_EQ(value_of("squeeze(' a  b ')"), "a b");
  EXPECT_EQ(value_of("json_encode('</x>')"), "\"<\\/x>\"");
}

TEST(TemplateBuiltins, ANameMayBeReplaced) {
  EXPECT_EQ(value_of("len", {{"len", 5}}), "5");
  EXPECT_EQ(render("{% set len = 3 %}{{ len }}"), "3");
}

TEST(TemplateBuiltins, WrongArguments) {
  EXPECT_EQ(value_error("len(5)"), "TypeError: object of type 'int' has no len()");
  EXPECT_EQ(value_error("len()"), "TypeError: len() missing required argument: 'obj'");
  EXPECT_EQ(value_error("int('x')"), "ValueError: invalid literal for int() with base 10: 'x'");
  EXPECT_EQ(value_error("int('99999999999999999999')"),
            "ValueError: invalid literal for int() with base 10: '99999999999999999999'");
  EXPECT_EQ(value_error("int(1e300)"), "OverflowError: float is beyond 64 bits");
  EXPECT_EQ(value_error("int(float('nan'))"), "ValueError: cannot convert float NaN to integer");
  EXPECT_EQ(value_error("float('x')"), "ValueError: could not convert string to float: 'x'");
  EXPECT_EQ(value_error("range(1, 2, 0)"), "ValueError: range() arg 3 must not be zero");
  EXPECT_EQ(value_error("range('a')"), "TypeError: range() argument must be an int, not 'str'");
  EXPECT_EQ(value_error("min([])"), "ValueError: min() arg is an empty sequence");
  EXPECT_EQ(value_error("max(1, 2, nope=3)"),
            "TypeError: max() got an unexpected keyword argument 'nope'");
  EXPECT_EQ(value_error("sum('ab')"),
            "TypeError: unsupported operand types for +: 'int' and 'str'");
  EXPECT_EQ(value_error("sorted([1, 'a'])"),
            "TypeError: '<' not supported between instances of 'str' and 'int'");
  EXPECT_EQ(value_error("chr(-1)"), "ValueError: chr() arg not in range(0x110000)");
  EXPECT_EQ(value_error("ord('ab')"), "TypeError: ord() expected a character");
  EXPECT_EQ(value_error("dict([1])"), "TypeError: 'int' object is not iterable");
  EXPECT_EQ(value_error("dict([(1,)])"), "ValueError: dict() needs pairs of key and value");
  EXPECT_EQ(value_error("ValueError('x')"),
            "TypeError: errors are made by what fails, not by templates");
}

TEST(TemplateBuiltins, RangesOfEverySize) {
  EXPECT_EQ(value_of("len(range(-9223372036854775807, 9223372036854775807, 9223372036854775807))"),
            "2");
  EXPECT_EQ(value_of("range(10 ** 18)[-1], 10 ** 17 in range(10 ** 18)"),
            "(999999999999999999, True)");
}

}  // namespace
}  // namespace coronado::web::template_test
