// Pages like those of Tornado's blog and chat demos, in our words, by both engines.
#include <coronado/base/describe.hpp>
#include <coronado/web/compiled_template.hpp>
#include <coronado/web/ui_module.hpp>

#include <web_pages/demos/blog/archive.html.hpp>
#include <web_pages/demos/blog/compose.html.hpp>
#include <web_pages/demos/blog/entry.html.hpp>
#include <web_pages/demos/blog/feed.xml.hpp>
#include <web_pages/demos/blog/home.html.hpp>
#include <web_pages/demos/chat/index.html.hpp>

#include "tests/web/web_fixture.hpp"

namespace coronado::web_test {
namespace {

struct Entry {
  int id;
  std::string slug;
  std::string title;
  std::string markdown;
  std::string html;
  std::string published;
};
BOOST_DESCRIBE_STRUCT(Entry, (), (id, slug, title, markdown, html, published))

struct Message {
  std::string id;
  std::string body;
};
BOOST_DESCRIBE_STRUCT(Message, (), (id, body))

const std::vector<Entry> kEntries = {
    {1, "first", "First & foremost", "**one**", "<b>one</b>", "2026-01-02"},
    {2, "second", "<Second>", "two", "<p>two</p>", "2026-03-04"}};
const std::vector<Message> kMessages = {{"a1", "Hello <all>"}, {"a2", "again"}};

struct Context {
  std::string blog_title = "Tom & Jerry's blog";
  std::vector<Entry> entries = kEntries;
  std::optional<Entry> entry;
  std::vector<Message> messages = kMessages;
};
BOOST_DESCRIBE_STRUCT(Context, (), (blog_title, entries, entry, messages))

/// The page that `t` names, by the engine that the field X-Engine says.
struct Page : web::RequestHandler {
  void add_template_names(web::TemplateNamespace& names) override {
    names.set("static_url", [](std::string_view path) { return "/static/" + std::string(path); });
    if (!get_query_argument("user", "").empty()) names.set("current_user", "tom");
  }
  Task<> get() override {
    Context context;
    if (!get_query_argument("edit", "").empty()) context.entry = kEntries[0];
    const std::string name = get_query_argument("t");
    if (request().header("X-Engine") == "compiled") {
      render_compiled(name, context);
    } else {
      render(name, {{"blog_title", context.blog_title},
                    {"entries", context.entries},
                    {"entry", context.entry},
                    {"messages", context.messages}});
    }
    co_return;
  }
  void render_compiled(std::string_view name, const Context& context) {
    namespace pages = web_pages;
    if (name == "home.html") web::render(*this, pages::demos_blog_home_html, context);
    if (name == "archive.html") web::render(*this, pages::demos_blog_archive_html, context);
    if (name == "entry.html") web::render(*this, pages::demos_blog_entry_html, context);
    if (name == "compose.html") web::render(*this, pages::demos_blog_compose_html, context);
    if (name == "feed.xml") web::render(*this, pages::demos_blog_feed_xml, context);
    if (name == "index.html") web::render(*this, pages::demos_chat_index_html, context);
  }
};

struct EntryModule : web::UIModule {
  using UIModule::UIModule;
  std::string render(const Entry& entry) {
    return render_string("modules/entry.html", {{"entry", entry}});
  }
};

class TornadoDemos : public ::testing::Test {
 protected:
  void serve(const char* demo) {
    bench.app.set_template_loader(
        std::make_shared<web::Loader>(std::string("tests/web/templates/demos/") + demo));
    web::add_ui_module<EntryModule>(bench.app, "Entry");
    bench.app.ui_modules().set("xsrf_form_html", [] {
      return "<input type=\"hidden\" name=\"_xsrf\" value=\"2|token\"/>";
    });
    bench.app.add<Page>("/page");
  }
  std::string body(const std::string& query) {
    const RawResponse response = bench.get("/page?" + query);
    EXPECT_EQ(response.status, 200) << query;
    EXPECT_EQ(bench.get("/page?" + query, "X-Engine: compiled\r\n").body, response.body) << query;
    return response.body;
  }
  WebBench bench;
};

void expect_parts(const std::string& page, std::initializer_list<const char*> parts) {
  for (const char* part : parts) EXPECT_NE(page.find(part), std::string::npos) << part << page;
}

TEST_F(TornadoDemos, TheBlogsHome) {
  serve("blog");
  const std::string page = body("t=home.html");
  expect_parts(page, {"<title>Tom &amp; Jerry&#x27;s blog</title>", "href=\"/static/blog.css\"",
                      "<a href=\"/auth/login?next=%2Fpage%3Ft%3Dhome.html\">Sign in</a>",
                      "<a href=\"/entry/first\">First &amp; foremost</a>",
                      "<div class=\"body\"><b>one</b></div>", "&lt;Second&gt;", "Archive</a>"});
  EXPECT_EQ(page.find("Edit this post"), std::string::npos);
  expect_parts(body("t=home.html&user=1"),
               {"New post", "/auth/logout?next=", "<a href=\"/compose?id=2\">Edit this post</a>"});
}

TEST_F(TornadoDemos, TheBlogsOtherPages) {
  serve("blog");
  expect_parts(body("t=archive.html"), {"list-style-type: none", "<div class=\"date\">2026-03-04"});
  expect_parts(body("t=entry.html&edit=1"), {"<h1><a href=\"/entry/first\">"});
  expect_parts(
      body("t=compose.html&edit=1"),
      {"value=\"First &amp; foremost\"", "**one**</textarea>", "Save changes",
       "<a href=\"/entry/first\">Cancel", "name=\"id\" value=\"1\"", "2|token", "/jquery.js"});
  const std::string empty = body("t=compose.html");
  expect_parts(empty, {"value=\"\"", "Publish post", "<a href=\"/\">Cancel"});
  EXPECT_EQ(empty.find("name=\"id\""), std::string::npos);
  expect_parts(body("t=feed.xml"), {"<updated>2026-03-04T00:00:00Z</updated>", "<p>two</p>",
                                    "<title type=\"text\">&lt;Second&gt;</title>"});
}

TEST_F(TornadoDemos, TheChat) {
  serve("chat");
  expect_parts(body("t=index.html"),
               {"<div class=\"message\" id=\"ma1\">Hello &lt;all&gt;</div>", "id=\"ma2\"",
                "name=\"next\" value=\"/page\"", "2|token", "src=\"/static/chat.js\""});
}

}  // namespace
}  // namespace coronado::web_test
