#include <coronado/web/standard_middleware.hpp>

#include <coronado/base/crypto.hpp>
#include <coronado/coro/combine.hpp>
#include <coronado/coro/timeout.hpp>

#include <set>

#include "tests/web/web_fixture.hpp"

namespace coronado::web_test {
namespace {

// --- request_id --------------------------------------------------------------------------------

TEST(RequestIDMiddleware, NamesTheRequestEverywhere) {
  WebBench bench;
  bench.app.use(web::request_id());
  bench.app.get("/", []() -> Task<std::string> {
    co_await sleep(1s);
    app_log().warning("in the handler");
    co_return web::current_request_id();
  });
  const RawResponse response = bench.get("/");
  EXPECT_EQ(response.body.size(), 32U);
  EXPECT_EQ(response.field("X-Request-ID"), response.body);
  EXPECT_EQ(bench.log.count("[" + response.body + "] in the handler"), 1U);
  EXPECT_EQ(bench.log.count("ms [" + response.body + "]"), 1U);  // the access log
  EXPECT_EQ(web::current_request_id(), "");

  std::set<std::string> seen;
  for (int i = 0; i < 10; ++i) seen.insert(bench.get("/").body);
  EXPECT_EQ(seen.size(), 10U);
}

TEST(RequestIDMiddleware, ReachesTheTasksThatAHandlerSpawns) {
  WebBench bench;
  bench.app.use(web::request_id());
  bench.app.get("/", []() -> Task<std::string> {
    auto child = []() -> Task<std::string> {
      co_await sleep(1s);
      co_return web::current_request_id();
    };
    std::vector<Task<std::string>> children;
    children.push_back(child());
    children.push_back(child());
    const std::vector<std::string> ids = co_await multi(std::move(children));
    co_return ids[0] + ids[1];
  });
  const RawResponse response = bench.get("/");
  const std::string id = response.field("X-Request-ID");
  EXPECT_EQ(response.body, id + id);
}

TEST(RequestIDMiddleware, TakesOverTheProxysOnlyWhenToldAndSound) {
  WebBench bench;
  bench.app.use("/trusting", web::request_id({.header = "X-Trace", .trust_incoming = true}));
  bench.app.use("/plain", web::request_id({.header = "X-Trace"}));
  bench.app.get("/{any}", [](std::string) { return "ok"; });
  EXPECT_EQ(bench.get("/trusting", "X-Trace: a-1.b:2\r\n").field("X-Trace"), "a-1.b:2");
  EXPECT_EQ(bench.get("/plain", "X-Trace: a-1\r\n").field("X-Trace").size(), 32U);
  for (const std::string& unsound :
       {std::string("a b"), std::string("\"x"), std::string(129, 'a')}) {
    EXPECT_EQ(bench.get("/trusting", "X-Trace: " + unsound + "\r\n").field("X-Trace").size(), 32U);
  }
}

// --- limits ------------------------------------------------------------------------------------

TEST(RateLimitMiddleware, AnswersTooMany) {
  WebBench bench;
  bench.app.use(web::rate_limit({.tokens = 2, .span = 10s}));
  bench.app.get("/", [] { return "ok"; });
  EXPECT_EQ(bench.get("/").status, 200);
  EXPECT_EQ(bench.get("/").status, 200);
  const RawResponse refused = bench.get("/");
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.field("Retry-After"), "5");
  auto wait = []() -> Task<> { co_await sleep(5s); };
  bench.loop.run_sync(wait());
  EXPECT_EQ(bench.get("/").status, 200);
  EXPECT_EQ(bench.get("/").status, 429);
}

TEST(RateLimitMiddleware, CountsEachClientAndForgetsTheQuietest) {
  WebBench bench;
  bench.app.use(web::rate_limit({.tokens = 1,
                                 .span = 1h,
                                 .client =
                                     [](const web::WebExchange& exchange) {
                                       return std::string(
                                           exchange.request().header("X-Client").value_or(""));
                                     },
                                 .max_clients = 2}));
  bench.app.get("/", [] { return "ok"; });
  const auto status = [&](std::string_view client) {
    return bench.get("/", "X-Client: " + std::string(client) + "\r\n").status;
  };
  EXPECT_EQ(status("a"), 200);
  EXPECT_EQ(status("b"), 200);
  EXPECT_EQ(status("a"), 429);
  EXPECT_EQ(status("b"), 429);
  EXPECT_EQ(status("a"), 429);
  EXPECT_EQ(status("c"), 200);  // b is forgotten, which was quiet longest
  EXPECT_EQ(status("a"), 429);
  EXPECT_EQ(status("b"), 200);
  EXPECT_THROW(web::rate_limit({.tokens = 0}), UsageError);
  EXPECT_THROW(web::rate_limit({.max_clients = 0}), UsageError);
}

TEST(TimeLimitMiddleware, CancelsTheHandlerAndAnswers503) {
  WebBench bench;
  std::string notes;
  bench.app.use(web::time_limit(2s));
  bench.app.get("/", [&notes](web::Query<"s", int> seconds) -> Task<std::string> {
    try {
      co_await sleep(std::chrono::seconds(*seconds));
    } catch (const Cancelled&) {
      notes += "cancelled";
      throw;
    }
    co_return "in time";
  });
  bench.app.get("/begun", [](HTTPExchange& exchange) -> Task<> {
    exchange.start({}, 10, "half");
    co_await sleep(5s);
  });
  EXPECT_EQ(bench.get("/?s=1").body, "in time");
  EXPECT_EQ(notes, "");
  EXPECT_EQ(bench.get("/?s=3").status, 503);
  EXPECT_EQ(notes, "cancelled");
  EXPECT_EQ(bench.log.count("longer than its time limit"), 1U);
  EXPECT_TRUE(bench.get("/begun").truncated);
  EXPECT_THROW(web::time_limit(Duration::zero()), UsageError);
}

TEST(BodyLimitMiddleware, RefusesLongerBodies) {
  WebBench bench;
  bench.app.use("/small", web::body_limit(4));
  bench.app.post("/small", [](const HTTPServerRequest& request) {
    return std::to_string(request.body().size());
  });
  EXPECT_EQ(bench.request("POST", "/small", "", "1234").body, "4");
  EXPECT_EQ(bench.request("POST", "/small", "", "12345").status, 413);
  EXPECT_EQ(bench.request("POST", "/small", "Transfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n0\r\n")
                .status,
            413);
}

// --- who asks ----------------------------------------------------------------------------------

struct User {
  std::string name;
};

struct AuthBench : WebBench {
  AuthBench() {
    auto check_password = [](std::string user, std::string password) -> Task<std::optional<User>> {
      co_await sleep(1s);
      if (password != "s3:cret") co_return std::nullopt;
      co_return User{user};
    };
    auto check_token = [](std::string token) -> Task<std::optional<User>> {
      if (token != "t.0-k") co_return std::nullopt;
      co_return User{"machine"};
    };
    app.use("/basic", web::basic_auth("the \"inner\" ring", check_password));
    app.use("/bearer", web::bearer_auth("api", check_token));
    for (const char* path : {"/basic", "/bearer"}) {
      app.get(path, [](HTTPExchange& exchange) {
        exchange.respond({}, static_cast<web::WebExchange&>(exchange).extension<User>()->name);
      });
    }
  }
  RawResponse ask(std::string_view path, std::string_view credentials) {
    return get(path, "Authorization: " + std::string(credentials) + "\r\n");
  }
};

TEST(BasicAuth, LetsInWhoKnowsThePassword) {
  AuthBench bench;
  const std::string good = base64_encode("ada:s3:cret");
  EXPECT_EQ(bench.ask("/basic", "Basic " + good).body, "ada");
  EXPECT_EQ(bench.ask("/basic", "bASIC   " + good).body, "ada");
  for (const std::string& bad :
       {"Basic " + base64_encode("ada:wrong"), "Basic " + base64_encode("ada"),
        std::string("Basic %%%"), std::string("Basic"), "Bearer " + good, "Basic" + good,
        std::string("Basic ")}) {
    const RawResponse response = bench.ask("/basic", bad);
    EXPECT_EQ(response.status, 401) << bad;
    EXPECT_EQ(response.field("WWW-Authenticate"),
              "Basic realm=\"the \\\"inner\\\" ring\", charset=\"UTF-8\"");
  }
  EXPECT_EQ(bench.get("/basic").status, 401);
  EXPECT_THROW(web::basic_auth("two\nlines",
                               [](std::string, std::string) -> Task<std::optional<User>> {
                                 co_return std::nullopt;
                               }),
               UsageError);
}

TEST(BearerAuth, LetsInWhoHasTheToken) {
  AuthBench bench;
  EXPECT_EQ(bench.ask("/bearer", "Bearer t.0-k").body, "machine");
  const RawResponse wrong = bench.ask("/bearer", "Bearer other");
  EXPECT_EQ(wrong.status, 401);
  EXPECT_EQ(wrong.field("WWW-Authenticate"), "Bearer realm=\"api\", error=\"invalid_token\"");
  EXPECT_EQ(bench.get("/bearer").field("WWW-Authenticate"), "Bearer realm=\"api\"");
  EXPECT_EQ(bench.ask("/bearer", "Bearer ").status, 401);
}

// --- paths -------------------------------------------------------------------------------------

TEST(SlashMiddleware, SendsToThePathThatIsMeant) {
  WebBench bench;
  const auto ok = [](std::string) { return "ok"; };
  bench.app.get(re("/add(/?.*)"), ok, {.middleware = {web::add_slash()}});
  bench.app.post(re("/add(/?.*)"), ok, {.middleware = {web::add_slash()}});
  bench.app.get(re("/(remove|/evil.org)?/*"), ok, {.middleware = {web::remove_slash()}});
  const RawResponse added = bench.get("/add?foo=bar");
  EXPECT_EQ(added.status, 301);
  EXPECT_EQ(added.field("Location"), "/add/?foo=bar");
  EXPECT_EQ(bench.get("/add/?foo=bar").body, "ok");
  EXPECT_EQ(bench.request("POST", "/add", "", "x").status, 404);
  EXPECT_EQ(bench.get("/remove/?foo=bar").field("Location"), "/remove?foo=bar");
  EXPECT_EQ(bench.get("/remove///").field("Location"), "/remove");
  EXPECT_EQ(bench.get("/remove").body, "ok");
  EXPECT_EQ(bench.get("/").body, "ok");
  EXPECT_EQ(bench.get("//evil.org/").status, 404);  // never to another host
}

// --- responses ---------------------------------------------------------------------------------

TEST(CacheControlMiddleware, IsSetOnSuccessOnly) {
  WebBench bench;
  bench.app.use(web::cache_control("public, max-age=60"));
  bench.app.get("/", [] { return "ok"; });
  bench.app.post("/", [] { return "ok"; });
  bench.app.get("/own", [] { return web::text("ok").with("Cache-Control", "no-store"); });
  EXPECT_EQ(bench.get("/").field("Cache-Control"), "public, max-age=60");
  EXPECT_EQ(bench.get("/own").field("Cache-Control"), "no-store");
  EXPECT_FALSE(bench.request("POST", "/", "", "x").has_field("Cache-Control"));
  EXPECT_FALSE(bench.get("/nowhere").has_field("Cache-Control"));
  EXPECT_THROW(web::cache_control("a\r\nb"), UsageError);
}

TEST(CompressionMiddleware, ForTheRoutesItIsPutAround) {
  WebBench bench;
  bench.app.use("/packed", web::compression({.codings = {ContentCoding::kGzip}}));
  bench.app.use("/packed/secret", web::no_compression());
  for (const char* path : {"/packed", "/packed/secret", "/plain"}) {
    bench.app.get(path, [] { return std::string(5000, 'a'); });
  }
  constexpr std::string_view accepts = "Accept-Encoding: gzip\r\n";
  EXPECT_EQ(bench.get("/packed", accepts).field("Content-Encoding"), "gzip");
  EXPECT_FALSE(bench.get("/packed/secret", accepts).has_field("Content-Encoding"));
  EXPECT_FALSE(bench.get("/plain", accepts).has_field("Content-Encoding"));
  EXPECT_FALSE(bench.get("/packed").has_field("Content-Encoding"));
}

}  // namespace
}  // namespace coronado::web_test
