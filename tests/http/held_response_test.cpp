#include "http/held_response.hpp"

#include <coronado/coro/timeout.hpp>
#include <coronado/http/header_block.hpp>

#include "tests/http/server_fixture.hpp"

namespace coronado::http_test {
namespace {

using namespace std::chrono_literals;
/// Answers while it is held, does `then`, and lets go.
void add_held(
    ServerBench& bench, std::function<void(HTTPExchange&)> answer,
    std::function<void(HTTPExchange&)> then = [](HTTPExchange&) {}) {
  bench.service.on("/held", [answer, then](HTTPExchange& exchange) -> Task<> {
    exchange.hold_response();
    answer(exchange);
    co_await sleep(1ms);
    then(exchange);
    exchange.release_response();
  });
}

RawResponse ask_held(ServerBench& bench, const std::string& method = "GET") {
  auto client = bench.connect();
  return bench.run(ask(*client, method + " /held HTTP/1.1\r\nHost: x\r\n\r\n",
                       method == "HEAD" ? RawRequestKind::kHead : RawRequestKind::kUsual));
}

TEST(HeldResponse, ItsHeadCanBeChangedUntilItIsReleased) {
  ServerBench bench;
  std::string cookie = "early";
  add_held(
      bench,
      [&cookie](HTTPExchange& exchange) {
        exchange.edit_head([&cookie](int status, HeaderBlock& fields) {
          fields.set("X-Seen", std::to_string(status));
          fields.set("X-Cookie", cookie);
        });
        respond_text(exchange, "held", 203);
        EXPECT_TRUE(exchange.started());
        EXPECT_TRUE(exchange.finished());
        EXPECT_TRUE(exchange.response_held());
        EXPECT_EQ(exchange.status(), 203);
        EXPECT_THROW(respond_text(exchange, "again"), std::logic_error);
      },
      [&cookie](HTTPExchange&) { cookie = "late"; });
  const RawResponse response = ask_held(bench);
  EXPECT_EQ(response.status, 203);
  EXPECT_EQ(response.body, "held");
  EXPECT_EQ(response.field("X-Seen"), "203");
  EXPECT_EQ(response.field("X-Cookie"), "late");
  EXPECT_EQ(response.field("Content-Type"), "text/plain");
}

TEST(HeldResponse, AfterADropAnotherCanBeGiven) {
  ServerBench bench;
  add_held(
      bench, [](HTTPExchange& exchange) { respond_text(exchange, "first"); },
      [](HTTPExchange& exchange) {
        exchange.drop_response();
        EXPECT_FALSE(exchange.started());
        EXPECT_EQ(exchange.status(), 0);
        respond_text(exchange, "second", 500);
      });
  const RawResponse response = ask_held(bench);
  EXPECT_EQ(response.status, 500);
  EXPECT_EQ(response.body, "second");
}

TEST(HeldResponse, OneInPiecesLeavesAtOnce) {
  ServerBench bench;
  add_held(bench, [](HTTPExchange& exchange) {
    exchange.start({}, std::nullopt, "one ");
    EXPECT_FALSE(exchange.response_held());
    exchange.write("two");
    exchange.finish();
  });
  EXPECT_EQ(ask_held(bench).body, "one two");
}

TEST(HeldResponse, TheAnswerToHeadTellsItsLength) {
  ServerBench bench;
  add_held(bench, [](HTTPExchange& exchange) {
    exchange.start({}, 1000);
    EXPECT_TRUE(exchange.response_held());
    exchange.write(std::string(1000, 'x'));  // which is not sent
    exchange.finish();
  });
  const RawResponse response = ask_held(bench, "HEAD");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.field("Content-Length"), "1000");
}

TEST(HeldResponse, MoreThanItsLengthCutsTheConnection) {
  ServerBench bench;
  add_held(bench, [](HTTPExchange& exchange) {
    exchange.start({}, 3, "all");
    EXPECT_THROW(exchange.write("more"), std::logic_error);
  });
  EXPECT_EQ(bench.exchange_to_end("GET /held HTTP/1.1\r\nHost: x\r\n\r\n"), "");
}

TEST(HeldResponse, AnEditorThatThrowsSendsNothing) {
  ServerBench bench;
  add_held(bench, [](HTTPExchange& exchange) {
    exchange.edit_head([](int, HeaderBlock&) { throw std::runtime_error("no head today"); });
    respond_text(exchange, "held");
  });
  EXPECT_EQ(ask_held(bench).status, 500);
  EXPECT_EQ(bench.log.count("no head today"), 1U);
}

TEST(HeldResponse, NobodyWaitsForOneWhoseClientHasGone) {
  ServerBench bench;
  bool released = false;
  add_held(
      bench, [](HTTPExchange& exchange) { respond_text(exchange, "held"); },
      [&released](HTTPExchange&) { released = true; });
  auto client = bench.connect();
  client->send("GET /held HTTP/1.1\r\nHost: x\r\n\r\n");
  bench.settle();
  client->close();
  bench.run([]() -> Task<> { co_await sleep(10ms); }());
  EXPECT_TRUE(released);  // it has said what it had to say: what was begun is brought to its end
  EXPECT_EQ(bench.service.done, (std::vector<std::string>{"200 GET /held"}));
}

}  // namespace
}  // namespace coronado::http_test
