// expect: a handler's parameter is a path parameter
#include <coronado/web.hpp>

using coronado::Task;
namespace web = coronado::web;

struct Session {};

void routes(web::Application& app) {
  app.get("/", [](Session) { return "hello"; });
}
