#include <coronado/http/output_transform.hpp>

#include <coronado/http/upgrade.hpp>

#include "tests/http/server_fixture.hpp"

namespace coronado::http_test {
namespace {

/// Puts brackets around each piece; keeps count of those that live.
class Brackets final : public OutputTransform {
 public:
  Brackets() { ++alive; }
  ~Brackets() override { --alive; }
  void transform_chunk(std::string& chunk, bool finishing) override {
    chunk = "[" + chunk + (finishing ? "].\n" : "]");
  }
  static inline int alive = 0;
};

/// Answers behind brackets, and then `then`.
struct Bench : ServerBench {
  void add(std::string path, std::function<void(HTTPExchange&)> answer) {
    service.on(path, [answer](HTTPExchange& exchange) -> Task<> {
      exchange.transform_output(std::make_unique<Brackets>());
      co_await moment();
      answer(exchange);
    });
  }
};

TEST(OutputTransform, ChangesWholeResponsesAndThoseInPieces) {
  Bench bench;
  bench.add("/whole", [](HTTPExchange& exchange) {
    EXPECT_TRUE(exchange.transforms_output());
    respond_text(exchange, "whole");
  });
  bench.add("/pieces", [](HTTPExchange& exchange) {
    exchange.start({}, std::nullopt);
    exchange.write("a");
    exchange.write("");
    exchange.write("b");
    exchange.finish();
    EXPECT_EQ(exchange.bytes_sent(), 12U);
  });
  auto client = bench.connect();
  EXPECT_EQ(bench.run(ask(*client, get("/whole"))).body, "[whole].\n");
  EXPECT_EQ(bench.run(ask(*client, get("/pieces"))).body, "[][a][b][].\n");
  EXPECT_EQ(bench.run(ask(*client, get("/other"))).body, "GET /other");
  EXPECT_EQ(Brackets::alive, 0);
}

TEST(OutputTransform, AnOldClientGetsItUpToTheEndOfTheConnection) {
  Bench bench;
  bench.add("/", [](HTTPExchange& exchange) {
    exchange.start({}, 2, "a");
    exchange.write("b");
    exchange.finish();
  });
  const std::string all = bench.exchange_to_end("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_TRUE(all.ends_with("Connection: close\r\n\r\n[a][b][].\n")) << all;
}

TEST(OutputTransform, AHeldResponseIsTransformedBeforeItIsKept) {
  Bench bench;
  bench.service.on("/", [](HTTPExchange& exchange) -> Task<> {
    exchange.hold_response();
    exchange.transform_output(std::make_unique<Brackets>());
    respond_text(exchange, "held");
    EXPECT_EQ(Brackets::alive, 0);
    co_await sleep(1ms);
    if (exchange.request().query() == "drop") {
      exchange.drop_response();
      respond_text(exchange, "dropped", 500);
    }
    exchange.release_response();
  });
  auto client = bench.connect();
  EXPECT_EQ(bench.run(ask(*client, get("/"))).body, "[held].\n");
  EXPECT_EQ(bench.run(ask(*client, get("/?drop"))).body, "dropped");
}

TEST(OutputTransform, ComesBeforeTheResponseBegins) {
  Bench bench;
  bench.add("/", [](HTTPExchange& exchange) {
    exchange.start({}, std::nullopt, "a");
    EXPECT_THROW(exchange.transform_output(std::make_unique<Brackets>()), std::logic_error);
    exchange.finish();
  });
  auto client = bench.connect();
  EXPECT_EQ(bench.run(ask(*client, get("/"))).body, "[a][].\n");
}

TEST(OutputTransform, MoreThanThePromisedLengthCutsTheConnection) {
  Bench bench;
  bench.add("/first", [](HTTPExchange& exchange) {
    EXPECT_THROW(exchange.start({}, 3, "more"), std::logic_error);
  });
  bench.add("/later", [](HTTPExchange& exchange) {
    exchange.start({}, 3, "ab");
    EXPECT_THROW(exchange.write("cd"), std::logic_error);
  });
  EXPECT_EQ(bench.exchange_to_end(get("/first")), "");
  EXPECT_FALSE(bench.exchange_to_end(get("/later")).ends_with(".\n"));
  EXPECT_EQ(Brackets::alive, 0);
}

TEST(OutputTransform, AClientThatGoesAwayLeavesNoneBehind) {
  Bench bench;
  bench.service.on("/", [](HTTPExchange& exchange) -> Task<> {
    exchange.transform_output(std::make_unique<Brackets>());
    if (exchange.request().query() == "begun") exchange.start({}, std::nullopt, "a");
    co_await sleep(1h);
  });
  for (const char* path : {"/", "/?begun"}) {
    auto client = bench.connect();
    client->send(get(path));
    bench.settle();
    EXPECT_EQ(Brackets::alive, 1);
    client->close();
    bench.settle();
  }
  bench.run(bench.server->close());
  bench.server.reset();
  EXPECT_EQ(Brackets::alive, 0);
}

/// Says goodbye and goes.
class Goodbye final : public UpgradedConnection {
 public:
  void take_over(std::unique_ptr<Transport> transport, std::span<char>,
                 std::unique_ptr<HTTPExchange>) noexcept override {
    transport->write("bye");
    transport->shutdown_write();
    transport_ = std::move(transport);
  }
  void drain() noexcept override { delete this; }
  void cut() noexcept override { delete this; }

 private:
  std::unique_ptr<Transport> transport_;
};

TEST(OutputTransform, AConnectionThatLeavesHTTPPassesItBy) {
  Bench bench;
  bench.add("/", [](HTTPExchange& exchange) {
    exchange.upgrade({.status = 101, .fields = "Upgrade: bye\r\n"}, std::make_unique<Goodbye>());
  });
  const std::string all = bench.exchange_to_end(get("/"));
  EXPECT_TRUE(all.starts_with("HTTP/1.1 101 ")) << all;
  EXPECT_TRUE(all.ends_with("\r\n\r\nbye")) << all;
}

}  // namespace
}  // namespace coronado::http_test
