#include "net/tls_openssl.hpp"

#include <coronado/base/strings.hpp>
#include <coronado/loop/address.hpp>

#include <openssl/bn.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

namespace coronado {

const char* to_string(TLSVersion version) noexcept {
  return version == TLSVersion::kTLS12 ? "TLSv1.2" : "TLSv1.3";
}

namespace {

class TLSCategory final : public std::error_category {
 public:
  const char* name() const noexcept override { return "tls"; }
  std::string message(int code) const override {
    switch (static_cast<TLSErrc>(code)) {
      case TLSErrc::kTruncated:
        return "the peer ended the TLS stream without close_notify: data may be missing";
      case TLSErrc::kBadRecord:
        return "the peer sent a TLS record that is not authentic or breaks the protocol";
    }
    return "unknown TLS error";
  }
};

class AlertCategory final : public std::error_category {
 public:
  const char* name() const noexcept override { return "tls alert"; }
  std::string message(int code) const override {
    return "the peer sent the TLS alert \"" + tls::alert_name(code) + "\"";
  }
};

}  // namespace

const std::error_category& tls_category() noexcept {
  static const TLSCategory category;
  return category;
}

const std::error_category& tls_alert_category() noexcept {
  static const AlertCategory category;
  return category;
}

}  // namespace coronado

namespace coronado::tls {
namespace {

std::string hexadecimal(std::string_view bytes) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char each : bytes) {
    const auto byte = static_cast<unsigned char>(each);
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::string_view view(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(::ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(::ASN1_STRING_length(text))};
}

std::string ip_text(std::string_view bytes) {
  SocketAddress address;
  if (bytes.size() != 4 && bytes.size() != 16) return {};
  address.family = bytes.size() == 4 ? SocketAddress::Family::kIPv4 : SocketAddress::Family::kIPv6;
  std::ranges::copy(bytes, address.ip.begin());
  return address.host();
}

void add_alternative_names(X509& certificate, TLSCertificate& to) {
  auto* names = static_cast<GENERAL_NAMES*>(
      ::X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr));
  if (names == nullptr) return;
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names, i);
    switch (name->type) {
      case GEN_DNS: to.dns_names.emplace_back(view(name->d.dNSName)); break;
      case GEN_URI: to.uris.emplace_back(view(name->d.uniformResourceIdentifier)); break;
      case GEN_EMAIL: to.emails.emplace_back(view(name->d.rfc822Name)); break;
      case GEN_IPADD: to.ip_addresses.push_back(ip_text(view(name->d.iPAddress))); break;
      default: break;
    }
  }
  ::GENERAL_NAMES_free(names);
}

std::string common_name(X509& certificate) {
  const X509_NAME* subject = ::X509_get_subject_name(&certificate);
  const int index = ::X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (index < 0) return {};
  return std::string(view(::X509_NAME_ENTRY_get_data(::X509_NAME_get_entry(subject, index))));
}

std::chrono::system_clock::time_point time_point(const ASN1_TIME* time) {
  std::tm parts{};
  if (::ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return std::chrono::system_clock::from_time_t(::timegm(&parts));
}

}  // namespace

std::string alert_name(int alert) {
  // OpenSSL 3.0 has no names for two alerts of TLS 1.3.
  if (alert == SSL_AD_MISSING_EXTENSION) return "missing extension";
  if (alert == SSL_AD_CERTIFICATE_REQUIRED) return "certificate required";
  return ascii_lower(::SSL_alert_desc_string_long(alert));
}

int peek_reason() noexcept { return ERR_GET_REASON(::ERR_peek_error()); }

std::string take_reason() {
  const unsigned long code = ::ERR_peek_error();
  const char* reason = ::ERR_reason_error_string(code);
  std::string text = reason != nullptr ? reason : "unknown reason";
  ::ERR_clear_error();
  return text;
}

std::string name_text(const X509_NAME* name) {
  const BIOPointer memory(::BIO_new(::BIO_s_mem()));
  ::X509_NAME_print_ex(memory.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &text);
  return size > 0 ? std::string(text, static_cast<std::size_t>(size)) : std::string();
}

std::string time_text(const ASN1_TIME* time) {
  std::tm parts{};
  if (::ASN1_TIME_to_tm(time, &parts) != 1) return "an unreadable date";
  std::array<char, 32> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%F %T UTC", &parts);
  return {text.data(), size};
}

std::vector<std::string> host_names(X509& certificate) {
  TLSCertificate names;
  add_alternative_names(certificate, names);
  std::vector<std::string> hosts;
  for (const std::string& name : names.dns_names) hosts.push_back(ascii_lower(name));
  // RFC 6125 6.4.4: the common name counts only when there is no alternative one.
  if (hosts.empty() && names.ip_addresses.empty()) {
    if (std::string name = common_name(certificate); !name.empty()) {
      hosts.push_back(ascii_lower(name));
    }
  }
  return hosts;
}

TLSCertificate describe(X509& certificate) {
  TLSCertificate result;
  result.subject = name_text(::X509_get_subject_name(&certificate));
  result.issuer = name_text(::X509_get_issuer_name(&certificate));
  result.common_name = common_name(certificate);
  add_alternative_names(certificate, result);
  const ASN1_INTEGER* serial = ::X509_get0_serialNumber(&certificate);
  result.serial = hexadecimal(view(serial));
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned size = 0;
  ::X509_digest(&certificate, ::EVP_sha256(), digest.data(), &size);
  result.fingerprint = hexadecimal({reinterpret_cast<const char*>(digest.data()), size});
  result.not_before = time_point(::X509_get0_notBefore(&certificate));
  result.not_after = time_point(::X509_get0_notAfter(&certificate));
  return result;
}

}  // namespace coronado::tls
