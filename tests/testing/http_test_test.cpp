#include <coronado/testing/http_test.hpp>

#include <coronado/coro/timeout.hpp>
#include <coronado/testing/expect_log.hpp>
#include <coronado/web/json.hpp>
#include <coronado/web/response.hpp>
#include <coronado/web/websocket_handler.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

namespace coronado {
namespace {

using namespace std::chrono_literals;

web::Application make_app() {
  web::Application app;
  app.get("/", [] { return "hello"; });
  app.post("/echo", [](const HTTPServerRequest& request) { return std::string(request.body()); });
  app.get("/old", [] { return web::redirect("/"); });
  app.get("/slow", []() -> Task<std::string> {
    co_await sleep(30min);
    co_return "slow";
  });
  app.get("/refuses", []() -> std::string { throw HTTPError(503, "the reason"); });
  app.get("/fails", []() -> std::string { throw std::runtime_error("the cause"); });
  app.get("/ws", web::websocket([](WebSocket& socket) -> Task<> {
            while (const auto message = co_await socket.read()) co_await socket.send(*message);
          }));
  return app;
}

/// On each network, with and without TLS.
class HTTPTestTest : public testing::TestWithParam<std::pair<ReactorKind, bool>> {
 protected:
  HTTPTestOptions options() const {
    return {.reactor = GetParam().first, .tls = GetParam().second};
  }
};

TEST_P(HTTPTestTest, FetchesWhateverTheStatus) {
  HTTPTest test(make_app(), options());
  EXPECT_EQ(test.fetch("/").body, "hello");
  EXPECT_EQ(test.fetch("/nowhere").code, 404);
  EXPECT_EQ(test.fetch("/old").code, 302);
  EXPECT_EQ(test.fetch("/old", {}).body, "hello");
  HTTPRequest post;
  post.method = "POST";
  post.body = "some text";
  EXPECT_EQ(test.fetch("/echo", std::move(post)).body, "some text");
  EXPECT_EQ(test.url("/x").starts_with("https"), GetParam().second);
}

TEST_P(HTTPTestTest, TalksOverAWebSocket) {
  HTTPTest test(make_app(), options());
  WebSocket socket = test.websocket("/ws");
  test.run([&]() -> Task<> {
    co_await socket.send("hello");
    const auto message = co_await socket.read();
    EXPECT_EQ(message->data, "hello");
    socket.close();
    co_await socket.closed();
  });
}

INSTANTIATE_TEST_SUITE_P(Networks, HTTPTestTest,
                         testing::Values(std::pair(ReactorKind::kSim, false),
                                         std::pair(ReactorKind::kSim, true),
                                         std::pair(ReactorKind::kEpoll, false),
                                         std::pair(ReactorKind::kEpoll, true)));

// [fetch]
TEST(HTTPTest, TimeIsSimulated) {
  HTTPTest test(make_app());
  HTTPRequest patient;
  patient.request_timeout = 1h;
  EXPECT_EQ(test.fetch("/slow", std::move(patient)).body, "slow");
  EXPECT_GE(test.loop().now() - TimePoint(), 30min);
}
// [/fetch]

TEST(HTTPTest, WhatIsLoggedMustBeExpected) {
  {
    HTTPTest test(make_app());
    ExpectLog access("503 GET /refuses");
    ExpectLog error("the cause");
    EXPECT_EQ(test.fetch("/refuses").code, 503);
    EXPECT_EQ(test.fetch("/fails").code, 500);
    EXPECT_THAT(access.lines(), ::testing::ElementsAre(::testing::EndsWith(": the reason")));
  }
  EXPECT_NONFATAL_FAILURE(
      {
        HTTPTest test(make_app());
        test.fetch("/fails");
      },
      "the cause");
}

TEST(HTTPTest, ATimeLimitShowsTheTasks) {
  HTTPTest test(make_app(), {.time_limit = 1s});
  HTTPRequest patient;
  patient.request_timeout = 1h;
  EXPECT_NONFATAL_FAILURE(EXPECT_THROW(test.fetch("/slow", std::move(patient)), ClosedError),
                          "/slow");
}

TEST(BindUnusedPort, IsOfThisMachineAndListens) {
  const auto [socket, port] = bind_unused_port();
  EXPECT_NE(port, 0);
  EXPECT_EQ(local_port(socket), port);
}

CORO_TEST(CoroTest, MayAwait) {
  const TimePoint begin = IOLoop::current()->now();
  co_await sleep(50min);
  EXPECT_GE(IOLoop::current()->now() - begin, 50min);
}

}  // namespace
}  // namespace coronado
