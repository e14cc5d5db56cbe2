#include <coronado/web/auth/jwt.hpp>

#include <coronado/base/crypto.hpp>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace coronado::web {
namespace {

using Reason = JWTError::Reason;

constexpr std::pair<JWTAlgorithm, std::string_view> kNames[] = {
    {JWTAlgorithm::kHS256, "HS256"}, {JWTAlgorithm::kHS384, "HS384"},
    {JWTAlgorithm::kHS512, "HS512"}, {JWTAlgorithm::kRS256, "RS256"},
    {JWTAlgorithm::kRS384, "RS384"}, {JWTAlgorithm::kRS512, "RS512"},
    {JWTAlgorithm::kPS256, "PS256"}, {JWTAlgorithm::kPS384, "PS384"},
    {JWTAlgorithm::kPS512, "PS512"}, {JWTAlgorithm::kES256, "ES256"},
    {JWTAlgorithm::kES384, "ES384"}, {JWTAlgorithm::kES512, "ES512"},
    {JWTAlgorithm::kEdDSA, "EdDSA"},
};

[[noreturn]] void refuse(Reason reason, const std::string& message) {
  throw JWTError(reason, "token refused: " + message);
}

/// The three parts, and what the first says.
struct Parts {
  std::string_view signed_part;
  Json header;
  std::string payload;
  std::string signature;
  JWTAlgorithm algorithm = JWTAlgorithm::kHS256;
};

std::string decode_part(std::string_view part) {
  std::optional<std::string> bytes;
  if (!part.contains('=')) bytes = base64_decode(part, Base64::kURL);  // RFC 7515 2: no padding
  if (!bytes) refuse(Reason::kMalformed, "a part is not base64 for URLs");
  return std::move(*bytes);
}

Json decode_object(std::string_view text, const char* what) {
  auto json = try_json_decode(text);
  if (!json || !json->is_object()) {
    refuse(Reason::kMalformed, std::string("its ") + what + " is no JSON object");
  }
  return std::move(*json);
}

std::string text_of(const Json& object, std::string_view name) {
  const Json* value = object.find(name);
  return value != nullptr && value->is_string() ? value->as_string() : std::string();
}

Parts take_apart(std::string_view token) {
  if (token.size() > kMaxJWTSize) refuse(Reason::kMalformed, "it is too long");
  const std::size_t first = token.find('.');
  const std::size_t second = first == token.npos ? first : token.find('.', first + 1);
  if (second == token.npos || token.find('.', second + 1) != token.npos) {
    refuse(Reason::kMalformed, "it has not three parts");
  }
  Parts parts;
  parts.signed_part = token.substr(0, second);
  parts.header = decode_object(decode_part(token.substr(0, first)), "header");
  parts.payload = decode_part(token.substr(first + 1, second - first - 1));
  parts.signature = decode_part(token.substr(second + 1));
  return parts;
}

/// RFC 8725 3.1: the algorithm is one that we allow, whatever the token says.
void check_header(Parts& parts, const JWTRules& rules) {
  const std::string name = text_of(parts.header, "alg");
  const std::optional<JWTAlgorithm> algorithm = parse_jwt_algorithm(name);
  if (!algorithm || std::ranges::find(rules.algorithms, *algorithm) == rules.algorithms.end()) {
    refuse(Reason::kAlgorithm, "its algorithm \"" + name.substr(0, 20) + "\" is not allowed");
  }
  // RFC 7515 4.1.11: what must be understood, and we know of nothing.
  if (parts.header.contains("crit")) refuse(Reason::kMalformed, "it has critical extensions");
  if (!rules.type.empty() && text_of(parts.header, "typ") != rules.type) {
    refuse(Reason::kClaim, "its type is not \"" + rules.type + "\"");
  }
  parts.algorithm = *algorithm;
}

/// A NumericDate, which may have a fraction; none if it is not there.
std::optional<double> date_of(const Json& claims, const char* name) {
  const Json* value = claims.find(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number()) refuse(Reason::kClaim, std::string(name) + " is no number");
  return value->as_double();
}

void check_dates(const Json& claims, const JWTRules& rules) {
  const auto now = static_cast<double>(rules.now.value_or(std::time(nullptr)));
  const auto leeway = static_cast<double>(rules.leeway_seconds);
  const std::optional<double> expires = date_of(claims, "exp");
  if (!expires && rules.require_exp) refuse(Reason::kClaim, "it has no exp");
  if (expires && now >= *expires + leeway) refuse(Reason::kExpired, "it has expired");
  for (const char* name : {"nbf", "iat"}) {
    const std::optional<double> begin = date_of(claims, name);
    if (begin && *begin > now + leeway) {
      refuse(Reason::kNotYet, std::string(name) + " is in the future");
    }
  }
}

void check_audience(const Json& claims, const JWTRules& rules) {
  const Json* audience = claims.find("aud");
  if (audience == nullptr) {
    if (!rules.audience.empty()) refuse(Reason::kAudience, "it has no aud");
    return;
  }
  const auto is_us = [&rules](const Json& each) {
    return !rules.audience.empty() && each.is_string() && each.as_string() == rules.audience;
  };
  // RFC 7519 4.1.3: one text, or an array of them.
  const bool found =
      audience->is_array() ? std::ranges::any_of(audience->as_array(), is_us) : is_us(*audience);
  if (!found) refuse(Reason::kAudience, "it is for somebody else");
}

Json decode(Parts& parts, const JWTKey& key, const JWTRules& rules) {
  if (!key.fits(parts.algorithm)) {
    refuse(Reason::kAlgorithm, "the key is not for " + std::string(to_string(parts.algorithm)));
  }
  if (!key.verify(parts.algorithm, parts.signed_part, parts.signature)) {
    refuse(Reason::kBadSignature, "its signature is wrong");
  }
  Json claims = decode_object(parts.payload, "payload");
  check_dates(claims, rules);
  if (!rules.issuer.empty() && text_of(claims, "iss") != rules.issuer) {
    refuse(Reason::kIssuer, "it is from another issuer");
  }
  check_audience(claims, rules);
  return claims;
}

}  // namespace

std::string_view to_string(JWTAlgorithm algorithm) noexcept {
  return kNames[static_cast<std::size_t>(algorithm)].second;
}

std::optional<JWTAlgorithm> parse_jwt_algorithm(std::string_view name) noexcept {
  for (const auto& [algorithm, text] : kNames) {
    if (text == name) return algorithm;
  }
  return std::nullopt;
}

// --- JWKSet ------------------------------------------------------------------------------------------

JWKSet JWKSet::from_json(const Json& json) {
  const Json* list = json.find("keys");
  if (list == nullptr || !list->is_array()) {
    throw JWTError(Reason::kBadKey, "a set of keys has no array \"keys\"");
  }
  JWKSet set;
  for (const Json& each : list->as_array()) {
    const std::string use = each.is_object() ? text_of(each, "use") : "";
    if (!each.is_object() || (!use.empty() && use != "sig") || text_of(each, "kty") == "oct") {
      continue;
    }
    try {
      set.add(JWTKey::from_jwk(each));
    } catch (const JWTError&) {
      continue;  // RFC 7517 5: implementations SHOULD ignore what they do not understand
    }
  }
  return set;
}

const JWTKey* JWKSet::find(std::optional<std::string_view> id,
                           JWTAlgorithm algorithm) const noexcept {
  const JWTKey* found = nullptr;
  for (const JWTKey& key : keys_) {
    if (!key.fits(algorithm) || (id && key.id() != *id)) continue;
    if (found != nullptr) return nullptr;  // which of them?
    found = &key;
  }
  return found;
}

Json JWKSet::public_json() const {
  Json list = Json::array();
  for (const JWTKey& key : keys_) list.push_back(key.public_jwk());
  return Json{{"keys", std::move(list)}};
}

// --- tokens --------------------------------------------------------------------------------------------

std::string jwt_encode(const Json& claims, const JWTKey& key, JWTAlgorithm algorithm,
                       const Json& header) {
  if (!claims.is_object() || !header.is_object()) {
    throw std::invalid_argument("the claims and the header of a token are objects");
  }
  Json head{{"alg", to_string(algorithm)}, {"typ", "JWT"}};
  if (!key.id().empty()) head["kid"] = key.id();
  for (const auto& [name, value] : header.as_object()) {
    if (name != "alg") head[name] = value;
  }
  std::string token = base64_encode(json_encode(head), Base64::kURL) + "." +
                      base64_encode(json_encode(claims), Base64::kURL);
  const std::string signature = key.sign(algorithm, token);
  return token + "." + base64_encode(signature, Base64::kURL);
}

Json jwt_decode(std::string_view token, const JWTKey& key, const JWTRules& rules) {
  Parts parts = take_apart(token);
  check_header(parts, rules);
  return decode(parts, key, rules);
}

Json jwt_decode(std::string_view token, const JWKSet& keys, const JWTRules& rules) {
  Parts parts = take_apart(token);
  check_header(parts, rules);
  const Json* id = parts.header.find("kid");
  if (id != nullptr && !id->is_string()) refuse(Reason::kMalformed, "its kid is no text");
  const JWTKey* key =
      keys.find(id != nullptr ? std::optional<std::string_view>(id->as_string()) : std::nullopt,
                parts.algorithm);
  if (key == nullptr) {
    refuse(Reason::kUnknownKey,
           "no key is called \"" + text_of(parts.header, "kid").substr(0, 100) + "\"");
  }
  return decode(parts, *key, rules);
}

Json jwt_unverified_header(std::string_view token) { return take_apart(token).header; }

}  // namespace coronado::web
