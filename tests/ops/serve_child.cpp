// The server program that serve_test runs.
#include <coronado/ops/serve.hpp>

#include <atomic>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>

namespace web = coronado::web;
using coronado::HTTPExchange;
using coronado::Task;

namespace {

std::string thread_name() {
  return std::to_string(std::hash<std::thread::id>()(std::this_thread::get_id()));
}

web::Application make_application() {
  // FAIL_AT=2: the second call of the factory fails.
  static std::atomic<int> calls = 0;
  const char* fail_at = std::getenv("FAIL_AT");
  if (fail_at != nullptr && ++calls == std::atoi(fail_at)) {
    throw std::runtime_error("the factory has failed");
  }
  web::Application app;
  app.get("/", [] { return "home"; });
  app.get("/protocol",
          [](const coronado::HTTPServerRequest& request) { return request.protocol(); });
  app.get("/thread", [] { return thread_name(); });
  // Says that it has begun, then waits for the body.
  app.post("/upload",
           [](HTTPExchange& exchange) -> Task<> {
             exchange.start({}, std::nullopt, "begun ");
             std::string all;
             for (std::string piece = co_await exchange.read_body(); !piece.empty();
                  piece = co_await exchange.read_body()) {
               all += piece;
             }
             exchange.write(all);
             exchange.finish();
           },
           {.stream_body = true});
  return app;
}

}  // namespace

int main(int argc, char** argv) { return web::serve(argc, argv, make_application); }
