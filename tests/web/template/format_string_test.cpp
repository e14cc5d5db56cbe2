#include "tests/web/template/template_fixture.hpp"

namespace coronado::web::template_test {
namespace {

TEST(TemplateFormatString, WrongPercentFormats) {
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

TEST(TemplateFormatString, WrongFormatStrings) {
  EXPECT_EQ(value_error("'{}'.format()"), "IndexError: format(): replacement index 0 out of range");
  EXPECT_EQ(value_error("'{a}'.format(b=1)"), "KeyError: 'a'");
  EXPECT_EQ(value_error("'{'.format()"), "ValueError: single '{' encountered in format string");
  EXPECT_EQ(value_error("'{:{:{}}}'.format(1, 2, 3)"), "ValueError: Max string recursion exceeded");
  EXPECT_EQ(value_error("'{:{}'.format(1, 2)"),
            "ValueError: single '{' encountered in format string");
  EXPECT_EQ(value_error("'}'.format()"), "ValueError: single '}' encountered in format string");
}

}  // namespace
}  // namespace coronado::web::template_test
