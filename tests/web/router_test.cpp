#include <coronado/web/router.hpp>

#include "tests/web/web_fixture.hpp"

namespace coronado::web_test {
namespace {

using web::Router;

web::Router users() {
  Router router;
  router.get("/", [] { return "list"; });
  router.get("/{id:int}", [](int id) { return std::to_string(id); }, {.name = "user"});
  router.get(re("/by-name/(\\w+)"), [](std::string name) { return "name " + name; });
  return router;
}

TEST(Router, IsMountedBelowAPrefix) {
  WebBench bench;
  bench.app.mount("/users", users());
  EXPECT_EQ(bench.get("/users/").body, "list");
  EXPECT_EQ(bench.get("/users/7").body, "7");
  EXPECT_EQ(bench.get("/users/by-name/ada").body, "name ada");
  EXPECT_EQ(bench.get("/7").status, 404);
  EXPECT_EQ(bench.app.reverse_url("user", {"7"}), "/users/7");
}

TEST(Router, IsNestedWithParametersAndExpressions) {
  WebBench bench;
  Router inner;
  inner.get("/posts/{post:int}",
            [](std::string tenant, int post) { return tenant + " " + std::to_string(post); });
  Router outer;
  outer.mount("/{tenant}", std::move(inner));
  outer.mount("/a.b", users());
  bench.app.mount("/v1", std::move(outer));
  EXPECT_EQ(bench.get("/v1/acme/posts/3").body, "acme 3");
  EXPECT_EQ(bench.get("/v1/a.b/by-name/ada").body, "name ada");
  EXPECT_EQ(bench.get("/v1/axb/by-name/ada").status, 404);  // the prefix is literal
  Router again;
  again.get("/x", [](std::string lang) { return lang; });
  bench.app.mount(re("/([a-z]{2})"), std::move(again));
  EXPECT_EQ(bench.get("/de/x").body, "de");
}

TEST(Router, ARouterThatFindsNothingIsPassed) {
  WebBench bench;
  bench.app.mount("/users", users());
  bench.app.get("/users/{rest:path}", [](std::string rest) { return "rest " + rest; });
  EXPECT_EQ(bench.get("/users/7").body, "7");
  EXPECT_EQ(bench.get("/users/x/y").body, "rest x/y");
}

TEST(Router, WhatIsWrongIsToldWhenItIsMounted) {
  WebBench bench;
  EXPECT_THROW(bench.app.mount("/{a}", users()), UsageError);  // before a regular expression
  Router router;
  router.get("/{x", [] { return "x"; });
  EXPECT_THROW(bench.app.mount("/a", std::move(router)), UsageError);
}

TEST(Router, ItsMiddlewareIsAroundItsRoutes) {
  WebBench bench;
  Router router = users();
  router.use([](web::WebExchange& exchange, web::Next next) -> Task<> {
    if (!exchange.request().header("X-Pass")) throw HTTPError(401);
    return next(exchange);
  });
  bench.app.mount("/users", std::move(router));
  bench.app.get("/", [] { return "home"; });
  EXPECT_EQ(bench.get("/users/7").status, 401);
  EXPECT_EQ(bench.get("/users/7", "X-Pass: 1\r\n").body, "7");
  EXPECT_EQ(bench.get("/").body, "home");
}

Router greeting(const char* text) {
  Router router;
  router.get("/", [text] { return text; });
  return router;
}

TEST(Router, HostsComeBeforeAnyHost) {
  WebBench bench;
  bench.app.get("/", [] { return "any"; });
  bench.app.get("/any", [] { return "only any"; });
  bench.app.add_handlers("example.com", greeting("example"));
  bench.app.add_handlers("*.example.org", greeting("org"));
  EXPECT_EQ(bench.get("/").body, "example");  // the tests ask Example.com:8080
  EXPECT_EQ(bench.get("/any").body, "only any");
  const auto ask_host = [&](const std::string& host, const std::string& fields = "") {
    return bench.loop
        .run_sync(ask(bench.client(), "GET / HTTP/1.1\r\nHost: " + host + "\r\n" + fields + "\r\n"),
                  Duration(1h))
        .body;
  };
  EXPECT_EQ(ask_host("www.example.org"), "org");
  EXPECT_EQ(ask_host("elsewhere"), "any");
}

TEST(Router, TheDefaultHostAnswersForUnknownOnes) {
  WebBench bench;
  bench.app.add_handlers("www.example.net", greeting("net"));
  EXPECT_EQ(bench.get("/").status, 404);
  bench.app.set_default_host("www.example.net");
  EXPECT_EQ(bench.get("/").body, "net");
  EXPECT_EQ(bench.get("/", "X-Real-Ip: 10.0.0.1\r\n").status, 404);
  EXPECT_EQ(bench.get("/nothing").status, 404);
  bench.app.get("/", [] { return "any"; });
  EXPECT_EQ(bench.get("/").body, "any");
}

}  // namespace
}  // namespace coronado::web_test
