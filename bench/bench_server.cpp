// The server that load tools drive: a few endpoints, each written as a user would write it.
//
//     bench_server [PORT] [--port=N] [--workers=N] [--reactor=epoll|uring]
#include <coronado/base/describe.hpp>
#include <coronado/web.hpp>
#include <coronado/websocket.hpp>

#include <algorithm>
#include <bench_pages/fortunes.html.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace web = coronado::web;
using coronado::Task;

namespace {

struct Message {
  std::string_view message;
};
BOOST_DESCRIBE_STRUCT(Message, (), (message))

struct PlainText : web::RequestHandler {
  Task<> get() override {
    set_header("Content-Type", "text/plain; charset=utf-8");
    write("Hello, World!");
    co_return;
  }
};

struct Echo : web::WebSocketHandler {
  Task<> open() override {
    release_request();
    return {};
  }
  Task<> on_message(const coronado::WebSocketMessage& message) override {
    write_message(message);
    return {};
  }
};

/// What one of them says, all hear.
struct Fanout : web::WebSocketHandler {
  explicit Fanout(coronado::WebSocketTopic* room) : room_(*room) {}
  Task<> open() override {
    subscription_ = subscribe(room_);
    release_request();
    return {};
  }
  Task<> on_message(const coronado::WebSocketMessage& message) override {
    room_.publish(coronado::PreparedMessage(message));
    return {};
  }

 private:
  coronado::WebSocketTopic& room_;
  coronado::WebSocketTopic::Subscription subscription_;
};

struct Fortune {
  int id;
  std::string_view message;
};
BOOST_DESCRIBE_STRUCT(Fortune, (), (id, message))

const std::vector<Fortune> kFortunes = {
    {1, "fortune: No such file or directory"},
    {2, "A computer scientist is someone who fixes things that aren't broken."},
    {3, "After enough decimal places, nobody gives a damn."},
    {4, "A bad random number generator: 1, 1, 1, 1, 1, 4.33e+67, 1, 1, 1"},
    {5, "A computer program does what you tell it to do, not what you want it to do."},
    {6, "Emacs is a nice operating system, but I prefer UNIX. \xE2\x80\x94 Tom Christaensen"},
    {7, "Any program that runs right is obsolete."},
    {8, "A list is only as strong as its weakest link. \xE2\x80\x94 Donald Knuth"},
    {9, "Feature: A bug with seniority."},
    {10, "<script>alert(\"This should not be displayed in a browser alert box.\");</script>"},
    {11,
     "\xE3\x83\x95\xE3\x83\xAC\xE3\x83\xBC\xE3\x83\xA0\xE3\x83\xAF\xE3\x83\xBC\xE3\x82\xAF\xE3\x81"
     "\xAE\xE3\x83\x99\xE3\x83\xB3\xE3\x83\x81\xE3\x83\x9E\xE3\x83\xBC\xE3\x82\xAF"}};

struct FortunesPage {
  std::vector<Fortune> fortunes;
};
BOOST_DESCRIBE_STRUCT(FortunesPage, (), (fortunes))

FortunesPage make_fortunes() {
  FortunesPage page;
  page.fortunes.reserve(kFortunes.size() + 1);
  page.fortunes = kFortunes;
  page.fortunes.push_back({0, "Additional fortune added at request time."});
  std::sort(page.fortunes.begin(), page.fortunes.end(),
            [](const Fortune& a, const Fortune& b) { return a.message < b.message; });
  return page;
}

web::Application make_app() {
  static coronado::WebSocketTopic room;  // of all workers
  web::Application app;
  app.get("/plaintext", [] { return "Hello, World!"; });
  app.add<PlainText>("/handler");
  app.add<Echo>("/ws");
  app.add<Fanout>("/fanout", &room);
  app.get("/json", [] { return Message{"Hello, World!"}; });
  app.post("/echo", [](const coronado::HTTPServerRequest& request) { return request.body(); });
  app.get("/fortunes", [] { return web::page(bench_pages::fortunes_html, make_fortunes()); });
  auto loader = std::make_shared<web::Loader>(BENCH_DIR "/templates");
  app.get("/fortunes/interpreted", [loader] {
    const FortunesPage page = make_fortunes();
    return web::html(loader->load("fortunes.html")->generate({{"fortunes", page.fortunes}}));
  });
  for (int i = 0; i < 100; ++i) {
    app.get("/api/res" + std::to_string(i) + "/{id}", [](std::string_view id) { return id; });
  }
  return app;
}

}  // namespace

int main(int argc, char** argv) {
  web::ServeOptions defaults;
  defaults.log_level = "warning";  // no line a request
  return web::serve(argc, argv, make_app, defaults);
}
