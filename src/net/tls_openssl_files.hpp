/// Certificates, keys and trust from files and text into an OpenSSL context.
#pragma once

#include "net/tls_openssl.hpp"

namespace coronado::tls {

/// Gives a context its certificate chain and key.
/// Returns  The hosts that the certificate is for, in lower case, perhaps with a wildcard.
/// Throws   TLSFileError, TLSKeyMismatchError, TLSWeakKeyError
std::vector<std::string> use_identity(SSL_CTX& context, const TLSIdentity& identity);

/// Gives a context the authorities it believes.
/// Params   system_by_default  The system's store when `trust` is empty.
/// Returns  All the text that was read: equal text is equal trust.
/// Throws   TLSFileError
std::string use_trust(SSL_CTX& context, const TLSTrust& trust, bool system_by_default);

}  // namespace coronado::tls
