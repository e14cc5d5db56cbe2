// Routes, and what a function may take and return.
#include <pages/hello.html.hpp>

#include "stops.hpp"

namespace tour {

using coronado::Task;
using namespace std::chrono_literals;

void add_hello(web::Application& app, const SharedSite& site) {
  app.add<SimplePage<pages::hello_html>>("/hello", site);
  // [routes]
  app.get("/try/hello", [] { return "Hello, world"; });

  app.get("/try/square/{n:int}", [](long n) { return std::to_string(n * n); });

  app.get("/try/greet", [](web::Query<"name"> name) { return "Hello, " + *name; });

  app.get("/try/later", []() -> Task<std::string> {
    co_await coronado::sleep(1s);
    co_return "Hello, a second later";
  });
  // [/routes]
}

}  // namespace tour
