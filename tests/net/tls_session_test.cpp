// Sessions that are resumed, and those that must not be.
#include <coronado/net/tls.hpp>

#include <coronado/testing/temp_folder.hpp>

#include "tests/net/tls_fixture.hpp"

namespace coronado {
namespace {

using namespace tls_test;

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

}  // namespace
}  // namespace coronado
