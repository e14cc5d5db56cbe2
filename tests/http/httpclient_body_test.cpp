// Bodies in both directions: producers, back-pressure, 100 (Continue), streams.
#include <coronado/http/httpclient.hpp>

#include "tests/http/client_fixture.hpp"

namespace coronado {
namespace {

using namespace client_test;

HTTPRequest produced(Function<Task<>(HTTPBodyWriter&)> producer, std::string url) {
  HTTPRequest request{.url = std::move(url), .method = "POST"};
  request.body_producer = std::move(producer);
  return request;
}

/// Reads the body, slowly.
void add_drop(Fixture& fix, std::size_t& received) {
  fix.service.on(
      "/drop",
      [&received](HTTPExchange& exchange) -> Task<> {
        for (std::string piece = co_await exchange.read_body(); !piece.empty();
             piece = co_await exchange.read_body()) {
          received += piece.size();
          co_await sleep(10ms);
        }
        respond_text(exchange, "got " + std::to_string(received));
      },
      LambdaService::Kind::kStreams);
}

TEST(HTTPClientBody, LargeBodiesAreSentAndEchoed) {
  with_fixture([](Fixture& fix) -> Task<> {
    fix.service.on(
        "/back",
        [](HTTPExchange& exchange) -> Task<> {
          exchange.start({}, std::nullopt);
          for (std::string piece = co_await exchange.read_body(); !piece.empty();
               piece = co_await exchange.read_body()) {
            exchange.write(piece);
            co_await exchange.drain();
          }
          exchange.finish();
        },
        LambdaService::Kind::kStreams);
    std::string body(2'000'000, 'x');
    for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>('a' + i * 7 % 26);
    for (int i = 0; i < 2; ++i) {
      EXPECT_EQ(co_await fix.body_of({.url = "http://server/back", .method = "PUT", .body = body}),
                body);
    }
    EXPECT_EQ(fix.client.stats().connects, 1U);
  });
}

TEST(HTTPClientBody, ProducersAreAsSlowAsTheServer) {
  with_fixture([](Fixture& fix) -> Task<> {
    std::size_t received = 0;
    add_drop(fix, received);
    std::size_t ahead = 0;
    auto produce = [&](HTTPBodyWriter& writer) -> Task<> {
      for (std::size_t sent = 0; sent < 3'000'000; sent += 20'000) {
        co_await writer.write(std::string(20'000, 'p'));
        ahead = std::max(ahead, sent + 20'000 - std::min(sent, received));
      }
    };
    EXPECT_EQ(co_await fix.body_of(produced(produce, "http://server/drop")), "got 3000000");
    EXPECT_LT(ahead, 600'000U);  // the buffers of both systems, and ours
    EXPECT_GT(ahead, 20'000U);
  });
}

TEST(HTTPClientBody, ProducersSendChunksOrALength) {
  with_fixture([](Fixture& fix) -> Task<> {
    auto produce = [](HTTPBodyWriter& writer) -> Task<> {
      co_await writer.write("one");
      co_await sleep(1s);
      co_await writer.write("");
      co_await writer.write("two");
    };
    std::string text = co_await fix.body_of(produced(produce, "http://server/echo"));
    EXPECT_THAT(text, HasSubstr("Transfer-Encoding: chunked\n"));
    EXPECT_TRUE(text.ends_with("\n\nonetwo")) << text;
    HTTPRequest request = produced(produce, "http://server/echo");
    request.headers.set("Content-Length", "6");
    text = co_await fix.body_of(std::move(request));
    EXPECT_THAT(text, HasSubstr("Content-Length: 6\n"));
    EXPECT_TRUE(text.ends_with("\n\nonetwo")) << text;
    EXPECT_EQ(fix.client.stats().connects, 1U);
    // Called again when the request is sent again.
    EXPECT_TRUE((co_await fix.body_of(produced(produce, "http://server/redirect?307+/echo")))
                    .ends_with("onetwo"));
  });
}

TEST(HTTPClientBody, AProducerThatCannotWriteTwiceSaysSo) {
  with_fixture([](Fixture& fix) -> Task<> {
    for (const int status : {303, 307, 308}) {
      int calls = 0;
      auto once = [&](HTTPBodyWriter& writer) -> Task<> {
        if (++calls > 1) throw std::runtime_error("the pipe is empty");
        co_await writer.write("from a pipe");
      };
      const std::string url = "http://server/redirect?" + std::to_string(status) + "+/echo";
      if (status == 303) {
        EXPECT_TRUE((co_await fix.body_of(produced(once, url))).starts_with("GET\n"));
        EXPECT_EQ(calls, 1);
        continue;
      }
      const auto error =
          co_await failure_of<std::runtime_error>(fix.client.fetch(produced(once, url)));
      EXPECT_STREQ(error.what(), "the pipe is empty");
      EXPECT_EQ(calls, 2);
      EXPECT_EQ(fix.client.stats().busy, 0U);
    }
  });
}

TEST(HTTPClientBody, AWrongLengthIsAnErrorAndNeverSentAsWhole) {
  with_fixture([](Fixture& fix) -> Task<> {
    for (const char* length : {"2", "9"}) {
      HTTPRequest request =
          produced([](HTTPBodyWriter& writer) -> Task<> { co_await writer.write("onetwo"); },
                   "http://server/echo");
      request.headers.set("Content-Length", length);
      const auto error =
          co_await failure_of<std::logic_error>(fix.client.fetch(std::move(request)));
      EXPECT_THAT(error.what(), HasSubstr("Content-Length"));
    }
    EXPECT_EQ(fix.client.stats().idle, 0U);
    co_await sleep(1s);
    EXPECT_TRUE(fix.service.done.empty());
  });
}

TEST(HTTPClientBody, AProducersErrorComesThrough) {
  with_fixture([](Fixture& fix) -> Task<> {
    auto request = produced(
        [](HTTPBodyWriter& writer) -> Task<> {
          co_await writer.write("half");
          throw std::runtime_error("no more");
        },
        "http://server/echo");
    const auto error =
        co_await failure_of<std::runtime_error>(fix.client.fetch(std::move(request)));
    EXPECT_STREQ(error.what(), "no more");
    co_await sleep(1s);
    EXPECT_EQ(fix.network.open_transports(), 0U);
  });
}

TEST(HTTPClientBody, AnAnswerBeforeTheEndStopsTheProducer) {
  with_fixture([](Fixture& fix) -> Task<> {
    Peer peer(fix.host.address(81), [](IOStream& stream) -> Task<> {
      co_await stream.read_until("\r\n\r\n");
      co_await stream.write("HTTP/1.1 413 No\r\nContent-Length: 8\r\n\r\ntoo much");
      co_await stream.read_until_close();
    });
    bool stopped = false;
    auto request = produced(
        [&](HTTPBodyWriter& writer) -> Task<> {
          try {
            for (;;) {
              co_await writer.write(std::string(1000, 'x'));
              co_await sleep(1ms);
            }
          } catch (const Cancelled&) {
            stopped = true;
            throw;
          }
        },
        "http://server:81/");
    const auto error = co_await failure_of<HTTPClientError>(fix.client.fetch(std::move(request)));
    EXPECT_EQ(error.code(), 413);
    EXPECT_EQ(error.response()->body, "too much");
    EXPECT_TRUE(stopped);
    EXPECT_EQ(fix.client.stats().idle, 0U);
    co_await peer.close();
  });
}

TEST(HTTPClientBody, CancellingStopsTheProducer) {
  with_fixture([](Fixture& fix) -> Task<> {
    bool stopped = false;
    auto request = produced(
        [&](HTTPBodyWriter& writer) -> Task<> {
          try {
            co_await writer.write("x");
            co_await sleep(1h);
          } catch (const Cancelled&) {
            stopped = true;
            throw;
          }
        },
        "http://server/echo");
    auto fetch = IOLoop::current()->spawn(fix.client.fetch(std::move(request)));
    co_await sleep(1s);
    fetch.cancel();
    EXPECT_THROW(co_await fetch.join(), Cancelled);
    EXPECT_TRUE(stopped);
  });
}

TEST(HTTPClientBody, ContinueIsWaitedForASecond) {
  with_fixture([](Fixture& fix) -> Task<> {
    HTTPRequest request{.url = "http://server/echo",
                        .method = "POST",
                        .body = "asked",
                        .expect_100_continue = true};
    const TimePoint begin = IOLoop::current()->now();
    EXPECT_THAT(co_await fix.body_of(std::move(request)), HasSubstr("Expect: 100-continue"));
    EXPECT_LT(IOLoop::current()->now() - begin, 100ms);  // our server says yes
    std::string came;
    Peer mute(fix.host.address(81), [&](IOStream& stream) -> Task<> {
      co_await stream.read_until("\r\n\r\n");
      came = co_await stream.read_bytes(5);
      co_await stream.write("HTTP/1.1 204 No Content\r\n\r\n");
    });
    const HTTPClientResponse late = co_await fix.client.fetch(
        "http://server:81/", {.method = "POST", .body = "asked", .expect_100_continue = true});
    EXPECT_EQ(came, "asked");
    EXPECT_GE(late.time_info.total, 1s);
    EXPECT_LT(late.time_info.total, 1100ms);
    co_await mute.close();
    came.clear();
    Peer refuses(fix.host.address(82), [&](IOStream& stream) -> Task<> {
      co_await stream.read_until("\r\n\r\n");
      co_await stream.write("HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n");
      came = co_await stream.read_until_close();
    });
    co_await failure_of<HTTPClientError>(fix.client.fetch(
        "http://server:82/", {.method = "POST", .body = "asked", .expect_100_continue = true}));
    co_await sleep(5s);
    EXPECT_EQ(came, "");
    EXPECT_EQ(fix.client.stats().idle, 1U);  // only the one of port 80
    co_await refuses.close();
  });
}

TEST(HTTPClientBody, StreamingCallbacksSlowTheServerDown) {
  with_fixture([](Fixture& fix) -> Task<> {
    std::size_t received = 0;
    std::size_t sent = 0;
    std::size_t ahead = 0;
    fix.service.on("/flood", [&](HTTPExchange& exchange) -> Task<> {
      exchange.start({}, std::nullopt);
      for (; sent < 2'000'000; sent += 10'000) {
        exchange.write(std::string(10'000, 'f'));
        co_await exchange.drain();
      }
      exchange.finish();
    });
    HTTPRequest request{.url = "http://server/flood"};
    request.streaming_callback = [&](std::string piece) -> Task<> {
      received += piece.size();
      ahead = std::max(ahead, sent - std::min(sent, received));
      co_await sleep(5ms);
    };
    const HTTPClientResponse response = co_await fix.client.fetch(std::move(request));
    EXPECT_EQ(received, 2'000'000U);
    EXPECT_EQ(response.body, "");
    EXPECT_LT(ahead, 600'000U);
  });
}

TEST(HTTPClientStream, IsReadPieceByPiece) {
  with_fixture([](Fixture& fix) -> Task<> {
    HTTPClientStream stream = co_await fix.client.open({.url = "http://server/big?200000"});
    EXPECT_EQ(stream.response().code, 200);
    EXPECT_EQ(fix.client.stats().busy, 1U);
    std::size_t size = 0;
    for (std::string piece = co_await stream.read_some(777); !piece.empty();
         piece = co_await stream.read_some(777)) {
      EXPECT_LE(piece.size(), 777U);
      size += piece.size();
    }
    EXPECT_EQ(size, 200'000U);
    EXPECT_EQ(fix.client.stats().busy, 0U);
    EXPECT_EQ(fix.client.stats().idle, 1U);
    EXPECT_EQ(co_await stream.read_some(), "");
    HTTPClientStream one = co_await fix.client.open({.url = "http://server/x"});
    std::string all;
    for (std::string piece = co_await one.read_some(1); !piece.empty();
         piece = co_await one.read_some(1)) {
      all += piece;
    }
    EXPECT_EQ(all, "GET /x");
  });
}

TEST(HTTPClientStream, StatusesAreForTheCaller) {
  with_fixture([](Fixture& fix) -> Task<> {
    HTTPClientStream stream = co_await fix.client.open({.url = "http://server/status?404"});
    EXPECT_EQ(stream.response().code, 404);
    EXPECT_EQ(co_await stream.read_all(), "sorry");
    HTTPClientStream empty = co_await fix.client.open({.url = "http://server/", .method = "HEAD"});
    EXPECT_EQ(fix.client.stats().busy, 0U);
    EXPECT_EQ(co_await empty.read_all(), "");
    HTTPClientStream moved = co_await fix.client.open({.url = "http://server/redirect?302+/there"});
    EXPECT_EQ(co_await moved.read_all(), "GET /there");
    EXPECT_EQ(fix.client.stats().connects, 1U);
  });
}

TEST(HTTPClientStream, UploadsBeforeItReturns) {
  with_fixture([](Fixture& fix) -> Task<> {
    std::size_t received = 0;
    add_drop(fix, received);
    HTTPClientStream stream = co_await fix.client.open(
        {.url = "http://server/drop", .method = "PUT", .body = std::string(500'000, 'u')});
    EXPECT_EQ(co_await stream.read_all(), "got 500000");
  });
}

TEST(HTTPClientStream, UnreadServersWait) {
  with_fixture([](Fixture& fix) -> Task<> {
    std::size_t sent = 0;
    fix.service.on("/flood", [&](HTTPExchange& exchange) -> Task<> {
      exchange.start({}, std::nullopt);
      for (; sent < 5'000'000; sent += 10'000) {
        exchange.write(std::string(10'000, 'f'));
        co_await exchange.drain();
      }
      exchange.finish();
    });
    HTTPClientStream stream = co_await fix.client.open({.url = "http://server/flood"});
    co_await sleep(20s);
    EXPECT_LT(sent, 600'000U);
    const std::string all = co_await stream.read_all();
    EXPECT_EQ(all.size(), 5'000'000U);
  });
}

TEST(HTTPClientStream, CancelledReadLosesNothing) {
  with_fixture([](Fixture& fix) -> Task<> {
    fix.service.on("/two", [](HTTPExchange& exchange) -> Task<> {
      exchange.start({}, std::nullopt, "one");
      co_await sleep(10s);
      exchange.write("two");
      exchange.finish();
    });
    HTTPClientStream stream = co_await fix.client.open({.url = "http://server/two"});
    EXPECT_EQ(co_await stream.read_some(), "one");
    bool late = false;
    try {
      co_await with_timeout(1s, stream.read_some());
    } catch (const TimeoutError&) {
      late = true;
    }
    EXPECT_TRUE(late);
    EXPECT_EQ(co_await stream.read_some(), "two");
    EXPECT_EQ(co_await stream.read_some(), "");
  });
}

TEST(HTTPClientStream, EachErrorHasItsType) {
  with_fixture([](Fixture& fix) -> Task<> {
    fix.service.on("/stall", [](HTTPExchange& exchange) -> Task<> {
      exchange.start({}, std::nullopt, "one");
      co_await sleep(30s);
      exchange.abort();
    });
    HTTPClientStream stream =
        co_await fix.client.open({.url = "http://server/stall", .request_timeout = 5s});
    EXPECT_EQ(co_await stream.read_some(), "one");
    EXPECT_THROW(co_await stream.read_some(), HTTPTimeoutError);
    HTTPClientStream cut =
        co_await fix.client.open({.url = "http://server/stall", .request_timeout = 0s});
    EXPECT_EQ(co_await cut.read_some(), "one");
    EXPECT_THROW(co_await cut.read_some(), HTTPStreamClosedError);
    EXPECT_THROW(co_await cut.read_some(), HTTPStreamClosedError);
    HTTPClientStream closed = co_await fix.client.open({.url = "http://server/stall"});
    closed.close();
    EXPECT_EQ(fix.client.stats().busy, 2U);  // the two above still hold their places
    EXPECT_THROW(co_await closed.read_some(), HTTPStreamClosedError);
    HTTPClientStream large = co_await fix.client.open({.url = "http://server/big?1000"});
    EXPECT_THROW(co_await large.read_all(999), HTTPResponseError);
    EXPECT_THROW(co_await large.read_some(0), std::invalid_argument);
    Peer bad(fix.host.address(81),
             answers("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxyz"));
    HTTPClientStream broken = co_await fix.client.open({.url = "http://server:81/"});
    EXPECT_EQ(co_await broken.read_some(), "x");
    EXPECT_THROW(co_await broken.read_some(), HTTPResponseError);
    co_await bad.close();
  });
}

TEST(HTTPClientStream, DestroyedInTheMiddleClosesTheConnection) {
  with_fixture([](Fixture& fix) -> Task<> {
    {
      HTTPClientStream stream = co_await fix.client.open({.url = "http://server/big?1000000"});
      co_await stream.read_some();
    }
    EXPECT_EQ(fix.client.stats().busy, 0U);
    EXPECT_EQ(fix.client.stats().idle, 0U);
    co_await sleep(1s);
    EXPECT_EQ(fix.network.open_transports(), 0U);
  });
}

TEST(HTTPClientBody, TrailersArrive) {
  with_fixture([](Fixture& fix) -> Task<> {
    Peer peer(fix.host.address(81), answers("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                            "2\r\nok\r\n0\r\nX-Sum: 7\r\n\r\n"));
    const HTTPClientResponse response = co_await fix.client.fetch("http://server:81/");
    EXPECT_EQ(response.trailers.find("X-Sum"), "7");
    EXPECT_EQ(response.body, "ok");
    co_await peer.close();
  });
}

TEST(HTTPClientBody, TrailersGoBothWays) {
  with_fixture([](Fixture& fix) -> Task<> {
    fix.service.on("/sum", [](HTTPExchange& exchange) -> Task<> {
      exchange.start({}, std::nullopt, exchange.request().body());
      const auto connection = exchange.request().header("Connection");
      exchange.finish({{"X-Seen", exchange.request().trailers().find("X-Sum").value_or("none")},
                       {"X-Connection", connection.value_or("none")}});
      co_return;
    });
    HTTPRequest request = produced(
        [](HTTPBodyWriter& writer) -> Task<> {
          co_await writer.write("body");
          EXPECT_THROW(writer.add_trailer("Content-Length", "4"), std::invalid_argument);
          EXPECT_THROW(writer.add_trailer("X", "a\r\nb"), HTTPInputError);
          writer.add_trailer("X-Sum", "4");
        },
        "http://server/sum");
    request.headers.set("TE", "trailers");
    const HTTPClientResponse response = co_await fix.client.fetch(std::move(request));
    EXPECT_EQ(response.body, "body");
    EXPECT_EQ(response.trailers.find("X-Seen"), "4");
    EXPECT_EQ(response.trailers.find("X-Connection"), "TE");
    HTTPRequest counted = produced(
        [](HTTPBodyWriter& writer) -> Task<> {
          co_await writer.write("body");
          writer.add_trailer("X-Sum", "4");
        },
        "http://server/sum");
    counted.headers.set("Content-Length", "4");
    co_await failure_of<std::logic_error>(fix.client.fetch(std::move(counted)));
  });
}

}  // namespace
}  // namespace coronado
