// Compressed responses: what is asked for, what the caller gets, and what is no such thing.
#include <coronado/http/httpclient.hpp>

#include "tests/http/client_fixture.hpp"
#include "tests/http/coded_body.hpp"

namespace coronado::client_test {
namespace {

using http_test::packed;
using http_test::some_text;

/// "/coded?gzip" answers a text in that coding, "/raw?x" with the bytes that a test has set.
struct Coded {
  explicit Coded(Fixture& fix) {
    fix.service.on("/coded", [this](HTTPExchange& exchange) -> Task<> {
      asked = exchange.request().header("Accept-Encoding").value_or("nothing");
      const std::string coding(exchange.request().query());
      const std::string fields =
          "Content-Encoding: " + (coding == "raw" ? "deflate" : coding) + "\r\n";
      exchange.respond({.fields = fields}, coding == "identity" ? text : packed(coding, text));
      co_return;
    });
    fix.service.on("/raw", [this](HTTPExchange& exchange) -> Task<> {
      const std::string fields = "Content-Encoding: gzip\r\n";
      if (exchange.request().query() == "pieces") {
        exchange.start({.fields = fields}, std::nullopt);
        for (const char c : bytes) {
          exchange.write({&c, 1});
          co_await moment();
        }
        exchange.finish();
      } else {
        exchange.respond({.fields = fields}, bytes);
      }
    });
  }
  std::string text = some_text(300'000);
  std::string bytes;
  std::string asked;
};

/// Reads with `read_some`; notes the largest piece.
Task<std::string> read_stream(HTTPClient& client, HTTPRequest request, std::size_t piece,
                              std::size_t& most) {
  HTTPClientStream stream = co_await client.open(std::move(request));
  std::string all;
  for (;;) {
    const std::string some = co_await stream.read_some(piece);
    if (some.empty()) co_return all;
    most = std::max(most, some.size());
    all += some;
  }
}

TEST(HTTPClientDecoding, EveryCodingInEveryWayOfReading) {
  with_fixture([](Fixture& fix) -> Task<> {
    Coded coded(fix);
    for (const char* coding : {"gzip", "deflate", "raw", "br", "zstd", "identity"}) {
      const std::string url = "http://server/coded?" + std::string(coding);
      const HTTPClientResponse whole = co_await fix.client.fetch(url);
      EXPECT_EQ(whole.body, coded.text) << coding;
      std::string streamed;
      HTTPRequest request{.url = url};
      request.streaming_callback = [&](std::string piece) -> Task<> {
        EXPECT_LE(piece.size(), 64U * 1024);
        EXPECT_FALSE(piece.empty());
        co_await moment();
        streamed += piece;
      };
      EXPECT_EQ((co_await fix.client.fetch(std::move(request))).body, "");
      EXPECT_EQ(streamed, coded.text) << coding;
      for (const std::size_t piece : {std::size_t{1000}, std::size_t{64} * 1024}) {
        std::size_t most = 0;
        EXPECT_EQ(co_await read_stream(fix.client, {.url = url}, piece, most), coded.text);
        EXPECT_LE(most, piece);
      }
    }
    EXPECT_EQ(coded.asked, "gzip, deflate, br, zstd");
    EXPECT_EQ(fix.client.stats().connects, 1U);  // each response was read to its end
  });
}

TEST(HTTPClientDecoding, TheFieldsTellWhatTheCallerGets) {
  with_fixture([](Fixture& fix) -> Task<> {
    Coded coded(fix);
    std::string head;
    HTTPRequest request{.url = "http://server/coded?br"};
    request.header_callback = [&](std::string_view line) { head += line; };
    const HTTPClientResponse response = co_await fix.client.fetch(std::move(request));
    EXPECT_EQ(response.headers.find("X-Consumed-Content-Encoding"), "br");
    EXPECT_FALSE(response.headers.contains("Content-Encoding"));
    EXPECT_FALSE(response.headers.contains("Content-Length"));
    EXPECT_THAT(head, HasSubstr("Content-Encoding: br\r\n"));
    EXPECT_THAT(head, HasSubstr("Content-Length: "));
  });
}

TEST(HTTPClientDecoding, NotWhenItIsNotWanted) {
  with_fixture([](Fixture& fix) -> Task<> {
    Coded coded(fix);
    HTTPClientResponse response = co_await fix.client.fetch(
        {.url = "http://server/coded?gzip", .decompress_response = false});
    EXPECT_EQ(response.body, packed("gzip", coded.text));
    EXPECT_EQ(response.headers.find("Content-Encoding"), "gzip");
    EXPECT_EQ(coded.asked, "nothing");
    // One's own wish is sent as it is.
    response = co_await fix.client.fetch(
        {.url = "http://server/coded?gzip", .headers = {{"accept-encoding", "gzip"}}});
    EXPECT_EQ(response.body, coded.text);
    EXPECT_EQ(coded.asked, "gzip");
    co_await fix.client.fetch(
        {.url = "http://server/coded?identity", .headers = {{"Range", "bytes=0-"}}});
    EXPECT_EQ(coded.asked, "nothing");
  });
}

TEST(HTTPClientDecoding, WhatCannotBeDecodedComesAsItIs) {
  with_fixture([](Fixture& fix) -> Task<> {
    fix.service.on("/odd", [](HTTPExchange& exchange) -> Task<> {
      const std::string query(exchange.request().query());
      const std::string fields = "Content-Encoding: " + query.substr(3) + "\r\n";
      exchange.respond({.status = std::stoi(query.substr(0, 3)), .fields = fields}, "bytes");
      co_return;
    });
    for (const char* query : {"200compress", "200gzip,%20br", "206gzip", "200identity"}) {
      const HTTPClientResponse response =
          co_await fix.client.fetch("http://server/odd?" + std::string(query));
      EXPECT_EQ(response.body, "bytes");
      EXPECT_TRUE(response.headers.contains("Content-Encoding"));
    }
    // Without a body there is nothing to decode.
    EXPECT_EQ((co_await fix.client.fetch({.url = "http://server/odd?200gzip", .method = "HEAD"}))
                  .headers.find("Content-Encoding"),
              "gzip");
    EXPECT_EQ(
        (co_await fix.client.fetch({.url = "http://server/odd?304gzip", .raise_error = false}))
            .code,
        304);
  });
}

/// The error of each way to read "/raw".
Task<std::string> raw_failure(Fixture& fix, HTTPResponseError::Kind kind, std::string target) {
  std::string what;
  const auto note = [&](const HTTPResponseError& error) {
    EXPECT_EQ(error.kind(), kind);
    what = error.what();
  };
  const auto whole =
      co_await failure_of<HTTPResponseError>(fix.client.fetch("http://server" + target));
  note(whole);
  const std::string first = what;
  HTTPRequest request{.url = "http://server" + target};
  request.streaming_callback = [](std::string) -> Task<> { co_return; };
  const auto called = co_await failure_of<HTTPResponseError>(fix.client.fetch(std::move(request)));
  note(called);
  EXPECT_EQ(what, first);
  std::size_t most = 0;
  try {
    co_await read_stream(fix.client, {.url = "http://server" + target}, 1000, most);
    ADD_FAILURE() << "the stream was read";
  } catch (const HTTPResponseError& error) {
    note(error);
  }
  EXPECT_EQ(what, first);
  EXPECT_EQ(fix.client.stats().idle, 0U);
  co_return what;
}

TEST(HTTPClientDecoding, ABrokenBodyIsAnErrorThatNamesTheURL) {
  with_fixture([](Fixture& fix) -> Task<> {
    Coded coded(fix);
    const std::string whole = packed("gzip", some_text(5000));
    for (const char* way : {"/raw", "/raw?pieces"}) {
      coded.bytes = whole.substr(0, whole.size() - 1);
      std::string what = co_await raw_failure(fix, HTTPResponseError::Kind::kMalformed, way);
      EXPECT_THAT(what, HasSubstr("GET http://server/raw"));
      EXPECT_THAT(what, HasSubstr("the compressed body is truncated"));
      for (const std::string& bytes : {whole + "garbage", std::string("no gzip at all, this")}) {
        coded.bytes = bytes;
        what = co_await raw_failure(fix, HTTPResponseError::Kind::kMalformed, way);
        EXPECT_THAT(what, HasSubstr("the body is not what its coding says"));
      }
    }
    coded.bytes = "";
    EXPECT_EQ((co_await fix.client.fetch("http://server/raw")).body, "");
    EXPECT_EQ((co_await fix.client.fetch("http://server/raw?pieces")).body, "");
  });
}

TEST(HTTPClientDecoding, ABombIsStopped) {
  with_fixture([](Fixture& fix) -> Task<> {
    Coded coded(fix);
    coded.bytes = packed("gzip", std::string(8'000'000, 'x'));
    const std::string what = co_await raw_failure(fix, HTTPResponseError::Kind::kTooLarge, "/raw");
    EXPECT_THAT(what, HasSubstr("exceeds a limit: the body grows too much by decompressing"));
  });
}

TEST(HTTPClientDecoding, TheSizeAfterDecompressionIsLimitedForBodiesInMemory) {
  HTTPClientOptions options;
  options.limits.max_body_size = 200'000;
  options.limits.max_decompression_ratio = 0;
  with_fixture(
      [](Fixture& fix) -> Task<> {
        Coded coded(fix);
        const auto error =
            co_await failure_of<HTTPResponseError>(fix.client.fetch("http://server/coded?zstd"));
        EXPECT_EQ(error.kind(), HTTPResponseError::Kind::kTooLarge);
        EXPECT_THAT(error.what(), HasSubstr("the decompressed body is larger than the limit"));
        std::size_t most = 0;
        EXPECT_EQ(co_await read_stream(fix.client, {.url = "http://server/coded?zstd"}, 5000, most),
                  coded.text);
      },
      std::move(options));
}

TEST(HTTPClientDecoding, TheServersOwnCompressionIsUnderstood) {
  HTTPServerOptions server;
  server.compress_response = ResponseCompression{};
  with_fixture(
      [](Fixture& fix) -> Task<> {
        fix.service.on("/text", [](HTTPExchange& exchange) -> Task<> {
          respond_text(exchange, some_text(50'000));
          co_return;
        });
        const HTTPClientResponse response = co_await fix.client.fetch("http://server/text");
        EXPECT_EQ(response.headers.find("X-Consumed-Content-Encoding"), "zstd");
        EXPECT_EQ(response.body, some_text(50'000));
        // The body of a redirect is not decoded; that of what it leads to is.
        const HTTPClientResponse moved =
            co_await fix.client.fetch("http://server/redirect?302+/text");
        EXPECT_EQ(moved.body, some_text(50'000));
      },
      {}, std::move(server));
}

}  // namespace
}  // namespace coronado::client_test
