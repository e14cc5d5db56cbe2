#include "net/tls_openssl_files.hpp"

#include <coronado/base/strings.hpp>

#include <openssl/pem.h>

#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

namespace coronado::tls {
namespace {

/// PEM text, and what to call it in a message.
struct Source {
  std::string name;
  std::string text;
};

std::string read_file(const std::string& path, const std::string& what) {
  const auto fail = [&](const char* why) {
    return TLSFileError(path, "cannot read " + what + " " + path + ": " + why);
  };
  struct Close {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
  };
  const std::unique_ptr<std::FILE, Close> file(std::fopen(path.c_str(), "re"));
  if (!file) throw fail(std::strerror(errno));
  std::string text;
  char buffer[16 * 1024];
  while (const std::size_t size = std::fread(buffer, 1, sizeof buffer, file.get())) {
    text.append(buffer, size);
  }
  if (std::ferror(file.get()) != 0) throw fail(std::strerror(errno));
  return text;
}

Source source(const std::string& path, const std::string& pem, const std::string& what) {
  if (path.empty()) return {what + " given as text", pem};
  return {path, read_file(path, what)};
}

BIOPointer reader(const std::string& text) {
  return BIOPointer(::BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::vector<CertificatePointer> parse_certificates(const Source& from) {
  std::vector<CertificatePointer> found;
  const BIOPointer in = reader(from.text);
  ::ERR_clear_error();
  while (X509* certificate = ::PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr)) {
    found.emplace_back(certificate);
  }
  // The regular end is "no start line".
  if (found.empty() || peek_reason() != PEM_R_NO_START_LINE) {
    const bool none = peek_reason() == PEM_R_NO_START_LINE;
    const std::string why = none ? "there is no PEM certificate in it" : take_reason();
    ::ERR_clear_error();
    throw TLSFileError(from.name, "cannot use the certificates of " + from.name + ": " + why);
  }
  ::ERR_clear_error();
  return found;
}

int give_password(char* to, int size, int, void* password) {
  const auto& text = *static_cast<const std::string*>(password);
  if (text.empty() || static_cast<int>(text.size()) > size) return -1;
  std::memcpy(to, text.data(), text.size());
  return static_cast<int>(text.size());
}

KeyPointer parse_key(const Source& from, const std::string& password) {
  const BIOPointer in = reader(from.text);
  ::ERR_clear_error();
  KeyPointer key(::PEM_read_bio_PrivateKey(in.get(), nullptr, give_password,
                                           const_cast<std::string*>(&password)));
  if (key) return key;
  std::string why = take_reason();
  if (from.text.contains("ENCRYPTED")) {
    why = password.empty() ? "it is encrypted and no password is given" : "the password is wrong";
  } else if (!from.text.contains("PRIVATE KEY")) {
    why = "there is no PEM private key in it";
  }
  throw TLSFileError(from.name, "cannot use the private key of " + from.name + ": " + why);
}

void check_strength(X509& certificate, const std::string& name) {
  EVP_PKEY* key = ::X509_get0_pubkey(&certificate);
  constexpr int kLeastSecurityBits = 112;  // RSA of 2048 bits; NIST SP 800-57 5.6.1
  if (key == nullptr || ::EVP_PKEY_get_security_bits(key) >= kLeastSecurityBits) return;
  throw TLSWeakKeyError(
      name, "the certificate of " + name + " has a key of " +
                std::to_string(::EVP_PKEY_get_bits(key)) +
                " bits, which is too weak: RSA needs at least 2048 and elliptic curves 224");
}

void add_authorities(X509_STORE& store, const Source& from) {
  for (const CertificatePointer& each : parse_certificates(from)) {
    ::X509_STORE_add_cert(&store, each.get());
  }
}

}  // namespace

std::vector<std::string> use_identity(SSL_CTX& context, const TLSIdentity& identity) {
  const Source chain =
      source(identity.certificate_file, identity.certificate_pem, "the certificate");
  const bool key_apart = !identity.key_file.empty() || !identity.key_pem.empty();
  const Source key_source =
      key_apart ? source(identity.key_file, identity.key_pem, "the private key") : chain;
  std::vector<CertificatePointer> certificates = parse_certificates(chain);
  const KeyPointer key = parse_key(key_source, identity.key_password);
  X509& own = *certificates.front();
  if (::X509_check_private_key(&own, key.get()) != 1) {
    ::ERR_clear_error();
    throw TLSKeyMismatchError(key_source.name, "the private key of " + key_source.name +
                                                   " does not belong to the certificate of " +
                                                   chain.name);
  }
  check_strength(own, chain.name);
  bool fits = ::SSL_CTX_use_certificate(&context, &own) == 1 &&
              ::SSL_CTX_use_PrivateKey(&context, key.get()) == 1;
  for (std::size_t i = 1; fits && i < certificates.size(); ++i) {
    fits = SSL_CTX_add1_chain_cert(&context, certificates[i].get()) == 1;
  }
  if (!fits) {
    throw TLSWeakKeyError(chain.name,
                          "the certificate of " + chain.name + " is refused: " + take_reason());
  }
  return host_names(own);
}

std::string use_trust(SSL_CTX& context, const TLSTrust& trust, bool system_by_default) {
  X509_STORE& store = *::SSL_CTX_get_cert_store(&context);
  std::string all;
  const auto add = [&](const std::string& path, const std::string& pem) {
    const Source from = source(path, pem, "the certificates of authorities");
    add_authorities(store, from);
    all += from.text;
  };
  if (!trust.ca_file.empty()) add(trust.ca_file, {});
  if (!trust.ca_pem.empty()) add({}, trust.ca_pem);
  if (const std::string& path = trust.ca_directory; !path.empty()) {
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) {
      throw TLSFileError(path, "cannot read the authorities in " + path + ": it is no directory");
    }
    ::SSL_CTX_load_verify_dir(&context, path.c_str());
    all += path;
  }
  if (trust.also_system_store || (all.empty() && system_by_default)) {
    ::SSL_CTX_set_default_verify_paths(&context);
    all += "system";
  }
  ::ERR_clear_error();
  return all;
}

}  // namespace coronado::tls
