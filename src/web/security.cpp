#include <coronado/web/security.hpp>

#include <coronado/base/crypto.hpp>
#include <coronado/base/error.hpp>
#include <coronado/base/strings.hpp>
#include <coronado/http/header_block.hpp>
#include <coronado/web/exchange.hpp>

#include <algorithm>
#include <memory>
#include <utility>

namespace coronado::web {
namespace {

constexpr std::string_view kNonceMark = "{nonce}";

std::string with_nonce(std::string policy, std::string_view nonce) {
  for (std::size_t at = policy.find(kNonceMark); at != policy.npos; at = policy.find(kNonceMark)) {
    if (nonce.empty()) {
      throw UsageError("the Content-Security-Policy needs a nonce: give make_nonce() to apply");
    }
    policy.replace(at, kNonceMark.size(), nonce);
  }
  return policy;
}

}  // namespace

ArgumentList SecurityHeaders::fields(bool secure, std::string_view nonce) const {
  ArgumentList list;
  const auto add = [&list](std::string_view name, std::string value) {
    if (!value.empty()) list.emplace_back(name, std::move(value));
  };
  add("Content-Security-Policy", with_nonce(content_security_policy, nonce));
  if (secure && hsts_max_age_seconds > 0) {  // RFC 6797 7.2: not over plain HTTP
    std::string hsts = "max-age=" + std::to_string(hsts_max_age_seconds);
    if (hsts_include_subdomains) hsts += "; includeSubDomains";
    if (hsts_preload) hsts += "; preload";
    add("Strict-Transport-Security", std::move(hsts));
  }
  if (no_sniff) add("X-Content-Type-Options", "nosniff");
  add("Referrer-Policy", referrer_policy);
  add("X-Frame-Options", frame_options);
  add("Cross-Origin-Opener-Policy", cross_origin_opener_policy);
  add("Permissions-Policy", permissions_policy);
  return list;
}

std::string make_nonce() { return random_token(16); }

Middleware security_headers(SecurityHeaders headers) {
  HeaderBlock check;  // now, and not with each response
  headers.apply(check, true, "nonce");
  const bool has_nonce = headers.content_security_policy.contains(kNonceMark);
  auto shared = std::make_shared<const SecurityHeaders>(std::move(headers));
  return [shared, has_nonce](WebExchange& exchange, Next next) -> Task<> {
    if (has_nonce) exchange.set_extension(CSPNonce{make_nonce()});
    exchange.edit_head([shared, &exchange](int, HeaderBlock& fields) {
      const auto* nonce = exchange.extension<CSPNonce>();
      const bool secure = exchange.request().protocol() == "https";
      for (const auto& [name, value] :
           shared->fields(secure, nonce != nullptr ? nonce->value : "")) {
        if (!fields.contains(name)) fields.set(name, value);
      }
    });
    return next(exchange);
  };
}

bool is_safe_redirect(std::string_view url, std::span<const std::string> hosts) noexcept {
  const bool clean = std::ranges::all_of(url, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte > 0x20 && byte != 0x7F && c != '\\';
  });
  if (!clean || url.empty()) return false;
  if (url[0] == '/') return !url.starts_with("//");
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (!equals_ignore_case(url.substr(0, scheme.size()), scheme)) continue;
    const std::string_view rest = url.substr(scheme.size());
    const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
    return std::ranges::any_of(hosts, [authority](const std::string& host) {
      return equals_ignore_case(authority, host);  // user information makes it another text
    });
  }
  return false;
}

}  // namespace coronado::web
