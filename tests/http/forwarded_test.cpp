#include "http/forwarded.hpp"

#include <gtest/gtest.h>

#include "http/http1_parser.hpp"
#include "tests/http/server_fixture.hpp"

namespace coronado {
namespace {

using http_test::LambdaService;
using http_test::ServerBench;

/// "address scheme host", as far as it was said.
std::string said(const TrustedProxies& proxies, std::string_view fields) {
  const std::string text = "GET / HTTP/1.1\r\nHost: x\r\n" + std::string(fields) + "\r\n";
  RequestHead head;
  std::size_t searched = 0;
  EXPECT_EQ(parse_request_head(text.data(), text.size(), searched, HTTPLimits{}, head).status,
            ParseStatus::kComplete);
  const ForwardedClient client = proxies.client_of(head);
  return (client.address ? to_string(*client.address) : "nobody") +
         (client.https ? *client.https ? " https" : " http" : "") +
         (client.host.empty() ? "" : " " + client.host);
}

TEST(TrustedProxies, AreNetworksAndUnixSockets) {
  const TrustedProxies proxies({"10.0.0.0/8", "fd00::/8", "unix"});
  EXPECT_TRUE(proxies.contains(*SocketAddress::from_ip("10.1.2.3")));
  EXPECT_FALSE(proxies.contains(*SocketAddress::from_ip("11.1.2.3")));
  EXPECT_TRUE(proxies.contains(*SocketAddress::from_ip("fd00::1")));
  EXPECT_TRUE(proxies.contains(SocketAddress::from_path("/x")));
  EXPECT_FALSE(proxies.contains(SocketAddress{}));
  EXPECT_FALSE(proxies.empty());
  EXPECT_TRUE(TrustedProxies({}).empty());
  EXPECT_FALSE(TrustedProxies({"10.0.0.0/8"}).contains(SocketAddress::from_path("/x")));
  try {
    TrustedProxies({"10.0.0.0/8", "10.0.0.1/8"});
    FAIL() << "bits beyond the prefix";
  } catch (const UsageError& error) {
    EXPECT_STREQ(error.what(),
                 "trusted forwarder \"10.0.0.1/8\" is no network, such as 10.0.0.0/8");
  }
}

TEST(TrustedProxies, ReadForwardedFromItsEnd) {
  const TrustedProxies proxies({"10.0.0.0/8"});
  EXPECT_EQ(said(proxies, ""), "nobody");
  EXPECT_EQ(said(proxies, "Forwarded: for=192.0.2.1;proto=https;by=10.0.0.1\r\n"),
            "192.0.2.1:0 https");
  // The nearest proxy wrote last; what stands before the first stranger is a stranger's word.
  EXPECT_EQ(said(proxies,
                 "Forwarded: for=1.1.1.1;proto=https, for=2.2.2.2;proto=http, "
                 "for=10.9.9.9;proto=https\r\n"),
            "2.2.2.2:0 http");
  EXPECT_EQ(said(proxies, "Forwarded: for=1.1.1.1\r\nForwarded: FOR=\"10.9.9.9:99\"\r\n"),
            "1.1.1.1:0");
  EXPECT_EQ(said(proxies, "Forwarded: for=\"[2001:db8::1]:4711\"\r\n"), "[2001:db8::1]:4711");
  EXPECT_EQ(said(proxies, "Forwarded: for=1.1.1.1, for=_hidden, for=10.9.9.9\r\n"), "10.9.9.9:0");
  EXPECT_EQ(said(proxies, "Forwarded: for=1.1.1.1, for=unknown;proto=https\r\n"), "nobody");
  EXPECT_EQ(said(proxies, "Forwarded: for=1.1.1.1;proto=gopher\r\n"), "1.1.1.1:0");
  EXPECT_EQ(said(proxies, "Forwarded: for=\"1.1.1.1\r\n"), "nobody");
  // It counts alone when it is there.
  EXPECT_EQ(said(proxies, "Forwarded: proto=https\r\nX-Forwarded-For: 1.1.1.1\r\n"), "nobody");
}

TEST(TrustedProxies, ReadTheOlderFields) {
  const TrustedProxies proxies({"5.5.5.5", "10.0.0.0/8"});
  EXPECT_EQ(said(proxies, "X-Forwarded-For: 127.0.0.1, 4.4.4.4, 5.5.5.5\r\n"), "4.4.4.4:0");
  EXPECT_EQ(said(proxies, "X-Forwarded-For: 4.4.4.4:1234\r\nX-Forwarded-Proto: https\r\n"),
            "4.4.4.4:1234 https");
  EXPECT_EQ(said(proxies, "X-Forwarded-For: 2001:db8::1\r\n"), "[2001:db8::1]:0");
  EXPECT_EQ(said(proxies, "X-Forwarded-For: 4.4.4.4<script>\r\nX-Real-Ip: 6.6.6.6\r\n"), "nobody");
  EXPECT_EQ(said(proxies, "X-Real-Ip: 4.4.4.4\r\n"), "4.4.4.4:0");
  EXPECT_EQ(said(proxies, "X-Real-Ip: 4.4.4.4<script>\r\n"), "nobody");
  EXPECT_EQ(said(proxies, "X-Forwarded-Proto: https , http\r\n"), "nobody http");
  EXPECT_EQ(said(proxies, "X-Scheme: HTTPS\r\n"), "nobody https");
}

TEST(TrustedProxies, ReadTheHostThatWasAskedFor) {
  const TrustedProxies proxies({"10.0.0.0/8"});
  EXPECT_EQ(said(proxies, "Forwarded: for=1.1.1.1;host=\"shop.example:8443\"\r\n"),
            "1.1.1.1:0 shop.example:8443");
  EXPECT_EQ(said(proxies, "Forwarded: for=1.1.1.1;host=made.up, for=2.2.2.2;host=b.example\r\n"),
            "2.2.2.2:0 b.example");
  EXPECT_EQ(said(proxies, "Forwarded: for=1.1.1.1;host=\"a/b\"\r\n"), "1.1.1.1:0");
  EXPECT_EQ(said(proxies, "X-Forwarded-Host: made.up, b.example\r\n"), "nobody b.example");
  EXPECT_EQ(said(proxies, "X-Forwarded-Host: a b\r\n"), "nobody");
  EXPECT_EQ(said(proxies, "X-Forwarded-Host: <x>\r\nX-Forwarded-Port: 81\r\n"), "nobody");
  // The port is named when nothing else tells it.
  EXPECT_EQ(said(proxies, "X-Forwarded-Host: b.example\r\nX-Forwarded-Port: 8080\r\n"),
            "nobody b.example:8080");
  EXPECT_EQ(said(proxies, "X-Forwarded-Host: [::1]\r\nX-Forwarded-Port: 8080\r\n"),
            "nobody [::1]:8080");
  EXPECT_EQ(said(proxies, "X-Forwarded-Host: b.example:1\r\nX-Forwarded-Port: 8080\r\n"),
            "nobody b.example:1");
  EXPECT_EQ(said(proxies, "X-Forwarded-Host: b.example\r\nX-Forwarded-Port: x\r\n"),
            "nobody b.example");
  EXPECT_EQ(said(proxies,
                 "X-Forwarded-Host: b.example\r\nX-Forwarded-Port: 443\r\n"
                 "X-Forwarded-Proto: https\r\n"),
            "nobody https b.example");
}

std::string who_asks(HTTPServerOptions options) {
  ServerBench bench({}, std::move(options));
  bench.service.on(
      "/who",
      [](HTTPExchange& exchange) -> Task<> {
        const HTTPServerRequest& request = exchange.request();
        http_test::respond_text(
            exchange, request.remote_ip() + " " + request.full_url() + " " + request.peer().host());
        return {};
      },
      LambdaService::Kind::kAnswersAtOnce);
  const auto client = bench.connect();
  std::string said;
  // What one request says does not hold for the next one.
  for (const char* fields : {"X-Forwarded-For: 4.4.4.4\r\nX-Forwarded-Proto: https\r\n"
                             "X-Forwarded-Host: shop.example\r\n",
                             ""}) {
    said += bench.run(http_test::ask(*client, http_test::get("/who", fields))).body + ";";
  }
  return said;
}

TEST(Forwarded, IsBelievedFromWhomIsTrusted) {
  EXPECT_EQ(who_asks({.trust_forwarded = {"127.0.0.0/8"}}),
            "4.4.4.4 https://x/who 127.0.0.1;127.0.0.1 http://x/who 127.0.0.1;");
  EXPECT_EQ(who_asks({.trust_forwarded = {"127.0.0.0/8"}, .trust_forwarded_host = true}),
            "4.4.4.4 https://shop.example/who 127.0.0.1;127.0.0.1 http://x/who 127.0.0.1;");
  EXPECT_EQ(who_asks({.trust_forwarded = {"10.0.0.0/8"}, .trust_forwarded_host = true}),
            "127.0.0.1 http://x/who 127.0.0.1;127.0.0.1 http://x/who 127.0.0.1;");
  EXPECT_EQ(who_asks({}), "127.0.0.1 http://x/who 127.0.0.1;127.0.0.1 http://x/who 127.0.0.1;");
}

}  // namespace
}  // namespace coronado
