#include <coronado/web/event_stream.hpp>

#include <coronado/web/application.hpp>

#include "tests/web/web_fixture.hpp"

namespace coronado::web_test {
namespace {

constexpr std::string_view kAsk = "GET /events HTTP/1.1\r\nHost: x\r\n\r\n";

struct ClassEvents : web::RequestHandler {
  Task<> get() override {
    set_header("Access-Control-Allow-Origin", "*");
    set_cookie("seen", "1");
    web::EventStream events(*this, {.retry = 2s});
    co_await events.send({.event = "first", .data = "a\nb", .id = "1"});
    co_await events.send("plain");
    co_await events.comment("still here");
  }
};

struct EventStreamTest : ::testing::Test {
  WebBench bench;

  RawResponse read() {
    return bench.loop.run_sync(bench.connection->read_response(), Duration(24h));
  }
  void run(Duration span) { bench.loop.run_sync(as_task(sleep(span)), span + 1s); }
};

TEST_F(EventStreamTest, FunctionsSendEvents) {
  bench.app.get("/events", [](HTTPExchange& exchange) -> Task<> {
    web::EventStreamOptions options{.retry = 2s};
    options.headers.set("Access-Control-Allow-Origin", "*");
    web::EventStream events(exchange, std::move(options));
    EXPECT_EQ(events.last_event_id(), "41");
    co_await events.send({.event = "first", .data = "a\nb", .id = "1"});
    co_await events.send("plain");
    co_await events.comment("still here");
  });
  const RawResponse response = bench.get("/events", "last-event-id: 41\r\n");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.field("Content-Type"), "text/event-stream");
  EXPECT_EQ(response.field("Cache-Control"), "no-cache");
  EXPECT_EQ(response.field("X-Accel-Buffering"), "no");
  EXPECT_EQ(response.field("Access-Control-Allow-Origin"), "*");
  EXPECT_TRUE(response.chunked);
  EXPECT_EQ(response.body,
            "retry: 2000\n\nevent: first\nid: 1\ndata: a\ndata: b\n\ndata: plain\n\n"
            ": still here\n\n");
  // The response ended as any other: the connection goes on.
  EXPECT_EQ(bench.get("/events", "last-event-id: 41\r\n").status, 200);
}

TEST_F(EventStreamTest, ClassesSendTheSame) {
  bench.app.add<ClassEvents>("/events");
  const RawResponse response = bench.get("/events");
  EXPECT_EQ(response.field("Content-Type"), "text/event-stream");
  EXPECT_EQ(response.field("Access-Control-Allow-Origin"), "*");
  EXPECT_TRUE(response.has_field("Set-Cookie"));
  EXPECT_EQ(response.body,
            "retry: 2000\n\nevent: first\nid: 1\ndata: a\ndata: b\n\ndata: plain\n\n"
            ": still here\n\n");
}

TEST_F(EventStreamTest, HeartbeatsComeWhenNothingElseDoes) {
  bench.app.get("/events", [](HTTPExchange& exchange) -> Task<> {
    web::EventStream events(exchange, {.heartbeat = 10s});
    co_await sleep(25s);  // two
    co_await events.send("one");
    co_await sleep(9s);
    co_await events.send("two");
    co_await sleep(9s);  // none: it is ten since "two"
    co_await events.send("three");
  });
  EXPECT_EQ(bench.get("/events").body, ":\n\n:\n\ndata: one\n\ndata: two\n\ndata: three\n\n");
  bench.app.get("/silent", [](HTTPExchange& exchange) -> Task<> {
    web::EventStream events(exchange, {.heartbeat = Duration::zero()});
    co_await sleep(10min);
  });
  EXPECT_EQ(bench.get("/silent").body, "");
}

TEST_F(EventStreamTest, EachEventIsOnItsWayAtOnce) {
  std::string received;
  bench.app.get("/events", [](HTTPExchange& exchange) -> Task<> {
    web::EventStream events(exchange);
    for (int i = 0; i < 3; ++i) {
      co_await events.send(std::to_string(i));
      co_await sleep(1h);
    }
  });
  bench.client().send(kAsk);
  run(30min);
  EXPECT_NE(bench.client().received().find("data: 0\n\n"), std::string::npos);
  EXPECT_EQ(bench.client().received().find("data: 1\n\n"), std::string::npos);
}

TEST_F(EventStreamTest, HeadGetsTheHeadAndNoMore) {
  bool went_on = false;
  bench.app.get("/events", [&](HTTPExchange& exchange) -> Task<> {
    const web::EventStream events(exchange);
    went_on = true;
    co_return;
  });
  bench.app.add<ClassEvents>("/class");
  for (const char* path : {"/events", "/class"}) {
    const RawResponse response = bench.request("HEAD", path);
    EXPECT_EQ(response.field("Content-Type"), "text/event-stream");
  }
  EXPECT_FALSE(went_on);
  bench.app.get("/after", [] { return "after"; });
  EXPECT_EQ(bench.get("/after").body, "after");
  EXPECT_EQ(bench.log.count("ERROR"), 0U);
}

TEST_F(EventStreamTest, AClientThatLeavesCancelsTheHandler) {
  bool ended = false;
  bench.app.get("/events", [&](HTTPExchange& exchange) -> Task<> {
    struct AtTheEnd {
      bool& ended;
      ~AtTheEnd() { ended = true; }
    } at_the_end{ended};
    web::EventStream events(exchange, {.heartbeat = 1s});
    for (;;) {
      co_await events.send("more");
      co_await sleep(10s);
    }
  });
  bench.client().send(kAsk);
  run(25s);
  EXPECT_FALSE(ended);
  bench.connection.reset();
  run(1s);
  EXPECT_TRUE(ended);
  EXPECT_EQ(bench.server->connection_count(), 0U);
  run(1min);  // no heartbeat is left behind
}

TEST_F(EventStreamTest, ASlowClientHoldsTheHandlerBack) {
  std::size_t sent = 0;
  bench.app.get("/events", [&](HTTPExchange& exchange) -> Task<> {
    web::EventStream events(exchange);
    for (;;) {
      co_await events.send(std::string(1000, 'x'));
      ++sent;
      co_await moment();
    }
  });
  bench.server =
      std::make_unique<HTTPServer>(bench.loop, bench.app, HTTPServerOptions{.write_timeout = 1h});
  auto [client, accepted] = make_memory_transports(bench.loop, {.capacity = 1000});
  bench.server->serve(std::move(accepted));
  client->write(kAsk);  // and it never reads
  run(1min);
  EXPECT_GT(sent, 60U);
  EXPECT_LT(sent, 70U);
  client.reset();
  run(1s);
}

TEST_F(EventStreamTest, ADrainingServerEndsTheStreamCleanly) {
  bench.app.get("/events", [](HTTPExchange& exchange) -> Task<> {
    web::EventStream events(exchange);
    for (;;) {
      co_await events.send("more");
      co_await sleep(10s);
    }
  });
  bench.client().send(kAsk);
  run(15s);
  const TimePoint begin = bench.loop.now();
  EXPECT_TRUE(bench.loop.run_sync(bench.server->drain(begin + 30s), Duration(1min)));
  EXPECT_LT(bench.loop.now() - begin, 3s);  // the client is given two to close
  const RawResponse response = read();
  EXPECT_FALSE(response.truncated);
  EXPECT_EQ(response.body, "data: more\n\ndata: more\n\n");
  EXPECT_EQ(bench.log.count("ERROR"), 0U);
}

TEST_F(EventStreamTest, AStreamBegunWhileTheServerDrainsEndsAtOnce) {
  bench.app.get("/events", [](HTTPExchange& exchange) -> Task<> {
    co_await sleep(10s);
    web::EventStream events(exchange, {.retry = 1s});
    for (;;) co_await as_task(sleep(10s));
  });
  bench.client().send(kAsk);
  run(5s);
  const TimePoint begin = bench.loop.now();
  EXPECT_TRUE(bench.loop.run_sync(bench.server->drain(begin + 1h), Duration(2h)));
  EXPECT_LT(bench.loop.now() - begin, 10s);
  const RawResponse response = read();
  EXPECT_FALSE(response.truncated);
  EXPECT_EQ(response.body, "retry: 1000\n\n");
  EXPECT_EQ(bench.log.count("ERROR"), 0U);
}

TEST_F(EventStreamTest, AHandlerThatFailsCutsTheStream) {
  bench.app.get("/events", [](HTTPExchange& exchange) -> Task<> {
    web::EventStream events(exchange);
    co_await events.send("one");
    throw std::runtime_error("no more");
  });
  bench.client().send(kAsk);
  const RawResponse response = read();
  EXPECT_TRUE(response.truncated);
  EXPECT_EQ(bench.log.count("no more"), 1U);
}

TEST_F(EventStreamTest, ItIsNotCompressed) {
  bench.app.get("/events", [](HTTPExchange& exchange) -> Task<> {
    web::EventStream events(exchange);
    co_await events.send(std::string(5000, 'x'));
  });
  HTTPServerOptions options;
  options.compress_response = ResponseCompression{};
  bench.server = std::make_unique<HTTPServer>(bench.loop, bench.app, options);
  const RawResponse response = bench.get("/events", "Accept-Encoding: gzip\r\n");
  EXPECT_FALSE(response.has_field("Content-Encoding"));
  EXPECT_EQ(response.body, "data: " + std::string(5000, 'x') + "\n\n");
}

TEST_F(EventStreamTest, AResponseThatHasBegunIsNoStream) {
  std::string why;
  bench.app.get("/events", [&](HTTPExchange& exchange) -> Task<> {
    exchange.respond({}, "text");
    try {
      const web::EventStream events(exchange);
    } catch (const std::logic_error& error) {
      why = error.what();
    }
    co_return;
  });
  EXPECT_EQ(bench.get("/events").body, "text");
  EXPECT_EQ(why, "the response has been started already");
}

}  // namespace
}  // namespace coronado::web_test
