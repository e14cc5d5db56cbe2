#include "web/template/cpp_generator.hpp"

#include "tests/web/template/template_fixture.hpp"
#include "web/template/cpp_names.hpp"
#include "web/template/template_parser.hpp"

namespace coronado::web::template_test {
namespace {

using namespace templates;

std::string generated(const std::string& text) {
  std::vector<TemplateWarning> warnings;
  return generate_cpp(parse_file("page.html", text, {}), nullptr,
                      {.name = "page.html", .directory = "/dir", .space = "pages"}, warnings);
}

std::string refused(const std::string& text) {
  try {
    generated(text);
  } catch (const ParseError& error) {
    return error.what();
  }
  return "no error";
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(CppGenerator, CodeBelongsToTheTemplatesLine) {
  const std::string code = generated("a\n{{ title }}\n\n{{ count }}");
  EXPECT_TRUE(
      has(code, "#line 2 \"/dir/page.html\"\nr.emit(\"a\\n\", 0, context, (context.title));"))
      << code;
  EXPECT_TRUE(
      has(code, "#line 4 \"/dir/page.html\"\nr.emit(\"\\n\", 1, context, (context.count));"))
      << code;
  EXPECT_TRUE(has(code, "struct PageHtmlPage final")) << code;
}

TEST(CppGenerator, NamesOfOnePlaceAreConstants) {
  EXPECT_TRUE(has(generated("{% set x = 1 %}{{ x }}"), "const auto& val_x_1 = std::int64_t{1};"));
  EXPECT_TRUE(has(generated("{% for x in xs %}{{ x.y }}{% end %}"), "(of.y)"));
}

TEST(CppGenerator, NamesOfSeveralPlacesAreVariables) {
  for (const char* text :
       {"{% set x = 1 %}{% set x = 2 %}{{ x }}", "{{ x }}{% set x = 1 %}",
        "{% if a %}{% set x = 1 %}{% end %}{{ x }}", "{% for x in xs %}{% end %}{{ x }}",
        "{% set x = 1 %}{% set x += 1 %}", "{% set x = 1 %}{% set f = lambda: x %}{{ f() }}"}) {
    EXPECT_TRUE(has(generated(text), "coronado::web::TemplateValue var0_x = r.initial(context"))
        << text;
  }
}

TEST(CppGenerator, SaysWhatOnlyTheRunTimeEngineDoes) {
  EXPECT_EQ(refused("{{ 1 }}\n{{ (lambda x: await x)(1) }}"),
            "await inside a lambda at page.html:2:15");  // as the run-time engine says it
  EXPECT_TRUE(has(refused("{{ [lambda: x for x in xs] }}"), "cannot use 'x' of the lambda"));
  EXPECT_TRUE(has(refused("{{ lambda x: lambda: x }}"), "cannot use 'x' of the lambda"));
  EXPECT_TRUE(has(refused("{{ template }}"), "'template' is no name in C++ at page.html:1:4"));
  EXPECT_TRUE(has(refused("{% include 'x' %}"), "the template has no loader at page.html:1:1"));
}

TEST(CppGenerator, InterpretedPagesDoNotReadTheirFile) {
  const std::string code =
      generate_interpreted({.name = "a/b.html", .directory = "/d", .space = "pages"});
  EXPECT_TRUE(has(code, "InterpretedTemplate<ABHtmlPage>")) << code;
  EXPECT_TRUE(has(code, "kSource{\"/d\", \"xhtml_escape\", \"\"}")) << code;
  EXPECT_TRUE(has(code, "inline constexpr ABHtmlPage a_b_html;")) << code;
}

TEST(CppGenerator, NamesOfObjectsAndLiterals) {
  EXPECT_EQ(cpp_object_name("blog/entry-1.html"), "blog_entry_1_html");
  EXPECT_EQ(cpp_object_name("404.html"), "page_404_html");
  EXPECT_EQ(cpp_literal("a\"b\\\n\x01\xC3?1"), "\"a\\\"b\\\\\\n\\001\\303\\0771\"");
  EXPECT_EQ(cpp_identifier("gr\xC3\xB6"), "gr_uc3_ub6");
  EXPECT_FALSE(is_cpp_member("template"));
  EXPECT_FALSE(is_cpp_member("1a"));
}

}  // namespace
}  // namespace coronado::web::template_test
