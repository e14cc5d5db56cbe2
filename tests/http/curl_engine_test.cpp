// Both engines of HTTPClient give the same answers, over the system's sockets: one case for each thing
// that a client does. What only ours has, and each detail of it, is in the httpclient tests.
#include "http/curl_engine.hpp"

#include <coronado/coro/locks.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/http/cookie_jar.hpp>
#include <coronado/net/resolver.hpp>
#include <coronado/net/tls.hpp>
#include <coronado/net/tls_context.hpp>
#include <coronado/testing/temp_folder.hpp>
#include <coronado/testing/test_certificates.hpp>

#include <ctime>

#include "tests/http/coded_body.hpp"
#include "tests/http/proxy_peers.hpp"

namespace coronado {
namespace {

using namespace client_test;

/// Every name but "nowhere" is this machine.
class Names final : public Resolver {
 public:
  Task<Resolution> resolve(ResolveRequest request) override {
    ++asked;
    if (request.host == "nowhere") {
      throw ResolveError("nowhere", ResolveError::Reason::kNoSuchName);
    }
    co_return Resolution{{*SocketAddress::from_ip("127.0.0.1", request.port)}, std::nullopt};
  }
  int asked = 0;
};

SocketAddress any_port() { return *SocketAddress::from_ip("127.0.0.1", 0); }

/// A server with the usual endpoints, and a client with the engine of the test.
struct Bench {
  Bench(HTTPClientEngine engine, HTTPClientOptions options, HTTPServerOptions server_options)
      : server(*IOLoop::current(), service, std::move(server_options)),
        client(prepared(engine, std::move(options))) {
    add_usual_endpoints(service);
    server.listen(0, {.address = "127.0.0.1"});
  }
  HTTPClientOptions prepared(HTTPClientEngine engine, HTTPClientOptions options) {
    options.engine = engine;
    options.resolver = names;
    return options;
  }
  std::string at(std::string_view path, const char* scheme = "http") const {
    return std::string(scheme) + "://server:" + std::to_string(server.port()) + std::string(path);
  }
  Task<std::string> body_of(HTTPRequest request) {
    HTTPClientResponse response = co_await client.fetch(std::move(request));
    co_return response.body;
  }

  std::shared_ptr<Names> names = std::make_shared<Names>();
  LambdaService service;
  HTTPServer server;
  HTTPClient client;
};

std::string url_of(const Peer& peer, std::string_view path = "/") {
  return "http://peer:" + std::to_string(peer.address().port) + std::string(path);
}

class HTTPClientEngines : public testing::TestWithParam<HTTPClientEngine> {
 protected:
  void SetUp() override {
    if (!HTTPClient::has_engine(GetParam())) GTEST_SKIP() << "this build has no libcurl";
  }
  void with_bench(std::function<Task<>(Bench&)> body, HTTPClientOptions options = {},
                  HTTPServerOptions server_options = {}) {
    run_async(
        [&]() -> Task<> {
          Bench bench(GetParam(), std::move(options), std::move(server_options));
          co_await body(bench);
          bench.client.close();
          co_await bench.server.close();
        },
        {.reactor = ReactorKind::kEpoll, .time_limit = 60s});
  }
};

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
    EXPECT_EQ(error->code(), 404);
    EXPECT_EQ(error->response()->body, "sorry");
    EXPECT_EQ(std::string(error->what()),
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
    EXPECT_EQ(error->code(), 302);
    // It leads to itself.
    bench.service.on("/loop", [](HTTPExchange& exchange) -> Task<> {
      exchange.respond({.status = 302, .fields = "Location: /loop\r\n"}, "");
      co_return;
    });
    error = co_await failure_of<HTTPClientError>(
        bench.client.fetch(bench.at("/loop"), {.max_redirects = 3}));
    EXPECT_THAT(error->what(), HasSubstr("HTTP 302: Found (after 3 redirects)"));
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
        sent = http_test::packed(coding, plain);
        sent.resize(sent.size() / 2);
        auto error = co_await failure_of<HTTPResponseError>(bench.client.fetch(url));
        EXPECT_EQ(error->kind(), HTTPResponseError::Kind::kMalformed);
        sent = "no gzip at all";
        error = co_await failure_of<HTTPResponseError>(bench.client.fetch(url));
        EXPECT_EQ(error->kind(), HTTPResponseError::Kind::kMalformed);
        sent = http_test::packed(coding, std::string(50'000'000, 'x'));
        error = co_await failure_of<HTTPResponseError>(bench.client.fetch(url));
        EXPECT_EQ(error->kind(), HTTPResponseError::Kind::kTooLarge);
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
    EXPECT_EQ(std::string(error->what()), "enough");
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

TEST_P(HTTPClientEngines, NoConnection) {
  with_bench([](Bench& bench) -> Task<> {
    std::string gone;
    {
      Peer peer(any_port(), [](IOStream&) -> Task<> { co_return; });
      gone = url_of(peer);
      co_await peer.close();
    }
    auto error = co_await failure_of<HTTPConnectError>(bench.client.fetch(gone));
    EXPECT_EQ(error->code(), 599);
    EXPECT_EQ(error->connect_error().phase(), ConnectError::Phase::kConnect);
    EXPECT_THAT(error->what(), HasSubstr("GET " + gone + ": cannot connect to peer:"));
    error = co_await failure_of<HTTPConnectError>(bench.client.fetch("http://nowhere/"));
    EXPECT_EQ(error->connect_error().phase(), ConnectError::Phase::kResolve);
    EXPECT_EQ(error->connect_error().resolve_reason(), ResolveError::Reason::kNoSuchName);
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
          co_await failure_of<HTTPStreamClosedError>(bench.client.fetch(url_of(peer)));
          co_await peer.close();
        };
        const auto refused = [&](std::string text, HTTPResponseError::Kind kind) -> Task<> {
          SCOPED_TRACE(text.substr(0, 100));
          Peer peer(any_port(), answers(text));
          const auto error =
              co_await failure_of<HTTPResponseError>(bench.client.fetch(url_of(peer)));
          if (error) EXPECT_EQ(error->kind(), kind);
          co_await peer.close();
        };
        using Kind = HTTPResponseError::Kind;
        co_await closed("");
        co_await closed("HTTP/1.1 200 OK\r\nContent-Le");
        co_await closed("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
        co_await closed("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
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
        std::string many = "HTTP/1.1 200 OK\r\n";
        for (int i = 0; i < 101; ++i) many += "X: y\r\n";
        co_await refused(many + "\r\n", Kind::kTooLarge);
        EXPECT_EQ(bench.client.stats().busy, 0U);
      },
      std::move(options));
}

TEST_P(HTTPClientEngines, OutOfTime) {
  with_bench([](Bench& bench) -> Task<> {
    Peer mute(any_port(), [](IOStream& stream) -> Task<> { co_await stream.read_until_close(); });
    auto error = co_await failure_of<HTTPTimeoutError>(
        bench.client.fetch(url_of(mute), {.request_timeout = 50ms}));
    EXPECT_EQ(error->phase(), HTTPPhase::kWait);
    EXPECT_EQ(error->code(), 599);
    EXPECT_THAT(error->what(), HasSubstr("timed out after 50 ms while waiting for the response"));
    error = co_await failure_of<HTTPTimeoutError>(
        bench.client.fetch("https" + url_of(mute).substr(4), {.connect_timeout = 50ms}));
    EXPECT_EQ(error->phase(), HTTPPhase::kConnect);
    Peer slow(any_port(), [](IOStream& stream) -> Task<> {
      co_await stream.read_until("\r\n\r\n");
      co_await stream.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
      co_await stream.read_until_close();
    });
    error = co_await failure_of<HTTPTimeoutError>(
        bench.client.fetch(url_of(slow), {.request_timeout = 50ms}));
    EXPECT_EQ(error->phase(), HTTPPhase::kReceive);
    EXPECT_EQ(bench.client.stats().busy, 0U);
    co_await mute.close();
    co_await slow.close();
  });
}

TEST_P(HTTPClientEngines, CancellingClosesTheConnection) {
  with_bench([](Bench& bench) -> Task<> {
    Event ended;
    Peer mute(any_port(), [&](IOStream& stream) -> Task<> {
      co_await stream.read_until_close();
      ended.set();
    });
    bool timed_out = false;
    try {
      co_await with_timeout(20ms, bench.client.fetch(url_of(mute)));
    } catch (const TimeoutError&) {
      timed_out = true;
    }
    EXPECT_TRUE(timed_out);
    co_await ended.wait();
    EXPECT_EQ(bench.client.stats().busy, 0U);
    co_await mute.close();
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

HTTPServerOptions secure_server(const TestAuthority& authority) {
  const TestCertificate made = authority.issue({.dns_names = {"server", "far.example"}});
  HTTPServerOptions options;
  options.tls = TLSContext::server(
      {.identities = {{.certificate_pem = made.certificate_pem, .key_pem = made.key_pem}},
       .client_certificates = TLSClientCertificates::kOptional,
       .trust = {.ca_pem = authority.certificate_pem()}});
  return options;
}

TEST_P(HTTPClientEngines, TLS) {
  const TestAuthority authority("Test CA");
  with_bench(
      [&](Bench& bench) -> Task<> {
        bench.service.on("/who", [](HTTPExchange& exchange) -> Task<> {
          const auto peer = exchange.request().tls()->peer_certificate();
          respond_text(exchange, peer ? peer->common_name : "anybody");
          co_return;
        });
        const TempFolder folder;
        const std::string ca = folder.write("ca.pem", authority.certificate_pem());
        const TestCertificate ada = authority.issue({.common_name = "Ada"});
        const std::string certificate = folder.write("cert.pem", ada.certificate_pem);
        const std::string key = folder.write("key.pem", ada.key_pem);
        const std::string url = bench.at("/who", "https");
        const HTTPClientResponse page = co_await bench.client.fetch(url, {.ca_certs = ca});
        EXPECT_EQ(page.body, "anybody");
        EXPECT_GT(page.time_info.appconnect, Duration::zero());
        EXPECT_EQ(co_await bench.body_of(
                      {.url = url, .ca_certs = ca, .client_cert = certificate, .client_key = key}),
                  "Ada");
        EXPECT_EQ(co_await bench.body_of({.url = url, .validate_cert = false}), "anybody");
        auto error = co_await failure_of<HTTPConnectError>(bench.client.fetch(url));
        EXPECT_EQ(error->connect_error().phase(), ConnectError::Phase::kUpgrade);
        std::string other = url;
        other.replace(8, 6, "another");
        error = co_await failure_of<HTTPConnectError>(bench.client.fetch(other, {.ca_certs = ca}));
        EXPECT_EQ(error->connect_error().phase(), ConnectError::Phase::kUpgrade);
        co_await failure_of<TLSFileError>(bench.client.fetch(url, {.ca_certs = "/nowhere.pem"}));
        EXPECT_EQ(bench.client.stats().busy, 0U);
      },
      {}, secure_server(authority));
}

TEST_P(HTTPClientEngines, Proxies) {
  HTTPClientOptions options;
  with_bench([&](Bench& bench) -> Task<> {
    std::string asked;
    Peer whole(any_port(), [&](IOStream& stream) -> Task<> {
      asked = co_await stream.read_until("\r\n\r\n");
      co_await stream.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      co_await stream.shutdown();
    });
    HTTPRequest request{.url = "http://far.example:81/a?b", .proxy_host = "proxy"};
    request.proxy_port = whole.address().port;
    request.proxy_username = "ada";
    request.proxy_password = "pw";
    EXPECT_EQ(co_await bench.body_of(std::move(request)), "ok");
    EXPECT_THAT(asked, HasSubstr("GET http://far.example:81/a?b HTTP/1.1\r\n"));
    EXPECT_THAT(asked, HasSubstr("Proxy-Authorization: Basic YWRhOnB3\r\n"));
    co_await whole.close();

    const SocketAddress server = *SocketAddress::from_ip("127.0.0.1", bench.server.port());
    Peer relay(any_port(), socks(asked, server, true));
    const std::string way = "@proxy:" + std::to_string(relay.address().port);
    EXPECT_EQ(co_await bench.body_of(
                  {.url = "http://far.example/x", .proxy_host = "socks5://ada:pw" + way}),
              "GET /x");
    EXPECT_EQ(asked, std::string("far.example\x00\x50", 13));
    auto error = co_await failure_of<HTTPConnectError>(
        bench.client.fetch("http://far.example/", {.proxy_host = "socks5://ada:xx" + way}));
    EXPECT_EQ(error->connect_error().phase(), ConnectError::Phase::kUpgrade);
    co_await relay.close();
  });
}

TEST_P(HTTPClientEngines, TunnelsForTLS) {
  const TestAuthority authority("Test CA");
  with_bench(
      [&](Bench& bench) -> Task<> {
        const TempFolder folder;
        const std::string ca = folder.write("ca.pem", authority.certificate_pem());
        std::string asked;
        const SocketAddress server = *SocketAddress::from_ip("127.0.0.1", bench.server.port());
        Peer proxy(any_port(), tunnel(asked, server));
        const std::string way = "http://ada:pw@proxy:" + std::to_string(proxy.address().port);
        EXPECT_EQ(co_await bench.body_of(
                      {.url = "https://far.example/x", .ca_certs = ca, .proxy_host = way}),
                  "GET /x");
        EXPECT_THAT(asked, HasSubstr("CONNECT far.example:443 HTTP/1.1\r\n"));
        EXPECT_THAT(asked, HasSubstr("Proxy-Authorization: Basic YWRhOnB3\r\n"));
        EXPECT_THAT(asked, Not(HasSubstr("Accept-Encoding")));
        Peer refuses(any_port(), answers("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"));
        const std::string no = "http://proxy:" + std::to_string(refuses.address().port);
        const auto error = co_await failure_of<HTTPConnectError>(
            bench.client.fetch("https://far.example/x", {.proxy_host = no}));
        EXPECT_EQ(error->connect_error().phase(), ConnectError::Phase::kUpgrade);
        EXPECT_THAT(error->what(), HasSubstr("407"));
        co_await refuses.close();
        bench.client.close();
        co_await proxy.close();
      },
      {}, secure_server(authority));
}

TEST_P(HTTPClientEngines, OtherWays) {
  with_bench([](Bench& bench) -> Task<> {
    const TempFolder folder;
    const std::string path = folder.at("socket");
    bench.server.listen_unix(path);
    EXPECT_EQ(co_await bench.body_of({.url = "http://whatever/x", .unix_socket = path}), "GET /x");
    EXPECT_EQ(co_await bench.body_of({.url = bench.at("/x"), .network_interface = "127.0.0.1"}),
              "GET /x");
    EXPECT_EQ(co_await bench.body_of({.url = bench.at("/x"), .allow_ipv6 = false}), "GET /x");
    EXPECT_GT(bench.names->asked, 0);
    EXPECT_EQ(co_await bench.body_of(
                  {.url = "http://127.0.0.1:" + std::to_string(bench.server.port()) + "/x"}),
              "GET /x");
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
    EXPECT_EQ(error->code(), 304);
    EXPECT_THAT(asked, HasSubstr("If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT\r\n"));
    co_await unchanged.close();
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

// --- libcurl alone -------------------------------------------------------------------------------

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
