// compiles
#include <coronado/web.hpp>

using coronado::Task;
namespace web = coronado::web;

struct Hello : web::RequestHandler {
  Task<> get() override {
    write("Hello");
    co_return;
  }
};

void routes(web::Application& app) {
  app.add<Hello>("/");
  app.get("/users/{id:int}", [](long id, const coronado::HTTPServerRequest&) -> Task<std::string> {
    co_return std::to_string(id);
  });
  app.get("/text/{name}", [](const std::string& name) { return name; });
}
