// expect: a handler takes its arguments by value or const reference
#include <coronado/web.hpp>

using coronado::Task;
namespace web = coronado::web;

void routes(web::Application& app) {
  app.get("/{name}", [](std::string& name) { return name; });
}
