#include <coronado/net/tls_context.hpp>

#include <coronado/testing/temp_folder.hpp>

#include "tests/net/tls_fixture.hpp"

namespace coronado {
namespace {

using namespace tls_test;

template <class Error, class F>
void expect_error(F&& build, const std::string& subject, const std::string& text) {
  try {
    build();
    ADD_FAILURE() << "no error: " << subject;
  } catch (const Error& error) {
    EXPECT_EQ(error.subject(), subject);
    EXPECT_NE(std::string(error.what()).find(text), std::string::npos) << error.what();
  } catch (const std::exception& error) {
    ADD_FAILURE() << "another error: " << error.what();
  }
}

template <class Error>
void expect_identity_error(TLSIdentity identity, const std::string& subject,
                           const std::string& text) {
  expect_error<Error>([&] { TLSContext::server({.identities = {identity}}); }, subject, text);
}

TEST(TLSContext, FilesAreNamedWhenTheyCannotBeUsed) {
  const TempFolder folder;
  const TestCertificate good = authority().issue({});
  const std::string certificate = folder.write("chain.pem", good.certificate_pem);
  const std::string key = folder.write("key.pem", good.key_pem);
  const std::string nothing = folder.write("nothing.pem", "nothing here\n");
  const std::string absent = folder.at("absent.pem");
  EXPECT_NO_THROW(
      TLSContext::server({.identities = {{.certificate_file = certificate, .key_file = key}}}));
  expect_identity_error<TLSFileError>({.certificate_file = absent, .key_file = key}, absent,
                                      "No such file");
  expect_identity_error<TLSFileError>({.certificate_file = certificate, .key_file = absent}, absent,
                                      "No such file");
  expect_identity_error<TLSFileError>({.certificate_file = folder.path(), .key_file = key},
                                      folder.path(), "directory");
  expect_identity_error<TLSFileError>({.certificate_file = certificate, .key_file = folder.path()},
                                      folder.path(), "directory");
  expect_identity_error<TLSFileError>({.certificate_file = nothing, .key_file = key}, nothing,
                                      "no PEM certificate");
  expect_identity_error<TLSFileError>({.certificate_file = certificate, .key_file = nothing},
                                      nothing, "no PEM private key");
  // The key is looked for beside the certificate.
  expect_identity_error<TLSFileError>({.certificate_file = certificate}, certificate,
                                      "no PEM private key");
  const std::string both = folder.write("both.pem", good.key_pem + good.certificate_pem);
  EXPECT_NO_THROW(TLSContext::server({.identities = {{.certificate_file = both}}}));
  const std::string broken =
      folder.write("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  expect_identity_error<TLSFileError>({.certificate_file = broken, .key_file = key}, broken,
                                      "cannot use the certificates of");
}

TEST(TLSContext, KeyOfAnotherCertificate) {
  const TempFolder folder;
  const std::string certificate = folder.write("chain.pem", authority().issue({}).certificate_pem);
  const std::string key = folder.write("key.pem", authority().issue({}).key_pem);
  expect_identity_error<TLSKeyMismatchError>({.certificate_file = certificate, .key_file = key},
                                             key, certificate);
}

TEST(TLSContext, WeakKeyIsRefused) {
  const TestCertificate weak = authority().issue({.key = TestKey::kRSA1024});
  expect_identity_error<TLSWeakKeyError>(identity(weak), "the certificate given as text",
                                         "1024 bits");
  EXPECT_NO_THROW(TLSContext::server({.identities = {issue({.key = TestKey::kRSA2048})}}));
}

TEST(TLSContext, EncryptedKeyNeedsItsPassword) {
  const TestCertificate sealed = authority().issue({.key_password = "open sesame"});
  TLSIdentity with = identity(sealed);
  expect_identity_error<TLSFileError>(with, "the private key given as text", "no password");
  with.key_password = "wrong";
  expect_identity_error<TLSFileError>(with, "the private key given as text", "password is wrong");
  with.key_password = "open sesame";
  EXPECT_NO_THROW(TLSContext::server({.identities = {with}}));
}

TEST(TLSContext, CiphersAreNamedWhenUnknown) {
  const auto with = [](std::string ciphers, std::string suites) {
    return [=] {
      TLSContext::server({.identities = {example()}, .ciphers = ciphers, .ciphersuites = suites});
    };
  };
  EXPECT_NO_THROW(with("ECDHE+AESGCM:!aNULL", "TLS_AES_256_GCM_SHA384")());
  expect_error<TLSCipherError>(with("ROT13", ""), "ROT13", "\"ROT13\"");
  // OpenSSL would pass over it.
  expect_error<TLSCipherError>(with("ECDHE+AESGCM:ROT13", ""), "ECDHE+AESGCM:ROT13", "\"ROT13\"");
  expect_error<TLSCipherError>(with("", "TLS_ROT13"), "TLS_ROT13", "\"TLS_ROT13\"");
  expect_error<TLSCipherError>(with("!ALL", ""), "!ALL", "\"!ALL\"");
}

TEST(TLSContext, OptionsThatDoNotFit) {
  expect_error<TLSConfigError>([] { TLSContext::server({}); }, "identities", "certificate");
  expect_error<TLSConfigError>(
      [] {
        TLSContext::server(
            {.identities = {example()}, .client_certificates = TLSClientCertificates::kRequired});
      },
      "trust", "no authority");
  expect_error<TLSConfigError>(
      [] {
        TLSContext::client({.min_version = TLSVersion::kTLS13, .max_version = TLSVersion::kTLS12});
      },
      "TLSv1.3", "above");
  expect_error<TLSConfigError>(
      [] { TLSContext::server({.identities = {example()}, .alpn = {"h2", ""}}); }, "",
      "1 to 255 bytes");
  expect_error<TLSConfigError>([] { TLSContext::client({.alpn = {std::string(256, 'x')}}); },
                               std::string(256, 'x'), "1 to 255 bytes");
}

TEST(TLSContext, AuthoritiesAreNamedWhenTheyCannotBeUsed) {
  const TempFolder folder;
  const std::string absent = folder.at("absent");
  const std::string nothing = folder.write("nothing.pem", "");
  expect_error<TLSFileError>([&] { TLSContext::client({.trust = {.ca_file = absent}}); }, absent,
                             "No such file");
  expect_error<TLSFileError>([&] { TLSContext::client({.trust = {.ca_file = nothing}}); }, nothing,
                             "no PEM certificate");
  expect_error<TLSFileError>([&] { TLSContext::client({.trust = {.ca_directory = absent}}); },
                             absent, "no directory");
  EXPECT_NO_THROW(TLSContext::client({.trust = {.ca_directory = folder.path()}}));
}

TEST(TLSContext, RoleIsTheOneItWasMadeFor) {
  EXPECT_EQ(example_server()->role(), TLSContext::Role::kServer);
  EXPECT_EQ(TLSContext::client()->role(), TLSContext::Role::kClient);
  EXPECT_STREQ(to_string(TLSVersion::kTLS12), "TLSv1.2");
}

std::string common_name(const Pair& pair) {
  return pair.client.transport ? pair.client.transport->peer_certificate()->common_name : "";
}

TEST(TLSContext, ReloadTakesNewFilesAndKeepsConnections) {
  const TempFolder folder;
  const auto put = [&](const std::string& name) {
    const TestCertificate made =
        authority().issue({.common_name = name, .dns_names = {"example.com"}});
    folder.write("chain.pem", made.certificate_pem);
    folder.write("key.pem", made.key_pem);
  };
  put("first");
  const auto server =
      TLSContext::server({.identities = {{.certificate_file = folder.at("chain.pem"),
                                          .key_file = folder.at("key.pem")}}});
  run_async([&]() -> Task<> {
    Pair before;
    co_await before.connect(server, usual_client());
    EXPECT_EQ(common_name(before), "first");

    // Files that do not fit together: the old ones go on.
    folder.write("key.pem", authority().issue({}).key_pem);
    EXPECT_THROW(server->reload(), TLSKeyMismatchError);
    Pair kept;
    co_await kept.connect(server, usual_client());
    EXPECT_EQ(common_name(kept), "first");

    put("second");
    server->reload();
    Pair after;
    co_await after.connect(server, usual_client());
    EXPECT_EQ(common_name(after), "second");
    before.client.transport->write("still there");
    co_await Pair::settle();
    EXPECT_EQ(before.at_server.text, "still there");
  });
}

TEST(TLSContext, ReloadInTheMiddleOfAHandshake) {
  const auto server = example_server();
  run_async([&]() -> Task<> {
    for (int step = 0; step < 12; ++step) {
      Pair pair;
      auto ends = make_memory_transports(*IOLoop::current(), {.piece = 200});
      auto reload = [](TLSContext& context, int turns) -> Task<int> {
        for (int i = 0; i < turns; ++i) co_await next_turn();
        context.reload();
        co_return 0;
      };
      const auto all = co_await multi(
          outcome_of(tls_handshake(std::move(ends.first), server)),
          outcome_of(tls_handshake(std::move(ends.second), usual_client(), "example.com")),
          reload(*server, step));
      EXPECT_FALSE(std::get<0>(all).error);
      EXPECT_FALSE(std::get<1>(all).error);
    }
  });
}

}  // namespace
}  // namespace coronado
