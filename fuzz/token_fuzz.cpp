// What clients bring and may have forged: signed cookies, XSRF tokens, encrypted texts, JWTs and keys.
// The first line of the input is a text or a name, what follows a value.

#include <coronado/base/crypto.hpp>
#include <coronado/base/json.hpp>
#include <coronado/web/auth/jwt.hpp>
#include <coronado/web/signed_value.hpp>
#include <coronado/web/xsrf.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "web/sealed_text.hpp"

namespace {

namespace web = coronado::web;

constexpr std::time_t kNow = 1'700'000'000;
const web::CookieSecret kSecret({{0, "a secret that no input has"}, {7, "nor this one"}}, 7);
const web::CookieSecret kOneSecret("a secret that no input has");
const web::SignedValueRules kRules{.now = kNow};

void require(bool holds) {
  if (!holds) std::abort();
}

void signed_values(std::string_view text, std::string_view value) {
  web::get_signature_key_version(text);
  require(!web::decode_signed_value(kSecret, "name", text, kRules));
  require(!web::decode_signed_value(kOneSecret, "name", text, kRules));
  for (const int version : {1, 2}) {
    const web::CookieSecret& secret = version == 1 ? kOneSecret : kSecret;
    std::string made = web::create_signed_value(secret, text, value, version, kNow);
    require(web::decode_signed_value(secret, text, made, kRules) == value);
    const std::size_t place = value.size() * 31 % made.size();
    made[place] = made[place] == '1' ? '2' : '1';
    require(!web::decode_signed_value(secret, text, made, kRules));
  }
}

void xsrf_tokens(std::string_view text) {
  const auto token = web::decode_xsrf_token(text);
  if (!token) return;
  require(!token->secret.empty());
  for (const int version : {1, 2}) {
    require(web::decode_xsrf_token(web::encode_xsrf_token(*token, version))->secret ==
            token->secret);
  }
}

void sealed_texts(std::string_view text, std::string_view value) {
  std::string why;
  require(!web::open_text(kSecret, "purpose", "context", text, why));
  const std::string made = web::seal_text(kSecret, "purpose", text, value);
  require(web::open_text(kSecret, "purpose", text, made, why) == value);
}

void tokens(std::string_view text, std::string_view value) {
  static const web::JWTKey key =
      web::JWTKey::from_secret("a secret that no input has, and is long");
  const web::JWTRules rules{
      .algorithms = {web::JWTAlgorithm::kHS256}, .issuer = "me", .audience = "you", .now = kNow};
  try {
    web::jwt_decode(text, key, rules);
    require(false);
  } catch (const web::JWTError&) {
  }
  // Signed rightly, whatever it says.
  const auto part = [](std::string_view bytes) {
    return coronado::base64_encode(bytes, coronado::Base64::kURL);
  };
  const std::string head = text.contains('{') ? part(text) : part(R"({"alg":"HS256"})");
  const std::string signed_part = head + "." + part(value);
  const std::string signature = key.sign(web::JWTAlgorithm::kHS256, signed_part);
  try {
    const coronado::Json claims = web::jwt_decode(signed_part + "." + part(signature), key, rules);
    require(claims.at("iss") == coronado::Json("me") && claims.contains("exp"));
  } catch (const web::JWTError&) {
  }
}

void keys(std::string_view value) {
  const auto json = coronado::try_json_decode(value);
  if (!json) return;
  try {
    const web::JWTKey key = web::JWTKey::from_jwk(*json);
    if (key.type() == web::JWTKey::Type::kSecret) return;
    require(web::JWTKey::from_jwk(key.public_jwk()).public_jwk() == key.public_jwk());
  } catch (const web::JWTError&) {
  }
  try {
    web::JWKSet::from_json(*json);
  } catch (const web::JWTError&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t line = std::min(input.find('\n'), input.size());
  const std::string_view text = input.substr(0, line);
  const std::string_view value = input.substr(std::min(line + 1, input.size()));
  signed_values(text, value);
  xsrf_tokens(text);
  sealed_texts(text, value);
  tokens(text, value);
  keys(value);
  return 0;
}
