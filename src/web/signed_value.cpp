#include <coronado/web/signed_value.hpp>

#include <coronado/base/crypto.hpp>
#include <coronado/base/error.hpp>
#include <coronado/base/strings.hpp>

#include <stdexcept>
#include <utility>
#include <vector>

namespace coronado::web {
namespace {

constexpr double kDay = 86'400;

using Decoded = std::expected<std::string, SignedValueError>;

std::string hex_hmac(HashAlgorithm algorithm, std::string_view secret, std::string_view message) {
  std::string hex;
  append_hex(hex, hmac(algorithm, secret, message));
  return hex;
}

/// Version 1 has no number: it begins with base64, which may be digits and no more than that. Its
/// length is a multiple of 4 then, so that what has up to three digits is a version.
int version_of(std::string_view value) noexcept {
  const std::size_t bar = value.find('|');
  if (bar == value.npos || bar > 3 || value.starts_with('0')) return 1;
  return static_cast<int>(parse_int<unsigned>(value.substr(0, bar)).value_or(1U));
}

void append_field(std::string& out, std::string_view field) {
  append_int(out, field.size());
  out.append(":").append(field).append("|");
}

/// "5:value|" -> "value"; nothing when it is cut.
std::optional<std::string_view> take_field(std::string_view& rest) noexcept {
  const std::size_t colon = rest.find(':');
  if (colon == rest.npos) return std::nullopt;
  const auto size = parse_int<std::size_t>(rest.substr(0, colon));
  rest.remove_prefix(colon + 1);
  if (!size || *size >= rest.size() || rest[*size] != '|') return std::nullopt;
  const std::string_view field = rest.substr(0, *size);
  rest.remove_prefix(*size + 1);
  return field;
}

struct Fields {
  int key_version = 0;
  std::string_view timestamp;
  std::string_view name;
  std::string_view value;
  std::string_view signature;
  std::string_view to_sign;  // all that is before the signature
};

std::optional<Fields> split_version_2(std::string_view text) noexcept {
  std::string_view rest = text.substr(2);
  const auto key_version = take_field(rest);
  if (!key_version) return std::nullopt;
  const auto timestamp = take_field(rest);
  if (!timestamp) return std::nullopt;
  const auto name = take_field(rest);
  if (!name) return std::nullopt;
  const auto value = take_field(rest);
  if (!value) return std::nullopt;
  const auto number = parse_int<int>(*key_version);
  if (!number || *number < 0) return std::nullopt;
  return Fields{*number, *timestamp, *name,
                *value,  rest,       text.substr(0, text.size() - rest.size())};
}

/// The signature is right: what remains is the date and the form of the value.
Decoded open(std::string_view timestamp, std::string_view value, const SignedValueRules& rules) {
  const auto signed_at = parse_int<std::int64_t>(timestamp);
  if (!signed_at) return std::unexpected(SignedValueError::kMalformed);
  const std::time_t now = rules.now.value_or(std::time(nullptr));
  const double age = static_cast<double>(now) - static_cast<double>(*signed_at);
  if (age > rules.max_age_days * kDay) return std::unexpected(SignedValueError::kExpired);
  if (age < -static_cast<double>(rules.max_ahead_seconds)) {
    return std::unexpected(SignedValueError::kInFuture);
  }
  std::optional<std::string> plain = base64_decode(value);
  if (!plain) return std::unexpected(SignedValueError::kMalformed);
  return std::move(*plain);
}

Decoded decode_version_1(const CookieSecret& secret, std::string_view name, std::string_view text,
                         const SignedValueRules& rules) {
  const std::vector<std::string_view> parts = split(text, '|');
  if (parts.size() != 3) return std::unexpected(SignedValueError::kMalformed);
  if (secret.is_table()) return std::unexpected(SignedValueError::kKeyVersion);
  std::string message(name);
  message.append(parts[0]).append(parts[1]);
  if (!constant_time_equal(parts[2], hex_hmac(HashAlgorithm::kSHA1, *secret.find(0), message))) {
    return std::unexpected(SignedValueError::kBadSignature);
  }
  // Nothing stands between value and date in what is signed, so that digits could be moved from one
  // to the other: a date before 2001 or after today is no date of ours.
  if (parts[1].starts_with('0')) return std::unexpected(SignedValueError::kBadSignature);
  return open(parts[1], parts[0], rules);
}

Decoded decode_version_2(const CookieSecret& secret, std::string_view name, std::string_view text,
                         const SignedValueRules& rules) {
  const std::optional<Fields> fields = split_version_2(text);
  if (!fields) return std::unexpected(SignedValueError::kMalformed);
  const std::string* key = secret.find(fields->key_version);
  if (key == nullptr) return std::unexpected(SignedValueError::kKeyVersion);
  if (!constant_time_equal(fields->signature,
                           hex_hmac(HashAlgorithm::kSHA256, *key, fields->to_sign))) {
    return std::unexpected(SignedValueError::kBadSignature);
  }
  if (fields->name != name) return std::unexpected(SignedValueError::kWrongName);
  return open(fields->timestamp, fields->value, rules);
}

void require_secret(const CookieSecret& secret) {
  if (!secret.empty()) return;
  throw UsageError("signed cookies need a secret: set SecuritySettings::cookie_secret");
}

}  // namespace

CookieSecret::CookieSecret(std::string secret) {
  if (secret.empty()) throw UsageError("a cookie secret is empty");
  secrets_.emplace_back(0, std::move(secret));
}

CookieSecret::CookieSecret(const char* secret) : CookieSecret(std::string(secret)) {}

CookieSecret::CookieSecret(std::vector<std::pair<int, std::string>> secrets, int key_version)
    : secrets_(std::move(secrets)), key_version_(key_version), table_(true) {
  if (find(key_version) == nullptr) {
    throw UsageError("the table of cookie secrets has no key version " +
                     std::to_string(key_version));
  }
  for (const auto& [version, secret] : secrets_) {
    const char* wrong = nullptr;
    if (secret.empty()) wrong = " is empty";
    if (version < 0) wrong = ": versions count from 0";
    if (find(version) != &secret) wrong = " is there twice";
    if (wrong != nullptr) {
      throw UsageError("the cookie secret with key version " + std::to_string(version) + wrong);
    }
  }
}

const std::string* CookieSecret::find(int key_version) const noexcept {
  for (const auto& [version, secret] : secrets_) {
    if (!table_ || version == key_version) return &secret;
  }
  return nullptr;
}

std::string_view to_string(SignedValueError error) noexcept {
  switch (error) {
    case SignedValueError::kMalformed: return "it is no signed value";
    case SignedValueError::kVersion: return "its format is unknown or too old";
    case SignedValueError::kKeyVersion: return "it is signed with a key that is not in use";
    case SignedValueError::kBadSignature: return "its signature is wrong";
    case SignedValueError::kWrongName: return "it is signed for another name";
    case SignedValueError::kExpired: return "it has expired";
    case SignedValueError::kInFuture: return "it is dated in the future";
  }
  return "";
}

std::string create_signed_value(const CookieSecret& secret, std::string_view name,
                                std::string_view value, int version,
                                std::optional<std::time_t> now) {
  require_secret(secret);
  const std::string timestamp = std::to_string(now.value_or(std::time(nullptr)));
  const std::string encoded = base64_encode(value);
  if (version == 1) {
    if (secret.is_table()) {
      throw UsageError(
          "version 1 of signed values has no key versions: use one secret, or version 2");
    }
    std::string message(name);
    message.append(encoded).append(timestamp);
    return encoded + "|" + timestamp + "|" +
           hex_hmac(HashAlgorithm::kSHA1, *secret.find(0), message);
  }
  if (version != 2) {
    throw std::invalid_argument("unsupported version of signed values: " + std::to_string(version));
  }
  std::string text = "2|";
  append_field(text, std::to_string(secret.key_version()));
  append_field(text, timestamp);
  append_field(text, name);
  append_field(text, encoded);
  return text + hex_hmac(HashAlgorithm::kSHA256, *secret.find(secret.key_version()), text);
}

Decoded try_decode_signed_value(const CookieSecret& secret, std::string_view name,
                                std::string_view signed_value, const SignedValueRules& rules) {
  require_secret(secret);
  if (rules.min_version > kMaxSupportedSignedValueVersion) {
    throw std::invalid_argument("unsupported min_version of signed values: " +
                                std::to_string(rules.min_version));
  }
  const int version = version_of(signed_value);
  if (version < rules.min_version) return std::unexpected(SignedValueError::kVersion);
  if (version == 1) return decode_version_1(secret, name, signed_value, rules);
  if (version == 2) return decode_version_2(secret, name, signed_value, rules);
  return std::unexpected(SignedValueError::kVersion);
}

std::optional<std::string> decode_signed_value(const CookieSecret& secret, std::string_view name,
                                               std::string_view signed_value,
                                               const SignedValueRules& rules) {
  Decoded decoded = try_decode_signed_value(secret, name, signed_value, rules);
  if (!decoded) return std::nullopt;
  return std::move(*decoded);
}

std::optional<int> get_signature_key_version(std::string_view signed_value) noexcept {
  if (version_of(signed_value) < 2) return std::nullopt;
  const std::optional<Fields> fields = split_version_2(signed_value);
  if (!fields) return std::nullopt;
  return fields->key_version;
}

}  // namespace coronado::web
