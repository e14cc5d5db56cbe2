#include <coronado/web/request_handler.hpp>

#include <coronado/http/headers.hpp>
#include <coronado/http/httputil.hpp>
#include <coronado/http/multipart.hpp>

#include <functional>

#include "tests/web/web_fixture.hpp"

namespace coronado::web_test {
namespace {

/// A handler that does what the test says, and writes down what happens to it.
struct Script {
  std::function<Task<>(web::RequestHandler&)> run;
  std::function<Task<>(web::RequestHandler&)> before = [](web::RequestHandler&) -> Task<> {
    return {};
  };
  std::function<void(web::RequestHandler&)> defaults = [](web::RequestHandler&) {};
  std::function<void(web::RequestHandler&, int)> error_page;
  std::string events;
};

class Scripted : public web::RequestHandler {
 public:
  explicit Scripted(Script* script) : script_(*script) {}
  Task<> get() override { return script_.run(*this); }
  Task<> post() override { return script_.run(*this); }
  Task<> prepare() override { return script_.before(*this); }
  void set_default_headers() override { script_.defaults(*this); }
  void on_finish() override { script_.events += "finish"; }
  void on_connection_close() override { script_.events += "close "; }
  void write_error(int status, const std::exception_ptr& error) override {
    if (!script_.error_page) return RequestHandler::write_error(status, error);
    script_.error_page(*this, status);
  }

 private:
  Script& script_;
};

struct HandlerBench : WebBench {
  HandlerBench() { app.add<Scripted>("/h", &script); }

  /// What `run` is answered with.
  RawResponse serve(std::function<Task<>(web::RequestHandler&)> run, std::string_view target = "/h",
                    std::string_view fields = "") {
    script.run = std::move(run);
    return get(target, fields);
  }
  /// The same for what never waits.
  RawResponse now(std::function<void(web::RequestHandler&)> run, std::string_view target = "/h",
                  std::string_view fields = "") {
    return serve(
        [run = std::move(run)](web::RequestHandler& handler) -> Task<> {
          run(handler);
          return {};
        },
        target, fields);
  }

  Script script;
};

using web::RequestHandler;

// --- arguments -----------------------------------------------------------------------------------

TEST(RequestHandler, ArgumentsOfQueryAndBody) {
  HandlerBench bench;
  bench.script.run = [](RequestHandler& handler) -> Task<> {
    handler.write(handler.get_argument("foo") + "|" + handler.get_query_argument("foo") + "|" +
                  handler.get_body_argument("foo") + "|");
    for (const std::string& each : handler.get_arguments("foo")) handler.write(each + ",");
    handler.write("|" + handler.get_argument("nope", "fallback"));
    handler.write("|" + std::to_string(handler.get_query_arguments("foo").size()));
    handler.write(std::to_string(handler.get_body_arguments("foo").size()));
    handler.write(std::to_string(handler.get_arguments("nope").size()));
    co_return;
  };
  EXPECT_EQ(bench.post_form("/h?foo=bar&foo=+q2%20", "foo=hello").body,
            "hello|q2|hello|bar,q2,hello,|fallback|210");
}

TEST(RequestHandler, BodyOfAnotherTypeHasNoArguments) {
  HandlerBench bench;
  bench.script.run = [](RequestHandler& handler) -> Task<> {
    handler.write(handler.get_argument("foo", "none"));
    co_return;
  };
  EXPECT_EQ(bench.request("POST", "/h", "Content-Type: text/plain\r\n", "foo=hello").body, "none");
  EXPECT_EQ(bench
                .request("POST", "/h",
                         "Content-Type: Application/X-WWW-Form-Urlencoded; charset=utf-8\r\n",
                         "foo=hello")
                .body,
            "hello");
}

TEST(RequestHandler, MissingAndInvalidArgumentsAre400) {
  HandlerBench bench;
  EXPECT_EQ(bench.now([](RequestHandler& h) { h.get_argument("foo"); }).status, 400);
  EXPECT_EQ(bench.log.count("400 GET /h (127.0.0.1): Missing argument foo"), 1U);
  EXPECT_EQ(bench.now([](RequestHandler& h) { h.get_body_argument("foo"); }, "/h?foo=1").status,
            400);
  EXPECT_EQ(bench.now([](RequestHandler& h) { h.get_argument("foo"); }, "/h?foo=%FF").status, 400);
  EXPECT_EQ(bench.log.count("invalid unicode in argument foo"), 1U);
  EXPECT_EQ(
      bench.now([](RequestHandler& h) { h.write(h.get_argument("foo")); }, "/h?foo=%C3%A9").body,
      "\xC3\xA9");
  EXPECT_EQ(
      bench.now([](RequestHandler& h) { h.write(h.get_argument("foo")); }, "/h?foo=a%01b%0A").body,
      "a b");
  EXPECT_EQ(
      bench.now([](RequestHandler& h) { h.write(h.get_argument("a b", "?")); }, "/h?a+b=1").body,
      "1");
}

TEST(RequestHandler, EarlyHints) {
  HandlerBench bench;
  const RawResponse hint = bench.now([](web::RequestHandler& handler) {
    handler.send_early_hints({"</a.css>; rel=preload; as=style", "</b.js>; rel=preload"});
    EXPECT_THROW(handler.send_early_hints({"a\nb"}), std::invalid_argument);
    handler.write("page");
    handler.flush();
    EXPECT_THROW(handler.send_early_hints({"</late.css>"}), std::logic_error);
  });
  EXPECT_EQ(hint.status, 103);
  EXPECT_EQ(hint.field("Link"), "</a.css>; rel=preload; as=style");
  EXPECT_EQ(hint.body, "");
  const RawResponse page =
      bench.loop.run_sync(bench.connection->read_response(RawRequestKind::kUsual), Duration(1h));
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.body, "page");
}

TEST(RequestHandler, MultipartForms) {
  WebBench bench;
  struct Form : RequestHandler {
    Task<> post() override {
      write(get_body_argument("note") + "|" + get_argument("note"));
      for (const HTTPFile& file : request().files()) {
        write("|" + file.name + "," + file.filename + "," + file.content_type + "," + file.body);
      }
      co_return;
    }
  };
  bench.app.add<Form>("/form");
  const std::string body =
      "--b\r\nContent-Disposition: form-data; name=note\r\n\r\nhello\r\n"
      "--b\r\nContent-Disposition: form-data; name=f; filename=g\r\n\r\ncontent\r\n--b--\r\n";
  const std::string type = "Content-Type: multipart/form-data; boundary=b\r\n";
  EXPECT_EQ(bench.request("POST", "/form", type, body).body,
            "hello|hello|f,g,application/unknown,content");
  EXPECT_EQ(bench.request("POST", "/form", type, body.substr(0, 90)).status, 400);
  EXPECT_EQ(bench.request("POST", "/form", "Content-Type: multipart/form-data\r\n", body).status,
            400);
  EXPECT_EQ(bench.request("POST", "/form", type + "Content-Encoding: gzip\r\n", body).status, 400);
  EXPECT_EQ(bench.log.count("unsupported Content-Encoding of a form: \"gzip\""), 1U);
}

TEST(RequestHandler, PathArguments) {
  WebBench bench;
  struct Paths : RequestHandler {
    Task<> get() override {
      write(path_argument(0UL) + "|" + path_argument("second"));
      EXPECT_THROW(path_argument(2UL), std::out_of_range);
      EXPECT_THROW(path_argument("third"), std::out_of_range);
      co_return;
    }
  };
  bench.app.add<Paths>("/p/{first}/{second}");
  EXPECT_EQ(bench.get("/p/a%2Fb/c+d").body, "a/b|c+d");
  EXPECT_EQ(bench.get("/p/a/%FF").status, 400);
}

// --- head ----------------------------------------------------------------------------------------

TEST(RequestHandler, DefaultHeaders) {
  HandlerBench bench;
  const RawResponse plain = bench.now([](RequestHandler& h) { h.write("x"); });
  EXPECT_EQ(plain.field("Content-Type"), "text/html; charset=UTF-8");
  EXPECT_EQ(plain.field("Server"), "Coronado");
  EXPECT_EQ(plain.field("Content-Length"), "1");
  bench.script.defaults = [](RequestHandler& h) {
    h.set_header("Server", "Mine");
    h.set_header("X-Default", "1");
  };
  const RawResponse own = bench.now([](RequestHandler& h) { h.set_header("content-type", "a/b"); });
  EXPECT_EQ(own.count("Server"), 1U);
  EXPECT_EQ(own.field("Server"), "Mine");
  EXPECT_EQ(own.count("Content-Type"), 1U);
  EXPECT_EQ(own.field("Content-Type"), "a/b");
  const RawResponse failed = bench.now([](RequestHandler&) { throw HTTPError(503); });
  EXPECT_EQ(failed.status, 503);
  EXPECT_EQ(failed.field("X-Default"), "1");
}

TEST(RequestHandler, HeadersAreReplacedAddedAndCleared) {
  HandlerBench bench;
  const RawResponse response = bench.now([](RequestHandler& h) {
    h.set_header("X-A", "1");
    h.set_header("x-a", "2");
    h.add_header("X-B", "1");
    h.add_header("X-B", "2");
    h.set_header("X-C", "3");
    h.clear_header("X-c");
    h.clear_header("Content-Type");
    h.set_header("X-N", std::int64_t{-5});
    h.set_header("Date", "today");
  });
  EXPECT_EQ(response.count("X-A"), 1U);
  EXPECT_EQ(response.field("X-A"), "2");
  EXPECT_EQ(response.count("X-B"), 2U);
  EXPECT_FALSE(response.has_field("X-C"));
  EXPECT_FALSE(response.has_field("Content-Type"));
  EXPECT_EQ(response.field("X-N"), "-5");
  EXPECT_EQ(response.count("Date"), 1U);
  EXPECT_EQ(response.field("Date"), "today");
}

TEST(RequestHandler, InjectionsAreRefused) {
  HandlerBench bench;
  const RawResponse response = bench.now([](RequestHandler& h) {
    for (const char* value : {"a\r\nX-Injected: 1", "a\nb", "a\rb", "a\x7f", "a\x01"}) {
      EXPECT_THROW(h.set_header("X-A", value), std::invalid_argument) << value;
      EXPECT_THROW(h.add_header("X-A", value), std::invalid_argument) << value;
    }
    EXPECT_THROW(h.set_header("X-A", std::string_view("a\0b", 3)), std::invalid_argument);
    for (const char* name : {"", "X A", "X:A", "X\r\nA", "X\xC3\xA9"}) {
      EXPECT_THROW(h.set_header(name, "a"), std::invalid_argument) << name;
    }
    EXPECT_THROW(h.set_cookie("a", "b\r\nX-Injected: 1"), std::invalid_argument);
    EXPECT_THROW(h.set_cookie("a;b", "c"), std::invalid_argument);
    EXPECT_THROW(h.set_cookie("a", "b", {.path = "/; Domain=x"}), std::invalid_argument);
    EXPECT_THROW(h.set_status(99), std::invalid_argument);
    EXPECT_THROW(h.set_status(1000), std::invalid_argument);
    h.write("fine");
  });
  EXPECT_EQ(response.body, "fine");
  EXPECT_FALSE(response.has_field("X-A"));
  EXPECT_FALSE(response.has_field("X-Injected"));
  const RawResponse redirect =
      bench.now([](RequestHandler& h) { h.redirect("/x\r\nX-Injected: 1"); });
  EXPECT_EQ(redirect.status, 500);
  EXPECT_FALSE(redirect.has_field("X-Injected"));
}

TEST(RequestHandler, UnsuitableReasonsBecomeUnknown) {
  HandlerBench bench;
  const auto reason = [&](std::string_view text) {
    return bench.now([text](RequestHandler& h) { h.set_status(200, text); }).reason;
  };
  EXPECT_EQ(reason("OK\r\nX-Injection:1"), "Unknown");
  EXPECT_EQ(reason("<script>"), "Unknown");
  EXPECT_EQ(reason("Very Fine"), "Very Fine");
  EXPECT_EQ(reason(""), "OK");
  EXPECT_EQ(bench.now([](RequestHandler& h) { h.set_status(799); }).reason, "Unknown");
}

TEST(RequestHandler, Cookies) {
  HandlerBench bench;
  const RawResponse response = bench.now(
      [](RequestHandler& h) {
        h.write(std::string(*h.get_cookie("foo")) + "|" + std::string(*h.get_cookie("bar")));
        EXPECT_FALSE(h.get_cookie("nope"));
        h.set_cookie("a", "b");
        h.set_cookie("c", "d", {.http_only = true});
        h.set_cookie("a", "e");
        h.clear_cookie("gone");
      },
      "/h", "Cookie: foo=\"a\\073b\"; bar=a\\073b; bar=last\r\n");
  EXPECT_EQ(response.body, "a;b|last");
  std::vector<std::string> cookies;
  for (const auto& [name, value] : response.fields) {
    if (name == "Set-Cookie") cookies.push_back(value);
  }
  ASSERT_EQ(cookies.size(), 3U);
  EXPECT_EQ(cookies[0], "c=d; HttpOnly; Path=/");
  EXPECT_EQ(cookies[1], "a=e; Path=/");
  EXPECT_TRUE(cookies[2].starts_with("gone=; expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/") ||
              cookies[2].starts_with("gone=\"\"; expires=Thu, 01 Jan 1970"))
      << cookies[2];
}

TEST(RequestHandler, CookiesLeaveWithARedirect) {
  HandlerBench bench;
  const RawResponse response = bench.now([](RequestHandler& h) {
    h.set_cookie("a", "b");
    h.redirect("/elsewhere?x=1");
  });
  EXPECT_EQ(response.status, 302);
  EXPECT_EQ(response.field("Location"), "/elsewhere?x=1");
  EXPECT_EQ(response.field("Set-Cookie"), "a=b; Path=/");
  EXPECT_EQ(bench.now([](RequestHandler& h) { h.redirect("/e", true); }).status, 301);
}

TEST(RequestHandler, StatusesWithoutABody) {
  HandlerBench bench;
  for (const int status : {204, 304}) {
    const RawResponse response = bench.now([status](RequestHandler& h) {
      h.set_status(status);
      h.write("never sent");
      h.set_header("X-A", "1");
    });
    EXPECT_EQ(response.status, status);
    EXPECT_EQ(response.field("X-A"), "1");
    for (const char* name : {"Content-Type", "Content-Length", "Transfer-Encoding"}) {
      EXPECT_FALSE(response.has_field(name)) << name;
    }
  }
  EXPECT_EQ(bench.now([](RequestHandler& h) { h.write("next"); }).body, "next");
}

TEST(RequestHandler, FramingIsTheServers) {
  HandlerBench bench;
  const RawResponse response = bench.now([](RequestHandler& h) {
    h.set_header("Content-Length", "400");
    h.set_header("Transfer-Encoding", "chunked");
    h.write("four");
  });
  EXPECT_EQ(response.count("Content-Length"), 1U);
  EXPECT_EQ(response.body, "four");
  EXPECT_FALSE(response.chunked);
  const RawResponse close =
      bench.now([](RequestHandler& h) { h.set_header("Connection", "close"); });
  EXPECT_EQ(close.count("Connection"), 1U);
  EXPECT_EQ(close.field("Connection"), "close");
  EXPECT_EQ(bench.loop.run_sync(bench.client().read_to_end()), "");
}

TEST(RequestHandler, HeadMayTellALength) {
  WebBench bench;
  struct Large : RequestHandler {
    Task<> get() override { refuse(); }
    [[noreturn]] void refuse() { throw HTTPError(500); }
    Task<> head() override {
      set_header("Content-Length", std::int64_t{123456});
      co_return;
    }
  };
  bench.app.add<Large>("/large");
  EXPECT_EQ(bench.request("HEAD", "/large").field("Content-Length"), "123456");
  EXPECT_EQ(bench.request("HEAD", "/large").status, 200);
}

// --- order ---------------------------------------------------------------------------------------

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
  EXPECT_EQ(bench.log.count("418 GET /h (127.0.0.1): log only"), 1U);
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

TEST(RequestHandler, TrailersFollowTheBody) {
  WebBench bench;
  struct Summed : RequestHandler {
    Task<> get() override {
      write("one");
      set_trailer("X-First", "1");
      EXPECT_THROW(set_trailer("Content-Type", "x"), std::invalid_argument);
      if (request().query() == "flush") {
        co_await flush();
        write("two");
        set_trailer("X-Second", "2");
      }
    }
  };
  bench.app.add<Summed>("/");
  RawResponse whole = bench.get("/", "TE: trailers\r\n");
  EXPECT_EQ(whole.body, "one");
  EXPECT_EQ(whole.field("Trailer"), "X-First");
  ASSERT_EQ(whole.trailers.size(), 1U);
  EXPECT_EQ(whole.trailers[0].second, "1");
  RawResponse pieces = bench.get("/?flush", "TE: trailers\r\n");
  EXPECT_EQ(pieces.body, "onetwo");
  EXPECT_EQ(pieces.trailers.size(), 2U);
  whole = bench.get("/");
  EXPECT_EQ(whole.body, "one");
  EXPECT_FALSE(whole.chunked);
  EXPECT_FALSE(whole.has_field("Trailer"));
  EXPECT_TRUE(bench.get("/?flush").trailers.empty());
}

struct TaggedPage : web::RequestHandler {
  Task<> get() override {
    set_header("Content-Language", "en");
    write("a page");
    if (!get_argument("flush", "").empty()) co_await flush();
    if (!get_argument("status", "").empty()) set_status(203);
  }
  Task<> post() override { return get(); }
};

TEST(RequestHandler, AutomaticEntityTags) {
  WebBench bench;
  bench.app.set_automatic_etags(true).add<TaggedPage>("/page");
  const RawResponse page = bench.get("/page");
  const std::string etag = page.field("ETag");
  EXPECT_EQ(etag, make_etag("a page"));
  for (const std::string& field : {etag, "W/" + etag, "\"other\", " + etag, std::string("*")}) {
    const RawResponse same = bench.get("/page", "If-None-Match: " + field + "\r\n");
    EXPECT_EQ(same.status, 304) << field;
    EXPECT_EQ(same.field("ETag"), etag);
    EXPECT_FALSE(same.has_field("Content-Language"));
    EXPECT_FALSE(same.has_field("Content-Length"));
    EXPECT_EQ(same.body, "");
  }
  EXPECT_EQ(bench.get("/page", "If-None-Match: \"other\"\r\n").body, "a page");
  EXPECT_EQ(bench.request("HEAD", "/page", "If-None-Match: " + etag + "\r\n").status, 304);
  // Not of what changes something, is no plain success, or has left already.
  EXPECT_FALSE(bench.request("POST", "/page", "", "x").has_field("ETag"));
  EXPECT_FALSE(bench.get("/page?status=203").has_field("ETag"));
  EXPECT_FALSE(bench.get("/page?flush=1").has_field("ETag"));
  bench.app.set_automatic_etags(false);
  EXPECT_FALSE(bench.get("/page").has_field("ETag"));
}

struct Breaks : web::RequestHandler {
  Task<> get() override { throw std::runtime_error("what <b>broke</b>"); }
};

TEST(RequestHandler, TracebacksAreServedOnlyWhenAskedFor) {
  WebBench bench;
  bench.app.add<Breaks>("/class/{id}");
  bench.app.get("/function/{id}",
                [](std::string) -> std::string { throw std::runtime_error("what <b>broke</b>"); });
  constexpr std::string_view fields =
      "Cookie: secret=1\r\nX-Seen: yes\r\nAuthorization: Basic eA==\r\n";
  for (const char* path : {"/class/7?x=<i>", "/function/7?x=<i>"}) {
    bench.app.set_serve_traceback(false);
    EXPECT_EQ(bench.get(path, fields).body.find("broke"), std::string::npos);
    bench.app.set_serve_traceback(true);
    const RawResponse page = bench.get(path, fields);
    EXPECT_EQ(page.status, 500);
    EXPECT_NE(page.body.find("std::runtime_error"), std::string::npos) << path;
    EXPECT_NE(page.body.find("what &lt;b&gt;broke&lt;/b&gt;"), std::string::npos);
    EXPECT_NE(page.body.find("<th scope=\"row\">id</th><td>7</td>"), std::string::npos);
    EXPECT_NE(page.body.find("X-Seen"), std::string::npos);
    EXPECT_EQ(page.body.find("secret=1"), std::string::npos);
    EXPECT_EQ(page.body.find("eA=="), std::string::npos);
    EXPECT_EQ(page.body.find("<i>"), std::string::npos);
  }
}

}  // namespace
}  // namespace coronado::web_test
