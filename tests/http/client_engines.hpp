/// What the tests share that run on both engines of HTTPClient, over the system's sockets. What only
/// ours has, and each detail of it, is in the other tests of the client.
#pragma once

#include <coronado/net/resolver.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "tests/http/client_fixture.hpp"

namespace coronado::client_test {

/// Every name but "nowhere" is this machine.
class Names final : public Resolver {
 public:
  Task<Resolution> resolve(ResolveRequest request) override {
    ++asked;
    if (request.host == "nowhere") {
      throw ResolveError("nowhere", ResolveError::Reason::kNoSuchName);
    }
    co_return Resolution{{*SocketAddress::from_ip("127.0.0.1", request.port)}, std::nullopt};
  }
  int asked = 0;
};

inline SocketAddress any_port() { return *SocketAddress::from_ip("127.0.0.1", 0); }

/// A server with the usual endpoints, and a client with the engine of the test.
struct Bench {
  Bench(HTTPClientEngine engine, HTTPClientOptions options, HTTPServerOptions server_options)
      : server(*IOLoop::current(), service, std::move(server_options)),
        client(prepared(engine, std::move(options))) {
    add_usual_endpoints(service);
    server.listen(0, {.address = "127.0.0.1"});
  }
  HTTPClientOptions prepared(HTTPClientEngine engine, HTTPClientOptions options) {
    options.engine = engine;
    options.resolver = names;
    return options;
  }
  std::string at(std::string_view path, const char* scheme = "http") const {
    return std::string(scheme) + "://server:" + std::to_string(server.port()) + std::string(path);
  }
  Task<std::string> body_of(HTTPRequest request) {
    HTTPClientResponse response = co_await client.fetch(std::move(request));
    co_return response.body;
  }

  std::shared_ptr<Names> names = std::make_shared<Names>();
  LambdaService service;
  HTTPServer server;
  HTTPClient client;
};

inline std::string url_of(const Peer& peer, std::string_view path = "/") {
  return "http://peer:" + std::to_string(peer.address().port) + std::string(path);
}

class HTTPClientEngines : public testing::TestWithParam<HTTPClientEngine> {
 protected:
  void SetUp() override {
    if (!HTTPClient::has_engine(GetParam())) GTEST_SKIP() << "this build has no libcurl";
  }
  void with_bench(std::function<Task<>(Bench&)> body, HTTPClientOptions options = {},
                  HTTPServerOptions server_options = {}) {
    run_async(
        [&]() -> Task<> {
          Bench bench(GetParam(), std::move(options), std::move(server_options));
          co_await body(bench);
          bench.client.close();
          co_await bench.server.close();
        },
        {.reactor = ReactorKind::kEpoll, .time_limit = 60s});
  }
};

}  // namespace coronado::client_test
