#include <coronado/web/xsrf.hpp>

#include <coronado/base/crypto.hpp>
#include <coronado/base/error.hpp>
#include <coronado/base/strings.hpp>
#include <coronado/http/server_request.hpp>
#include <coronado/web/security.hpp>

#include <cstdint>
#include <stdexcept>
#include <utility>
#include <vector>

#include "web/arguments.hpp"

namespace coronado::web {
namespace {

constexpr std::size_t kMaskSize = 4;

std::string apply_mask(std::string_view mask, std::string_view bytes) {
  std::string masked(bytes);
  for (std::size_t i = 0; i < masked.size(); ++i) {
    masked[i] = static_cast<char>(masked[i] ^ mask[i % kMaskSize]);
  }
  return masked;
}

std::optional<XSRFToken> decode_version_2(std::string_view text) {
  const std::vector<std::string_view> parts = split(text, '|');
  if (parts.size() != 4) return std::nullopt;
  const std::optional<std::string> mask = parse_hex(parts[1]);
  const std::optional<std::string> masked = parse_hex(parts[2]);
  const auto created = parse_int<std::int64_t>(parts[3]);
  if (!mask || mask->size() != kMaskSize || !masked || masked->empty() || !created) {
    return std::nullopt;
  }
  return XSRFToken{apply_mask(*mask, *masked), static_cast<std::time_t>(*created)};
}

/// "12|...": a version, with no zero before it.
bool has_version(std::string_view text) noexcept {
  const std::size_t bar = text.find('|');
  if (bar == text.npos || bar == 0 || text[0] == '0') return false;
  return text.substr(0, bar).find_first_not_of("0123456789") == text.npos;
}

/// What the request shows as its token; empty: nothing.
std::string shown_token(const HTTPServerRequest& request) {
  for (const ArgumentList* arguments : {&request.body_arguments(), &request.query_arguments()}) {
    std::optional<std::string> token = last_argument(*arguments, "_xsrf");
    if (token && !token->empty()) return std::move(*token);
  }
  for (const std::string_view name : {"X-XSRFToken", "X-CSRFToken"}) {
    const auto field = request.header(name);
    if (field && !field->empty()) return std::string(*field);
  }
  return {};
}

}  // namespace

XSRFToken XSRFToken::make() { return {random_bytes(16), std::time(nullptr)}; }

std::string encode_xsrf_token(const XSRFToken& token, int version) {
  std::string text;
  if (version == 1) {
    append_hex(text, token.secret);
    return text;
  }
  if (version != 2) {
    throw std::invalid_argument("unknown version of XSRF cookies: " + std::to_string(version));
  }
  const std::string mask = random_bytes(kMaskSize);
  text = "2|";
  append_hex(text, mask);
  text += '|';
  append_hex(text, apply_mask(mask, token.secret));
  text += '|';
  append_int(text, std::int64_t{token.created});
  return text;
}

std::optional<XSRFToken> decode_xsrf_token(std::string_view text) {
  if (text.empty()) return std::nullopt;
  if (has_version(text)) {
    return text.starts_with("2|") ? decode_version_2(text) : std::nullopt;
  }
  std::optional<std::string> secret = parse_hex(text);
  return XSRFToken{secret ? std::move(*secret) : std::string(text), std::time(nullptr)};
}

std::optional<XSRFToken> xsrf_cookie_of(const HTTPServerRequest& request,
                                        const SecuritySettings& settings) {
  const auto cookie = request.cookie(settings.xsrf_cookie_name);
  return cookie ? decode_xsrf_token(*cookie) : std::nullopt;
}

void check_xsrf(const HTTPServerRequest& request, const std::optional<XSRFToken>& expected) {
  const std::string text = shown_token(request);
  if (text.empty()) {
    throw HTTPError(403, "'_xsrf' argument missing from " + std::string(request.method()));
  }
  const std::optional<XSRFToken> shown = decode_xsrf_token(text);
  if (!shown) throw HTTPError(403, "'_xsrf' argument has invalid format");
  if (!expected || !constant_time_equal(shown->secret, expected->secret)) {
    throw HTTPError(
        403, expected ? "XSRF cookie does not match " + std::string(request.method()) + " argument"
                      : "XSRF cookie is missing");
  }
}

}  // namespace coronado::web
