// The server's own life: listening, draining, closing.
#include <coronado/http/httpserver.hpp>

#include "tests/http/server_fixture.hpp"

namespace coronado::http_test {
namespace {

void add_slow(ServerBench& bench, Duration duration, std::string& events) {
  bench.service.on("/slow", [&events, duration](HTTPExchange& exchange) -> Task<> {
    try {
      co_await sleep(duration);
    } catch (const Cancelled&) {
      events += "cancelled";
      throw;
    }
    respond_text(exchange, "slow");
  });
}

TEST(HTTPServer, PortOfAServerThatDoesNotListenIsAnError) {
  ServerBench bench;
  EXPECT_THROW(bench.server->port(), std::logic_error);
}

TEST(HTTPServer, OccupiedPortIsNamed) {
  ServerBench bench(Wire::kSockets);
  try {
    bench.server->listen(bench.server->port(), {.address = "127.0.0.1"});
    FAIL() << "listening twice";
  } catch (const std::system_error& error) {
    EXPECT_NE(std::string(error.what()).find(std::to_string(bench.server->port())),
              std::string::npos);
  }
}

TEST(HTTPServer, StopRefusesNewConnectionsOnly) {
  ServerBench bench(Wire::kSockets);
  auto client = bench.connect();
  EXPECT_EQ(bench.run(ask(*client, get("/1"))).status, 200);
  bench.server->stop();
  EXPECT_THROW(bench.connect(), std::system_error);
  EXPECT_EQ(bench.run(ask(*client, get("/2"))).status, 200);
}

TEST(HTTPServer, DrainClosesIdleAndFinishesTheRest) {
  ServerBench bench;
  std::string events;
  add_slow(bench, 5s, events);
  auto idle = bench.connect();
  EXPECT_EQ(bench.run(ask(*idle, get("/"))).status, 200);
  auto busy = bench.connect();
  busy->send(get("/slow"));
  auto partial = bench.connect();
  partial->send("GET /partial HTTP/1.1\r\n");
  bench.settle();
  const TimePoint begin = bench.loop.now();
  bench.run([&]() -> Task<> {
    auto draining = bench.loop.spawn(bench.server->drain(begin + 30s));
    EXPECT_EQ(co_await idle->read_to_end(), "");
    EXPECT_EQ(bench.loop.now(), begin);
    partial->send("Host: x\r\n\r\n");
    const RawResponse last = co_await partial->read_response();
    EXPECT_EQ(last.body, "GET /partial");
    EXPECT_EQ(last.field("Connection"), "close");
    const RawResponse slow = co_await busy->read_response();
    EXPECT_EQ(slow.body, "slow");
    EXPECT_EQ(slow.field("Connection"), "close");
    EXPECT_EQ(co_await busy->read_to_end(), "");
    busy->close();
    partial->close();
    EXPECT_TRUE(co_await draining.join());
  }());
  EXPECT_LT(bench.loop.now() - begin, 6s);
  EXPECT_EQ(events, "");
  auto late = bench.connect();
  EXPECT_EQ(bench.run(late->read_to_end()), "");
}

TEST(HTTPServer, DrainLetsTheLastResponseLeave) {
  ServerBench bench;
  bench.service.on(
      "/big",
      [&](HTTPExchange& exchange) -> Task<> {
        respond_text(exchange, std::string(500'000, 'x'));
        return {};
      },
      LambdaService::Kind::kAnswersAtOnce);
  auto client = bench.connect({.capacity = 10'000});
  client->transport().pause_receive();
  client->send(get("/big"));
  bench.settle();
  bench.run([&]() -> Task<> {
    auto draining = bench.loop.spawn(bench.server->drain(bench.loop.now() + 30s));
    co_await moment();
    client->transport().resume_receive();
    const RawResponse response = co_await client->read_response();
    EXPECT_EQ(response.body.size(), 500'000U);
    client->close();
    EXPECT_TRUE(co_await draining.join());
  }());
}

TEST(HTTPServer, DrainCutsAtTheDeadline) {
  ServerBench bench;
  std::string events;
  add_slow(bench, 1h, events);
  auto client = bench.connect();
  client->send(get("/slow"));
  bench.settle();
  const TimePoint begin = bench.loop.now();
  EXPECT_FALSE(bench.run(bench.server->drain(begin + 3s)));
  EXPECT_GE(bench.loop.now() - begin, 3s);
  EXPECT_LT(bench.loop.now() - begin, 4s);
  EXPECT_EQ(events, "cancelled");
  EXPECT_EQ(bench.run(client->read_to_end()), "");
  EXPECT_EQ(bench.server->connection_count(), 0U);
}

TEST(HTTPServer, CancelledDrainCutsAtOnce) {
  ServerBench bench;
  std::string events;
  add_slow(bench, 1h, events);
  auto client = bench.connect();
  client->send(get("/slow"));
  bench.settle();
  bench.run([&]() -> Task<> {
    auto draining = bench.loop.spawn(bench.server->drain(bench.loop.now() + 1h));
    co_await sleep(1s);
    draining.cancel();
    EXPECT_THROW(co_await draining.join(), Cancelled);
    EXPECT_EQ(bench.server->connection_count(), 0U);
  }());
  EXPECT_EQ(events, "cancelled");
}

TEST(HTTPServer, CloseWhileDrainingEndsBoth) {
  ServerBench bench;
  std::string events;
  add_slow(bench, 1h, events);
  auto client = bench.connect();
  client->send(get("/slow"));
  bench.settle();
  bench.run([&]() -> Task<> {
    auto draining = bench.loop.spawn(bench.server->drain(bench.loop.now() + 1h));
    co_await sleep(1s);
    co_await bench.server->close();
    co_await draining.join();
  }());
  EXPECT_EQ(events, "cancelled");
}

TEST(HTTPServer, CloseWaitsForTheHandlersCleaningUp) {
  ServerBench bench;
  bool cleaned = false;
  bench.service.on("/shielded", [&](HTTPExchange& exchange) -> Task<> {
    co_await shield(as_task(sleep(5s)));
    cleaned = true;
    respond_text(exchange, "nobody listens");
  });
  auto client = bench.connect();
  client->send(get("/shielded"));
  bench.settle();
  bench.run(bench.server->close());
  EXPECT_TRUE(cleaned);
}

TEST(HTTPServer, DestroyedServerClosesIdleConnections) {
  ServerBench bench;
  auto client = bench.connect();
  EXPECT_EQ(bench.run(ask(*client, get("/"))).status, 200);
  bench.server.reset();
  EXPECT_EQ(bench.run(client->read_to_end()), "");
}

TEST(HTTPServer, ServingBeforeTheLoopRunsIsNotLate) {
  ServerBench bench;
  bench.run([]() -> Task<> { co_await sleep(2h); }());
  auto client = bench.connect();
  client->send("GET / HTTP/1.1\r\n");
  client->send("Host: x\r\n\r\n");
  EXPECT_EQ(bench.run(client->read_response()).status, 200);
}

}  // namespace
}  // namespace coronado::http_test
