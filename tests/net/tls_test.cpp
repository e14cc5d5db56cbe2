#include <coronado/net/tls.hpp>

#include <coronado/testing/temp_folder.hpp>

#include <algorithm>

#include "tests/net/tls_fixture.hpp"

namespace coronado {
namespace {

using namespace tls_test;

std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 131 + i / 251);
  return text;
}

// --- bytes ---------------------------------------------------------------------------------------

TEST(TLS, BytesTravelInBothDirections) {
  for (const TLSVersion version : {TLSVersion::kTLS12, TLSVersion::kTLS13}) {
    for (const std::size_t piece : {1UZ, 7UZ, 64UZ * 1024}) {
      SCOPED_TRACE(std::string(to_string(version)) + " in pieces of " + std::to_string(piece));
      run_async([&]() -> Task<> {
        Pair pair;
        const auto client = TLSContext::client(
            {.trust = trusted(), .min_version = version, .max_version = version});
        co_await pair.connect(example_server(), client, "example.com", {.piece = piece});
        pair.expect_success();
        if (!pair.client.transport || !pair.server.transport) co_return;
        EXPECT_EQ(pair.client.transport->version(), version);
        EXPECT_EQ(pair.server.transport->version(), version);
        EXPECT_NE(pair.client.transport->cipher(), "");
        EXPECT_EQ(pair.server.transport->cipher(), pair.client.transport->cipher());
        std::string expected;
        for (const std::size_t size : {1UZ, 0UZ, 100UZ, 16'384UZ, 16'385UZ, 40'000UZ}) {
          const std::string text = pattern(size);
          expected += text;
          pair.client.transport->write(text);
          pair.server.transport->write(text);
        }
        co_await Pair::settle();
        EXPECT_EQ(pair.at_server.text, expected);
        EXPECT_EQ(pair.at_client.text, expected);
        pair.client.transport->shutdown_write();
        pair.server.transport->shutdown_write();
        co_await Pair::settle();
        EXPECT_EQ(pair.at_server.ends, 1);
        EXPECT_EQ(pair.at_client.ends, 1);
        EXPECT_FALSE(pair.at_server.error) << pair.at_server.error.message();
        EXPECT_FALSE(pair.at_client.error) << pair.at_client.error.message();
      });
    }
  }
}

TEST(TLS, BytesThatCameWithTheHandshakeWaitForStart) {
  run_async([]() -> Task<> {
    Pair pair;
    co_await pair.shake_hands(example_server(), usual_client());
    pair.client.transport->start(pair.at_client);
    pair.client.transport->write("early");
    pair.client.transport->shutdown_write();
    co_await Pair::settle();
    pair.client.transport.reset();
    co_await Pair::settle();
    pair.server.transport->start(pair.at_server);
    EXPECT_EQ(pair.at_server.text, "");  // not from inside `start`
    co_await Pair::settle();
    EXPECT_EQ(pair.at_server.text, "early");
    EXPECT_EQ(pair.at_server.ends, 1);
    EXPECT_FALSE(pair.at_server.error);
  });
}

TEST(TLS, OneFlightIsOneWrite) {
  run_async([]() -> Task<> {
    Pair pair;
    co_await pair.connect(example_server(), usual_client());
    const std::string text = pattern(100'000);  // seven records
    pair.client.transport->write(text);
    co_await Pair::settle();
    EXPECT_EQ(pair.at_server.text, text);
    EXPECT_LE(pair.at_server.pieces, 4);  // decrypted 64 KiB at a time
  });
}

TEST(TLS, HalfCloseLeavesTheOtherDirection) {
  run_async([]() -> Task<> {
    Pair pair;
    co_await pair.connect(example_server(), usual_client());
    pair.client.transport->write("question");
    pair.client.transport->shutdown_write();
    pair.client.transport->write("lost");
    co_await Pair::settle();
    EXPECT_EQ(pair.at_server.text, "question");
    EXPECT_EQ(pair.at_server.ends, 1);
    EXPECT_EQ(pair.at_client.ends, 0);
    pair.server.transport->write("answer");
    co_await Pair::settle();
    EXPECT_EQ(pair.at_client.text, "answer");
    EXPECT_EQ(pair.at_client.ends, 0);
  });
}

TEST(TLS, BackPressureReachesTheWriter) {
  run_async([]() -> Task<> {
    Pair pair;
    co_await pair.connect(example_server(), usual_client(), "example.com", {.capacity = 4096});
    pair.server.transport->pause_receive();
    EXPECT_TRUE(pair.server_wire->receive_paused());
    const std::string text = pattern(300'000);
    pair.client.transport->write(text);
    co_await Pair::settle();
    EXPECT_GT(pair.client.transport->pending(), 200'000U);
    EXPECT_EQ(pair.at_server.text, "");
    EXPECT_EQ(pair.at_client.drained, 0);
    pair.server.transport->resume_receive();
    co_await Pair::settle();
    EXPECT_EQ(pair.at_server.text, text);
    EXPECT_EQ(pair.client.transport->pending(), 0U);
    EXPECT_EQ(pair.at_client.drained, 1);
  });
}

TEST(TLS, PausedInTheMiddleOfADelivery) {
  run_async([]() -> Task<> {
    Pair pair;
    co_await pair.connect(example_server(), usual_client());
    const std::string text = pattern(250'000);
    pair.at_server.on_bytes = [&] { pair.server.transport->pause_receive(); };
    pair.client.transport->write(text);
    pair.client.transport->shutdown_write();
    std::size_t before = 0;
    for (int i = 0; i < 20 && pair.at_server.ends == 0; ++i) {
      co_await Pair::settle();
      EXPECT_LE(pair.at_server.text.size() - before, 64U * 1024);
      // The end is not told while receiving is paused.
      EXPECT_EQ(pair.at_server.ends, pair.at_server.text.size() == before ? 1 : 0);
      before = pair.at_server.text.size();
      pair.server.transport->resume_receive();
      co_await moment();
    }
    co_await Pair::settle();
    EXPECT_EQ(pair.at_server.text, text);
    EXPECT_EQ(pair.at_server.ends, 1);
    EXPECT_FALSE(pair.at_server.error);
  });
}

TEST(TLS, PauseAndResumeInsideACallGoesOn) {
  run_async([]() -> Task<> {
    Pair pair;
    co_await pair.connect(example_server(), usual_client());
    pair.at_server.on_bytes = [&] {
      pair.server.transport->pause_receive();
      pair.server.transport->resume_receive();
    };
    const std::string text = pattern(200'000);
    pair.client.transport->write(text);
    co_await Pair::settle();
    EXPECT_EQ(pair.at_server.text, text);
    EXPECT_FALSE(pair.server_wire->receive_paused());
  });
}

TEST(TLS, HandlerMayDestroyTheTransport) {
  run_async([]() -> Task<> {
    {
      Pair pair;
      co_await pair.connect(example_server(), usual_client());
      pair.at_server.on_bytes = [&] { pair.server.transport.reset(); };
      pair.client.transport->write(pattern(200'000));
      co_await Pair::settle();
      EXPECT_EQ(pair.at_server.pieces, 1);
      EXPECT_EQ(pair.at_client.ends, 1);
    }
    {
      Pair pair;
      co_await pair.connect(example_server(), usual_client());
      pair.at_server.on_end = [&] { pair.server.transport.reset(); };
      pair.client.transport->shutdown_write();
      co_await Pair::settle();
      EXPECT_EQ(pair.at_server.ends, 1);
    }
  });
}

TEST(TLS, HandlerMayAnswerFromInsideACall) {
  run_async([]() -> Task<> {
    Pair pair;
    co_await pair.connect(example_server(), usual_client());
    pair.at_server.on_bytes = [&] { pair.server.transport->write(pair.at_server.text); };
    pair.client.transport->write("echo");
    co_await Pair::settle();
    EXPECT_EQ(pair.at_client.text, "echo");
  });
}

TEST(TLS, TLSCarriesTLS) {
  run_async([]() -> Task<> {
    Pair outer;
    co_await outer.shake_hands(example_server(), usual_client());
    const auto both = co_await multi(
        outcome_of(tls_handshake(std::move(outer.server.transport), example_server())),
        outcome_of(
            tls_handshake(std::move(outer.client.transport), usual_client(), "example.com")));
    EXPECT_FALSE(std::get<0>(both).error);
    EXPECT_FALSE(std::get<1>(both).error);
    Recorder at_server;
    Recorder at_client;
    std::get<0>(both).transport->start(at_server);
    std::get<1>(both).transport->start(at_client);
    const std::string text = pattern(200'000);
    std::get<1>(both).transport->write(text);
    co_await Pair::settle();
    EXPECT_EQ(at_server.text, text);
  });
}

// --- how it ends ---------------------------------------------------------------------------------

TEST(TLS, EndWithoutFarewellIsATruncation) {
  run_async([]() -> Task<> {
    Pair pair;
    co_await pair.connect(example_server(), usual_client());
    pair.client.transport->write("half of a mess");
    pair.client.transport.reset();
    co_await Pair::settle();
    EXPECT_EQ(pair.at_server.text, "half of a mess");
    EXPECT_EQ(pair.at_server.ends, 1);
    EXPECT_EQ(pair.at_server.error, TLSErrc::kTruncated);
    EXPECT_NE(pair.at_server.error.message().find("close_notify"), std::string::npos);
    EXPECT_NE(std::string(StreamClosedError(pair.at_server.error).what()).find("close_notify"),
              std::string::npos);
  });
}

TEST(TLS, ResetComesThroughAsItself) {
  run_async([]() -> Task<> {
    Pair pair;
    co_await pair.connect(example_server(), usual_client());
    pair.client_wire->reset();
    co_await Pair::settle();
    EXPECT_EQ(pair.at_server.error, std::errc::connection_reset);
  });
}

TEST(TLS, ForgedRecordBreaksTheConnection) {
  run_async([]() -> Task<> {
    Pair pair;
    co_await pair.connect(example_server(), usual_client());
    pair.client_wire->write(std::string("\x17\x03\x03\x00\x20", 5) + std::string(32, 'x'));
    co_await Pair::settle();
    EXPECT_EQ(pair.at_server.text, "");
    EXPECT_EQ(pair.at_server.ends, 1);
    EXPECT_EQ(pair.at_server.error, TLSErrc::kBadRecord);
    // The peer is told why.
    EXPECT_EQ(pair.at_client.ends, 1);
    EXPECT_EQ(pair.at_client.error.category(), tls_alert_category());
    EXPECT_NE(pair.at_client.error.message().find("bad record mac"), std::string::npos);
    pair.server.transport->write("dropped");
  });
}

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

std::shared_ptr<TLSContext> asking_server(TLSClientCertificates how) {
  return TLSContext::server(
      {.identities = {example()}, .client_certificates = how, .trust = trusted()});
}

std::shared_ptr<TLSContext> client_with(TLSIdentity identity) {
  return TLSContext::client({.trust = trusted(), .identity = std::move(identity)});
}

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

// --- what is agreed upon -------------------------------------------------------------------------

TEST(TLS, ProtocolsAreNegotiated) {
  run_async([]() -> Task<> {
    const auto server_with = [](std::vector<std::string> alpn) {
      return TLSContext::server({.identities = {example()}, .alpn = std::move(alpn)});
    };
    const auto client_offering = [](std::vector<std::string> alpn) {
      return TLSContext::client({.trust = trusted(), .alpn = std::move(alpn)});
    };
    struct Case {
      std::vector<std::string> server;
      std::vector<std::string> client;
      std::string agreed;
    };
    // The server's order counts.
    for (const Case& each : {Case{{"h2", "http/1.1"}, {"http/1.1", "h2"}, "h2"},
                             Case{{"http/1.1"}, {"h2", "http/1.1"}, "http/1.1"},
                             Case{{"h2"}, {}, ""}, Case{{}, {"h2"}, ""}}) {
      Pair pair;
      co_await pair.connect(server_with(each.server), client_offering(each.client));
      pair.expect_success();
      EXPECT_EQ(pair.server.transport->alpn(), each.agreed);
      EXPECT_EQ(pair.client.transport->alpn(), each.agreed);
    }
    Pair pair;
    co_await pair.connect(server_with({"h2"}), client_offering({"http/1.1"}));
    pair.server.expect<TLSHandshakeError>("no ALPN protocol");
    pair.client.expect<TLSAlertError>("no application protocol");
  });
}

TEST(TLS, VersionsAndCiphersMustMeet) {
  run_async([]() -> Task<> {
    Pair versions;
    co_await versions.connect(
        TLSContext::server({.identities = {example()}, .min_version = TLSVersion::kTLS13}),
        TLSContext::client({.trust = trusted(), .max_version = TLSVersion::kTLS12}));
    versions.server.expect<TLSHandshakeError>("no TLS version that both sides allow");
    versions.client.expect<TLSAlertError>("protocol version");
    Pair ciphers;
    co_await ciphers.connect(
        TLSContext::server({.identities = {example()},
                            .max_version = TLSVersion::kTLS12,
                            .ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256"}),
        TLSContext::client({.trust = trusted(), .ciphers = "ECDHE-ECDSA-AES256-GCM-SHA384"}));
    ciphers.server.expect<TLSHandshakeError>("no cipher that both sides allow");
    ciphers.client.expect<TLSAlertError>("handshake failure");
  });
}

// --- sessions ------------------------------------------------------------------------------------

/// True when the connection resumed a session, on both sides.
Task<bool> resumes(std::shared_ptr<TLSContext> server, std::shared_ptr<TLSContext> client,
                   std::string host = "example.com") {
  Pair pair;
  co_await pair.connect(std::move(server), std::move(client), std::move(host));
  pair.expect_success();
  if (!pair.client.transport || !pair.server.transport) co_return false;
  EXPECT_EQ(pair.client.transport->resumed(), pair.server.transport->resumed());
  EXPECT_TRUE(pair.client.transport->peer_certificate().has_value());
  co_return pair.client.transport->resumed();
}

TEST(TLS, SessionsAreResumed) {
  for (const TLSVersion version : {TLSVersion::kTLS12, TLSVersion::kTLS13}) {
    SCOPED_TRACE(to_string(version));
    run_async([&]() -> Task<> {
      const auto server = example_server();
      const auto client = TLSContext::client({.trust = trusted(), .max_version = version});
      std::vector<bool> got;
      for (int i = 0; i < 4; ++i) got.push_back(co_await resumes(server, client));
      EXPECT_EQ(got, (std::vector<bool>{false, true, true, true}));
      client->clear_session_cache();
      const bool forgotten = co_await resumes(server, client);
      EXPECT_FALSE(forgotten);
      server->rotate_ticket_keys();
      const bool previous_key = co_await resumes(server, client);
      EXPECT_TRUE(previous_key);
      server->rotate_ticket_keys();
      server->rotate_ticket_keys();
      const bool lost_key = co_await resumes(server, client);
      EXPECT_FALSE(lost_key);
    });
  }
}

TEST(TLS, SessionsAreNotResumedWhereTheyMustNot) {
  run_async([]() -> Task<> {
    const auto without_tickets =
        TLSContext::server({.identities = {example()}, .session_tickets = false});
    const auto client = usual_client();
    for (int i = 0; i < 2; ++i) {
      const bool resumed = co_await resumes(without_tickets, client);
      EXPECT_FALSE(resumed);
    }
    const auto without_cache = TLSContext::client({.trust = trusted(), .session_cache_size = 0});
    const auto server = example_server();
    for (int i = 0; i < 2; ++i) {
      const bool resumed = co_await resumes(server, without_cache);
      EXPECT_FALSE(resumed);
    }
    // Another server has other ticket keys; another client other sessions.
    const bool first = co_await resumes(server, client);
    EXPECT_FALSE(first);
    const bool other_server = co_await resumes(example_server(), client);
    EXPECT_FALSE(other_server);
    const bool other_client = co_await resumes(server, usual_client());
    EXPECT_FALSE(other_client);
  });
}

TEST(TLS, ServersWithOtherTrustDoNotResume) {
  // A session that was verified by one set of authorities says nothing to another.
  const TempFolder folder;
  run_async([&]() -> Task<> {
    const TestAuthority other("Other CA");
    const std::string file = folder.write("ca.pem", authority().certificate_pem());
    const auto server = TLSContext::server({.identities = {example()},
                                            .client_certificates = TLSClientCertificates::kOptional,
                                            .trust = {.ca_file = file}});
    const auto client = client_with(issue({.common_name = "Ada"}));
    const bool first = co_await resumes(server, client);
    EXPECT_FALSE(first);
    server->reload();
    const bool same = co_await resumes(server, client);
    EXPECT_TRUE(same);
    folder.write("ca.pem", other.certificate_pem());
    server->reload();
    Pair pair;
    co_await pair.connect(server, client);
    pair.server.expect<TLSUntrustedError>("\"CN=Ada\"");
  });
}

TEST(TLS, SessionCacheIsBounded) {
  run_async([]() -> Task<> {
    const auto server =
        TLSContext::server({.identities = {issue({.dns_names = {"a.test", "b.test", "c.test"}})}});
    const auto client = TLSContext::client({.trust = trusted(), .session_cache_size = 2});
    for (const char* host : {"a.test", "b.test", "c.test"}) {
      const bool resumed = co_await resumes(server, client, host);
      EXPECT_FALSE(resumed);
    }
    const bool oldest = co_await resumes(server, client, "a.test");
    EXPECT_FALSE(oldest);
    const bool newest = co_await resumes(server, client, "c.test");
    EXPECT_TRUE(newest);
  });
}

// --- peers that do not shake hands ---------------------------------------------------------------

/// A handshake with a peer that sends `bytes`, and then perhaps ends.
struct Stranger {
  explicit Stranger(std::string_view bytes) {
    auto ends = make_memory_transports(*IOLoop::current());
    ours = std::move(ends.first);
    theirs = std::move(ends.second);
    theirs->start(recorder);
    theirs->write(bytes);
  }
  Task<Outcome> meet(std::shared_ptr<TLSContext> context, TLSHandshakeOptions options = {}) {
    co_return co_await outcome_of(
        tls_handshake(std::move(ours), std::move(context), "example.com", options));
  }
  Recorder recorder;
  std::unique_ptr<Transport> ours;
  std::unique_ptr<Transport> theirs;
};

TEST(TLS, GarbageIsNamed) {
  run_async([]() -> Task<> {
    struct Case {
      std::string sent;
      std::string said;
    };
    for (const Case& each :
         {Case{"GET / HTTP/1.1\r\n\r\n", "plain HTTP (\"GET / HT\"...)"},
          Case{"OPTIONS * HTTP/1.1\r\n", "plain HTTP"},
          Case{"SSH-2.0-OpenSSH_9.2\r\n", "does not speak TLS (\"SSH-2.0-\"...)"},
          Case{std::string("\0\1\2\xff", 4), "does not speak TLS (\"....\"...)"}}) {
      Stranger stranger(each.sent);
      const Outcome outcome = co_await stranger.meet(example_server());
      outcome.expect<TLSGarbageError>(each.said, "127.0.0.1:40000");
    }
    Stranger server("HTTP/1.1 400 Bad Request\r\n\r\n");
    const Outcome outcome = co_await server.meet(usual_client());
    outcome.expect<TLSGarbageError>("plain HTTP", "example.com");
    // Looks like TLS at first.
    Stranger liar(std::string("\x16\x03\x01\x00\x05hello", 10));
    const Outcome lie = co_await liar.meet(example_server());
    lie.expect<TLSHandshakeError>("127.0.0.1:40000 failed: ", "127.0.0.1:40000");
  });
}

TEST(TLS, EndInTheMiddleOfTheHandshake) {
  run_async([]() -> Task<> {
    Stranger polite("\x16\x03\x01");
    polite.theirs->shutdown_write();
    const Outcome ended = co_await polite.meet(example_server());
    ended.expect<TLSTruncatedError>("the peer closed the connection", "127.0.0.1:40000");
    Stranger rude("");
    static_cast<MemoryTransport&>(*rude.theirs).reset();
    const Outcome broken = co_await rude.meet(usual_client());
    broken.expect<TLSTruncatedError>("broke: ", "example.com");
  });
}

TEST(TLS, SilentPeerTimesOut) {
  run_async([]() -> Task<> {
    const TimePoint begin = IOLoop::current()->now();
    Stranger silent("");
    const Outcome outcome = co_await silent.meet(example_server());
    outcome.expect<TLSTimeoutError>("10000 ms", "127.0.0.1:40000");
    EXPECT_GE(IOLoop::current()->now() - begin, 10s);
    EXPECT_LT(IOLoop::current()->now() - begin, 11s);
    co_await Pair::settle();
    EXPECT_EQ(silent.recorder.ends, 1);  // the connection is closed
    Stranger slow("");
    const Outcome sooner = co_await slow.meet(usual_client(), {.timeout = 50ms});
    sooner.expect<TLSTimeoutError>("50 ms", "example.com");
  });
}

TEST(TLS, HandshakeIsCancelled) {
  run_async([]() -> Task<> {
    for (const bool limited : {true, false}) {
      Stranger silent("");
      TLSHandshakeOptions options;
      if (!limited) options.timeout = Duration::zero();
      auto handle = IOLoop::current()->spawn(silent.meet(example_server(), options));
      co_await sleep(limited ? 5s : 2000s);
      EXPECT_FALSE(handle.done());
      handle.cancel();
      co_await moment();
      co_await moment();
      EXPECT_TRUE(handle.done());
      EXPECT_EQ(handle.context()->outcome(), TaskOutcome::kCancelled);
      co_await Pair::settle();
      EXPECT_EQ(silent.recorder.ends, 1);
    }
  });
}

TEST(TLS, HandshakeIsCancelledAtAnyMoment) {
  run_async([]() -> Task<> {
    const auto server = example_server();
    const auto client = usual_client();
    int finished = 0;
    int cancelled = 0;
    for (int turns = 0; turns < 25; ++turns) {
      auto ends = make_memory_transports(*IOLoop::current(), {.piece = 300});
      auto left =
          IOLoop::current()->spawn(outcome_of(tls_handshake(std::move(ends.first), server)));
      auto right = IOLoop::current()->spawn(
          outcome_of(tls_handshake(std::move(ends.second), client, "example.com")));
      for (int i = 0; i < turns; ++i) co_await next_turn();
      left.cancel();
      co_await Pair::settle();
      EXPECT_TRUE(left.done());
      EXPECT_TRUE(right.done());
      ++(left.context()->outcome() == TaskOutcome::kCancelled ? cancelled : finished);
    }
    EXPECT_GT(finished, 0);
    EXPECT_GT(cancelled, 2);
  });
}

// --- the budget ----------------------------------------------------------------------------------

TEST(TLS, HandshakeStormLeavesTurnsToOthers) {
  run_async([]() -> Task<> {
    constexpr int kStorm = 40;
    constexpr unsigned kSteps = 2;
    const auto server =
        TLSContext::server({.identities = {example()}, .handshake_steps_per_turn = kSteps});
    const auto client = TLSContext::client({.trust = trusted(), .handshake_steps_per_turn = 1000});
    struct Counts {
      int turns = 0;
      int done = 0;
    } counts;
    auto one = [](Counts& at, std::unique_ptr<Transport> transport,
                  std::shared_ptr<TLSContext> context) -> Task<> {
      const auto secure = co_await tls_handshake(std::move(transport), std::move(context));
      ++at.done;
    };
    auto count_turns = [](Counts& at) -> Task<> {
      while (at.done < kStorm) {
        ++at.turns;
        co_await next_turn();
      }
    };
    std::vector<TaskHandle<Outcome>> clients;
    std::vector<TaskHandle<>> servers;
    for (int i = 0; i < kStorm; ++i) {
      auto ends = make_memory_transports(*IOLoop::current());
      servers.push_back(IOLoop::current()->spawn(one(counts, std::move(ends.first), server)));
      clients.push_back(IOLoop::current()->spawn(
          outcome_of(tls_handshake(std::move(ends.second), client, "example.com"))));
    }
    co_await count_turns(counts);
    // Two steps a server's handshake: hello, and the client's answer.
    EXPECT_GE(counts.turns, kStorm * 2 / static_cast<int>(kSteps));
    EXPECT_LT(counts.turns, kStorm * 2);
    for (auto& each : clients) {
      const Outcome outcome = co_await each.join();
      EXPECT_FALSE(outcome.error);
    }
  });
}

}  // namespace
}  // namespace coronado
