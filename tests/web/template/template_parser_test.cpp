#include "web/template/template_parser.hpp"

#include "tests/web/template/template_fixture.hpp"

namespace coronado::web::template_test {
namespace {

TEST(TemplateParser, TextAndExpressions) {
  EXPECT_EQ(render("Hello {{ name }}!", {{"name", "Ada"}}), "Hello Ada!");
  EXPECT_EQ(render("{{name}}{{ name }}", {{"name", "x"}}), "xx");
  EXPECT_EQ(render("a { b } {c} {"), "a { b } {c} {");
  EXPECT_EQ(render(""), "");
  EXPECT_EQ(render("{{ 1,\n 2 }}"), "(1, 2)");
}

TEST(TemplateParser, InRunsOfBracesTheInnermostCount) {
  EXPECT_EQ(render("{{{ 1 }}"), "{1");
  EXPECT_EQ(render("{{{{ 1 }}}}"), "{{1}}");
}

TEST(TemplateParser, EscapedBraces) {
  EXPECT_EQ(render("{{!name}} {%!if%} {#!x#}"), "{{name}} {%if%} {#x#}");
}

TEST(TemplateParser, Comments) {
  EXPECT_EQ(render("a{# {{ no }} #}b{% comment it's one %}c"), "abc");
}

TEST(TemplateParser, ClosingBracesInsideAnExpressionDoNotCount) {
  EXPECT_EQ(render("{{ {'a': {'b': 1}}['a']['b'] }}"), "1");
  EXPECT_EQ(render("{{ '}}' }}{{ \"%}\" }}"), "}}%}");
  EXPECT_EQ(render("{% if '%}' == '%}' %}x{% end %}"), "x");
}

TEST(TemplateParser, EverySyntaxErrorHasItsMessageAndPlace) {
  EXPECT_EQ(error_of("a\n{% if x %}b"), "Missing {% end %} block for if at <string>:2:1");
  EXPECT_EQ(error_of("{% for x in y %}{% end"), "Missing end block %} at <string>:1:17");
  EXPECT_EQ(error_of("x{% end %}"), "Extra {% end %} block at <string>:1:2");
  EXPECT_EQ(error_of("{{ }}"), "Empty expression at <string>:1:1");
  EXPECT_EQ(error_of("{% %}"), "Empty block tag ({% %}) at <string>:1:1");
  EXPECT_EQ(error_of("{% frob x %}"), "unknown operator: 'frob' at <string>:1:1");
  EXPECT_EQ(error_of("{{ a"), "Missing end expression }} at <string>:1:1");
  EXPECT_EQ(error_of("{# a"), "Missing end comment #} at <string>:1:1");
  EXPECT_EQ(error_of("{% a"), "Missing end block %} at <string>:1:1");
  EXPECT_EQ(error_of("{% extends %}"), "extends missing file path at <string>:1:1");
  EXPECT_EQ(error_of("{% include '' %}"), "include missing file path at <string>:1:1");
  EXPECT_EQ(error_of("{% block %}{% end %}"), "block missing name at <string>:1:1");
  EXPECT_EQ(error_of("{% apply %}{% end %}"), "apply missing method name at <string>:1:1");
  EXPECT_EQ(error_of("{% set %}"), "set missing statement at <string>:1:1");
  EXPECT_EQ(error_of("{% import %}"), "import missing statement at <string>:1:1");
  EXPECT_EQ(error_of("{% from %}"), "import missing statement at <string>:1:1");
  EXPECT_EQ(error_of("{% raw %}"), "raw missing expression at <string>:1:1");
  EXPECT_EQ(error_of("{% module %}"), "module missing expression at <string>:1:1");
  EXPECT_EQ(error_of("{% if %}{% end %}"), "if missing condition at <string>:1:1");
  EXPECT_EQ(error_of("{% whitespace few %}"),
            "invalid whitespace mode 'few', expected all, single or oneline at <string>:1:1");
  EXPECT_EQ(error_of("{% try %}{% end %}"), "try without except or finally at <string>:1:1");
}

TEST(TemplateParser, IntermediateDirectivesBelongSomewhere) {
  EXPECT_EQ(error_of("{% else %}"), "else outside if, for, while or try block at <string>:1:1");
  EXPECT_EQ(error_of("{% elif x %}"), "elif outside if block at <string>:1:1");
  EXPECT_EQ(error_of("{% except %}"), "except outside try block at <string>:1:1");
  EXPECT_EQ(error_of("{% for x in y %}{% elif z %}{% end %}"),
            "elif block cannot be attached to for block at <string>:1:17");
  EXPECT_EQ(error_of("{% block a %}{% else %}{% end %}"),
            "else block cannot be attached to block block at <string>:1:14");
  EXPECT_EQ(error_of("{% if 1 %}{% finally %}{% end %}"),
            "finally block cannot be attached to if block at <string>:1:11");
  EXPECT_EQ(error_of("{% if 1 %}{% else %}{% else %}{% end %}"),
            "else after else at <string>:1:21");
  EXPECT_EQ(error_of("{% if 1 %}{% else %}{% elif 2 %}{% end %}"),
            "elif after else at <string>:1:21");
  EXPECT_EQ(error_of("{% try %}{% finally %}{% except %}{% end %}"),
            "except after finally at <string>:1:23");
}

TEST(TemplateParser, BreakBelongsInALoop) {
  EXPECT_EQ(error_of("{% break %}"), "break outside for or while block at <string>:1:1");
  EXPECT_EQ(error_of("{% if 1 %}{% continue %}{% end %}"),
            "continue outside for or while block at <string>:1:11");
  EXPECT_EQ(error_of("{% for x in y %}{% apply f %}{% break %}{% end %}{% end %}"),
            "break outside for or while block at <string>:1:30");
}

TEST(TemplateParser, NestingIsLimited) {
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "{% if 1 %}";
  EXPECT_NE(error_of(deep).find("blocks nested too deeply"), std::string::npos);
}

TEST(TemplateParser, PlacesCountLinesAndColumns) {
  EXPECT_EQ(error_of("line\n  {{ nope }}\n"),
            "NameError: name 'nope' is not defined at <string>:2:6");
}

}  // namespace
}  // namespace coronado::web::template_test
