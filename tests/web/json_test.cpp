#include <coronado/web/json.hpp>

#include <coronado/base/describe.hpp>

#include <limits>
#include <vector>

#include "tests/web/web_fixture.hpp"

namespace coronado::web_test {
namespace {

struct Line {
  std::string item;
  double price = 0;
};
BOOST_DESCRIBE_STRUCT(Line, (), (item, price))

TEST(WebJson, Responses) {
  const web::Response response = web::json(Line{"a \"b\"", 1.5}, 201);
  EXPECT_EQ(response.status(), 201);
  EXPECT_EQ(response.body(), R"({"item":"a \"b\"","price":1.5})");
  EXPECT_EQ(response.headers().find("Content-Type"), "application/json");
  EXPECT_EQ(web::json(json_decode(R"({"a":[1,2]})")).body(), R"({"a":[1,2]})");
  EXPECT_EQ(web::json(std::vector<Line>{{"x", 1}}).body(), R"([{"item":"x","price":1.0}])");
  EXPECT_THROW(web::json(Line{"x", std::numeric_limits<double>::infinity()}),
               std::invalid_argument);
}

TEST(WebJson, BodiesOfEveryShape) {
  WebBench bench;
  bench.app.post("/any", [](web::JsonBody<Json> body) { return web::json(*body); });
  bench.app.post(
      "/list", [](web::JsonBody<std::vector<Line>> body) { return std::to_string(body->size()); });
  EXPECT_EQ(bench.request("POST", "/any", "", R"( {"a" : [1, null]} )").body, R"({"a":[1,null]})");
  EXPECT_EQ(bench.request("POST", "/list", "", R"([{"item":"a","price":1}])").body, "1");
  for (const char* body : {"{", "[1,]", "{\"a\":1} x", "\xff", "nul"}) {
    EXPECT_EQ(bench.request("POST", "/any", "", body).status, 400) << body;
  }
  EXPECT_EQ(bench.request("POST", "/list", "", R"([{"item":5,"price":1}])").status, 422);
  EXPECT_EQ(bench.log.count("item"), 1U);  // the log says which member was wrong
}

struct Parcel {
  std::string to;
  int weight = 0;
  std::vector<std::string> contents;
};
BOOST_DESCRIBE_STRUCT(Parcel, (), (to, weight, contents))
void describe_rules(web::Rules<Parcel>& rules) {
  rules.field(&Parcel::to).length(2, 10);
  rules.field(&Parcel::weight).between(1, 100);
  rules.field(&Parcel::contents).length(1, 3);
  rules.require(&Parcel::weight, "must suit the contents", [](const Parcel&) { return false; });
}

TEST(WebJson, FieldsThatCannotBeReadDoNotHideThoseThatBreakRules) {
  WebBench bench;
  bench.app.post("/parcels", [](web::JsonBody<Parcel>) {});
  const auto errors = [&](std::string_view body) {
    const RawResponse response = bench.request("POST", "/parcels", "", body);
    EXPECT_EQ(response.status, 422);
    std::string text;
    for (const Json& each : json_decode(response.body)["errors"].as_array()) {
      text += each["field"].as_string() + ": " + each["message"].as_string() + '\n';
    }
    return text;
  };
  EXPECT_EQ(errors(R"({"to": "A", "weight": "heavy"})"),
            "weight: expected integer, got string\ncontents: missing\n"
            "to: must have at least 2 characters\n");
  EXPECT_EQ(errors(R"({"to": "Ada", "weight": 1, "contents": ["a", 2, "c", "d"]})"),
            "contents[1]: expected string, got number\ncontents: must have at most 3 elements\n");
  EXPECT_EQ(errors(R"({"to": "Ada", "weight": 1, "contents": ["a"]})"),
            "weight: must suit the contents\n");
  EXPECT_EQ(errors("5"), ": expected object, got number\n");
  // With more than are named it is not known of the others whether they were read.
  std::string many = R"({"contents": [0)";
  for (int i = 0; i < 30; ++i) many += ",0";
  EXPECT_EQ(errors(many + R"(], "to": "A", "weight": 0})").find("must"), std::string::npos);
}

TEST(WebJson, ResultThatCannotBeWrittenIs500) {
  WebBench bench;
  bench.app.get("/inf", [] { return Line{"x", std::numeric_limits<double>::infinity()}; });
  bench.app.get("/fine", [] { return Line{"y", 2}; });
  EXPECT_EQ(bench.get("/inf").status, 500);
  EXPECT_EQ(bench.get("/fine").body, R"({"item":"y","price":2.0})");
}

TEST(WebJson, ResultsOfTwoHandlersDoNotMix) {
  WebBench bench;
  bench.app.get("/{name}", [](std::string name) -> Task<Line> {
    co_await sleep(1s);
    co_return Line{name, 0};
  });
  bench.client().send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  auto [other, accepted] = make_memory_transports(bench.loop);
  bench.server->serve(std::move(accepted));
  RawClient second(std::move(other));
  second.send("GET /b HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(bench.loop.run_sync(bench.client().read_response()).body,
            R"({"item":"a","price":0.0})");
  EXPECT_EQ(bench.loop.run_sync(second.read_response()).body, R"({"item":"b","price":0.0})");
}

}  // namespace
}  // namespace coronado::web_test
