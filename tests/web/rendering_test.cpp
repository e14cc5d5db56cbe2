#include <coronado/base/describe.hpp>
#include <coronado/web/compiled_template.hpp>

#include <web_pages/handler.html.hpp>
#include <web_pages/paragraph.html.hpp>

#include "tests/web/web_fixture.hpp"

namespace coronado::web_test {
namespace {

struct HandlerPage {
  std::string text;
};
BOOST_DESCRIBE_STRUCT(HandlerPage, (), (text))

struct Entry {
  int id;
  std::string title;
};
BOOST_DESCRIBE_STRUCT(Entry, (), (id, title))

const std::vector<Entry> kEntries = {{1, "One & two"}, {2, "<b>"}};

/// Renders the template that the query names.
struct Page : web::RequestHandler {
  void add_template_names(web::TemplateNamespace& names) override { names.set("site", "Blog"); }
  Task<> get() override {
    render(get_query_argument("t"), {{"entries", kEntries}});
    co_return;
  }
};

class Rendering : public ::testing::Test {
 protected:
  void serve(web::TemplateTexts files) {
    bench.app.set_template_loader(std::make_shared<web::DictLoader>(std::move(files)));
    bench.app.add<Page>("/page", web::RouteOptions{.name = "page"});
  }
  std::string body(const std::string& name) { return bench.get("/page?t=" + name).body; }
  WebBench bench;
};

TEST_F(Rendering, ATemplateBecomesTheResponse) {
  serve({{"x.html", "{{ site }}:{% for e in entries %} {{ e.id }} {{ e.title }}{% end %}"}});
  const RawResponse response = bench.get("/page?t=x.html");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.field("Content-Type"), "text/html; charset=UTF-8");
  EXPECT_EQ(response.body, "Blog: 1 One &amp; two 2 &lt;b&gt;");
}

TEST_F(Rendering, TemplatesSeeHandlerAndRequest) {
  serve({{"a", "{{ request.method }} {{ request.path }} {{ request.headers['X-Test'] }}"},
         {"b", "{{ handler.get_argument('t') }} {{ handler.get_argument('n', 'none') }}"},
         {"c", "{{ reverse_url('page') }} {{ handler.reverse_url('page') }} {{ current_user }}"},
         {"d", "{{ handler.get_cookie('k') }}{{ handler.get_cookie('no', 'x') }}"}});
  EXPECT_EQ(bench.get("/page?t=a", "X-Test: 5\r\n").body, "GET /page 5");
  EXPECT_EQ(body("b"), "b none");
  EXPECT_EQ(body("c"), "/page /page None");
  EXPECT_EQ(bench.get("/page?t=d", "Cookie: k=v\r\n").body, "vx");
}

TEST_F(Rendering, UIModulesAreNotEscaped) {
  serve({{"x", "{% for e in entries %}{% module Entry(e, show=True) %}{% end %}"}});
  bench.app.ui_modules().set(
      "Entry", web::template_function({"entry", "show"}, [](const Entry& entry, bool show) {
        return "<i>" + std::to_string(entry.id) + (show ? "!" : "") + "</i>";
      }));
  EXPECT_EQ(body("x"), "<i>1!</i><i>2!</i>");
}

TEST_F(Rendering, FailuresAreServerErrorsAndAreLogged) {
  serve({{"bad", "{{ nope }}"}, {"worse", "{{ }}"}});
  EXPECT_EQ(bench.get("/page?t=bad").status, 500);
  EXPECT_EQ(bench.get("/page?t=worse").status, 500);
  EXPECT_EQ(bench.get("/page?t=missing").status, 500);
  std::string all;
  for (const auto& line : bench.log.lines) all += line + "\n";
  EXPECT_NE(all.find("NameError: name 'nope' is not defined at bad:1:4"), std::string::npos) << all;
  EXPECT_NE(all.find("Empty expression at worse:1:1"), std::string::npos) << all;
}

TEST_F(Rendering, NeedsALoader) {
  bench.app.add<Page>("/page");
  EXPECT_EQ(bench.get("/page?t=x").status, 500);
}

struct Other : web::RequestHandler {
  Task<> get() override {
    write(render_string("x", {{"n", 1}}));
    web::TemplateNamespace names{{"n", 2}};
    names.set("f", [](int n) -> Task<int> {
      co_await moment();
      co_return n * 10;
    });
    co_await render_async("y", std::move(names));
  }
};

TEST_F(Rendering, AsATextAndWithAwait) {
  serve({{"x", "({{ n }})"}, {"y", "({{ await f(n) }})"}});
  bench.app.add<Other>("/other");
  EXPECT_EQ(bench.get("/other").body, "(1)(20)");
}

struct Streamed : web::RequestHandler {
  Task<> get() override {
    web::TemplateNamespace names{{"n", 3000}};
    names.set("f", []() -> Task<int> {
      co_await moment();
      co_return 7;
    });
    co_await render_stream("s", std::move(names));
  }
};

TEST_F(Rendering, InPiecesAsTheyAreReady) {
  serve({{"s", "{% for i in range(n) %}0123456789{% end %}{{ await f() }} {{ request.method }}"},
         {"t", "x"}});
  bench.app.add<Streamed>("/streamed");
  const RawResponse response = bench.get("/streamed");
  EXPECT_EQ(response.field("Transfer-Encoding"), "chunked");
  EXPECT_EQ(response.body.size(), 30'000U + 5);
  EXPECT_TRUE(response.body.ends_with("97 GET"));
}

TEST_F(Rendering, LanguageFunctionsAnswerWithTheMessage) {
  serve({{"x",
          "{{ _('one') }} {{ _('one', 'many', 2) }} {{ _('one', plural_message='many', count=1) }} "
          "{{ pgettext('menu', 'Open') }} {{ locale.code }} {{ locale.translate('a', 'b', 0) }}"}});
  EXPECT_EQ(body("x"), "one many one Open en_US b");
}

TEST_F(Rendering, TheNamespaceOfAHandlerComesFirst) {
  struct Own : web::RequestHandler {
    void add_template_names(web::TemplateNamespace& names) override {
      names.set("_", [](std::string_view text) { return "<" + std::string(text) + ">"; });
      names.set("static_url", [](std::string_view path) { return "/s/" + std::string(path); });
    }
    Task<> get() override {
      render("x");
      co_return;
    }
  };
  serve({{"x", "{{ _('a') }}{{ static_url('b.css') }}"}});
  bench.app.add<Own>("/own");
  EXPECT_EQ(bench.get("/own").body, "&lt;a&gt;/s/b.css");
}

TEST_F(Rendering, AGeneratedPageSeesTheHandlerAndItsModules) {
  struct Built : web::RequestHandler {
    Task<> get() override {
      web::render(*this, web_pages::handler_html, HandlerPage{"<x>"});
      co_return;
    }
  };
  serve({});
  bench.app.template_loader()->module("tools").set("twice", [](int n) { return 2 * n; });
  bench.app.ui_modules().set(
      "Bold", [](std::string_view text) { return "<b>" + std::string(text) + "</b>"; });
  bench.app.add<Built>("/built");
  EXPECT_EQ(bench.get("/built").body, "&lt;x&gt; GET /page <b>m</b> 8 True\n");
}

using Paragraph = web_pages::ParagraphHtmlPage;

/// Templates have integers of 64 bits with a sign.
struct FailingPage {
  std::uint64_t text = ~std::uint64_t{0};
};
BOOST_DESCRIBE_STRUCT(FailingPage, (), (text))

TEST_F(Rendering, AFunctionAnswersWithAGeneratedPage) {
  bench.app.get("/found", [] {
    return web::page(web_pages::paragraph_html, HandlerPage{"<" + std::string(10'000, 'x')});
  });
  bench.app.get("/missing", []() -> Task<web::PageResult<Paragraph, HandlerPage>> {
    co_return web::page(web_pages::paragraph_html, HandlerPage{"none"}, 404);
  });
  const RawResponse found = bench.get("/found");
  EXPECT_EQ(found.status, 200);
  EXPECT_EQ(found.field("Content-Type"), "text/html; charset=utf-8");
  EXPECT_EQ(found.body, "<p>&lt;" + std::string(10'000, 'x') + "</p>\n");
  const RawResponse missing = bench.get("/missing");
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(missing.body, "<p>none</p>\n");
}

TEST_F(Rendering, AGeneratedPageThatFailsIsAnError) {
  bench.app.get("/fails", [] { return web::page(web_pages::paragraph_html, FailingPage{}); });
  struct Fails : web::RequestHandler {
    Task<> get() override {
      web::render(*this, web_pages::paragraph_html, FailingPage{});
      co_return;
    }
  };
  bench.app.add<Fails>("/handler");
  EXPECT_EQ(bench.get("/fails").status, 500);
  EXPECT_EQ(bench.get("/handler").status, 500);
}

/// Has templates of its own.
struct Themed : Page {
  explicit Themed(std::shared_ptr<web::BaseLoader> theme) : theme_(std::move(theme)) {}
  web::BaseLoader* get_template_loader() const override { return theme_.get(); }

 private:
  std::shared_ptr<web::BaseLoader> theme_;
};

TEST_F(Rendering, AHandlerMayHaveTemplatesOfItsOwn) {
  serve({{"x", "the application's"}});
  const auto theme = std::make_shared<web::DictLoader>(
      web::TemplateTexts{{"x", "{% include 'y' %}"}, {"y", "its own, of {{ site }}"}});
  bench.app.add<Themed>("/themed", std::shared_ptr<web::BaseLoader>(theme));
  EXPECT_EQ(body("x"), "the application's");
  EXPECT_EQ(bench.get("/themed?t=x").body, "its own, of Blog");
}

}  // namespace
}  // namespace coronado::web_test
