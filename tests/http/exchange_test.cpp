// Bodies in pieces, back-pressure, clients that go away and handlers that fail.
#include <coronado/http/exchange.hpp>

#include "tests/http/server_fixture.hpp"

namespace coronado::http_test {
namespace {

using Kind = LambdaService::Kind;

TEST(ExchangeTest, SlowReaderOfABodyPausesTheClient) {
  ServerBench bench;
  std::size_t most = 0;
  std::size_t total = 0;
  bool was_paused = false;
  bench.service.on(
      "/slow-reader",
      [&](HTTPExchange& exchange) -> Task<> {
        for (;;) {
          co_await sleep(1s);
          was_paused = was_paused || bench.server_end->receive_paused();
          const std::string piece = co_await exchange.read_body();
          if (piece.empty()) break;
          most = std::max(most, piece.size());
          total += piece.size();
        }
        respond_text(exchange, std::to_string(total));
      },
      Kind::kStreams);
  auto client = bench.connect({.capacity = 100'000});
  client->send("POST /slow-reader HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n");
  client->send(std::string(3'000'000, 'b'));
  EXPECT_EQ(bench.run(client->read_response()).body, "3000000");
  EXPECT_TRUE(was_paused);
  EXPECT_LE(most, 256U * 1024);
  EXPECT_FALSE(bench.server_end->receive_paused());
  EXPECT_EQ(bench.run(ask(*client, get("/next"))).body, "GET /next");
}

TEST(ExchangeTest, ABodyThatCameWithTheHeadIsStreamedToo) {
  ServerBench bench;
  bench.service.on(
      "/twice",
      [&](HTTPExchange& exchange) -> Task<> {
        EXPECT_EQ(exchange.request().body(), "");
        const std::string all = co_await exchange.read_body();
        EXPECT_EQ(co_await exchange.read_body(), "");
        EXPECT_EQ(co_await exchange.read_body(), "");
        EXPECT_EQ(exchange.request().body(), "");
        respond_text(exchange, all);
      },
      Kind::kStreams);
  auto client = bench.connect();
  EXPECT_EQ(bench
                .run(ask(*client, "POST /twice HTTP/1.1\r\nHost: x\r\nContent-Length: 40\r\n\r\n" +
                                      std::string(40, 'q')))
                .body,
            std::string(40, 'q'));
}

TEST(ExchangeTest, DrainWaitsForTheClient) {
  ServerBench bench;
  std::size_t written = 0;
  std::size_t most_pending = 0;
  bench.service.on("/big", [&](HTTPExchange& exchange) -> Task<> {
    exchange.start({}, std::nullopt);
    for (int i = 0; i < 200; ++i) {
      exchange.write(std::string(10'000, 'x'));
      written += 10'000;
      most_pending = std::max(most_pending, bench.server_end->pending());
      co_await exchange.drain();
    }
    exchange.finish();
  });
  auto client = bench.connect({.capacity = 20'000});
  client->transport().pause_receive();
  client->send(get("/big"));
  bench.settle();
  EXPECT_LT(written, 200'000U);
  client->transport().resume_receive();
  EXPECT_EQ(bench.run(client->read_response()).body.size(), 2'000'000U);
  EXPECT_LT(most_pending, 128'000U);
}

TEST(ExchangeTest, SmallPiecesInTheFirstStepMeetBackPressure) {
  ServerBench bench;
  int written = 0;
  bench.service.on("/small", [&](HTTPExchange& exchange) -> Task<> {
    exchange.start({}, std::nullopt);
    for (; written < 100'000; ++written) {
      exchange.write("a small piece");
      co_await exchange.drain();
    }
    exchange.finish();
  });
  auto client = bench.connect({.capacity = 20'000});
  client->transport().pause_receive();
  client->send(get("/small"));
  bench.settle();
  EXPECT_LT(written, 20'000);
  client->transport().resume_receive();
  EXPECT_EQ(bench.run(client->read_response()).body.size(), 1'300'000U);
}

struct Seen {
  std::string events;
  LambdaEndpoint::Handler waiting(bool cancel_on_close) {
    return [this, cancel_on_close](HTTPExchange& exchange) -> Task<> {
      exchange.set_cancel_on_close(cancel_on_close);
      exchange.set_close_callback([this] { events += "close "; });
      try {
        co_await sleep(10s);
        events += "slept ";
      } catch (const Cancelled&) {
        events += "cancelled ";
        throw;
      }
      respond_text(exchange, "too late");
      events += exchange.client_gone() ? "gone" : "there";
    };
  }
};

class HTTPServerClientGone : public ::testing::TestWithParam<Wire> {};
INSTANTIATE_TEST_SUITE_P(Wires, HTTPServerClientGone,
                         ::testing::Values(Wire::kWhole, Wire::kSockets), wire_name);

TEST_P(HTTPServerClientGone, CancelsTheHandler) {
  ServerBench bench(GetParam());
  Seen seen;
  bench.service.on("/wait", seen.waiting(true));
  auto client = bench.connect();
  client->send(get("/wait"));
  bench.settle();
  client->close();
  bench.run([&]() -> Task<> {
    while (bench.server->connection_count() != 0) co_await moment();
  }());
  EXPECT_EQ(seen.events, "close cancelled ");
  EXPECT_EQ(bench.service.done, std::vector<std::string>{"0 GET /wait"});
  EXPECT_EQ(bench.log.count("error"), 0U);
}

TEST(ExchangeTest, ClientGoneIsNoReasonWhereTheHandlerSaysSo) {
  ServerBench bench;
  Seen seen;
  bench.service.on("/wait", seen.waiting(false));
  auto client = bench.connect();
  client->send(get("/wait"));
  bench.settle();
  bench.client_end->reset();
  bench.run([&]() -> Task<> {
    while (bench.server->connection_count() != 0) co_await sleep(1s);
  }());
  EXPECT_EQ(seen.events, "close slept gone");
}

TEST(ExchangeTest, WaitsThatAreNotCancelledEndWhenTheClientGoes) {
  ServerBench bench;
  std::string events;
  bench.service.on(
      "/read",
      [&](HTTPExchange& exchange) -> Task<> {
        exchange.set_cancel_on_close(false);
        try {
          co_await exchange.read_body();
        } catch (const StreamClosedError&) {
          events += "read closed";
        }
      },
      Kind::kStreams);
  bench.service.on("/write", [&](HTTPExchange& exchange) -> Task<> {
    exchange.set_cancel_on_close(false);
    exchange.start({}, std::nullopt, std::string(300'000, 'x'));
    try {
      co_await exchange.drain();
    } catch (const StreamClosedError&) {
      events += " write closed";
      throw;
    }
  });
  auto reader = bench.connect();
  reader->send("POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n");
  bench.settle();
  reader->close();
  bench.settle();
  auto writer = bench.connect({.capacity = 1000});
  writer->transport().pause_receive();
  writer->send(get("/write"));
  bench.settle();
  writer->close();
  bench.settle();
  EXPECT_EQ(events, "read closed write closed");
  EXPECT_EQ(bench.server->connection_count(), 0U);
  EXPECT_EQ(bench.log.count("Stream is closed"), 0U);
}

TEST(ExchangeTest, CloseCallbackThatThrowsDoesNotSaveTheTask) {
  ServerBench bench;
  bool cancelled = false;
  bench.service.on("/wait", [&](HTTPExchange& exchange) -> Task<> {
    exchange.set_close_callback([] { throw std::runtime_error("from the callback"); });
    try {
      co_await sleep(1h);
    } catch (const Cancelled&) {
      cancelled = true;
      throw;
    }
  });
  auto client = bench.connect();
  client->send(get("/wait"));
  bench.settle();
  client->close();
  bench.settle();
  EXPECT_TRUE(cancelled);
  EXPECT_EQ(bench.server->connection_count(), 0U);
  EXPECT_EQ(bench.log.count("from the callback"), 1U);
}

TEST(ExchangeTest, WorkAfterTheResponseIsNotCancelledByTheClient) {
  ServerBench bench;
  std::string events;
  bench.service.on("/work", [&](HTTPExchange& exchange) -> Task<> {
    exchange.set_close_callback([&] { events += "close "; });
    respond_text(exchange, "done");
    co_await sleep(10s);
    events += "worked";
  });
  auto client = bench.connect();
  EXPECT_EQ(bench.run(ask(*client, get("/work"))).body, "done");
  client->close();
  bench.run([&]() -> Task<> {
    while (bench.server->connection_count() != 0) co_await sleep(1s);
  }());
  EXPECT_EQ(events, "worked");
}

TEST(ExchangeTest, BodyThatNeverCompletesIsDropped) {
  ServerBench bench;
  auto client = bench.connect();
  client->send("POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab");
  bench.settle();
  client->close();
  bench.settle();
  EXPECT_EQ(bench.server->connection_count(), 0U);
  EXPECT_TRUE(bench.service.done.empty());
  EXPECT_EQ(bench.service.refused,
            std::vector<std::string>({"400 the client has left in the middle of its request"}));
}

TEST(ExchangeTest, HandlersThatFailAreAnsweredWith500) {
  ServerBench bench;
  bench.service.on("/throws", [](HTTPExchange&) -> Task<> { throw std::runtime_error("broken"); });
  bench.service.on("/throws-later", [](HTTPExchange&) -> Task<> {
    co_await moment();
    throw std::runtime_error("broken later");
  });
  bench.service.on("/throws-number", [](HTTPExchange&) -> Task<> {
    co_await moment();
    throw 42;
  });
  bench.service.on("/throws-status", [](HTTPExchange&) -> Task<> {
    co_await moment();
    throw HTTPError(418);
  });
  bench.service.on("/cancels-itself", [](HTTPExchange&) -> Task<> {
    co_await moment();
    throw Cancelled{};
  });
  bench.service.on("/silent", [](HTTPExchange&) -> Task<> { return {}; });
  bench.service.on("/silent-later", [](HTTPExchange&) -> Task<> { co_await moment(); });
  auto client = bench.connect();
  for (const auto& [path, status] :
       {std::pair("/throws", 500), std::pair("/throws-later", 500),
        std::pair("/throws-number", 500), std::pair("/throws-status", 418),
        std::pair("/cancels-itself", 503), std::pair("/silent", 500),
        std::pair("/silent-later", 500), std::pair("/fine", 200)}) {
    SCOPED_TRACE(path);
    const RawResponse response = bench.run(ask(*client, get(path)));
    EXPECT_EQ(response.status, status);
    EXPECT_FALSE(response.has_field("Connection"));  // the connection is as good as before
    EXPECT_EQ(response.body.find("broken"), std::string::npos);
  }
  EXPECT_EQ(bench.log.count("request GET"), 7U);
  EXPECT_EQ(bench.service.done.size(), 8U);
}

class HTTPServerTruncation : public ::testing::TestWithParam<Wire> {};
INSTANTIATE_TEST_SUITE_P(Wires, HTTPServerTruncation,
                         ::testing::Values(Wire::kWhole, Wire::kBytes, Wire::kSockets), wire_name);

TEST_P(HTTPServerTruncation, FailureAfterTheHeadCutsTheConnection) {
  ServerBench bench(GetParam());
  bench.service.on("/throws-after", [](HTTPExchange& exchange) -> Task<> {
    exchange.start({}, std::nullopt, "half of it");
    co_await moment();
    throw std::runtime_error("broken");
  });
  bench.service.on(
      "/throws-at-once",
      [](HTTPExchange& exchange) -> Task<> {
        exchange.start({}, std::nullopt, "half of it");
        throw std::runtime_error("broken");
      },
      Kind::kAnswersAtOnce);
  bench.service.on("/unfinished", [](HTTPExchange& exchange) -> Task<> {
    exchange.start({}, std::nullopt, "half of it");
    co_await moment();
  });
  for (const std::string path : {"/throws-after", "/throws-at-once", "/unfinished"}) {
    SCOPED_TRACE(path);
    auto client = bench.connect();
    client->send(get(path));
    if (GetParam() != Wire::kBytes) client->send(get("/next"));  // else it is reset earlier
    const RawResponse response = bench.run(client->read_response());
    EXPECT_EQ(response.status, 200);
    EXPECT_TRUE(response.truncated);
    EXPECT_EQ(response.body, "half of it");
  }
  EXPECT_EQ(bench.service.done.size(), 3U);
}

TEST(ExchangeTest, MisuseOfTheExchangeIsAnError) {
  ServerBench bench;
  bench.service.on("/misuse", [](HTTPExchange& exchange) -> Task<> {
    EXPECT_THROW(exchange.write("x"), std::logic_error);
    EXPECT_THROW(exchange.finish(), std::logic_error);
    respond_text(exchange, "ok");
    EXPECT_THROW(exchange.write("x"), std::logic_error);
    EXPECT_THROW(respond_text(exchange, "again"), std::logic_error);
    exchange.finish();
    return {};
  });
  auto client = bench.connect();
  EXPECT_EQ(bench.run(ask(*client, get("/misuse"))).body, "ok");
  EXPECT_EQ(bench.run(ask(*client, get("/misuse"))).body, "ok");
}

TEST(ExchangeTest, TheHeadStaysValidWhileTheHandlerWaits) {
  ServerBench bench;
  bench.service.on("/pinned", [](HTTPExchange& exchange) -> Task<> {
    const std::string_view before = *exchange.request().header("X-Mark");
    co_await sleep(1s);
    EXPECT_EQ(before, "mark");
    respond_text(exchange, before);
  });
  auto client = bench.connect();
  client->send(get("/pinned", "X-Mark: mark\r\n"));
  bench.settle();
  auto other = bench.connect();
  EXPECT_EQ(bench.run(ask(*other, get("/other", "X-Mark: else\r\n"))).status, 200);
  EXPECT_EQ(bench.run(client->read_response()).body, "mark");
}

// --- interim responses ---------------------------------------------------------------------------

constexpr const char* kHint = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n";

Task<> hint_and_answer(HTTPExchange& exchange) {
  exchange.send_interim({.status = 103, .fields = "Link: </a.css>; rel=preload\r\n"});
  co_await sleep(1h);
  exchange.send_interim({.status = 102, .reason = "At it"});
  respond_text(exchange, "done");
}

TEST(InterimResponses, LeaveAtOnce) {
  ServerBench bench;
  bench.service.on("/hint", hint_and_answer);
  const auto client = bench.connect();
  client->send(get("/hint"));
  const TimePoint asked = bench.loop.now();
  const std::string hint = kHint;
  EXPECT_EQ(bench.run(client->peek(hint.size())), hint);
  EXPECT_LT(bench.loop.now() - asked, 1min);
  client->send(get("/hint", "Connection: close\r\n"));
  const std::string all = bench.run(client->read_to_end());
  EXPECT_TRUE(all.starts_with(hint + "HTTP/1.1 102 At it\r\n\r\nHTTP/1.1 200 OK\r\n"));
  EXPECT_EQ(bench.service.done, (std::vector<std::string>{"200 GET /hint", "200 GET /hint"}));
}

TEST(InterimResponses, AreNotSentToClientsOfHTTP10) {
  ServerBench bench;
  bench.service.on("/hint", hint_and_answer);
  EXPECT_TRUE(bench.exchange_to_end("GET /hint HTTP/1.0\r\n\r\n").starts_with("HTTP/1.1 200 OK"));
}

TEST(InterimResponses, HaveTheirStatusAndTheirTime) {
  ServerBench bench;
  bench.service.on("/late", [](HTTPExchange& exchange) -> Task<> {
    for (const int status : {100, 101, 200, 99}) {
      EXPECT_THROW(exchange.send_interim({.status = status}), std::invalid_argument) << status;
    }
    respond_text(exchange, "done");
    EXPECT_THROW(exchange.send_interim({.status = 103}), std::logic_error);
    return {};
  });
  EXPECT_TRUE(bench.exchange_to_end(get("/late", "Connection: close\r\n")).ends_with("done"));
}

}  // namespace
}  // namespace coronado::http_test
