// Compressed bodies of requests: whole and streamed, right and wrong.
#include <coronado/http/httpserver.hpp>

#include "tests/http/coded_body.hpp"
#include "tests/http/server_fixture.hpp"

namespace coronado::http_test {
namespace {

using Kind = LambdaService::Kind;

HTTPServerOptions decompressing() {
  HTTPServerOptions options;
  options.decompress_request = true;
  options.limits.max_body_size = 4 * 1024 * 1024;
  return options;
}

std::string post(std::string_view path, std::string_view coding, std::string_view body,
                 bool chunked = false) {
  std::string text = "POST " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n";
  if (!coding.empty()) text += "Content-Encoding: " + std::string(coding) + "\r\n";
  if (!chunked) {
    return text + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
  }
  text += "Transfer-Encoding: chunked\r\n\r\n";
  for (std::size_t at = 0; at < body.size(); at += 700) {
    const std::string_view piece = body.substr(at, 700);
    char size[16];
    std::snprintf(size, sizeof size, "%zx\r\n", piece.size());
    text.append(size).append(piece).append("\r\n");
  }
  return text + "0\r\n\r\n";
}

class DecodingTest : public ::testing::TestWithParam<Wire> {};
INSTANTIATE_TEST_SUITE_P(Wires, DecodingTest,
                         ::testing::Values(Wire::kWhole, Wire::kBytes, Wire::kSockets), wire_name);

TEST_P(DecodingTest, BodiesInEveryCodingForEveryKindOfEndpoint) {
  ServerBench bench(GetParam(), decompressing());
  auto client = bench.connect();
  const std::string text = some_text(GetParam() == Wire::kBytes ? 5'000 : 100'000);
  for (const char* coding : {"gzip", "deflate", "br", "zstd"}) {
    for (const char* path : {"/body", "/body-now", "/stream"}) {
      for (const bool chunked : {false, true}) {
        const RawResponse response =
            bench.run(ask(*client, post(path, coding, packed(coding, text), chunked)));
        EXPECT_EQ(response.status, 200) << coding << path;
        EXPECT_EQ(response.body, text) << coding << path;
      }
    }
  }
  EXPECT_EQ(bench.run(ask(*client, post("/body", "", "as it is"))).body, "as it is");
  EXPECT_EQ(bench.run(ask(*client, post("/body", "identity", "as it is"))).body, "as it is");
  EXPECT_EQ(bench.server->connection_count(), 1U);
}

TEST(DecodingTest, TheHandlerSeesNoCoding) {
  ServerBench bench(Wire::kWhole, decompressing());
  bench.service.on("/fields", [](HTTPExchange& exchange) -> Task<> {
    const HTTPServerRequest& request = exchange.request();
    std::string names;
    for (const HeaderField& field : request.headers()) names.append(field.name).append(" ");
    names += request.header("Content-Encoding") ? "coded" : "plain";
    respond_text(exchange, names + " " + std::string(request.consumed_content_encoding()) + " " +
                               request.body_arguments().at(0).second);
    co_return;
  });
  auto client = bench.connect();
  const std::string form =
      "POST /fields HTTP/1.1\r\nHost: x\r\nContent-Encoding: x-gzip\r\n"
      "Content-Type: application/x-www-form-urlencoded\r\nContent-Encoding: identity\r\n";
  const std::string body = packed("gzip", "name=value");
  EXPECT_EQ(bench
                .run(ask(*client, form + "Content-Length: " + std::to_string(body.size()) +
                                      "\r\n\r\n" + body))
                .body,
            "Host Content-Type Content-Length plain x-gzip, identity value");
  // The next request on the connection is not affected.
  EXPECT_EQ(bench
                .run(ask(*client,
                         "POST /fields HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
                         "Content-Type: application/x-www-form-urlencoded\r\n\r\na=b"))
                .body,
            "Host Content-Length Content-Type plain  b");
}

TEST(DecodingTest, OffTheBodyComesAsItIs) {
  ServerBench bench;
  auto client = bench.connect();
  const std::string body = packed("gzip", "text");
  EXPECT_EQ(bench.run(ask(*client, post("/body", "gzip", body))).body, body);
}

TEST_P(DecodingTest, AnUnknownCodingIs415) {
  for (const char* coding : {"compress", "gzip, gzip"}) {
    ServerBench bench(GetParam(), decompressing());
    auto client = bench.connect();
    client->send(post("/body", coding, "whatever"));
    const RawResponse response = bench.run(client->read_response());
    EXPECT_EQ(response.status, 415);
    EXPECT_EQ(response.field("Accept-Encoding"), "gzip, deflate, br, zstd");
    EXPECT_EQ(bench.service.refused.at(0),
              "415 unsupported Content-Encoding: \"" + std::string(coding) + '"');
  }
}

TEST_P(DecodingTest, WhatIsTruncatedOrNoStreamIs400) {
  const std::string whole = packed("gzip", some_text(20'000));
  for (const std::string& body :
       {whole.substr(0, whole.size() - 1), whole.substr(0, 5), whole + "x", std::string("no")}) {
    for (const char* path : {"/body", "/body-now", "/stream"}) {
      for (const bool chunked : {false, true}) {
        ServerBench bench(GetParam(), decompressing());
        auto client = bench.connect();
        client->send(post(path, "gzip", body, chunked));
        EXPECT_EQ(bench.run(client->read_response()).status, 400) << path << body.size();
        bench.run(client->read_to_end());
        EXPECT_EQ(bench.service.refused.size() + bench.service.done.size(), 1U);
      }
    }
  }
}

TEST_P(DecodingTest, WhatBecomesTooLargeIs413) {
  std::string lines = some_text(8 * 1024);
  while (lines.size() <= 4 * 1024 * 1024) lines += std::string(100, 'x') + lines;
  const std::string large = packed("gzip", lines);
  const std::string bomb = packed("br", std::string(3 * 1024 * 1024, 'x'));
  for (const char* path : {"/body", "/stream"}) {
    for (const bool is_bomb : {false, true}) {
      ServerBench bench(GetParam(), decompressing());
      auto client = bench.connect();
      client->send(is_bomb ? post(path, "br", bomb) : post(path, "gzip", large));
      EXPECT_EQ(bench.run(client->read_response()).status, 413) << path << is_bomb;
    }
  }
}

TEST(DecodingTest, ABombIsGivenToAStreamingEndpointInSmallPieces) {
  HTTPServerOptions options = decompressing();
  options.limits.max_body_size = 64 * 1024 * 1024;
  options.limits.max_decompression_ratio = 0;
  ServerBench bench(Wire::kWhole, options);
  std::size_t most = 0;
  std::size_t total = 0;
  bench.service.on(
      "/slow",
      [&](HTTPExchange& exchange) -> Task<> {
        for (;;) {
          co_await sleep(1ms);
          const std::string piece = co_await exchange.read_body();
          if (piece.empty()) break;
          most = std::max(most, piece.size());
          total += piece.size();
        }
        respond_text(exchange, "done");
      },
      Kind::kStreams);
  auto client = bench.connect();
  for (const char* coding : {"gzip", "br", "zstd"}) {
    total = 0;
    const std::string bomb = packed(coding, std::string(20'000'000, 'x'));
    EXPECT_EQ(bench.run(ask(*client, post("/slow", coding, bomb))).body, "done");
    EXPECT_EQ(total, 20'000'000U);
    EXPECT_LE(most, 64U * 1024);
  }
}

TEST(DecodingTest, ASlowReaderOfACompressedBodyPausesTheClient) {
  ServerBench bench(Wire::kWhole, decompressing());
  bool was_paused = false;
  bench.service.on(
      "/slow",
      [&](HTTPExchange& exchange) -> Task<> {
        std::string all;
        for (;;) {
          co_await sleep(1s);
          was_paused = was_paused || bench.server_end->receive_paused();
          const std::string piece = co_await exchange.read_body();
          if (piece.empty()) break;
          all += piece;
        }
        respond_text(exchange, all == some_text(3'000'000) ? "same" : "other");
      },
      Kind::kStreams);
  auto client = bench.connect({.capacity = 50'000});
  client->send(post("/slow", "gzip", packed("gzip", some_text(3'000'000))));
  EXPECT_EQ(bench.run(client->read_response()).body, "same");
  EXPECT_TRUE(was_paused);
}

TEST(DecodingTest, ABodyNobodyReadsIsDiscarded) {
  ServerBench bench(Wire::kWhole, decompressing());
  bench.service.on(
      "/unread",
      [](HTTPExchange& exchange) -> Task<> {
        co_await sleep(1s);
        respond_text(exchange, "no need");
      },
      Kind::kStreams);
  auto client = bench.connect({.capacity = 500'000});
  const std::string body = packed("gzip", some_text(3'000'000));
  EXPECT_GT(body.size(), 200'000U);
  const std::string_view part = std::string_view(body).substr(0, 200'000);
  EXPECT_EQ(bench.run(ask(*client, post("/unread", "gzip", part))).body, "no need");
  EXPECT_EQ(bench.run(ask(*client, get("/next"))).body, "GET /next");
}

TEST(DecodingTest, AClientMayWaitForContinue) {
  ServerBench bench(Wire::kWhole, decompressing());
  auto client = bench.connect();
  const std::string body = packed("gzip", "text");
  client->send(
      "POST /body HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\n"
      "Expect: 100-continue\r\nContent-Length: " +
      std::to_string(body.size()) + "\r\n\r\n");
  bench.settle();
  client->send(body);
  const RawResponse interim = bench.run(client->read_response());
  EXPECT_EQ(interim.status, 100);
  EXPECT_EQ(bench.run(client->read_response()).body, "text");
}

}  // namespace
}  // namespace coronado::http_test
