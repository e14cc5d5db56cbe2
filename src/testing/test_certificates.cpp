#include <coronado/testing/test_certificates.hpp>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <stdexcept>
#include <utility>

namespace coronado {
namespace {

struct FreeKey {
  void operator()(EVP_PKEY* key) const noexcept { ::EVP_PKEY_free(key); }
};
struct FreeCertificate {
  void operator()(X509* certificate) const noexcept { ::X509_free(certificate); }
};
struct FreeBIO {
  void operator()(BIO* bio) const noexcept { ::BIO_free_all(bio); }
};
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;
using Certificate = std::unique_ptr<X509, FreeCertificate>;
using Memory = std::unique_ptr<BIO, FreeBIO>;

void require(bool done, const char* what) {
  if (!done) throw std::runtime_error(std::string("a test certificate cannot be made: ") + what);
}

Key make_key(TestKey kind) {
  Key key(kind == TestKey::kP256 ? EVP_EC_gen("P-256")
                                 : EVP_RSA_gen(kind == TestKey::kRSA2048 ? 2048U : 1024U));
  require(key != nullptr, "the key");
  return key;
}

std::string text_of(BIO* memory) {
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory, &text);
  return {text, static_cast<std::size_t>(size)};
}

std::string pem_of(X509* certificate) {
  const Memory memory(::BIO_new(::BIO_s_mem()));
  require(::PEM_write_bio_X509(memory.get(), certificate) == 1, "the certificate's text");
  return text_of(memory.get());
}

std::string pem_of(EVP_PKEY* key, const std::string& password) {
  const Memory memory(::BIO_new(::BIO_s_mem()));
  const EVP_CIPHER* cipher = password.empty() ? nullptr : ::EVP_aes_256_cbc();
  require(::PEM_write_bio_PKCS8PrivateKey(memory.get(), key, cipher, password.data(),
                                          static_cast<int>(password.size()), nullptr, nullptr) == 1,
          "the key's text");
  return text_of(memory.get());
}

void add_extension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  ::X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = ::X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  require(extension != nullptr, value.c_str());
  ::X509_add_ext(certificate, extension, -1);
  ::X509_EXTENSION_free(extension);
}

std::string alternative_names(const TestCertificateOptions& options) {
  std::string list;
  const auto add = [&](const char* kind, const std::vector<std::string>& names) {
    for (const std::string& name : names)
      list += (list.empty() ? kind : "," + std::string(kind)) + name;
  };
  add("DNS:", options.dns_names);
  add("IP:", options.ip_addresses);
  add("URI:", options.uris);
  return list;
}

void set_name(X509_NAME* to, const std::string& name) {
  ::X509_NAME_add_entry_by_txt(to, "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
}

enum class Kind : unsigned char { kAuthority, kLeaf };

/// Params  issuer, signer  Null: it signs itself.
Certificate make_certificate(const TestCertificateOptions& options, Kind kind, EVP_PKEY* key,
                             X509* issuer, EVP_PKEY* signer) {
  Certificate certificate(::X509_new());
  X509* const raw = certificate.get();
  ::X509_set_version(raw, X509_VERSION_3);
  unsigned char serial[8];
  require(::RAND_bytes(serial, sizeof serial) == 1, "the serial number");
  serial[0] = (serial[0] & 0x7f) | 0x40;
  ::ASN1_STRING_set(::X509_get_serialNumber(raw), serial, sizeof serial);
  const auto seconds = [](std::chrono::hours span) {
    return static_cast<long>(span.count() * 3600);
  };
  ::X509_gmtime_adj(::X509_getm_notBefore(raw), seconds(options.valid_from));
  ::X509_gmtime_adj(::X509_getm_notAfter(raw), seconds(options.valid_until));
  set_name(::X509_get_subject_name(raw), options.common_name);
  ::X509_set_issuer_name(raw, ::X509_get_subject_name(issuer != nullptr ? issuer : raw));
  ::X509_set_pubkey(raw, key);
  X509* const by = issuer != nullptr ? issuer : raw;
  const bool authority = kind == Kind::kAuthority;
  add_extension(raw, by, NID_basic_constraints, authority ? "critical,CA:TRUE" : "CA:FALSE");
  add_extension(
      raw, by, NID_key_usage,
      authority ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature,keyEncipherment");
  add_extension(raw, by, NID_subject_key_identifier, "hash");
  if (!authority) add_extension(raw, by, NID_ext_key_usage, "serverAuth,clientAuth");
  if (const std::string names = alternative_names(options); !names.empty()) {
    add_extension(raw, by, NID_subject_alt_name, names);
  }
  require(::X509_sign(raw, signer != nullptr ? signer : key, ::EVP_sha256()) > 0, "the signature");
  return certificate;
}

}  // namespace

struct TestAuthority::State {
  Key key;
  Certificate certificate;
  std::string pem;
  std::string chain;  // what its certificates bring along: itself, unless it is a root
};

TestAuthority::TestAuthority(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
TestAuthority::TestAuthority(TestAuthority&&) noexcept = default;
TestAuthority::~TestAuthority() = default;

TestAuthority::TestAuthority(const std::string& name) : state_(std::make_unique<State>()) {
  state_->key = make_key(TestKey::kP256);
  state_->certificate = make_certificate({.common_name = name}, Kind::kAuthority, state_->key.get(),
                                         nullptr, nullptr);
  state_->pem = pem_of(state_->certificate.get());
}

const std::string& TestAuthority::certificate_pem() const noexcept { return state_->pem; }

TestCertificate TestAuthority::issue(const TestCertificateOptions& options) const {
  const Key key = make_key(options.key);
  const Certificate certificate = make_certificate(options, Kind::kLeaf, key.get(),
                                                   state_->certificate.get(), state_->key.get());
  return {.certificate_pem = pem_of(certificate.get()) + state_->chain,
          .key_pem = pem_of(key.get(), options.key_password)};
}

TestAuthority TestAuthority::issue_authority(const std::string& name) const {
  auto state = std::make_unique<State>();
  state->key = make_key(TestKey::kP256);
  state->certificate = make_certificate({.common_name = name}, Kind::kAuthority, state->key.get(),
                                        state_->certificate.get(), state_->key.get());
  state->pem = pem_of(state->certificate.get());
  state->chain = state->pem + state_->chain;
  return TestAuthority(std::move(state));
}

TestCertificate make_self_signed(const TestCertificateOptions& options) {
  const Key key = make_key(options.key);
  const Certificate certificate =
      make_certificate(options, Kind::kLeaf, key.get(), nullptr, nullptr);
  return {.certificate_pem = pem_of(certificate.get()),
          .key_pem = pem_of(key.get(), options.key_password)};
}

}  // namespace coronado
