// expect: an argument is a bool, a number or a std::string
#include <coronado/web.hpp>

using coronado::Task;
namespace web = coronado::web;

void routes(web::Application& app) {
  app.get("/", [](web::Query<"page", char*>) { return "hello"; });
}
