#include <coronado/web/request_handler.hpp>

#include <coronado/http/headers.hpp>
#include <coronado/http/httputil.hpp>

#include "tests/web/handler_fixture.hpp"

namespace coronado::web_test {
namespace {

using web::RequestHandler;

TEST(RequestHandler, PrepareMayFinish) {
  HandlerBench bench;
  bool ran = false;
  bench.script.before = [](RequestHandler& h) -> Task<> {
    co_await sleep(1s);
    h.set_status(403);
    h.finish("stop");
  };
  const RawResponse response = bench.now([&](RequestHandler&) { ran = true; });
  EXPECT_EQ(response.status, 403);
  EXPECT_EQ(response.body, "stop");
  EXPECT_FALSE(ran);
  EXPECT_EQ(bench.script.events, "finish");
  bench.script.before = [](RequestHandler&) -> Task<> { throw HTTPError(401); };
  EXPECT_EQ(bench.now([&](RequestHandler&) { ran = true; }).status, 401);
  EXPECT_FALSE(ran);
  EXPECT_EQ(bench.script.events, "finishfinish");
}

TEST(RequestHandler, FinishOnce) {
  HandlerBench bench;
  const RawResponse response = bench.now([](RequestHandler& h) {
    h.write("a");
    h.finish("b");
    EXPECT_TRUE(h.finished());
    EXPECT_THROW(h.finish(), std::logic_error);
    EXPECT_THROW(h.write("c"), std::logic_error);
    EXPECT_THROW(h.flush(), std::logic_error);
  });
  EXPECT_EQ(response.body, "ab");
  EXPECT_EQ(bench
                .now([](RequestHandler& h) {
                  h.write("kept");
                  throw web::Finish{};
                })
                .body,
            "kept");
}

TEST(RequestHandler, FlushedResponses) {
  HandlerBench bench;
  const auto flushing = [](RequestHandler& h) -> Task<> {
    h.write("0123456789");
    co_await h.flush();
    EXPECT_THROW(h.redirect("/late"), std::logic_error);
    h.write("abcde");
  };
  const RawResponse chunked = bench.serve(flushing);
  EXPECT_TRUE(chunked.chunked);
  EXPECT_EQ(chunked.body, "0123456789abcde");
  const RawResponse known = bench.serve([&](RequestHandler& h) -> Task<> {
    h.set_header("Content-Length", std::int64_t{15});
    co_await flushing(h);
  });
  EXPECT_FALSE(known.chunked);
  EXPECT_EQ(known.count("Content-Length"), 1U);
  EXPECT_EQ(known.body, "0123456789abcde");
  const RawResponse excess = bench.serve([&](RequestHandler& h) -> Task<> {
    h.set_header("Content-Length", std::int64_t{12});
    co_await flushing(h);
  });
  EXPECT_TRUE(excess.truncated);
}

TEST(RequestHandler, FailureAfterFlushCutsTheConnection) {
  HandlerBench bench;
  const RawResponse response = bench.serve([](RequestHandler& h) -> Task<> {
    h.write("half");
    co_await h.flush();
    throw HTTPError(500, "too late");
  });
  EXPECT_EQ(response.status, 200);
  EXPECT_TRUE(response.truncated);
  EXPECT_EQ(bench.script.events, "finish");
}

TEST(RequestHandler, ErrorsBecomePages) {
  HandlerBench bench;
  const RawResponse broken = bench.now([](RequestHandler& h) {
    h.write("dropped");
    h.set_header("X-Dropped", "1");
    throw std::runtime_error("detail");
  });
  EXPECT_EQ(broken.status, 500);
  EXPECT_EQ(broken.body,
            "<html><title>500: Internal Server Error</title><body>500: Internal "
            "Server Error</body></html>");
  EXPECT_FALSE(broken.has_field("X-Dropped"));
  EXPECT_EQ(bench.log.count("uncaught exception GET /h (127.0.0.1): detail"), 1U);
  EXPECT_EQ(bench.now([](RequestHandler&) { throw 42; }).status, 500);
  const RawResponse reason =
      bench.now([](RequestHandler&) { throw HTTPError(418, "log only", "Short & Stout"); });
  EXPECT_EQ(reason.reason, "Short & Stout");
  EXPECT_NE(reason.body.find("418: Short &amp; Stout"), std::string::npos);
  EXPECT_EQ(bench.log.count("ms: log only"), 1U);
  EXPECT_EQ(bench.now([](RequestHandler& h) { h.send_error(404); }).status, 404);
}

TEST(RequestHandler, OwnErrorPages) {
  HandlerBench bench;
  bench.script.error_page = [](RequestHandler& h, int status) {
    h.set_header("Content-Type", "text/plain");
    h.finish("own " + std::to_string(status));
  };
  const RawResponse own = bench.now([](RequestHandler&) { throw HTTPError(404); });
  EXPECT_EQ(own.status, 404);
  EXPECT_EQ(own.body, "own 404");
  bench.script.error_page = [](RequestHandler&, int) { throw std::runtime_error("in the page"); };
  const RawResponse empty = bench.now([](RequestHandler&) { throw HTTPError(404); });
  EXPECT_EQ(empty.status, 500);
  EXPECT_EQ(empty.body, "");
  EXPECT_EQ(bench.log.count("uncaught exception in write_error: in the page"), 1U);
  bench.script.error_page = [](RequestHandler&, int) { throw 42; };
  EXPECT_EQ(bench.now([](RequestHandler&) { throw HTTPError(404); }).status, 500);
}

TEST(RequestHandler, OnFinishAlwaysRuns) {
  HandlerBench bench;
  bench.client().send("GET /h HTTP/1.1\r\nHost: x\r\n\r\n");
  bench.script.run = [](RequestHandler&) -> Task<> { co_await sleep(1h); };
  bench.loop.run_sync([](HandlerBench& bench) -> Task<> {
    co_await sleep(1s);
    bench.client().close();
    co_await sleep(1s);
  }(bench));
  EXPECT_EQ(bench.script.events, "close finish");
  EXPECT_EQ(bench.server->connection_count(), 0U);
}

TEST(RequestHandler, MayOutliveItsClient) {
  HandlerBench bench;
  bench.script.run = [&](RequestHandler& h) -> Task<> {
    h.set_cancel_on_close(false);
    co_await sleep(10s);
    bench.script.events += "worked ";
  };
  bench.client().send("GET /h HTTP/1.1\r\nHost: x\r\n\r\n");
  bench.loop.run_sync([](HandlerBench& bench) -> Task<> {
    co_await sleep(1s);
    bench.client().close();
    co_await sleep(20s);
  }(bench));
  EXPECT_EQ(bench.script.events, "close worked finish");
}

TEST(RequestHandler, OnFinishMayThrow) {
  WebBench bench;
  struct Throws : RequestHandler {
    Task<> get() override {
      write("fine");
      co_return;
    }
    void on_finish() override { throw 42; }
  };
  bench.app.add<Throws>("/");
  EXPECT_EQ(bench.get("/").body, "fine");
  EXPECT_EQ(bench.log.count("on_finish"), 1U);
}

struct Collection : RequestHandler {
  Task<> get() override {
    write("listed");
    co_return;
  }
  Task<> other_method() override {
    if (request().method() != "PROPFIND") throw HTTPError(405);
    set_status(207);
    write("properties");
    co_return;
  }
};

TEST(RequestHandler, MayAnswerMethodsThatHaveNoVerb) {
  WebBench bench;
  bench.app.add<Collection>("/c");
  bench.app.add<Scripted>("/other", static_cast<Script*>(nullptr));
  const RawResponse found = bench.request("PROPFIND", "/c");
  EXPECT_EQ(found.status, 207);
  EXPECT_EQ(found.body, "properties");
  const RawResponse refused = bench.request("BREW", "/c");
  EXPECT_EQ(refused.status, 405);
  EXPECT_EQ(refused.field("Allow"), "GET, HEAD, OPTIONS");
  EXPECT_EQ(bench.request("POST", "/c").status, 405);
  EXPECT_EQ(bench.request("PROPFIND", "/other").status, 405);
  EXPECT_EQ(bench.get("/c").body, "listed");
}

}  // namespace
}  // namespace coronado::web_test
