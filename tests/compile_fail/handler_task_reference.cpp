// expect: a handler that returns a Task takes its arguments by value
#include <coronado/web.hpp>

using coronado::Task;
namespace web = coronado::web;

void routes(web::Application& app) {
  app.get("/{name}", [](const std::string& name) -> Task<std::string> { co_return name; });
}
