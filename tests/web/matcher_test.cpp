#include <coronado/web/matcher.hpp>

#include <coronado/base/error.hpp>
#include <coronado/web/standard_handlers.hpp>

#include "tests/web/web_fixture.hpp"

namespace coronado::web_test {
namespace {

using web::match_if;
using web::Matcher;

/// What the matcher below has found out.
struct Version {
  std::string number;
};

/// Takes requests of one version of an API, which is said in a field or in the query.
struct APIVersion : Matcher {
  explicit APIVersion(std::string version) : version(std::move(version)) {}
  bool match(const HTTPServerRequest& request) const override {
    for (const auto& [name, value] : request.query_arguments()) {
      if (name == "version") return value == version;
    }
    return request.header("API-Version").value_or("1") == version;
  }
  void matched(web::WebExchange& exchange) const override {
    if (version == "9") throw HTTPError(410, "version 9 is gone");
    exchange.set_extension(Version{version});
  }
  std::string reverse(std::string url) const override { return url + "?version=" + version; }
  std::string version;
};

std::shared_ptr<const Matcher> version(std::string number) {
  return std::make_shared<APIVersion>(std::move(number));
}

std::shared_ptr<const Matcher> content_type(std::string type) {
  return match_if([type = std::move(type)](const HTTPServerRequest& request) {
    return request.header("Content-Type").value_or("") == type;
  });
}

TEST(Matcher, ChoosesAmongRoutesOfOnePath) {
  WebBench bench;
  bench.app.get("/users/{id:int}",
                [](long id, web::Extension<Version> found) {
                  return "new " + std::to_string(id) + " by " + found->number;
                },
                {.matchers = {version("2")}});
  bench.app.get("/users/{id:int}", [](long id) { return "old " + std::to_string(id); });
  EXPECT_EQ(bench.get("/users/7").body, "old 7");
  EXPECT_EQ(bench.get("/users/7", "API-Version: 2\r\n").body, "new 7 by 2");
  EXPECT_EQ(bench.get("/users/7?version=2").body, "new 7 by 2");
  EXPECT_EQ(bench.get("/users/7?version=3").body, "old 7");
  EXPECT_EQ(bench.request("HEAD", "/users/7?version=2").field("Content-Length"), "10");
}

struct Shown : web::RequestHandler {
  Task<> get() override {
    write("shown " + path_argument("name") + " " + reverse_url("show", {"x y"}));
    co_return;
  }
};

TEST(Matcher, IsForHandlersOfBothKindsAndIsReversed) {
  WebBench bench;
  bench.app.add<Shown>("/show/{name}", {.name = "show", .matchers = {version("2")}});
  EXPECT_EQ(bench.get("/show/it?version=2").body, "shown it /show/x%20y?version=2");
  EXPECT_EQ(bench.get("/show/it").status, 404);
}

TEST(Matcher, TheFirstRouteWinsWhateverItIs) {
  WebBench bench;
  bench.app.get(re("/a.*"), [] { return "expression"; }, {.matchers = {version("2")}});
  bench.app.get("/a/{rest:path}", [](std::string) { return "parameter"; },
                {.matchers = {version("3")}});
  bench.app.get("/a/b", [] { return "literal"; });
  bench.app.get("/a/{x}", [](std::string) { return "last"; });
  EXPECT_EQ(bench.get("/a/b?version=2").body, "expression");
  EXPECT_EQ(bench.get("/a/b?version=3").body, "parameter");
  EXPECT_EQ(bench.get("/a/b").body, "literal");
  EXPECT_EQ(bench.get("/a/c").body, "last");
  EXPECT_EQ(bench.get("/a/c?version=3").body, "parameter");
}

TEST(Matcher, AllOfARouteMustHold) {
  WebBench bench;
  const auto json = content_type("application/json");
  bench.app.post("/notes", [] { return "both"; }, {.matchers = {json, version("2")}});
  bench.app.post("/notes", [] { return "json"; }, {.matchers = {json}});
  bench.app.put("/notes", [] { return "put"; }, {.matchers = {version("2")}});
  const std::string field = "Content-Type: application/json\r\n";
  EXPECT_EQ(bench.request("POST", "/notes?version=2", field, "{}").body, "both");
  EXPECT_EQ(bench.request("POST", "/notes", field, "{}").body, "json");
  // A route that does not match has no methods to allow.
  EXPECT_EQ(bench.request("POST", "/notes", "", "{}").status, 404);
  const RawResponse refused = bench.request("POST", "/notes?version=2", "", "{}");
  EXPECT_EQ(refused.status, 405);
  EXPECT_EQ(refused.field("Allow"), "PUT, OPTIONS");
}

TEST(Matcher, GoesTogetherWithHosts) {
  WebBench bench;  // whose host is Example.com
  bench.app.get("/", [] { return "host and version"; },
                {.host = "example.com", .matchers = {version("2")}});
  bench.app.get("/", [] { return "other host"; },
                {.host = "other.com", .matchers = {version("2")}});
  bench.app.get("/", [] { return "anything"; });
  EXPECT_EQ(bench.get("/?version=2").body, "host and version");
  EXPECT_EQ(bench.get("/").body, "anything");
}

TEST(Matcher, ConditionsAWholeRouter) {
  WebBench bench;
  web::Router second;
  second.get("/users", [] { return "second users"; }, {.name = "users"});
  second.get("/teams", [] { return "second teams"; });
  bench.app.mount("/api", std::move(second.match(version("2"))));
  web::Router first;
  first.get("/users", [] { return "first users"; });
  bench.app.mount("/api", std::move(first));
  EXPECT_EQ(bench.get("/api/users?version=2").body, "second users");
  EXPECT_EQ(bench.get("/api/teams?version=2").body, "second teams");
  EXPECT_EQ(bench.get("/api/users").body, "first users");
  EXPECT_EQ(bench.get("/api/teams").status, 404);
  EXPECT_EQ(bench.app.reverse_url("users"), "/api/users?version=2");
}

TEST(Matcher, NeedsNoPattern) {
  WebBench bench;
  bench.app.get(re(".*"), [] { return "for robots"; },
                {.matchers = {match_if([](const HTTPServerRequest& request) {
                   return request.header("User-Agent").value_or("").contains("bot");
                 })}});
  bench.app.get("/a", [] { return "for people"; });
  EXPECT_EQ(bench.get("/a", "User-Agent: searchbot\r\n").body, "for robots");
  EXPECT_EQ(bench.get("/a").body, "for people");
}

TEST(Matcher, WhatItThrowsIsAnswered) {
  WebBench bench;
  bench.app.get("/", [] { return ""; }, {.matchers = {version("9")}});
  EXPECT_EQ(bench.get("/?version=9").status, 410);
}

}  // namespace
}  // namespace coronado::web_test
