#include <coronado/testing/http_test.hpp>

#include <coronado/coro/registry.hpp>
#include <coronado/net/tls.hpp>
#include <coronado/testing/sim_network.hpp>
#include <coronado/testing/test_certificates.hpp>

#include <gtest/gtest.h>

namespace coronado {
namespace {

constexpr const char* kSimulatedHost = "server";

/// Hands what it accepts to a server.
class Door final : public AcceptHandler {
 public:
  Door(IOLoop& loop, HTTPServer& server, const SocketAddress& address)
      : server_(server), acceptor_(loop.reactor().listen(address, {}, *this)) {}
  void on_accept(std::unique_ptr<Transport> transport) noexcept override {
    server_.serve(std::move(transport));
  }
  void on_accept_error(std::error_code) noexcept override {}

 private:
  HTTPServer& server_;
  std::unique_ptr<Acceptor> acceptor_;
};

Task<HTTPClientResponse> fetch_any(HTTPClient& client, HTTPRequest request) {
  request.raise_error = false;
  return client.fetch(std::move(request));
}

}  // namespace

struct HTTPTest::State {
  State(web::Application application, HTTPTestOptions chosen)
      : options(std::move(chosen)),
        loop({.reactor = options.reactor, .slow_step_threshold = Duration::zero()}),
        app(std::move(application)) {
    if (options.reactor == ReactorKind::kSim) network = std::make_unique<SimNetwork>(loop);
    if (options.tls) trust_each_other();
    if (network) options.client.resolver = network->names();
    loop.run_sync(open());
  }

  ~State() { loop.run_sync(close()); }

  /// A certificate for the server, and an authority that the client trusts.
  void trust_each_other() {
    const TestAuthority authority("Test CA");
    const TestCertificate made =
        authority.issue({.dns_names = {kSimulatedHost}, .ip_addresses = {"127.0.0.1"}});
    options.server.tls = TLSContext::server(
        {.identities = {{.certificate_pem = made.certificate_pem, .key_pem = made.key_pem}}});
    trusted = TLSContext::client({.trust = {.ca_pem = authority.certificate_pem()}});
  }

  Task<> open() {
    server = std::make_unique<HTTPServer>(loop, app, options.server);
    if (network) {
      const SocketAddress address = network->add_host(kSimulatedHost).address(kSimulatedPort);
      door = std::make_unique<Door>(loop, *server, address);
    } else {
      server->listen(0, {.address = "127.0.0.1"});
    }
    client = std::make_unique<HTTPClient>(options.client);
    co_return;
  }

  Task<> close() {
    client->close();
    door.reset();
    co_await server->close();
  }

  static constexpr std::uint16_t kSimulatedPort = 8080;

  ExpectLog unexpected;  // outlives the loop, whose end may log
  HTTPTestOptions options;
  IOLoop loop;
  web::Application app;
  std::unique_ptr<SimNetwork> network;
  std::shared_ptr<const TLSContext> trusted;  // null: without TLS
  std::unique_ptr<HTTPServer> server;
  std::unique_ptr<Door> door;
  std::unique_ptr<HTTPClient> client;
};

HTTPTest::HTTPTest(web::Application app, HTTPTestOptions options)
    : state_(std::make_unique<State>(std::move(app), std::move(options))) {}

HTTPTest::~HTTPTest() = default;

HTTPClientResponse HTTPTest::fetch(const std::string& path, HTTPRequest request) {
  request.url = url(path);
  if (state_->trusted) request.tls = state_->trusted;
  return run([&] { return fetch_any(client(), std::move(request)); });
}

WebSocket HTTPTest::websocket(const std::string& path, WebSocketConnectOptions options) {
  HTTPRequest request{.url = url(path)};
  if (state_->trusted) request.tls = state_->trusted;
  if (state_->network) options.client.resolver = state_->network->names();
  return run([&] { return websocket_connect(std::move(request), std::move(options)); });
}

std::string HTTPTest::url(const std::string& path) const {
  const std::string host = state_->network ? kSimulatedHost : "127.0.0.1";
  return (state_->trusted ? "https://" : "http://") + host + ':' + std::to_string(port()) + path;
}

std::uint16_t HTTPTest::port() const {
  return state_->network ? State::kSimulatedPort : state_->server->port();
}

IOLoop& HTTPTest::loop() noexcept { return state_->loop; }
web::Application& HTTPTest::app() noexcept { return state_->app; }
HTTPServer& HTTPTest::server() noexcept { return *state_->server; }
HTTPClient& HTTPTest::client() noexcept { return *state_->client; }

HTTPTest::Limit::Limit(HTTPTest& test) : test_(test) {
  Duration limit = test.state_->options.time_limit;
  if (limit == Duration::zero()) {
    limit = test.state_->network ? Duration(std::chrono::hours(1)) : std::chrono::seconds(10);
  }
  timer_ = test.loop().call_later(limit, [&loop = test.loop()] {
    ADD_FAILURE() << "the test did not end within its time limit; its tasks:\n" << dump_tasks(loop);
    loop.stop();
  });
}

HTTPTest::Limit::~Limit() { test_.loop().remove_timeout(timer_); }

std::pair<Socket, std::uint16_t> bind_unused_port(const std::string& address) {
  std::vector<Socket> sockets = bind_sockets(0, {.address = address});
  const std::uint16_t port = local_port(sockets.front());
  return {std::move(sockets.front()), port};
}

}  // namespace coronado
