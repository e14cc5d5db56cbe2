#include "web/template/html_context.hpp"

#include "tests/web/template/template_fixture.hpp"

namespace coronado::web::template_test {
namespace {

/// "2:6 message; ...", or "".
std::string warnings_of(const std::string& text, const std::string& name = "page.html") {
  std::string all;
  const Template page(text, name);
  for (const TemplateWarning& warning : page.warnings()) {
    if (!all.empty()) all += "; ";
    all += std::to_string(warning.place.line) + ":" + std::to_string(warning.place.column) + " " +
           warning.message;
  }
  return all;
}

TEST(HTMLContext, ValuesWhereEscapingProtectsThem) {
  for (const char* text :
       {"{{ x }}", "<p>{{ x }}</p>", "<p title=\"{{ x }}\" class='{{ x }}'>{{ x }}</p>",
        "<a href=\"/user/{{ x }}\">", "<a href=\"https://example.com/?q={{ url_escape(x) }}\">",
        "<a href='{{ static_url(x) }}'>", "<img src=\"{{ handler.static_url(x) }}\">",
        "<!-- <script> --> {{ x }}", "a < b {{ x }} <3 {{ x }}",
        "<script src='/x'></script>{{ x }}", "<SCRIPT>1</Script>{{ x }}",
        "<script>{% raw json_encode(x) %}</script>", "<input {{ 'checked' if x else '' }}>",
        "<textarea>{{ x }}</textarea>", "<br/>{{ x }}<p\ntitle = \"{{ x }}\">",
        "{% autoescape None %}<a href={{ x }}>"}) {
    EXPECT_EQ(warnings_of(text), "") << text;
  }
}

TEST(HTMLContext, AttributesWithoutQuotes) {
  const char* const message =
      "the value of title has no quotes, and escaping does not protect it: write title=\"...\"";
  EXPECT_EQ(warnings_of("<p title={{ x }}>"), std::string("1:10 ") + message);
  EXPECT_EQ(warnings_of("<p\n title=a{{ x }}>"), std::string("2:9 ") + message);
  EXPECT_EQ(warnings_of("<p title = {{ x }} id=\"{{ x }}\">"), std::string("1:12 ") + message);
  EXPECT_EQ(warnings_of("<p {{ x }}>"),
            "1:4 a value as a part of a tag is not protected by escaping");
}

TEST(HTMLContext, URLs) {
  EXPECT_EQ(warnings_of("<a href=\"javascript:f('{{ x }}')\">"),
            "1:24 a value inside a javascript: URL is not protected by escaping");
  EXPECT_EQ(warnings_of("<a href=\" JavaScript:{{ x }}\">"),
            "1:22 a value inside a javascript: URL is not protected by escaping");
  EXPECT_EQ(warnings_of("<a href='data:text/html,{{ x }}'>"),
            "1:25 a value inside a data:text/html URL is not protected by escaping");
  EXPECT_EQ(
      warnings_of("<iframe srcdoc=\"<p>{{ x }}</p>\">"),
      "1:20 srcdoc is a page of its own, in which the value is HTML again: escaping once does "
      "not protect it");
  EXPECT_EQ(warnings_of("<form action=\"{{ x }}\">"),
            "1:15 a URL that begins with a value may be javascript:...; begin action with a scheme "
            "or a path, or check the value");
}

TEST(HTMLContext, ScriptsAndStyles) {
  EXPECT_EQ(warnings_of("<script>\nvar a = \"{{ x }}\";</script>"),
            "2:10 a value inside <script> is not protected by escaping: use {% raw "
            "json_encode(...) %} in a script");
  EXPECT_EQ(warnings_of("<script>{{ json_encode(x) }}</script>"),
            "1:9 inside <script> write {% raw json_encode(...) %}: escaped quotes are no JSON");
  EXPECT_NE(warnings_of("<style>p { color: {{ x }} }</style>"), "");
  EXPECT_NE(warnings_of("<p style=\"color: {{ x }}\">"), "");
  EXPECT_EQ(warnings_of("<p onclick=\"f('{{ x }}')\">"),
            "1:16 a value inside the script of onclick is not protected by escaping");
}

TEST(HTMLContext, OnlyPagesOfHTML) { EXPECT_EQ(warnings_of("<p title={{ x }}>", "a.txt"), ""); }

TEST(HTMLContext, AreFollowedThroughIncludesAndBlocks) {
  DictLoader loader({{"base.html", "<script>{% block code %}{% end %}</script>"},
                     {"page.html", "{% extends 'base.html' %}\n{% block code %}{{ x }}{% end %}"}});
  const auto page = loader.load("page.html");
  ASSERT_EQ(page->warnings().size(), 1U);
  EXPECT_EQ(to_string(page->warnings()[0].place), "page.html:2:17 (via base.html:1, page.html:1)");
}

}  // namespace
}  // namespace coronado::web::template_test
