/// What the tests of class handlers share: a handler that does what the test says.
#pragma once

#include <coronado/web/request_handler.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "tests/web/web_fixture.hpp"

namespace coronado::web_test {

/// A handler that does what the test says, and writes down what happens to it.
struct Script {
  std::function<Task<>(web::RequestHandler&)> run;
  std::function<Task<>(web::RequestHandler&)> before = [](web::RequestHandler&) -> Task<> {
    return {};
  };
  std::function<void(web::RequestHandler&)> defaults = [](web::RequestHandler&) {};
  std::function<void(web::RequestHandler&, int)> error_page;
  std::string events;
};

class Scripted : public web::RequestHandler {
 public:
  explicit Scripted(Script* script) : script_(*script) {}
  Task<> get() override { return script_.run(*this); }
  Task<> post() override { return script_.run(*this); }
  Task<> prepare() override { return script_.before(*this); }
  void set_default_headers() override { script_.defaults(*this); }
  void on_finish() override { script_.events += "finish"; }
  void on_connection_close() override { script_.events += "close "; }
  void write_error(int status, const std::exception_ptr& error) override {
    if (!script_.error_page) return RequestHandler::write_error(status, error);
    script_.error_page(*this, status);
  }

 private:
  Script& script_;
};

struct HandlerBench : WebBench {
  HandlerBench() { app.add<Scripted>("/h", &script); }

  /// What `run` is answered with.
  RawResponse serve(std::function<Task<>(web::RequestHandler&)> run, std::string_view target = "/h",
                    std::string_view fields = "") {
    script.run = std::move(run);
    return get(target, fields);
  }
  /// The same for what never waits.
  RawResponse now(std::function<void(web::RequestHandler&)> run, std::string_view target = "/h",
                  std::string_view fields = "") {
    return serve(
        [run = std::move(run)](web::RequestHandler& handler) -> Task<> {
          run(handler);
          return {};
        },
        target, fields);
  }

  Script script;
};

}  // namespace coronado::web_test
