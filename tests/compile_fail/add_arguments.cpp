// expect: add<H>: H is not constructible from the arguments given after the pattern
#include <coronado/web.hpp>

using coronado::Task;
namespace web = coronado::web;

struct Greeter : web::RequestHandler {
  explicit Greeter(std::string greeting) : greeting_(std::move(greeting)) {}
  Task<> get() override {
    write(greeting_);
    co_return;
  }
  std::string greeting_;
};

void routes(web::Application& app) { app.add<Greeter>("/", 42); }
