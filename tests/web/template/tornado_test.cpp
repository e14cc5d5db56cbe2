// What the documentation of Tornado's templates promises, one case each.
#include <coronado/base/escape.hpp>

#include "tests/web/template/template_fixture.hpp"

namespace coronado::web::template_test {
namespace {

struct Case {
  const char* text;
  const char* made;  // or the error, from "error: "
};

const Case kCases[] = {
    // Expressions are escaped, and anything becomes text.
    {"{{ html }}", "&lt;b&gt; &amp;amp; &quot;&#x27;"},
    {"{{ 5 }}{{ None }}{{ 1.5 }}{{ [1] }}", "5None1.5[1]"},
    {"{% raw html %}", "<b> &amp; \"'"},
    // Braces that are text, and runs of braces.
    {"{{! x }} {%! if %} {#! c #}", "{{ x }} {% if %} {# c #}"},
    {"{{{5}}", "{5"},
    {"{{{{5}} {{{{{6}} } { }} %}", "{{5 {{{6 } { }} %}"},
    {"a{# {{ nope }} #}b{% comment {{ nope }} %}c", "abc"},
    // The operator is what stands up to the first space.
    {"{%if 1%}a{%end%}", "a"},
    {"{%  set\tx = 1  %}{{x}}", "1"},
    // apply: a function of its own.
    {"{% apply upper %}a{{ html }}{% end %}", "A&LT;B&GT; &AMP;AMP; &QUOT;&#X27;"},
    {"{% set x = 1 %}{% apply upper %}{% set x = 2 %}{{ x }}{% end %}{{ x }}", "21"},
    {"{% for i in [1, 2] %}{% apply upper %}{% break %}{% end %}{% end %}",
     "error: break outside for or while block at <string>:1:39"},
    {"{% apply upper %}{% for i in [1, 2, 3] %}{% if i == 2 %}{% break %}{% end %}a{{ i }}{% end "
     "%}{% end %}",
     "A1"},
    // autoescape, of this file from its first character on.
    {"{% autoescape None %}{{ html }}", "<b> &amp; \"'"},
    {"{{ html }}{% autoescape upper %}", "<B> &AMP; \"'"},
    {"{% autoescape nope %}{{ 1 }}",
     "error: NameError: name 'nope' is not defined at <string>:1:22"},
    // Blocks without inheritance are where they stand.
    {"a{% block x %}b{% end %}c", "abc"},
    // for, if, while, try and what stands inside them.
    {"{% for a, b in [(1, 2), (3, 4)] %}{{ a }}{{ b }},{% end %}", "12,34,"},
    {"{% for i in [] %}{% else %}none{% end %}", "none"},
    {"{% if 0 %}a{% elif 1 %}b{% else %}c{% end %}", "b"},
    {"{% set i = 0 %}{% while i < 3 %}{% set i = i + 1 %}{% if i == 2 %}{% continue %}{% end %}{{ "
     "i "
     "}}{% end %}",
     "13"},
    {"{% try %}{{ nope }}{% except NameError %}caught{% else %}no{% finally %}!{% end %}",
     "caught!"},
    {"{% try %}a{% except %}b{% else %}c{% finally %}d{% end %}", "acd"},
    // set, import, module.
    {"{% set a, b = 1, 'x' %}{{ a }}{{ b }}", "1x"},
    {"{% from tools import shout %}{{ shout('a') }}", "a!"},
    {"{% import tools %}{{ tools.shout('b') }}", "b!"},
    {"{% module Entry() %}",
     "error: NameError: there are no modules outside of a handler's render at <string>:1:11"},
    // White space.
    {"a  b \n\n c", "a  b \n\n c"},
    {"{% whitespace single %}a  b \n\n c", "a b\nc"},
    {"{% whitespace oneline %}a  b \n\n c", "a b c"},
    {"{% whitespace single %}<pre>a  b</pre>{{ 1 }}c  d", "<pre>a  b</pre>1c d"},
    // Reserved names.
    {"{% set _tt_x = 1 %}", "error: names that begin with _tt_ are reserved at <string>:1:8"},
    {"{% for _tt_x in [1] %}{% end %}",
     "error: names that begin with _tt_ are reserved at <string>:1:8"},
    // The names that every template has.
    {"{{ escape('<') }} {{ xhtml_escape('<') }}", "&amp;lt; &amp;lt;"},
    {"{{ url_escape('a b/c') }} {{ url_escape('a b/c', plus=False) }}", "a+b%2Fc a%20b/c"},
    {"{% raw json_encode({'a': '</x>'}) %}", "{\"a\":\"<\\/x>\"}"},
    {"{{ squeeze(' a \\n b ') }}", "a b"},
    {"{% raw linkify('see www.a.com!', extra_params='rel=nofollow') %}",
     "see <a href=\"http://www.a.com\" rel=nofollow>www.a.com</a>!"},
};

TEST(TornadoTemplates, DoWhatTheirDocumentationSays) {
  for (const Case& one : kCases) {
    DictLoader files({{"<string>", one.text}});
    std::string made;
    try {
      // Through a loader, for the modules; its name is no file's, so white space stays.
      BaseLoader& from = files;
      from.module("tools").set("shout",
                               [](std::string_view text) { return std::string(text) + "!"; });
      made = from.load("<string>")
                 ->generate({{"html", "<b> &amp; \"'"}, {"upper", [](std::string_view text) {
                                                           std::string out(text);
                                                           for (char& c : out) {
                                                             if (c >= 'a' && c <= 'z')
                                                               c = static_cast<char>(c - 32);
                                                           }
                                                           return out;
                                                         }}});
    } catch (const std::exception& error) {
      made = std::string("error: ") + error.what();
    }
    EXPECT_EQ(made, one.made) << one.text;
  }
}

TEST(TornadoTemplates, Inheritance) {
  DictLoader loader(
      {{"base", "[{% block a %}a0{% end %}{% block b %}b0{% end %}]"},
       {"child", "{% extends \"base\" %}ignored{{ nope }}{% block a %}a1{% end %}"},
       {"grandchild", "{% extends 'child' %}{% block b %}b2{% block c %}c2{% end %}{% end %}"},
       {"including", "{% extends base %}{% block b %}{% include part %}{% end %}"},
       {"part", "({% block c %}c{% end %}{{ x }})"},
       {"whole", "{% set x = 5 %}{% include part %}"}});
  EXPECT_EQ(loader.load("child")->generate(), "[a1b0]");
  EXPECT_EQ(loader.load("grandchild")->generate(), "[a1b2c2]");
  EXPECT_EQ(loader.load("including")->generate({{"x", 1}}), "[a0(c1)]");
  EXPECT_EQ(loader.load("whole")->generate(), "(c5)");  // an include sees the locals
}

TEST(TornadoTemplates, EachFileHasItsOwnEscaping) {
  DictLoader loader(
      {{"outer", "{% autoescape None %}{{ x }}{% include inner %}{% block b %}{% end %}"},
       {"inner", "{{ x }}"},
       {"child", "{% extends outer %}{% block b %}{{ x }}{% end %}"}});
  EXPECT_EQ(loader.load("child")->generate({{"x", "<"}}), "<&lt;&lt;");
  DictLoader plain({{"t", "{{ x }}"}}, {.autoescape = ""});
  EXPECT_EQ(plain.load("t")->generate({{"x", "<"}}), "<");
}

TEST(TornadoTemplates, TheNamespaceOfTheLoaderAndThatOfTheCall) {
  DictLoader loader({{"t", "{{ a }}{{ b }}{{ len }}"}});
  loader.names().set("a", "loader's");
  loader.names().set("b", "loader's");
  loader.names().set("len", 7);
  EXPECT_EQ(loader.load("t")->generate({{"a", "own "}}), "own loader&#x27;s7");
}

TEST(TornadoTemplates, ErrorsNameTheChainOfFiles) {
  DictLoader loader({{"base", "\n{% block a %}{% end %}"},
                     {"child", "{% extends base %}{% block a %}\n{% include part %}{% end %}"},
                     {"part", "{{ 1 / 0 }}"}});
  try {
    loader.load("child")->generate();
    FAIL();
  } catch (const TemplateError& error) {
    EXPECT_STREQ(error.what(),
                 "ZeroDivisionError: division by zero at part:1:6 (via child:2, base:2, child:1)");
  }
}

TEST(TornadoTemplates, WithoutALoaderThereAreNoOtherFiles) {
  EXPECT_EQ(error_of("{% extends 'x' %}"),
            "cannot load 'x': the template has no loader at <string>:1:1");
  EXPECT_EQ(error_of("\n{% include 'x' %}"),
            "cannot load 'x': the template has no loader at <string>:2:1");
}

TEST(TornadoTemplates, ATextMayUseALoader) {
  DictLoader loader({{"base", "<{% block b %}{% end %}>"}, {"sub/part", "part {{ tone }}"}},
                    {.autoescape = ""});
  loader.names().set("tone", "'");
  loader.module("tools").set("one", 1);
  EXPECT_EQ(Template("{% extends base %}{% block b %}{% include 'sub/part' %}{% end %}", loader)
                .generate(),
            "<part '>");
  EXPECT_EQ(Template("{% include part %}{% from tools import one %}{{ one }}", loader, "sub/x")
                .generate(),
            "part '1");
  EXPECT_THROW(Template("{% include '../part' %}", loader), ParseError);
}

}  // namespace
}  // namespace coronado::web::template_test
