// Who the other is: certificates of servers and of clients.
#include <coronado/net/tls.hpp>

#include "tests/net/tls_fixture.hpp"

namespace coronado {
namespace {

using namespace tls_test;

// --- whom one talks to ---------------------------------------------------------------------------
/// The client's outcome with a server that shows `identity`.
Task<Outcome> ask(TLSIdentity identity, std::shared_ptr<TLSContext> client, std::string host) {
  Pair pair;
  co_await pair.connect(TLSContext::server({.identities = {std::move(identity)}}),
                        std::move(client), std::move(host));
  Outcome outcome;
  outcome.error = pair.client.error;
  co_return outcome;
}

TEST(TLS, WrongCertificatesHaveErrorsOfTheirOwn) {
  run_async([]() -> Task<> {
    const TestCertificateOptions good{.common_name = "leaf", .dns_names = {"example.com"}};
    TestCertificateOptions expired = good;
    expired.valid_from = std::chrono::hours(-48);
    expired.valid_until = std::chrono::hours(-24);
    TestCertificateOptions early = good;
    early.valid_from = std::chrono::hours(24);
    early.valid_until = std::chrono::hours(48);
    const TestAuthority other("Other CA");
    const auto client = usual_client();

    const Outcome right = co_await ask(issue(good), client, "example.com");
    EXPECT_FALSE(right.error);
    const Outcome late = co_await ask(issue(expired), client, "example.com");
    late.expect<TLSExpiredError>("\"CN=leaf\" expired on 20", "example.com");
    const Outcome soon = co_await ask(issue(early), client, "example.com");
    soon.expect<TLSExpiredError>("\"CN=leaf\" is not valid before 20", "example.com");
    const Outcome elsewhere = co_await ask(issue(good), client, "example.org");
    elsewhere.expect<TLSHostError>("is for example.com, not for example.org", "example.org");
    const Outcome unsigned_ = co_await ask(identity(make_self_signed(good)), client, "example.com");
    unsigned_.expect<TLSSelfSignedError>("\"CN=leaf\" is signed by itself", "example.com");
    const Outcome unknown = co_await ask(identity(other.issue(good)), client, "example.com");
    unknown.expect<TLSUntrustedError>("signed by \"CN=Other CA\"", "example.com");
  });
}

TEST(TLS, HostsMatchExactlyOrByOneWildcard) {
  run_async([]() -> Task<> {
    const TLSIdentity names = issue({.common_name = "cn.example.com",
                                     .dns_names = {"*.example.com", "example.net"},
                                     .ip_addresses = {"192.0.2.7", "2001:db8::7"}});
    const auto client = usual_client();
    for (const char* host :
         {"a.example.com", "A.Example.COM", "example.net", "192.0.2.7", "2001:db8::7"}) {
      const Outcome outcome = co_await ask(names, client, host);
      EXPECT_FALSE(outcome.error) << host;
    }
    for (const char* host : {"example.com", "a.b.example.com", "x.example.net", "192.0.2.8"}) {
      const Outcome outcome = co_await ask(names, client, host);
      outcome.expect<TLSHostError>(std::string("not for ") + host);
    }
    // RFC 9525 2: the common name names no host.
    const TLSIdentity old = issue({.common_name = "example.com"});
    const Outcome outcome = co_await ask(old, client, "example.com");
    outcome.expect<TLSHostError>("not for example.com");
  });
}

TEST(TLS, VerificationIsOnUnlessTurnedOff) {
  run_async([]() -> Task<> {
    const TLSIdentity unsigned_ = identity(make_self_signed({.dns_names = {"example.com"}}));
    // The system's store knows nothing of our authority.
    const Outcome usual = co_await ask(example(), TLSContext::client(), "example.com");
    usual.expect<TLSUntrustedError>("which is not trusted");
    const auto nobody = TLSContext::client({.verify = TLSVerify::kNone});
    const Outcome anything = co_await ask(unsigned_, nobody, "example.org");
    EXPECT_FALSE(anything.error);
    const auto chain = TLSContext::client({.verify = TLSVerify::kChainOnly, .trust = trusted()});
    const Outcome other_host = co_await ask(example(), chain, "example.org");
    EXPECT_FALSE(other_host.error);
    const Outcome no_chain = co_await ask(unsigned_, chain, "example.com");
    no_chain.expect<TLSSelfSignedError>("itself");
  });
}

TEST(TLS, ClientThatVerifiesNeedsAHost) {
  run_async([]() -> Task<> {
    for (const std::string& host : {std::string(), std::string("a\0b", 3)}) {
      Pair pair;
      auto ends = make_memory_transports(*IOLoop::current());
      const auto refused =
          co_await outcome_of(tls_handshake(std::move(ends.first), usual_client(), host));
      EXPECT_THROW(std::rethrow_exception(refused.error), std::invalid_argument);
    }
  });
}

TEST(TLS, IntermediateAuthoritiesLeadToTheRoot) {
  run_async([]() -> Task<> {
    const TestAuthority middle = authority().issue_authority("Middle CA");
    const TLSIdentity leaf =
        identity(middle.issue({.common_name = "leaf", .dns_names = {"example.com"}}));
    Pair pair;
    co_await pair.connect(TLSContext::server({.identities = {leaf}}), usual_client());
    pair.expect_success();
    const std::vector<TLSCertificate> chain = pair.client.transport->verified_chain();
    EXPECT_EQ(chain.size(), 3U);
    if (chain.size() != 3) co_return;
    EXPECT_EQ(chain[0].subject, "CN=leaf");
    EXPECT_EQ(chain[1].subject, "CN=Middle CA");
    EXPECT_EQ(chain[2].subject, "CN=Test CA");
    EXPECT_EQ(chain[0].issuer, chain[1].subject);
  });
}

TEST(TLS, ServerNameChoosesTheCertificate) {
  run_async([]() -> Task<> {
    const auto named = [](const char* name, std::vector<std::string> hosts) {
      return issue({.common_name = name, .dns_names = std::move(hosts)});
    };
    const auto server = TLSContext::server(
        {.identities = {named("default", {"a.test"}), named("exact", {"www.b.test", "b.test"}),
                        named("wildcard", {"*.b.test"})}});
    const auto client = TLSContext::client({.verify = TLSVerify::kChainOnly, .trust = trusted()});
    for (const auto& [host, expected] :
         {std::pair("a.test", "default"), std::pair("b.test", "exact"),
          std::pair("WWW.B.TEST", "exact"), std::pair("x.b.test", "wildcard"),
          std::pair("x.y.b.test", "default"), std::pair("c.test", "default"),
          std::pair("192.0.2.1", "default"), std::pair("", "default")}) {
      Pair pair;
      co_await pair.connect(server, client, host);
      pair.expect_success();
      EXPECT_EQ(pair.client.transport->peer_certificate()->common_name, expected) << host;
    }
    Pair pair;
    co_await pair.connect(server, client, "x.b.test");
    EXPECT_EQ(pair.server.transport->server_name(), "x.b.test");
    EXPECT_EQ(pair.client.transport->server_name(), "x.b.test");
  });
}

// --- clients with certificates -------------------------------------------------------------------

TEST(TLS, ClientShowsWhoItIs) {
  run_async([]() -> Task<> {
    const TLSIdentity ada = issue({.common_name = "Ada",
                                   .dns_names = {"ada.test"},
                                   .ip_addresses = {"192.0.2.1", "2001:db8::1"},
                                   .uris = {"spiffe://test/ada"}});
    for (const auto how : {TLSClientCertificates::kOptional, TLSClientCertificates::kRequired}) {
      Pair pair;
      co_await pair.connect(asking_server(how), client_with(ada));
      pair.expect_success();
      const std::optional<TLSCertificate> peer = pair.server.transport->peer_certificate();
      EXPECT_TRUE(peer.has_value());
      if (!peer) co_return;
      EXPECT_EQ(peer->subject, "CN=Ada");
      EXPECT_EQ(peer->common_name, "Ada");
      EXPECT_EQ(peer->issuer, "CN=Test CA");
      EXPECT_EQ(peer->dns_names, std::vector<std::string>{"ada.test"});
      EXPECT_EQ(peer->ip_addresses, (std::vector<std::string>{"192.0.2.1", "2001:db8::1"}));
      EXPECT_EQ(peer->uris, std::vector<std::string>{"spiffe://test/ada"});
      EXPECT_EQ(peer->fingerprint.size(), 64U);
      EXPECT_EQ(peer->serial.size(), 16U);
      EXPECT_LT(peer->not_before, std::chrono::system_clock::now());
      EXPECT_GT(peer->not_after, std::chrono::system_clock::now());
      EXPECT_EQ(pair.server.transport->verified_chain().size(), 2U);
    }
  });
}

TEST(TLS, ClientIsNotAskedOrNeedNotAnswer) {
  run_async([]() -> Task<> {
    const TLSIdentity ada = issue({.common_name = "Ada"});
    Pair unasked;
    co_await unasked.connect(example_server(), client_with(ada));
    unasked.expect_success();
    EXPECT_FALSE(unasked.server.transport->peer_certificate().has_value());
    Pair silent;
    co_await silent.connect(asking_server(TLSClientCertificates::kOptional), usual_client());
    silent.expect_success();
    EXPECT_FALSE(silent.server.transport->peer_certificate().has_value());
    EXPECT_TRUE(silent.server.transport->verified_chain().empty());
  });
}

TEST(TLS, ClientWithoutAGoodCertificateIsRefused) {
  run_async([]() -> Task<> {
    const TestAuthority other("Other CA");
    Pair none;
    co_await none.connect(asking_server(TLSClientCertificates::kRequired), usual_client());
    none.server.expect<TLSNoCertificateError>("shown no certificate", "127.0.0.1:40000");
    // In TLS 1.3 the client has finished before the server looks: it learns of it by an alert.
    EXPECT_EQ(none.at_client.ends, 1);
    EXPECT_EQ(none.at_client.error.category(), tls_alert_category());
    EXPECT_NE(none.at_client.error.message().find("certificate required"), std::string::npos)
        << none.at_client.error.message();
    Pair wrong;
    co_await wrong.connect(asking_server(TLSClientCertificates::kOptional),
                           client_with(identity(other.issue({.common_name = "Eve"}))));
    wrong.server.expect<TLSUntrustedError>("\"CN=Eve\" is signed by \"CN=Other CA\"");
    EXPECT_NE(wrong.at_client.error.message().find("unknown ca"), std::string::npos);
    // In TLS 1.2 the client waits for the server's answer.
    Pair older;
    co_await older.connect(
        asking_server(TLSClientCertificates::kRequired),
        TLSContext::client({.trust = trusted(), .max_version = TLSVersion::kTLS12}));
    older.client.expect<TLSAlertError>("alert \"handshake failure\"", "example.com");
  });
}

}  // namespace
}  // namespace coronado
