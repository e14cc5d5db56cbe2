// The server that load tools drive: a few endpoints, each written as a user would write it.
//
//     bench_server [PORT] [--port=N] [--workers=N] [--reactor=epoll]
#include <coronado/web.hpp>

#include <string>

namespace web = coronado::web;
using coronado::Task;

namespace {

struct Hello : web::RequestHandler {
  Task<> get() override {
    set_header("Content-Type", "text/plain");
    write("Hello, World!");
    co_return;
  }
};

web::Application make_app() {
  web::Application app;
  app.get("/plaintext", [] { return "Hello, World!"; });
  app.add<Hello>("/handler");
  return app;
}

}  // namespace

int main(int argc, char** argv) {
  web::ServeOptions defaults;
  defaults.log_level = "warning";  // no line a request
  return web::serve(argc, argv, make_app, defaults);
}
