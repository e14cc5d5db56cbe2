// The server program that serve_test runs.
#include <coronado/net/tls.hpp>
#include <coronado/ops/process.hpp>
#include <coronado/ops/serve.hpp>
#include <coronado/websocket.hpp>

#include <atomic>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>

namespace web = coronado::web;
using coronado::HTTPExchange;
using coronado::Task;
using coronado::WorkerGroup;

namespace {

std::string thread_name() {
  return std::to_string(std::hash<std::thread::id>()(std::this_thread::get_id()));
}

Task<std::string> thread_over_there() { co_return thread_name(); }

/// What was broadcast to this worker.
thread_local std::string heard;  // NOLINT(cert-err58-cpp)

/// Of all workers of all processes.
coronado::WebSocketTopic room;  // NOLINT(cert-err58-cpp)

/// Says which process it is; what comes is for all.
Task<> talk(coronado::WebSocket& socket) {
  const auto subscription = socket.subscribe(room);
  co_await socket.send(std::to_string(coronado::task_id().value_or(-1)));
  while (const auto message = co_await socket.read()) {
    room.publish(coronado::PreparedMessage(*message));
  }
}

web::Application make_application(WorkerGroup& workers) {
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
  app.get("/encrypts", [](const coronado::HTTPServerRequest& request) {
    return request.tls()->kernel_tls() ? "the kernel" : "OpenSSL";
  });
  app.get("/peer", [](const coronado::HTTPServerRequest& request) { return request.remote_ip(); });
  app.get("/thread", [] { return thread_name(); });
  app.get("/process", [] { return std::to_string(coronado::task_id().value_or(-1)); });
  app.get("/room", web::websocket(talk));
  app.get("/crash", []() -> std::string { std::_Exit(1); });
  // The threads of all workers, asked one by one.
  app.get("/threads", [&workers]() -> Task<std::string> {
    std::string names;
    for (std::size_t i = 0; i < workers.size(); ++i) {
      const std::string name = co_await workers.loop(i).run(thread_over_there());
      names += name + ' ';
    }
    co_return names;
  });
  app.get("/broadcast", [&workers] {
    workers.broadcast([] { heard += "called"; });
    return "broadcast";
  });
  app.get("/heard", [] { return thread_name() + ' ' + heard; });
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

int main(int argc, char** argv) {
  web::ServeOptions options;
  options.topics = {&room};
  return web::serve(argc, argv, make_application, options);
}
