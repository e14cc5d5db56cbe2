#include "http/response_encoder.hpp"

#include "tests/http/coded_body.hpp"
#include "tests/http/server_fixture.hpp"

namespace coronado::http_test {
namespace {

using Kind = LambdaService::Kind;

HTTPServerOptions compressing(ResponseCompression how = {}) {
  HTTPServerOptions options;
  options.compress_response = std::move(how);
  return options;
}

/// A server whose endpoint "/" answers with what a test sets.
struct EncoderBench : ServerBench {
  explicit EncoderBench(HTTPServerOptions options = compressing(), Wire kind = Wire::kWhole)
      : ServerBench(kind, std::move(options)) {
    service.on(
        "/",
        [this](HTTPExchange& exchange) -> Task<> {
          exchange.respond({.status = status, .fields = fields}, body);
          sent = exchange.bytes_sent();
          return {};
        },
        Kind::kAnswersAtOnce);
    client = connect();
  }

  RawResponse asked(std::string_view accept = "gzip", std::string_view more = "") {
    std::string lines(more);
    if (!accept.empty()) lines += "Accept-Encoding: " + std::string(accept) + "\r\n";
    return run(ask(*client, get("/", lines)));
  }
  RawResponse asked_for_head(std::string_view accept = "gzip") {
    return run(
        ask(*client,
            "HEAD / HTTP/1.1\r\nHost: x\r\nAccept-Encoding: " + std::string(accept) + "\r\n\r\n",
            RawRequestKind::kHead));
  }

  int status = 200;
  std::string fields = "Content-Type: text/plain\r\n";
  std::string body = some_text(10'000);
  std::uint64_t sent = 0;
  std::unique_ptr<RawClient> client;
};

class EncoderTest : public ::testing::TestWithParam<Wire> {};
INSTANTIATE_TEST_SUITE_P(Wires, EncoderTest,
                         ::testing::Values(Wire::kWhole, Wire::kBytes, Wire::kSockets), wire_name);

TEST_P(EncoderTest, WholeResponsesInEveryCoding) {
  EncoderBench bench(compressing({.codings = {ContentCoding::kGzip, ContentCoding::kDeflate,
                                              ContentCoding::kBrotli, ContentCoding::kZstd}}),
                     GetParam());
  for (const char* coding : {"gzip", "deflate", "br", "zstd", "gzip"}) {
    const RawResponse response = bench.asked(coding);
    EXPECT_EQ(response.field("Content-Encoding"), coding);
    EXPECT_EQ(response.field("Vary"), "Accept-Encoding");
    EXPECT_EQ(response.field("Content-Length"), std::to_string(response.body.size()));
    EXPECT_LT(response.body.size(), bench.body.size() / 2);
    EXPECT_EQ(unpacked(coding, response.body), bench.body);
    EXPECT_EQ(bench.sent, response.body.size());
  }
  EXPECT_EQ(bench.asked("").body, bench.body);
}

TEST_P(EncoderTest, EachPieceReachesTheClientAtOnce) {
  EncoderBench bench(compressing(), GetParam());
  bench.service.on("/pieces", [](HTTPExchange& exchange) -> Task<> {
    exchange.start({.fields = "Content-Type: text/html\r\n"}, std::nullopt);
    for (int i = 0; i < 3; ++i) {
      exchange.write("piece " + std::to_string(i) + "\n");
      co_await exchange.drain();
      co_await sleep(50ms);
    }
    exchange.finish();
  });
  for (const char* coding : {"gzip", "br", "zstd"}) {
    auto client = bench.connect();
    client->send(get("/pieces", "Accept-Encoding: " + std::string(coding) + "\r\n"));
    const RawResponse response = bench.run(client->read_response());
    EXPECT_TRUE(response.chunked);
    EXPECT_EQ(response.field("Content-Encoding"), coding);
    EXPECT_EQ(unpacked(coding, response.body), "piece 0\npiece 1\npiece 2\n");
  }
}

TEST(EncoderTest, AFlushedPieceCanBeReadBeforeTheNextOneIsWritten) {
  for (const char* coding : {"gzip", "br", "zstd"}) {
    ResponseEncoder encoder({});
    ResponseEncoder::Stream stream(encoder, *parse_content_coding(coding));
    const auto reader = make_decompressor(coding_called(coding));
    for (const std::string& text : {some_text(100), std::string("x"), some_text(70'000)}) {
      std::string out;
      EXPECT_EQ(reader->append(stream.piece(text), 1 << 20, out), Decompressor::Status::kMore);
      EXPECT_EQ(out, text) << coding;
    }
    EXPECT_EQ(stream.piece(""), "");
    std::string out;
    EXPECT_EQ(reader->append(stream.last(""), 1 << 20, out), Decompressor::Status::kDone);
  }
}

TEST(EncoderTest, HeadHasTheFieldsOfGet) {
  EncoderBench bench;
  for (const char* accept : {"gzip", "br;q=0.1", "identity"}) {
    RawResponse got = bench.asked(accept);
    const RawResponse head = bench.asked_for_head(accept);
    EXPECT_EQ(head.fields, got.fields);
    EXPECT_EQ(head.body, "");
  }
}

TEST(EncoderTest, HeadOfAStreamedResponse) {
  EncoderBench bench;
  bench.service.on("/pieces", [](HTTPExchange& exchange) -> Task<> {
    const bool known = exchange.request().query() == "known";
    exchange.start({.fields = "Content-Type: text/html\r\n"},
                   known ? std::optional<std::uint64_t>(5000) : std::nullopt);
    exchange.write(std::string(5000, 'x'));
    exchange.finish();
    co_return;
  });
  for (const char* target : {"/pieces", "/pieces?known"}) {
    const std::string rest =
        std::string(target) + " HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n";
    const RawResponse head = bench.run(ask(*bench.client, "HEAD " + rest, RawRequestKind::kHead));
    EXPECT_EQ(head.field("Content-Encoding"), "gzip");
    EXPECT_FALSE(head.has_field("Content-Length"));
    const RawResponse got = bench.run(ask(*bench.client, "GET " + rest));
    EXPECT_TRUE(got.chunked);
    EXPECT_EQ(unpacked("gzip", got.body), std::string(5000, 'x'));
  }
}

TEST(EncoderTest, SmallBodiesStayButSayThatTheyVary) {
  EncoderBench bench;
  bench.body = std::string(1023, 'x');
  RawResponse response = bench.asked();
  EXPECT_FALSE(response.has_field("Content-Encoding"));
  EXPECT_EQ(response.field("Vary"), "Accept-Encoding");
  EXPECT_EQ(response.body, bench.body);
  bench.body = std::string(1024, 'x');
  EXPECT_EQ(bench.asked().field("Content-Encoding"), "gzip");
  // Who refuses a body as it is gets a small one compressed, too; but not an empty one.
  bench.body = "small";
  response = bench.asked("gzip, identity;q=0");
  EXPECT_EQ(unpacked("gzip", response.body), "small");
  bench.body = "";
  EXPECT_FALSE(bench.asked("gzip, identity;q=0").has_field("Content-Encoding"));
  EncoderBench other(compressing({.min_size = 10}));
  other.body = std::string(30, 'x');
  EXPECT_EQ(other.asked().field("Content-Encoding"), "gzip");
}

TEST(EncoderTest, WhatDoesNotShrinkStays) {
  EncoderBench bench;
  std::uint32_t state = 3;
  for (char& c : bench.body) {
    state = state * 1664525 + 1013904223;
    c = static_cast<char>(state >> 24);
  }
  const RawResponse response = bench.asked();
  EXPECT_FALSE(response.has_field("Content-Encoding"));
  EXPECT_EQ(response.body, bench.body);
  EXPECT_EQ(response.field("Vary"), "Accept-Encoding");
  EXPECT_EQ(unpacked("gzip", bench.asked("gzip, *;q=0").body), bench.body);
}

TEST(EncoderTest, TheTypeDecides) {
  EncoderBench bench(compressing({.types = {"application/x-thing"}}));
  for (const char* type :
       {"text/html; charset=utf-8", "TEXT/CSS", "application/json", "application/problem+json",
        "image/svg+xml", "application/javascript", "application/wasm", "application/x-thing"}) {
    bench.fields = "Content-Type: " + std::string(type) + "\r\n";
    EXPECT_EQ(bench.asked().field("Content-Encoding"), "gzip") << type;
  }
  for (const char* type : {"image/png", "video/mp4", "application/zip", "application/octet-stream",
                           "text/event-stream", "application/pdf", "font/woff2", "+json"}) {
    bench.fields = "Content-Type: " + std::string(type) + "\r\n";
    const RawResponse response = bench.asked();
    EXPECT_EQ(response.body, bench.body) << type;
    EXPECT_FALSE(response.has_field("Content-Encoding")) << type;
    EXPECT_FALSE(response.has_field("Vary")) << type;
  }
  bench.fields = "";
  EXPECT_EQ(bench.asked().body, bench.body);
}

TEST(EncoderTest, SomeResponsesMustStayAsTheyAre) {
  EncoderBench bench;
  const std::string text = "Content-Type: text/plain\r\n";
  for (const char* field :
       {"Content-Encoding: identity", "content-encoding: br", "Cache-Control: public, No-Transform",
        "Content-Digest: sha-256=:x:", "Content-MD5: x"}) {
    bench.fields = text + field + "\r\n";
    const RawResponse response = bench.asked();
    EXPECT_EQ(response.body, bench.body) << field;
    EXPECT_FALSE(response.has_field("Vary")) << field;
  }
  bench.fields = text + "Cache-Control: no-cache\r\n";
  EXPECT_EQ(bench.asked().field("Content-Encoding"), "gzip");
  bench.fields = text;
  bench.status = 204;
  EXPECT_FALSE(bench.asked().has_field("Vary"));
  bench.status = 206;
  const RawResponse part = bench.asked();
  EXPECT_EQ(part.body, bench.body);
  EXPECT_EQ(part.field("Vary"), "Accept-Encoding");
  bench.status = 404;
  EXPECT_EQ(bench.asked().field("Content-Encoding"), "gzip");
}

TEST(EncoderTest, AStrongEntityTagBecomesWeak) {
  EncoderBench bench;
  bench.fields += "Etag: \"abc\"\r\nAccept-Ranges: bytes\r\n";
  RawResponse response = bench.asked();
  EXPECT_EQ(response.field("ETag"), "W/\"abc\"");
  EXPECT_EQ(response.count("ETag"), 1U);
  EXPECT_FALSE(response.has_field("Accept-Ranges"));
  response = bench.asked("identity");
  EXPECT_EQ(response.field("ETag"), "\"abc\"");
  EXPECT_EQ(response.field("Accept-Ranges"), "bytes");
  bench.fields = "Content-Type: text/plain\r\nETag: W/\"abc\"\r\n";
  EXPECT_EQ(bench.asked().field("ETag"), "W/\"abc\"");
}

TEST(EncoderTest, NotModifiedNamesTheVariantTheClientHas) {
  EncoderBench bench;
  bench.status = 304;
  bench.fields = "ETag: \"abc\"\r\n";
  RawResponse response = bench.asked("gzip", "If-None-Match: \"x\", W/\"abc\"\r\n");
  EXPECT_EQ(response.field("ETag"), "W/\"abc\"");
  EXPECT_EQ(response.field("Vary"), "Accept-Encoding");
  EXPECT_FALSE(response.has_field("Content-Encoding"));
  response = bench.asked("gzip", "If-None-Match: \"abc\"\r\n");
  EXPECT_EQ(response.field("ETag"), "\"abc\"");
}

TEST(EncoderTest, VaryIsExtended) {
  EncoderBench bench;
  const std::pair<const char*, const char*> cases[] = {
      {"Accept-Language, Cookie", "Accept-Language, Cookie, Accept-Encoding"},
      {"accept-encoding", "accept-encoding"},
      {"*", "*"},
      {"Origin , Accept-Encoding", "Origin , Accept-Encoding"},
  };
  for (const auto& [before, after] : cases) {
    bench.fields = "Content-Type: text/plain\r\nVary: " + std::string(before) + "\r\n";
    for (const char* accept : {"gzip", ""}) {
      const RawResponse response = bench.asked(accept);
      EXPECT_EQ(response.field("Vary"), after);
      EXPECT_EQ(response.count("Vary"), 1U);
    }
  }
}

TEST(EncoderTest, SeveralAcceptEncodingFieldsAreOne) {
  EncoderBench bench;
  EXPECT_EQ(bench.asked("br", "Accept-Encoding: zstd;q=0.5\r\n").field("Content-Encoding"), "br");
  EXPECT_EQ(bench.asked("gzip;q=0", "Accept-Encoding: *\r\n").field("Content-Encoding"), "zstd");
}

TEST(EncoderTest, APromisedLengthIsKeptToAlsoWhenCompressed) {
  EncoderBench bench;
  const auto answers = [&](std::uint64_t length, std::size_t size) {
    bench.service.on("/promised", [=](HTTPExchange& exchange) -> Task<> {
      exchange.start({.fields = "Content-Type: text/plain\r\n"}, length);
      exchange.write(std::string(size, 'x'));
      exchange.finish();
      co_return;
    });
    auto client = bench.connect();
    client->send(get("/promised", "Accept-Encoding: gzip\r\n"));
    return bench.run(client->read_response());
  };
  RawResponse response = answers(5000, 5000);
  EXPECT_TRUE(response.chunked);
  EXPECT_EQ(unpacked("gzip", response.body), std::string(5000, 'x'));
  response = answers(5000, 4999);
  EXPECT_TRUE(response.truncated);
  EXPECT_EQ(bench.log.count("1 bytes before its Content-Length"), 1U);
  response = answers(5000, 5001);
  EXPECT_TRUE(response.truncated);
  EXPECT_EQ(bench.log.count("more was written than Content-Length says"), 1U);
}

TEST(EncoderTest, OldClientsGetTheEndByClosing) {
  EncoderBench bench;
  bench.service.on("/pieces", [](HTTPExchange& exchange) -> Task<> {
    exchange.start({.fields = "Content-Type: text/plain\r\n"}, std::nullopt, "one ");
    exchange.write("two");
    exchange.finish();
    co_return;
  });
  const std::string all =
      bench.exchange_to_end("GET /pieces HTTP/1.0\r\nAccept-Encoding: gzip\r\n\r\n");
  EXPECT_EQ(unpacked("gzip", all.substr(all.find("\r\n\r\n") + 4)), "one two");
}

TEST(EncoderTest, WithoutTheSettingNothingChanges) {
  EncoderBench bench{HTTPServerOptions{}};
  bench.fields += "ETag: \"abc\"\r\n";
  const RawResponse response = bench.asked();
  EXPECT_EQ(response.body, bench.body);
  EXPECT_EQ(response.field("ETag"), "\"abc\"");
  EXPECT_FALSE(response.has_field("Vary"));
}

TEST(EncoderTest, AWrongLevelIsSeenWhenTheServerIsMade) {
  EXPECT_THROW(EncoderBench(compressing({.brotli_level = 12})), std::invalid_argument);
  EncoderBench best(compressing({.codings = {ContentCoding::kGzip}, .gzip_level = 9}));
  EncoderBench quick(compressing({.codings = {ContentCoding::kGzip}, .gzip_level = 1}));
  EXPECT_LT(best.asked().body.size(), quick.asked().body.size());
}

TEST(EncoderTest, ACancelledStreamGivesItsCompressorBack) {
  EncoderBench bench;
  bench.service.on("/endless", [](HTTPExchange& exchange) -> Task<> {
    exchange.start({.fields = "Content-Type: text/plain\r\n"}, std::nullopt, some_text(3000));
    co_await sleep(1h);
  });
  for (int i = 0; i < 3; ++i) {
    auto client = bench.connect();
    client->send(get("/endless", "Accept-Encoding: gzip\r\n"));
    bench.settle();
    client.reset();
    bench.settle();
  }
  EXPECT_EQ(bench.server->connection_count(), 1U);
  EXPECT_EQ(unpacked("gzip", bench.asked().body), bench.body);
}

}  // namespace
}  // namespace coronado::http_test
