// The HTTP client: what docs/guide/http-client.md shows. Serves itself, then fetches from there.
//
//     http_client
#include <coronado/base/error.hpp>
#include <coronado/coro/combine.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/http/cookie_jar.hpp>
#include <coronado/http/httpclient.hpp>
#include <coronado/http/httpserver.hpp>
#include <coronado/loop/ioloop.hpp>
#include <coronado/web.hpp>

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using coronado::HTTPBodyWriter, coronado::HTTPClient, coronado::HTTPClientError;
using coronado::HTTPClientEngine, coronado::HTTPClientOptions, coronado::HTTPClientResponse;
using coronado::HTTPClientStream, coronado::HTTPRequest, coronado::Task;

namespace {

// [fetch]
Task<> fetch_a_page(HTTPClient& client, std::string url) {
  const HTTPClientResponse page = co_await client.fetch(url);
  std::printf("%d %s, %zu bytes\n", page.code, page.reason.c_str(), page.body.size());
}
// [/fetch]

// [post]
Task<> post_a_form(HTTPClient& client, std::string url) {
  const HTTPClientResponse made = co_await client.fetch(
      url, {.method = "POST", .headers = {{"X-Request-ID", "7"}}, .body = "name=Ada"});
  std::printf("%s\n", made.body.c_str());
}
// [/post]

// [errors]
Task<> explain(HTTPClient& client, std::string url) {
  try {
    co_await client.fetch(url, {.request_timeout = 2s});
  } catch (const coronado::HTTPTimeoutError& error) {
    std::printf("too slow: %s\n", error.what());
  } catch (const coronado::HTTPConnectError& error) {
    std::printf("not there: %s\n", error.what());
  } catch (const HTTPClientError& error) {
    std::printf("%d: %s\n", error.code(), error.what());
  }
}
// [/errors]

// [together]
Task<> fetch_together(HTTPClient& client, std::string base) {
  std::vector<Task<HTTPClientResponse>> fetches;
  for (int i = 0; i < 10; ++i) fetches.push_back(client.fetch(base + "/item/" + std::to_string(i)));
  const std::vector<HTTPClientResponse> pages = co_await coronado::multi(std::move(fetches));
  std::printf("%zu pages over %llu connections\n", pages.size(),
              static_cast<unsigned long long>(client.stats().connects));
}
// [/together]

// [download]
Task<> download(HTTPClient& client, std::string url) {
  HTTPClientStream stream = co_await client.open({.url = url});
  std::size_t size = 0;
  for (std::string piece = co_await stream.read_some(); !piece.empty();
       piece = co_await stream.read_some()) {
    size += piece.size();  // the server waits while we are busy with it
  }
  std::printf("%zu bytes\n", size);
}
// [/download]

// [upload]
Task<> write_numbers(HTTPBodyWriter& writer) {
  for (int i = 0; i < 1000; ++i) co_await writer.write(std::to_string(i) + "\n");
}

Task<> upload(HTTPClient& client, std::string url) {
  HTTPRequest request{.url = url, .method = "PUT"};
  request.body_producer = write_numbers;
  const HTTPClientResponse answer = co_await client.fetch(std::move(request));
  std::printf("%s\n", answer.body.c_str());
}
// [/upload]

// [options]
HTTPClientOptions options_of_a_browser() {
  HTTPClientOptions options;
  options.max_clients_per_host = 6;
  options.cookies = std::make_shared<coronado::CookieJar>();
  options.proxies = coronado::HTTPProxies::from_environment();
  options.user_agent = "Explorer/1.0";
  return options;
}
// [/options]

// [engine]
HTTPClientOptions options_with_libcurl() {
  HTTPClientOptions options;
  if (HTTPClient::has_engine(HTTPClientEngine::kCurl)) options.engine = HTTPClientEngine::kCurl;
  return options;
}
// [/engine]

// [defaults]
Task<> fetch_with_defaults(std::string base) {
  HTTPClient client({}, [](HTTPRequest& request) {
    request.user_agent = "Explorer/1.0";
    request.request_timeout = 5s;
  });
  co_await fetch_a_page(client, base + "/item/1");
  HTTPRequest request = client.request(base + "/form");
  request.method = "POST";
  request.body = "name=Ada";
  co_await client.fetch(std::move(request));
}
// [/defaults]

Task<> show(std::string base) {
  HTTPClientOptions options = options_of_a_browser();
  options.proxies.except.emplace_back("127.0.0.1");
  HTTPClient client(std::move(options));
  co_await fetch_a_page(client, base + "/item/1");
  co_await post_a_form(client, base + "/form");
  co_await explain(client, base + "/nothing");
  co_await explain(client, base + "/slow");
  co_await fetch_with_defaults(base);
  co_await fetch_together(client, base);
  co_await download(client, base + "/big");
  co_await upload(client, base + "/count");
  HTTPClient other(options_with_libcurl());
  co_await fetch_a_page(other, base + "/item/2");
}

Task<std::string_view> slow() {
  co_await coronado::sleep(1h);
  co_return "at last";
}

}  // namespace

int main() {
  coronado::IOLoop loop;
  coronado::web::Application app;
  app.get("/item/{id:int}", [](long id) { return "item " + std::to_string(id); });
  app.post("/form", [](const coronado::HTTPServerRequest& request) { return request.body(); });
  app.get("/slow", slow);
  app.get("/big", [] { return std::string(1'000'000, 'b'); });
  app.put("/count", [](const coronado::HTTPServerRequest& request) {
    return "got " + std::to_string(request.body().size()) + " bytes";
  });
  coronado::HTTPServer server(loop, app);
  server.listen(0, {.address = "127.0.0.1"});
  loop.run_sync(show("http://127.0.0.1:" + std::to_string(server.port())));
  loop.run_sync(server.close());
}
