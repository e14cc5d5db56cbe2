// Class handlers that read bodies while they arrive.
#include <coronado/http/headers.hpp>
#include <coronado/http/httputil.hpp>

#include "tests/web/handler_fixture.hpp"

namespace coronado::web_test {
namespace {

using web::RequestHandler;

TEST(RequestHandler, ReadsStreamedBodies) {
  WebBench bench;
  struct Upload : RequestHandler {
    Task<> post() override {
      std::size_t total = 0;
      for (std::string piece = co_await read_body(); !piece.empty(); piece = co_await read_body()) {
        total += piece.size();
      }
      write(std::to_string(total));
    }
  };
  bench.app.add<Upload>("/upload", {.stream_body = true});
  EXPECT_EQ(bench.request("POST", "/upload", "", std::string(300'000, 'x')).body, "300000");
}

/// Copies the body to the response, piece by piece. A client that has gone is no reason to stop.
struct Copy : RequestHandler {
  using RequestHandler::RequestHandler;
  Task<> post() override {
    set_cancel_on_close(false);
    co_await flush();
    for (std::string piece = co_await read_body(); !piece.empty(); piece = co_await read_body()) {
      write(piece);
      co_await flush();
    }
  }
};

constexpr std::string_view kHalfABody =
    "POST /copy HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc";

TEST(RequestHandler, AClientThatStopsSendingIsAnAccessLine) {
  WebBench bench;
  bench.app.add<Copy>("/copy", {.stream_body = true});
  bench.client().send(kHalfABody);
  bench.loop.run_sync(bench.client().read_to_end(), 1h);
  EXPECT_EQ(bench.log.count("warning coronado.access 408 POST /copy (127.0.0.1)"), 1U);
  EXPECT_EQ(bench.log.count("error"), 0U) << bench.log.lines.back();
}

TEST(RequestHandler, AClientThatGoesAwayIsAnAccessLine) {
  WebBench bench;
  bench.app.add<Copy>("/copy", {.stream_body = true});
  bench.client().send(kHalfABody);
  bench.loop.run_sync([]() -> Task<> { co_await sleep(1s); }());
  bench.client().close();
  bench.loop.run_sync([]() -> Task<> { co_await sleep(1s); }());
  ASSERT_EQ(bench.log.lines.size(), 1U) << bench.log.lines.back();
  EXPECT_TRUE(bench.log.lines[0].starts_with("info coronado.access 200 POST /copy (127.0.0.1)"))
      << bench.log.lines[0];
  EXPECT_TRUE(bench.log.lines[0].ends_with("client gone")) << bench.log.lines[0];
}

/// Counts what comes; slow to take it.
struct Receiver : RequestHandler {
  struct Seen {
    std::string events;
    std::size_t most = 0;
  };
  explicit Receiver(Seen* seen) : seen_(seen) {}
  Task<> prepare() override {
    seen_->events += "prepare ";
    if (request().header("X-Refuse")) throw HTTPError(403);
    co_return;
  }
  Task<> data_received(std::string_view chunk) override {
    total_ += chunk.size();
    seen_->most = std::max(seen_->most, chunk.size());
    if (chunk.find('!') != std::string_view::npos) finish("enough");
    co_await sleep(1s);
  }
  Task<> post() override {
    seen_->events += "post ";
    EXPECT_EQ(co_await read_body(), "");
    write(std::to_string(total_) + request().trailers().to_string());
  }
  void on_connection_close() override { seen_->events += "close "; }
  void on_finish() override { seen_->events += "finish"; }

 private:
  Seen* seen_;
  std::size_t total_ = 0;
};

TEST(RequestHandler, DataReceivedGetsTheBodyAsItComes) {
  WebBench bench;
  Receiver::Seen seen;
  bench.app.add<Receiver>("/", &seen);
  EXPECT_EQ(bench.request("POST", "/", "", std::string(3'000'000, 'x')).body, "3000000");
  EXPECT_EQ(seen.events, "prepare post finish");
  EXPECT_LE(seen.most, 256U * 1024);  // the client was slowed down
  EXPECT_EQ(bench.request("POST", "/", "", "abc").body, "3");
  EXPECT_EQ(bench.request("POST", "/").body, "0");
  bench.client().send(
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nX: "
      "y\r\n\r\n");
  EXPECT_EQ(bench.loop.run_sync(bench.client().read_response(), 1h).body, "2X: y\r\n");
}

TEST(RequestHandler, DataReceivedIsNotCalledForWhatPrepareRefuses) {
  WebBench bench;
  Receiver::Seen seen;
  bench.app.add<Receiver>("/", &seen);
  bench.client().send(
      "POST / HTTP/1.1\r\nHost: x\r\nX-Refuse: 1\r\nExpect: 100-continue\r\nContent-Length: "
      "3\r\n\r\n");
  // Nor was the client told to send it.
  const std::string all = bench.loop.run_sync(bench.client().read_to_end(), 1h);
  EXPECT_TRUE(all.starts_with("HTTP/1.1 403 ")) << all;
  EXPECT_EQ(seen.events, "prepare finish");
}

TEST(RequestHandler, DataReceivedMayEndTheRequest) {
  WebBench bench;
  Receiver::Seen seen;
  bench.app.add<Receiver>("/", &seen);
  EXPECT_EQ(bench.request("POST", "/", "", "no more!").body, "enough");
  bench.loop.run_sync([]() -> Task<> { co_await sleep(5s); }());
  EXPECT_EQ(seen.events, "prepare finish");
}

TEST(RequestHandler, AClientThatGoesAwayWhileSendingGetsNoVerb) {
  WebBench bench;
  Receiver::Seen seen;
  bench.app.add<Receiver>("/", &seen);
  bench.client().send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
  bench.loop.run_sync([]() -> Task<> { co_await sleep(5s); }());
  bench.client().close();
  bench.loop.run_sync([]() -> Task<> { co_await sleep(1s); }());
  EXPECT_EQ(seen.events, "prepare close finish");
}

}  // namespace
}  // namespace coronado::web_test
