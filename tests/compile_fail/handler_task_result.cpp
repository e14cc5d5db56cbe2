// expect: a handler returns web::Response, text
#include <coronado/web.hpp>

using coronado::Task;
namespace web = coronado::web;

struct Order {};

void routes(web::Application& app) {
  app.get("/", []() -> Task<Order> { co_return Order{}; });
}
