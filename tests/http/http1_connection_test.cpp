// Several requests at once: order, interruption, and clients that do not read.
#include "http/http1_connection.hpp"

#include "tests/http/server_fixture.hpp"

namespace coronado::http_test {
namespace {

using Kind = LambdaService::Kind;

class HTTP1Pipelining : public ::testing::TestWithParam<Wire> {};
INSTANTIATE_TEST_SUITE_P(Wires, HTTP1Pipelining,
                         ::testing::Values(Wire::kWhole, Wire::kBytes, Wire::kSockets), wire_name);

TEST_P(HTTP1Pipelining, SixteenDeepInOrder) {
  ServerBench bench(GetParam());
  bench.service.on("/chunks", [](HTTPExchange& exchange) -> Task<> {
    exchange.start({}, std::nullopt, "a");
    co_await moment();
    exchange.write("b");
    exchange.finish();
  });
  std::string bytes;
  std::vector<std::string> expected;
  for (int i = 0; i < 16; ++i) {
    const std::string n = std::to_string(i);
    if (i % 4 == 0) {
      bytes += get("/now?" + n);
      expected.push_back("GET /now?" + n);
    } else if (i % 4 == 1) {
      bytes += get("/later?" + n);
      expected.push_back("/later?" + n);
    } else if (i % 4 == 2) {
      bytes += "POST /stream HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nn" +
               n.substr(0, 1) + "\r\n0\r\n\r\n";
      expected.push_back("n" + n.substr(0, 1));
    } else {
      bytes += get("/chunks");
      expected.push_back("ab");
    }
  }
  auto client = bench.connect();
  client->send(bytes);
  const std::vector<std::string> bodies = bench.run([&]() -> Task<std::vector<std::string>> {
    std::vector<std::string> seen;
    for (int i = 0; i < 16; ++i) seen.push_back((co_await client->read_response()).body);
    co_return seen;
  }());
  EXPECT_EQ(bodies, expected);
  EXPECT_EQ(bench.server->request_count(), 16U);
}

TEST_P(HTTP1Pipelining, WhatFollowsACloseIsNotServed) {
  ServerBench bench(GetParam());
  for (const std::string path : {"/now", "/later"}) {
    const std::string text =
        bench.exchange_to_end(get(path, "Connection: close\r\n") + get("/secret") + get("/again"));
    // Byte by byte the client goes on sending after the server has closed, against its own word; then
    // the connection may be reset under the response.
    if (GetParam() != Wire::kBytes) {
      EXPECT_TRUE(text.ends_with(path)) << text;
    }
    EXPECT_EQ(text.find("secret"), std::string::npos);
  }
  EXPECT_EQ(bench.service.done.size(), 2U);
}

TEST_P(HTTP1Pipelining, RequestsBeforeAnOrderlyEndAreAnswered) {
  ServerBench bench(GetParam());
  auto client = bench.connect();
  client->send(get("/1") + get("/2") + get("/3"));
  client->shutdown_write();
  const std::string text = bench.run(client->read_to_end());
  EXPECT_TRUE(text.ends_with("GET /3")) << text;
  EXPECT_EQ(bench.service.done.size(), 3U);
}

/// RFC 9112 8.
TEST_P(HTTP1Pipelining, ARequestThatIsCutIsRefused) {
  const std::string head = "POST /body HTTP/1.1\r\nHost: x\r\n";
  for (const std::string& cut :
       {std::string("GET / HT"), head, head + "Content-Length: 5\r\n\r\nab",
        head + "Transfer-Encoding: chunked\r\n\r\n5\r\nab"}) {
    ServerBench bench(GetParam());
    auto client = bench.connect();
    client->send(get("/1") + cut);
    client->shutdown_write();
    const std::string text = bench.run(client->read_to_end());
    EXPECT_NE(text.find("HTTP/1.1 400 Bad Request\r\n"), std::string::npos) << cut << text;
    EXPECT_EQ(bench.service.done.size(), 1U);
    EXPECT_EQ(bench.service.refused,
              std::vector<std::string>({"400 the client has left in the middle of its request"}));
  }
  // An empty line is no request.
  ServerBench bench(GetParam());
  auto client = bench.connect();
  client->send(get("/1") + "\r\n");
  client->shutdown_write();
  EXPECT_EQ(bench.run(client->read_to_end()).find("400"), std::string::npos);
  EXPECT_TRUE(bench.service.refused.empty());
}

TEST(ConnectionTest, OrderlyEndDoesNotCutALargeResponse) {
  ServerBench bench;
  bench.service.on(
      "/big",
      [&](HTTPExchange& exchange) -> Task<> {
        respond_text(exchange, std::string(500'000, 'x'));
        return {};
      },
      Kind::kAnswersAtOnce);
  auto client = bench.connect({.capacity = 10'000});
  client->send(get("/big"));
  client->shutdown_write();
  const RawResponse response = bench.run(client->read_response());
  EXPECT_FALSE(response.truncated);
  EXPECT_EQ(response.body.size(), 500'000U);
}

TEST(ConnectionTest, ClientThatDoesNotReadIsAnsweredUpToALimit) {
  ServerBench bench;
  int served = 0;
  bench.service.on(
      "/big",
      [&](HTTPExchange& exchange) -> Task<> {
        ++served;
        respond_text(exchange, std::string(100'000, 'x'));
        return {};
      },
      Kind::kAnswersAtOnce);
  auto client = bench.connect({.capacity = 50'000});
  client->transport().pause_receive();
  std::string many;
  for (int i = 0; i < 3000; ++i) many += get("/big");
  client->send(many);
  bench.settle();
  EXPECT_GE(served, 5);
  EXPECT_LE(served, 20);
  EXPECT_TRUE(bench.server_end->receive_paused());
  EXPECT_LE(bench.server_end->pending(), 2'000'000U);
  client->transport().resume_receive();
  bench.run([&]() -> Task<> {
    for (int i = 0; i < 3000; ++i) {
      const RawResponse response = co_await client->read_response();
      EXPECT_EQ(response.body.size(), 100'000U);
    }
  }());
  EXPECT_EQ(served, 3000);
}

TEST(ConnectionTest, PipelinedInputIsBoundedWhileAHandlerWorks) {
  ServerBench bench;
  bench.service.on("/slow", [](HTTPExchange& exchange) -> Task<> {
    co_await sleep(1s);
    respond_text(exchange, "slow");
  });
  auto client = bench.connect();
  client->send(get("/slow"));
  for (int i = 0; i < 5000; ++i) client->send(get("/after"));
  bench.settle();
  EXPECT_TRUE(bench.server_end->receive_paused());
  bench.run([&]() -> Task<> {
    EXPECT_EQ((co_await client->read_response()).body, "slow");
    for (int i = 0; i < 5000; ++i) {
      EXPECT_EQ((co_await client->read_response()).body, "GET /after");
    }
  }());
  EXPECT_FALSE(bench.server_end->receive_paused());
}

TEST(ConnectionTest, FailureInsideTheServerLeavesNothingToTheNextConnection) {
  ServerBench bench;
  auto first = bench.connect();
  first->send(get("/private") + get("/route-throws"));
  const std::string text = bench.run(first->read_to_end());
  EXPECT_TRUE(text.ends_with("GET /private"));
  EXPECT_EQ(bench.log.count("no route today"), 1U);
  auto second = bench.connect();
  second->send(get("/mine"));
  const RawResponse response = bench.run(second->read_response());
  EXPECT_EQ(response.body, "GET /mine");
  EXPECT_EQ(second->received(), "");
}

TEST(ConnectionTest, UnreadBodyIsDiscardedAndTheConnectionKept) {
  ServerBench bench;
  bench.service.on(
      "/ignore",
      [](HTTPExchange& exchange) -> Task<> {
        respond_text(exchange, "ignored");
        co_return;
      },
      Kind::kStreams);
  auto client = bench.connect();
  client->send("POST /ignore HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n");
  EXPECT_EQ(bench.run(client->read_response()).body, "ignored");
  EXPECT_EQ(bench.service.done, std::vector<std::string>{"200 POST /ignore"});
  client->send(std::string(1000, 'b') + get("/next"));
  EXPECT_EQ(bench.run(client->read_response()).body, "GET /next");
  EXPECT_EQ(bench.service.done.size(), 2U);
}

TEST(ConnectionTest, LargeUnreadBodyClosesTheConnection) {
  ServerBench bench;
  bench.service.on(
      "/ignore",
      [](HTTPExchange& exchange) -> Task<> {
        respond_text(exchange, "ignored");
        co_return;
      },
      Kind::kStreams);
  auto client = bench.connect();
  client->send("POST /ignore HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\n" +
               std::string(100'000, 'b'));
  EXPECT_EQ(bench.run(client->read_response()).body, "ignored");
  client->send(std::string(100'000, 'b'));
  EXPECT_EQ(bench.run(client->read_to_end()), "");
  EXPECT_FALSE(client->error());

  auto chunks = bench.connect();
  chunks->send("POST /ignore HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_EQ(bench.run(chunks->read_response()).body, "ignored");
  for (int i = 0; i < 6; ++i) chunks->send("10000\r\n" + std::string(0x10000, 'c') + "\r\n");
  EXPECT_EQ(bench.run(chunks->read_to_end()), "");
  EXPECT_EQ(bench.service.done.size(), 2U);
}

}  // namespace
}  // namespace coronado::http_test
