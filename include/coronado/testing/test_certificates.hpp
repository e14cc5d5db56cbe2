/// Certificates for tests, made when they are needed.
///
///     TestAuthority          signs certificates
///     TestCertificate        a certificate and its key, in PEM
///     make_self_signed       one that nobody vouches for
///
///     TestAuthority authority("Test CA");
///     TestCertificate localhost = authority.issue({.dns_names = {"localhost"}});
///
/// Keys are weak in no way but one: they lie in memory and nobody protects them.
///
/// Layer: testing.   Tornado  `testing.AsyncHTTPSTestCase`.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace coronado {

enum class TestKey : unsigned char { kP256, kRSA2048, kRSA1024 };

/// What a certificate is to say.
struct TestCertificateOptions {
  std::string common_name = "test";
  std::vector<std::string> dns_names = {};
  std::vector<std::string> ip_addresses = {};
  std::vector<std::string> uris = {};
  /// From now; negative: in the past.
  std::chrono::hours valid_from = std::chrono::hours(-1);
  std::chrono::hours valid_until = std::chrono::hours(24);
  TestKey key = TestKey::kP256;
  /// Encrypts the key's PEM text. Empty: it is not.
  std::string key_password = {};
};

struct TestCertificate {
  std::string certificate_pem;  ///< with the chain up to, but without, the root
  std::string key_pem;
};

/// An authority with a key of its own.
class TestAuthority {
 public:
  /// A root.   Throws  std::runtime_error  OpenSSL refuses.
  explicit TestAuthority(const std::string& name);
  TestAuthority(TestAuthority&&) noexcept;
  ~TestAuthority();

  /// Its own certificate: what clients trust.
  const std::string& certificate_pem() const noexcept;

  /// Throws  std::runtime_error
  TestCertificate issue(const TestCertificateOptions& options) const;
  /// An authority that this one has signed; what it issues brings the chain with it.
  TestAuthority issue_authority(const std::string& name) const;

 private:
  friend TestCertificate make_self_signed(const TestCertificateOptions& options);
  struct State;
  explicit TestAuthority(std::unique_ptr<State> state) noexcept;
  std::unique_ptr<State> state_;
};

/// Throws  std::runtime_error
TestCertificate make_self_signed(const TestCertificateOptions& options);

}  // namespace coronado
