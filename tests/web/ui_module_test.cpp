#include <coronado/web/ui_module.hpp>

#include <coronado/base/describe.hpp>
#include <coronado/web/security.hpp>
#include <coronado/web/template.hpp>

#include "tests/web/web_fixture.hpp"

namespace coronado::web_test {
namespace {

struct Entry {
  std::string title;
};
BOOST_DESCRIBE_STRUCT(Entry, (), (title))

struct EntryModule : web::UIModule {
  using UIModule::UIModule;
  static inline const std::vector<std::string> kParameters = {"entry", "big"};
  std::string render(const Entry& entry, std::optional<bool> big) {
    ++times;
    return render_string("entry.html", {{"entry", entry}, {"big", big}, {"times", times}});
  }
  std::string embedded_javascript() override { return "entry();"; }
  std::vector<std::string> javascript_files() override { return {"entry.js", "/abs.js"}; }
  std::string embedded_css() override { return ".entry {}"; }
  std::vector<std::string> css_files() override { return {"https://example.com/e.css"}; }
  std::string html_head() override { return "<meta name=\"entry\">"; }
  std::string html_body() override { return "<div id=\"end\"></div>"; }
  int times = 0;
};

/// Used by the template of another module.
struct InnerModule : web::UIModule {
  using UIModule::UIModule;
  std::string render() const { return "inner"; }
  std::vector<std::string> javascript_files() override { return {"entry.js", "inner.js"}; }
};

struct Page : web::RequestHandler {
  void add_template_names(web::TemplateNamespace& names) override {
    names.set("static_url", [](std::string_view path) { return "/static/" + std::string(path); });
  }
  Task<> get() override {
    const std::vector<Entry> entries = {{"<a>"}, {"b"}};
    render(get_query_argument("t"), {{"entries", entries}});
    co_return;
  }
};

class UIModules : public ::testing::Test {
 protected:
  void SetUp() override {
    bench.app.set_template_loader(std::make_shared<web::DictLoader>(web::TemplateTexts{
        {"page.html",
         "<head></head><body>{% for e in entries %}{% module Entry(e, big=True) %}{% end "
         "%}</body>"},
        {"entry.html", "[{{ entry.title }} {{ big }} {{ times }} {% module Inner() %}]"},
        {"headless.html", "{% module Entry(entries[0]) %}"},
        {"plain.html", "<p>nothing of that"},
        {"wrong.html", "{% module Entry(5) %}"},
        {"missing.html", "{% module Nope() %}"},
        {"outer.html",
         "<head></head><body>{% set title = 'mine' %}{% for n in [1, 2] %}{% module "
         "Template('part.html', number=n) %}{% end %}{% module Template('other.html') %}</body>"},
        {"part.html",
         "({{ number }}{{ set_resources(embedded_css='.part {}', javascript_files=['part.js'], "
         "css_files='/part.css', html_head='<meta>') }})"},
        {"other.html", "{{ set_resources(embedded_css='.other {}') }}{{ request.method }}"},
        {"other_names.html", "{% set title = 'mine' %}{% module Template('sees.html') %}"},
        {"sees.html", "{{ title }}"},
        {"changes.html", "{% for n in [1, 2] %}{% module Template('change.html', n=n) %}{% end %}"},
        {"change.html", "{{ set_resources(embedded_css=str(n)) }}"}}));
    web::add_ui_module<EntryModule>(bench.app, "Entry");
    web::add_ui_module<InnerModule>(bench.app, "Inner");
    bench.app.add<Page>("/page");
  }
  WebBench bench;
};

TEST_F(UIModules, ThePageGetsWhatItsModulesNeedOnce) {
  const std::string body = bench.get("/page?t=page.html").body;
  EXPECT_EQ(body,
            "<head>"
            "<link href=\"https://example.com/e.css\" type=\"text/css\" rel=\"stylesheet\"/>"
            "<style type=\"text/css\">\n.entry {}\n</style>"
            "<meta name=\"entry\">\n"
            "</head><body>"
            "[&lt;a&gt; True 1 inner][b True 2 inner]"
            "<script src=\"/static/entry.js\" type=\"text/javascript\"></script>"
            "<script src=\"/abs.js\" type=\"text/javascript\"></script>"
            "<script src=\"/static/inner.js\" type=\"text/javascript\"></script>"
            "<script type=\"text/javascript\">\n//<![CDATA[\nentry();\n//]]>\n</script>"
            "<div id=\"end\"></div>\n"
            "</body>");
}

TEST_F(UIModules, EachRequestHasModulesOfItsOwn) {
  bench.get("/page?t=page.html");
  EXPECT_NE(bench.get("/page?t=page.html").body.find("True 1"), std::string::npos);
}

TEST_F(UIModules, APageWithoutThemStaysAsItIs) {
  EXPECT_EQ(bench.get("/page?t=plain.html").body, "<p>nothing of that");
}

TEST_F(UIModules, ATemplateIsAModuleWithNamesOfItsOwn) {
  EXPECT_EQ(bench.get("/page?t=outer.html").body,
            "<head><link href=\"/part.css\" type=\"text/css\" rel=\"stylesheet\"/>"
            "<style type=\"text/css\">\n.part {}\n.other {}\n</style><meta>\n</head><body>"
            "(1)(2)GET"
            "<script src=\"/static/part.js\" type=\"text/javascript\"></script></body>");
}

TEST_F(UIModules, ErrorsAreNamed) {
  for (const char* name :
       {"headless.html", "wrong.html", "missing.html", "other_names.html", "changes.html"}) {
    EXPECT_EQ(bench.get(std::string("/page?t=") + name).status, 500) << name;
  }
  std::string all;
  for (const auto& line : bench.log.lines) all += line + "\n";
  EXPECT_NE(all.find("has no </body>"), std::string::npos) << all;
  EXPECT_NE(all.find("argument 'entry' must be Entry, not int at wrong.html:1:11"),
            std::string::npos)
      << all;
  EXPECT_NE(all.find("name 'title' is not defined at sees.html:1:4"), std::string::npos) << all;
  EXPECT_NE(all.find("set_resources() of 'change.html' with other resources than before"),
            std::string::npos)
      << all;
  EXPECT_NE(all.find("'ui_modules' object has no attribute 'Nope' at missing.html"),
            std::string::npos)
      << all;
}

/// Writes its resources in its own way, and leaves the rest to the default.
struct OwnMarkup : Page {
  std::string render_linked_js(const std::vector<std::string>& urls) const override {
    return "<script defer src=\"" + urls.at(0) + "\"></script>";
  }
  std::string render_embed_js(std::string_view script) const override {
    return "<script type=module>" + std::string(script) + "</script>";
  }
  std::string render_linked_css(const std::vector<std::string>& urls) const override {
    return "(" + urls.at(0) + ")";
  }
  std::string render_embed_css(std::string_view style) const override {
    return "<style>" + std::string(style) + "</style>";
  }
};

TEST_F(UIModules, AHandlerMayWriteTheMarkupInItsOwnWay) {
  bench.app.add<OwnMarkup>("/own");
  const std::string body = bench.get("/own?t=page.html").body;
  EXPECT_NE(body.find("<head>(https://example.com/e.css)<style>.entry {}\n</style><meta"),
            std::string::npos)
      << body;
  EXPECT_NE(
      body.find("<script defer src=\"/static/entry.js\"></script><script type=module>entry();"),
      std::string::npos)
      << body;
}

TEST_F(UIModules, ScriptsAndStylesCarryTheNonceOfThePolicy) {
  bench.app.use(web::security_headers({.content_security_policy = "script-src 'nonce-{nonce}'"}));
  const RawResponse page = bench.get("/page?t=page.html");
  const std::string policy = page.field("Content-Security-Policy");
  const std::string nonce = policy.substr(policy.find("nonce-") + 6, 22);
  const std::string attribute = " nonce=\"" + nonce + "\"";
  for (const char* tag :
       {"<script src=\"/abs.js\" type=\"text/javascript\"", "<script type=\"text/javascript\"",
        "<style type=\"text/css\"", "type=\"text/css\" rel=\"stylesheet\""}) {
    EXPECT_NE(page.body.find(tag + attribute), std::string::npos) << tag << page.body;
  }
}

}  // namespace
}  // namespace coronado::web_test
