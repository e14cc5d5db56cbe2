#include "net/tls_openssl_errors.hpp"

#include <coronado/base/error.hpp>

#include <openssl/sslerr.h>

#include <algorithm>
#include <array>

namespace coronado::tls {
namespace {

std::string attempt(const Counterpart& peer) { return "TLS handshake with " + peer.name; }

std::string join(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text.empty() ? "no host" : text;
}

template <class Error>
std::exception_ptr make(const Counterpart& peer, const std::string& why) {
  return std::make_exception_ptr(Error(peer.name, attempt(peer) + " failed: " + why));
}

std::exception_ptr certificate_error(const Counterpart& peer, const VerifyFailure& failure) {
  const std::string its = "the certificate \"" + failure.subject + "\"";
  switch (failure.code) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return make<TLSExpiredError>(peer, its + " expired on " + failure.not_after);
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return make<TLSExpiredError>(peer, its + " is not valid before " + failure.not_before);
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return make<TLSHostError>(peer,
                                its + " is for " + join(failure.hosts) + ", not for " + peer.name);
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return make<TLSSelfSignedError>(peer, its + " is signed by itself only");
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_UNTRUSTED:
      return make<TLSUntrustedError>(
          peer, its + " is signed by \"" + failure.issuer + "\", which is not trusted");
    default:
      return make<TLSCertificateError>(
          peer, its + " is not accepted: " + ::X509_verify_cert_error_string(failure.code));
  }
}

/// Text as it may stand in a log line.
std::string printable(std::string_view bytes) {
  std::string text;
  for (const char each : bytes) text += each >= ' ' && each <= '~' ? each : '.';
  return text;
}

bool is_http(std::string_view bytes) {
  constexpr std::array<std::string_view, 9> kBeginnings = {
      "GET ", "HEAD ", "POST ", "PUT ", "PATCH ", "DELETE ", "OPTIONS ", "CONNECT ", "HTTP/"};
  return std::ranges::any_of(kBeginnings, [&](std::string_view beginning) {
    return bytes.starts_with(beginning.substr(0, std::min<std::size_t>(8, beginning.size())));
  });
}

}  // namespace

std::exception_ptr garbage_error(const Counterpart& peer, std::string_view first_bytes) {
  const std::string quoted = " (\"" + printable(first_bytes) + "\"...)";
  if (is_http(first_bytes)) {
    return make<TLSGarbageError>(peer, "the peer speaks plain HTTP" + quoted);
  }
  return make<TLSGarbageError>(peer, "the peer does not speak TLS" + quoted);
}

std::exception_ptr truncated_error(const Counterpart& peer, std::error_code code) {
  const std::string why = code ? "the connection broke: " + code.message()
                               : std::string("the peer closed the connection");
  return make<TLSTruncatedError>(peer, why);
}

std::exception_ptr timeout_error(const Counterpart& peer, Duration limit) {
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(limit).count();
  return std::make_exception_ptr(TLSTimeoutError(
      peer.name, attempt(peer) + " was not done within " + std::to_string(milliseconds) + " ms"));
}

std::exception_ptr handshake_error(const Counterpart& peer, const VerifyFailure& failure) {
  const int reason = peek_reason();
  if (reason > SSL_AD_REASON_OFFSET && reason < SSL_AD_REASON_OFFSET + 256) {
    const int alert = reason - SSL_AD_REASON_OFFSET;
    ::ERR_clear_error();
    return std::make_exception_ptr(TLSAlertError(
        peer.name,
        attempt(peer) + " failed: the peer refused with the alert \"" + alert_name(alert) + "\"",
        alert));
  }
  const std::string text = take_reason();
  switch (reason) {
    case SSL_R_CERTIFICATE_VERIFY_FAILED:
      if (failure.code != X509_V_OK) return certificate_error(peer, failure);
      break;
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
      return make<TLSNoCertificateError>(peer, "the client has shown no certificate");
    case SSL_R_NO_SHARED_CIPHER:
      return make<TLSHandshakeError>(peer, "there is no cipher that both sides allow");
    case SSL_R_UNSUPPORTED_PROTOCOL:
      return make<TLSHandshakeError>(peer, "there is no TLS version that both sides allow");
    case SSL_R_NO_APPLICATION_PROTOCOL:
      return make<TLSHandshakeError>(peer, "there is no ALPN protocol that both sides offer");
    default: break;
  }
  return make<TLSHandshakeError>(peer, text);
}

std::error_code stream_error() noexcept {
  const int reason = peek_reason();
  ::ERR_clear_error();
  if (reason > SSL_AD_REASON_OFFSET && reason < SSL_AD_REASON_OFFSET + 256) {
    return {reason - SSL_AD_REASON_OFFSET, tls_alert_category()};
  }
  return TLSErrc::kBadRecord;
}

}  // namespace coronado::tls
