/// What the client's tests share: a server and scripted peers on a simulated network.
#pragma once

#include <coronado/coro/combine.hpp>
#include <coronado/http/httpclient.hpp>
#include <coronado/net/iostream.hpp>
#include <coronado/testing/async_test.hpp>
#include <coronado/testing/sim_network.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "tests/http/server_fixture.hpp"

namespace coronado::client_test {

using namespace std::chrono_literals;
using http_test::LambdaService;
using http_test::respond_text;
using ::testing::HasSubstr;
using ::testing::Not;

/// Accepts for an HTTP server.
class Door final : public AcceptHandler {
 public:
  Door(HTTPServer& server, const SocketAddress& address)
      : server_(server), acceptor_(IOLoop::current()->reactor().listen(address, {}, *this)) {}
  void on_accept(std::unique_ptr<Transport> transport) noexcept override {
    ++accepted;
    server_.serve(std::move(transport));
  }
  void on_accept_error(std::error_code) noexcept override {}
  int accepted = 0;

 private:
  HTTPServer& server_;
  std::unique_ptr<Acceptor> acceptor_;
};

/// A peer that does what a test tells it, on each connection.
class Peer final : public AcceptHandler {
 public:
  using Script = std::function<Task<>(IOStream&)>;
  Peer(const SocketAddress& address, Script script)
      : script_(std::move(script)),
        group_("peer", TaskGroup::OnFailure::kHandle),
        acceptor_(IOLoop::current()->reactor().listen(address, {}, *this)) {}
  void on_accept(std::unique_ptr<Transport> transport) noexcept override {
    ++accepted;
    group_.spawn(serve(std::move(transport)));
  }
  void on_accept_error(std::error_code) noexcept override {}
  SocketAddress address() const { return acceptor_->local(); }
  Task<> close() {
    acceptor_.reset();
    group_.cancel();
    co_await group_.join();
  }
  int accepted = 0;

 private:
  Task<> serve(std::unique_ptr<Transport> transport) {
    IOStream stream(*IOLoop::current(), std::move(transport));
    co_await script_(stream);
  }
  Script script_;
  TaskGroup group_;
  std::unique_ptr<Acceptor> acceptor_;
};

/// Reads a request head, answers with `text`, and closes.
inline Peer::Script answers(std::string text) {
  return [text](IOStream& stream) -> Task<> {
    co_await stream.read_until("\r\n\r\n");
    co_await stream.write(text);
    co_await stream.shutdown();
  };
}

/// Endpoints of a server that tests fetch from.
inline void add_usual_endpoints(LambdaService& service) {
  service.on("", [](HTTPExchange& exchange) -> Task<> {
    respond_text(exchange, std::string(exchange.request().method()) + " " +
                               std::string(exchange.request().uri()));
    co_return;
  });
  // Says what came: method, fields as they came, body.
  service.on("/echo", [](HTTPExchange& exchange) -> Task<> {
    std::string text = std::string(exchange.request().method()) + "\n";
    for (const auto& field : exchange.request().headers()) {
      text += std::string(field.name) + ": " + std::string(field.value) + "\n";
    }
    respond_text(exchange, text + "\n" + std::string(exchange.request().body()));
    co_return;
  });
  service.on("/status", [](HTTPExchange& exchange) -> Task<> {
    respond_text(exchange, "sorry", std::stoi(std::string(exchange.request().query())));
    co_return;
  });
  service.on("/slow", [](HTTPExchange& exchange) -> Task<> {
    co_await sleep(std::chrono::seconds(std::stoi(std::string(exchange.request().query()))));
    respond_text(exchange, "slow");
  });
  // "/redirect?302 http://..."; '+' for the space.
  service.on("/redirect", [](HTTPExchange& exchange) -> Task<> {
    const std::string query(exchange.request().query());
    const std::string fields = "Location: " + query.substr(4) + "\r\n";
    exchange.respond({.status = std::stoi(query.substr(0, 3)), .fields = fields}, "moved");
    co_return;
  });
  service.on("/big", [](HTTPExchange& exchange) -> Task<> {
    const std::size_t size = std::stoul(std::string(exchange.request().query()));
    exchange.start({}, std::nullopt);
    for (std::size_t sent = 0; sent < size; sent += 10'000) {
      exchange.write(std::string(std::min<std::size_t>(10'000, size - sent), 'b'));
      co_await exchange.drain();
    }
    exchange.finish();
  });
}

/// The host "server" with an HTTP server at port 80 that has some usual endpoints.
struct Fixture {
  explicit Fixture(HTTPClientOptions options = {}, HTTPServerOptions server_options = {})
      : network(*IOLoop::current()),
        host(network.add_host("server", {"10.0.0.80"})),
        server(*IOLoop::current(), service, std::move(server_options)),
        client(with_names(std::move(options))) {
    add_usual_endpoints(service);
    door = std::make_unique<Door>(server, host.address(80));
  }

  HTTPClientOptions with_names(HTTPClientOptions options) {
    options.resolver = network.names();
    return options;
  }

  Task<std::string> body_of(HTTPRequest request) {
    HTTPClientResponse response = co_await client.fetch(std::move(request));
    co_return response.body;
  }

  Task<> close() {
    client.close();
    door.reset();
    co_await server.close();
  }

  SimNetwork network;
  SimHost& host;
  LambdaService service;
  HTTPServer server;
  HTTPClient client;
  std::unique_ptr<Door> door;
};

/// Runs `body` with a fixture, which is closed at its end.
inline void with_fixture(std::function<Task<>(Fixture&)> body, HTTPClientOptions options = {},
                         HTTPServerOptions server_options = {}) {
  run_async([&]() -> Task<> {
    Fixture fix(std::move(options), std::move(server_options));
    co_await body(fix);
    co_await fix.close();
  });
}

/// What a fetch throws; the test ends when it throws nothing, or something else.
template <class Error>
Task<Error> failure_of(Task<HTTPClientResponse> fetch) {
  std::optional<Error> caught;
  try {
    co_await std::move(fetch);
  } catch (const Error& error) {
    caught = error;
  }
  if (!caught) {
    ADD_FAILURE() << "the fetch succeeded";
    throw std::logic_error("the fetch succeeded");
  }
  co_return std::move(*caught);
}

}  // namespace coronado::client_test
