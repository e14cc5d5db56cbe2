// The server that load tools drive: a few endpoints, each written as a user would write it.
//
//     bench_server [PORT] [--port=N] [--workers=N] [--reactor=epoll|uring]
#include <coronado/base/describe.hpp>
#include <coronado/web.hpp>

#include <string>
#include <string_view>

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

web::Application make_app() {
  web::Application app;
  app.get("/plaintext", [] { return "Hello, World!"; });
  app.add<PlainText>("/handler");
  app.get("/json", [] { return Message{"Hello, World!"}; });
  app.post("/echo", [](const coronado::HTTPServerRequest& request) { return request.body(); });
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
