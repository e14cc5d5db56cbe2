// What endpoints get of a request's body: its trailers, and their own limits.
#include "http/http1_connection.hpp"

#include <coronado/http/headers.hpp>

#include <array>
#include <charconv>

#include "tests/http/server_fixture.hpp"

namespace coronado::http_test {
namespace {

using Kind = LambdaService::Kind;

std::string shown(const HTTPHeaders& fields) {
  std::string text;
  for (const HTTPHeaders::Field& field : fields) {
    text.append(field.name).append("=").append(field.value).append(";");
  }
  return text;
}

std::string chunked(std::string_view path, std::string_view trailers,
                    std::string_view fields = "") {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n" +
         std::string(fields) + "\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n" + std::string(trailers) + "\r\n";
}

class HTTP1BodyTest : public ::testing::TestWithParam<Wire> {};
INSTANTIATE_TEST_SUITE_P(Wires, HTTP1BodyTest,
                         ::testing::Values(Wire::kWhole, Wire::kBytes, Wire::kSockets), wire_name);

TEST_P(HTTP1BodyTest, EndpointsSeeTheTrailersOfARequest) {
  ServerBench bench(GetParam());
  bench.service.on("/whole", [](HTTPExchange& exchange) -> Task<> {
    co_await moment();
    respond_text(exchange, std::string(exchange.request().body()) + " " +
                               shown(exchange.request().trailers()));
  });
  bench.service.on(
      "/pieces",
      [](HTTPExchange& exchange) -> Task<> {
        std::string all;
        for (std::string piece = co_await exchange.read_body(); !piece.empty();
             piece = co_await exchange.read_body()) {
          all += piece;
        }
        respond_text(exchange, all + " " + shown(exchange.request().trailers()));
      },
      Kind::kStreams);
  auto client = bench.connect();
  for (const std::string path : {"/whole", "/pieces"}) {
    // Content-Length must not be a trailer: it is left out.
    EXPECT_EQ(
        bench.run(ask(*client, chunked(path, "X-Sum: 6\r\nContent-Length: 1\r\nX-B:  c \r\n")))
            .body,
        "onetwo X-Sum=6;X-B=c;");
    EXPECT_EQ(bench.run(ask(*client, chunked(path, ""))).body, "onetwo ");
    EXPECT_EQ(bench
                  .run(ask(*client,
                           "POST " + path + " HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n1"))
                  .body,
              "1 ");
  }
}

/// Large enough for pieces that change hands with the buffer they came in, and never twice the same.
std::string large_text() {
  std::string text;
  for (int i = 0; text.size() < 3'000'000; ++i) text += std::to_string(i) + ' ';
  return text;
}

Task<> count_body(HTTPExchange& exchange) {
  std::string all;
  for (std::string piece = co_await exchange.read_body(); !piece.empty();
       piece = co_await exchange.read_body()) {
    all += piece;
  }
  respond_text(exchange, all == large_text() ? "all" : "wrong: " + std::to_string(all.size()));
}

/// In chunks of all sizes.
std::string in_chunks(std::string_view text) {
  std::string coded;
  for (std::size_t size = 1; !text.empty(); size = size * 7 % 400'009) {
    const std::string_view chunk = text.substr(0, size);
    std::array<char, 16> digits{};
    char* const end =
        std::to_chars(digits.data(), digits.data() + digits.size(), chunk.size(), 16).ptr;
    coded.append(digits.data(), end).append("\r\n").append(chunk).append("\r\n");
    text.remove_prefix(chunk.size());
  }
  return coded + "0\r\n\r\n";
}

class LargeBodyTest : public ::testing::TestWithParam<ReactorKind> {};
INSTANTIATE_TEST_SUITE_P(Reactors, LargeBodyTest,
                         ::testing::Values(ReactorKind::kEpoll, ReactorKind::kUring),
                         [](const auto& info) {
                           return info.param == ReactorKind::kEpoll ? "Epoll" : "Uring";
                         });

// The next request comes right behind the body, perhaps in the same buffer.
TEST_P(LargeBodyTest, ArrivesAsItWasSentAndTheNextRequestBehindIt) {
  ServerBench bench(Wire::kSockets, {}, GetParam());
  bench.service.on("/count", count_body, Kind::kStreams);
  const std::string text = large_text();
  const std::string length =
      "POST /count HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(text.size()) +
      "\r\n\r\n" + text;
  const std::string coded =
      "POST /count HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + in_chunks(text);
  auto client = bench.connect();
  for (const std::string& request : {length, coded, length}) {
    client->send(request);
    client->send(get("/next"));
    EXPECT_EQ(bench.run(client->read_response()).body, "all");
    EXPECT_EQ(bench.run(client->read_response()).body, "GET /next");
  }
}

TEST_P(HTTP1BodyTest, TrailersOfAResponseAreSentToThoseWhoTakeThem) {
  ServerBench bench(GetParam());
  const auto answer = [](HTTPExchange& exchange) -> Task<> {
    exchange.start({.fields = "Trailer: X-Sum\r\n"}, std::nullopt, "body");
    co_await exchange.drain();
    exchange.finish({{"X-Sum", "4"}, {"X-More", "5"}});
  };
  bench.service.on("/", answer);
  const auto ending = [&](std::string_view version, std::string_view fields) {
    const std::string all =
        bench.exchange_to_end("GET / " + std::string(version) + "\r\nHost: x\r\n" +
                              std::string(fields) + "Connection: close\r\n\r\n");
    return all.substr(all.find("\r\n\r\n") + 4);
  };
  EXPECT_EQ(ending("HTTP/1.1", "TE: gzip, Trailers\r\n"),
            "4\r\nbody\r\n0\r\nX-Sum: 4\r\nX-More: 5\r\n\r\n");
  EXPECT_EQ(ending("HTTP/1.1", "TE: gzip\r\n"), "4\r\nbody\r\n0\r\n\r\n");
  EXPECT_EQ(ending("HTTP/1.1", ""), "4\r\nbody\r\n0\r\n\r\n");
  EXPECT_EQ(ending("HTTP/1.0", "TE: trailers\r\n"), "body");
}

TEST(HTTP1BodyTest, WhatMustNotBeATrailerIsRefused) {
  ServerBench bench;
  bench.service.on("/", [](HTTPExchange& exchange) -> Task<> {
    exchange.start({}, std::nullopt, "body");
    try {
      exchange.finish({{"Content-Length", "4"}});
    } catch (const std::invalid_argument& error) {
      exchange.write(error.what());
    }
    exchange.finish();
    co_return;
  });
  auto client = bench.connect();
  EXPECT_EQ(bench.run(ask(*client, get("/", "TE: trailers\r\n"))).body,
            "bodymust not come behind a body: Content-Length");
}

/// A service whose endpoints have limits of their own.
class LimitedService final : public HTTPService {
 public:
  class Endpoint final : public HTTPEndpoint {
   public:
    explicit Endpoint(bool streams) { streams_body_ = streams; }
    Task<> handle(HTTPExchange& exchange) override {
      std::string all(exchange.request().body());
      if (streams_body_) {
        try {
          for (std::string piece = co_await exchange.read_body(); !piece.empty();
               piece = co_await exchange.read_body()) {
            all += piece;
          }
        } catch (const HTTPError& error) {
          seen = error.status();
          throw;
        }
      }
      respond_text(exchange, all);
    }
    int seen = 0;
  };
  HTTPEndpoint& route(HTTPExchange& exchange) override {
    return exchange.request().path() == "/whole" ? whole : streams;
  }
  void request_done(HTTPExchange&) noexcept override {}
  Endpoint whole{false};
  Endpoint streams{true};
};

struct LimitedBench {
  LimitedBench() : loop({.reactor = ReactorKind::kSim}) {
    for (HTTPEndpoint* endpoint : {&service.whole, &service.streams}) {
      endpoint->set_limits({.max_body_size = 5, .body_timeout = 2s});
    }
    HTTPServerOptions options{.decompress_request = true};
    options.limits.max_body_size = 3;
    server.emplace(loop, service, std::move(options));
  }
  ~LimitedBench() { loop.run_sync(server->close()); }
  RawResponse ask_new(std::string text) {
    auto [client, accepted] = make_memory_transports(loop, {});
    server->serve(std::move(accepted));
    RawClient raw(std::move(client));
    return loop.run_sync(ask(raw, std::move(text)), Duration(1h));
  }
  LogCatcher log;
  IOLoop loop;
  LimitedService service;
  std::optional<HTTPServer> server;
};

TEST(HTTP1BodyTest, EndpointsHaveLimitsOfTheirOwn) {
  LimitedBench bench;
  for (const std::string path : {"/whole", "/streams"}) {
    const std::string head = "POST " + path + " HTTP/1.1\r\nHost: x\r\n";
    // More than the server's limit, not more than the endpoint's.
    EXPECT_EQ(bench.ask_new(head + "Content-Length: 5\r\n\r\n12345").body, "12345") << path;
    EXPECT_EQ(bench.ask_new(head + "Content-Length: 6\r\n\r\n").status, 413) << path;
    const std::string chunks = head + "Transfer-Encoding: chunked\r\n\r\n";
    EXPECT_EQ(bench.ask_new(chunks + "5\r\n12345\r\n0\r\n\r\n").body, "12345") << path;
    EXPECT_EQ(bench.ask_new(chunks + "6\r\n").status, 413) << path;
  }
  EXPECT_EQ(bench.service.streams.seen, 413);
}

TEST(HTTP1BodyTest, EndpointsHaveARateOfTheirOwn) {
  for (const std::string path : {"/whole", "/streams"}) {
    LimitedBench bench;
    for (HTTPEndpoint* endpoint : {&bench.service.whole, &bench.service.streams}) {
      endpoint->set_limits({.max_body_size = 5, .min_body_rate = path == "/whole" ? 0 : 1});
    }
    const TimePoint before = bench.loop.now();
    EXPECT_EQ(
        bench.ask_new("POST " + path + " HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n1").status,
        408);
    // Without a rate only the pause counts.
    const Duration patience = path == "/whole" ? 30s : 5s;
    EXPECT_GE(bench.loop.now() - before, patience) << path;
    EXPECT_LT(bench.loop.now() - before, patience + 2s) << path;
  }
}

TEST(HTTP1BodyTest, EndpointsHaveTheirOwnPatience) {
  for (const std::string path : {"/whole", "/streams"}) {
    LimitedBench bench;
    const TimePoint before = bench.loop.now();
    EXPECT_EQ(
        bench.ask_new("POST " + path + " HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n1").status,
        408)
        << path;
    EXPECT_GE(bench.loop.now() - before, 2s);
    EXPECT_LT(bench.loop.now() - before, 4s);
  }
}

}  // namespace
}  // namespace coronado::http_test
