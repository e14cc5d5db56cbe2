#include <coronado/web/function_handler.hpp>

#include <coronado/base/describe.hpp>
#include <coronado/base/escape.hpp>
#include <coronado/base/json.hpp>
#include <coronado/web/json.hpp>

#include "tests/web/web_fixture.hpp"

namespace coronado::web_test {
namespace {

struct Order {
  std::string item;
  int count = 0;
};
BOOST_DESCRIBE_STRUCT(Order, (), (item, count))

struct Token {
  std::string value;
  static Token from_request(const HTTPServerRequest& request) {
    const auto field = request.header("Authorization");
    if (!field) throw HTTPError(401, "no token");
    return {std::string(*field)};
  }
};

TEST(FunctionHandler, PathParametersOfEveryType) {
  WebBench bench;
  bench.app.get("/int/{a}/{b}", [](int a, unsigned short b) { return std::to_string(a + b); });
  bench.app.get("/double/{a}", [](double a) { return std::to_string(a * 2); });
  bench.app.get("/bool/{a}", [](bool a) { return a ? "yes" : "no"; });
  bench.app.get("/text/{a}", [](const std::string& a) { return a; });
  EXPECT_EQ(bench.get("/int/-3/10").body, "7");
  EXPECT_EQ(bench.get("/double/1.5").body, "3.000000");
  EXPECT_EQ(bench.get("/bool/true").body, "yes");
  EXPECT_EQ(bench.get("/bool/0").body, "no");
  EXPECT_EQ(bench.get("/text/%20x%20").body, "x");
  for (const char* path : {"/int/x/1", "/int/1/70000", "/int/1/-1", "/int/1.5/1", "/int/+1/1",
                           "/int/99999999999/1", "/double/one", "/double/1e999", "/bool/maybe"}) {
    EXPECT_EQ(bench.get(path).status, 400) << path;
  }
}

TEST(FunctionHandler, QueryArguments) {
  WebBench bench;
  bench.app.get("/q", [](web::Query<"name"> name, web::Query<"page", std::optional<int>> page) {
    return *name + " " + (page.value ? std::to_string(*page.value) : "none");
  });
  EXPECT_EQ(bench.get("/q?name=a+b%21").body, "a b! none");
  EXPECT_EQ(bench.get("/q?name=a&name=b&page=3").body, "b 3");
  EXPECT_EQ(bench.get("/q?name=").body, " none");
  EXPECT_EQ(bench.get("/q?name=%00x").body, "x none");
  EXPECT_EQ(bench.get("/q").status, 400);
  EXPECT_EQ(bench.log.count(": Missing argument name"), 1U);
  EXPECT_EQ(bench.get("/q?name=a&page=three").status, 400);
  EXPECT_EQ(bench.log.count("page: expected an integer, got \"three\""), 1U);
  // What a client sends begins no line of the log.
  EXPECT_EQ(bench.get("/q?name=a&page=1%0AE%20forged").status, 400);
  EXPECT_EQ(bench.log.count("got \"1\\x0aE forged\""), 1U);
  EXPECT_EQ(bench.get("/q?name=%FF").status, 400);
  EXPECT_EQ(bench.log.count("invalid unicode in argument name"), 1U);
}

TEST(FunctionHandler, AClientIsToldWhatIsMissingOrWrong) {
  WebBench bench;
  bench.app.get("/q", [](web::Query<"page", int>) {});
  bench.app.get("/h", [](web::Header<"X-Key">) {});
  bench.app.get("/c", [](web::Cookie<"n">) {});
  const RawResponse missing = bench.get("/q");
  EXPECT_EQ(missing.status, 400);
  EXPECT_EQ(missing.field("Content-Type"), "application/problem+json");
  EXPECT_EQ(missing.body, R"({"type":"about:blank","title":"Bad Request","status":400,)"
                          R"("detail":"Missing argument page",)"
                          R"("errors":[{"field":"page","message":"missing argument"}]})");
  const auto errors = [&](std::string_view target) {
    const RawResponse response = bench.get(target);
    EXPECT_EQ(response.status, 400);
    return json_encode(json_decode(response.body)["errors"]);
  };
  EXPECT_EQ(errors("/h"), R"([{"field":"X-Key","message":"missing header"}])");
  EXPECT_EQ(errors("/c"), R"([{"field":"n","message":"missing cookie"}])");
  EXPECT_EQ(errors("/q?page=%FF"),
            R"([{"field":"","message":"invalid unicode in argument page"}])");
  // What is shown of a long value ends between two characters: 39 bytes, and one of two.
  std::string dots;
  for (int i = 0; i < 30; ++i) dots += "\u00B7";
  const std::string shown = "x" + dots.substr(0, 38);
  EXPECT_EQ(errors("/q?page=x" + url_escape(dots)),
            R"([{"field":"page","message":"expected an integer, got \")" + shown + R"(\""}])");
}

TEST(FunctionHandler, ABrowserIsToldOnAPage) {
  WebBench bench;
  bench.app.get("/q", [](web::Query<"page", int>) {});
  const char* accept = "Accept: text/html\r\n";
  const RawResponse missing = bench.get("/q", accept);
  EXPECT_EQ(missing.field("Content-Type"), "text/html; charset=UTF-8");
  EXPECT_EQ(missing.body,
            "<html><title>400: Bad Request</title><body>400: Bad Request"
            "<p>Missing argument page</p></body></html>");
  EXPECT_EQ(bench.get("/q?page=%3Cb%3E", accept).body,
            "<html><title>400: Bad Request</title><body>400: Bad Request"
            "<p>page: expected an integer, got &quot;&lt;b&gt;&quot;</p></body></html>");
}

TEST(FunctionHandler, MoreArgumentsThanAnybodyNeeds) {
  WebBench bench;
  bench.app.get("/q", [](web::Query<"x", std::optional<int>>) { return "ok"; });
  std::string query;
  for (int i = 0; i < 1001; ++i) query += "a&";
  const RawResponse refused = bench.get("/q?" + query);
  EXPECT_EQ(refused.status, 400);
  EXPECT_NE(refused.body.find("More than 1000 arguments"), std::string::npos) << refused.body;
  EXPECT_EQ(bench.get("/q?" + query.substr(2)).status, 200);
}

TEST(FunctionHandler, Headers) {
  WebBench bench;
  bench.app.get("/h", [](web::Header<"X-Count", int> count,
                         web::Header<"X-Note", std::optional<std::string>> note) {
    return std::to_string(*count) + note.value.value_or(" none");
  });
  EXPECT_EQ(bench.get("/h", "x-count: 5\r\n").body, "5 none");
  EXPECT_EQ(bench.get("/h", "X-COUNT: 5\r\nX-Note: n\r\n").body, "5n");
  EXPECT_EQ(bench.get("/h").status, 400);
  EXPECT_EQ(bench.log.count("X-Count: missing header"), 1U);
  EXPECT_EQ(bench.get("/h", "X-Count: many\r\n").status, 400);
  EXPECT_EQ(bench.log.count("X-Count: expected an integer, got \"many\""), 1U);
}

TEST(FunctionHandler, JsonBodies) {
  WebBench bench;
  bench.app.post("/orders", [](web::JsonBody<Order> order) {
    return web::json(Order{order->item + "!", order->count + 1});
  });
  const RawResponse fine = bench.request("POST", "/orders", "", R"({"item":"tea","count":2})");
  EXPECT_EQ(fine.body, R"({"item":"tea!","count":3})");
  EXPECT_EQ(fine.field("Content-Type"), "application/json");
  EXPECT_EQ(bench.request("POST", "/orders", "", R"({"item":"tea","count":"two"})").status, 422);
  EXPECT_EQ(bench.log.count("422 POST /orders"), 1U);  // and why
  EXPECT_EQ(bench.log.count("count"), 1U);
  EXPECT_EQ(bench.request("POST", "/orders", "", "{").status, 400);
  EXPECT_EQ(bench.request("POST", "/orders").status, 400);
}

TEST(FunctionHandler, OwnExtractorsRequestAndExchange) {
  WebBench bench;
  bench.app.get("/all/{id}", [](Token token, const HTTPServerRequest& request, long id,
                                HTTPExchange& exchange) {
    exchange.respond({.status = 201},
                     token.value + " " + std::string(request.path()) + " " + std::to_string(id));
  });
  const RawResponse response = bench.get("/all/5", "Authorization: me\r\n");
  EXPECT_EQ(response.status, 201);
  EXPECT_EQ(response.body, "me /all/5 5");
  EXPECT_EQ(bench.get("/all/5").status, 401);
}

TEST(FunctionHandler, ResultsOfEveryType) {
  WebBench bench;
  bench.app.get("/chars", [] { return "chars"; });
  bench.app.get("/string", [] { return std::string("string"); });
  bench.app.get("/response", [] { return web::html("<b>", 202).with("X-A", "1"); });
  bench.app.get("/void", [] {});
  bench.app.get("/described", [] { return Order{"x", 1}; });
  bench.app.get("/json", [] { return Json{{"a", 1}}; });
  bench.app.get("/task", []() -> Task<std::string> {
    co_await sleep(1s);
    co_return "task";
  });
  bench.app.get("/task-void", []() -> Task<> { co_await sleep(1s); });
  bench.app.get("/task-described", []() -> Task<Order> { co_return Order{"y", 2}; });
  bench.app.get("/redirect", [] { return web::redirect("/elsewhere"); });
  EXPECT_EQ(bench.get("/chars").body, "chars");
  EXPECT_EQ(bench.get("/chars").field("Content-Type"), "text/plain; charset=utf-8");
  EXPECT_EQ(bench.get("/string").body, "string");
  const RawResponse response = bench.get("/response");
  EXPECT_EQ(response.status, 202);
  EXPECT_EQ(response.field("X-A"), "1");
  EXPECT_EQ(response.field("Content-Type"), "text/html; charset=utf-8");
  EXPECT_EQ(bench.get("/void").status, 204);
  EXPECT_EQ(bench.get("/described").body, R"({"item":"x","count":1})");
  EXPECT_EQ(bench.get("/json").body, R"({"a":1})");
  EXPECT_EQ(bench.get("/task").body, "task");
  EXPECT_EQ(bench.get("/task-void").status, 204);
  EXPECT_EQ(bench.get("/task-described").body, R"({"item":"y","count":2})");
  const RawResponse redirect = bench.get("/redirect");
  EXPECT_EQ(redirect.status, 302);
  EXPECT_EQ(redirect.field("Location"), "/elsewhere");
  EXPECT_EQ(redirect.field("Content-Length"), "0");
}

TEST(FunctionHandler, StreamsByHand) {
  WebBench bench;
  bench.app.get("/stream", [](HTTPExchange& exchange) -> Task<> {
    exchange.start({}, std::nullopt, "a");
    co_await exchange.drain();
    exchange.write("b");
  });
  EXPECT_EQ(bench.get("/stream").body, "ab");
}

TEST(FunctionHandler, Failures) {
  WebBench bench;
  bench.app.get("/status", []() -> std::string { throw HTTPError(409, "for the log", "Taken"); });
  bench.app.get("/failure", []() -> Task<std::string> {
    co_await sleep(1s);
    throw std::runtime_error("secret detail");
  });
  bench.app.get("/number", []() -> std::string { throw 42; });
  bench.app.get("/splitting",
                []() -> std::string { throw HTTPError(400, "", "x\r\nX-Injected: 1"); });
  bench.app.get("/markup", []() -> std::string { throw HTTPError(400, "", "<script>"); });
  const RawResponse status = bench.get("/status");
  EXPECT_EQ(status.status, 409);
  EXPECT_EQ(status.reason, "Taken");
  EXPECT_EQ(status.body, "<html><title>409: Taken</title><body>409: Taken</body></html>");
  EXPECT_EQ(bench.log.count("for the log"), 1U);
  const RawResponse failure = bench.get("/failure");
  EXPECT_EQ(failure.status, 500);
  EXPECT_EQ(failure.body.find("secret"), std::string::npos);
  EXPECT_EQ(bench.log.count("secret detail"), 1U);
  EXPECT_EQ(bench.get("/number").status, 500);
  const RawResponse splitting = bench.get("/splitting");
  EXPECT_EQ(splitting.reason, "Unknown");
  EXPECT_FALSE(splitting.has_field("X-Injected"));
  const RawResponse markup = bench.get("/markup");
  EXPECT_EQ(markup.reason, "Unknown");
  EXPECT_EQ(markup.body.find("script"), std::string::npos);
}

TEST(FunctionHandler, FramingFieldsAreTheServers) {
  WebBench bench;
  bench.app.get("/framing", [] {
    return web::text("four").with("Content-Length", "400").with("Transfer-Encoding", "chunked");
  });
  bench.app.get("/close", [] { return web::text("bye").with("Connection", "close"); });
  const RawResponse framing = bench.get("/framing");
  EXPECT_EQ(framing.count("Content-Length"), 1U);
  EXPECT_FALSE(framing.has_field("Transfer-Encoding"));
  EXPECT_EQ(framing.body, "four");
  const RawResponse close = bench.get("/close");
  EXPECT_EQ(close.count("Connection"), 1U);
  EXPECT_EQ(close.field("Connection"), "close");
  EXPECT_EQ(bench.loop.run_sync(bench.client().read_to_end()), "");
}

TEST(FunctionHandler, ClientGoneIsNoFailure) {
  WebBench bench;
  bool cancelled = false;
  bench.app.get("/wait", [&]() -> Task<std::string> {
    try {
      co_await sleep(1h);
    } catch (const Cancelled&) {
      cancelled = true;
      throw;
    }
    co_return "";
  });
  bench.client().send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
  bench.loop.run_sync([](WebBench& bench) -> Task<> {
    co_await sleep(1s);
    bench.client().close();
    co_await sleep(1s);
  }(bench));
  EXPECT_TRUE(cancelled);
  ASSERT_EQ(bench.log.lines.size(), 1U);
  EXPECT_EQ(bench.log.count("client gone"), 1U);
}

TEST(FunctionHandler, CookiesAndListsOfArguments) {
  WebBench bench;
  bench.app.get("/", [](web::Cookie<"n", int> n, web::Cookie<"t", std::optional<std::string>> t,
                        web::Query<"x", std::vector<int>> all) {
    std::string text = std::to_string(*n) + t.value.value_or("-");
    for (const int each : *all) text += ' ' + std::to_string(each);
    return text;
  });
  EXPECT_EQ(bench.get("/?x=1&x=2", "Cookie: n=4; t=a\r\n").body, "4a 1 2");
  EXPECT_EQ(bench.get("/", "Cookie: n=4\r\n").body, "4-");
  EXPECT_EQ(bench.get("/").status, 400);
  EXPECT_EQ(bench.log.count("n: missing cookie"), 1U);
  EXPECT_EQ(bench.get("/?x=1&x=b", "Cookie: n=4\r\n").status, 400);
  EXPECT_EQ(bench.log.count("x: expected an integer, got \"b\""), 1U);
}

TEST(FunctionHandler, WhatTheApplicationKeepsAndWhatMiddlewareDid) {
  struct Counter {
    int value = 0;
  };
  struct User {
    std::string name;
  };
  WebBench bench;
  bench.app.set_state(std::make_shared<Counter>());
  bench.app.use("/in", [](web::WebExchange& exchange, web::Next next) -> Task<> {
    exchange.set_extension(User{"ada"});
    return next(exchange);
  });
  const auto handler = [](web::State<Counter> counter, web::Extension<User> user) {
    return user->name + std::to_string(++counter->value);
  };
  bench.app.get("/in", handler);
  bench.app.get("/out", handler);
  bench.app.get("/missing", [](web::State<User>) {});
  EXPECT_EQ(bench.get("/in").body, "ada1");
  EXPECT_EQ(bench.get("/in").body, "ada2");
  EXPECT_EQ(bench.get("/out").status, 500);
  EXPECT_EQ(bench.log.count("no middleware has kept the value"), 1U);
  EXPECT_EQ(bench.get("/missing").status, 500);
  EXPECT_EQ(bench.log.count("the application keeps no value"), 1U);
}

TEST(FunctionHandler, ListsOfStructsAreJson) {
  WebBench bench;
  bench.app.get("/", []() -> std::vector<Order> { return {{"a", 1}, {"b", 2}}; });
  EXPECT_EQ(bench.get("/").body, R"([{"item":"a","count":1},{"item":"b","count":2}])");
}

}  // namespace
}  // namespace coronado::web_test
