// Fetching: requests, responses, connections that are kept, places.
#include <coronado/http/httpclient.hpp>

#include <coronado/http/cookie_jar.hpp>
#include <coronado/net/netutil.hpp>
#include <coronado/testing/temp_folder.hpp>

#include <stdexcept>

#include "tests/http/client_fixture.hpp"

namespace coronado {
namespace {

using namespace client_test;

TEST(HTTPClient, FetchesAPage) {
  with_fixture([](Fixture& fix) -> Task<> {
    const HTTPClientResponse page = co_await fix.client.fetch("http://server/a?b=c#d");
    EXPECT_EQ(page.code, 200);
    EXPECT_EQ(page.reason, "OK");
    EXPECT_EQ(page.body, "GET /a?b=c");
    EXPECT_EQ(page.headers.find("Content-Type"), "text/plain");
    EXPECT_EQ(page.effective_url, "http://server/a?b=c#d");
    EXPECT_TRUE(page.ok());
    page.rethrow();
    EXPECT_EQ(fix.client.stats().busy, 0U);
    EXPECT_EQ(fix.client.stats().idle, 1U);
  });
}

TEST(HTTPClient, SendsWhatIsAsked) {
  with_fixture([](Fixture& fix) -> Task<> {
    EXPECT_EQ(
        co_await fix.body_of({.url = "http://server/echo"}),
        "GET\nHost: server\nUser-Agent: Coronado\nAccept-Encoding: gzip, deflate, br, zstd\n\n");
    HTTPRequest request{.url = "http://server:80/echo",
                        .method = "PUT",
                        .headers = {{"X-A", "1"}, {"Host", "other"}, {"user-agent", "me"}},
                        .body = "hello",
                        .decompress_response = false,
                        .if_modified_since = 0};
    EXPECT_EQ(co_await fix.body_of(std::move(request)),
              "PUT\nHost: other\nX-A: 1\nuser-agent: me\n"
              "If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT\nContent-Length: 5\n\nhello");
    EXPECT_EQ(co_await fix.body_of({.url = "http://server/echo",
                                    .method = "POST",
                                    .body = "",
                                    .decompress_response = false,
                                    .user_agent = "x"}),
              "POST\nHost: server\nUser-Agent: x\nContent-Length: 0\n"
              "Content-Type: application/x-www-form-urlencoded\n\n");
    EXPECT_EQ(co_await fix.body_of({.url = "http://server/", .method = "DELETE"}), "DELETE /");
    EXPECT_EQ(co_await fix.body_of({.url = "http://server/x", .method = "HEAD"}), "");
    EXPECT_EQ(co_await fix.body_of({.url = "http://server/",
                                    .method = "PURGE",
                                    .body = "b",
                                    .allow_nonstandard_methods = true}),
              "PURGE /");
    EXPECT_EQ(fix.door->accepted, 1);
  });
}

TEST(HTTPClient, RequestsThatCannotBeSentAreRefused) {
  with_fixture([](Fixture& fix) -> Task<> {
    const auto why = [&](HTTPRequest request) -> Task<std::string> {
      if (request.url.empty()) request.url = "http://server/";
      const auto error =
          co_await failure_of<std::invalid_argument>(fix.client.fetch(std::move(request)));
      co_return error.what();
    };
    EXPECT_THAT(co_await why({.url = "server"}), HasSubstr("invalid URL \"server\""));
    EXPECT_THAT(co_await why({.method = "GE T"}), HasSubstr("invalid method \"GE T\""));
    EXPECT_THAT(co_await why({.method = "CONNECT", .allow_nonstandard_methods = true}),
                HasSubstr("invalid method"));
    EXPECT_THAT(co_await why({.method = "BREW"}), HasSubstr("unknown method BREW"));
    EXPECT_THAT(co_await why({.method = "POST"}), HasSubstr("POST must have a body"));
    EXPECT_THAT(co_await why({.body = "x"}), HasSubstr("GET must not have a body"));
    EXPECT_THAT(co_await why({.headers = {{"Content-Length", "4"}}}),
                HasSubstr("Content-Length without a body"));
    EXPECT_THAT(co_await why({.method = "PUT", .headers = {{"Content-Length", "4"}}, .body = "x"}),
                HasSubstr("Content-Length is not the size of the body"));
    EXPECT_THAT(co_await why({.method = "PUT", .headers = {{"Content-Length", "x"}}, .body = "x"}),
                HasSubstr("invalid Content-Length"));
    EXPECT_THAT(co_await why({.headers = {{"Transfer-Encoding", "chunked"}}}),
                HasSubstr("Transfer-Encoding is the client's business"));
    EXPECT_THAT(co_await why({.user_agent = "a\r\nb"}), HasSubstr("invalid user_agent"));
    EXPECT_THAT(co_await why({.bearer_token = "a\nb"}), HasSubstr("invalid bearer_token"));
    EXPECT_THAT(co_await why({.auth_username = "a:b"}), HasSubstr("must not contain ':'"));
    EXPECT_THAT(co_await why({.request_timeout = -1s}), HasSubstr("must not be negative"));
    EXPECT_THAT(co_await why({.proxy_host = "gopher://x"}), HasSubstr("unsupported scheme"));
    EXPECT_EQ(fix.door->accepted, 0);
  });
}

TEST(HTTPClient, StatusesOtherThanSuccessAreThrownOrReturned) {
  with_fixture([](Fixture& fix) -> Task<> {
    const auto error =
        co_await failure_of<HTTPClientError>(fix.client.fetch("http://server/status?404"));
    EXPECT_STREQ(error.what(), "GET http://server/status?404: HTTP 404: Not Found");
    EXPECT_EQ(error.code(), 404);
    EXPECT_EQ(error.url(), "http://server/status?404");
    EXPECT_EQ(error.response()->body, "sorry");
    const HTTPClientResponse response =
        co_await fix.client.fetch("http://server/status?503", {.raise_error = false});
    EXPECT_EQ(response.code, 503);
    EXPECT_THROW(response.rethrow(), HTTPClientError);
    EXPECT_EQ(fix.door->accepted, 1);  // errors do not cost the connection
  });
}

TEST(HTTPClient, ConnectionsAreKeptAndGrowOld) {
  HTTPClientOptions options;
  options.idle_timeout = 10s;
  with_fixture(
      [](Fixture& fix) -> Task<> {
        const HTTPClientResponse first = co_await fix.client.fetch("http://server/1");
        EXPECT_FALSE(first.time_info.reused);
        co_await sleep(9s);
        const HTTPClientResponse second = co_await fix.client.fetch("http://server/2");
        EXPECT_TRUE(second.time_info.reused);
        EXPECT_EQ(fix.client.stats().reuses, 1U);
        co_await sleep(9s);
        EXPECT_EQ(fix.client.stats().idle, 1U);
        co_await sleep(2s);
        EXPECT_EQ(fix.client.stats().idle, 0U);
        EXPECT_EQ(fix.network.open_transports(), 0U);
        co_await fix.client.fetch("http://server/3");
        EXPECT_EQ(fix.door->accepted, 2);
      },
      std::move(options));
}

TEST(HTTPClient, NoConnectionIsKeptWithoutIdleTime) {
  HTTPClientOptions options;
  options.idle_timeout = 0s;
  with_fixture(
      [](Fixture& fix) -> Task<> {
        co_await fix.client.fetch("http://server/1");
        EXPECT_EQ(fix.client.stats().idle, 0U);
      },
      std::move(options));
}

TEST(HTTPClient, TheOldestIdleConnectionGoesFirst) {
  HTTPClientOptions options;
  options.max_idle = 2;
  with_fixture(
      [](Fixture& fix) -> Task<> {
        std::vector<Task<HTTPClientResponse>> three;
        for (int i = 0; i < 3; ++i) three.push_back(fix.client.fetch("http://server/slow?1"));
        co_await multi(std::move(three));
        EXPECT_EQ(fix.client.stats().connects, 3U);
        EXPECT_EQ(fix.client.stats().idle, 2U);
      },
      std::move(options));
}

TEST(HTTPClient, ConnectionsAreNotSharedAcrossSettings) {
  with_fixture([](Fixture& fix) -> Task<> {
    co_await fix.client.fetch("http://server/");
    co_await fix.client.fetch("http://server/", {.allow_ipv6 = false});
    co_await fix.client.fetch("http://server/", {.network_interface = "10.0.0.1"});
    co_await fix.client.fetch("http://10.0.0.80/");
    EXPECT_EQ(fix.door->accepted, 4);
    co_await fix.client.fetch("http://SERVER:80/");
    EXPECT_EQ(fix.door->accepted, 4);
  });
}

TEST(HTTPClient, ServersThatCloseAreNotKept) {
  with_fixture([](Fixture& fix) -> Task<> {
    co_await fix.client.fetch("http://server/", {.headers = {{"Connection", "close"}}});
    EXPECT_EQ(fix.client.stats().idle, 0U);
    Peer old(fix.host.address(81), answers("HTTP/1.0 200 OK\r\n\r\nall of it"));
    EXPECT_EQ(co_await fix.body_of({.url = "http://server:81/"}), "all of it");
    EXPECT_EQ(fix.client.stats().idle, 0U);
    co_await old.close();
    // A body that is followed by something is complete, but nobody knows what that is.
    Peer chatty(fix.host.address(82), [](IOStream& stream) -> Task<> {
      co_await stream.read_until("\r\n\r\n");
      co_await stream.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n");
      co_await stream.read_until_close();
    });
    EXPECT_EQ(co_await fix.body_of({.url = "http://server:82/"}), "ok");
    EXPECT_EQ(fix.client.stats().idle, 0U);
    co_await chatty.close();
  });
}

TEST(HTTPClient, IdleConnectionsThatEndOrSpeakAreDropped) {
  with_fixture([](Fixture& fix) -> Task<> {
    for (const bool speaks : {false, true}) {
      Peer peer(fix.host.address(81), [speaks](IOStream& stream) -> Task<> {
        co_await stream.read_until("\r\n\r\n");
        co_await stream.write("HTTP/1.1 204 No Content\r\n\r\n");
        co_await sleep(1s);
        if (speaks) co_await stream.write("HTTP/1.1 408 Request Timeout\r\n\r\n");
        if (speaks) co_await stream.read_until_close();
      });
      co_await fix.client.fetch("http://server:81/");
      EXPECT_EQ(fix.client.stats().idle, 1U);
      co_await sleep(2s);
      EXPECT_EQ(fix.client.stats().idle, 0U);
      co_await peer.close();
    }
  });
}

/// Answers once on each connection; a second request finds it closed, while it is on its way.
Peer::Script answers_once() {
  return [](IOStream& stream) -> Task<> {
    co_await stream.read_until("\r\n\r\n");
    co_await stream.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    co_await stream.read_until("\r\n\r\n");
  };
}

TEST(HTTPClient, IdempotentRequestsAreSentAgainWhenAKeptConnectionDies) {
  with_fixture([](Fixture& fix) -> Task<> {
    Peer peer(fix.host.address(81), answers_once());
    EXPECT_EQ(co_await fix.body_of({.url = "http://server:81/"}), "ok");
    EXPECT_EQ(co_await fix.body_of({.url = "http://server:81/"}), "ok");
    EXPECT_EQ(peer.accepted, 2);
    EXPECT_EQ(fix.client.stats().retries, 1U);
    EXPECT_EQ(co_await fix.body_of({.url = "http://server:81/", .method = "PUT", .body = "x"}),
              "ok");
    EXPECT_EQ(fix.client.stats().retries, 2U);
    const auto error = co_await failure_of<HTTPStreamClosedError>(
        fix.client.fetch("http://server:81/", {.method = "POST", .body = "x"}));
    EXPECT_THAT(error.what(),
                HasSubstr("POST http://server:81/: the server closed the connection while waiting "
                          "for the response from 10.0.0.80:81"));
    EXPECT_EQ(fix.client.stats().retries, 2U);
    // But when the request itself says that it does no harm.
    EXPECT_EQ(co_await fix.body_of({.url = "http://server:81/"}), "ok");
    EXPECT_EQ(co_await fix.body_of({.url = "http://server:81/",
                                    .method = "POST",
                                    .headers = {{"Idempotency-Key", "\"8e03978e\""}},
                                    .body = "x"}),
              "ok");
    EXPECT_EQ(fix.client.stats().retries, 3U);
    co_await peer.close();
  });
}

TEST(HTTPClient, HasDefaultsForRequests) {
  with_fixture([](Fixture& fix) -> Task<> {
    HTTPClientOptions options;
    options.resolver = fix.network.names();
    int made = 0;
    HTTPClient client(std::move(options), [&made](HTTPRequest& request) {
      ++made;
      request.user_agent = "Mine/1";
      request.headers.set("X-Team", "blue");
      request.request_timeout = 3s;
      request.raise_error = false;
    });
    const HTTPClientResponse plain = co_await client.fetch("http://server/echo");
    EXPECT_THAT(plain.body, HasSubstr("User-Agent: Mine/1\n"));
    EXPECT_THAT(plain.body, HasSubstr("X-Team: blue\n"));
    EXPECT_EQ(plain.effective_url, "http://server/echo");
    EXPECT_EQ((co_await client.fetch("http://server/status?404")).code, 404);
    HTTPRequest request = client.request("http://server/echo");
    request.method = "POST";
    request.body = "b";
    request.user_agent = "Other/2";
    const std::string text = (co_await client.fetch(std::move(request))).body;
    EXPECT_THAT(text, HasSubstr("POST\n"));
    EXPECT_THAT(text, HasSubstr("User-Agent: Other/2\n"));
    EXPECT_THAT(text, HasSubstr("X-Team: blue\n"));
    EXPECT_EQ(made, 3);
    const auto late = co_await failure_of<HTTPTimeoutError>(client.fetch("http://server/slow?60"));
    EXPECT_THAT(late.what(), HasSubstr("timed out after 3 s"));
    HTTPClientStream stream = co_await client.open(client.request("http://server/echo"));
    EXPECT_THAT(co_await stream.read_all(), HasSubstr("X-Team: blue\n"));
    // A request that is made without the client is sent as it is.
    const HTTPClientResponse own = co_await client.fetch({.url = "http://server/echo"});
    EXPECT_THAT(own.body, HasSubstr("User-Agent: Coronado\n"));
    EXPECT_THAT(own.body, Not(HasSubstr("X-Team")));
    EXPECT_EQ(fix.client.request("http://server/").user_agent, "");
  });
}

TEST(HTTPClient, WhatDefaultsThrowComesThrough) {
  with_fixture([](Fixture& fix) -> Task<> {
    HTTPClient client({}, [](HTTPRequest&) { throw std::out_of_range("no such setting"); });
    EXPECT_THROW((void)client.fetch("http://server/"), std::out_of_range);
    EXPECT_THROW((void)client.request("http://server/"), std::out_of_range);
    EXPECT_EQ(client.stats().busy, 0U);
    EXPECT_EQ(fix.door->accepted, 0);
    co_return;
  });
}

TEST(HTTPClient, PlacesAreGivenInTheOrderOfArrival) {
  HTTPClientOptions options;
  options.max_clients = 2;
  with_fixture(
      [](Fixture& fix) -> Task<> {
        std::string order;
        const auto fetch = [&](int number) -> Task<> {
          co_await sleep(number * 10ms);
          const TimePoint asked = IOLoop::current()->now();
          const HTTPClientResponse response = co_await fix.client.fetch("http://server/slow?1");
          EXPECT_EQ(response.start_time, asked + response.time_info.queue);
          order += std::to_string(number);
          EXPECT_EQ(response.time_info.queue >= 900ms, number > 2) << number;
        };
        std::vector<Task<>> all;
        for (int i = 1; i <= 4; ++i) all.push_back(fetch(i));
        const TimePoint begin = IOLoop::current()->now();
        auto watch = [&]() -> Task<> {
          co_await sleep(500ms);
          EXPECT_EQ(fix.client.stats().busy, 2U);
          EXPECT_EQ(fix.client.stats().waiting, 2U);
        };
        co_await multi(multi(std::move(all)), watch());
        EXPECT_EQ(order, "1234");
        EXPECT_LT(IOLoop::current()->now() - begin, 3s);
        EXPECT_EQ(fix.client.stats().connects, 2U);
      },
      std::move(options));
}

TEST(HTTPClient, AFullHostDoesNotHoldUpOthers) {
  HTTPClientOptions options;
  options.max_clients_per_host = 1;
  with_fixture(
      [](Fixture& fix) -> Task<> {
        Door other(fix.server, fix.host.address(81));
        const TimePoint begin = IOLoop::current()->now();
        const auto late = [&](Duration after, Duration least, const char* url) -> Task<> {
          co_await sleep(after);
          co_await fix.client.fetch(url);
          const Duration took = IOLoop::current()->now() - begin;
          EXPECT_GE(took, least) << url;
          EXPECT_LT(took, least + 500ms) << url;
        };
        co_await multi(late(0s, 1s, "http://server/slow?1"), late(10ms, 2s, "http://server/slow?1"),
                       late(20ms, 0s, "http://server:81/"));
      },
      std::move(options));
}

TEST(HTTPClient, CancelledInTheQueueLeavesIt) {
  HTTPClientOptions options;
  options.max_clients = 1;
  with_fixture(
      [](Fixture& fix) -> Task<> {
        auto first = IOLoop::current()->spawn(fix.client.fetch("http://server/slow?2"));
        co_await sleep(10ms);
        auto second = IOLoop::current()->spawn(fix.client.fetch("http://server/2"));
        auto third = IOLoop::current()->spawn(fix.client.fetch("http://server/3"));
        co_await sleep(10ms);
        EXPECT_EQ(fix.client.stats().waiting, 2U);
        second.cancel();
        EXPECT_THROW(co_await second.join(), Cancelled);
        EXPECT_EQ(fix.client.stats().waiting, 1U);
        EXPECT_EQ((co_await third.join()).body, "GET /3");
        co_await first.join();
        EXPECT_EQ(fix.client.stats().busy, 0U);
      },
      std::move(options));
}

TEST(HTTPClient, CancelClosesTheConnectionAtOnce) {
  with_fixture([](Fixture& fix) -> Task<> {
    bool cancelled = false;
    fix.service.on("/gone", [&](HTTPExchange&) -> Task<> {
      try {
        co_await sleep(1h);
      } catch (const Cancelled&) {
        cancelled = true;
        throw;
      }
    });
    auto fetch = IOLoop::current()->spawn(fix.client.fetch("http://server/gone"));
    co_await sleep(1s);
    EXPECT_EQ(fix.network.open_transports(), 2U);
    const TimePoint begin = IOLoop::current()->now();
    fetch.cancel();
    EXPECT_THROW(co_await fetch.join(), Cancelled);
    EXPECT_EQ(IOLoop::current()->now(), begin);
    EXPECT_EQ(fix.network.open_transports(), 1U);  // the server's
    EXPECT_EQ(fix.client.stats().busy, 0U);
    EXPECT_EQ(fix.client.stats().idle, 0U);
    co_await sleep(1s);
    EXPECT_TRUE(cancelled);
    EXPECT_EQ(fix.network.open_transports(), 0U);
  });
}

TEST(HTTPClient, CancelWhileConnectingLeavesNothing) {
  with_fixture([](Fixture& fix) -> Task<> {
    fix.network.set_answer(fix.host.address(80), SimNetwork::Answer::kSilent);
    auto fetch = IOLoop::current()->spawn(fix.client.fetch("http://server/"));
    co_await sleep(1s);
    fetch.cancel();
    EXPECT_THROW(co_await fetch.join(), Cancelled);
    EXPECT_EQ(fix.network.open_transports(), 0U);
    EXPECT_EQ(fix.client.stats().busy, 0U);
  });
}

TEST(HTTPClient, ClosedClientRefuses) {
  HTTPClientOptions options;
  options.max_clients = 1;
  with_fixture(
      [](Fixture& fix) -> Task<> {
        TaskGroup group("fetches", TaskGroup::OnFailure::kHandle);
        auto running = group.spawn(fix.client.fetch("http://server/slow?2"));
        co_await sleep(10ms);
        auto waiting = group.spawn(fix.client.fetch("http://server/"));
        co_await sleep(10ms);
        fix.client.close();
        EXPECT_THROW(co_await waiting.join(), ClosedError);
        EXPECT_THROW(co_await fix.client.fetch("http://server/"), ClosedError);
        EXPECT_EQ((co_await running.join()).body, "slow");
        EXPECT_EQ(fix.client.stats().idle, 0U);
        EXPECT_EQ(fix.network.open_transports(), 1U);  // the server's end, for a moment
      },
      std::move(options));
}

TEST(HTTPClient, MayGoWhileAFetchIsInProgress) {
  with_fixture([](Fixture& fix) -> Task<> {
    auto client = std::make_unique<HTTPClient>(fix.with_names({}));
    auto fetch = IOLoop::current()->spawn(client->fetch("http://server/slow?1"));
    co_await sleep(10ms);
    client.reset();
    EXPECT_EQ((co_await fetch.join()).body, "slow");
  });
}

TEST(HTTPClient, TellsHowLongEachPartTook) {
  with_fixture([](Fixture& fix) -> Task<> {
    fix.network.names()->set("slowname", {{.addresses = {fix.host.address()}, .delay = 300ms}});
    fix.service.on("/parts", [](HTTPExchange& exchange) -> Task<> {
      co_await sleep(700ms);
      exchange.start({}, 4, "ab");
      co_await sleep(900ms);
      exchange.write("cd");
      exchange.finish();
    });
    const HTTPClientResponse response = co_await fix.client.fetch("http://slowname/parts");
    const HTTPTimeInfo& times = response.time_info;
    const auto about = [](Duration span, Duration wanted) {
      EXPECT_GE(span, wanted);
      EXPECT_LT(span, wanted + 20ms);
    };
    about(times.queue, 0s);
    about(times.namelookup, 300ms);
    about(times.connect, 0s);
    EXPECT_GT(times.connect, 0s);
    about(times.appconnect, 0s);
    about(times.first_byte, 700ms);
    about(times.body, 900ms);
    about(times.total, 1900ms);
    EXPECT_EQ(response.request_time(), times.total);
  });
}

TEST(HTTPClient, KeepsCookiesForThoseTheyAreFor) {
  HTTPClientOptions options;
  options.cookies = std::make_shared<CookieJar>();
  with_fixture(
      [](Fixture& fix) -> Task<> {
        fix.service.on("/login", [](HTTPExchange& exchange) -> Task<> {
          exchange.respond({.status = 302,
                            .fields = "Set-Cookie: id=7; Path=/\r\nSet-Cookie: x=y; Path=/other\r\n"
                                      "Location: /echo\r\n"},
                           "");
          co_return;
        });
        EXPECT_THAT(co_await fix.body_of({.url = "http://server/login"}),
                    HasSubstr("\nCookie: id=7\n"));
        EXPECT_THAT(
            co_await fix.body_of({.url = "http://server/echo", .headers = {{"Cookie", "own=1"}}}),
            HasSubstr("\nCookie: own=1; id=7\n"));
        EXPECT_THAT(co_await fix.body_of({.url = "http://10.0.0.80/echo"}),
                    Not(HasSubstr("Cookie")));
      },
      std::move(options));
}

TEST(HTTPClient, SpeaksOverRealSockets) {
  http_test::ServerBench bench(http_test::Wire::kSockets);
  bench.run([](http_test::ServerBench& on) -> Task<> {
    HTTPClient client;
    const std::string base = "http://127.0.0.1:" + std::to_string(on.server->port());
    for (int i = 0; i < 3; ++i) {
      const HTTPClientResponse page = co_await client.fetch(base + "/x");
      EXPECT_EQ(page.body, "GET /x");
    }
    const std::string large(3'000'000, 'l');
    const HTTPClientResponse back =
        co_await client.fetch(base + "/stream", {.method = "POST", .body = large});
    EXPECT_EQ(back.body, large);
    EXPECT_EQ(client.stats().connects, 1U);
    const auto error = co_await failure_of<HTTPConnectError>(client.fetch("http://127.0.0.1:1/"));
    EXPECT_STREQ(error.what(),
                 "GET http://127.0.0.1:1/: cannot connect to 127.0.0.1:1: 127.0.0.1:1 Connection "
                 "refused");
  }(bench));
}

TEST(HTTPClient, SpeaksOverUnixSockets) {
  http_test::ServerBench bench(http_test::Wire::kSockets);
  const TempFolder folder;
  const std::string path = folder.at("socket");
  bench.server->listen_unix(path);
  bench.run([](std::string socket) -> Task<> {
    HTTPClient client;
    const HTTPClientResponse page =
        co_await client.fetch("http://docker/v1/info", {.unix_socket = socket});
    EXPECT_EQ(page.body, "GET /v1/info");
  }(path));
}

TEST(HTTPClient, AnOriginThatIsKnownIsNoOther) {
  with_fixture([](Fixture& fix) -> Task<> {
    SimHost& other = fix.network.add_host("server2", {"10.0.0.82"});
    Peer beside(other.address(80), answers("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nbeside"));
    Peer port(fix.host.address(8080), answers("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nport"));
    const std::pair<const char*, const char*> cases[] = {
        {"http://server/a", "GET /a"},       {"http://server/b?c", "GET /b?c"},
        {"http://server", "GET /"},          {"http://server:80/d", "GET /d"},
        {"http://SERVER/e", "GET /e"},       {"http://server/f/../g#h", "GET /g"},
        {"http://server/%7Eh", "GET /%7Eh"}, {"http://server/i#", "GET /i"},
        {"http://server:8080/j", "port"},    {"http://server2/k", "beside"},
        {"http://server?l", "GET /?l"},      {"http://u:p@server/m", "GET /m"},
        {"http://server/a", "GET /a"},       {"http://server/redirect?302 /n", nullptr},
    };
    for (int round = 0; round < 2; ++round) {
      for (std::size_t i = 0; i < 2 * std::size(cases); ++i) {  // each twice in a row
        const auto& [url, body] = cases[i / 2];
        if (body == nullptr) {
          co_await failure_of<std::invalid_argument>(fix.client.fetch(url));
          continue;
        }
        const HTTPClientResponse response = co_await fix.client.fetch(url);
        EXPECT_EQ(response.body, body) << url;
        EXPECT_EQ(response.effective_url, URL::parse(url).to_string()) << url;
        EXPECT_EQ(response.method, "GET");
        EXPECT_EQ(response.reason, "OK");
      }
    }
    const HTTPClientResponse moved =
        co_await fix.client.fetch("http://server/redirect?302+http://server2/away");
    EXPECT_EQ(moved.effective_url, "http://server2/away");
    EXPECT_EQ(moved.body, "beside");
    const auto error =
        co_await failure_of<HTTPClientError>(fix.client.fetch("http://server/status?404"));
    EXPECT_EQ(error.response()->effective_url, "http://server/status?404");
    EXPECT_THAT(error.what(), HasSubstr("http://server/status?404"));
    co_await beside.close();
    co_await port.close();
  });
}

TEST(HTTPClient, APlainFetchHasTheSameLimits) {
  with_fixture([](Fixture& fix) -> Task<> {
    const TimePoint before = IOLoop::current()->now();
    const auto error =
        co_await failure_of<HTTPTimeoutError>(fix.client.fetch("http://server/slow?60"));
    EXPECT_EQ(error.phase(), HTTPPhase::kWait);
    EXPECT_THAT(error.what(), HasSubstr("http://server/slow?60"));
    EXPECT_GE(IOLoop::current()->now() - before, 20s);
    EXPECT_LT(IOLoop::current()->now() - before, 21s);
    EXPECT_EQ(fix.client.stats().idle, 0U);
  });
}

}  // namespace
}  // namespace coronado
