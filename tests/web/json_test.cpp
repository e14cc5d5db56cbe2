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
