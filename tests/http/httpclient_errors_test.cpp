// Fetches that fail: each error has its type and says where.
#include <coronado/http/httpclient.hpp>

#include "tests/http/client_fixture.hpp"

namespace coronado {
namespace {

using namespace client_test;

/// Fetches "http://server:81/" from a peer with this script.
template <class Error>
Error failure_from(Peer::Script script, HTTPRequest request = {}, HTTPClientOptions options = {}) {
  std::optional<Error> error;
  with_fixture(
      [&](Fixture& fix) -> Task<> {
        Peer peer(fix.host.address(81), std::move(script));
        error =
            co_await failure_of<Error>(fix.client.fetch("http://server:81/", std::move(request)));
        EXPECT_EQ(fix.client.stats().busy, 0U);
        EXPECT_EQ(fix.client.stats().idle, 0U);
        co_await peer.close();
        co_await sleep(1s);
        EXPECT_EQ(fix.network.open_transports(), 0U);
      },
      std::move(options));
  return std::move(*error);
}

std::string closed(std::string answer) {
  const auto error = failure_from<HTTPStreamClosedError>(answers(std::move(answer)));
  EXPECT_EQ(error.code(), 599);
  return error.what();
}

TEST(HTTPClientErrors, ACutResponseIsNeverASuccess) {
  const std::string get = "GET http://server:81/: the server closed the connection while ";
  const std::string waiting = get + "waiting for the response from 10.0.0.80:81";
  const std::string receiving = get + "receiving the body from 10.0.0.80:81";
  EXPECT_EQ(closed(""), waiting);
  EXPECT_EQ(closed("HTTP/1.1 200 OK\r\n"), waiting);
  EXPECT_EQ(closed("HTTP/1.1 100 Continue\r\n\r\n"), waiting);
  EXPECT_EQ(closed("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nbody"), receiving);
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(closed(chunked), receiving);
  EXPECT_EQ(closed(chunked + "4\r\nbo"), receiving);
  EXPECT_EQ(closed(chunked + "4\r\nbody\r\n"), receiving);
  EXPECT_EQ(closed(chunked + "4\r\nbody\r\n0\r\n"), receiving);
}

TEST(HTTPClientErrors, ABrokenConnectionIsNoEndOfABody) {
  with_fixture([](Fixture& fix) -> Task<> {
    Peer peer(fix.host.address(81), [](IOStream& stream) -> Task<> {
      co_await stream.read_until("\r\n\r\n");
      co_await stream.write("HTTP/1.1 200 OK\r\n\r\n");
      co_await sleep(1s);
      co_await stream.write("up to the end");
      co_await sleep(1h);
    });
    fix.network.inject(
        {.kind = SimFault::Kind::kReset, .direction = SimDirection::kToClient, .after_bytes = 25});
    const auto error =
        co_await failure_of<HTTPStreamClosedError>(fix.client.fetch("http://server:81/"));
    EXPECT_EQ(error.reason(), std::errc::connection_reset);
    EXPECT_EQ(error.phase(), HTTPPhase::kReceive);
    EXPECT_STREQ(error.what(),
                 "GET http://server:81/: the connection broke (Connection reset by peer) while "
                 "receiving the body from 10.0.0.80:81");
    co_await peer.close();
  });
}

std::string malformed(std::string answer) {
  const auto error = failure_from<HTTPResponseError>(answers(std::move(answer)));
  EXPECT_EQ(error.kind(), HTTPResponseError::Kind::kMalformed);
  return error.what();
}

TEST(HTTPClientErrors, WhatIsNoHTTPIsSaid) {
  const std::string from = "GET http://server:81/: no valid HTTP response from 10.0.0.80:81: ";
  EXPECT_EQ(malformed("220 mail ESMTP\r\n"), from + "it does not begin with an HTTP version");
  EXPECT_EQ(malformed("HTTP/2.0 200 OK\r\n\r\n"), from + "unsupported HTTP version");
  EXPECT_EQ(malformed("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"),
            from + "different Content-Lengths");
  EXPECT_EQ(malformed("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"),
            from + "both Transfer-Encoding and Content-Length");
  EXPECT_EQ(malformed("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"),
            from + "invalid chunk size");
  EXPECT_EQ(malformed("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"),
            from + "101 Switching Protocols without having been asked");
}

TEST(HTTPClientErrors, LimitsHold) {
  HTTPClientOptions options;
  options.limits.max_body_size = 10;
  options.limits.max_header_size = 100;
  const auto large = [&](std::string answer) {
    const auto error = failure_from<HTTPResponseError>(answers(std::move(answer)), {}, options);
    EXPECT_EQ(error.kind(), HTTPResponseError::Kind::kTooLarge);
    return std::string(error.what());
  };
  const std::string from =
      "GET http://server:81/: the response from 10.0.0.80:81 exceeds a limit: ";
  EXPECT_EQ(large("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n"), from + "the body is too large");
  EXPECT_EQ(large("HTTP/1.1 200 OK\r\n\r\n12345678901"), from + "the body is too large");
  EXPECT_EQ(large("HTTP/1.1 200 OK\r\nX: " + std::string(100, 'x')),
            from + "the head is too large");
}

TEST(HTTPClientErrors, EndlessHeadersAndInterimResponsesEnd) {
  const auto forever = [](std::string begin, std::string again) -> Peer::Script {
    return [begin, again](IOStream& stream) -> Task<> {
      co_await stream.read_until("\r\n\r\n");
      co_await stream.write(begin);
      for (;;) co_await stream.write(again);
    };
  };
  EXPECT_EQ(failure_from<HTTPResponseError>(forever("HTTP/1.1 200 OK\r\n", "a: b\r\n")).kind(),
            HTTPResponseError::Kind::kTooLarge);
  EXPECT_EQ(failure_from<HTTPResponseError>(forever("", "HTTP/1.1 102 Processing\r\n\r\n")).kind(),
            HTTPResponseError::Kind::kMalformed);
  EXPECT_EQ(
      failure_from<HTTPResponseError>(forever("HTTP/1.1 200 OK\r\n\r\n", std::string(50'000, 'x')))
          .kind(),
      HTTPResponseError::Kind::kTooLarge);
}

TEST(HTTPClientErrors, TimeoutsNameThePhaseAndTheAddress) {
  const auto silent = [](std::string answer) -> Peer::Script {
    return [answer](IOStream& stream) -> Task<> {
      co_await stream.read_until("\r\n\r\n");
      co_await stream.write(answer);
      co_await stream.read_until_close();
    };
  };
  auto error = failure_from<HTTPTimeoutError>(silent(""), {.request_timeout = 3s});
  EXPECT_EQ(error.phase(), HTTPPhase::kWait);
  EXPECT_EQ(error.code(), 599);
  EXPECT_STREQ(error.what(),
               "GET http://server:81/: timed out after 3 s while waiting for the response from "
               "10.0.0.80:81");
  error =
      failure_from<HTTPTimeoutError>(silent("HTTP/1.1 200 OK\r\n\r\nbo"), {.request_timeout = 3s});
  EXPECT_EQ(error.phase(), HTTPPhase::kReceive);
  EXPECT_THAT(error.what(), HasSubstr("while receiving the body from 10.0.0.80:81"));
}

TEST(HTTPClientErrors, TimeoutWhileSending) {
  const Peer::Script deaf = [](IOStream& stream) -> Task<> {
    co_await stream.read_until("\r\n\r\n");
    co_await sleep(1h);
  };
  const auto error = failure_from<HTTPTimeoutError>(
      deaf, {.method = "PUT", .body = std::string(1'000'000, 'x'), .request_timeout = 3s});
  EXPECT_EQ(error.phase(), HTTPPhase::kSend);
  EXPECT_THAT(error.what(), HasSubstr("while sending the request to 10.0.0.80:81"));
}

TEST(HTTPClientErrors, TimeoutWhileConnecting) {
  with_fixture([](Fixture& fix) -> Task<> {
    fix.network.set_answer(fix.host.address(80), SimNetwork::Answer::kSilent);
    const TimePoint begin = IOLoop::current()->now();
    auto error = co_await failure_of<HTTPTimeoutError>(
        fix.client.fetch("http://server/", {.connect_timeout = 2s}));
    EXPECT_EQ(error.phase(), HTTPPhase::kConnect);
    EXPECT_THAT(error.what(), HasSubstr("GET http://server/: cannot connect to server:80: gave up "
                                        "after 2 s; 10.0.0.80:80 timed out after "));
    EXPECT_LT(IOLoop::current()->now() - begin, 2100ms);
    error = co_await failure_of<HTTPTimeoutError>(
        fix.client.fetch("http://server/", {.connect_timeout = 0s, .request_timeout = 1s}));
    EXPECT_STREQ(error.what(),
                 "GET http://server/: timed out after 1 s while connecting to server");
    fix.network.names()->set("slow", {{.addresses = {fix.host.address()}, .delay = 1h}});
    error = co_await failure_of<HTTPTimeoutError>(
        fix.client.fetch("http://slow/", {.connect_timeout = 2s}));
    EXPECT_THAT(error.what(), HasSubstr("gave up after 2 s while its name was looked up"));
    EXPECT_EQ(fix.network.open_transports(), 0U);
  });
}

TEST(HTTPClientErrors, TimeoutInTheQueue) {
  HTTPClientOptions options;
  options.max_clients = 1;
  with_fixture(
      [](Fixture& fix) -> Task<> {
        auto first = IOLoop::current()->spawn(fix.client.fetch("http://server/slow?5"));
        co_await sleep(10ms);
        const auto error = co_await failure_of<HTTPTimeoutError>(
            fix.client.fetch("http://server/", {.request_timeout = 2s}));
        EXPECT_EQ(error.phase(), HTTPPhase::kQueue);
        EXPECT_THAT(error.what(), HasSubstr("waiting for one of the client's places"));
        EXPECT_EQ(fix.client.stats().waiting, 0U);
        co_await first.join();
      },
      std::move(options));
}

TEST(HTTPClientErrors, ZeroIsNoTimeLimit) {
  with_fixture([](Fixture& fix) -> Task<> {
    EXPECT_EQ(co_await fix.body_of({.url = "http://server/slow?3000", .request_timeout = 0s}),
              "slow");
  });
}

TEST(HTTPClientErrors, ConnectErrorsNameEachAddress) {
  with_fixture([](Fixture& fix) -> Task<> {
    auto error = co_await failure_of<HTTPConnectError>(fix.client.fetch("http://server:99/"));
    EXPECT_EQ(error.connect_error().phase(), ConnectError::Phase::kConnect);
    EXPECT_STREQ(error.what(),
                 "GET http://server:99/: cannot connect to server:99: 10.0.0.80:99 Connection "
                 "refused");
    error = co_await failure_of<HTTPConnectError>(fix.client.fetch("http://nowhere/"));
    EXPECT_EQ(error.connect_error().phase(), ConnectError::Phase::kResolve);
    EXPECT_THAT(error.what(), HasSubstr("GET http://nowhere/: "));
    EXPECT_EQ(fix.client.stats().busy, 0U);
  });
}

TEST(HTTPClientErrors, URLsInMessagesHaveNoPassword) {
  with_fixture([](Fixture& fix) -> Task<> {
    const auto error = co_await failure_of<HTTPClientError>(
        fix.client.fetch("http://ada:secret@server/status?500"));
    EXPECT_STREQ(error.what(), "GET http://server/status?500: HTTP 500: Internal Server Error");
    EXPECT_THAT(error.url(), Not(HasSubstr("secret")));
  });
}

TEST(HTTPClientErrors, CallbacksOwnErrorsComeThrough) {
  with_fixture([](Fixture& fix) -> Task<> {
    HTTPRequest request{.url = "http://server/big?100000"};
    request.streaming_callback = [](std::string) -> Task<> { throw std::runtime_error("full"); };
    const auto error =
        co_await failure_of<std::runtime_error>(fix.client.fetch(std::move(request)));
    EXPECT_STREQ(error.what(), "full");
    EXPECT_EQ(fix.client.stats().idle, 0U);
    HTTPRequest late{.url = "http://server/big?100000"};
    late.streaming_callback = [](std::string) -> Task<> {
      co_await with_timeout(1ms, as_task(sleep(1h)));
    };
    co_await failure_of<TimeoutError>(fix.client.fetch(std::move(late)));
  });
}

}  // namespace
}  // namespace coronado
