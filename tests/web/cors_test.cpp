#include <coronado/web/cors.hpp>

#include "tests/web/web_fixture.hpp"

namespace coronado::web_test {
namespace {

constexpr std::string_view kPreflight =
    "Origin: https://app.example.com\r\nAccess-Control-Request-Method: PUT\r\n"
    "Access-Control-Request-Headers: x-a, x-b\r\n";

TEST(CORS, MarksWhatPagesOfListedOriginsMayRead) {
  WebBench bench;
  bench.app.use(web::cors({.origins = {"https://app.example.com", "http://localhost:3000"},
                           .expose = {"X-Total", "ETag"},
                           .credentials = true}));
  bench.app.get("/", [] { return "data"; });
  for (const char* origin : {"https://app.example.com", "http://localhost:3000"}) {
    const RawResponse response = bench.get("/", "Origin: " + std::string(origin) + "\r\n");
    EXPECT_EQ(response.body, "data");
    EXPECT_EQ(response.field("Access-Control-Allow-Origin"), origin);
    EXPECT_EQ(response.field("Access-Control-Allow-Credentials"), "true");
    EXPECT_EQ(response.field("Access-Control-Expose-Headers"), "X-Total, ETag");
    EXPECT_EQ(response.field("Vary"), "Origin");
  }
  for (const char* origin : {"https://evil.example.com", "http://app.example.com", "null",
                             "https://app.example.com.evil.org", "https://app.example.com:444"}) {
    const RawResponse response = bench.get("/", "Origin: " + std::string(origin) + "\r\n");
    EXPECT_EQ(response.status, 200);
    EXPECT_FALSE(response.has_field("Access-Control-Allow-Origin")) << origin;
    EXPECT_FALSE(response.has_field("Access-Control-Allow-Credentials")) << origin;
    EXPECT_EQ(response.field("Vary"), "Origin");
  }
  EXPECT_EQ(bench.get("/").field("Vary"), "Origin");  // caches must know, whoever asked
}

TEST(CORS, AnErrorIsReadableToo) {
  WebBench bench;
  bench.app.use(web::cors({.origins = {"https://app.example.com"}}));
  bench.app.get("/", []() -> std::string { throw HTTPError(418); });
  for (const char* path : {"/", "/nowhere"}) {
    const RawResponse response = bench.get(path, "Origin: https://app.example.com\r\n");
    EXPECT_EQ(response.field("Access-Control-Allow-Origin"), "https://app.example.com") << path;
  }
}

TEST(CORS, AnswersPreflights) {
  WebBench bench;
  bench.app.use("/api", web::cors({.origins = {"https://app.example.com"},
                                   .methods = {"GET", "PUT"},
                                   .headers = {"X-A", "X-B"},
                                   .max_age = 10min}));
  bool called = false;
  bench.app.put("/api/x", [&called] { called = true; });
  const RawResponse response = bench.request("OPTIONS", "/api/x", kPreflight);
  EXPECT_EQ(response.status, 204);
  EXPECT_EQ(response.field("Access-Control-Allow-Origin"), "https://app.example.com");
  EXPECT_EQ(response.field("Access-Control-Allow-Methods"), "GET, PUT");
  EXPECT_EQ(response.field("Access-Control-Allow-Headers"), "X-A, X-B");
  EXPECT_EQ(response.field("Access-Control-Max-Age"), "600");
  EXPECT_FALSE(response.has_field("Access-Control-Allow-Credentials"));
  EXPECT_EQ(response.field("Vary"),
            "Origin, Access-Control-Request-Method, Access-Control-Request-Headers");
  EXPECT_FALSE(called);

  const RawResponse other = bench.request(
      "OPTIONS", "/api/x", "Origin: https://evil.org\r\nAccess-Control-Request-Method: PUT\r\n");
  EXPECT_EQ(other.status, 403);
  EXPECT_FALSE(other.has_field("Access-Control-Allow-Origin"));
  EXPECT_EQ(bench.log.count("origin https://evil.org is not allowed"), 1U);
  // A plain OPTIONS is none.
  EXPECT_EQ(
      bench.request("OPTIONS", "/api/x", "Origin: https://app.example.com\r\n").field("Allow"),
      "PUT, OPTIONS");
}

TEST(CORS, EveryOriginAndEveryHeader) {
  WebBench bench;
  bench.app.use(web::cors({.origins = {"*"}, .headers = {"*"}}));
  bench.app.get("/", [] { return "data"; });
  const RawResponse response = bench.get("/", "Origin: https://any.where\r\n");
  EXPECT_EQ(response.field("Access-Control-Allow-Origin"), "*");
  EXPECT_FALSE(response.has_field("Vary"));
  EXPECT_EQ(bench.request("OPTIONS", "/", kPreflight).field("Access-Control-Allow-Headers"),
            "x-a, x-b");
}

TEST(CORS, Subdomains) {
  WebBench bench;
  bench.app.use(web::cors({.origins = {"https://*.example.com"}}));
  bench.app.get("/", [] { return "data"; });
  const auto readable = [&](std::string_view origin) {
    return bench.get("/", "Origin: " + std::string(origin) + "\r\n")
        .has_field("Access-Control-Allow-Origin");
  };
  EXPECT_TRUE(readable("https://a.example.com"));
  EXPECT_TRUE(readable("https://a.b.example.com"));
  EXPECT_FALSE(readable("https://example.com"));
  EXPECT_FALSE(readable("https://.example.com"));
  EXPECT_FALSE(readable("https://evilexample.com"));
  EXPECT_FALSE(readable("http://a.example.com"));
}

TEST(CORS, WrongOptionsAreRefused) {
  EXPECT_THROW(web::cors({}), UsageError);
  EXPECT_THROW(web::cors({.origins = {"*"}, .credentials = true}), UsageError);
  for (const char* origin : {"app.example.com", "https://", "https://a.org/", "https://a.org, b"}) {
    EXPECT_THROW(web::cors({.origins = {origin}}), UsageError) << origin;
  }
}

}  // namespace
}  // namespace coronado::web_test
