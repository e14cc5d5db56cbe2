// Both engines fail in the same way, and when they are out of time, cancelled or full.
#include <coronado/http/httpclient.hpp>

#include <coronado/coro/locks.hpp>

#include "tests/http/client_engines.hpp"

namespace coronado {
namespace {

using namespace client_test;

TEST_P(HTTPClientEngines, NoConnection) {
  with_bench([](Bench& bench) -> Task<> {
    std::string gone;
    {
      Peer peer(any_port(), [](IOStream&) -> Task<> { co_return; });
      gone = url_of(peer);
      co_await peer.close();
    }
    auto error = co_await failure_of<HTTPConnectError>(bench.client.fetch(gone));
    EXPECT_EQ(error.code(), 599);
    EXPECT_EQ(error.connect_error().phase(), ConnectError::Phase::kConnect);
    EXPECT_THAT(error.what(), HasSubstr("GET " + gone + ": cannot connect to peer:"));
    error = co_await failure_of<HTTPConnectError>(bench.client.fetch("http://nowhere/"));
    EXPECT_EQ(error.connect_error().phase(), ConnectError::Phase::kResolve);
    EXPECT_EQ(error.connect_error().resolve_reason(), ResolveError::Reason::kNoSuchName);
  });
}

/// What a server may do wrong, and what comes of it.
TEST_P(HTTPClientEngines, AServerThatMisbehaves) {
  HTTPClientOptions options;
  options.limits.max_body_size = 1'000;
  with_bench(
      [](Bench& bench) -> Task<> {
        const auto closed = [&](std::string text) -> Task<> {
          SCOPED_TRACE(text);
          Peer peer(any_port(), answers(text));
          const auto error =
              co_await failure_of<HTTPStreamClosedError>(bench.client.fetch(url_of(peer)));
          EXPECT_EQ(error.url(), url_of(peer));
          EXPECT_THAT(error.what(), HasSubstr("GET " + url_of(peer) + ": "));
          co_await peer.close();
        };
        // A body that is read piece by piece does not end in silence either.
        const auto cut = [&](std::string text) -> Task<> {
          co_await closed(text);
          SCOPED_TRACE(text);
          Peer peer(any_port(), answers(text));
          std::optional<HTTPStreamClosedError> error;
          try {
            HTTPClientStream stream = co_await bench.client.open({.url = url_of(peer)});
            co_await stream.read_all();
          } catch (const HTTPStreamClosedError& caught) {
            error = caught;
          }
          EXPECT_TRUE(error && error->url() == url_of(peer));
          HTTPRequest request{.url = url_of(peer)};
          request.streaming_callback = [](std::string) -> Task<> { co_return; };
          co_await failure_of<HTTPStreamClosedError>(bench.client.fetch(std::move(request)));
          co_await peer.close();
        };
        const auto refused = [&](std::string text, HTTPResponseError::Kind kind) -> Task<> {
          SCOPED_TRACE(text.substr(0, 100));
          Peer peer(any_port(), answers(text));
          const auto error =
              co_await failure_of<HTTPResponseError>(bench.client.fetch(url_of(peer)));
          EXPECT_EQ(error.kind(), kind);
          EXPECT_EQ(error.url(), url_of(peer));
          EXPECT_THAT(error.what(), HasSubstr("GET " + url_of(peer) + ": "));
          co_await peer.close();
        };
        using Kind = HTTPResponseError::Kind;
        co_await closed("");
        co_await closed("HTTP/1.1 200 OK\r\nContent-Le");
        co_await cut("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
        co_await cut("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
        co_await refused("220 mail.example ESMTP\r\n\r\n", Kind::kMalformed);
        co_await refused("HTTP/1.1 200 OK\r\nno colon here\r\nContent-Length: 0\r\n\r\n",
                         Kind::kMalformed);
        co_await refused("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
                         Kind::kMalformed);
        co_await refused(
            "HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n" + std::string(1'001, 'x'),
            Kind::kTooLarge);
        co_await refused("HTTP/1.1 200 OK\r\nX: " + std::string(70'000, 'x') + "\r\n\r\n",
                         Kind::kTooLarge);
        std::string interims;
        for (int i = 0; i < 65; ++i) interims += "HTTP/1.1 102 Processing\r\n\r\n";
        co_await refused(interims + "HTTP/1.1 204 No Content\r\n\r\n", Kind::kMalformed);
        std::string many = "HTTP/1.1 200 OK\r\n";
        for (int i = 0; i < 101; ++i) many += "X: y\r\n";
        co_await refused(many + "\r\n", Kind::kTooLarge);
        EXPECT_EQ(bench.client.stats().busy, 0U);
      },
      std::move(options));
}

/// What a request to a peer throws when its time is over in `phase`. It is given more and more of it:
/// these are real milliseconds, and a busy machine may need many to come as far as that.
Task<HTTPTimeoutError> out_of_time(HTTPClient& client, std::string url, HTTPPhase phase) {
  for (Duration timeout = 50ms;; timeout *= 2) {
    auto error =
        co_await failure_of<HTTPTimeoutError>(client.fetch(url, {.request_timeout = timeout}));
    if (error.phase() == phase || timeout > 10s) co_return error;
  }
}

TEST_P(HTTPClientEngines, OutOfTime) {
  with_bench([](Bench& bench) -> Task<> {
    Peer mute(any_port(), [](IOStream& stream) -> Task<> { co_await stream.read_until_close(); });
    auto error = co_await out_of_time(bench.client, url_of(mute), HTTPPhase::kWait);
    EXPECT_EQ(error.phase(), HTTPPhase::kWait);
    EXPECT_EQ(error.code(), 599);
    EXPECT_THAT(error.what(), ::testing::ContainsRegex(
                                  "timed out after [0-9]+ ms while waiting for the response"));
    error = co_await failure_of<HTTPTimeoutError>(
        bench.client.fetch("https" + url_of(mute).substr(4), {.connect_timeout = 50ms}));
    EXPECT_EQ(error.phase(), HTTPPhase::kConnect);
    Peer slow(any_port(), [](IOStream& stream) -> Task<> {
      co_await stream.read_until("\r\n\r\n");
      co_await stream.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
      co_await stream.read_until_close();
    });
    error = co_await out_of_time(bench.client, url_of(slow), HTTPPhase::kReceive);
    EXPECT_EQ(error.phase(), HTTPPhase::kReceive);
    EXPECT_EQ(bench.client.stats().busy, 0U);
    co_await mute.close();
    co_await slow.close();
  });
}

/// Cancels a fetch when its peer has read `bytes`, and has answered `answer`.
Task<> cancel_after(HTTPClient& client, std::size_t bytes, std::string answer,
                    std::function<HTTPRequest(const Peer&)> make) {
  Event reached;
  Event ended;
  Peer peer(any_port(), [&](IOStream& stream) -> Task<> {
    co_await stream.read_bytes(bytes);
    if (answer.empty()) {
      reached.set();
    } else {
      co_await stream.write(answer);
    }
    co_await stream.read_until_close();
    ended.set();
  });
  HTTPRequest request = make(peer);
  request.streaming_callback = [&](std::string) -> Task<> {
    reached.set();
    co_return;
  };
  auto fetch = IOLoop::current()->spawn(client.fetch(std::move(request)));
  co_await reached.wait();
  fetch.cancel();
  EXPECT_THROW(co_await fetch.join(), Cancelled);
  co_await ended.wait();
  EXPECT_EQ(client.stats().busy, 0U);
  co_await peer.close();
}

TEST_P(HTTPClientEngines, CancellingClosesTheConnectionInAnyPhase) {
  with_bench([](Bench& bench) -> Task<> {
    const auto plain = [](const Peer& peer) { return HTTPRequest{.url = url_of(peer)}; };
    co_await cancel_after(bench.client, 18, "", plain);
    co_await cancel_after(bench.client, 18, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
                          plain);
    co_await cancel_after(bench.client, 1, "", [](const Peer& peer) {  // the handshake of TLS
      return HTTPRequest{.url = "https" + url_of(peer).substr(4)};
    });
    co_await cancel_after(bench.client, 18, "", [](const Peer& peer) {
      return HTTPRequest{.url = "https://far.example/",
                         .proxy_host = "proxy:" + std::to_string(peer.address().port)};
    });
    co_await cancel_after(bench.client, 4, "", [](const Peer& peer) {
      return HTTPRequest{
          .url = "http://far.example/",
          .proxy_host = "socks5://ada:pw@proxy:" + std::to_string(peer.address().port)};
    });
    co_await cancel_after(bench.client, 18, "", [](const Peer& peer) {  // while it is sending
      return HTTPRequest{
          .url = url_of(peer), .method = "PUT", .body = std::string(50'000'000, 'x')};
    });
    EXPECT_EQ(bench.client.stats().idle, 0U);
  });
}

TEST_P(HTTPClientEngines, SoManyAtATime) {
  HTTPClientOptions options;
  options.max_clients = 2;
  with_bench(
      [](Bench& bench) -> Task<> {
        int inside = 0;
        int most = 0;
        bench.service.on("/count", [&](HTTPExchange& exchange) -> Task<> {
          most = std::max(most, ++inside);
          co_await sleep(1ms);
          --inside;
          respond_text(exchange, exchange.request().query());
        });
        std::vector<Task<HTTPClientResponse>> fetches;
        for (int i = 0; i < 10; ++i) {
          fetches.push_back(bench.client.fetch(bench.at("/count?" + std::to_string(i))));
        }
        const auto pages = co_await multi(std::move(fetches));
        for (std::size_t i = 0; i < pages.size(); ++i) EXPECT_EQ(pages[i].body, std::to_string(i));
        EXPECT_EQ(most, 2);
        EXPECT_LE(bench.client.stats().connects, 2U);
      },
      std::move(options));
}

/// A kept connection that is dead: what does no harm twice is sent again, other things are not.
TEST_P(HTTPClientEngines, AKeptConnectionThatIsDead) {
  with_bench([](Bench& bench) -> Task<> {
    std::vector<std::string> asked;
    Peer peer(any_port(), [&](IOStream& stream) -> Task<> {
      const std::string first = co_await stream.read_until("\r\n\r\n");
      asked.push_back(first.substr(0, first.find(' ')));
      co_await stream.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      const std::string second = co_await stream.read_until("\r\n\r\n");  // and is gone
      asked.push_back("cut " + second.substr(0, second.find(' ')));
    });
    EXPECT_EQ(co_await bench.body_of({.url = url_of(peer)}), "ok");
    EXPECT_EQ(co_await bench.body_of({.url = url_of(peer)}), "ok");
    EXPECT_EQ(asked, (std::vector<std::string>{"GET", "cut GET", "GET"}));
    try {
      co_await bench.client.fetch(url_of(peer), {.method = "POST", .body = ""});
    } catch (const HTTPStreamClosedError&) {
    }
    EXPECT_EQ(std::ranges::count(asked, "POST") + std::ranges::count(asked, "cut POST"), 1);
    bench.client.close();
    co_await peer.close();
  });
}

TEST_P(HTTPClientEngines, WhatCannotBeAskedIsRefused) {
  with_bench([](Bench& bench) -> Task<> {
    co_await failure_of<std::invalid_argument>(bench.client.fetch("ftp://server/"));
    co_await failure_of<std::invalid_argument>(bench.client.fetch("http://server/ x"));
    co_await failure_of<std::invalid_argument>(
        bench.client.fetch(bench.at("/"), {.method = "POST"}));
    co_await failure_of<std::invalid_argument>(
        bench.client.fetch(bench.at("/"), {.method = "GET", .body = "x"}));
    bench.client.close();
    co_await failure_of<ClosedError>(bench.client.fetch(bench.at("/")));
  });
}

}  // namespace
}  // namespace coronado
