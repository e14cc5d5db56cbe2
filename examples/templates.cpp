// Templates: a page, its layout, modules, a value that is awaited; and a page that is C++.
#include <coronado/base/describe.hpp>
#include <coronado/web.hpp>
#include <coronado/web/compiled_template.hpp>
#include <coronado/web/ui_module.hpp>

#include <memory>
#include <pages/archive.html.hpp>
#include <string>
#include <vector>

namespace web = coronado::web;
using coronado::Task;
using namespace std::chrono_literals;

namespace {

// [values]
struct Entry {
  std::string title;
  std::string text;
  std::vector<std::string> tags;
};
BOOST_DESCRIBE_STRUCT(Entry, (), (title, text, tags))
// [/values]

const std::vector<Entry> kEntries = {
    {"Coroutines", "One loop, no locks.", {"c++", "async"}},
    {"Templates & escaping", "<b>Bold</b> is text here.", {"html"}},
};

// [loader]
std::shared_ptr<web::BaseLoader> make_loader() {
  return std::make_shared<web::DictLoader>(web::TemplateTexts{
      {"layout.html",
       "<!DOCTYPE html>\n<title>{% block title %}Blog{% end %}</title>\n"
       "<head></head><body>{% block body %}{% end %}</body>\n"},
      {"blog.html",
       "{% extends \"layout.html\" %}\n"
       "{% block body %}\n"
       "{% for entry in entries %}{% module Entry(entry) %}{% end %}\n"
       "{% if not entries %}<p>Nothing yet.{% end %}\n"
       "<p>{{ len(entries) }} entries, {% module Visits(await visitors()) %} visitors.\n"
       "{% end %}\n"}});
}
// [/loader]

// [render]
struct Blog : web::RequestHandler {
  Task<> get() override {
    web::TemplateNamespace names{{"entries", kEntries}};
    names.set("visitors", []() -> Task<int> {
      co_await coronado::sleep(10ms);  // a database would be asked here
      co_return 42;
    });
    co_await render_async("blog.html", std::move(names));
  }
};
// [/render]

// [ui-module]
struct VisitsModule : web::UIModule {
  using UIModule::UIModule;
  std::string render(int visitors) {
    return "<b class=\"visits\">" + std::to_string(visitors) + "</b>";
  }
  std::string embedded_css() override { return ".visits { color: teal }"; }
  std::vector<std::string> javascript_files() override { return {"visits.js"}; }
};
// [/ui-module]

// [context]
struct ArchivePage {
  std::string title;
  std::vector<Entry> entries;
};
BOOST_DESCRIBE_STRUCT(ArchivePage, (), (title, entries))
// [/context]

// [compiled]
struct Archive : web::RequestHandler {
  Task<> get() override {
    web::render(*this, pages::archive_html, ArchivePage{"Archive", kEntries});
    co_return;
  }
};
// [/compiled]

web::Application make_app() {
  web::Application app;
  // [module]
  app.set_template_loader(make_loader());
  auto entry_page = std::make_shared<web::Template>(
      "<h2>{{ entry.title }}</h2><p>{{ entry.text }} <i>{{ ', '.join(entry.tags) }}</i>");
  app.ui_modules().set("Entry", [entry_page](const Entry& entry) {
    return entry_page->generate({{"entry", entry}});
  });
  // [/module]
  web::add_ui_module<VisitsModule>(app, "Visits");
  app.add<Blog>("/");
  app.add<Archive>("/archive");
  // [page]
  app.get("/titles",
          [] { return web::page(pages::archive_html, ArchivePage{"Titles", kEntries}); });
  // [/page]
  return app;
}

}  // namespace

int main(int argc, char** argv) { return web::serve(argc, argv, make_app); }
