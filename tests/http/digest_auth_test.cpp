#include "http/digest_auth.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace coronado {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// RFC 7616 3.9.1
constexpr const char* kSHA256 =
    "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=SHA-256, "
    "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", "
    "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"";
constexpr const char* kMD5 =
    "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=MD5, "
    "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", "
    "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"";

std::string answer(const std::vector<std::string_view>& fields) {
  const auto challenge = DigestChallenge::find(fields);
  if (!challenge) return "none";
  return challenge->answer("GET", "/dir/index.html", "Mufasa", "Circle of Life",
                           "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ");
}

TEST(DigestAuth, AnswersAsTheStandardDoes) {
  EXPECT_THAT(
      answer({kSHA256}),
      HasSubstr("response=\"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"
                "\""));
  EXPECT_EQ(answer({kMD5}),
            "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", "
            "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", uri=\"/dir/index.html\", "
            "response=\"8ca523f5e9506fed4657c9700eebdbec\", algorithm=MD5, "
            "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\", "
            "cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", qop=auth, nc=00000001");
}

TEST(DigestAuth, OldServersHaveNoQop) {
  // RFC 2069: response = H(H(A1) ":" nonce ":" H(A2))
  const auto challenge =
      DigestChallenge::find({"Digest realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f"
                             "600bfb0c093\", opaque=\"5ccc069c403ebaf9f0171e9517f40e41\""});
  ASSERT_TRUE(challenge);
  const std::string text =
      challenge->answer("GET", "/dir/index.html", "Mufasa", "CircleOfLife", "x");
  EXPECT_THAT(text, HasSubstr("response=\"1949323746fe6a43ef61f9606e7febea\""));
  EXPECT_THAT(text, Not(HasSubstr("qop")));
  EXPECT_THAT(text, Not(HasSubstr("algorithm")));
}

TEST(DigestAuth, TheStrongestChallengeIsChosen) {
  EXPECT_THAT(answer({kMD5, kSHA256}), HasSubstr("algorithm=SHA-256"));
  EXPECT_THAT(answer({kSHA256, kMD5}), HasSubstr("algorithm=SHA-256"));
  const std::string one = std::string("Basic realm=\"x\", ") + kMD5 + ", Bearer";
  EXPECT_THAT(answer({one}), HasSubstr("algorithm=MD5"));
  EXPECT_THAT(answer({"Negotiate YWJj==, Digest nonce=abc, realm=\"a \\\" b\""}),
              HasSubstr("realm=\"a \\\" b\", nonce=\"abc\""));
}

TEST(DigestAuth, WhatCannotBeAnsweredIsNot) {
  EXPECT_EQ(answer({}), "none");
  EXPECT_EQ(answer({"Basic realm=\"x\""}), "none");
  EXPECT_EQ(answer({"Digest realm=\"x\""}), "none");
  EXPECT_EQ(answer({"Digest nonce=\"n\", algorithm=SHA-512-256"}), "none");
  EXPECT_EQ(answer({"Digest nonce=\"n\", qop=\"auth-int\""}), "none");
  EXPECT_EQ(answer({"Digest nonce=\"n"}), "none");
}

TEST(DigestLogin, CountsItsAnswersToAChallenge) {
  DigestLogin login;
  EXPECT_EQ(login.show("GET", "/", "u", "p"), "");
  EXPECT_FALSE(login.take({"Basic realm=\"x\""}));
  EXPECT_TRUE(login.take({"Digest nonce=\"n\", qop=\"auth\""}));
  EXPECT_TRUE(login.unanswered());
  EXPECT_THAT(login.show("GET", "/", "u", "p"), HasSubstr("nc=00000001"));
  EXPECT_FALSE(login.unanswered());
  const std::string second = login.show("GET", "/", "u", "p");
  EXPECT_THAT(second, HasSubstr("nc=00000002"));
  EXPECT_NE(second, login.show("GET", "/", "u", "p"));
  login.take_back();
  EXPECT_THAT(login.show("GET", "/", "u", "p"), HasSubstr("nc=00000001"));
}

TEST(DigestLogin, ARefusedAnswerIsNotRepeatedButForAStaleNonce) {
  DigestLogin login;
  EXPECT_TRUE(login.take({"Digest nonce=\"n1\""}));
  EXPECT_FALSE(login.take({"Digest nonce=\"n2\", stale=false"}));
  EXPECT_THAT(login.show("GET", "/", "u", "p"), HasSubstr("nonce=\"n1\""));
  EXPECT_TRUE(login.take({"Digest nonce=\"n3\", stale=TRUE"}));
  EXPECT_THAT(login.show("GET", "/", "u", "p"), HasSubstr("nonce=\"n3\""));
  EXPECT_TRUE(login.take({"Digest nonce=\"n4\", stale=true"}));
  EXPECT_FALSE(login.take({"Digest nonce=\"n5\", stale=true"})) << "without end";
}

}  // namespace
}  // namespace coronado
