// Both engines reach a server by the same ways: TLS, proxies, Unix sockets.
#include <coronado/http/httpclient.hpp>

#include <coronado/net/netutil.hpp>
#include <coronado/net/tcpclient.hpp>
#include <coronado/net/tls.hpp>
#include <coronado/net/tls_context.hpp>
#include <coronado/testing/temp_folder.hpp>
#include <coronado/testing/test_certificates.hpp>

#include <cstdio>

#include "tests/http/client_engines.hpp"
#include "tests/http/proxy_peers.hpp"

namespace coronado {
namespace {

using namespace client_test;

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
        EXPECT_EQ(error.connect_error().phase(), ConnectError::Phase::kUpgrade);
        std::string other = url;
        other.replace(8, 6, "another");
        error = co_await failure_of<HTTPConnectError>(bench.client.fetch(other, {.ca_certs = ca}));
        EXPECT_EQ(error.connect_error().phase(), ConnectError::Phase::kUpgrade);
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
    EXPECT_EQ(error.connect_error().phase(), ConnectError::Phase::kUpgrade);
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
        EXPECT_EQ(error.connect_error().phase(), ConnectError::Phase::kUpgrade);
        EXPECT_THAT(error.what(), HasSubstr("407"));
        co_await refuses.close();
        bench.client.close();
        co_await proxy.close();
      },
      {}, secure_server(authority));
}

/// Asks through `proxy`, with Digest authentication.
HTTPRequest through(const Peer& proxy, std::string url, std::string password = "pw") {
  HTTPRequest request{.url = std::move(url), .proxy_host = "proxy"};
  request.proxy_port = proxy.address().port;
  request.proxy_username = "ada";
  request.proxy_password = std::move(password);
  request.proxy_auth_mode = HTTPAuth::kDigest;
  return request;
}

TEST_P(HTTPClientEngines, ProxiesAskForDigestCredentials) {
  for (const auto then : {DigestProxy::Then::kGoesOn, DigestProxy::Then::kCloses}) {
    with_bench([&](Bench& bench) -> Task<> {
      DigestProxy proxy{.then = then};
      Peer peer(any_port(), proxy.script());
      HTTPRequest request = through(peer, "http://far.example:81/a?b");
      request.method = "POST";
      request.body = "sent twice";
      EXPECT_EQ(co_await bench.body_of(std::move(request)), "ok");
      EXPECT_EQ(proxy.asked.size(), 2U);
      EXPECT_THAT(proxy.asked.front(), Not(HasSubstr("Proxy-Authorization")));
      EXPECT_THAT(proxy.asked.back(), HasSubstr("uri=\"http://far.example:81/a?b\""));
      EXPECT_THAT(proxy.asked.back(), Not(HasSubstr("Basic")));
      // Once refused is enough, and others than the proxy may not ask.
      const auto error = co_await failure_of<HTTPClientError>(
          bench.client.fetch(through(peer, "http://far.example/", "wrong")));
      EXPECT_EQ(error.code(), 407);
      EXPECT_EQ(proxy.asked.size(), 4U);
      bench.client.close();
      co_await peer.close();
    });
  }
}

TEST_P(HTTPClientEngines, TunnelsAskForDigestCredentials) {
  const TestAuthority authority("Test CA");
  for (const auto then : {DigestProxy::Then::kGoesOn, DigestProxy::Then::kCloses}) {
    with_bench(
        [&](Bench& bench) -> Task<> {
          const TempFolder folder;
          const std::string ca = folder.write("ca.pem", authority.certificate_pem());
          DigestProxy proxy{.then = then,
                            .to = *SocketAddress::from_ip("127.0.0.1", bench.server.port())};
          Peer peer(any_port(), proxy.script());
          HTTPRequest request = through(peer, "https://far.example/echo");
          request.ca_certs = ca;
          request.headers.add("Proxy-Authorization", "Mine");
          const std::string seen = co_await bench.body_of(std::move(request));
          EXPECT_THAT(seen, HasSubstr("GET\nHost: far.example\n"));
          EXPECT_THAT(seen, Not(HasSubstr("Authorization")));
          EXPECT_EQ(proxy.asked.size(), 2U);
          EXPECT_THAT(proxy.asked.front(), Not(HasSubstr("Authorization")));
          EXPECT_THAT(proxy.asked.back(), HasSubstr("uri=\"far.example:443\""));
          EXPECT_EQ(peer.accepted, then == DigestProxy::Then::kGoesOn ? 1 : 2);
          const auto error = co_await failure_of<HTTPConnectError>(
              bench.client.fetch(through(peer, "https://far.example/", "wrong")));
          EXPECT_THAT(error.what(), HasSubstr("407"));
          EXPECT_EQ(proxy.asked.size(), 4U);
          bench.client.close();
          co_await peer.close();
        },
        {}, secure_server(authority));
  }
}

/// A host with an IPv6 address before the IPv4 one, both on this machine.
class BothFamilies final : public Resolver {
 public:
  Task<Resolution> resolve(ResolveRequest request) override {
    co_return Resolution{{*SocketAddress::from_ip("::1", request.port),
                          *SocketAddress::from_ip("127.0.0.1", request.port)},
                         std::nullopt};
  }
};

HTTPClient client_of_both(HTTPClientEngine engine) {
  return HTTPClient({.engine = engine, .resolver = std::make_shared<BothFamilies>()});
}

TEST_P(HTTPClientEngines, AFamilyThatFailsAtOnce) {
  with_bench([](Bench& bench) -> Task<> {  // whose server has no IPv6 address
    HTTPClient client = client_of_both(GetParam());
    EXPECT_EQ((co_await client.fetch(bench.at("/x"))).body, "GET /x");
    EXPECT_EQ(client.stats().connects, 1U);
  });
}

/// Connections from this machine to a port of ::1 that wait for an answer.
int unanswered(std::uint16_t port) {
  std::FILE* table = std::fopen("/proc/net/tcp6", "r");
  if (table == nullptr) return 0;
  int found = 0;
  char line[512];
  while (std::fgets(line, sizeof line, table) != nullptr) {
    unsigned to = 0;
    unsigned state = 0;
    const int read = std::sscanf(line, " %*d: %*32[0-9A-F]:%*x %*32[0-9A-F]:%x %x", &to, &state);
    constexpr unsigned kSynSent = 2;
    if (read == 2 && to == port && state == kSynSent) ++found;
  }
  std::fclose(table);
  return found;
}

TEST_P(HTTPClientEngines, AFamilyThatNeverAnswers) {
  with_bench([](Bench& bench) -> Task<> {
    // A socket with a place for one connection, which is taken, answers no other.
    std::vector<Socket> silent;
    const std::uint16_t port = bench.server.port();
    try {
      silent = bind_sockets(port, {.address = "::1", .backlog = 0});
    } catch (const std::system_error&) {
      GTEST_LOG_(INFO) << "no IPv6 here";
      co_return;
    }
    const auto first = co_await connect_to(*SocketAddress::from_ip("::1", port));
    HTTPClient client = client_of_both(GetParam());
    const HTTPClientResponse page = co_await client.fetch(bench.at("/x"));
    EXPECT_EQ(page.body, "GET /x");
    EXPECT_GE(page.time_info.connect, 150ms);  // that the IPv6 address was given
    EXPECT_EQ(unanswered(port), 0);
    EXPECT_EQ(client.stats().connects, 1U);
  });
}

TEST_P(HTTPClientEngines, ConnectionsComeFromAnInterface) {
  with_bench([](Bench& bench) -> Task<> {
    const std::string url = bench.at("/x");
    EXPECT_EQ(co_await bench.body_of({.url = url}), "GET /x");
    EXPECT_EQ(co_await bench.body_of({.url = url, .network_interface = "lo"}), "GET /x");
    EXPECT_EQ(bench.client.stats().connects, 2U) << "it went over one from anywhere";
    const std::string numeric = "http://127.0.0.1" + url.substr(url.rfind(':'));
    EXPECT_EQ(co_await bench.body_of({.url = numeric, .network_interface = "lo"}), "GET /x");
    for (const std::string& each : {url, numeric}) {
      const auto error = co_await failure_of<HTTPConnectError>(
          bench.client.fetch(each, {.network_interface = "nosuch0"}));
      EXPECT_THAT(error.what(), HasSubstr("GET " + each + ": cannot connect to "));
      EXPECT_THAT(error.what(), HasSubstr("there is no network interface \"nosuch0\""));
    }
    EXPECT_EQ(bench.client.stats().busy, 0U);
  });
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

}  // namespace
}  // namespace coronado
