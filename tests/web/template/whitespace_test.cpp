#include "web/template/whitespace.hpp"

#include <coronado/base/error.hpp>

#include "tests/web/template/template_fixture.hpp"

namespace coronado::web::template_test {
namespace {

using templates::filter_whitespace;
using templates::Whitespace;

TEST(TemplateWhitespace, Modes) {
  const std::string text = "a  b\t\tc \n\n  d\n";
  EXPECT_EQ(filter_whitespace(Whitespace::kAll, text), text);
  EXPECT_EQ(filter_whitespace(Whitespace::kSingle, text), "a b c\nd\n");
  EXPECT_EQ(filter_whitespace(Whitespace::kOneline, text), "a b c d ");
  EXPECT_EQ(filter_whitespace(Whitespace::kSingle, "\t \tx"), " x");
  EXPECT_EQ(filter_whitespace(Whitespace::kSingle, " \r\n x"), "\nx");
  EXPECT_EQ(filter_whitespace(Whitespace::kSingle, " \r x"), " \r x");
}

TEST(TemplateWhitespace, ByNameOptionAndDirective) {
  const std::string text = "a  b\n\n c";
  EXPECT_EQ(Template(text, "x.html").generate(), "a b\nc");
  EXPECT_EQ(Template(text, "x.js").generate(), "a b\nc");
  EXPECT_EQ(Template(text, "x.txt").generate(), text);
  EXPECT_EQ(Template(text, "x.txt", {.whitespace = "oneline"}).generate(), "a b c");
  EXPECT_EQ(Template(text, "x.html", {.whitespace = "all"}).generate(), text);
  EXPECT_EQ(render("a  b{% whitespace oneline %} c \n d{% whitespace all %}  e"), "a  b c d  e");
  EXPECT_THROW(Template(text, "x", {.whitespace = "no"}), UsageError);
}

TEST(TemplateWhitespace, PreformattedTextIsLeftAlone) {
  EXPECT_EQ(Template("<pre>a  b\n\n</pre>{{ 1 }}c  d", "x.html").generate(),
            "<pre>a  b\n\n</pre>1c d");
}

}  // namespace
}  // namespace coronado::web::template_test
