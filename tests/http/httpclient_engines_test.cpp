// Both engines give the same answers: one case for each thing that a client does.
#include <coronado/http/httpclient.hpp>

#include <coronado/http/cookie_jar.hpp>

#include <ctime>

#include "tests/http/client_engines.hpp"
#include "tests/http/coded_body.hpp"

namespace coronado {
namespace {

using namespace client_test;

INSTANTIATE_TEST_SUITE_P(Both, HTTPClientEngines,
                         testing::Values(HTTPClientEngine::kOwn, HTTPClientEngine::kCurl),
                         [](const auto& info) {
                           return info.param == HTTPClientEngine::kOwn ? "Own" : "Curl";
                         });

TEST_P(HTTPClientEngines, FetchesOverAKeptConnection) {
  with_bench([](Bench& bench) -> Task<> {
    for (int i = 0; i < 3; ++i) {
      const HTTPClientResponse page = co_await bench.client.fetch(bench.at("/x?y"));
      EXPECT_EQ(page.code, 200);
      EXPECT_EQ(page.reason, "OK");
      EXPECT_EQ(page.body, "GET /x?y");
      EXPECT_EQ(page.headers.get("Content-Type"), "text/plain");
      EXPECT_EQ(page.effective_url, bench.at("/x?y"));
      EXPECT_EQ(page.method, "GET");
      EXPECT_EQ(page.time_info.reused, i > 0);
      EXPECT_EQ(page.time_info.connect > Duration::zero(), i == 0);
      EXPECT_GT(page.time_info.total, Duration::zero());
    }
    EXPECT_EQ(bench.client.stats().connects, 1U);
    EXPECT_EQ(bench.client.stats().reuses, 2U);
    EXPECT_EQ(bench.client.stats().busy, 0U);
  });
}

TEST_P(HTTPClientEngines, KeepsNoConnectionWhenItIsNotTo) {
  for (const bool by_time : {false, true}) {
    HTTPClientOptions options;
    if (by_time) {
      options.idle_timeout = Duration::zero();
    } else {
      options.max_idle = 0;
    }
    with_bench(
        [](Bench& bench) -> Task<> {
          for (int i = 0; i < 2; ++i) {
            const HTTPClientResponse page = co_await bench.client.fetch(bench.at("/x"));
            EXPECT_FALSE(page.time_info.reused);
          }
          EXPECT_EQ(bench.client.stats().connects, 2U);
        },
        std::move(options));
  }
}

TEST_P(HTTPClientEngines, MethodsBodiesAndFields) {
  with_bench([](Bench& bench) -> Task<> {
    const std::string url = bench.at("/echo");
    std::string text = co_await bench.body_of(
        {.url = url,
         .method = "POST",
         .headers = {{"X-One", "1"}, {"X-Empty", ""}, {"x-two", "2"}, {"Accept", "text/*"}},
         .body = "a=1"});
    EXPECT_THAT(text, HasSubstr("POST\n"));
    for (const char* part :
         {"X-One: 1\n", "X-Empty: \n", "x-two: 2\n", "Accept: text/*\n", "User-Agent: Coronado\n",
          "Content-Length: 3\n", "Content-Type: application/x-www-form-urlencoded\n", "\n\na=1"}) {
      EXPECT_THAT(text, HasSubstr(part));
    }
    EXPECT_THAT(text, Not(HasSubstr("Expect")));
    for (const char* method : {"PUT", "PATCH"}) {
      text = co_await bench.body_of({.url = url, .method = method, .body = "b"});
      EXPECT_TRUE(text.starts_with(method));
      EXPECT_THAT(text, HasSubstr("\n\nb"));
      EXPECT_THAT(text, Not(HasSubstr("Content-Type")));
    }
    for (const char* method : {"DELETE", "OPTIONS"}) {
      text = co_await bench.body_of({.url = url, .method = method});
      EXPECT_TRUE(text.starts_with(method));
      EXPECT_THAT(text, Not(HasSubstr("Content-Length")));
    }
    text = co_await bench.body_of({.url = url, .user_agent = "Other/1"});
    EXPECT_THAT(text, HasSubstr("User-Agent: Other/1\n"));
    EXPECT_THAT(text, Not(HasSubstr("Accept: ")));
    const HTTPClientResponse head =
        co_await bench.client.fetch(bench.at("/big?5000"), {.method = "HEAD"});
    EXPECT_EQ(head.code, 200);
    EXPECT_EQ(head.body, "");
    // Once more, so that the connection is seen to be still in step.
    EXPECT_EQ(co_await bench.body_of({.url = bench.at("/next")}), "GET /next");
    const HTTPClientResponse none = co_await bench.client.fetch(bench.at("/status?204"));
    EXPECT_EQ(none.code, 204);
  });
}

TEST_P(HTTPClientEngines, LargeBodiesBothWays) {
  with_bench([](Bench& bench) -> Task<> {
    const std::string sent(3'000'000, 'u');
    const std::string text =
        co_await bench.body_of({.url = bench.at("/echo"), .method = "PUT", .body = sent});
    EXPECT_TRUE(text.ends_with("\n\n" + sent));
    EXPECT_EQ(co_await bench.body_of({.url = bench.at("/big?5000000")}),
              std::string(5'000'000, 'b'));
  });
}

TEST_P(HTTPClientEngines, AStatusIsAnError) {
  with_bench([](Bench& bench) -> Task<> {
    const auto error =
        co_await failure_of<HTTPClientError>(bench.client.fetch(bench.at("/status?404")));
    EXPECT_EQ(error.code(), 404);
    EXPECT_EQ(error.response()->body, "sorry");
    EXPECT_EQ(std::string(error.what()),
              "GET " + bench.at("/status?404") + ": HTTP 404: Not Found");
    const HTTPClientResponse page =
        co_await bench.client.fetch(bench.at("/status?500"), {.raise_error = false});
    EXPECT_EQ(page.code, 500);
  });
}

TEST_P(HTTPClientEngines, Redirects) {
  with_bench([](Bench& bench) -> Task<> {
    const std::string url = bench.at("/redirect");
    HTTPClientResponse page =
        co_await bench.client.fetch(url + "?302+/echo", {.method = "POST", .body = "b"});
    EXPECT_TRUE(page.body.starts_with("GET\n"));
    EXPECT_THAT(page.body, Not(HasSubstr("Content-")));
    EXPECT_EQ(page.redirects, 1U);
    EXPECT_EQ(page.effective_url, bench.at("/echo"));
    page = co_await bench.client.fetch(url + "?307+/echo", {.method = "PUT", .body = "b"});
    EXPECT_TRUE(page.body.starts_with("PUT\n"));
    EXPECT_TRUE(page.body.ends_with("\n\nb"));
    auto error = co_await failure_of<HTTPClientError>(
        bench.client.fetch(url + "?302+/x", {.follow_redirects = false}));
    EXPECT_EQ(error.code(), 302);
    // It leads to itself.
    bench.service.on("/loop", [](HTTPExchange& exchange) -> Task<> {
      exchange.respond({.status = 302, .fields = "Location: /loop\r\n"}, "");
      co_return;
    });
    error = co_await failure_of<HTTPClientError>(
        bench.client.fetch(bench.at("/loop"), {.max_redirects = 3}));
    EXPECT_THAT(error.what(), HasSubstr("HTTP 302: Found (after 3 redirects)"));
  });
}

/// Credentials are for the origin that was asked first.
TEST_P(HTTPClientEngines, CredentialsDoNotLeaveTheOrigin) {
  with_bench([](Bench& bench) -> Task<> {
    std::string asked;
    Peer other(any_port(), [&](IOStream& stream) -> Task<> {
      asked = co_await stream.read_until("\r\n\r\n");
      co_await stream.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      co_await stream.shutdown();
    });
    HTTPRequest request{.url = bench.at("/redirect?302+" + url_of(other)),
                        .headers = {{"Cookie", "c=1"}, {"Authorization", "Own"}, {"X-Kept", "1"}}};
    EXPECT_EQ(co_await bench.body_of(std::move(request)), "ok");
    EXPECT_THAT(asked, Not(HasSubstr("Own")));
    EXPECT_THAT(asked, Not(HasSubstr("Cookie")));
    EXPECT_THAT(asked, HasSubstr("X-Kept: 1"));
    EXPECT_EQ(co_await bench.body_of({.url = bench.at("/redirect?302+" + url_of(other)),
                                      .auth_username = "ada",
                                      .auth_password = "pw"}),
              "ok");
    EXPECT_THAT(asked, Not(HasSubstr("Authorization")));
    co_await other.close();
  });
}

TEST_P(HTTPClientEngines, Credentials) {
  with_bench([](Bench& bench) -> Task<> {
    const std::string url = bench.at("/echo");
    EXPECT_THAT(co_await bench.body_of(
                    {.url = url, .auth_username = "Aladdin", .auth_password = "open sesame"}),
                HasSubstr("Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\n"));
    EXPECT_THAT(co_await bench.body_of({.url = url, .bearer_token = "abc"}),
                HasSubstr("Authorization: Bearer abc\n"));
    std::string in_url = url;
    in_url.insert(7, "Aladdin:open%20sesame@");
    EXPECT_THAT(co_await bench.body_of({.url = in_url}),
                HasSubstr("Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\n"));
    int asked = 0;
    bench.service.on("/digest", [&](HTTPExchange& exchange) -> Task<> {
      ++asked;
      const std::string shown(exchange.request().header("Authorization").value_or(""));
      if (shown.find("username=\"ada\"") != std::string::npos) {
        respond_text(exchange, shown);
      } else {
        exchange.respond(
            {.status = 401,
             .fields = "WWW-Authenticate: Digest realm=\"r\", nonce=\"n1\", qop=\"auth\"\r\n"},
            "who are you?");
      }
      co_return;
    });
    EXPECT_THAT(co_await bench.body_of({.url = bench.at("/digest"),
                                        .auth_username = "ada",
                                        .auth_password = "pw",
                                        .auth_mode = HTTPAuth::kDigest}),
                HasSubstr("nonce=\"n1\""));
    EXPECT_EQ(asked, 2);
  });
}

TEST_P(HTTPClientEngines, Cookies) {
  HTTPClientOptions options;
  options.cookies = std::make_shared<CookieJar>();
  with_bench(
      [](Bench& bench) -> Task<> {
        bench.service.on("/set", [](HTTPExchange& exchange) -> Task<> {
          exchange.respond({.status = 302,
                            .fields = "Set-Cookie: a=1; Path=/\r\nSet-Cookie: b=2; Path=/\r\n"
                                      "Location: /echo\r\n"},
                           "");
          co_return;
        });
        EXPECT_THAT(
            co_await bench.body_of({.url = bench.at("/set"), .headers = {{"Cookie", "c=3"}}}),
            HasSubstr("Cookie: c=3; a=1; b=2\n"));
      },
      std::move(options));
}

TEST_P(HTTPClientEngines, Decompression) {
  HTTPClientOptions options;
  options.limits.max_body_size = 2'000'000;
  with_bench(
      [](Bench& bench) -> Task<> {
        const std::string plain = http_test::some_text(100'000);
        std::string sent;
        std::string coding;
        bench.service.on("/packed", [&](HTTPExchange& exchange) -> Task<> {
          const std::string fields = "Content-Encoding: " + coding + "\r\n";
          exchange.respond({.fields = fields}, sent);
          co_return;
        });
        const std::string url = bench.at("/packed");
        for (const char* each : {"gzip", "deflate", "br", "zstd"}) {
          coding = each;
          sent = http_test::packed(coding, plain);
          const HTTPClientResponse page = co_await bench.client.fetch(url);
          EXPECT_EQ(page.body, plain) << coding;
          EXPECT_EQ(page.headers.get("X-Consumed-Content-Encoding"), coding);
          EXPECT_FALSE(page.headers.contains("Content-Encoding"));
          EXPECT_EQ(co_await bench.body_of({.url = url, .decompress_response = false}), sent);
        }
        EXPECT_THAT(co_await bench.body_of({.url = bench.at("/echo")}),
                    HasSubstr("Accept-Encoding: gzip, deflate, br, zstd\n"));
        coding = "gzip";
        sent = http_test::packed(coding, "one ") + http_test::packed(coding, "and another");
        EXPECT_EQ(co_await bench.body_of({.url = url}), "one and another");
        sent = http_test::packed(coding, plain);
        sent.resize(sent.size() / 2);
        auto error = co_await failure_of<HTTPResponseError>(bench.client.fetch(url));
        EXPECT_EQ(error.kind(), HTTPResponseError::Kind::kMalformed);
        sent = "no gzip at all";
        error = co_await failure_of<HTTPResponseError>(bench.client.fetch(url));
        EXPECT_EQ(error.kind(), HTTPResponseError::Kind::kMalformed);
        sent = http_test::packed(coding, std::string(50'000'000, 'x'));
        error = co_await failure_of<HTTPResponseError>(bench.client.fetch(url));
        EXPECT_EQ(error.kind(), HTTPResponseError::Kind::kTooLarge);
      },
      std::move(options));
}

TEST_P(HTTPClientEngines, CallbacksForHeadAndBody) {
  with_bench([](Bench& bench) -> Task<> {
    std::string head;
    std::string body;
    int inside = 0;
    HTTPRequest request{.url = bench.at("/redirect?302+/big?300000")};
    request.header_callback = [&](std::string_view line) { head += line; };
    request.streaming_callback = [&](std::string piece) -> Task<> {
      EXPECT_EQ(++inside, 1);
      co_await moment();
      body += piece;
      --inside;
    };
    const HTTPClientResponse page = co_await bench.client.fetch(std::move(request));
    EXPECT_EQ(page.body, "");
    EXPECT_EQ(body, std::string(300'000, 'b'));
    EXPECT_TRUE(head.starts_with("HTTP/1.1 200 OK\r\n"));
    EXPECT_TRUE(head.ends_with("\r\n\r\n"));
    EXPECT_THAT(head, Not(HasSubstr("302")));
    HTTPRequest failing{.url = bench.at("/big?300000")};
    failing.streaming_callback = [](std::string) -> Task<> {
      co_await moment();
      throw std::runtime_error("enough");
    };
    const auto error =
        co_await failure_of<std::runtime_error>(bench.client.fetch(std::move(failing)));
    EXPECT_EQ(std::string(error.what()), "enough");
    EXPECT_EQ(bench.client.stats().busy, 0U);
  });
}

/// A body that is not read stays with the server.
TEST_P(HTTPClientEngines, BodiesPieceByPiece) {
  with_bench([](Bench& bench) -> Task<> {
    constexpr std::size_t kSize = 20'000'000;
    HTTPClientStream stream = co_await bench.client.open({.url = bench.at("/big?20000000")});
    EXPECT_EQ(stream.response().code, 200);
    EXPECT_EQ(bench.client.stats().busy, 1U);
    std::size_t size = (co_await stream.read_some(10)).size();
    EXPECT_GE(size, 1U);
    EXPECT_LE(size, 10U);
    for (std::string piece = co_await stream.read_some(); !piece.empty();
         piece = co_await stream.read_some()) {
      EXPECT_LE(piece.size(), 64U * 1024);
      size += piece.size();
    }
    EXPECT_EQ(size, kSize);
    EXPECT_EQ(bench.client.stats().busy, 0U);
    HTTPClientStream whole = co_await bench.client.open({.url = bench.at("/x")});
    EXPECT_EQ(co_await whole.read_all(), "GET /x");
    {
      HTTPClientStream none = co_await bench.client.open({.url = bench.at("/status?404")});
      EXPECT_EQ(none.response().code, 404);
      EXPECT_EQ(co_await none.read_all(), "sorry");
    }
    HTTPClientStream cut = co_await bench.client.open({.url = bench.at("/big?20000000")});
    cut.close();
    EXPECT_EQ(bench.client.stats().busy, 0U);
    bool closed = false;
    try {
      co_await cut.read_some();
    } catch (const HTTPStreamClosedError&) {
      closed = true;
    }
    EXPECT_TRUE(closed);
  });
}

TEST_P(HTTPClientEngines, WhatElseAResponseHas) {
  with_bench([](Bench& bench) -> Task<> {
    Peer peer(any_port(),
              answers("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
                      "HTTP/1.1 200 Fine by me\r\nTransfer-Encoding: chunked\r\nX-A: 1\r\nX-A: 2"
                      "\r\n\r\n5;x=y\r\nhello\r\n6\r\n there\r\n0\r\nDigest: abc\r\n\r\n"));
    const HTTPClientResponse page = co_await bench.client.fetch(url_of(peer));
    EXPECT_EQ(page.reason, "Fine by me");
    EXPECT_EQ(page.body, "hello there");
    EXPECT_EQ(page.headers.get_list("X-A").size(), 2U);
    EXPECT_FALSE(page.headers.contains("Link"));
    EXPECT_EQ(page.trailers.get("Digest"), "abc");
    co_await peer.close();
    Peer old(any_port(), answers("HTTP/1.0 200 OK\r\n\r\nuntil the end"));
    EXPECT_EQ(co_await bench.body_of({.url = url_of(old)}), "until the end");
    co_await old.close();
    std::string asked;
    Peer unchanged(any_port(), [&](IOStream& stream) -> Task<> {
      asked = co_await stream.read_until("\r\n\r\n");
      co_await stream.write("HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n");
      co_await stream.shutdown();
    });
    const auto error = co_await failure_of<HTTPClientError>(
        bench.client.fetch(url_of(unchanged), {.if_modified_since = 0}));
    EXPECT_EQ(error.code(), 304);
    EXPECT_THAT(asked, HasSubstr("If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT\r\n"));
    co_await unchanged.close();
  });
}

/// Answers the requests of each connection in turn, all with the same; then it goes on reading.
Peer::Script always_answers(std::string text) {
  return [text](IOStream& stream) -> Task<> {
    for (;;) {
      co_await stream.read_until("\r\n\r\n");
      co_await stream.write(text);
    }
  };
}

TEST_P(HTTPClientEngines, SomeResponsesHaveNoBody) {
  with_bench([](Bench& bench) -> Task<> {
    Peer head(any_port(), always_answers("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"));
    for (int i = 0; i < 2; ++i) {
      const HTTPClientResponse page = co_await bench.client.fetch(url_of(head), {.method = "HEAD"});
      EXPECT_EQ(page.body, "");
      EXPECT_EQ(page.headers.get("Content-Length"), "1000");
    }
    EXPECT_EQ(head.accepted, 1);
    co_await head.close();
    // A body where there is none is no beginning of the next response.
    Peer none(any_port(), always_answers("HTTP/1.1 204 No Content\r\nContent-Length: 38\r\n\r\n"
                                         "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
    for (int i = 0; i < 2; ++i) {
      const HTTPClientResponse page = co_await bench.client.fetch(url_of(none));
      EXPECT_EQ(page.code, 204);
      EXPECT_EQ(page.body, "");
    }
    bench.client.close();
    co_await none.close();
  });
}

TEST_P(HTTPClientEngines, AServerThatSaysCloseIsLeft) {
  with_bench([](Bench& bench) -> Task<> {
    Peer peer(any_port(), always_answers("HTTP/1.1 200 OK\r\nConnection: close\r\n"
                                         "Content-Length: 2\r\n\r\nok"));
    EXPECT_EQ(co_await bench.body_of({.url = url_of(peer)}), "ok");
    EXPECT_EQ(co_await bench.body_of({.url = url_of(peer)}), "ok");
    EXPECT_EQ(peer.accepted, 2);
    EXPECT_EQ(bench.client.stats().reuses, 0U);
    co_await peer.close();
  });
}

TEST_P(HTTPClientEngines, FoldedFieldsAreOne) {
  with_bench([](Bench& bench) -> Task<> {
    Peer peer(any_port(), answers("HTTP/1.1 200 OK\r\nX-A: one\r\n  two\r\n\tX-B: three\r\n"
                                  "Content-Length: 2\r\n\r\nok"));
    const HTTPClientResponse page = co_await bench.client.fetch(url_of(peer));
    EXPECT_EQ(page.headers.get("X-A"), "one two X-B: three");
    EXPECT_FALSE(page.headers.contains("X-B"));
    EXPECT_EQ(page.body, "ok");
    co_await peer.close();
  });
}

/// A server that refuses a body reads the rest of it, or closes, so that sending on fails.
TEST_P(HTTPClientEngines, AnAnswerBeforeAllWasSent) {
  with_bench([](Bench& bench) -> Task<> {
    bool reads = true;
    Peer peer(any_port(), [&](IOStream& stream) -> Task<> {
      co_await stream.read_until("\r\n\r\n");
      co_await stream.write(
          "HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 4\r\n\r\nmuch");
      if (reads) co_await stream.read_until_close();
    });
    for (int i = 0; i < 10; ++i) {
      reads = i % 2 == 0;
      const auto error = co_await failure_of<HTTPClientError>(bench.client.fetch(
          url_of(peer), {.method = "PUT", .body = std::string(10'000'000, 'x')}));
      EXPECT_EQ(error.code(), 413) << error.what();
      EXPECT_EQ(bench.client.stats().busy, 0U);
      if (error.response() != nullptr) EXPECT_EQ(error.response()->body, "much");
    }
    co_await peer.close();
  });
}

TEST_P(HTTPClientEngines, AskingBeforeTheBodyIsSent) {
  with_bench([](Bench& bench) -> Task<> {
    std::string body;
    Peer peer(any_port(), [&](IOStream& stream) -> Task<> {
      EXPECT_THAT(co_await stream.read_until("\r\n\r\n"), HasSubstr("Expect: 100-continue\r\n"));
      co_await stream.write("HTTP/1.1 100 Continue\r\n\r\n");
      body = co_await stream.read_bytes(5);
      co_await stream.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      co_await stream.shutdown();
    });
    EXPECT_EQ(
        co_await bench.body_of(
            {.url = url_of(peer), .method = "PUT", .body = "hello", .expect_100_continue = true}),
        "ok");
    EXPECT_EQ(body, "hello");
    co_await peer.close();
  });
}

TEST_P(HTTPClientEngines, AServerThatKnowsNoExpectation) {
  with_bench([](Bench& bench) -> Task<> {
    std::vector<std::string> asked;
    bool stubborn = false;
    Peer peer(any_port(), [&](IOStream& stream) -> Task<> {
      for (;;) {
        asked.push_back(co_await stream.read_until("\r\n\r\n"));
        if (stubborn || asked.back().find("Expect:") != std::string::npos) {
          co_await stream.write(
              "HTTP/1.1 417 Expectation Failed\r\nContent-Length: 7\r\n\r\nno idea");
          continue;
        }
        asked.back() = co_await stream.read_bytes(5);
        co_await stream.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      }
    });
    const auto request = [&](std::string method) {
      return HTTPRequest{.url = url_of(peer),
                         .method = std::move(method),
                         .body = "hello",
                         .expect_100_continue = true};
    };
    for (const char* method : {"PUT", "POST"}) {
      asked.clear();
      EXPECT_EQ(co_await bench.body_of(request(method)), "ok");
      EXPECT_EQ(asked.size(), 2U);
      EXPECT_EQ(asked.back(), "hello");
    }
    asked.clear();
    stubborn = true;
    const auto error = co_await failure_of<HTTPClientError>(bench.client.fetch(request("PUT")));
    EXPECT_EQ(error.code(), 417);
    EXPECT_EQ(error.response()->body, "no idea");
    EXPECT_EQ(bench.client.stats().busy, 0U);
    bench.client.close();
    co_await peer.close();
  });
}

TEST_P(HTTPClientEngines, TheClientGoesFirst) {
  run_async(
      [engine = GetParam()]() -> Task<> {
        LambdaService service;
        add_usual_endpoints(service);
        HTTPServer server(*IOLoop::current(), service);
        server.listen(0, {.address = "127.0.0.1"});
        auto client = std::make_unique<HTTPClient>(HTTPClientOptions{.engine = engine});
        const std::string url = "http://127.0.0.1:" + std::to_string(server.port()) + "/x";
        service.on("/x", [&](HTTPExchange& exchange) -> Task<> {
          client.reset();  // its fetch waits for this answer
          respond_text(exchange, "alone");
          co_return;
        });
        EXPECT_EQ((co_await client->fetch(url)).body, "alone");
        co_await server.close();
      },
      {.reactor = ReactorKind::kEpoll});
}

/// A client that outlives its loop.
TEST_P(HTTPClientEngines, TheLoopGoesFirst) {
  LambdaService service;
  add_usual_endpoints(service);
  std::optional<HTTPClient> client;
  run_async(
      [&]() -> Task<> {
        HTTPServer server(*IOLoop::current(), service);
        server.listen(0, {.address = "127.0.0.1"});
        client.emplace(HTTPClientOptions{.engine = GetParam()});
        const std::string url = "http://127.0.0.1:" + std::to_string(server.port()) + "/x";
        EXPECT_EQ((co_await client->fetch(url)).body, "GET /x");
        co_await server.close();
      },
      {.reactor = ReactorKind::kEpoll});
  client.reset();
}

}  // namespace
}  // namespace coronado
