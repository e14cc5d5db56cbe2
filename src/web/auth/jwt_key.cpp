// `JWTKey`: the signatures of tokens, by OpenSSL.
#include <coronado/base/crypto.hpp>
#include <coronado/web/auth/jwt.hpp>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <array>
#include <new>
#include <stdexcept>
#include <utility>

namespace coronado::web {
namespace {

using Reason = JWTError::Reason;
using Type = JWTKey::Type;

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* object) const noexcept {
    Free(object);
  }
};
template <class T, auto Free>
using Owned = std::unique_ptr<T, Deleter<Free>>;

using Pkey = Owned<EVP_PKEY, EVP_PKEY_free>;
using Number = Owned<BIGNUM, BN_free>;

[[noreturn]] void bad_key(const std::string& why) {
  ERR_clear_error();
  throw JWTError(Reason::kBadKey, "a key cannot be used: " + why);
}

const unsigned char* bytes_of(std::string_view text) noexcept {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes_of(std::string& text) noexcept {
  return reinterpret_cast<unsigned char*>(text.data());
}

enum class Family : std::uint8_t { kHMAC, kPKCS1, kPSS, kECDSA, kEdDSA };

struct Scheme {
  Family family;
  HashAlgorithm hash;
  std::size_t size;  // of half an ECDSA signature, in bytes
};

Scheme scheme_of(JWTAlgorithm algorithm) noexcept {
  constexpr HashAlgorithm kHashes[] = {HashAlgorithm::kSHA256, HashAlgorithm::kSHA384,
                                       HashAlgorithm::kSHA512};
  constexpr std::size_t kSizes[] = {32, 48, 66};
  if (algorithm == JWTAlgorithm::kEdDSA) return {Family::kEdDSA, HashAlgorithm::kSHA512, 0};
  const auto number = static_cast<std::size_t>(algorithm);
  return {static_cast<Family>(number / 3), kHashes[number % 3], kSizes[number % 3]};
}

const EVP_MD* digest_of(HashAlgorithm hash) noexcept {
  if (hash == HashAlgorithm::kSHA256) return EVP_sha256();
  return hash == HashAlgorithm::kSHA384 ? EVP_sha384() : EVP_sha512();
}

bool fits_type(Type type, JWTAlgorithm algorithm) noexcept {
  switch (type) {
    case Type::kSecret: return scheme_of(algorithm).family == Family::kHMAC;
    case Type::kRSA:
      return scheme_of(algorithm).family == Family::kPKCS1 ||
             scheme_of(algorithm).family == Family::kPSS;
    case Type::kP256: return algorithm == JWTAlgorithm::kES256;
    case Type::kP384: return algorithm == JWTAlgorithm::kES384;
    case Type::kP521: return algorithm == JWTAlgorithm::kES512;
    case Type::kEd25519: return algorithm == JWTAlgorithm::kEdDSA;
  }
  return false;
}

struct Curve {
  Type type;
  const char* jwk;      // RFC 7518 6.2.1.1
  const char* openssl;  // the group's name
  std::size_t size;     // of a coordinate
};
constexpr Curve kCurves[] = {{Type::kP256, "P-256", "prime256v1", 32},
                             {Type::kP384, "P-384", "secp384r1", 48},
                             {Type::kP521, "P-521", "secp521r1", 66}};

constexpr int kLeastBits = 2048;  // RFC 7518 3.3

Type type_of(EVP_PKEY* key) {
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
      if (EVP_PKEY_get_bits(key) < kLeastBits) bad_key("RSA with less than 2048 bits");
      return Type::kRSA;
    case EVP_PKEY_ED25519: return Type::kEd25519;
    case EVP_PKEY_EC: {
      std::array<char, 64> group{};
      std::size_t size = 0;
      EVP_PKEY_get_group_name(key, group.data(), group.size(), &size);
      for (const Curve& curve : kCurves) {
        if (std::string_view(group.data(), size) == curve.openssl) return curve.type;
      }
      bad_key("an elliptic curve that JWTs do not know");
    }
    default: bad_key("neither RSA, nor EC, nor Ed25519");
  }
}

// --- ECDSA signatures: RFC 7518 3.4 has both numbers with a fixed size, OpenSSL has them in DER ---------

std::string to_jose(std::string_view der, std::size_t size) {
  const unsigned char* at = bytes_of(der);
  const Owned<ECDSA_SIG, ECDSA_SIG_free> signature(
      d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  if (!signature) throw std::runtime_error("a signature failed in OpenSSL");
  std::string jose(2 * size, '\0');
  BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), bytes_of(jose), static_cast<int>(size));
  BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), bytes_of(jose) + size, static_cast<int>(size));
  return jose;
}

/// Empty when it has another size.
std::string to_der(std::string_view jose, std::size_t size) {
  if (jose.size() != 2 * size) return {};
  const Owned<ECDSA_SIG, ECDSA_SIG_free> signature(ECDSA_SIG_new());
  Number r(BN_bin2bn(bytes_of(jose), static_cast<int>(size), nullptr));
  Number s(BN_bin2bn(bytes_of(jose) + size, static_cast<int>(size), nullptr));
  if (!signature || !r || !s) throw std::bad_alloc();
  ECDSA_SIG_set0(signature.get(), r.release(), s.release());
  std::string der(static_cast<std::size_t>(i2d_ECDSA_SIG(signature.get(), nullptr)), '\0');
  unsigned char* at = bytes_of(der);
  i2d_ECDSA_SIG(signature.get(), &at);
  return der;
}

/// Sets a context up for RSA's two paddings.
void set_padding(EVP_PKEY_CTX* context, const Scheme& scheme) {
  if (scheme.family != Family::kPSS) return;
  EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING);
  EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST);  // RFC 7518 3.5
}

std::string coordinate(EVP_PKEY* key, const char* name, std::size_t size) {
  BIGNUM* number = nullptr;
  EVP_PKEY_get_bn_param(key, name, &number);
  const Number owned(number);
  if (!owned) throw std::runtime_error("a public key could not be read from OpenSSL");
  std::string bytes(size != 0 ? size : static_cast<std::size_t>(BN_num_bytes(number)), '\0');
  BN_bn2binpad(number, bytes_of(bytes), static_cast<int>(bytes.size()));
  return base64_encode(bytes, Base64::kURL);
}

}  // namespace

struct JWTKey::State {
  Type type = Type::kSecret;
  std::string id;
  std::string secret;  // of HMAC
  Pkey key;            // of all others
  bool is_private = true;
};

// --- making keys -----------------------------------------------------------------------------------------

JWTKey JWTKey::from_secret(std::string secret, std::string id) {
  if (secret.size() < 32) bad_key("a secret for HMAC has at least 32 bytes");
  auto state = std::make_shared<State>();
  state->secret = std::move(secret);
  state->id = std::move(id);
  return JWTKey(std::move(state));
}

JWTKey JWTKey::from_pem(std::string_view pem, std::string id) {
  const Owned<BIO, BIO_free_all> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (!bio) throw std::bad_alloc();
  auto state = std::make_shared<State>();
  state->id = std::move(id);
  state->is_private = pem.contains("PRIVATE KEY-----");
  char no_password[] = "";
  if (state->is_private) {
    state->key.reset(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, no_password));
  } else if (pem.contains("BEGIN CERTIFICATE")) {
    const Owned<X509, X509_free> certificate(
        PEM_read_bio_X509(bio.get(), nullptr, nullptr, no_password));
    if (certificate) state->key.reset(X509_get_pubkey(certificate.get()));
  } else {
    state->key.reset(PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, no_password));
  }
  if (!state->key) bad_key("it is no key or certificate in PEM without a password");
  state->type = type_of(state->key.get());
  return JWTKey(std::move(state));
}

namespace {

std::string member(const Json& jwk, const char* name) {
  const Json* value = jwk.find(name);
  if (value == nullptr || !value->is_string()) bad_key(std::string("a JWK has no ") + name);
  std::optional<std::string> bytes = base64_decode(value->as_string(), Base64::kURL);
  if (!bytes || bytes->empty()) bad_key(std::string("a JWK's ") + name + " is not base64 for URLs");
  return std::move(*bytes);
}

Pkey make_public(const char* type, const OSSL_PARAM_BLD* builder) {
  const Owned<OSSL_PARAM, OSSL_PARAM_free> parameters(
      OSSL_PARAM_BLD_to_param(const_cast<OSSL_PARAM_BLD*>(builder)));
  const Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(
      EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) {
    bad_key(std::string("a JWK holds no ") + type + " key");
  }
  Pkey made(key);
  const Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free> check(
      EVP_PKEY_CTX_new_from_pkey(nullptr, made.get(), nullptr));
  if (!check || EVP_PKEY_public_check(check.get()) != 1) {
    bad_key(std::string("a JWK holds a wrong ") + type + " key");
  }
  return made;
}

Pkey rsa_key(const Json& jwk) {
  const std::string n = member(jwk, "n");
  const std::string e = member(jwk, "e");
  constexpr std::size_t kMostBytes = 1024;  // 8,192 bits: more would take long
  if (n.size() > kMostBytes || e.size() > 8) bad_key("a JWK's RSA key is too large");
  const Number modulus(BN_bin2bn(bytes_of(n), static_cast<int>(n.size()), nullptr));
  const Number exponent(BN_bin2bn(bytes_of(e), static_cast<int>(e.size()), nullptr));
  const Owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free> builder(OSSL_PARAM_BLD_new());
  if (!modulus || !exponent || !builder) throw std::bad_alloc();
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get());
  return make_public("RSA", builder.get());
}

Pkey ec_key(const Json& jwk) {
  const Json* name = jwk.find("crv");
  for (const Curve& curve : kCurves) {
    if (name == nullptr || !name->is_string() || name->as_string() != curve.jwk) continue;
    const std::string x = member(jwk, "x");
    const std::string y = member(jwk, "y");
    if (x.size() != curve.size || y.size() != curve.size) bad_key("a JWK's point has a wrong size");
    const std::string point = "\x04" + x + y;  // uncompressed
    const Owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free> builder(OSSL_PARAM_BLD_new());
    if (!builder) throw std::bad_alloc();
    OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve.openssl, 0);
    OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                     point.size());
    return make_public("EC", builder.get());
  }
  bad_key("a JWK's curve is unknown");
}

Pkey ed25519_key(const Json& jwk) {
  const Json* name = jwk.find("crv");
  if (name == nullptr || !name->is_string() || name->as_string() != "Ed25519") {
    bad_key("a JWK's curve is unknown");
  }
  const std::string x = member(jwk, "x");
  Pkey key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes_of(x), x.size()));
  if (!key) bad_key("a JWK holds no Ed25519 key");
  return key;
}

}  // namespace

JWTKey JWTKey::from_jwk(const Json& jwk) {
  const Json* kind = jwk.find("kty");
  const std::string kty = kind != nullptr && kind->is_string() ? kind->as_string() : "";
  const Json* kid = jwk.find("kid");
  std::string id = kid != nullptr && kid->is_string() ? kid->as_string() : "";
  if (kty == "oct") return from_secret(member(jwk, "k"), std::move(id));
  auto state = std::make_shared<State>();
  state->id = std::move(id);
  state->is_private = false;
  if (kty == "RSA") {
    state->key = rsa_key(jwk);
  } else if (kty == "EC") {
    state->key = ec_key(jwk);
  } else if (kty == "OKP") {
    state->key = ed25519_key(jwk);
  } else {
    bad_key("a JWK's type \"" + kty.substr(0, 20) + "\" is unknown");
  }
  state->type = type_of(state->key.get());
  return JWTKey(std::move(state));
}

// --- using keys ------------------------------------------------------------------------------------------

JWTKey::Type JWTKey::type() const noexcept { return state_->type; }
const std::string& JWTKey::id() const noexcept { return state_->id; }
bool JWTKey::can_sign() const noexcept { return state_->is_private; }
bool JWTKey::fits(JWTAlgorithm algorithm) const noexcept {
  return fits_type(state_->type, algorithm);
}

Json JWTKey::public_jwk() const {
  EVP_PKEY* key = state_->key.get();
  if (key == nullptr) throw std::logic_error("a secret has no public part");
  Json jwk{{"use", "sig"}};
  if (!state_->id.empty()) jwk["kid"] = state_->id;
  if (state_->type == Type::kRSA) {
    jwk["kty"] = "RSA";
    jwk["n"] = coordinate(key, OSSL_PKEY_PARAM_RSA_N, 0);
    jwk["e"] = coordinate(key, OSSL_PKEY_PARAM_RSA_E, 0);
  } else if (state_->type == Type::kEd25519) {
    std::string raw(32, '\0');
    std::size_t size = raw.size();
    EVP_PKEY_get_raw_public_key(key, bytes_of(raw), &size);
    jwk["kty"] = "OKP";
    jwk["crv"] = "Ed25519";
    jwk["x"] = base64_encode(raw, Base64::kURL);
  } else {
    for (const Curve& curve : kCurves) {
      if (curve.type != state_->type) continue;
      jwk["kty"] = "EC";
      jwk["crv"] = curve.jwk;
      jwk["x"] = coordinate(key, OSSL_PKEY_PARAM_EC_PUB_X, curve.size);
      jwk["y"] = coordinate(key, OSSL_PKEY_PARAM_EC_PUB_Y, curve.size);
    }
  }
  return jwk;
}

std::string JWTKey::sign(JWTAlgorithm algorithm, std::string_view message) const {
  if (!fits(algorithm)) {
    throw JWTError(Reason::kAlgorithm, "the key is not for " + std::string(to_string(algorithm)));
  }
  const Scheme scheme = scheme_of(algorithm);
  if (scheme.family == Family::kHMAC) return hmac(scheme.hash, state_->secret, message);
  if (!state_->is_private) throw std::logic_error("a public key cannot sign");
  const Owned<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* key_context = nullptr;
  const EVP_MD* digest = scheme.family == Family::kEdDSA ? nullptr : digest_of(scheme.hash);
  if (!context ||
      EVP_DigestSignInit(context.get(), &key_context, digest, nullptr, state_->key.get()) != 1) {
    throw std::runtime_error("a signature failed in OpenSSL");
  }
  set_padding(key_context, scheme);
  std::size_t size = 0;
  EVP_DigestSign(context.get(), nullptr, &size, bytes_of(message), message.size());
  std::string signature(size, '\0');
  if (EVP_DigestSign(context.get(), bytes_of(signature), &size, bytes_of(message),
                     message.size()) != 1) {
    throw std::runtime_error("a signature failed in OpenSSL");
  }
  signature.resize(size);
  return scheme.family == Family::kECDSA ? to_jose(signature, scheme.size) : signature;
}

bool JWTKey::verify(JWTAlgorithm algorithm, std::string_view message,
                    std::string_view signature) const {
  if (!fits(algorithm)) {
    throw JWTError(Reason::kAlgorithm, "the key is not for " + std::string(to_string(algorithm)));
  }
  const Scheme scheme = scheme_of(algorithm);
  if (scheme.family == Family::kHMAC) {
    return constant_time_equal(hmac(scheme.hash, state_->secret, message), signature);
  }
  std::string der;
  if (scheme.family == Family::kECDSA) {
    der = to_der(signature, scheme.size);
    if (der.empty()) return false;
    signature = der;
  }
  const Owned<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* key_context = nullptr;
  const EVP_MD* digest = scheme.family == Family::kEdDSA ? nullptr : digest_of(scheme.hash);
  if (!context ||
      EVP_DigestVerifyInit(context.get(), &key_context, digest, nullptr, state_->key.get()) != 1) {
    throw std::runtime_error("a signature failed in OpenSSL");
  }
  set_padding(key_context, scheme);
  const bool good = EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(),
                                     bytes_of(message), message.size()) == 1;
  if (!good) ERR_clear_error();  // they would be found by whoever asks next
  return good;
}

}  // namespace coronado::web
