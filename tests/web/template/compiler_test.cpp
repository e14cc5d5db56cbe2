#include "web/template/compiler.hpp"

#include "web/template/template_parser.hpp"

#include "tests/web/template/template_fixture.hpp"

namespace coronado::web::template_test {
namespace {

/// Renders `page` of these files.
std::string render_files(TemplateTexts files, const std::string& page = "page",
                         std::initializer_list<TemplateArgument> arguments = {}) {
  DictLoader loader(std::move(files));
  return loader.load(page)->generate(arguments);
}

std::string files_error(TemplateTexts files) {
  try {
    return "no error: " + render_files(std::move(files));
  } catch (const std::exception& error) {
    return error.what();
  }
}

TEST(TemplateCompiler, BlocksOverSeveralLevels) {
  const TemplateTexts files = {
      {"base", "<{% block a %}base a{% end %}|{% block b %}base b{% end %}>"},
      {"middle", "{% extends 'base' %}ignored{% block a %}middle a{% end %}"},
      {"page", "{% extends \"middle\" %}{% block b %}page b{% end %}"}};
  EXPECT_EQ(render_files(files, "base"), "<base a|base b>");
  EXPECT_EQ(render_files(files, "middle"), "<middle a|base b>");
  EXPECT_EQ(render_files(files, "page"), "<middle a|page b>");
}

TEST(TemplateCompiler, NestedBlocks) {
  EXPECT_EQ(render_files({{"base", "{% block a %}[{% block b %}b{% end %}]{% end %}"},
                          {"page", "{% extends base %}{% block b %}B{% end %}"}}),
            "[B]");
  EXPECT_EQ(
      render_files({{"base", "{% block a %}x{% end %}"},
                    {"page", "{% extends base %}{% block a %}[{% block c %}c{% end %}]{% end %}"}}),
      "[c]");
}

TEST(TemplateCompiler, BlocksOfIncludedFilesCount) {
  EXPECT_EQ(render_files({{"base", "{% include part %}"},
                          {"part", "{% block a %}part{% end %}"},
                          {"page", "{% extends base %}{% block a %}page{% end %}"}}),
            "page");
}

TEST(TemplateCompiler, BlocksSeeTheVariablesAroundThem) {
  EXPECT_EQ(render_files({{"base", "{% for i in [1, 2] %}{% block a %}{% end %}{% end %}"},
                          {"page", "{% extends base %}{% block a %}<{{ i }}>{% end %}"}}),
            "<1><2>");
}

TEST(TemplateCompiler, IncludesSeeAndSetVariables) {
  EXPECT_EQ(render_files({{"page", "{% for i in [1, 2] %}{% include part %}{% end %}{{ last }}"},
                          {"part", "({{ i }}){% set last = i %}"}}),
            "(1)(2)2");
}

TEST(TemplateCompiler, NamesAreRelativeToTheFile) {
  EXPECT_EQ(render_files({{"page", "{% include 'sub/a.html' %}"},
                          {"sub/a.html", "a{% include b.html %}{% include ../c.html %}"},
                          {"sub/b.html", "b"},
                          {"c.html", "c"}}),
            "abc");
}

TEST(TemplateCompiler, AutoescapeIsEachFilesOwn) {
  EXPECT_EQ(render_files({{"page", "{% autoescape None %}{{ '<' }}{% include part %}"},
                          {"part", "{{ '<' }}"}}),
            "<&lt;");
  EXPECT_EQ(render_files({{"base", "{{ '<' }}{% block a %}{% end %}"},
                          {"page",
                           "{% extends base %}{% autoescape None %}{% block a %}{{ '<' }}"
                           "{% end %}"}}),
            "&lt;<");
  EXPECT_EQ(render_files({{"page", "{{ 'a b' }}{% autoescape url_escape %}"}}), "a+b");
}

TEST(TemplateCompiler, MissingFilesAndLoaders) {
  EXPECT_EQ(files_error({{"page", "x\n{% include nope %}"}}),
            "template 'nope': there is none of that name at page:2:1");
  EXPECT_EQ(files_error({{"page", "{% extends ../x %}"}}),
            "template '../x' leaves the root at page:1:1");
  EXPECT_EQ(error_of("{% include x %}"),
            "cannot load 'x': the template has no loader at <string>:1:1");
  EXPECT_EQ(error_of("{% extends x %}"),
            "cannot load 'x': the template has no loader at <string>:1:1");
}

TEST(TemplateCompiler, ErrorsSayHowTheFileWasReached) {
  EXPECT_EQ(files_error({{"page", "\n{% include part %}"}, {"part", "{{ }}"}}),
            "Empty expression at part:1:1 (via page:2)");
  EXPECT_EQ(files_error({{"page", "\n{% include part %}"},
                         {"part", "\n\n{% include leaf %}"},
                         {"leaf", "{{ nope }}"}}),
            "NameError: name 'nope' is not defined at leaf:1:4 (via part:3, page:2)");
  EXPECT_EQ(files_error({{"base", "\n{% block a %}{% end %}"},
                         {"page", "{% extends base %}{% block a %}{{ nope }}{% end %}"}}),
            "NameError: name 'nope' is not defined at page:1:35 (via base:2, page:1)");
}

TEST(TemplateCompiler, RunawayIncludesAreStopped) {
  EXPECT_NE(files_error({{"page", "{% include page %}"}}).find("does 'page' include itself?"),
            std::string::npos);
  EXPECT_NE(files_error({{"page", "{% extends page %}"}}).find("does 'page' extend itself?"),
            std::string::npos);
  TemplateTexts bomb;
  for (int i = 0; i < 40; ++i) {
    const std::string next = "p" + std::to_string(i + 1);
    bomb.emplace_back("p" + std::to_string(i),
                      "{% include " + next + " %}{% include " + next + " %}");
  }
  bomb.emplace_back("p40", "x");
  bomb.emplace_back("page", "{% include p0 %}");
  EXPECT_NE(files_error(bomb).find("includes more than 10000 files"), std::string::npos);
}

TEST(TemplateCompiler, TextAroundDirectivesIsJoined) {
  const auto file = templates::parse_template("x", "a{# #}b{% comment %}c{{ 1 }}", "", {});
  const auto program = templates::compile(
      std::shared_ptr<const templates::ParsedFile>(file.get(), [](auto*) {}), nullptr);
  ASSERT_GE(program->texts.size(), 1u);
  EXPECT_EQ(program->texts[0], "abc");
}

TEST(TemplateCompiler, BreakInABlockWhoseLoopIsElsewhere) {
  EXPECT_EQ(files_error({{"base", "{% block a %}{% end %}"},
                         {"page",
                          "{% extends base %}{% for i in [1] %}{% block a %}{% break %}"
                          "{% end %}{% end %}"}}),
            "break outside for or while block at page:1:50 (via base:1, page:1)");
}

}  // namespace
}  // namespace coronado::web::template_test
