// A page that shows coroutines at work in the very process that serves it; see README.md.
#include <coronado/coro/registry.hpp>
#include <coronado/web.hpp>

#include <memory>
#include <pages/files.html.hpp>
#include <pages/home.html.hpp>
#include <pages/inspector.html.hpp>
#include <pages/templates.html.hpp>
#include <pages/waiting.html.hpp>
#include <string>

#include "conversation.hpp"
#include "pages.hpp"
#include "playground.hpp"
#include "process.hpp"
#include "sleepers.hpp"
#include "stops.hpp"
#include "timeline.hpp"

namespace web = coronado::web;
using coronado::Task;

namespace {

constexpr std::size_t kMostTasksShown = 400;

struct Demonstrations {
  tour::RequestMeter meter;
  tour::Sleepers sleepers;
  tour::Conversation conversation;
};

struct TaskDump {
  std::string text;
  std::uint64_t tasks;
};
BOOST_DESCRIBE_STRUCT(TaskDump, (), (text, tasks))

// Everything a page needs comes from here, and nothing else is let in.
constexpr const char* kContentSecurityPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

void add_waiting(web::Application& app, const tour::SharedSite& site,
                 const std::shared_ptr<Demonstrations>& shown) {
  app.add<tour::SimplePage<pages::waiting_html>>("/waiting", site);
  using tour::SleepersWanted, tour::TimelineWanted;
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
}

void add_inspector(web::Application& app, const tour::SharedSite& site,
                   const std::shared_ptr<Demonstrations>& shown) {
  app.add<tour::SimplePage<pages::inspector_html>>("/inspector", site);
  // Coroutines, so that the request is a task and stands in the dump it fetches.
  app.get("/api/inspect", [](coronado::HTTPExchange& exchange) -> Task<web::Response> {
    co_return web::Response(200,
                            coronado::dump_tasks_json(exchange.loop(), {.limit = kMostTasksShown}),
                            web::kJsonType);
  });
  app.get("/api/tasks", [](coronado::HTTPExchange& exchange) -> Task<web::Response> {
    const coronado::IOLoop& loop = exchange.loop();
    co_return web::json(TaskDump{.text = coronado::dump_tasks(loop, kMostTasksShown),
                                 .tasks = coronado::count_tasks(loop)});
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

void add_playground(web::Application& app, const tour::SharedSite& site) {
  app.add<tour::SimplePage<pages::templates_html>>("/templates", site);
  app.post("/api/template", [](web::JsonBody<tour::PlaygroundWanted> wanted) {
    return web::json(tour::render_playground(*wanted));
  });
}

// What the strip on every page shows of the process.
void add_live(web::Application& app, const std::shared_ptr<Demonstrations>& shown) {
  app.get("/api/ping", [] { return web::json({{"pong", true}}); });
  app.get("/api/stats", [shown](web::WebExchange& exchange) {
    return web::json(shown->meter.read(exchange.loop(), exchange.application()));
  });
}

void set_up(web::Application& app, const tour::SharedSite& site) {
  app.set_security({.xsrf_cookies = true});
  app.use(web::security_headers({.content_security_policy = kContentSecurityPolicy}));
  // [sessions]
  app.use(web::sessions(site->sessions));
  // [/sessions]
  // [locales]
  app.set_locales(site->locales);
  // [/locales]
  // [static]
  app.set_static_path(EXAMPLE_DIR "/static");
  // [/static]
  app.ui_modules().set("Listing", [site](std::string_view name) {
    const auto found = site->listings.find(name);
    if (found == site->listings.end())
      throw coronado::UsageError("no listing " + std::string(name));
    return found->second;
  });
  app.not_found([site](web::WebExchange& exchange) -> Task<> {
    co_await web::RequestHandler::execute(exchange, std::make_unique<tour::NotFound>(site));
  });
}

web::Application make_app(const tour::SharedSite& site, const std::shared_ptr<tour::Users>& users,
                          coronado::WebSocketTopic& room) {
  web::Application app;
  auto shown = std::make_shared<Demonstrations>();
  set_up(app, site);
  add_live(app, shown);
  app.add<tour::SimplePage<pages::home_html>>("/", site);
  tour::add_hello(app, site);
  add_waiting(app, site, shown);
  tour::add_cancel(app, site);
  tour::add_streams(app, site);
  tour::add_chat(app, site, room);
  tour::add_forms(app, site);
  add_playground(app, site);
  app.add<tour::SimplePage<pages::files_html>>("/files", site);
  tour::add_users(app, site, users);
  tour::add_api(app, site);
  tour::add_languages(app, site);
  tour::add_simulation(app, site);
  add_inspector(app, site, shown);
  return app;
}

}  // namespace

int main(int argc, char** argv) {
  web::ServeOptions defaults;
  defaults.log_level = "warning";  // the pages ask several times a second
  // Made before the workers, which share them.
  const auto site = std::make_shared<const tour::Site>();
  const auto users = tour::make_users();
  coronado::WebSocketTopic room;
  return web::serve(argc, argv, [&] { return make_app(site, users, room); }, defaults);
}
