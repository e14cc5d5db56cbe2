// Our clients against servers of other hands; tests/interop/peers_test.py starts those.
//
//     interop_client http own|curl BASE [echo]   HTTPClient with that engine; BASE/... are its endpoints
//     interop_client ws URL                      the WebSocket client; URL/echo, URL/bye, URL/flaky
//
// Prints a line for each case, `ok NAME` or `failed NAME: why`, and ends with 1 when one has failed.
#include <coronado/coro/combine.hpp>
#include <coronado/http/httpclient.hpp>
#include <coronado/loop/ioloop.hpp>
#include <coronado/websocket.hpp>

#include <cstdio>
#include <functional>
#include <stdexcept>
#include <string>

namespace {

using namespace coronado;
using namespace std::chrono_literals;

int failures = 0;

void expect(bool right, const std::string& what) {
  if (!right) throw std::runtime_error(what);
}

/// Runs one case and says what came of it.
Task<> run_case(const char* name, std::function<Task<>()> body) {
  std::string why;
  try {
    co_await body();
  } catch (const std::exception& error) {
    why = error.what();
    if (why.empty()) why = "?";
  }
  if (why.empty()) {
    std::printf("ok %s\n", name);
  } else {
    ++failures;
    std::printf("failed %s: %s\n", name, why.c_str());
  }
}

// --- HTTP ----------------------------------------------------------------------------------------

Task<> http_basics(HTTPClient& client, std::string base) {
  co_await run_case("GET", [&]() -> Task<> {
    const HTTPClientResponse page = co_await client.fetch(base + "/hello");
    expect(page.code == 200 && page.body == "hello", "got " + page.body);
  });
  co_await run_case("HEAD", [&]() -> Task<> {
    const HTTPClientResponse page = co_await client.fetch(base + "/large", {.method = "HEAD"});
    expect(page.code == 200 && page.body.empty(), "a body came");
    expect(page.headers.get("Content-Length") == "5000000", "no length");
  });
  co_await run_case("404", [&]() -> Task<> {
    const HTTPClientResponse page =
        co_await client.fetch(base + "/nothing", {.raise_error = false});
    expect(page.code == 404, "status " + std::to_string(page.code));
  });
  co_await run_case("redirect", [&]() -> Task<> {
    const HTTPClientResponse page = co_await client.fetch(base + "/redirect");
    expect(page.body == "hello" && page.redirects == 1, "got " + page.body);
  });
  co_await run_case("gzip", [&]() -> Task<> {
    const HTTPClientResponse page = co_await client.fetch(base + "/text");
    expect(page.headers.get("X-Consumed-Content-Encoding") == "gzip", "it came as it is");
    expect(page.body == std::string(20'000, 't'), "other bytes came");
  });
  co_await run_case("5 MB down", [&]() -> Task<> {
    const HTTPClientResponse page = co_await client.fetch(base + "/large");
    expect(page.body == std::string(5'000'000, 'l'), "other bytes came");
  });
  co_await run_case("piece by piece", [&]() -> Task<> {
    HTTPClientStream stream = co_await client.open({.url = base + "/large"});
    std::size_t size = 0;
    for (std::string piece = co_await stream.read_some(); !piece.empty();
         piece = co_await stream.read_some()) {
      size += piece.size();
    }
    expect(size == 5'000'000, std::to_string(size) + " bytes came");
  });
  co_await run_case("POST", [&]() -> Task<> {
    const HTTPClientResponse page = co_await client.fetch(
        base + "/sink", {.method = "POST", .body = std::string(300'000, 'p')});
    expect(page.code == 200, "status " + std::to_string(page.code));
  });
  co_await run_case("kept connections", [&]() -> Task<> {
    const std::uint64_t before = client.stats().connects;
    for (int i = 0; i < 20; ++i) co_await client.fetch(base + "/hello");
    expect(client.stats().connects <= before + 1, "they are not kept");
  });
  co_await run_case("many at a time", [&]() -> Task<> {
    std::vector<Task<HTTPClientResponse>> fetches;
    for (int i = 0; i < 50; ++i) fetches.push_back(client.fetch(base + "/hello"));
    const std::vector<HTTPClientResponse> pages = co_await multi(std::move(fetches));
    for (const HTTPClientResponse& page : pages) {
      expect(page.body == "hello", "got " + page.body);
    }
  });
}

Task<> http_echo(HTTPClient& client, std::string base, bool produces) {
  co_await run_case("echo of 1 MB", [&]() -> Task<> {
    const std::string sent(1'000'000, 'e');
    const HTTPClientResponse page =
        co_await client.fetch(base + "/echo", {.method = "PUT", .body = sent});
    expect(page.body == sent, "other bytes came");
  });
  co_await run_case("100-continue", [&]() -> Task<> {
    const HTTPClientResponse page = co_await client.fetch(
        base + "/echo", {.method = "PUT", .body = "asked", .expect_100_continue = true});
    expect(page.body == "asked", "got " + page.body);
  });
  co_await run_case("trailers", [&]() -> Task<> {
    const HTTPClientResponse page = co_await client.fetch(base + "/trailers");
    expect(page.body == "body" && page.trailers.get("X-Sum") == "4", "they did not come");
  });
  co_await run_case("a cut body", [&]() -> Task<> {
    bool told = false;
    try {
      co_await client.fetch(base + "/cut");
    } catch (const HTTPStreamClosedError&) {
      told = true;
    }
    expect(told, "it was taken for whole");
  });
  if (!produces) co_return;
  co_await run_case("a body in chunks", [&]() -> Task<> {
    HTTPRequest request{.url = base + "/echo", .method = "PUT"};
    request.body_producer = [](HTTPBodyWriter& writer) -> Task<> {
      for (int i = 0; i < 100; ++i) co_await writer.write(std::string(1'000, 'c'));
    };
    const HTTPClientResponse page = co_await client.fetch(std::move(request));
    expect(page.body == std::string(100'000, 'c'), "other bytes came");
  });
}

Task<> http_cases(HTTPClientEngine engine, std::string base, bool echoes) {
  HTTPClient client({.engine = engine});
  co_await http_basics(client, base);
  if (echoes) co_await http_echo(client, base, engine == HTTPClientEngine::kOwn);
  client.close();
}

// --- WebSocket -----------------------------------------------------------------------------------

Task<> echo_sizes(std::string url, std::optional<WebSocketCompression> compression) {
  WebSocket socket = co_await websocket_connect(
      {.url = url + "/echo"}, {.socket = {.compression = std::move(compression)}});
  for (const std::size_t size : {0, 1, 125, 126, 127, 65535, 65536, 1'000'000}) {
    const std::string sent(size, 's');
    co_await socket.send(sent);
    auto got = co_await socket.read();
    expect(got && got->is_text && got->data == sent, "text of " + std::to_string(size));
    co_await socket.send_binary(sent);
    got = co_await socket.read();
    expect(got && !got->is_text && got->data == sent, "bytes of " + std::to_string(size));
  }
  socket.close(4321, "done");
  co_await socket.closed();
  expect(socket.close_code() == 4321, "closed with " + std::to_string(socket.close_code()));
}

Task<> ws_cases(std::string url) {
  co_await run_case("messages of every size", [&] { return echo_sizes(url, std::nullopt); });
  co_await run_case("compressed", [&] { return echo_sizes(url, WebSocketCompression{}); });
  co_await run_case("compressed, windows kept", [&] {
    return echo_sizes(url, WebSocketCompression{.threshold = 1, .forget_own_window = false});
  });
  co_await run_case("small windows", [&] {
    return echo_sizes(url,
                      WebSocketCompression{
                          .forget_own_window = false, .own_window_bits = 9, .peer_window_bits = 9});
  });
  co_await run_case("a thousand messages", [&]() -> Task<> {
    WebSocket socket = co_await websocket_connect({.url = url + "/echo"});
    for (int i = 0; i < 1000; ++i) socket.send("message " + std::to_string(i));
    for (int i = 0; i < 1000; ++i) {
      const auto got = co_await socket.read();
      expect(got && got->data == "message " + std::to_string(i), "out of order");
    }
  });
  co_await run_case("keep-alive", [&]() -> Task<> {
    WebSocket socket = co_await websocket_connect(
        {.url = url + "/echo"}, {.socket = {.ping_interval = 20ms, .ping_timeout = 5s}});
    co_await sleep(100ms);
    co_await socket.send("still here");
    expect((co_await socket.read()).has_value(), "it was cut");
  });
  co_await run_case("subprotocols", [&]() -> Task<> {
    WebSocket socket =
        co_await websocket_connect({.url = url + "/echo"}, {.subprotocols = {"chat", "other"}});
    expect(socket.subprotocol() == "chat", "agreed on \"" + socket.subprotocol() + "\"");
  });
  co_await run_case("a close by the server", [&]() -> Task<> {
    WebSocket socket = co_await websocket_connect({.url = url + "/bye"});
    expect(!co_await socket.read(), "a message came");
    expect(socket.close_code() == 4000 && socket.close_reason() == "go away", "another code");
  });
  co_await run_case("coming back", [&]() -> Task<> {
    int subscribed = 0;
    WebSocketReconnectOptions options;
    options.backoff.first = 1ms;
    options.on_connect = [&](WebSocket& socket) -> Task<> {
      ++subscribed;
      co_await socket.send("subscribe");
    };
    ReconnectingWebSocket feed(url + "/flaky", std::move(options));
    for (int i = 0; i < 3; ++i) {
      const auto got = co_await feed.read();
      expect(got && got->data == "subscribed", "nothing came");
    }
    expect(subscribed == 3, "subscribed " + std::to_string(subscribed) + " times");
  });
}

int usage() {
  std::fprintf(stderr, "usage: interop_client http own|curl BASE [echo] | ws URL\n");
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  IOLoop loop;
  if (words.size() == 2 && words[0] == "ws") {
    loop.run_sync(ws_cases(words[1]), 100s);
  } else if (words.size() >= 3 && words[0] == "http") {
    const auto engine = words[1] == "curl" ? HTTPClientEngine::kCurl : HTTPClientEngine::kOwn;
    loop.run_sync(http_cases(engine, words[2], words.size() > 3), 100s);
  } else {
    return usage();
  }
  return failures == 0 ? 0 : 1;
}
