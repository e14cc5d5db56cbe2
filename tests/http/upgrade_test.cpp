#include <coronado/http/upgrade.hpp>

#include <coronado/coro/registry.hpp>

#include "tests/http/server_fixture.hpp"

namespace coronado {
namespace {

using namespace std::chrono_literals;
using http_test::get;
using http_test::ServerBench;
using http_test::Wire;
using http_test::wire_name;

/// Sends back what comes, until the client ends; says so when the server drains.
class EchoConnection final : public UpgradedConnection, private TransportHandler {
 public:
  explicit EchoConnection(std::vector<std::string>& log) : log_(log) {}
  ~EchoConnection() override { log_.push_back("gone"); }

  void take_over(std::unique_ptr<Transport> transport, std::span<char> first,
                 std::unique_ptr<HTTPExchange> exchange) noexcept override {
    log_.push_back("speaks " + std::string(exchange->request().uri()));
    transport_ = std::move(transport);
    transport_->start(*this);
    on_receive(first);
    transport_->resume_receive();
  }
  void drain() noexcept override {
    log_.push_back("drained");
    transport_->write("bye");
    delete this;
  }
  void cut() noexcept override {
    log_.push_back("cut");
    delete this;
  }

 private:
  void on_receive(std::span<char> bytes) noexcept override {
    transport_->write({bytes.data(), bytes.size()});
  }
  void on_receive_end(std::error_code) noexcept override { delete this; }
  void on_drained() noexcept override {}

  std::vector<std::string>& log_;
  std::unique_ptr<Transport> transport_;
};

constexpr ResponseHead kHead{.status = 101, .fields = "Upgrade: echo\r\n"};

class Upgrade : public testing::TestWithParam<Wire> {
 protected:
  Upgrade() : bench(GetParam()) {
    bench.service.on("/echo", [this](HTTPExchange& exchange) -> Task<> {
      co_await moment();
      exchange.upgrade(kHead, std::make_unique<EchoConnection>(log));
    });
    bench.service.on("/twice", [this](HTTPExchange& exchange) -> Task<> {
      http_test::respond_text(exchange, "first");
      EXPECT_THROW(exchange.upgrade(kHead, std::make_unique<EchoConnection>(log)),
                   std::logic_error);
      co_return;
    });
  }

  std::unique_ptr<RawClient> upgrade(std::string_view behind = "") {
    auto client = bench.connect();
    const RawResponse response = bench.run(http_test::ask(
        *client, get("/echo", "Connection: Upgrade\r\nUpgrade: echo\r\n") + std::string(behind)));
    EXPECT_EQ(response.status, 101);
    EXPECT_EQ(response.field("Connection"), "Upgrade");
    EXPECT_EQ(response.field("Upgrade"), "echo");
    EXPECT_FALSE(response.has_field("Content-Length"));
    return client;
  }

  std::vector<std::string> log;
  ServerBench bench;
};

INSTANTIATE_TEST_SUITE_P(HTTPServer, Upgrade,
                         testing::Values(Wire::kWhole, Wire::kBytes, Wire::kSockets), wire_name);

TEST_P(Upgrade, HandsTheConnectionOverWithWhatCameBehindTheRequest) {
  auto client = upgrade("hello");
  EXPECT_EQ(bench.run(client->peek(5)), "hello");
  client->send(", world");
  EXPECT_EQ(bench.run(client->peek(12)), "hello, world");
  EXPECT_EQ(bench.server->connection_count(), 1U);
  EXPECT_EQ(bench.service.done, std::vector<std::string>{"101 GET /echo"});
  client->close();
  EXPECT_TRUE(bench.run(bench.server->drain(TimePoint::max())));
  EXPECT_EQ(bench.server->connection_count(), 0U);
}

TEST_P(Upgrade, IsShownAsAStream) {
  auto client = upgrade();
  const TaskSnapshot snapshot = snapshot_tasks(bench.loop);
  ASSERT_EQ(snapshot.streams.size(), 1U);
  EXPECT_EQ(snapshot.streams.at(0).peer, "a stream");  // it says no more
  EXPECT_EQ(snapshot.streams.at(0).protocol, "");
  bench.run(bench.server->close());
  EXPECT_EQ(snapshot_tasks(bench.loop).streams.size(), 0U);
}

TEST_P(Upgrade, DrainingAsksItToEnd) {
  auto client = upgrade();
  EXPECT_TRUE(bench.run(bench.server->drain(TimePoint::max())));
  EXPECT_EQ(bench.run(client->read_to_end()), "bye");
  EXPECT_EQ(log, (std::vector<std::string>{"speaks /echo", "drained", "gone"}));
}

TEST_P(Upgrade, ClosingCutsIt) {
  auto client = upgrade();
  bench.run(bench.server->close());
  EXPECT_EQ(bench.run(client->read_to_end()), "");
  EXPECT_EQ(log, (std::vector<std::string>{"speaks /echo", "cut", "gone"}));
}

TEST_P(Upgrade, ARequestThatCannotBeUpgradedIsAnError) {
  for (const std::string& request :
       {std::string("GET /echo HTTP/1.0\r\n\r\n"), get("/echo", "Content-Length: 1\r\n") + "x"}) {
    auto client = bench.connect();
    EXPECT_EQ(bench.run(http_test::ask(*client, request)).status, 500);
  }
  EXPECT_EQ(bench.log.count("cannot be upgraded"), 2U);
  auto client = bench.connect();
  EXPECT_EQ(bench.run(http_test::ask(*client, get("/twice"))).body, "first");
}

TEST_P(Upgrade, AClientThatGoesBeforeLeavesNothingBehind) {
  auto client = bench.connect();
  client->send(get("/echo"));
  client->close();
  EXPECT_TRUE(bench.run(bench.server->drain(bench.loop.now() + 10s)));
  EXPECT_EQ(bench.server->connection_count(), 0U);
  EXPECT_EQ(bench.log.count("error"), 0U);
}

}  // namespace
}  // namespace coronado
