// expect: a handler is a function or a lambda with one, non-template call operator
#include <coronado/web.hpp>

using coronado::Task;
namespace web = coronado::web;

void routes(web::Application& app) {
  app.get("/{id}", [](auto id) { return id; });
}
