#include "web/template/machine.hpp"

#include <coronado/coro/timeout.hpp>
#include <coronado/testing/async_test.hpp>

#include "tests/web/template/template_fixture.hpp"

namespace coronado::web::template_test {
namespace {

using namespace std::chrono_literals;

TEST(TemplateMachine, If) {
  const Template page("{% if x < 1 %}a{% elif x < 2 %}b{% elif x < 3 %}c{% else %}d{% end %}");
  for (const auto& [x, wanted] : {std::pair(0, "a"), {1, "b"}, {2, "c"}, {3, "d"}}) {
    EXPECT_EQ(page.generate({{"x", x}}), wanted);
  }
  EXPECT_EQ(render("{% if 0 %}a{% end %}b"), "b");
}

TEST(TemplateMachine, For) {
  EXPECT_EQ(render("{% for x in [1, 2] %}<{{ x }}>{% end %}{{ x }}"), "<1><2>2");
  EXPECT_EQ(render("{% for i, c in enumerate('ab') %}{{ i }}{{ c }} {% end %}"), "0a 1b ");
  EXPECT_EQ(render("{% for a, (b, c) in [(1, (2, 3))] %}{{ a }}{{ b }}{{ c }}{% end %}"), "123");
  EXPECT_EQ(render("{% for x in 1, 2 %}{{ x }}{% end %}"), "12");
  EXPECT_EQ(render("{% for x in [] %}{{ x }}{% else %}none{% end %}"), "none");
  EXPECT_EQ(render("{% for k in {'a': 1, 'b': 2} %}{{ k }}{% end %}"), "ab");
  EXPECT_EQ(render("{% set d = {} %}{% for d['k'] in [1, 2] %}{{ d['k'] }}{% end %}"), "12");
}

TEST(TemplateMachine, While) {
  EXPECT_EQ(render("{% set i = 0 %}{% while i < 3 %}{{ i }}{% set i += 1 %}{% end %}"), "012");
  EXPECT_EQ(render("{% while 0 %}{% else %}x{% end %}"), "x");
}

TEST(TemplateMachine, BreakAndContinue) {
  EXPECT_EQ(render("{% for x in range(9) %}{% if x == 1 %}{% continue %}{% end %}{% if x == 4 %}"
                   "{% break %}{% end %}{{ x }}{% else %}!{% end %}."),
            "023.");
  EXPECT_EQ(render("{% for x in [1] %}{% for y in [1, 2] %}{% break %}{% end %}{{ x }}{% end %}"),
            "1");
  EXPECT_EQ(render("{% set i = 0 %}{% while 1 %}{% set i += 1 %}{% if i < 3 %}{% continue %}{% end "
                   "%}{% break %}{% end %}{{ i }}"),
            "3");
}

TEST(TemplateMachine, Set) {
  EXPECT_EQ(render("{% set x = 1 %}{% set x = x + 1 %}{{ x }}"), "2");
  EXPECT_EQ(render("{% set a, b = 1, 2 %}{{ b }}{{ a }}"), "21");
  EXPECT_EQ(render("{% set a = b = 3 %}{{ a }}{{ b }}"), "33");
  EXPECT_EQ(render("{% set d = {} %}{% set d['k'] = 1 %}{% set d['k'] += 4 %}{{ d['k'] }}"), "5");
  EXPECT_EQ(render("{% set xs = [1] %}{% set xs.append(2) %}{{ xs }}"), "[1, 2]");
  EXPECT_EQ(render("{% set x = x + 1 %}{{ x }}", {{"x", 4}}), "5");
  EXPECT_EQ(error_of("{% set a, b = [1] %}"),
            "ValueError: not enough values to unpack (expected 2, got 1) at <string>:1:8");
  EXPECT_EQ(error_of("{% set a, b = 1, 2, 3 %}"),
            "ValueError: too many values to unpack (expected 2) at <string>:1:8");
  EXPECT_EQ(error_of("{% set a, b = 5 %}"),
            "TypeError: cannot unpack non-iterable int object at <string>:1:8");
}

TEST(TemplateMachine, RawAndEscaped) {
  EXPECT_EQ(render("{{ x }}{% raw x %}", {{"x", "<&>\"'"}}), "&lt;&amp;&gt;&quot;&#x27;<&>\"'");
  EXPECT_EQ(render("{{ ['<'] }}"), "[&#x27;&lt;&#x27;]");
  EXPECT_EQ(render("{{ 5 }}{{ -5 }}{{ 1.5 }}{{ None }}{{ True }}"), "5-51.5NoneTrue");
  EXPECT_EQ(Template("{{ '<' }}", "x", {.autoescape = ""}).generate(), "<");
}

TEST(TemplateMachine, ANamespaceMayReplaceTheEscapeFunction) {
  const auto escape = [](std::string_view text) { return "[" + std::string(text) + "]"; };
  EXPECT_EQ(render("{{ x }}{{ 1 + 1 }}", {{"xhtml_escape", escape}, {"x", "<"}}), "[<][2]");
  EXPECT_EQ(render("{% autoescape shout %}{{ x }}", {{"shout", escape}, {"x", 5}}), "[5]");
}

TEST(TemplateMachine, Apply) {
  EXPECT_EQ(render("{% apply squeeze %} a \n b {{ '<' }} {% end %}"), "a b &lt;");
  EXPECT_EQ(
      render("{% apply lambda s: s.upper() %}a{% apply lambda s: s * 2 %}b{% end %}{% end %}"),
      "ABB");
  EXPECT_EQ(error_of("{% apply nope %}{% end %}"),
            "NameError: name 'nope' is not defined at <string>:1:10");
}

TEST(TemplateMachine, WhatApplySetsStaysInside) {
  EXPECT_EQ(render("{% set x = 1 %}{% apply str %}{% set x = x + 1 %}{{ x }}{% end %}{{ x }}"),
            "21");
  EXPECT_EQ(render("{% apply str %}{% for i in [1] %}{{ i }}{% end %}{% end %}{{ i }}", {{"i", 7}}),
            "17");
}

TEST(TemplateMachine, Comprehensions) {
  EXPECT_EQ(render("{% set x = 5 %}{{ [x for x in [1, 2]] }}{{ x }}"), "[1, 2]5");
  EXPECT_EQ(render("{{ [x for x in xs] }}{{ [x + 1 for x in [x for x in xs]] }}",
                   {{"xs", std::vector<int>{1, 2}}}),
            "[1, 2][2, 3]");
}

TEST(TemplateMachine, LambdasSeeTheirSurroundings) {
  EXPECT_EQ(
      render("{% set n = 2 %}{% set f = lambda x: x * n %}{{ f(3) }}{% set n = 5 %}{{ f(3) }}"),
      "615");
  EXPECT_EQ(render("{% set f = lambda n: 1 if n < 2 else n * f(n - 1) %}{{ f(10) }}"), "3628800");
  EXPECT_EQ(render("{% set f = lambda n: [f(i) for i in range(n)] %}{{ f(3) }}"),
            "[[], [[]], [[], [[]]]]");
  EXPECT_NE(error_of("{% set f = lambda n: f(n) %}{{ f(1) }}").find("lambdas nested too deeply"),
            std::string::npos);
  EXPECT_EQ(error_of("{{ (lambda x: x)() }}"),
            "TypeError: function() missing required argument: 'x' at <string>:1:5");
}

TEST(TemplateMachine, Try) {
  EXPECT_EQ(render("{% try %}{{ 1 // 0 }}{% except %}oops{% end %}"), "oops");
  EXPECT_EQ(render("{% try %}a{% except %}b{% else %}c{% finally %}d{% end %}"), "acd");
  EXPECT_EQ(render("{% try %}{{ {}['k'] }}{% except ValueError %}v{% except KeyError as e %}{{ e }}"
                   "{% end %}"),
            "&#x27;k&#x27;");
  EXPECT_EQ(render("{% try %}{{ nope }}{% except (KeyError, NameError) %}n{% end %}"), "n");
  EXPECT_EQ(render("{% try %}{{ nope }}{% except Exception %}e{% finally %}f{% end %}"), "ef");
  EXPECT_EQ(render("{% try %}{% try %}{{ nope }}{% finally %}f{% end %}{% except %}e{% end %}"),
            "fe");
  EXPECT_EQ(render("{% try %}{% try %}{{ nope }}{% except KeyError %}k{% end %}{% except NameError "
                   "%}n{% end %}"),
            "n");
  EXPECT_EQ(error_of("{% try %}{{ nope }}{% except KeyError %}{% end %}"),
            "NameError: name 'nope' is not defined at <string>:1:13");
  EXPECT_EQ(error_of("{% try %}{{ nope }}{% except 5 %}{% end %}"),
            "TypeError: except needs the name of an error, such as KeyError, not 'int' at "
            "<string>:1:30");
}

TEST(TemplateMachine, LeavingALoopRunsFinally) {
  EXPECT_EQ(render("{% for x in [1, 2, 3] %}{% try %}{% if x == 2 %}{% break %}{% end %}{{ x }}"
                   "{% finally %}f{% end %}{% end %}."),
            "1ff.");
  EXPECT_EQ(render("{% for x in [1, 2] %}{% try %}{% try %}{% continue %}{% except %}{% end %}"
                   "{% finally %}f{% end %}never{% end %}."),
            "ff.");
  // The try that was left catches nothing any more.
  EXPECT_NE(
      error_of("{% for x in [1] %}{% try %}{% break %}{% except %}e{% end %}{% end %}{{ nope }}")
          .find("NameError"),
      std::string::npos);
}

TEST(TemplateMachine, AnErrorEndsWhatApplyHasTaken) {
  EXPECT_EQ(render("a{% try %}{% apply str %}lost{{ nope }}{% end %}{% except %}b{% end %}c"),
            "abc");
}

TEST(TemplateMachine, ErrorsOfFunctionsAreCaughtAndReported) {
  const auto throws = []() -> int { throw std::runtime_error("broken"); };
  EXPECT_EQ(
      render("{% try %}{{ f() }}{% except Exception as e %}{{ e }}{% end %}", {{"f", throws}}),
      "broken");
  const Template page("\n{{ f() }}");
  try {
    page.generate({{"f", throws}});
    FAIL();
  } catch (const TemplateError& error) {
    EXPECT_STREQ(error.what(), "Exception: broken at <string>:2:4");
    EXPECT_THROW(std::rethrow_exception(error.cause()), std::runtime_error);
  }
  const auto not_found = []() -> int { throw HTTPError(404); };
  EXPECT_THROW(page.generate({{"f", not_found}}), HTTPError);
  const auto cancelled = []() -> int { throw Cancelled(); };
  EXPECT_THROW(Template("{% try %}{{ f() }}{% except %}{% end %}").generate({{"f", cancelled}}),
               Cancelled);
}

TEST(TemplateMachine, AttributesAndMethods) {
  const User user{"Ada", 36, {"a", "b"}};
  EXPECT_EQ(render("{{ user.name }} {{ user.age + 1 }} {{ user.tags[1] }} {{ len(user.tags) }}",
                   {{"user", user}}),
            "Ada 37 b 2");
  EXPECT_EQ(
      render("{{ user.name.upper() }}{% set f = user.name.lower %}{{ f() }}", {{"user", user}}),
      "ADAada");
  EXPECT_EQ(error_of("{{ user.nope }}", {{"user", user}}),
            "AttributeError: 'User' object has no attribute 'nope' at <string>:1:8");
  EXPECT_EQ(error_of("{{ None.x }}"),
            "AttributeError: 'NoneType' object has no attribute 'x' at <string>:1:8");
  EXPECT_EQ(error_of("{{ 5() }}"), "TypeError: 'int' object is not callable at <string>:1:4");
}

TEST(TemplateMachine, KeysAreAttributesToo) {
  const Json data = json_decode(R"({"name": "Ada", "items": [1, 2], "deep": {"x": null}})");
  EXPECT_EQ(render("{{ d.name }}{{ d['name'] }}{{ d.deep.x }}{{ d.items[0] }}", {{"d", data}}),
            "AdaAdaNone1");
  EXPECT_EQ(render("{% for k, v in d.items() %}{{ k }} {% end %}", {{"d", data}}),
            "name items deep ");
  EXPECT_EQ(error_of("{{ d.nope }}", {{"d", data}}),
            "AttributeError: 'dict' object has no attribute 'nope' at <string>:1:5");
  EXPECT_EQ(error_of("{{ d['nope'] }}", {{"d", data}}), "KeyError: 'nope' at <string>:1:5");
}

TEST(TemplateMachine, OneTemplateManyTypes) {
  // The place in the code remembers the type it saw last, and must notice another.
  const Template page("{% for x in xs %}{{ x.name }}{% end %}");
  const std::vector<User> users = {{"a", 1, {}}, {"b", 2, {}}};
  EXPECT_EQ(page.generate({{"xs", users}}), "ab");
  const Json data = json_decode(R"([{"name": "c"}, {"name": 4}])");
  EXPECT_EQ(page.generate({{"xs", data}}), "c4");
}

TEST(TemplateMachine, StepsAreLimited) {
  const TemplateOptions options{.limits = {.steps = 1000}};
  const Template endless("{% while 1 %}{% end %}", "<string>", options);
  try {
    endless.generate();
    FAIL();
  } catch (const TemplateError& error) {
    EXPECT_EQ(error.error_class(), TemplateErrorClass::kLimit);
    EXPECT_STREQ(error.what(),
                 "LimitError: the template takes more than 1000 steps at <string>:1:10");
  }
  // `except` does not go around it.
  EXPECT_THROW(Template("{% while 1 %}{% try %}{% for x in range(10 ** 9) %}{% end %}{% except %}"
                        "{% end %}{% end %}",
                        "x", options)
                   .generate(),
               TemplateError);
}

TEST(TemplateMachine, OutputIsLimited) {
  const Template page("{% for x in range(100000) %}0123456789{% end %}", "x",
                      {.limits = {.output = 1000}});
  try {
    page.generate();
    FAIL();
  } catch (const TemplateError& error) {
    EXPECT_EQ(error.message(), "the output exceeds 1000 bytes");
  }
}

TEST(TemplateMachine, MemoryIsLimited) {
  const TemplateOptions options{.limits = {.memory = 100'000}};
  for (const char* text :
       {"{% set x = 'x' %}{% while 1 %}{% set x = x + x %}{% end %}", "{{ 'x' * 10 ** 18 }}",
        "{{ [0] * 10 ** 9 }}", "{{ list(range(10 ** 9)) }}",
        "{% set xs = [] %}{% while 1 %}{% set xs.append(1) %}{% end %}"}) {
    try {
      Template(text, "x", options).generate();
      ADD_FAILURE() << text;
    } catch (const TemplateError& error) {
      EXPECT_EQ(error.error_class(), TemplateErrorClass::kLimit) << text;
      EXPECT_NE(error.message().find("memory"), std::string::npos) << error.message();
    }
  }
}

TEST(TemplateMachine, CircularListsDoNotHang) {
  for (const char* text :
       {"{% set a = [] %}{% set a.append(a) %}{{ a }}",
        "{% set a = [] %}{% set b = [] %}{% set a.append(a) %}{% set b.append(b) %}{{ a == b }}",
        "{% set a = [] %}{% set a.append(a) %}{{ json_encode(a) }}"}) {
    EXPECT_NE(error_of(text).find("nested too deeply"), std::string::npos) << text;
  }
}

TEST(TemplateMachine, Import) {
  DictLoader loader({{"a", "{% import shop %}{{ shop.price(3) }}{% import shop as s %}{{ s.tax }}"},
                     {"b", "{% from shop import price, tax as t %}{{ price(1) }}{{ t }}"},
                     {"c", "{% import nope %}"},
                     {"d", "{% from shop import nope %}"}});
  loader.module("shop").set("price", [](int count) { return count * 10; });
  loader.module("shop").set("tax", 7);
  EXPECT_EQ(loader.load("a")->generate(), "307");
  EXPECT_EQ(loader.load("b")->generate(), "107");
  EXPECT_THROW(loader.load("c")->generate(), TemplateError);
  EXPECT_THROW(loader.load("d")->generate(), TemplateError);
}

// --- await -------------------------------------------------------------------------------------------

Task<std::string> fetch(std::string name) {
  co_await sleep(1s);
  co_return "<" + name + ">";
}

TEST(TemplateMachine, AwaitsCoroutines) {
  run_async([]() -> Task<> {
    const Template page(
        "{% for n in ['a', 'b'] %}{{ await fetch(n) }}{% end %}{{ [await fetch(x) "
        "for x in 'cd'] }}");
    EXPECT_TRUE(page.awaits());
    TemplateNamespace names;
    names.set("fetch", &fetch);
    const std::string text = co_await page.generate_async(std::move(names));
    EXPECT_EQ(text, "&lt;a&gt;&lt;b&gt;[&#x27;&lt;c&gt;&#x27;, &#x27;&lt;d&gt;&#x27;]");
  });
}

TEST(TemplateMachine, ErrorsOfCoroutinesAreCaught) {
  run_async([]() -> Task<> {
    const Template page("{% try %}{{ await f() }}{% except Exception as e %}{{ e }}{% end %}");
    TemplateNamespace names;
    names.set("f", []() -> Task<int> {
      co_await moment();
      throw std::runtime_error("late");
    });
    const std::string text = co_await page.generate_async(std::move(names));
    EXPECT_EQ(text, "late");
  });
}

TEST(TemplateMachine, AwaitNeedsACoroutineAndTheRightVerb) {
  EXPECT_THROW(Template("{{ await f() }}").generate(), UsageError);
  EXPECT_EQ(error_of("{{ (lambda x: await x)(1) }}"), "await inside a lambda at <string>:1:15");
  EXPECT_NE(error_of("{{ f('x') }}", {{"f", &fetch}}).find("before it is awaited"),
            std::string::npos);
  run_async([]() -> Task<> {
    const Template page("{{ await 5 }}");
    std::string message;
    try {
      co_await page.generate_async();
    } catch (const TemplateError& error) {
      message = error.what();
    }
    EXPECT_EQ(message,
              "TypeError: object 'int' can't be used in 'await' expression at <string>:1:4");
  });
}

TEST(TemplateMachine, CancellingARenderingCancelsWhatItAwaits) {
  run_async([]() -> Task<> {
    bool unwound = false;
    const Template page("{% try %}{{ await f() }}{% except %}caught{% end %}");
    TemplateNamespace names;
    names.set("f", [&unwound]() -> Task<int> {
      struct Note {
        bool& flag;
        ~Note() { flag = true; }
      } note{unwound};
      co_await sleep(1h);
      co_return 1;
    });
    bool timed_out = false;
    try {
      co_await with_timeout(1s, page.generate_async(std::move(names)));
    } catch (const TimeoutError&) {
      timed_out = true;
    }
    EXPECT_TRUE(timed_out);
    EXPECT_TRUE(unwound);
  });
}

TEST(TemplateMachine, StreamsInPieces) {
  run_async([]() -> Task<> {
    const Template page("{% for i in range(100) %}{{ i }},{% end %}end");
    std::vector<std::string> pieces;
    const auto write = [&pieces](std::string_view piece) -> Task<> {
      pieces.emplace_back(piece);
      co_await moment();
    };
    co_await page.stream({}, write, 50);
    EXPECT_GT(pieces.size(), 4u);
    std::string whole;
    for (const std::string& piece : pieces) {
      EXPECT_LT(piece.size(), 60u);
      whole += piece;
    }
    EXPECT_EQ(whole, page.generate());
  });
}

TEST(TemplateMachine, ASlowReaderStopsTheRendering) {
  run_async([]() -> Task<> {
    int made = 0;
    int* const counter = &made;
    TemplateNamespace names;
    names.set("next", [counter] { return ++*counter; });
    const Template page("{% for i in range(100) %}{{ next() }} 0123456789 {% end %}");
    int written = 0;
    int* const pieces = &written;
    const auto write = [counter, pieces](std::string_view) -> Task<> {
      const int before = *counter;
      ++*pieces;
      co_await sleep(1s);
      EXPECT_EQ(*counter, before);  // no value is asked for while the reader is slow
    };
    co_await page.stream(std::move(names), write, 100);
    EXPECT_EQ(made, 100);
    EXPECT_GT(written, 10);
  });
}

TEST(TemplateMachine, CancellingASlowReaderEndsTheRendering) {
  run_async([]() -> Task<> {
    const Template page("{% try %}{% while 1 %}0123456789{% end %}{% except %}never{% end %}");
    int written = 0;
    int* const pieces = &written;
    const auto write = [pieces](std::string_view) -> Task<> {
      ++*pieces;
      co_await sleep(1h);
    };
    bool timed_out = false;
    try {
      co_await with_timeout(1s, page.stream({}, write, 100));
    } catch (const TimeoutError&) {
      timed_out = true;
    }
    EXPECT_TRUE(timed_out);
    EXPECT_EQ(written, 1);
  });
}

TEST(TemplateMachine, WhatApplyTakesIsNotStreamedBefore) {
  run_async([]() -> Task<> {
    const Template page(
        "{% apply lambda s: s.upper() %}{% for i in range(9) %}abc{% end %}{% end %}");
    std::string whole;
    const auto write = [&whole](std::string_view piece) -> Task<> {
      whole += piece;
      co_return;
    };
    co_await page.stream({}, write, 4);
    EXPECT_EQ(whole, page.generate());
    EXPECT_EQ(whole.substr(0, 6), "ABCABC");
  });
}

}  // namespace
}  // namespace coronado::web::template_test
