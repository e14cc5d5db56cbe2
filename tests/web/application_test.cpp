#include <coronado/web/application.hpp>

#include <coronado/http/multipart.hpp>
#include <coronado/web/middleware.hpp>

#include "tests/web/web_fixture.hpp"

namespace coronado::web_test {
namespace {

struct Item : web::RequestHandler {
  Task<> get() override {
    write("item " + path_argument("id"));
    co_return;
  }
  Task<> put() override {
    write("put " + path_argument(std::size_t{0}));
    return {};
  }
};

struct Greeter : web::RequestHandler {
  Greeter(std::string greeting, int times) : greeting_(std::move(greeting)), times_(times) {}
  Task<> get() override {
    for (int i = 0; i < times_; ++i) write(greeting_);
    co_return;
  }

 private:
  std::string greeting_;
  int times_;
};

TEST(Application, UnknownPathIs404) {
  WebBench bench;
  bench.app.get("/", [] { return "home"; });
  const RawResponse response = bench.get("/nope");
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.body, "<html><title>404: Not Found</title><body>404: Not Found</body></html>");
  EXPECT_EQ(response.field("Content-Type"), "text/html; charset=UTF-8");
  EXPECT_EQ(bench.request("POST", "/nope").status, 404);
  EXPECT_EQ(bench.request("OPTIONS", "/nope").status, 404);
}

TEST(Application, NotFoundCanBeAnswered) {
  WebBench bench;
  bench.app.not_found([](const HTTPServerRequest& request) {
    return web::text("nothing at " + std::string(request.path()), 404);
  });
  const RawResponse response = bench.get("/nope");
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.body, "nothing at /nope");
}

TEST(Application, WrongMethodIs405WithAllow) {
  WebBench bench;
  bench.app.add<Item>("/items/{id}");
  bench.app.get("/f", [] { return "f"; });
  bench.app.post("/f", [] { return "posted"; });
  for (const char* method : {"POST", "DELETE", "FOO", "get"}) {
    SCOPED_TRACE(method);
    const RawResponse response = bench.request(method, "/items/1");
    EXPECT_EQ(response.status, 405);
    EXPECT_EQ(response.field("Allow"), "GET, HEAD, PUT, OPTIONS");
    EXPECT_EQ(
        response.body,
        "<html><title>405: Method Not Allowed</title><body>405: Method Not Allowed</body></html>");
  }
  EXPECT_EQ(bench.request("PATCH", "/f").field("Allow"), "GET, HEAD, POST, OPTIONS");
  EXPECT_EQ(bench.request("PUT", "/items/7").body, "put 7");
}

TEST(Application, HeadIsAnsweredByGet) {
  WebBench bench;
  bench.app.add<Item>("/items/{id}");
  bench.app.get("/f", [] { return "1234"; });
  const RawResponse by_class = bench.request("HEAD", "/items/1");
  EXPECT_EQ(by_class.status, 200);
  EXPECT_EQ(by_class.field("Content-Length"), "6");
  const RawResponse by_function = bench.request("HEAD", "/f");
  EXPECT_EQ(by_function.field("Content-Length"), "4");
  EXPECT_EQ(bench.get("/f").body, "1234");
}

TEST(Application, OptionsNameTheMethods) {
  WebBench bench;
  bench.app.add<Item>("/items/{id}");
  const RawResponse response = bench.request("OPTIONS", "/items/1");
  EXPECT_EQ(response.status, 204);
  EXPECT_EQ(response.field("Allow"), "GET, HEAD, PUT, OPTIONS");
  EXPECT_FALSE(response.has_field("Content-Length"));
  EXPECT_EQ(bench.request("OPTIONS", "*").status, 204);
}

TEST(Application, HandlersGetTheirArguments) {
  WebBench bench;
  bench.app.add<Greeter>("/greet", std::string("hi "), 2);
  EXPECT_EQ(bench.get("/greet").body, "hi hi ");
  EXPECT_EQ(bench.get("/greet").body, "hi hi ");
}

TEST(Application, WhatIsWrongWithARequestIsInItsLineOfTheLog) {
  WebBench bench;
  struct Form : web::RequestHandler {
    Task<> post() override {
      write(get_body_argument("name"));
      co_return;
    }
  };
  bench.app.add<Form>("/class");
  bench.app.post("/function", [](const HTTPServerRequest& request) {
    return std::to_string(request.body_arguments().size());
  });
  bench.app.get("/forbidden", []() -> std::string { throw HTTPError(403, "not\nyours"); });
  for (const char* path : {"/class", "/function"}) {
    const std::size_t before = bench.log.lines.size();
    const RawResponse response = bench.request(
        "POST", path, "Content-Type: multipart/form-data; boundary=b\r\n", "--b\r\nX");
    EXPECT_EQ(response.status, 400);
    ASSERT_EQ(bench.log.lines.size(), before + 1) << bench.log.lines.back();
    const std::string& line = bench.log.lines.back();
    EXPECT_TRUE(line.starts_with("warning coronado.access 400 POST " + std::string(path))) << line;
    EXPECT_NE(line.find("ms: "), line.npos) << line;
  }
  EXPECT_EQ(bench.get("/forbidden").status, 403);
  EXPECT_TRUE(bench.log.lines.back().ends_with("ms: not\\x0ayours")) << bench.log.lines.back();

  std::string said;
  bench.app.set_log_function([&](const HTTPExchange& exchange) {
    said = static_cast<const web::WebExchange&>(exchange).log_message();
  });
  EXPECT_EQ(bench.get("/forbidden").status, 403);
  EXPECT_EQ(said, "not\\x0ayours");
  bench.app.get("/", [] { return "well"; });
  EXPECT_EQ(bench.get("/").body, "well");
  EXPECT_EQ(said, "");
}

TEST(Application, HostRules) {
  WebBench bench;
  bench.app.get("/", [] { return "special"; }, {.host = "example.com"});
  bench.app.get("/", [] { return "any"; });
  EXPECT_EQ(bench.get("/").body, "special");  // in another case and with a port
  RawClient& client = bench.client();
  EXPECT_EQ(bench.loop.run_sync(ask(client, "GET / HTTP/1.1\r\nHost: other.com\r\n\r\n")).body,
            "any");
  EXPECT_EQ(
      bench.loop.run_sync(ask(client, "GET http://example.com/ HTTP/1.1\r\nHost: x\r\n\r\n")).body,
      "special");
}

TEST(Application, ReverseUrl) {
  web::Application app;
  app.get("/users/{id:int}", [](long) { return "u"; }, {.name = "user"});
  EXPECT_EQ(app.reverse_url("user", {"42"}), "/users/42");
  EXPECT_THROW(app.reverse_url("nobody"), UsageError);
  EXPECT_THROW(app.reverse_url("user"), UsageError);
}

TEST(Application, ParameterCountMustMatch) {
  web::Application app;
  try {
    app.get("/users/{id:int}/{name}", [](long) { return "u"; });
    FAIL() << "one parameter for two";
  } catch (const UsageError& error) {
    EXPECT_STREQ(error.what(),
                 "route \"/users/{id:int}/{name}\" has 2 parameters, but its handler takes 1");
  }
}

TEST(Application, AccessLogLines) {
  WebBench bench;
  bench.app.get("/", [] { return "home"; });
  bench.get("/?a=1");
  bench.get("/nope");
  bench.client().send("nonsense\r\n\r\n");
  bench.loop.run_sync(bench.client().read_to_end());
  ASSERT_EQ(bench.log.lines.size(), 3U);
  EXPECT_TRUE(bench.log.lines[0].starts_with("info")) << bench.log.lines[0];
  EXPECT_EQ(bench.log.count("200 GET /?a=1 (127.0.0.1) "), 1U);
  EXPECT_TRUE(bench.log.lines[1].starts_with("warning"));
  EXPECT_EQ(bench.log.count("404 GET /nope (127.0.0.1) "), 1U);
  EXPECT_EQ(bench.log.count("400 - (127.0.0.1) refused: "), 1U);
}

TEST(Application, WhatIsWrongWithABodyIsOneLine) {
  WebBench bench;
  struct Pieces : web::RequestHandler {
    Task<> post() override {
      while (!(co_await read_body()).empty()) {
      }
    }
  };
  bench.app.add<Pieces>("/pieces", {.stream_body = true});
  bench.app.post("/whole", [](const HTTPServerRequest&) { return "taken"; });
  for (const char* path : {"/pieces", "/whole"}) {
    const std::size_t before = bench.log.lines.size();
    bench.client().send("POST " + std::string(path) +
                        " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab");
    EXPECT_TRUE(bench.loop.run_sync(bench.client().read_to_end()).starts_with("HTTP/1.1 400 "));
    ASSERT_EQ(bench.log.lines.size(), before + 1) << bench.log.lines.back();
    const std::string& line = bench.log.lines.back();
    EXPECT_NE(line.find("400 POST " + std::string(path) + " (127.0.0.1) "), line.npos) << line;
    EXPECT_TRUE(line.ends_with("chunk data is not followed by CRLF")) << line;
  }
}

TEST(Application, PathArgumentsAreDecodedOnce) {
  WebBench bench;
  bench.app.get("/slashes/{a}/{b}", [](std::string a, std::string b) { return a + "|" + b; });
  bench.app.get("/raw/{a}", [](std::string_view a) { return std::string(a); });
  EXPECT_EQ(bench.get("/slashes/a%2Fb/c%2Fd").body, "a/b|c/d");
  EXPECT_EQ(bench.get("/slashes/a+b/%2541").body, "a+b|%41");
  EXPECT_EQ(bench.get("/slashes/%C3%A9/x").body, "\xC3\xA9|x");
  EXPECT_EQ(bench.get("/slashes/%FF/x").status, 400);
  EXPECT_EQ(bench.get("/raw/a%2Fb").body, "a%2Fb");
}

TEST(Application, ParametersStayValidWhileAHandlerWaits) {
  WebBench bench;
  bench.app.get("/wait/{name}", [](std::string_view name) -> Task<std::string> {
    co_await sleep(1s);
    co_return std::string(name);
  });
  bench.client().send(
      "GET /wait/one HTTP/1.1\r\nHost: x\r\n\r\nGET /wait/two HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(bench.loop.run_sync(bench.client().read_response()).body, "one");
  EXPECT_EQ(bench.loop.run_sync(bench.client().read_response()).body, "two");
}

TEST(Application, RoutesHaveLimitsOfTheirOwn) {
  WebBench bench;
  const auto size = [](const HTTPServerRequest& request) {
    return std::to_string(request.body().size());
  };
  bench.app.post("/small", size, {.max_body_size = 10});
  bench.app.post("/usual", size);
  // As if there were nothing around it.
  bench.app.use(
      [](web::WebExchange& exchange, web::Next next) -> Task<> { co_await next(exchange); });
  EXPECT_EQ(bench.request("POST", "/small", "", "0123456789").body, "10");
  EXPECT_EQ(bench.request("POST", "/small", "", "0123456789+").status, 413);
  bench.connection.reset();
  EXPECT_EQ(bench.request("POST", "/usual", "", "0123456789+").body, "11");
  EXPECT_EQ(bench.log.count("413 POST /small (127.0.0.1) refused: the body is larger"), 1U);
}

TEST(Application, FormsHaveLimitsAlsoOfARoute) {
  WebBench bench;
  struct Pieces : web::RequestHandler {
    Task<> post() override {
      const auto boundary = multipart_boundary(*request().header("Content-Type"));
      MultipartReader reader(
          *boundary, [this] { return as_task(read_body()); }, request().multipart_limits());
      int count = 0;
      while (co_await reader.next_part() != nullptr) ++count;
      write(std::to_string(count));
    }
  };
  const auto count = [](const HTTPServerRequest& request) {
    return std::to_string(request.body_arguments().size());
  };
  const MultipartLimits more{.max_parts = 5, .max_part_header_size = 100, .max_part_size = 30};
  bench.app.post("/usual", count);
  bench.app.post("/more", count, {.multipart = more});
  bench.app.add<Pieces>("/pieces", {.stream_body = true});
  bench.app.add<Pieces>("/more-pieces", {.stream_body = true, .multipart = more});
  HTTPServerOptions options;
  options.limits.max_parts = 2;
  options.limits.max_part_header_size = 60;
  options.limits.max_part_size = 20;
  bench.server = std::make_unique<HTTPServer>(bench.loop, bench.app, options);

  const auto post = [&](const std::string& path, int parts, std::size_t size, std::string name) {
    std::string body;
    for (int i = 0; i < parts; ++i) {
      body += "--B\r\nContent-Disposition: form-data; name=" + name + "\r\n\r\n" +
              std::string(size, 'x') + "\r\n";
    }
    const RawResponse response = bench.request(
        "POST", path, "Content-Type: multipart/form-data; boundary=B\r\n", body + "--B--\r\n");
    return response.status == 200 ? response.body : std::to_string(response.status);
  };
  const std::string long_name(30, 'n');
  for (const std::string& path : {"/usual", "/pieces"}) {
    EXPECT_EQ(post(path, 2, 20, "a"), "2") << path;
    EXPECT_EQ(post(path, 3, 20, "a"), "400") << path;
    EXPECT_EQ(post(path, 1, 21, "a"), "400") << path;
    EXPECT_EQ(post(path, 1, 1, long_name), "400") << path;
  }
  for (const std::string& path : {"/more", "/more-pieces"}) {
    EXPECT_EQ(post(path, 5, 30, long_name), "5") << path;
    EXPECT_EQ(post(path, 6, 1, "a"), "400") << path;
    EXPECT_EQ(post(path, 1, 31, "a"), "400") << path;
    EXPECT_EQ(post(path, 1, 1, std::string(80, 'n')), "400") << path;
  }
}

TEST(Application, RoutesHaveALimitOnTime) {
  WebBench bench;
  struct Sleeps : web::RequestHandler {
    explicit Sleeps(std::string* events) : events_(events) {}
    Task<> get() override {
      co_await sleep(5s);
      *events_ += "woke ";
    }
    void on_finish() override { *events_ += "finish"; }
    std::string* events_;
  };
  std::string events;
  bench.app.add<Sleeps>("/class", {.timeout = 2s}, &events);
  bench.app.get("/function",
                []() -> Task<std::string> {
                  co_await sleep(5s);
                  co_return "late";
                },
                {.timeout = 2s});
  bench.app.get("/quick",
                []() -> Task<std::string> {
                  co_await sleep(1s);
                  co_return "in time";
                },
                {.timeout = 2s});
  bench.app.get("/begun",
                [](HTTPExchange& exchange) -> Task<> {
                  exchange.start({}, std::nullopt, "half");
                  co_await sleep(5s);
                },
                {.timeout = 2s});
  const TimePoint before = bench.loop.now();
  EXPECT_EQ(bench.get("/class").status, 503);
  EXPECT_EQ(events, "finish");
  EXPECT_LT(bench.loop.now() - before, 3s);
  EXPECT_EQ(bench.get("/function").status, 503);
  EXPECT_EQ(bench.get("/quick").body, "in time");
  EXPECT_TRUE(bench.get("/begun").truncated);
  EXPECT_EQ(bench.log.count("longer than its time limit"), 3U);
}

}  // namespace
}  // namespace coronado::web_test
