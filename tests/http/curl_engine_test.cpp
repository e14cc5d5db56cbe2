// What both engines do alike is in the tests httpclient_engines.
#include "http/curl_engine.hpp"

#include <coronado/net/tls_context.hpp>

#include "tests/http/client_engines.hpp"

#ifdef CORONADO_CURL
#include <curl/curl.h>
#endif

namespace coronado {
namespace {

using namespace client_test;

#ifdef CORONADO_CURL
TEST(CurlEngine, TheHandleIsThereToBePrepared) {
  run_async(
      []() -> Task<> {
        Peer peer(any_port(), [](IOStream& stream) -> Task<> {
          const std::string head = co_await stream.read_until("\r\n\r\n");
          const bool more = head.find(" /more ") != std::string::npos;
          const std::string moved =
              more ? "" : "HTTP/1.1 302 Found\r\nLocation: /more\r\nContent-Length: 0\r\n\r\n";
          co_await stream.write(more ? "HTTP/1.1 200 OK\r\nContent-Length: " +
                                           std::to_string(head.size()) + "\r\n\r\n" + head
                                     : moved);
          co_await stream.shutdown();
        });
        HTTPClient client(
            {.engine = HTTPClientEngine::kCurl, .resolver = std::make_shared<Names>()});
        int prepared = 0;
        HTTPRequest request{.url = url_of(peer)};
        request.prepare_curl_callback = [&](void* easy) {
          ++prepared;
          curl_easy_setopt(easy, CURLOPT_REFERER, "http://from.example/");
        };
        const HTTPClientResponse page = co_await client.fetch(std::move(request));
        EXPECT_THAT(page.body, HasSubstr("Referer: http://from.example/\r\n"));
        EXPECT_EQ(prepared, 2) << "once for each request, the redirect included";
        HTTPRequest fails{.url = url_of(peer)};
        fails.prepare_curl_callback = [](void*) { throw std::out_of_range("mine"); };
        const auto error = co_await failure_of<std::out_of_range>(client.fetch(std::move(fails)));
        EXPECT_STREQ(error.what(), "mine");
        EXPECT_EQ(client.stats().busy, 0U);
        co_await peer.close();
      },
      {.reactor = ReactorKind::kEpoll});
}
#endif

TEST(CurlEngine, OnlyItHasAHandleToPrepare) {
  run_async([]() -> Task<> {
    HTTPClient client;
    HTTPRequest request{.url = "http://127.0.0.1/"};
    request.prepare_curl_callback = [](void*) {};
    const auto error = co_await failure_of<std::invalid_argument>(client.fetch(std::move(request)));
    EXPECT_THAT(error.what(), HasSubstr("prepare_curl_callback"));
  });
}

TEST(CurlEngine, WhatIsNotForIt) {
  if (!CurlEngine::available()) {
    EXPECT_THROW(HTTPClient({.engine = HTTPClientEngine::kCurl}), std::logic_error);
    EXPECT_FALSE(HTTPClient::has_engine(HTTPClientEngine::kCurl));
    return;
  }
  EXPECT_TRUE(HTTPClient::has_engine(HTTPClientEngine::kCurl));
  run_async(
      []() -> Task<> {
        HTTPClient client({.engine = HTTPClientEngine::kCurl});
        HTTPRequest produced{.url = "http://127.0.0.1/", .method = "PUT"};
        produced.body_producer = [](HTTPBodyWriter&) -> Task<> { co_return; };
        co_await failure_of<std::invalid_argument>(client.fetch(std::move(produced)));
        HTTPRequest context{.url = "https://127.0.0.1/", .tls = TLSContext::client({})};
        co_await failure_of<std::invalid_argument>(client.fetch(std::move(context)));
        EXPECT_EQ(client.stats().busy, 0U);
      },
      {.reactor = ReactorKind::kEpoll});
}

}  // namespace
}  // namespace coronado
