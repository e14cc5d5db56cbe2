// Whether a response is the last one of a fetch: redirects, challenges, and what may be sent again.
#include <stdexcept>

#include "http/client_fetch.hpp"

namespace coronado {
namespace {

/// RFC 9110 9.2.2
bool is_idempotent(std::string_view method) noexcept {
  return method == "GET" || method == "HEAD" || method == "PUT" || method == "DELETE" ||
         method == "OPTIONS" || method == "TRACE";
}

/// Servers write spaces into a Location; all clients read them as if they were encoded.
std::string with_spaces_encoded(std::string_view location) {
  std::string text;
  for (const char c : location) {
    if (c == ' ') {
      text += "%20";
    } else {
      text += c;
    }
  }
  return text;
}

}  // namespace

void ClientFetch::plan_next() {
  if (response_.code == 401 || response_.code == 407) {
    again_ = takes_challenge();
    return;
  }
  // RFC 9110 10.1.1: whoever does not understand the expectation is asked without.
  if (response_.code == 417 && request_.expect_100_continue && has_body()) {
    request_.expect_100_continue = false;
    again_ = true;
    return;
  }
  if (!is_redirect(response_.code) || !request_.follow_redirects) return;
  if (response_.redirects >= request_.max_redirects) return;
  if (const auto location = response_.headers.find("Location")) plan_redirect(*location);
}

/// Who refused the request asks for credentials that we have, and did not refuse them.
bool ClientFetch::takes_challenge() {
  if (response_.code == 407) {
    // What comes through a tunnel is from no proxy of ours.
    return target_->absolute_form() && target_->proxy->has_user() &&
           target_->proxy_auth == HTTPAuth::kDigest &&
           logins().proxy.take(response_.headers.get_list("Proxy-Authenticate"));
  }
  return request_.auth_mode == HTTPAuth::kDigest && !request_.auth_username.empty() &&
         !left_origin_ && logins().server.take(response_.headers.get_list("WWW-Authenticate"));
}

ClientFetch::Logins& ClientFetch::logins() {
  if (logins_ == nullptr) logins_ = std::make_unique<Logins>();
  return *logins_;
}

void ClientFetch::plan_redirect(std::string_view location) {
  URL url;
  try {
    const bool spaces = location.find(' ') != std::string_view::npos;
    url = this->url().resolve(spaces ? with_spaces_encoded(location) : std::string(location));
  } catch (const std::invalid_argument& error) {
    throw HTTPResponseError(this->url().to_string(),
                            describe("redirected to nowhere: " + std::string(error.what())),
                            HTTPResponseError::Kind::kMalformed);
  }
  // RFC 9110 15.4.2 to 15.4.4: these become GET, as all clients have done it; 307 and 308 do not.
  const bool to_get =
      response_.code == 303 ? method() != "HEAD" : response_.code <= 302 && method() == "POST";
  // What was to be encrypted is not sent in the clear.
  if (!to_get && has_body() && this->url().secure() && !url.secure()) return;
  if (to_get) {
    response_.method = "GET";
    drop_body_ = true;
  }
  // User information is for the origin it was given for; what a server says about it is no matter.
  url.username.clear();
  url.password.clear();
  if (!origin_) origin_ = std::make_unique<URL>(this->url());
  if (!url.same_origin(*origin_)) left_origin_ = true;
  if (!left_origin_) {
    url.username = origin_->username;
    url.password = origin_->password;
  }
  next_ = std::make_unique<URL>(std::move(url));
}

// RFC 9110 9.2.2: others only when it is known that it does no harm. The field says so
// (draft-ietf-httpapi-idempotency-key-header). An answer to a challenge is a request as any: that
// the first one was refused does not tell whether the server has seen the second.
bool ClientFetch::may_repeat() const noexcept {
  return is_idempotent(method()) || request_.headers.contains("Idempotency-Key");
}

bool ClientFetch::may_retry() const noexcept { return may_repeat() && !connection_->answered(); }

}  // namespace coronado
