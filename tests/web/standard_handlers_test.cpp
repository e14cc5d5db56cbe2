#include <coronado/web/standard_handlers.hpp>

#include <coronado/web/response.hpp>

#include "tests/web/web_fixture.hpp"

namespace coronado::web_test {
namespace {

TEST(RedirectHandler, FillsInParametersAndKeepsTheQuery) {
  WebBench bench;
  bench.app.add<web::RedirectHandler>("/old/{id:int}", "/new/{id}?from=old#top");
  bench.app.add<web::RedirectHandler>(re("/(.*?)/(.*?)/(.*)"), "/{1}/{0}/{2}", false);
  bench.app.add<web::RedirectHandler>("/brace", "https://example.org/{{x}}");
  RawResponse response = bench.get("/old/7?a=1&b=%20");
  EXPECT_EQ(response.status, 301);
  EXPECT_EQ(response.field("Location"), "/new/7?from=old&a=1&b=%20#top");
  response = bench.get("/a/b/c");
  EXPECT_EQ(response.status, 302);
  EXPECT_EQ(response.field("Location"), "/b/a/c");
  EXPECT_EQ(bench.get("/a/b/c?foo=bar").field("Location"), "/b/a/c?foo=bar");
  EXPECT_EQ(bench.get("/brace").field("Location"), "https://example.org/{x}");
  EXPECT_EQ(bench.request("HEAD", "/brace").status, 301);
  EXPECT_EQ(bench.request("POST", "/brace").status, 405);
}

TEST(RedirectHandler, NeverLeavesTheHostByAParameter) {
  WebBench bench;
  bench.app.add<web::RedirectHandler>("/go/{rest:path}", "/{0}");
  EXPECT_EQ(bench.get("/go/x").field("Location"), "/x");
  for (const char* path : {"/go//evil.example", "/go/\\evil.example"}) {
    const RawResponse response = bench.get(path);
    EXPECT_FALSE(response.has_field("Location")) << path;
    EXPECT_GE(response.status, 400);
  }
}

TEST(RedirectHandler, AWrongNameIs500AndTold) {
  WebBench bench;
  bench.app.add<web::RedirectHandler>("/x/{a}", "/{b}");
  EXPECT_EQ(bench.get("/x/1").status, 500);
  EXPECT_EQ(bench.log.count("names \"b\", which is no parameter of the route"), 1U);
}

TEST(ErrorHandler, AnswersEveryMethod) {
  WebBench bench;
  bench.app.add<web::ErrorHandler>("/gone/{rest:path}", 410);
  for (const char* method : {"GET", "POST", "DELETE", "OPTIONS", "PROPFIND"}) {
    EXPECT_EQ(bench.request(method, "/gone/x").status, 410) << method;
  }
  EXPECT_EQ(bench.get("/gone/").body,
            "<html><title>410: Gone</title><body>410: Gone</body></html>");
}

struct WhoAmI : web::RequestHandler {
  Task<> get() override {
    co_await moment();
    write(reverse_url("me", {"x"}));
  }
  Task<> post() override {
    write(request().body());
    return {};
  }
};

TEST(FallbackHandler, AnotherApplicationAnswers) {
  WebBench bench;
  auto other = std::make_shared<web::Application>();
  other->add<WhoAmI>("/other/{id}", web::RouteOptions{.name = "me"});
  other->get("/function", [] { return "function"; });
  other->not_found([] { return web::text("the other has nothing", 404); });
  bench.app.get("/own", [] { return "own"; });
  bench.app.add<web::FallbackHandler>("/{rest:path}", other);
  EXPECT_EQ(bench.get("/own").body, "own");
  EXPECT_EQ(bench.get("/other/1").body, "/other/x");
  EXPECT_EQ(bench.request("POST", "/other/1", "", "posted").body, "posted");
  EXPECT_EQ(bench.get("/function").body, "function");
  EXPECT_EQ(bench.get("/nothing").body, "the other has nothing");
  EXPECT_EQ(bench.request("PUT", "/function").field("Allow"), "GET, HEAD, OPTIONS");
  EXPECT_EQ(bench.get("/own").body, "own");  // the exchange is used again, by its own application
  EXPECT_EQ(bench.app.request_count(), 7U);
}

}  // namespace
}  // namespace coronado::web_test
