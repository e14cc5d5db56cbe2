#include <coronado/testing/test_certificates.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace coronado {
namespace {

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++found;
  }
  return found;
}

// What the certificates say is tested where they are used: tests/net/tls_test.cpp.
TEST(TestCertificates, ChainComesWithTheCertificate) {
  const std::string begin = "-----BEGIN CERTIFICATE-----";
  const TestAuthority root("Root");
  const TestAuthority middle = root.issue_authority("Middle");
  EXPECT_EQ(count(root.issue({}).certificate_pem, begin), 1U);
  EXPECT_EQ(count(middle.issue({}).certificate_pem, begin), 2U);
  EXPECT_EQ(count(middle.issue_authority("Inner").issue({}).certificate_pem, begin), 3U);
  EXPECT_EQ(count(make_self_signed({}).certificate_pem, begin), 1U);
  EXPECT_NE(root.certificate_pem(), TestAuthority("Root").certificate_pem());
}

TEST(TestCertificates, KeysMayBeEncrypted) {
  const TestAuthority root("Root");
  EXPECT_EQ(count(root.issue({}).key_pem, "-----BEGIN PRIVATE KEY-----"), 1U);
  EXPECT_EQ(count(root.issue({.key_password = "secret"}).key_pem, "ENCRYPTED PRIVATE KEY"), 2U);
}

TEST(TestCertificates, WrongNamesAreRefused) {
  EXPECT_THROW(TestAuthority("Root").issue({.ip_addresses = {"localhost"}}), std::runtime_error);
}

}  // namespace
}  // namespace coronado
