/// What the server's tests share: a service made of lambdas, three kinds of wire, a log that
/// listens.
#pragma once

#include <coronado/base/error.hpp>
#include <coronado/base/log.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/http/exchange.hpp>
#include <coronado/http/httpserver.hpp>
#include <coronado/testing/memory_transport.hpp>
#include <coronado/testing/raw_client.hpp>

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace coronado::http_test {

using namespace std::chrono_literals;

/// Keeps what is logged; nothing is printed.
class LogCatcher final : public LogSink {
 public:
  LogCatcher() : outer_(set_log_sink(this)) {}
  ~LogCatcher() override { set_log_sink(outer_); }
  void write(LogLevel level, std::string_view logger, std::string_view message) noexcept override {
    lines.push_back(std::string(to_string(level)) + " " + std::string(logger) + " " +
                    std::string(message));
  }
  /// How many lines have `text` in them.
  std::size_t count(std::string_view text) const {
    std::size_t found = 0;
    for (const std::string& line : lines) found += line.find(text) != std::string::npos ? 1 : 0;
    return found;
  }
  std::vector<std::string> lines;

 private:
  LogSink* outer_;
};

/// An endpoint that is a function.
class LambdaEndpoint final : public HTTPEndpoint {
 public:
  enum class Kind : unsigned char { kSuspends, kAnswersAtOnce, kStreams };
  using Handler = std::function<Task<>(HTTPExchange&)>;
  LambdaEndpoint(Handler handler, Kind kind) : handler_(std::move(handler)) {
    suspends_ = kind != Kind::kAnswersAtOnce;
    streams_body_ = kind == Kind::kStreams;
  }
  Task<> handle(HTTPExchange& exchange) override { return handler_(exchange); }

 private:
  Handler handler_;
};

/// Chooses by path; notes what was done and refused.
class LambdaService final : public HTTPService {
 public:
  using Kind = LambdaEndpoint::Kind;

  void on(const std::string& path, LambdaEndpoint::Handler handler, Kind kind = Kind::kSuspends) {
    endpoints_[path] = std::make_unique<LambdaEndpoint>(std::move(handler), kind);
  }
  HTTPEndpoint& route(HTTPExchange& exchange) override {
    const std::string path(exchange.request().path());
    if (path == "/route-throws") throw std::runtime_error("no route today");
    auto found = endpoints_.find(path);
    if (found == endpoints_.end()) found = endpoints_.find("");
    return *found->second;
  }
  void request_done(HTTPExchange& exchange) noexcept override {
    done.push_back(std::to_string(exchange.status()) + " " +
                   std::string(exchange.request().method()) + " " +
                   std::string(exchange.request().uri()));
  }
  void request_refused(const HTTPRefusal& refusal) noexcept override {
    refused.push_back(std::to_string(refusal.status) + " " + std::string(refusal.reason));
  }
  std::vector<std::string> done;
  std::vector<std::string> refused;

 private:
  std::map<std::string, std::unique_ptr<LambdaEndpoint>> endpoints_;
};

inline void respond_text(HTTPExchange& exchange, std::string_view body, int status = 200) {
  exchange.respond({.status = status, .fields = "Content-Type: text/plain\r\n"}, body);
}

/// How client and server are connected.
enum class Wire : unsigned char { kWhole, kBytes, kSockets };

inline std::string wire_name(const ::testing::TestParamInfo<Wire>& info) {
  return info.param == Wire::kWhole ? "Whole" : info.param == Wire::kBytes ? "Bytes" : "Sockets";
}

/// A server with a service on one loop.
struct ServerBench {
  /// Params  reactor  For sockets; none: the default.
  explicit ServerBench(Wire kind = Wire::kWhole, HTTPServerOptions wanted = {},
                       std::optional<ReactorKind> reactor = std::nullopt)
      : wire(kind),
        loop({.reactor = kind == Wire::kSockets ? reactor : std::optional(ReactorKind::kSim)}),
        server(std::in_place, loop, service, std::move(wanted)) {
    using Kind = LambdaService::Kind;
    service.on(
        "",
        [](HTTPExchange& exchange) -> Task<> {
          respond_text(exchange, std::string(exchange.request().method()) + " " +
                                     std::string(exchange.request().uri()));
          return {};
        },
        Kind::kAnswersAtOnce);
    service.on("/later", [](HTTPExchange& exchange) -> Task<> {
      co_await moment();
      co_await moment();
      respond_text(exchange, std::string(exchange.request().uri()));
    });
    service.on("/body", [](HTTPExchange& exchange) -> Task<> {
      co_await moment();
      respond_text(exchange, exchange.request().body());
    });
    service.on(
        "/body-now",
        [](HTTPExchange& exchange) -> Task<> {
          respond_text(exchange, exchange.request().body());
          return {};
        },
        Kind::kAnswersAtOnce);
    service.on(
        "/stream",
        [](HTTPExchange& exchange) -> Task<> {
          std::string all;
          for (std::string piece = co_await exchange.read_body(); !piece.empty();
               piece = co_await exchange.read_body()) {
            all += piece;
          }
          respond_text(exchange, all);
        },
        Kind::kStreams);
    if (wire == Wire::kSockets) server->listen(0, {.address = "127.0.0.1"});
  }
  ~ServerBench() {
    if (server) loop.run_sync(server->close());
  }

  /// A new connection.   Params  options  For channels in memory.
  std::unique_ptr<RawClient> connect(MemoryTransportOptions options = {}) {
    if (wire == Wire::kSockets) {
      return std::make_unique<RawClient>(connect_loopback(loop, server->port()));
    }
    if (wire == Wire::kBytes) options.piece = 1;
    auto [client, accepted] = make_memory_transports(loop, options);
    server_end = accepted.get();
    client_end = client.get();
    server->serve(std::move(accepted));
    return std::make_unique<RawClient>(std::move(client));
  }

  template <class T>
  T run(Task<T> task) {
    return loop.run_sync(std::move(task), wire == Wire::kSockets ? Duration(20s) : Duration(24h));
  }

  /// Sends `bytes` on a new connection and returns all that comes until it is closed.
  std::string exchange_to_end(std::string_view bytes) {
    auto client = connect();
    client->send(bytes);
    return run(client->read_to_end());
  }

  /// Runs the loop until nothing is left to do at this instant.
  void settle() {
    for (int i = 0; i < 1000; ++i) {
      run([]() -> Task<> { co_await moment(); }());
    }
  }

  Wire wire;
  LogCatcher log;
  IOLoop loop;
  LambdaService service;
  std::optional<HTTPServer> server;
  MemoryTransport* server_end = nullptr;  // of the newest connection
  MemoryTransport* client_end = nullptr;
};

/// Sends `bytes` and reads one response.
inline Task<RawResponse> ask(RawClient& client, std::string bytes,
                             RawRequestKind kind = RawRequestKind::kUsual) {
  client.send(bytes);
  co_return co_await client.read_response(kind);
}

inline std::string get(std::string_view path, std::string_view fields = "") {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n" + std::string(fields) + "\r\n";
}

}  // namespace coronado::http_test
