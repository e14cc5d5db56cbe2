/// An application under test, with a client that talks to it.
///
///     HTTPTest           serves an application and fetches from it
///     HTTPTestOptions    on which network, with which limits
///     bind_unused_port   a listening socket of this machine
///     CORO_TEST          a test that is a coroutine
///
///     TEST(Shop, HasNoSuchOrder) {
///       HTTPTest shop(make_app());
///       EXPECT_EQ(shop.fetch("/orders/7").code, 404);
///     }
///
/// By default nothing leaves the process: server and client talk over a simulated network, in
/// simulated time, so that a handler that sleeps an hour is tested in microseconds. With
/// `ReactorKind::kEpoll` it is a free port of this machine and the system's clock.
///
/// What is logged as a warning or an error and not waited for by an `ExpectLog` fails the test, but
/// for the access log.
///
/// Layer: testing.   Tornado  `testing.AsyncHTTPTestCase`, `testing.AsyncHTTPSTestCase`.
#pragma once

#include <coronado/http/httpclient.hpp>
#include <coronado/http/httpserver.hpp>
#include <coronado/http/websocket_client.hpp>
#include <coronado/net/netutil.hpp>
#include <coronado/testing/async_test.hpp>
#include <coronado/web/application.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <utility>

namespace coronado {

struct HTTPTestOptions {
  /// `kSim`: no sockets, simulated time. Any other: a free port of 127.0.0.1.
  ReactorKind reactor = ReactorKind::kSim;
  /// HTTPS, with a certificate that `fetch` and `websocket` trust.
  bool tls = false;
  HTTPServerOptions server = {};
  HTTPClientOptions client = {};
  /// Longest time of one call of `fetch`, `run` or `websocket`; then the test fails with the tree of
  /// its tasks. Zero: see `AsyncTestOptions`.
  Duration time_limit = Duration::zero();
};

/// A server of one application, a client, and the loop of both.
///
/// Threads  One.
class HTTPTest {
 public:
  explicit HTTPTest(web::Application app, HTTPTestOptions options = {});
  /// Closes what is open, and waits until handlers have ended.
  ~HTTPTest();
  HTTPTest(const HTTPTest&) = delete;
  HTTPTest& operator=(const HTTPTest&) = delete;

  /// Fetches a path of the application, whatever the status. Redirects are not followed unless
  /// `request` says so.
  ///
  ///     test.fetch("/orders", {.method = "POST", .body = R"({"item":"tea"})"})
  ///
  /// Throws  HTTPClientError  There was no response: its kinds are those of `HTTPClient::fetch`.
  HTTPClientResponse fetch(const std::string& path,
                           HTTPRequest request = HTTPRequest{.follow_redirects = false});

  /// Connects to a WebSocket of the application; use it in `run`.
  /// Throws  HTTPClientError  The handshake failed.
  WebSocket websocket(const std::string& path, WebSocketConnectOptions options = {});

  /// Runs `body()`, which returns a `Task<T>`, to its end: for what takes several steps.
  ///
  ///     test.run([&]() -> Task<> { co_await test.client().fetch(test.url("/")); });
  ///
  /// Returns  What the task returns.   Throws  What it throws; `ClosedError` after the time limit.
  template <class F>
  auto run(F&& body, std::source_location site = std::source_location::current()) {
    const Limit limit(*this);
    return loop().run_sync(body(), std::nullopt, site);
  }

  /// The whole URL of a path.   Tornado  `get_url`.
  std::string url(const std::string& path) const;
  std::uint16_t port() const;
  IOLoop& loop() noexcept;
  web::Application& app() noexcept;
  HTTPServer& server() noexcept;
  HTTPClient& client() noexcept;

 private:
  struct State;

  /// Fails the test when it lives for too long.
  class Limit {
   public:
    explicit Limit(HTTPTest& test);
    Limit(const Limit&) = delete;
    Limit& operator=(const Limit&) = delete;
    ~Limit();

   private:
    HTTPTest& test_;
    TimeoutHandle timer_;
  };

  std::unique_ptr<State> state_;
};

/// A listening socket on a port that nobody used; its port is what it was given.
/// Throws   BindError  See `bind_sockets`.
/// Tornado  `testing.bind_unused_port`.
std::pair<Socket, std::uint16_t> bind_unused_port(const std::string& address = "127.0.0.1");

}  // namespace coronado

/// A test whose body is a coroutine, as `run_async` runs it. GoogleTest's ASSERT macros return and so
/// are not for coroutines; EXPECT is.
///
///     CORO_TEST(Chat, Greets) { EXPECT_EQ(co_await greet("Ada"), "Hello, Ada"); }
#define CORO_TEST(suite, name)                                             \
  static ::coronado::Task<> suite##_##name##_coroutine();                  \
  TEST(suite, name) { ::coronado::run_async(suite##_##name##_coroutine); } \
  static ::coronado::Task<> suite##_##name##_coroutine()
