// What both engines do alike is in the tests httpclient_engines.
#include "http/curl_engine.hpp"

#include <coronado/net/tls_context.hpp>

#include "tests/http/client_engines.hpp"

namespace coronado {
namespace {

using namespace client_test;

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
