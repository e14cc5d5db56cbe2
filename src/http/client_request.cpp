// What a fetch sends: checking the request, and its head.
#include <coronado/http/cookie_jar.hpp>
#include <coronado/http/field_id.hpp>
#include <coronado/http/httputil.hpp>

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "http/ascii.hpp"
#include "http/client_fetch.hpp"
#include "http/framing.hpp"
#include "http/proxy_dialog.hpp"
#include "http/quote.hpp"

namespace coronado {
namespace {

[[noreturn]] void refuse(const std::string& why) {
  throw std::invalid_argument("HTTPRequest: " + why);
}

constexpr std::string_view kMethods[] = {"GET",    "HEAD",  "POST",   "PUT",
                                         "DELETE", "PATCH", "OPTIONS"};

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

bool names_te(std::string_view connection) noexcept {
  while (!connection.empty()) {
    if (equals_ignoring_case(next_element(connection, ','), "TE")) return true;
  }
  return false;
}

}  // namespace

void ClientFetch::check() const {
  if (!is_token(method()) || method() == "CONNECT")
    refuse("invalid method " + quote_for_log(method()));
  const bool standard = std::ranges::find(kMethods, method()) != std::end(kMethods);
  if (!standard && !request_.allow_nonstandard_methods) {
    refuse("unknown method " + response_.method + " (see allow_nonstandard_methods)");
  }
  check_body();
  for (const Duration span : {request_.connect_timeout, request_.request_timeout}) {
    if (span < Duration::zero()) refuse("a time must not be negative");
  }
  if (request_.prepare_curl_callback && core_.curl == nullptr) {
    refuse("prepare_curl_callback is for HTTPClientEngine::kCurl only");
  }
  if (!is_field_value(request_.user_agent)) refuse("invalid user_agent");
  if (!is_field_value(request_.bearer_token)) refuse("invalid bearer_token");
  // RFC 7617 2: a user-id with a colon cannot be told from its password.
  if (request_.auth_username.find(':') != std::string::npos &&
      request_.auth_mode == HTTPAuth::kBasic) {
    refuse("auth_username must not contain ':'");
  }
  if (request_.auth_mode == HTTPAuth::kDigest && !is_field_value(request_.auth_username)) {
    refuse("invalid auth_username");
  }
}

void ClientFetch::check_body() const {
  const bool has = request_.body || request_.body_producer;
  if (request_.body && request_.body_producer) refuse("both body and body_producer");
  const bool wants = method() == "POST" || method() == "PUT" || method() == "PATCH";
  if (!request_.allow_nonstandard_methods && has != wants) {
    refuse(response_.method + (wants ? " must have a body" : " must not have a body") +
           " (see allow_nonstandard_methods)");
  }
  if (request_.headers.contains("Transfer-Encoding")) {
    refuse("Transfer-Encoding is the client's business");
  }
  const auto length = request_.headers.get("Content-Length");
  if (!length) return;
  std::uint64_t number = 0;
  if (parse_content_length(*length, number)) refuse("invalid Content-Length");
  if (!has) refuse("Content-Length without a body");
  if (request_.body && request_.body->size() != number) {
    refuse("Content-Length is not the size of the body");
  }
}

std::optional<std::uint64_t> ClientFetch::promised_length() const {
  if (request_.body) return request_.body->size();
  const auto field = request_.headers.find("Content-Length");
  if (!field) return std::nullopt;
  std::uint64_t length = 0;
  parse_content_length(*field, length);
  return length;
}

void ClientFetch::write_head(std::string& out) {
  constexpr std::string_view kBegin = "GET ";
  const bool shared = plain_ && !target_->absolute_form();
  if (!shared || known_->plain_head.empty()) {
    out.clear();
    append_own_head(out);
    if (shared) {
      known_->plain_head.assign(out, kBegin.size() + text_.size() - known_->text.size());
    }
    return;
  }
  // The fields of a GET of nothing but a URL are the same for all URLs of an origin.
  const std::string_view tail = text_.substr(known_->text.size());
  const std::string_view rest = known_->plain_head;
  out.resize_and_overwrite(kBegin.size() + tail.size() + rest.size(),
                           [&](char* p, std::size_t size) {
                             std::memcpy(p, kBegin.data(), kBegin.size());
                             std::memcpy(p + kBegin.size(), tail.data(), tail.size());
                             std::memcpy(p + size - rest.size(), rest.data(), rest.size());
                             return size;
                           });
}

void ClientFetch::append_own_head(std::string& out) {
  out.append(method()).append(1, ' ');
  // RFC 9112 3.2.2: a proxy is given the whole URL.
  if (target_->absolute_form()) url().append_origin(out);
  url().append_target(out);
  out.append(" HTTP/1.1\r\n");
  const auto host = left_origin_ ? std::nullopt : request_.headers.find("Host");
  if (host) {
    append_field(out, "Host", *host);
  } else {
    out.append("Host: ");
    url().append_authority(out);
    out.append("\r\n");
  }
  append_fields(out);
  append_framing(out);
  out.append("\r\n");
}

void ClientFetch::append_fields(std::string& out) {
  bool agent = false;
  bool encoding = !request_.decompress_response || mode_ == Mode::kUpgrade ||
                  request_.headers.contains("Range");
  bool authorization = false;
  bool proxy_authorization = false;
  bool te = false;
  bool te_named = false;
  std::string cookies;
  for (const HTTPHeaders::Field& field : request_.headers) {
    switch (field_id(field.name)) {
      case FieldId::kHost:
      case FieldId::kContentLength: continue;
      case FieldId::kUserAgent: agent = true; break;
      case FieldId::kAcceptEncoding: encoding = true; break;
      case FieldId::kAuthorization:
        if (left_origin_) continue;
        authorization = true;
        break;
      case FieldId::kCookie:
        if (!left_origin_) cookies.append(cookies.empty() ? "" : "; ").append(field.value);
        continue;
      case FieldId::kProxyAuthorization:
        // It is for the next one on the way: behind a tunnel that is not the proxy.
        if (left_origin_ || (target_->proxy && !target_->absolute_form())) continue;
        proxy_authorization = true;
        break;
      case FieldId::kTE: te = true; break;
      case FieldId::kConnection: te_named |= names_te(field.value); break;
      case FieldId::kContentType:
      case FieldId::kContentEncoding:
        if (drop_body_) continue;
        break;
      default:
        if (drop_body_ && equals_ignoring_case(field.name.substr(0, 8), "Content-")) continue;
    }
    append_field(out, field.name, field.value);
  }
  if (!agent) {
    append_field(out, "User-Agent",
                 request_.user_agent.empty() ? core_.options.user_agent : request_.user_agent);
  }
  // RFC 9110 10.1.4: TE is for the next server only, which `Connection` must say.
  if (te && !te_named) append_field(out, "Connection", "TE");
  if (!encoding) append_field(out, "Accept-Encoding", "gzip, deflate, br, zstd");
  if (core_.options.cookies != nullptr) {
    const std::string kept = core_.options.cookies->cookie_header(url(), std::time(nullptr));
    if (!kept.empty()) cookies.append(cookies.empty() ? "" : "; ").append(kept);
  }
  if (!cookies.empty()) append_field(out, "Cookie", cookies);
  if (!authorization) append_credentials(out);
  if (request_.if_modified_since) {
    append_field(out, "If-Modified-Since", format_timestamp(*request_.if_modified_since));
  }
  if (target_->absolute_form() && !proxy_authorization) append_proxy_credentials(out);
}

void ClientFetch::append_proxy_credentials(std::string& out) {
  const HTTPProxy& proxy = *target_->proxy;
  if (!proxy.has_user()) return;
  if (target_->proxy_auth == HTTPAuth::kBasic) {
    append_field(out, "Proxy-Authorization", basic_credentials(proxy.username, proxy.password));
    return;
  }
  if (logins_ == nullptr) return;
  // RFC 7616 3.4: `uri` is what the request line has.
  std::string target;
  url().append_origin(target);
  url().append_target(target);
  const std::string answer = logins_->proxy.show(method(), target, proxy.username, proxy.password);
  if (!answer.empty()) append_field(out, "Proxy-Authorization", answer);
}

void ClientFetch::append_credentials(std::string& out) {
  std::string value;
  if (url().has_user()) {
    value = basic_credentials(url().username, url().password);
  } else if (left_origin_) {
    return;
  } else if (!request_.bearer_token.empty()) {
    value = "Bearer " + request_.bearer_token;
  } else if (request_.auth_mode == HTTPAuth::kDigest) {
    if (logins_ == nullptr) return;
    value = logins_->server.show(method(), url().target(), request_.auth_username,
                                 request_.auth_password);
  } else if (!request_.auth_username.empty()) {
    value = basic_credentials(request_.auth_username, request_.auth_password);
  }
  if (!value.empty()) append_field(out, "Authorization", value);
}

void ClientFetch::append_framing(std::string& out) const {
  if (!has_body()) return;
  if (const auto length = promised_length()) {
    append_field(out, "Content-Length", std::to_string(*length));
  } else {
    append_field(out, "Transfer-Encoding", "chunked");
  }
  if (request_.expect_100_continue) append_field(out, "Expect", "100-continue");
  if (method() == "POST" && !request_.headers.contains("Content-Type")) {
    append_field(out, "Content-Type", "application/x-www-form-urlencoded");
  }
}

}  // namespace coronado
