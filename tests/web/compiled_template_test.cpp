#include <coronado/web/compiled_template.hpp>

#include <coronado/base/describe.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/testing/async_test.hpp>
#include <coronado/testing/temp_folder.hpp>

#include <gtest/gtest.h>

#include <concepts>
#include <debug_templates/page.html.hpp>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>
#include <web_pages/apply.html.hpp>
#include <web_pages/attempts.html.hpp>
#include <web_pages/awaits.html.hpp>
#include <web_pages/base.html.hpp>
#include <web_pages/basic.html.hpp>
#include <web_pages/child.html.hpp>
#include <web_pages/expressions.html.hpp>
#include <web_pages/fails.html.hpp>
#include <web_pages/fails_calling.html.hpp>
#include <web_pages/fails_endless.html.hpp>
#include <web_pages/fails_index.html.hpp>
#include <web_pages/fails_inside.html.hpp>
#include <web_pages/fails_unbound.html.hpp>
#include <web_pages/grandchild.html.hpp>
#include <web_pages/lambdas.html.hpp>
#include <web_pages/loops.html.hpp>
#include <web_pages/names.html.hpp>
#include <web_pages/note.txt.hpp>

namespace coronado::web {
namespace {

enum class Kind { kA, kB };

struct Member {
  std::string name;
  int age = 0;
  std::vector<std::string> tags;
};
BOOST_DESCRIBE_STRUCT(Member, (), (name, age, tags))

/// Every kind of value, under the names that the pages use.
struct Everything {
  std::string title = "Tom & \"Kitty\"";
  int count = 42;
  std::uint8_t small = 200;
  std::int64_t big = -9'000'000'000;
  double ratio = 2.5;
  bool yes = true;
  bool no = false;
  char letter = '<';
  std::optional<int> nothing = std::nullopt;
  Kind kind = Kind::kB;
  Member user{"Ann <a>", 30, {"x&y", "z"}};
  std::optional<Member> maybe = Member{"Maybe", 1, {}};
  const Member* missing = nullptr;
  std::vector<Member> users = {
      {"Ann", 30, {"b", "a"}}, {"Bob", 17, {}}, {"Cy", 64, {"<c>"}}, {"Di", 25, {}}};
  std::vector<int> numbers = {1, 2, 3, 4};
  std::list<double> odd = {1.5, 3};
  std::map<std::string, int> scores = {{"a", 1}, {"b", 2}};
  std::pair<int, std::string> pair = {7, "p"};
  Json json = json_decode(R"({"list": [1, "two", null], "text": "<json>"})");
  std::function<int(int, int)> add = [](int a, int b) { return a + b; };
  detail::NamedFunction<std::function<std::string(std::string)>> greet =
      template_function({"name"}, std::function<std::string(std::string)>(
                                      [](const std::string& name) { return "Hi " + name; }));
  std::function<std::string(std::string_view)> upper = [](std::string_view text) {
    std::string out(text);
    for (char& c : out) {
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    return out;
  };
  std::function<std::string(std::string_view)> shout = [](std::string_view text) {
    return "!" + std::string(text) + "!";
  };
  std::function<int()> failing = []() -> int { throw std::runtime_error("it failed"); };
  std::function<Task<int>(int)> later = [](int n) -> Task<int> {
    co_await moment();
    co_return n * 2;
  };
  std::function<Task<int>()> broken = []() -> Task<int> {
    co_await moment();
    throw std::runtime_error("broken later");
  };
};
BOOST_DESCRIBE_STRUCT(Everything, (),
                      (title, count, small, big, ratio, yes, no, letter, nothing, kind, user, maybe,
                       missing, users, numbers, odd, scores, pair, json, add, greet, upper, shout,
                       failing, later, broken))

Loader& loader() {
  static Loader made("tests/web/templates");
  static const bool filled = [] {
    made.module("tools").set("twice", [](int n) { return n * 2; });
    made.module("tools").set("site", "here");
    return true;
  }();
  EXPECT_TRUE(filled);
  return made;
}

template <class Make>
std::string text_or_error(Make make) {
  try {
    return make();
  } catch (const TemplateError& error) {
    return std::string("error: ") + error.what();
  }
}

/// What both engines make of the page, which must be the same.
template <class Page>
std::string rendered(const Page& page) {
  const Everything context;
  const TemplateNamespace names = detail::context_names(context);
  const std::string name(Page::kInfo.name);
  const std::string compiled = text_or_error([&] { return page.generate(context, &loader()); });
  EXPECT_EQ(compiled, text_or_error([&] { return loader().load(name)->generate(names); })) << name;
  return compiled;
}

TEST(CompiledTemplate, BothEnginesWriteTheSameBytes) {
  EXPECT_NE(rendered(web_pages::basic_html), "");
  EXPECT_NE(rendered(web_pages::loops_html), "");
  EXPECT_NE(rendered(web_pages::names_html), "");
  EXPECT_NE(rendered(web_pages::expressions_html), "");
  EXPECT_NE(rendered(web_pages::lambdas_html), "");
  EXPECT_NE(rendered(web_pages::attempts_html), "");
  EXPECT_NE(rendered(web_pages::apply_html), "");
  EXPECT_NE(rendered(web_pages::note_txt), "");
  for (const std::string& text :
       {rendered(web_pages::basic_html), rendered(web_pages::loops_html),
        rendered(web_pages::names_html), rendered(web_pages::expressions_html),
        rendered(web_pages::lambdas_html), rendered(web_pages::attempts_html),
        rendered(web_pages::apply_html), rendered(web_pages::note_txt)}) {
    EXPECT_FALSE(text.starts_with("error")) << text;  // all of it was reached
  }
}

TEST(CompiledTemplate, InheritanceAndIncludesAreResolved) {
  EXPECT_FALSE(rendered(web_pages::base_html).starts_with("error"));
  EXPECT_FALSE(rendered(web_pages::child_html).starts_with("error"));
  const std::string text = rendered(web_pages::grandchild_html);
  EXPECT_NE(text.find("<Ann>(b)(a)"), std::string::npos) << text;
  EXPECT_NE(text.find("own footer base"), std::string::npos) << text;
}

TEST(CompiledTemplate, ErrorsSayTheSamePlace) {
  EXPECT_EQ(rendered(web_pages::fails_html), "error: KeyError: 'nope' at fails.html:3:25");
  EXPECT_EQ(rendered(web_pages::fails_inside_html),
            "error: KeyError: 'nope' at fails.html:3:25 (via fails_inside.html:2)");
  EXPECT_EQ(rendered(web_pages::fails_unbound_html),
            "error: NameError: name 'u' is not defined at fails_unbound.html:2:4");
  EXPECT_NE(rendered(web_pages::fails_index_html).find("IndexError"), std::string::npos);
  EXPECT_EQ(rendered(web_pages::fails_calling_html),
            "error: Exception: it failed at fails_calling.html:1:4");
  EXPECT_NE(rendered(web_pages::fails_endless_html).find("LimitError"), std::string::npos);
}

TEST(CompiledTemplate, AnErrorLeavesTheStringAlone) {
  std::string out = "before";
  EXPECT_THROW(web_pages::fails_html.generate_into(out, Everything(), &loader()), TemplateError);
  EXPECT_EQ(out, "before");
}

/// A page as debug builds have it.
struct EditedPage final : InterpretedTemplate<EditedPage> {
  static constexpr std::string_view kName = "page.html";
  static inline const TempFolder folder;
  static inline const detail::PageSource kSource{folder.path(), "xhtml_escape", ""};
};

TEST(InterpretedTemplate, APageIsReadAgainWhenItHasChanged) {
  const auto write = [](std::string_view text) { EditedPage::folder.write("page.html", text); };
  const EditedPage page;
  write("one {{ user.name }}");
  EXPECT_EQ(page.generate(Everything()), "one Ann &lt;a&gt;");
  write("the second {{ count }}");
  EXPECT_EQ(page.generate(Everything()), "the second 42");
  write("{{ nope }}");
  EXPECT_THROW(page.generate(Everything()), TemplateError);
  write("{{ }}");
  EXPECT_THROW(page.generate(Everything()), ParseError);
}

struct DebugPage {
  std::string text;
};
BOOST_DESCRIBE_STRUCT(DebugPage, (), (text))

TEST(InterpretedTemplate, TakesOverInDebugBuilds) {
  using Page = debug_templates::PageHtmlPage;
#ifdef NDEBUG
  static_assert(std::derived_from<Page, CompiledTemplate<Page>>);
#else
  static_assert(std::derived_from<Page, InterpretedTemplate<Page>>);
#endif
  EXPECT_EQ(debug_templates::page_html.generate(DebugPage{"<"}), "<p>&lt;</p>\n");
}

TEST(CompiledTemplate, AwaitsCoroutines) {
  run_async([]() -> Task<> {
    const Everything context;
    const std::string compiled =
        co_await web_pages::awaits_html.generate_async(Everything(), &loader());
    const std::string interpreted =
        co_await loader().load("awaits.html")->generate_async(detail::context_names(context));
    EXPECT_EQ(compiled, interpreted);
    EXPECT_NE(compiled.find("broken later"), std::string::npos);
  });
}

/// What a page writes, piece by piece.
template <class Page>
Task<std::vector<std::string>> pieces_of(const Page& page, std::size_t size) {
  std::vector<std::string> pieces;
  std::vector<std::string>* to = &pieces;
  const auto write = [to](std::string_view piece) -> Task<> {
    to->emplace_back(piece);
    co_await moment();
  };
  co_await page.stream(Everything(), write, size, &loader());
  co_return pieces;
}

TEST(CompiledTemplate, StreamsInPiecesThatOtherwiseMakeThePage) {
  run_async([]() -> Task<> {
    const std::vector<std::string> pieces = co_await pieces_of(web_pages::loops_html, 50);
    EXPECT_GT(pieces.size(), 4U);
    std::string whole;
    for (const std::string& piece : pieces) whole += piece;
    EXPECT_EQ(whole, web_pages::loops_html.generate(Everything(), &loader()));
    // What `apply` takes is not written before.
    whole.clear();
    const std::vector<std::string> applied = co_await pieces_of(web_pages::apply_html, 1);
    for (const std::string& piece : applied) whole += piece;
    EXPECT_EQ(whole, web_pages::apply_html.generate(Everything(), &loader()));
    whole.clear();
    const std::vector<std::string> awaited = co_await pieces_of(web_pages::awaits_html, 1);
    for (const std::string& piece : awaited) whole += piece;
    EXPECT_EQ(whole, co_await web_pages::awaits_html.generate_async(Everything(), &loader()));
  });
}

TEST(CompiledTemplate, WhatTheWriterThrowsIsNoErrorOfTheTemplate) {
  run_async([]() -> Task<> {
    const auto write = [](std::string_view) -> Task<> {
      co_await moment();
      throw std::out_of_range("gone");
    };
    bool thrown = false;
    try {
      co_await web_pages::loops_html.stream(Everything(), write, 1, &loader());
    } catch (const std::out_of_range&) {
      thrown = true;
    }
    EXPECT_TRUE(thrown);
    // An error of the template says its place, as always.
    std::string said;
    const auto take = [](std::string_view) -> Task<> { co_return; };
    try {
      co_await web_pages::fails_html.stream(Everything(), take, 1, &loader());
    } catch (const TemplateError& error) {
      said = error.what();
    }
    EXPECT_EQ(said, "KeyError: 'nope' at fails.html:3:25");
  });
}

TEST(CompiledTemplate, ASlowReaderStopsTheRenderingAndACancelEndsIt) {
  run_async([]() -> Task<> {
    int begun = 0;
    int* count = &begun;
    const auto write = [count](std::string_view) -> Task<> {
      ++*count;
      co_await sleep(std::chrono::hours(1));
    };
    bool timed_out = false;
    try {
      co_await with_timeout(std::chrono::seconds(1),
                            web_pages::loops_html.stream(Everything(), write, 1, &loader()));
    } catch (const TimeoutError&) {
      timed_out = true;
    }
    EXPECT_TRUE(timed_out);
    EXPECT_EQ(begun, 1);
  });
}

}  // namespace
}  // namespace coronado::web
