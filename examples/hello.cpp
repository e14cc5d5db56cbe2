// The smallest server: one route answered by a function, one by a coroutine.
// [hello]
#include <coronado/web.hpp>
namespace web = coronado::web;
using coronado::Task;
using namespace std::chrono_literals;

int main(int argc, char** argv) {
  return web::serve(argc, argv, [] {
    web::Application app;
    app.get("/", [] { return "Hello, world"; });
    app.get("/later", []() -> Task<std::string> {
      co_await coronado::sleep(1s);
      co_return "Hello, a second later";
    });
    return app;
  });
}
// [/hello]
