// Proxies: whole URLs, tunnels, SOCKS.
#include <coronado/http/httpclient.hpp>

#include <coronado/net/tls_context.hpp>
#include <coronado/testing/test_certificates.hpp>

#include "tests/http/proxy_peers.hpp"

namespace coronado {
namespace {

using namespace client_test;

TEST(HTTPClientProxy, PlainRequestsGoThereWhole) {
  HTTPClientOptions options;
  options.proxies = {.http = "http://ada:pw@server:3128", .except = {"10.0.0.80"}};
  with_fixture(
      [](Fixture& fix) -> Task<> {
        std::string asked;
        int requests = 0;
        Peer proxy(fix.host.address(3128), [&](IOStream& stream) -> Task<> {
          for (;;) {
            asked = co_await stream.read_until("\r\n\r\n");
            ++requests;
            co_await stream.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
          }
        });
        EXPECT_EQ(co_await fix.body_of({.url = "http://far.example:81/a?b"}), "ok");
        EXPECT_EQ(asked,
                  "GET http://far.example:81/a?b HTTP/1.1\r\nHost: far.example:81\r\n"
                  "User-Agent: Coronado\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n"
                  "Proxy-Authorization: Basic YWRhOnB3\r\n\r\n");
        EXPECT_EQ(co_await fix.body_of({.url = "http://10.0.0.80/direct"}), "GET /direct");
        EXPECT_EQ(requests, 1);
        EXPECT_EQ(co_await fix.body_of({.url = "http://far.example:81/"}), "ok");
        EXPECT_EQ(proxy.accepted, 1);
        co_await proxy.close();
      },
      std::move(options));
}

TEST(HTTPClientProxy, TunnelsForTLS) {
  const TestAuthority authority("Test CA");
  const TestCertificate made = authority.issue({.dns_names = {"far.example"}});
  HTTPServerOptions secure;
  secure.tls = TLSContext::server(
      {.identities = {{.certificate_pem = made.certificate_pem, .key_pem = made.key_pem}}});
  with_fixture(
      [&](Fixture& fix) -> Task<> {
        const auto tls = TLSContext::client({.trust = {.ca_pem = authority.certificate_pem()}});
        std::string asked;
        Peer proxy(fix.host.address(3128), tunnel(asked, fix.host.address(80)));
        for (int i = 0; i < 2; ++i) {
          HTTPRequest request{.url = "https://far.example/x", .tls = tls};
          request.proxy_host = "server";
          request.proxy_port = 3128;
          request.proxy_username = "ada";
          request.proxy_password = "pw";
          EXPECT_EQ(co_await fix.body_of(std::move(request)), "GET /x");
        }
        EXPECT_EQ(asked,
                  "CONNECT far.example:443 HTTP/1.1\r\nHost: far.example:443\r\n"
                  "Proxy-Authorization: Basic YWRhOnB3\r\n\r\n");
        EXPECT_EQ(proxy.accepted, 1);
        co_await proxy.close();
      },
      {}, std::move(secure));
}

std::string refused(Peer::Script script, HTTPRequest request) {
  std::string text;
  with_fixture([&](Fixture& fix) -> Task<> {
    Peer proxy(fix.host.address(3128), script);
    request.proxy_port = 3128;
    request.validate_cert = false;
    const auto error = co_await failure_of<HTTPConnectError>(fix.client.fetch(std::move(request)));
    text = error.what();
    EXPECT_EQ(error.connect_error().phase(), ConnectError::Phase::kUpgrade);
    co_await proxy.close();
    co_await sleep(1s);
    EXPECT_EQ(fix.network.open_transports(), 0U);
  });
  return text;
}

TEST(HTTPClientProxy, RefusalsAreTold) {
  const auto tell = [](std::string answer) {
    return refused(answers(std::move(answer)), {.url = "https://far/", .proxy_host = "server"});
  };
  EXPECT_EQ(tell("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 2\r\n\r\nno"),
            "GET https://far/: cannot connect to server:3128: the proxy refused: 407 Proxy "
            "Authentication Required (10.0.0.80:3128)");
  EXPECT_THAT(tell("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 502 \r\n\r\n"),
              HasSubstr("the proxy refused: 502 Bad Gateway"));
  EXPECT_THAT(tell("SSH-2.0-x\r\n\r\n"), HasSubstr("the proxy sent no HTTP response"));
  EXPECT_THAT(tell("HTTP/1.1 200 OK\r\n\r\nsurprise"), HasSubstr("sent more than its answer"));
  EXPECT_THAT(tell(""), HasSubstr("the proxy closed the connection"));
}

/// "server" with a proxy, and requests through it.
void with_digest_proxy(DigestProxy::Then then,
                       std::function<Task<>(Fixture&, DigestProxy&, Peer&)> body,
                       HTTPServerOptions server_options = {}) {
  HTTPClientOptions options;
  options.proxies = {.http = "http://ada:pw@server:3128", .https = "http://ada:pw@server:3128"};
  with_fixture(
      [&](Fixture& fix) -> Task<> {
        DigestProxy proxy{.then = then, .to = fix.host.address(80)};
        Peer peer(fix.host.address(3128), proxy.script());
        co_await body(fix, proxy, peer);
        fix.client.close();
        co_await peer.close();
      },
      std::move(options), std::move(server_options));
}

TEST(HTTPClientProxy, AConnectionThatVanishesAfterTheChallengeIsMadeAnew) {
  const TestAuthority authority("Test CA");
  const TestCertificate made = authority.issue({.dns_names = {"far.example"}});
  HTTPServerOptions secure;
  secure.tls = TLSContext::server(
      {.identities = {{.certificate_pem = made.certificate_pem, .key_pem = made.key_pem}}});
  with_digest_proxy(
      DigestProxy::Then::kVanishes,
      [&](Fixture& fix, DigestProxy& proxy, Peer& peer) -> Task<> {
        EXPECT_EQ(co_await fix.body_of(
                      {.url = "http://far.example/", .proxy_auth_mode = HTTPAuth::kDigest}),
                  "ok");
        EXPECT_EQ(proxy.asked.size(), 2U);
        EXPECT_EQ(peer.accepted, 2);
        HTTPRequest request{.url = "https://far.example/x"};
        request.tls = TLSContext::client({.trust = {.ca_pem = authority.certificate_pem()}});
        request.proxy_auth_mode = HTTPAuth::kDigest;
        EXPECT_EQ(co_await fix.body_of(std::move(request)), "GET /x");
        EXPECT_THAT(proxy.asked.back(), HasSubstr("nc=00000001"));
      },
      std::move(secure));
}

TEST(HTTPClientProxy, DigestCredentialsAreOnlyForTheProxyThatAsksForThem) {
  with_digest_proxy(
      DigestProxy::Then::kGoesOn, [](Fixture& fix, DigestProxy& proxy, Peer&) -> Task<> {
        // A server that is asked without a proxy says 407: it is no proxy of ours.
        fix.service.on("/407", [](HTTPExchange& exchange) -> Task<> {
          exchange.respond({.status = 407,
                            .fields = "Proxy-Authenticate: Digest realm=\"p\", "
                                      "nonce=\"n1\"\r\n"},
                           "");
          co_return;
        });
        fix.network.add_host("direct", {"10.0.0.81"});
        HTTPClientOptions options;
        options.resolver = fix.network.names();
        HTTPClient direct(std::move(options));
        HTTPRequest request{.url = "http://server/407"};
        request.proxy_username = "ada";
        request.proxy_password = "pw";
        request.proxy_auth_mode = HTTPAuth::kDigest;
        const auto error = co_await failure_of<HTTPClientError>(direct.fetch(std::move(request)));
        EXPECT_EQ(error.code(), 407);
        EXPECT_EQ(fix.door->accepted, 1);
        // With Basic credentials a challenge is not answered either.
        co_await failure_of<HTTPClientError>(fix.client.fetch("http://far.example/"));
        EXPECT_EQ(proxy.asked.size(), 1U);
      });
}

TEST(HTTPClientProxy, AUserOfAProxyCannotAddFields) {
  with_fixture([](Fixture& fix) -> Task<> {
    HTTPRequest request{.url = "http://far.example/",
                        .proxy_host = "http://a%0D%0Ab:pw@server:3128",
                        .proxy_auth_mode = HTTPAuth::kDigest};
    co_await failure_of<std::invalid_argument>(fix.client.fetch(std::move(request)));
  });
}

TEST(HTTPClientProxy, SOCKS) {
  with_fixture([](Fixture& fix) -> Task<> {
    std::string asked;
    Peer open(fix.host.address(1080), socks(asked, fix.host.address(80), false));
    EXPECT_EQ(
        co_await fix.body_of({.url = "http://far.example/x", .proxy_host = "socks5://server"}),
        "GET /x");
    EXPECT_EQ(asked, std::string("far.example\x00\x50", 13));
    EXPECT_EQ(co_await fix.body_of({.url = "http://10.9.8.7/x", .proxy_host = "socks5://server"}),
              "GET /x");
    EXPECT_EQ(asked, std::string("\x0A\x09\x08\x07\x00\x50", 6));
    co_await open.close();
    Peer closed(fix.host.address(1081), socks(asked, fix.host.address(80), true));
    EXPECT_EQ(co_await fix.body_of(
                  {.url = "http://far.example/x", .proxy_host = "socks5://ada:pw@server:1081"}),
              "GET /x");
    const auto error = co_await failure_of<HTTPConnectError>(
        fix.client.fetch("http://far.example/", {.proxy_host = "socks5://ada:xx@server:1081"}));
    EXPECT_THAT(error.what(), HasSubstr("does not accept the user or the password"));
    co_await closed.close();
  });
}

TEST(HTTPClientProxy, SOCKSRefusalsAreTold) {
  std::string asked;
  const HTTPRequest none;
  const auto tell = [](Peer::Script script) {
    return refused(std::move(script), {.url = "http://far/", .proxy_host = "socks5://server"});
  };
  EXPECT_THAT(tell(socks(asked, {}, false, 5)), HasSubstr("the proxy refused: connection refused"));
  EXPECT_THAT(tell(socks(asked, {}, true)), HasSubstr("asks for another authentication"));
  EXPECT_THAT(tell([](IOStream& stream) -> Task<> {
                co_await stream.write("HTTP/1.1 400 Bad Request\r\n\r\n");
                co_await stream.read_until_close();
              }),
              HasSubstr("does not speak SOCKS 5"));
}

}  // namespace
}  // namespace coronado
