#include "web/template/simplify.hpp"

#include "tests/web/template/template_fixture.hpp"
#include "web/template/expression_parser.hpp"

namespace coronado::web::template_test {
namespace {

using namespace templates;

ExpressionPtr simplified(const std::string& text) {
  ExpressionParser parser(text, 0);
  ExpressionPtr expression = parser.parse_expressions();
  parser.expect_end();
  simplify(expression);
  return expression;
}

TEST(TemplateSimplify, OperatorsOfConstantsBecomeTheirValue) {
  EXPECT_EQ(simplified("1 + 2 * 3")->integer, 7);
  EXPECT_EQ(simplified("-7 // 2")->integer, -4);
  EXPECT_EQ(simplified("7 / 2")->real, 3.5);
  EXPECT_EQ(simplified("'a' + 'b' * 3")->text, "abbb");
  EXPECT_EQ(simplified("'%05.1f|%s' % (2.25, 'x')")->text, "002.2|x");
  EXPECT_EQ(simplified("'{:,} {!r}'.format(1234, 'x')")->text, "1,234 'x'");
  EXPECT_EQ(simplified("f\"{2 * 3:>3}{'a'}\"")->text, "  6a");
  EXPECT_EQ(simplified("'abc'[-1]")->text, "c");
  EXPECT_EQ(simplified("1 < 2 <= 2 != 3")->kind, ExpressionKind::kBool);
  EXPECT_EQ(simplified("'b' in 'abc' and not False")->integer, 1);
  EXPECT_EQ(simplified("'yes' if 2 > 1 else nope")->text, "yes");
  EXPECT_EQ(simplified("0 or '' or x")->text, "x");
  EXPECT_EQ(simplified("None and nope")->kind, ExpressionKind::kNone);
}

TEST(TemplateSimplify, PartsOfWhatIsNotConstant) {
  const ExpressionPtr sum = simplified("x + (1 + 2)");
  ASSERT_EQ(sum->kind, ExpressionKind::kBinary);
  EXPECT_EQ(sum->children[1]->integer, 3);
  const ExpressionPtr list = simplified("[1 + 1, f(2 * 2)]");
  EXPECT_EQ(list->children[0]->integer, 2);
  EXPECT_EQ(list->children[1]->children[1]->integer, 4);
  const ExpressionPtr loop = simplified("[1 + 1 for x in [2 + 3] if 1 < 2]");
  EXPECT_EQ(loop->children[0]->integer, 2);
  EXPECT_EQ(loop->loops[0].iterable->children[0]->integer, 5);
  EXPECT_EQ(loop->loops[0].conditions[0]->integer, 1);
  EXPECT_EQ(simplified("f'{x}{1}{2}a'")->children.size(), 2U);
}

TEST(TemplateSimplify, WhatFailsOrIsLongStaysAsItIs) {
  for (const char* text : {"1 / 0", "'a' - 1", "10 ** 30", "'x' * 5000", "-'a'", "'abc'[7]",
                           "'%d' % 'a'", "float('nan')", "'x' < 1", "1 << 70", "f\"{'a':d}\"",
                           "'%q' % 1", "'{'.format(1)", "2 ** 0.5 ** -3000"}) {
    const ExpressionPtr kept = simplified(text);
    EXPECT_FALSE(kept->children.empty()) << text;
  }
  EXPECT_EQ(error_of("\n{{ 2 + 1 / 0 }}"), "ZeroDivisionError: division by zero at <string>:2:10");
  EXPECT_EQ(render("{% try %}{{ 1 / 0 }}{% except ZeroDivisionError %}caught{% end %}"), "caught");
  EXPECT_EQ(value_error("f\"{'a':d}{1}\""),
            "ValueError: unknown format code 'd' for object of type 'str'");
}

TEST(TemplateSimplify, TextsWithFieldsAreTakenApart) {
  EXPECT_EQ(simplified("'%s of %d' % (a, b)")->kind, ExpressionKind::kFormat);
  EXPECT_EQ(simplified("'{} {:.1f}'.format(a, b)")->kind, ExpressionKind::kFormat);
  // What depends on the arguments, or takes them otherwise, stays.
  for (const char* text : {"'%s %s' % a", "'%*d' % (a, b)", "'%(x)s' % (a,)", "'%s' % (a, b)",
                           "'{1} {0}'.format(a, b)", "'{x}'.format(x=a)", "'{}'.format(a, b)",
                           "'{} {}'.format(a)", "'{0.x}'.format(a)", "'{:{}}'.format(a, b)"}) {
    EXPECT_NE(simplified(text)->kind, ExpressionKind::kFormat) << text;
  }
  const std::initializer_list<TemplateArgument> names = {
      {"a", "<x>"}, {"b", 1234.5}, {"n", 7}, {"pair", std::pair(1, 2)}};
  EXPECT_EQ(render("{{ '%s <%5.1f> %03d' % (a, b, n) }}", names), "&lt;x&gt; &lt;1234.5&gt; 007");
  EXPECT_EQ(render("{{ '<{}> {:,.2f}'.format(a, b) }}", names), "&lt;&lt;x&gt;&gt; 1,234.50");
  EXPECT_EQ(render("{{ '%d%%' % n }}{{ '%s' % a }}{{ '%r' % a }}", names),
            "7%&lt;x&gt;&#x27;&lt;x&gt;&#x27;");
  EXPECT_EQ(value_error("'%s' % pair", names),
            "TypeError: not all arguments converted during string formatting");
}

TEST(TemplateSimplify, AnEscapeOfTheNamespaceGetsTheWholeText) {
  int calls = 0;
  const auto own = [&calls](std::string_view text) {
    ++calls;
    return "[" + std::string(text) + "]";
  };
  EXPECT_EQ(render("{{ f'<{x}>' }}{{ '<%d>' % x }}", {{"x", 5}, {"xhtml_escape", own}}),
            "[<5>][<5>]");
  EXPECT_EQ(calls, 2);
}

TEST(TemplateSimplify, WhatFailsInATryLeavesNothingBehind) {
  EXPECT_EQ(render("{% try %}{{ f'before {1 + x:d}' }}{% except TypeError %}caught{% end %}",
                   {{"x", "text"}}),
            "caught");
  EXPECT_EQ(render("{% try %}{{ 'before %d' % x }}{% except TypeError %}caught{% end %}",
                   {{"x", "text"}}),
            "caught");
}

}  // namespace
}  // namespace coronado::web::template_test
