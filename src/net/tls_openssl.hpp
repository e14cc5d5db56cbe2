/// What the TLS files share: OpenSSL's objects as owners, its errors as text.
#pragma once

#include <coronado/net/tls.hpp>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <string_view>

namespace coronado::tls {

template <auto kFree>
struct Free {
  template <class T>
  void operator()(T* object) const noexcept {
    kFree(object);
  }
};
using SSLPointer = std::unique_ptr<SSL, Free<::SSL_free>>;
using ContextPointer = std::unique_ptr<SSL_CTX, Free<::SSL_CTX_free>>;
using SessionPointer = std::unique_ptr<SSL_SESSION, Free<::SSL_SESSION_free>>;
using CertificatePointer = std::unique_ptr<X509, Free<::X509_free>>;
using KeyPointer = std::unique_ptr<EVP_PKEY, Free<::EVP_PKEY_free>>;
using BIOPointer = std::unique_ptr<BIO, Free<::BIO_free_all>>;

/// OpenSSL's first complaint as words, such as "bad decrypt"; empties its queue.
std::string take_reason();

/// The complaint's number within the library, 0 for none; leaves the queue as it is.
int peek_reason() noexcept;

TLSCertificate describe(X509& certificate);

/// "certificate required".   Spec  RFC 8446 6
std::string alert_name(int alert);

/// "CN=example.com,O=Example".
std::string name_text(const X509_NAME* name);

/// "2026-11-25 01:54:56 UTC".
std::string time_text(const ASN1_TIME* time);

/// The hosts a certificate is for, in lower case: its DNS names, else its common name.
std::vector<std::string> host_names(X509& certificate);

}  // namespace coronado::tls
