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
