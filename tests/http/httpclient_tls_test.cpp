// HTTPS: the client's part of it. What TLS itself does is tested in tests/net/tls_test.cpp.
#include <coronado/http/httpclient.hpp>

#include <coronado/http/cookie_jar.hpp>
#include <coronado/net/tls.hpp>
#include <coronado/net/tls_context.hpp>
#include <coronado/testing/temp_folder.hpp>
#include <coronado/testing/test_certificates.hpp>

#include "tests/http/client_fixture.hpp"

namespace coronado {
namespace {

using namespace client_test;

const TestAuthority& authority() {
  static const TestAuthority one("Test CA");
  return one;
}

TLSIdentity issue(const TestCertificateOptions& options) {
  const TestCertificate made = authority().issue(options);
  return {.certificate_pem = made.certificate_pem, .key_pem = made.key_pem};
}

/// A second server, with TLS, at port 443.
void with_tls(std::function<Task<>(Fixture&)> body, HTTPClientOptions client = {}) {
  run_async([&]() -> Task<> {
    HTTPServerOptions options;
    options.tls = TLSContext::server({.identities = {issue({.dns_names = {"server"}})},
                                      .client_certificates = TLSClientCertificates::kOptional,
                                      .trust = {.ca_pem = authority().certificate_pem()}});
    Fixture fix(std::move(client));
    HTTPServer secure(*IOLoop::current(), fix.service, std::move(options));
    Door door(secure, fix.host.address(443));
    fix.service.on("/who", [](HTTPExchange& exchange) -> Task<> {
      const auto peer = exchange.request().tls()->peer_certificate();
      respond_text(exchange, peer ? peer->common_name : "anybody");
      co_return;
    });
    co_await body(fix);
    co_await secure.close();
    co_await fix.close();
  });
}

HTTPRequest trusting(std::string url) {
  static const auto context =
      TLSContext::client({.trust = {.ca_pem = authority().certificate_pem()}});
  HTTPRequest request{.url = std::move(url)};
  request.tls = context;
  return request;
}

TEST(HTTPClientTLS, FetchesAndKeepsConnections) {
  with_tls([](Fixture& fix) -> Task<> {
    for (int i = 0; i < 3; ++i) {
      const HTTPClientResponse page = co_await fix.client.fetch(trusting("https://server/x"));
      EXPECT_EQ(page.body, "GET /x");
      EXPECT_EQ(page.time_info.appconnect > 0s, i == 0);
    }
    EXPECT_EQ(fix.client.stats().connects, 1U);
    HTTPRequest upload = trusting("https://server/echo");
    upload.method = "PUT";
    upload.body = std::string(700'000, 'u');
    EXPECT_GT((co_await fix.body_of(std::move(upload))).size(), 700'000U);
  });
}

TEST(HTTPClientTLS, CertificatesAreChecked) {
  with_tls([](Fixture& fix) -> Task<> {
    const auto error =
        co_await failure_of<HTTPConnectError>(fix.client.fetch("https://server/who"));
    EXPECT_EQ(error.connect_error().phase(), ConnectError::Phase::kUpgrade);
    EXPECT_THROW(std::rethrow_exception(error.connect_error().cause()), TLSUntrustedError);
    EXPECT_THAT(error.what(), HasSubstr("GET https://server/who: cannot connect to server:443: "));
    EXPECT_EQ(fix.client.stats().busy, 0U);
    const auto host =
        co_await failure_of<HTTPConnectError>(fix.client.fetch(trusting("https://10.0.0.80/who")));
    EXPECT_THROW(std::rethrow_exception(host.connect_error().cause()), TLSHostError);
    EXPECT_EQ(co_await fix.body_of({.url = "https://server/who", .validate_cert = false}),
              "anybody");
    // A connection that was not verified is not used for a request that wants it to be.
    co_await failure_of<HTTPConnectError>(fix.client.fetch("https://server/who"));
  });
}

TEST(HTTPClientTLS, FilesOfCertificates) {
  with_tls([](Fixture& fix) -> Task<> {
    const TempFolder folder;
    const std::string ca = folder.write("ca.pem", authority().certificate_pem());
    const TestCertificate ada = authority().issue({.common_name = "Ada"});
    const std::string certificate = folder.write("cert.pem", ada.certificate_pem);
    const std::string key = folder.write("key.pem", ada.key_pem);
    EXPECT_EQ(co_await fix.body_of({.url = "https://server/who", .ca_certs = ca}), "anybody");
    for (int i = 0; i < 2; ++i) {
      EXPECT_EQ(co_await fix.body_of({.url = "https://server/who",
                                      .ca_certs = ca,
                                      .client_cert = certificate,
                                      .client_key = key}),
                "Ada");
    }
    EXPECT_EQ(fix.client.stats().connects, 2U);  // each with its own certificate
    co_await failure_of<TLSFileError>(
        fix.client.fetch("https://server/who", {.ca_certs = "/nowhere.pem"}));
    EXPECT_EQ(fix.client.stats().busy, 0U);
  });
}

TEST(HTTPClientTLS, APlainServerIsNamed) {
  with_tls([](Fixture& fix) -> Task<> {
    const auto error =
        co_await failure_of<HTTPConnectError>(fix.client.fetch(trusting("https://server:80/")));
    EXPECT_THROW(std::rethrow_exception(error.connect_error().cause()), TLSGarbageError);
  });
}

TEST(HTTPClientTLS, TheHandshakeCountsAsConnecting) {
  with_tls([](Fixture& fix) -> Task<> {
    Peer mute(fix.host.address(444),
              [](IOStream& stream) -> Task<> { co_await stream.read_until_close(); });
    HTTPRequest request = trusting("https://server:444/");
    request.connect_timeout = 3s;
    const auto error = co_await failure_of<HTTPTimeoutError>(fix.client.fetch(std::move(request)));
    EXPECT_EQ(error.phase(), HTTPPhase::kConnect);
    EXPECT_THAT(error.what(), HasSubstr("gave up after 3 s during the handshake"));
    co_await mute.close();
  });
}

TEST(HTTPClientTLS, ATruncatedBodyIsNoBody) {
  with_tls([](Fixture& fix) -> Task<> {
    fix.service.on("/cut", [](HTTPExchange& exchange) -> Task<> {
      exchange.start({.fields = "Connection: close\r\n"}, std::nullopt, "half");
      co_await sleep(1s);
      exchange.abort();
    });
    const auto error = co_await failure_of<HTTPStreamClosedError>(
        fix.client.fetch(trusting("https://server/cut")));
    EXPECT_EQ(error.phase(), HTTPPhase::kReceive);
  });
}

TEST(HTTPClientTLS, NoBodyGoesFromTLSIntoTheClear) {
  with_tls([](Fixture& fix) -> Task<> {
    HTTPRequest request = trusting("https://server/redirect?307+http://server/echo");
    request.method = "POST";
    request.body = "secret";
    const auto error = co_await failure_of<HTTPClientError>(fix.client.fetch(std::move(request)));
    EXPECT_EQ(error.code(), 307);
    EXPECT_EQ(fix.door->accepted, 0);
    HTTPRequest get = trusting("https://server/redirect?307+http://server/echo");
    get.bearer_token = "secret";
    EXPECT_THAT(co_await fix.body_of(std::move(get)), Not(HasSubstr("secret")));
  });
}

}  // namespace
}  // namespace coronado
