// What is refused, and how; bodies in both directions; methods and targets.
#include "tests/http/server_fixture.hpp"

namespace coronado::http_test {
namespace {

using Kind = LambdaService::Kind;

class HTTPServerFraming : public ::testing::TestWithParam<Wire> {};
INSTANTIATE_TEST_SUITE_P(Wires, HTTPServerFraming,
                         ::testing::Values(Wire::kWhole, Wire::kBytes, Wire::kSockets), wire_name);

HTTPServerOptions small_limits() {
  HTTPServerOptions options;
  options.limits.max_request_line = 200;
  options.limits.max_header_size = 1024;
  options.limits.max_header_count = 10;
  options.limits.max_body_size = 100;
  return options;
}

struct Refusal {
  const char* name;
  std::string request;
  int status;
};

std::vector<Refusal> refusals() {
  const std::string post = "POST /body HTTP/1.1\r\nHost: x\r\n";
  const std::string chunked = post + "Transfer-Encoding: chunked\r\n\r\n";
  std::string many = "GET / HTTP/1.1\r\nHost: x\r\n";
  for (int i = 0; i < 11; ++i) many += "A: b\r\n";
  return {
      {"no request", "asdf\r\n\r\n", 400},
      {"no colon", "GET / HTTP/1.0\r\nasdf\r\n\r\n", 400},
      {"bad host", "GET / HTTP/1.1\r\nHost: foo bar\r\n\r\n", 400},
      {"two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400},
      {"no host", "GET / HTTP/1.1\r\n\r\n", 400},
      {"no method", "FOO,BAR / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"space before colon", "GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400},
      {"NUL", get("/", std::string("A: b\0c\r\n", 8)), 400},
      {"bare CR", get("/", "A: b\rc\r\n"), 400},
      {"bare LF", "GET / HTTP/1.1\nHost: x\n\n", 400},
      {"folded line", get("/", "A: b\r\n c\r\n"), 400},
      {"version 2", "GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505},
      {"long line", get("/" + std::string(300, 'a')), 414},
      {"large head", get("/", "A: " + std::string(1100, 'a') + "\r\n"), 431},
      {"many fields", many + "\r\n", 431},
      {"unknown expectation", get("/", "Expect: miracles\r\n"), 417},
      {"signed length", post + "Content-Length: +10\r\n\r\n", 400},
      {"length with underscore", post + "Content-Length: 1_0\r\n\r\n", 400},
      {"no length", post + "Content-Length: foo\r\n\r\n", 400},
      {"unequal lengths", post + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400},
      {"length and coding",
       post + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"coded twice", post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
       400},
      {"identity", post + "Transfer-Encoding: identity\r\n\r\n", 400},
      {"unknown coding", post + "Transfer-Encoding: gzip, chunked\r\n\r\n", 501},
      {"coding in 1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"large body", post + "Content-Length: 101\r\n\r\n", 413},
      {"large body after expect", post + "Content-Length: 101\r\nExpect: 100-continue\r\n\r\n",
       413},
      {"chunk size", chunked + "1_a\r\n", 400},
      {"chunk without CRLF", chunked + "3\r\nabcX", 400},
      {"large chunk", chunked + "65\r\n", 413},
      {"large chunks", chunked + "60\r\n" + std::string(0x60, 'a') + "\r\n60\r\n", 413},
      {"bad trailer", chunked + "0\r\nno colon\r\n\r\n", 400},
      {"asterisk", "GET * HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"relative target", "GET index.html HTTP/1.1\r\nHost: x\r\n\r\n", 400},
  };
}

TEST_P(HTTPServerFraming, RefusesWithAStatusAndCloses) {
  for (const Refusal& refusal : refusals()) {
    SCOPED_TRACE(refusal.name);
    ServerBench bench(GetParam(), small_limits());
    auto client = bench.connect();
    client->send(get("/first") + refusal.request);
    const auto [first, second, rest] =
        bench.run([&]() -> Task<std::tuple<RawResponse, RawResponse, std::string>> {
          RawResponse one = co_await client->read_response();
          RawResponse two = co_await client->read_response();
          co_return std::tuple(one, two, co_await client->read_to_end());
        }());
    EXPECT_EQ(first.status, 200);
    EXPECT_EQ(first.body, "GET /first");
    EXPECT_EQ(second.status, refusal.status);
    EXPECT_EQ(second.reason, reason_phrase(refusal.status));
    EXPECT_EQ(second.field("Connection"), "close");
    EXPECT_EQ(second.field("Server"), "Coronado");
    EXPECT_EQ(second.field("Date").size(), 29U);
    EXPECT_EQ(second.field("Content-Length"), std::to_string(second.body.size()));
    EXPECT_LT(second.body.size(), 100U);
    EXPECT_EQ(rest, "");
    ASSERT_EQ(bench.service.refused.size(), 1U);
    EXPECT_TRUE(bench.service.refused[0].starts_with(std::to_string(refusal.status)));
    EXPECT_EQ(bench.service.done, std::vector<std::string>{"200 GET /first"});
  }
}

TEST_P(HTTPServerFraming, ChunkSizeBeyondAnyNumberIsRefused) {
  HTTPServerOptions options;
  options.limits.max_body_size = std::numeric_limits<std::uint64_t>::max();
  ServerBench bench(GetParam(), options);
  EXPECT_TRUE(bench
                  .exchange_to_end("POST /body HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked"
                                   "\r\n\r\nffffffffffffffff\r\n")
                  .starts_with("HTTP/1.1 400 Bad Request\r\n"));
}

TEST_P(HTTPServerFraming, BodiesUpToTheLimitAreServed) {
  ServerBench bench(GetParam(), small_limits());
  auto client = bench.connect();
  const RawResponse exact =
      bench.run(ask(*client, "POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n" +
                                 std::string(100, 'b')));
  EXPECT_EQ(exact.status, 200);
  EXPECT_EQ(exact.body, std::string(100, 'b'));
  const RawResponse chunked = bench.run(
      ask(*client, "POST /body HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\n64\r\n" +
                       std::string(100, 'c') + "\r\n0\r\n\r\n"));
  EXPECT_EQ(chunked.body, std::string(100, 'c'));
}

TEST_P(HTTPServerFraming, BodiesOfEveryKindReachEveryEndpoint) {
  ServerBench bench(GetParam());
  auto client = bench.connect();
  for (const std::string path : {"/body", "/body-now", "/stream"}) {
    SCOPED_TRACE(path);
    const std::string head = "POST " + path + " HTTP/1.1\r\nHost: x\r\n";
    EXPECT_EQ(bench.run(ask(*client, head + "Content-Length: 7\r\n\r\nfoo=bar")).body, "foo=bar");
    EXPECT_EQ(bench.run(ask(*client, head + "Content-Length: 0\r\n\r\n")).body, "");
    EXPECT_EQ(bench.run(ask(*client, head + "\r\n")).body, "");
    const RawResponse chunked = bench.run(
        ask(*client, head + "Transfer-Encoding: chunked\r\n\r\n4;ext=\"a b\";x\r\nfoo=\r\n"
                            "3 ; y=z\r\nbar\r\n00\r\nTrailer-Field: 1\r\nHost: y\r\n\r\n"));
    EXPECT_EQ(chunked.status, 200);
    EXPECT_EQ(chunked.body, "foo=bar");
  }
  EXPECT_EQ(bench.service.done.size(), 12U);
}

TEST_P(HTTPServerFraming, ContinueIsSentWhenTheBodyIsWanted) {
  for (const std::string path : {"/body", "/stream"}) {
    ServerBench bench(GetParam());
    auto client = bench.connect();
    const auto response = bench.run([&]() -> Task<RawResponse> {
      client->send("POST " + path +
                   " HTTP/1.1\r\nHost: x\r\nContent-Length: 1024\r\nExpect: 100-Continue\r\n\r\n");
      const RawResponse interim = co_await client->read_response();
      EXPECT_EQ(interim.head, "HTTP/1.1 100 Continue\r\n\r\n");
      client->send(std::string(1024, 'x'));
      co_return co_await client->read_response();
    }());
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, std::string(1024, 'x'));
  }
}

TEST_P(HTTPServerFraming, NoContinueForABodyNobodyReads) {
  ServerBench bench(GetParam());
  bench.service.on(
      "/refuse",
      [](HTTPExchange& exchange) -> Task<> {
        respond_text(exchange, "no", 403);
        co_return;
      },
      Kind::kStreams);
  EXPECT_TRUE(bench
                  .exchange_to_end("POST /refuse HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
                                   "Expect: 100-continue\r\n\r\n")
                  .starts_with("HTTP/1.1 403 Forbidden\r\n"));
}

TEST_P(HTTPServerFraming, ContinueIsIgnoredIn10) {
  ServerBench bench(GetParam());
  EXPECT_TRUE(bench
                  .exchange_to_end("POST /body HTTP/1.0\r\nContent-Length: 2\r\n"
                                   "Expect: 100-continue\r\n\r\nab")
                  .starts_with("HTTP/1.1 200 OK\r\n"));
}

TEST_P(HTTPServerFraming, TargetsInEveryForm) {
  ServerBench bench(GetParam());
  bench.service.on("/abs", [](HTTPExchange& exchange) -> Task<> {
    co_await moment();
    respond_text(exchange, std::string(exchange.request().path()) + "|" +
                               std::string(exchange.request().query()) + "|" +
                               std::string(exchange.request().host()));
  });
  auto client = bench.connect();
  const RawResponse absolute =
      bench.run(ask(*client, "GET http://other:81/abs?a=1 HTTP/1.1\r\nHost: x\r\n\r\n"));
  EXPECT_EQ(absolute.body, "/abs|a=1|other:81");
  const RawResponse origin = bench.run(ask(*client, get("/abs?b")));
  EXPECT_EQ(origin.body, "/abs|b|x");
  const RawResponse asterisk = bench.run(ask(*client, "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n"));
  EXPECT_EQ(asterisk.body, "OPTIONS *");
}

TEST_P(HTTPServerFraming, HeadHasNoBodyAndKeepsTheConnection) {
  ServerBench bench(GetParam());
  bench.service.on("/chunks", [](HTTPExchange& exchange) -> Task<> {
    exchange.start({}, std::nullopt, "abc");
    co_await moment();
    exchange.write("def");
    exchange.finish();
  });
  auto client = bench.connect();
  for (int i = 0; i < 2; ++i) {
    const RawResponse whole =
        bench.run(ask(*client, "HEAD /later HTTP/1.1\r\nHost: x\r\n\r\n", RawRequestKind::kHead));
    EXPECT_EQ(whole.field("Content-Length"), "6");
    const RawResponse streamed =
        bench.run(ask(*client, "HEAD /chunks HTTP/1.1\r\nHost: x\r\n\r\n", RawRequestKind::kHead));
    EXPECT_EQ(streamed.status, 200);
    EXPECT_FALSE(streamed.has_field("Transfer-Encoding"));
    EXPECT_FALSE(streamed.has_field("Content-Length"));
  }
  EXPECT_EQ(bench.run(ask(*client, get("/chunks"))).body, "abcdef");
}

TEST_P(HTTPServerFraming, StatusesWithoutABodyHaveNoFraming) {
  ServerBench bench(GetParam());
  bench.service.on("/204", [](HTTPExchange& exchange) -> Task<> {
    exchange.respond({.status = 204}, "not sent");
    return {};
  });
  bench.service.on("/304", [](HTTPExchange& exchange) -> Task<> {
    exchange.start({.status = 304}, std::nullopt, "not sent");
    exchange.write("nor this");
    exchange.finish();
    return {};
  });
  auto client = bench.connect();
  for (const std::string path : {"/204", "/304", "/204"}) {
    const RawResponse response = bench.run(ask(*client, get(path)));
    EXPECT_EQ(response.status, std::stoi(path.substr(1)));
    EXPECT_FALSE(response.has_field("Content-Length"));
    EXPECT_FALSE(response.has_field("Transfer-Encoding"));
  }
  EXPECT_EQ(bench.run(ask(*client, get("/x"))).body, "GET /x");
}

TEST_P(HTTPServerFraming, StreamedResponseIsChunkedOrClosed) {
  ServerBench bench(GetParam());
  bench.service.on("/flush", [](HTTPExchange& exchange) -> Task<> {
    exchange.start({}, std::nullopt, "0123456789");
    co_await exchange.drain();
    exchange.write("");  // no chunk: it would end the body
    exchange.write("abcde");
    exchange.finish();
  });
  auto client = bench.connect();
  const std::string text = bench.exchange_to_end(get("/flush", "Connection: close\r\n"));
  EXPECT_TRUE(text.ends_with("\r\n\r\na\r\n0123456789\r\n5\r\nabcde\r\n0\r\n\r\n")) << text;
  const RawResponse chunked = bench.run(ask(*client, get("/flush")));
  EXPECT_TRUE(chunked.chunked);
  EXPECT_EQ(chunked.body, "0123456789abcde");
  const RawResponse old =
      bench.run(ask(*client, "GET /flush HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
  EXPECT_FALSE(old.chunked);
  EXPECT_EQ(old.field("Connection"), "close");
  EXPECT_EQ(old.body, "0123456789abcde");
}

TEST_P(HTTPServerFraming, KeepAliveByVersionAndConnectionOptions) {
  struct Case {
    std::string version;
    std::string field;
    std::string answer;
    bool stays;
  };
  for (const Case& each :
       {Case{"1.1", "", "", true}, Case{"1.1", "Connection: close\r\n", "close", false},
        Case{"1.1", "Connection: foo, Close\r\n", "close", false},
        Case{"1.1", "Connection: keep-alive\r\n", "", true}, Case{"1.0", "", "close", false},
        Case{"1.0", "Connection: Keep-Alive\r\n", "keep-alive", true}, Case{"1.2", "", "", true}}) {
    for (const std::string path : {"/now", "/later"}) {
      SCOPED_TRACE(each.version + " " + each.field + path);
      ServerBench bench(GetParam());
      auto client = bench.connect();
      const RawResponse response =
          bench.run(ask(*client, "GET " + path + " HTTP/" + each.version + "\r\nHost: x\r\n" +
                                     each.field + "\r\n"));
      EXPECT_EQ(response.status, 200);
      EXPECT_EQ(response.field("Connection"), each.answer);
      if (each.stays) {
        EXPECT_EQ(bench.run(ask(*client, "\r\n" + get("/again"))).body, "GET /again");
      } else {
        EXPECT_EQ(bench.run(client->read_to_end()), "");
      }
    }
  }
}

TEST_P(HTTPServerFraming, BodyShorterThanPromisedCutsTheConnection) {
  ServerBench bench(GetParam());
  bench.service.on("/short", [](HTTPExchange& exchange) -> Task<> {
    exchange.start({}, 10, "abc");
    co_await moment();
    exchange.finish();
  });
  bench.service.on("/long", [](HTTPExchange& exchange) -> Task<> {
    exchange.start({}, 5, "abc");
    EXPECT_THROW(exchange.write("defg"), std::logic_error);
    co_return;
  });
  for (const std::string path : {"/short", "/long"}) {
    auto client = bench.connect();
    const RawResponse response = bench.run(ask(*client, get(path)));
    EXPECT_TRUE(response.truncated);
    EXPECT_EQ(response.body, "abc");
    EXPECT_EQ(bench.run(client->read_to_end()), "");
  }
}

}  // namespace
}  // namespace coronado::http_test
