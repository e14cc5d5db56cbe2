#include "tests/web/template/template_fixture.hpp"

namespace coronado::web::template_test {
namespace {

// What they return is in python_test.cpp.
TEST(TemplateStringMethods, WrongArguments) {
  EXPECT_EQ(value_error("'a'.upper(1)"), "TypeError: upper() takes at most 0 arguments (1 given)");
  EXPECT_EQ(value_error("'a'.split('')"), "ValueError: empty separator");
  EXPECT_EQ(value_error("'a'.split(5)"), "TypeError: separator must be str, not 'int'");
  EXPECT_EQ(value_error("'a'.split(nope=1)"),
            "TypeError: split() got an unexpected keyword argument 'nope'");
  EXPECT_EQ(value_error("'a'.split(',', sep='x')"),
            "TypeError: split() got multiple values for argument 'sep'");
  EXPECT_EQ(value_error("'a'.replace('b')"),
            "TypeError: replace() missing required argument: 'new'");
  EXPECT_EQ(value_error("','.join([1])"), "TypeError: sequence item 0: expected str, 'int' found");
  EXPECT_EQ(value_error("'a'.index('b')"), "ValueError: substring not found");
  EXPECT_EQ(value_error("'a'.center(5, 'xy')"),
            "TypeError: the fill character must be exactly one character");
  EXPECT_EQ(value_error("'a'.zfill(10 ** 9)"), "ValueError: width too big");
  EXPECT_EQ(value_error("'a'.nope()"), "AttributeError: 'str' object has no attribute 'nope'");
}

TEST(TemplateStringMethods, CharactersOfSeveralBytes) {
  EXPECT_EQ(value_of("'äxä'.strip('ä')"), "x");
  EXPECT_EQ(value_of("'äö'.replace('', '-')"), "-ä-ö-");
  EXPECT_EQ(value_of("'ä€😀'[2] + 'ä€😀'[-3]"), "😀ä");
}

}  // namespace
}  // namespace coronado::web::template_test
