#include "static_files.hpp"

#include <memory>
#include <optional>
#include <string>

namespace web = coronado::web;
using coronado::AsyncGenerator;
using coronado::HTTPError;
using coronado::HTTPExchange;
using coronado::HTTPServerRequest;
using coronado::Task;

namespace guide {
namespace {

// [version]
struct Home : web::RequestHandler {
  Task<> get() override {
    write("<link rel=\"stylesheet\" href=\"" + static_url("tour.css") + "\">\n");
    return {};
  }
};
// [/version]

// [handler]
struct Download : web::StaticFileHandler {
  using StaticFileHandler::StaticFileHandler;
  void set_extra_headers(std::string_view path) override {
    const std::string_view name = path.substr(path.rfind('/') + 1);
    set_header("Content-Disposition", "attachment; filename=\"" + std::string(name) + "\"");
  }
};
// [/handler]

// [content]
// A file of squares, which is nowhere on a disk. Conditional and range requests work as for any other.
struct Squares : web::StaticFileHandler {
  Squares() : StaticFileHandler(nullptr) {}

  Task<std::optional<std::string>> validate_absolute_path(std::string, std::string path) override {
    if (path != "/squares.txt") throw HTTPError(404);
    co_return path;
  }
  std::uint64_t get_content_size() const override { return 5 * 1000; }
  std::int64_t get_modified_time() const override { return -1; }
  std::string get_content_type() const override { return "text/plain"; }
  std::string get_content_version(std::string_view) const override { return "1"; }

  AsyncGenerator<std::string> get_content(std::string, std::uint64_t start,
                                          std::uint64_t end) override {
    for (std::uint64_t at = start; at < end;) {
      std::string line = std::to_string((at / 5) * (at / 5) % 10'000);
      line = line.insert(0, 4 - line.size(), ' ') + '\n';
      line = line.substr(at % 5, end - at);
      at += line.size();
      co_yield std::move(line);
    }
  }
};
// [/content]

// [router]
web::Router reports() {
  web::Router router;
  router.get("/", [] { return "all reports\n"; });
  router.get("/{id:int}", [](int id) { return "report " + std::to_string(id) + "\n"; },
             {.name = "report"});
  return router;
}
// [/router]

}  // namespace

void add_static_files(web::Application& app, const std::string& folder) {
  // [files]
  app.static_files("/public/", folder, {.default_filename = "index.html"});
  // [/files]
  // [path]
  app.set_static_path(folder);
  // [/path]
  app.add<Home>("/home");
  // [use-handler]
  auto files = std::make_shared<web::StaticFiles>(folder);
  app.add<Download>("/downloads/{path:path}", files);
  // [/use-handler]
  app.add<Squares>("/made/{path:path}");
  // [serve]
  app.get("/examples/{name:slug}", [files](HTTPExchange& exchange, std::string name) {
    return files->serve(exchange, name + ".js");
  });
  // [/serve]
}

void add_routers(web::Application& app) {
  // [mount]
  app.mount("/reports", reports());
  app.mount("/{team}/reports", [] {
    web::Router router;
    router.get("/{id:int}", [](std::string team, int id) {
      return team + "'s report " + std::to_string(id) + "\n";
    });
    return router;
  }());
  // [/mount]
  // [hosts]
  web::Router admin;
  admin.get("/", [] { return "for administrators\n"; });
  app.add_handlers("admin.example.com", std::move(admin));
  // [/hosts]
  // [matchers]
  // The second version of an API, for clients that ask for it; the first for all others.
  const auto second = web::match_if([](const HTTPServerRequest& request) {
    return request.header("API-Version").value_or("1") == "2";
  });
  app.get("/version", [] { return "the second\n"; }, {.matchers = {second}});
  app.get("/version", [] { return "the first\n"; });
  // [/matchers]
  // [standard]
  app.add<web::RedirectHandler>("/old/{id:int}", "/reports/{id}");
  app.add<web::ErrorHandler>("/gone/{rest:path}", 410);
  // [/standard]
}

}  // namespace guide
