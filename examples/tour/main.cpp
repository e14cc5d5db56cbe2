// A page that shows coroutines at work in the very process that serves it; see README.md.
#include <coronado/coro/registry.hpp>
#include <coronado/web.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "conversation.hpp"
#include "playground.hpp"
#include "process.hpp"
#include "sleepers.hpp"
#include "timeline.hpp"
#include "tree.hpp"

namespace web = coronado::web;
using coronado::Task;

namespace {

constexpr std::size_t kMostTasksShown = 400;

struct Demonstrations {
  tour::RequestMeter meter;
  tour::Sleepers sleepers;
  tour::Tree tree;
  tour::Conversation conversation;
};

struct TaskDump {
  std::string text;
  std::uint64_t tasks;
};
BOOST_DESCRIBE_STRUCT(TaskDump, (), (text, tasks))

std::string_view content_type(const std::filesystem::path& file) {
  const std::string extension = file.extension();
  if (extension == ".html") return web::kHtmlType;
  if (extension == ".css") return "text/css; charset=utf-8";
  if (extension == ".js") return "text/javascript; charset=utf-8";
  if (extension == ".svg") return "image/svg+xml";
  return "application/octet-stream";
}

// Everything the page needs comes from here, and nothing else is let in.
constexpr std::string_view kContentSecurityPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

web::Response page(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(stream), {}};
  return web::Response(200, std::move(text), content_type(file))
      .with("Cache-Control", "no-cache")
      .with("Content-Security-Policy", kContentSecurityPolicy)
      .with("X-Content-Type-Options", "nosniff");
}

void add_pages(web::Application& app) {
  for (const auto& entry : std::filesystem::directory_iterator(EXAMPLE_DIR "/static")) {
    const std::string name = entry.path().filename();
    const web::Response response = page(entry.path());
    app.get("/" + name, [response] { return response; });
    if (name == "index.html") app.get("/", [response] { return response; });
  }
}

void add_demonstrations(web::Application& app, const std::shared_ptr<Demonstrations>& shown) {
  using tour::SleepersWanted, tour::TimelineWanted, tour::TreeShape;
  app.post("/api/sleepers", [shown](web::JsonBody<SleepersWanted> wanted) -> Task<web::Response> {
    co_return web::json(co_await shown->sleepers.start(*wanted));
  });
  app.get("/api/sleepers", [shown] { return web::json(shown->sleepers.now()); });
  app.del("/api/sleepers", [shown]() -> Task<web::Response> {
    co_return web::json(co_await shown->sleepers.cancel());
  });

  app.post("/api/timeline", [](web::JsonBody<TimelineWanted> wanted) -> Task<web::Response> {
    co_return web::json(co_await tour::run_timeline(*wanted));
  });

  app.post("/api/tree/start", [shown](web::JsonBody<TreeShape> shape) -> Task<web::Response> {
    co_return web::json(co_await shown->tree.start(*shape));
  });
  app.get("/api/tree", [shown] { return web::json(shown->tree.now()); });
  app.del("/api/tree/{group:uint}", [shown](std::uint64_t group) {
    shown->tree.cancel(group);
    return web::json({{"cancelled", group}});
  });
}

void add_inspector(web::Application& app, const std::shared_ptr<Demonstrations>& shown) {
  // A coroutine, so that the request is a task and stands in the dump it fetches.
  app.get("/api/inspect", [](coronado::HTTPExchange& exchange) -> Task<web::Response> {
    co_return web::Response(200,
                            coronado::dump_tasks_json(exchange.loop(), {.limit = kMostTasksShown}),
                            web::kJsonType);
  });
  app.post("/api/conversation", [shown](coronado::HTTPExchange& exchange) {
    shown->conversation.start(exchange.loop());
    return web::json({{"going_on", true}});
  });
  app.del("/api/conversation", [shown]() -> Task<web::Response> {
    co_await shown->conversation.stop();
    co_return web::json({{"going_on", false}});
  });
}

void add_playground(web::Application& app) {
  app.post("/api/template", [](web::JsonBody<tour::PlaygroundWanted> wanted) {
    return web::json(tour::render_playground(*wanted));
  });
}

web::Application make_app() {
  web::Application app;
  auto shown = std::make_shared<Demonstrations>();
  add_pages(app);
  add_demonstrations(app, shown);
  add_inspector(app, shown);
  add_playground(app);
  app.get("/api/ping", [] { return web::json({{"pong", true}}); });
  app.get("/api/stats", [shown](web::WebExchange& exchange) {
    return web::json(shown->meter.read(exchange.loop(), exchange.application()));
  });
  // A coroutine, so that the request is a task and stands in the dump it fetches.
  app.get("/api/tasks", [](coronado::HTTPExchange& exchange) -> Task<web::Response> {
    const coronado::IOLoop& loop = exchange.loop();
    co_return web::json(TaskDump{.text = coronado::dump_tasks(loop, kMostTasksShown),
                                 .tasks = coronado::count_tasks(loop)});
  });
  return app;
}

}  // namespace

int main(int argc, char** argv) {
  web::ServeOptions defaults;
  defaults.log_level = "warning";  // the page asks several times a second
  return web::serve(argc, argv, make_app, defaults);
}
