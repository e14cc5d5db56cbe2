// Timeouts in virtual time, and limits that count.
#include "tests/http/server_fixture.hpp"

namespace coronado::http_test {
namespace {

using Kind = LambdaService::Kind;

/// How long it takes, on the loop's clock, until the server closes the connection.
Task<Duration> time_to_end(IOLoop& loop, RawClient& client) {
  const TimePoint begin = loop.now();
  co_await client.read_to_end();
  co_return loop.now() - begin;
}

HTTPServerOptions short_timeouts() {
  HTTPServerOptions options;
  options.idle_timeout = 10s;
  options.header_timeout = 3s;
  options.body_timeout = 4s;
  options.min_body_rate = 0;
  options.write_timeout = 5s;
  return options;
}

TEST(HTTPServerTimeouts, IdleConnectionIsClosed) {
  ServerBench bench(Wire::kWhole, short_timeouts());
  auto client = bench.connect();
  const Duration idle = bench.run(time_to_end(bench.loop, *client));
  EXPECT_GE(idle, 10s);
  EXPECT_LT(idle, 11s);
  EXPECT_TRUE(bench.service.refused.empty());
}

TEST(HTTPServerTimeouts, IdleTimeBeginsAfterEachResponse) {
  ServerBench bench(Wire::kWhole, short_timeouts());
  bench.service.on("/slow", [](HTTPExchange& exchange) -> Task<> {
    co_await sleep(100s);
    respond_text(exchange, "slow");
  });
  auto client = bench.connect();
  const Duration idle = bench.run([&]() -> Task<Duration> {
    co_await ask(*client, get("/1"));
    co_await sleep(9s);
    co_await ask(*client, get("/2"));
    co_await sleep(9s);
    EXPECT_EQ((co_await ask(*client, get("/slow"))).body, "slow");
    co_return co_await time_to_end(bench.loop, *client);
  }());
  EXPECT_GE(idle, 10s);
  EXPECT_LT(idle, 11s);
}

TEST(HTTPServerTimeouts, HeadThatDoesNotComeIsRefused) {
  ServerBench bench(Wire::kWhole, short_timeouts());
  auto busy = bench.connect();  // holds an exchange, so that none is spare
  bench.service.on("/hold", [](HTTPExchange& exchange) -> Task<> {
    co_await sleep(60s);
    respond_text(exchange, "held");
  });
  auto client = bench.connect();
  client->send("GET / HT");
  bench.settle();
  busy->send(get("/hold"));
  bench.settle();
  const RawResponse response = bench.run(client->read_response());
  EXPECT_EQ(response.status, 408);
  EXPECT_EQ(response.field("Connection"), "close");
  EXPECT_EQ(bench.run(client->read_to_end()), "");
  EXPECT_EQ(bench.service.refused.size(), 1U);
  EXPECT_EQ(bench.run(busy->read_response()).body, "held");
}

TEST(HTTPServerTimeouts, HeadByteByByteDoesNotBuyTime) {
  ServerBench bench(Wire::kWhole, short_timeouts());
  auto client = bench.connect();
  const TimePoint begin = bench.loop.now();
  bench.run([&]() -> Task<> {
    for (const char c : get("/0123456789")) {
      client->send(std::string(1, c));
      co_await sleep(1s);
      if (!client->received().empty()) break;
    }
    EXPECT_EQ((co_await client->read_response()).status, 408);
  }());
  EXPECT_LE(bench.loop.now() - begin, 4s);
}

TEST(HTTPServerTimeouts, BodyThatPausesIsRefused) {
  ServerBench bench(Wire::kWhole, short_timeouts());
  auto client = bench.connect();
  const TimePoint begin = bench.loop.now();
  bench.run([&]() -> Task<> {
    client->send("POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n");
    for (int i = 0; i < 5; ++i) {
      co_await sleep(3s);  // slow, but going on
      client->send("a");
    }
    EXPECT_EQ((co_await client->read_response()).status, 408);
  }());
  EXPECT_GE(bench.loop.now() - begin, 19s);
  EXPECT_LT(bench.loop.now() - begin, 20s);
  EXPECT_EQ(bench.service.refused.size(), 1U);
}

TEST(HTTPServerTimeouts, StreamedBodyThatPausesFailsTheRead) {
  ServerBench bench(Wire::kWhole, short_timeouts());
  auto client = bench.connect();
  const TimePoint begin = bench.loop.now();
  bench.run([&]() -> Task<> {
    client->send("POST /stream HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n");
    for (int i = 0; i < 5; ++i) {
      co_await sleep(3s);
      client->send("a");
    }
    EXPECT_EQ((co_await client->read_response()).status, 408);
    EXPECT_EQ(co_await client->read_to_end(), "");
  }());
  EXPECT_LE(bench.loop.now() - begin, 22s);
}

TEST(HTTPServerTimeouts, AStreamedBodyThatPausesIsNoFailureOfTheApplication) {
  ServerBench bench(Wire::kWhole, short_timeouts());
  bench.service.on(
      "/copy",
      [](HTTPExchange& exchange) -> Task<> {
        exchange.start({}, std::nullopt, "begun ");
        for (std::string piece = co_await exchange.read_body(); !piece.empty();
             piece = co_await exchange.read_body()) {
          exchange.write(piece);
        }
        exchange.finish();
      },
      Kind::kStreams);
  for (const char* path : {"/stream", "/copy"}) {  // before its head is out, and behind it
    auto client = bench.connect();
    client->send("POST " + std::string(path) +
                 " HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
    bench.run(client->read_to_end());
    bench.settle();
    ASSERT_FALSE(bench.service.done.empty());
    EXPECT_EQ(bench.service.done.back(), "408 POST " + std::string(path));
    EXPECT_EQ(bench.log.count("warning coronado.general request POST " + std::string(path) +
                              ": HTTP 408"),
              1U);
  }
  EXPECT_EQ(bench.log.count("error"), 0U) << bench.log.lines[0];
}

/// How long a server that wants 100 bytes a second, after 2 seconds, goes on with a body of which
/// the client sends `piece` each second.   Returns  That, and the status.
std::pair<Duration, int> time_with(std::string_view path, std::string_view first,
                                   std::string_view piece) {
  HTTPServerOptions options;
  options.min_body_rate = 100;
  options.body_grace_period = 2s;
  ServerBench bench(Wire::kWhole, options);
  auto client = bench.connect();
  const TimePoint begin = bench.loop.now();
  const int status = bench.run([&]() -> Task<int> {
    client->send("POST " + std::string(path) +
                 " HTTP/1.1\r\nHost: x\r\nContent-Length: 4000\r\n\r\n" + std::string(first));
    std::size_t left = 4000 - first.size();
    while (client->received().empty()) {
      co_await sleep(1s);
      if (left == 0) continue;
      client->send(std::string(piece.substr(0, left)));
      left -= std::min(left, piece.size());
    }
    co_return (co_await client->read_response()).status;
  }());
  return {bench.loop.now() - begin, status};
}

TEST(HTTPServerTimeouts, ABodyMustComeFastEnough) {
  for (const std::string_view path : {"/body", "/stream"}) {
    // A byte a second never pauses for long, and would hold the connection for an hour.
    const auto [slow, refused] = time_with(path, "", "x");
    EXPECT_EQ(refused, 408) << path;
    EXPECT_GE(slow, 2s) << path;
    EXPECT_LE(slow, 4s) << path;
    // The average counts: 900 bytes at once are good for 9 seconds, and those that follow for more.
    const auto [bursting, too_little] = time_with(path, std::string(900, 'x'), "xxxxxxxxxx");
    EXPECT_EQ(too_little, 408) << path;
    EXPECT_GE(bursting, 9s) << path;
    EXPECT_LE(bursting, 11s) << path;
    const auto [steady, taken] = time_with(path, std::string(200, 'x'), std::string(110, 'x'));
    EXPECT_EQ(taken, 200) << path;
    EXPECT_GE(steady, 34s) << path;
  }
}

TEST(HTTPServerTimeouts, TheRateOfABodyCountsWhileItIsWaitedFor) {
  HTTPServerOptions options;
  options.min_body_rate = 100;
  options.body_grace_period = 2s;
  ServerBench bench(Wire::kWhole, options);
  bench.service.on(
      "/thinks",
      [](HTTPExchange& exchange) -> Task<> {
        std::string all;
        for (std::string piece = co_await exchange.read_body(); !piece.empty();
             piece = co_await exchange.read_body()) {
          all += piece;
          co_await sleep(1min);
        }
        respond_text(exchange, all);
      },
      Kind::kStreams);
  auto client = bench.connect();
  const RawResponse response = bench.run([&]() -> Task<RawResponse> {
    client->send("POST /thinks HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na");
    co_await sleep(61s);  // it waits now, and may do so for two seconds in all
    client->send("b");
    co_await sleep(60500ms);
    client->send("c");
    co_return co_await client->read_response();
  }());
  EXPECT_EQ(response.body, "abc");
}

TEST(HTTPServerTimeouts, AHandlerThatDoesNotReadIsNotTimedOut) {
  ServerBench bench(Wire::kWhole, short_timeouts());
  bench.service.on(
      "/late-reader",
      [](HTTPExchange& exchange) -> Task<> {
        co_await sleep(1h);
        respond_text(exchange, co_await exchange.read_body());
      },
      Kind::kStreams);
  auto client = bench.connect();
  client->send("POST /late-reader HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nab");
  bench.settle();
  EXPECT_EQ(bench
                .run([&]() -> Task<RawResponse> {
                  co_await sleep(2h);
                  co_return co_await client->read_response();
                }())
                .body,
            "ab");
}

TEST(HTTPServerTimeouts, DiscardedBodyThatPausesIsNotAnsweredTwice) {
  ServerBench bench(Wire::kWhole, short_timeouts());
  bench.service.on(
      "/ignore",
      [](HTTPExchange& exchange) -> Task<> {
        respond_text(exchange, "ignored");
        co_return;
      },
      Kind::kStreams);
  for (const std::string framing :
       {"Content-Length: 10\r\n\r\nab", "Transfer-Encoding: chunked\r\n\r\n3\r\nab"}) {
    auto client = bench.connect();
    const RawResponse response =
        bench.run(ask(*client, "POST /ignore HTTP/1.1\r\nHost: x\r\n" + framing));
    EXPECT_EQ(response.body, "ignored");
    EXPECT_EQ(bench.run(client->read_to_end()), "");
  }
  EXPECT_TRUE(bench.service.refused.empty());
  EXPECT_EQ(bench.service.done.size(), 2U);
  EXPECT_EQ(bench.log.count("internal error"), 0U);
}

TEST(HTTPServerTimeouts, ClientThatTakesNothingIsCut) {
  ServerBench bench(Wire::kWhole, short_timeouts());
  std::string seen;
  bench.service.on("/big", [&](HTTPExchange& exchange) -> Task<> {
    exchange.set_close_callback([&] { seen += "close "; });
    try {
      exchange.start({}, std::nullopt, std::string(200'000, 'x'));
      co_await exchange.drain();
    } catch (const Cancelled&) {
      seen += "cancelled";
      throw;
    }
  });
  auto client = bench.connect({.capacity = 1000});
  client->transport().pause_receive();
  client->send(get("/big"));
  const TimePoint begin = bench.loop.now();
  bench.run([&]() -> Task<> {
    while (bench.server->connection_count() != 0) co_await sleep(100ms);
  }());
  EXPECT_EQ(seen, "close cancelled");
  EXPECT_LE(bench.loop.now() - begin, 11s);
}

TEST(HTTPServerTimeouts, ClientThatTakesALittleIsNot) {
  ServerBench bench(Wire::kWhole, short_timeouts());
  auto client = bench.connect({.capacity = 1000});
  bench.service.on(
      "/big",
      [&](HTTPExchange& exchange) -> Task<> {
        respond_text(exchange, std::string(30'000, 'x'));
        return {};
      },
      Kind::kAnswersAtOnce);
  client->send(get("/big"));
  const std::size_t got = bench.run([&]() -> Task<std::size_t> {
    while (client->received().size() < 30'000 && !client->ended()) {
      client->transport().pause_receive();
      co_await sleep(4s);
      client->transport().resume_receive();
      co_await sleep(1ms);
    }
    co_return client->received().size();
  }());
  EXPECT_GT(got, 30'000U);
}

TEST(HTTPServerTimeouts, RefusedClientIsWaitedForALittle) {
  ServerBench bench(Wire::kWhole, short_timeouts());
  auto client = bench.connect();
  client->send("nonsense\r\n\r\n");
  EXPECT_EQ(bench.run(client->read_response()).status, 400);
  EXPECT_EQ(bench.server->connection_count(), 1U);
  client->send(std::string(100'000, 'x'));  // is discarded
  const TimePoint begin = bench.loop.now();
  bench.run([&]() -> Task<> {
    while (bench.server->connection_count() != 0) co_await sleep(100ms);
  }());
  EXPECT_LE(bench.loop.now() - begin, 3s);
  EXPECT_FALSE(client->error());
}

TEST(HTTPServerTimeouts, MaxConnectionsTurnsOneAway) {
  HTTPServerOptions options;
  options.max_connections = 2;
  ServerBench bench(Wire::kSockets, options);
  auto one = bench.connect();
  auto two = bench.connect();
  EXPECT_EQ(bench.run(ask(*one, get("/1"))).status, 200);
  EXPECT_EQ(bench.run(ask(*two, get("/2"))).status, 200);
  auto three = bench.connect();
  EXPECT_EQ(bench.run(three->read_to_end()), "");
  EXPECT_EQ(bench.log.count("max_connections"), 1U);
  one->close();
  bench.run([&]() -> Task<> {
    while (bench.server->connection_count() == 2) co_await moment();
  }());
  auto four = bench.connect();
  EXPECT_EQ(bench.run(ask(*four, get("/4"))).status, 200);
}

TEST(HTTPServerTimeouts, MaxConnectionsPerPeerTurnsOneAway) {
  HTTPServerOptions options;
  options.max_connections_per_peer = 1;
  ServerBench bench(Wire::kSockets, options);
  auto one = bench.connect();
  EXPECT_EQ(bench.run(ask(*one, get("/1"))).status, 200);
  auto two = bench.connect();
  EXPECT_EQ(bench.run(two->read_to_end()), "");
  EXPECT_EQ(bench.log.count("max_connections_per_peer"), 1U);
  one->close();
  bench.run([&]() -> Task<> {
    while (bench.server->connection_count() == 1) co_await moment();
  }());
  auto three = bench.connect();
  EXPECT_EQ(bench.run(ask(*three, get("/3"))).status, 200);
}

TEST(HTTPServerTimeouts, TheProxyProtocolNamesTheClient) {
  HTTPServerOptions options;
  options.proxy.mode = ProxyProtocolOptions::Mode::kRequired;
  for (const Wire wire : {Wire::kWhole, Wire::kBytes, Wire::kSockets}) {
    ServerBench bench(wire, options);
    bench.service.on("/who", [](HTTPExchange& exchange) -> Task<> {
      respond_text(exchange, exchange.request().remote_ip());
      co_return;
    });
    auto client = bench.connect();
    client->send("PROXY TCP4 1.2.3.4 5.6.7.8 99 80\r\n" + get("/who"));
    EXPECT_EQ(bench.run(client->read_response()).body, "1.2.3.4");
    EXPECT_EQ(bench.run(ask(*client, get("/who"))).body, "1.2.3.4");
    auto bad = bench.connect();
    bad->send(get("/who"));
    EXPECT_EQ(bench.run(bad->read_to_end()), "");
  }
}

TEST(HTTPServerTimeouts, RequestRateIsLimited) {
  HTTPServerOptions options;
  options.max_request_rate = 3;
  ServerBench bench(Wire::kWhole, options);
  auto client = bench.connect();
  const std::vector<int> statuses = bench.run([&]() -> Task<std::vector<int>> {
    std::vector<int> seen;
    for (int i = 0; i < 3; ++i) seen.push_back((co_await ask(*client, get("/"))).status);
    co_await sleep(1s);
    for (int i = 0; i < 4; ++i) seen.push_back((co_await ask(*client, get("/"))).status);
    co_return seen;
  }());
  EXPECT_EQ(statuses, (std::vector<int>{200, 200, 200, 200, 200, 200, 429}));
  EXPECT_EQ(bench.run(client->read_to_end()), "");
  EXPECT_EQ(bench.service.refused.size(), 1U);
}

}  // namespace
}  // namespace coronado::http_test
