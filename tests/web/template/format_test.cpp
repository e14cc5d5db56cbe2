#include "web/template/format.hpp"

#include "tests/web/template/template_fixture.hpp"

namespace coronado::web::template_test {
namespace {

TEST(TemplateFormat, ObjectsShowTheirMembers) {
  const User user{"Ada", 36, {"x"}};
  EXPECT_EQ(value_of("user", {{"user", user}}), "User(name='Ada', age=36, tags=['x'])");
  EXPECT_EQ(value_of("f", {{"f", [] { return 1; }}}), "<function>");
  EXPECT_EQ(value_of("len"), "<function len>");
  EXPECT_EQ(value_of("['\\x00\\x7f\\r']"), "['\\x00\\x7f\\r']");
}

TEST(TemplateFormat, WrongSpecifications) {
  EXPECT_EQ(value_error("f'{1:q}'"),
            "ValueError: unknown format code 'q' for object of type 'int'");
  EXPECT_EQ(value_error("f'{1.5:d}'"),
            "ValueError: unknown format code 'd' for object of type 'float'");
  EXPECT_EQ(value_error("f'{\"a\":d}'"),
            "ValueError: unknown format code 'd' for object of type 'str'");
  EXPECT_EQ(value_error("f'{1:abc}'"), "ValueError: invalid format 'abc'");
  EXPECT_EQ(value_error("f'{1:.2d}'"), "ValueError: precision not allowed in integer format");
  EXPECT_EQ(value_error("f'{1:999999999}'"), "ValueError: invalid format '999999999'");
  EXPECT_EQ(value_error("f'{[]:5}'"), "TypeError: unsupported format string passed to 'list'");
  EXPECT_EQ(value_error("f'{\"a\":+}'"),
            "ValueError: sign, ',' and '#' are not allowed in string format");
}

TEST(TemplateFormat, WrongPercentFormats) {
  EXPECT_EQ(value_error("'%d' % 'a'"), "TypeError: %d format: a number is required, not 'str'");
  EXPECT_EQ(value_error("'%s %s' % ('a',)"), "TypeError: not enough arguments for format string");
  EXPECT_EQ(value_error("'%s' % (1, 2)"),
            "TypeError: not all arguments converted during string formatting");
  EXPECT_EQ(value_error("'x' % 1"),
            "TypeError: not all arguments converted during string formatting");
  EXPECT_EQ(value_error("'%(a)s' % 1"), "TypeError: format requires a mapping");
  EXPECT_EQ(value_error("'%(a' % {}"), "ValueError: incomplete format key");
  EXPECT_EQ(value_error("'%' % 1"), "ValueError: incomplete format");
  EXPECT_EQ(value_error("'%y' % 1"), "ValueError: unsupported format character 'y'");
  EXPECT_EQ(value_error("'%999999999d' % 1"), "ValueError: invalid format '%999999999d'");
  EXPECT_EQ(value_error("'%d' % 1e300"), "OverflowError: float is beyond 64 bits");
}

TEST(TemplateFormat, WrongFormatStrings) {
  EXPECT_EQ(value_error("'{}'.format()"), "IndexError: format(): replacement index 0 out of range");
  EXPECT_EQ(value_error("'{a}'.format(b=1)"), "KeyError: 'a'");
  EXPECT_EQ(value_error("'{'.format()"), "ValueError: single '{' encountered in format string");
  EXPECT_EQ(value_error("'}'.format()"), "ValueError: single '}' encountered in format string");
}

TEST(TemplateFormat, Json) {
  const User user{"A\"</script>", 1, {}};
  EXPECT_EQ(value_of("json_encode(user)", {{"user", user}}),
            R"({"name":"A\"<\/script>","age":1,"tags":[]})");
  EXPECT_EQ(value_of("json_encode({'a': [1, 2.5, None, True], 5: (1,)})"),
            R"({"a":[1,2.5,null,true],"5":[1]})");
  EXPECT_EQ(value_error("json_encode(len)"),
            "TypeError: object of type 'function' is not JSON serializable");
  EXPECT_EQ(value_error("json_encode(float('inf'))"),
            "ValueError: JSON has no infinity and no NaN");
}

}  // namespace
}  // namespace coronado::web::template_test
