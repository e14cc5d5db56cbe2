#include <coronado/web/auth/jwt.hpp>

#include <coronado/base/crypto.hpp>
#include <coronado/base/strings.hpp>

#include <gtest/gtest.h>

#include <functional>
#include <stdexcept>
#include <string>

#include "tests/web/auth/jwt_vectors.hpp"
#include "tests/web/tornado.hpp"

namespace coronado::web_test {
namespace {

using web::JWKSet;
using web::jwt_decode;
using web::jwt_encode;
using web::JWTAlgorithm;
using web::JWTError;
using web::JWTKey;
using web::JWTRules;
using Reason = JWTError::Reason;

constexpr std::time_t kNow = 1'300'000'000;

JWTKey secret_key() { return JWTKey::from_secret(std::string(kJWTSecret)); }

JWTRules rules_for(JWTAlgorithm algorithm) {
  return {.algorithms = {algorithm}, .audience = "us", .now = kNow};
}

/// Why a token is refused.
template <class Keys>
Reason reason_of(std::string_view token, const Keys& keys, const JWTRules& rules) {
  try {
    const Json claims = jwt_decode(token, keys, rules);
    ADD_FAILURE() << "accepted: " << json_encode(claims);
  } catch (const JWTError& error) {
    EXPECT_EQ(error.status(), 401);
    EXPECT_EQ(error.reason(), "");  // the client is told nothing
    EXPECT_TRUE(error.log_message().starts_with("token refused: ")) << error.log_message();
    return error.why();
  }
  return Reason{255};
}

std::string sign(const Json& claims, JWTAlgorithm algorithm = JWTAlgorithm::kHS256,
                 const Json& header = Json::object()) {
  return jwt_encode(claims, secret_key(), algorithm, header);
}

const JWTRules kHMACRules{.algorithms = {JWTAlgorithm::kHS256}, .now = kNow};

std::string url64(std::string_view text) { return base64_encode(text, Base64::kURL); }

// --- every algorithm -------------------------------------------------------------------------------

class EveryAlgorithm : public ::testing::TestWithParam<JWTVector> {
 protected:
  JWTAlgorithm algorithm() const { return *web::parse_jwt_algorithm(GetParam().algorithm); }
  JWTKey signer() const {
    return GetParam().private_key.empty() ? secret_key() : JWTKey::from_pem(GetParam().private_key);
  }
  JWTKey verifier() const {
    return GetParam().public_key.empty() ? secret_key() : JWTKey::from_pem(GetParam().public_key);
  }
};
INSTANTIATE_TEST_SUITE_P(Algorithms, EveryAlgorithm, ::testing::ValuesIn(kJWTVectors),
                         [](const auto& each) { return std::string(each.param.algorithm); });

TEST_P(EveryAlgorithm, ReadsWhatAnotherImplementationSigned) {
  const Json claims = jwt_decode(GetParam().token, verifier(), rules_for(algorithm()));
  EXPECT_EQ(claims["sub"], "7");
  EXPECT_EQ(claims["iss"], "https://issuer.example");
}

TEST_P(EveryAlgorithm, RoundTrips) {
  const Json claims{{"sub", "Ada"}, {"exp", kNow + 60}, {"aud", "us"}};
  const std::string token = jwt_encode(claims, signer(), algorithm());
  EXPECT_EQ(jwt_decode(token, verifier(), rules_for(algorithm())), claims);
  EXPECT_EQ(jwt_decode(token, signer(), rules_for(algorithm())), claims);
  EXPECT_EQ(web::jwt_unverified_header(token),
            (Json{{"alg", GetParam().algorithm}, {"typ", "JWT"}}));
}

TEST_P(EveryAlgorithm, EveryChangeIsSeen) {
  const std::string good(GetParam().token);
  const std::size_t signature = good.rfind('.') + 1;
  for (std::size_t i = 0; i < good.size(); i += 11) {
    std::string changed = good;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_THROW(jwt_decode(changed, verifier(), rules_for(algorithm())), JWTError) << i;
  }
  for (const std::string& other :
       {std::string(), std::string("AA"), std::string(86, 'A'), good.substr(signature) + "AAAA"}) {
    EXPECT_EQ(reason_of(good.substr(0, signature) + other, verifier(), rules_for(algorithm())),
              Reason::kBadSignature);
  }
}

TEST_P(EveryAlgorithm, IsUsedOnlyIfItIsAllowed) {
  JWTRules others = rules_for(algorithm());
  others.algorithms.clear();
  EXPECT_EQ(reason_of(GetParam().token, verifier(), others), Reason::kAlgorithm);
  for (const JWTVector& each : kJWTVectors) {
    if (each.algorithm == GetParam().algorithm) continue;
    others.algorithms.push_back(*web::parse_jwt_algorithm(each.algorithm));
  }
  EXPECT_EQ(reason_of(GetParam().token, verifier(), others), Reason::kAlgorithm);
}

TEST_P(EveryAlgorithm, PublicKeysComeAsJWK) {
  if (GetParam().public_key.empty()) {
    EXPECT_THROW(signer().public_jwk(), std::logic_error);
    const JWTKey key = JWTKey::from_jwk({{"kty", "oct"}, {"k", url64(kJWTSecret)}, {"kid", "1"}});
    EXPECT_EQ(key.id(), "1");
    EXPECT_EQ(jwt_decode(GetParam().token, key, rules_for(algorithm()))["sub"], "7");
    return;
  }
  const Json jwk = JWTKey::from_pem(GetParam().private_key, "key-1").public_jwk();
  EXPECT_EQ(jwk["kid"], "key-1");
  EXPECT_FALSE(jwk.contains("d"));
  const JWTKey key = JWTKey::from_jwk(jwk);
  EXPECT_FALSE(key.can_sign());
  EXPECT_EQ(jwt_decode(GetParam().token, key, rules_for(algorithm()))["sub"], "7");
  EXPECT_THROW(jwt_encode(Json::object(), key, algorithm()), std::logic_error);
}

TEST_P(EveryAlgorithm, IsBoundToTheTypeOfTheKey) {
  for (const JWTVector& each : kJWTVectors) {
    const JWTKey key = each.public_key.empty() ? secret_key() : JWTKey::from_pem(each.public_key);
    if (key.fits(algorithm())) continue;
    EXPECT_EQ(reason_of(GetParam().token, key, rules_for(algorithm())), Reason::kAlgorithm);
    EXPECT_THROW(key.sign(algorithm(), "x"), JWTError);
    EXPECT_THROW(static_cast<void>(key.verify(algorithm(), "x", "y")), JWTError);
  }
}

// --- known tokens ----------------------------------------------------------------------------------

TEST(JWT, TokensOfTheStandards) {
  const std::string payload =
      "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVl"
      "fQ";
  const JWTKey secret = JWTKey::from_jwk(  // RFC 7515 A.1
      {{"kty", "oct"},
       {"k",
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}});
  const std::string a1 = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." + payload +
                         ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
  EXPECT_EQ(jwt_decode(a1, secret, kHMACRules)["iss"], "joe");
  const JWTKey curve = JWTKey::from_jwk({{"kty", "EC"},  // RFC 7515 A.3
                                         {"crv", "P-256"},
                                         {"x", "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"},
                                         {"y", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}});
  const std::string a3 =
      "eyJhbGciOiJFUzI1NiJ9." + payload +
      ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
  EXPECT_EQ(jwt_decode(a3, curve, {.algorithms = {JWTAlgorithm::kES256}, .now = kNow})["iss"],
            "joe");
  const JWTKey edwards = JWTKey::from_jwk(  // RFC 8037 A.4
      {{"kty", "OKP"}, {"crv", "Ed25519"}, {"x", "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}});
  EXPECT_TRUE(edwards.verify(
      JWTAlgorithm::kEdDSA, "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
      *base64_decode(
          "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr"
          "_MuM0KAg",
          Base64::kURL)));
}

TEST(JWT, NoneDoesNotExist) {
  for (const char* name : {"none", "None", "NONE", "nOnE", "", "HS257"}) {
    EXPECT_EQ(web::parse_jwt_algorithm(name), std::nullopt);
    const std::string token =
        url64(json_encode(Json{{"alg", name}})) + "." + url64(R"({"sub":"admin"})") + ".";
    EXPECT_EQ(reason_of(token, secret_key(), kHMACRules), Reason::kAlgorithm) << name;
    EXPECT_EQ(reason_of(token, secret_key(), {.algorithms = {}}), Reason::kAlgorithm) << name;
  }
}

// The public key as HMAC secret, which it is not.
TEST(JWT, AlgorithmsAreNotConfused) {
  const std::string text(kRSAPublic);
  const JWTKey attacker = JWTKey::from_secret(text);
  const std::string token = jwt_encode({{"exp", kNow + 60}}, attacker, JWTAlgorithm::kHS256);
  const JWTKey key = JWTKey::from_pem(text);
  EXPECT_EQ(reason_of(token, key, {.algorithms = {JWTAlgorithm::kRS256}, .now = kNow}),
            Reason::kAlgorithm);
  EXPECT_EQ(reason_of(token, key,
                      {.algorithms = {JWTAlgorithm::kRS256, JWTAlgorithm::kHS256}, .now = kNow}),
            Reason::kAlgorithm);
}

TEST(JWT, WhatIsNoToken) {
  const std::string header = url64(R"({"alg":"HS256"})");
  for (const std::string& token :
       {std::string(), std::string("."), std::string(".."), std::string("a.b"),
        std::string("a.b.c.d"), header + "." + header, header + ".x y.z",
        url64("[]") + "." + header + ".", url64("{") + "." + header + ".", header + "=.e30.",
        "+" + header.substr(1) + ".e30.", std::string(web::kMaxJWTSize + 1, 'a')}) {
    EXPECT_EQ(reason_of(token, secret_key(), kHMACRules), Reason::kMalformed)
        << token.substr(0, 100);
  }
  // The payload is looked at when the signature is right.
  const std::string text = header + "." + url64("[1]");
  const std::string token = text + "." + url64(hmac(HashAlgorithm::kSHA256, kJWTSecret, text));
  EXPECT_EQ(reason_of(token, secret_key(), kHMACRules), Reason::kMalformed);
  EXPECT_EQ(
      reason_of(sign({{"exp", kNow + 9}}, JWTAlgorithm::kHS256, {{"crit", Json::array({"b64"})}}),
                secret_key(), kHMACRules),
      Reason::kMalformed);
}

// --- claims ----------------------------------------------------------------------------------------

TEST(JWT, Dates) {
  const auto refused = [](const Json& claims) {
    return reason_of(sign(claims), secret_key(), kHMACRules);
  };
  const auto accepted = [](const Json& claims) {
    return jwt_decode(sign(claims), secret_key(), kHMACRules) == claims;
  };
  EXPECT_TRUE(accepted({{"exp", kNow + 1}}));
  EXPECT_TRUE(accepted({{"exp", kNow - 59}}));  // the clocks may differ
  EXPECT_EQ(refused({{"exp", kNow - 60}}), Reason::kExpired);
  EXPECT_EQ(refused({{"exp", -1e300}}), Reason::kExpired);
  EXPECT_TRUE(accepted({{"exp", 1'300'000'000.5}}));
  EXPECT_EQ(refused({{"exp", "tomorrow"}}), Reason::kClaim);
  EXPECT_EQ(refused({{"exp", nullptr}}), Reason::kClaim);
  EXPECT_EQ(refused(Json::object()), Reason::kClaim);  // it must expire
  for (const char* name : {"nbf", "iat"}) {
    EXPECT_TRUE(accepted({{"exp", kNow + 600}, {name, kNow + 60}}));
    EXPECT_EQ(refused({{"exp", kNow + 600}, {name, kNow + 61}}), Reason::kNotYet);
    EXPECT_EQ(refused({{"exp", kNow + 600}, {name, true}}), Reason::kClaim);
  }
  JWTRules forever = kHMACRules;
  forever.require_exp = false;
  EXPECT_NO_THROW(jwt_decode(sign({{"sub", "7"}}), secret_key(), forever));
  EXPECT_EQ(reason_of(sign({{"exp", kNow - 60}}), secret_key(), forever), Reason::kExpired);
}

TEST(JWT, IssuerAudienceAndType) {
  JWTRules rules = kHMACRules;
  rules.issuer = "https://issuer.example";
  rules.audience = "us";
  rules.require_exp = false;
  const auto refused = [&rules](const Json& claims) {
    return reason_of(sign(claims), secret_key(), rules);
  };
  EXPECT_NO_THROW(jwt_decode(sign({{"iss", rules.issuer}, {"aud", "us"}}), secret_key(), rules));
  EXPECT_NO_THROW(jwt_decode(sign({{"iss", rules.issuer}, {"aud", Json::array({"them", "us"})}}),
                             secret_key(), rules));
  EXPECT_EQ(refused({{"iss", "https://issuer.example.evil"}, {"aud", "us"}}), Reason::kIssuer);
  EXPECT_EQ(refused({{"aud", "us"}}), Reason::kIssuer);
  EXPECT_EQ(refused({{"iss", rules.issuer}}), Reason::kAudience);
  EXPECT_EQ(refused({{"iss", rules.issuer}, {"aud", "them"}}), Reason::kAudience);
  EXPECT_EQ(refused({{"iss", rules.issuer}, {"aud", Json::array()}}), Reason::kAudience);
  EXPECT_EQ(refused({{"iss", rules.issuer}, {"aud", 7}}), Reason::kAudience);
  rules.audience = "";  // who says nothing takes no token that is for somebody
  EXPECT_EQ(refused({{"iss", rules.issuer}, {"aud", ""}}), Reason::kAudience);
  EXPECT_NO_THROW(jwt_decode(sign({{"iss", rules.issuer}}), secret_key(), rules));
  rules.type = "at+jwt";
  EXPECT_EQ(refused({{"iss", rules.issuer}}), Reason::kClaim);
  EXPECT_NO_THROW(
      jwt_decode(sign({{"iss", rules.issuer}}, JWTAlgorithm::kHS256, {{"typ", "at+jwt"}}),
                 secret_key(), rules));
}

TEST(JWT, TheHeaderCannotNameAnotherAlgorithm) {
  const std::string token = sign({{"exp", kNow + 9}}, JWTAlgorithm::kHS256, {{"alg", "none"}});
  EXPECT_EQ(web::jwt_unverified_header(token)["alg"], "HS256");
  EXPECT_THROW(jwt_encode(Json(1), secret_key(), JWTAlgorithm::kHS256), std::invalid_argument);
}

// --- keys ------------------------------------------------------------------------------------------

bool is_bad(const std::function<void()>& make) {
  try {
    make();
  } catch (const JWTError& error) {
    return error.why() == Reason::kBadKey;
  }
  return false;
}

TEST(JWTKey, WhatIsNone) {
  EXPECT_TRUE(is_bad([] { JWTKey::from_secret("short"); }));
  EXPECT_TRUE(is_bad([] { JWTKey::from_pem(""); }));
  EXPECT_TRUE(is_bad(
      [] { JWTKey::from_pem("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"); }));
  EXPECT_TRUE(is_bad([] { JWTKey::from_pem(kRSAPrivate.substr(0, 500)); }));
  EXPECT_TRUE(is_bad([] { JWTKey::from_pem(kWeakRSAPublic); }));
  const Json good = JWTKey::from_pem(kP256Public).public_jwk();
  for (const Json& jwk :
       {Json(), Json(7), Json{{"kty", "XYZ"}}, Json{{"kty", "oct"}, {"k", "AAAA"}},
        Json{{"kty", "RSA"}, {"n", "AQAB"}, {"e", "AQAB"}}, Json{{"kty", "RSA"}, {"n", "!"}},
        Json{{"kty", "EC"}, {"crv", "P-257"}, {"x", good["x"]}, {"y", good["y"]}},
        Json{{"kty", "EC"},
             {"crv", "P-256"},
             {"x", good["x"]},
             {"y", good["x"]}},  // not on the curve
        Json{{"kty", "EC"}, {"crv", "P-256"}, {"x", "AQAB"}, {"y", "AQAB"}},
        Json{{"kty", "OKP"}, {"crv", "Ed448"}, {"x", "AQAB"}},
        Json{{"kty", "OKP"}, {"crv", "Ed25519"}, {"x", "AQAB"}}}) {
    EXPECT_TRUE(is_bad([&jwk] { JWTKey::from_jwk(jwk); })) << json_encode(jwk);
  }
}

TEST(JWKSet, FindsTheKeyOfAToken) {
  JWKSet set;
  set.add(JWTKey::from_pem(kRSAPrivate, "rsa"));
  set.add(JWTKey::from_pem(kP256Private, "p256"));
  const Json published = set.public_json();
  JWKSet read = JWKSet::from_json(published);
  ASSERT_EQ(read.keys().size(), 2U);
  const std::string token = jwt_encode({{"exp", kNow + 9}}, set.keys()[0], JWTAlgorithm::kRS256);
  const JWTRules rules{.algorithms = {JWTAlgorithm::kRS256, JWTAlgorithm::kES256}, .now = kNow};
  EXPECT_NO_THROW(jwt_decode(token, read, rules));
  const std::string stranger =
      jwt_encode({{"exp", kNow + 9}}, JWTKey::from_pem(kRSAPrivate, "other"), JWTAlgorithm::kRS256);
  EXPECT_EQ(reason_of(stranger, read, rules), Reason::kUnknownKey);
  // Without an id: the one that fits, if there is only one.
  const std::string nameless =
      jwt_encode({{"exp", kNow + 9}}, JWTKey::from_pem(kRSAPrivate), JWTAlgorithm::kRS256);
  EXPECT_NO_THROW(jwt_decode(nameless, read, rules));
  read.add(JWTKey::from_pem(kRSAPublic, "another"));
  EXPECT_EQ(reason_of(nameless, read, rules), Reason::kUnknownKey);
  EXPECT_EQ(reason_of(jwt_encode({{"exp", kNow + 9}}, JWTKey::from_pem(kRSAPrivate),
                                 JWTAlgorithm::kRS256, {{"kid", 7}}),
                      read, rules),
            Reason::kMalformed);
}

TEST(JWKSet, LeavesOutWhatItCannotUse) {
  Json rsa = JWTKey::from_pem(kRSAPublic, "1").public_jwk();
  Json encryption = rsa;
  encryption["use"] = "enc";
  const JWKSet set =
      JWKSet::from_json({{"keys", Json::array({rsa, encryption, Json{{"kty", "XYZ"}}, Json(7),
                                               Json{{"kty", "oct"}, {"k", url64(kJWTSecret)}}})}});
  EXPECT_EQ(set.keys().size(), 1U);
  for (const Json& json : {Json(), Json::object(), Json{{"keys", 7}}}) {
    EXPECT_TRUE(is_bad([&json] { JWKSet::from_json(json); }));
  }
}

// --- another implementation, alive -------------------------------------------------------------------

TEST(JWT, PyJWTReadsOurs) {
  if (run_python("import jwt, cryptography\nprint('yes')") != "yes") {
    GTEST_SKIP() << "python3-jwt is not installed";
  }
  std::string code = "import jwt\n";
  std::string wanted;
  for (const JWTVector& each : kJWTVectors) {
    const bool hmac = each.private_key.empty();
    const JWTKey key = hmac ? secret_key() : JWTKey::from_pem(each.private_key);
    const std::string token =
        jwt_encode({{"sub", each.algorithm}}, key, *web::parse_jwt_algorithm(each.algorithm));
    code.append("print(jwt.decode('").append(token).append("', '''");
    code.append(hmac ? kJWTSecret : each.public_key).append("''', algorithms=['");
    code.append(each.algorithm).append("'])['sub'])\n");
    wanted.append(each.algorithm).append("\n");
  }
  EXPECT_EQ(run_python(code) + "\n", wanted);
}

}  // namespace
}  // namespace coronado::web_test
