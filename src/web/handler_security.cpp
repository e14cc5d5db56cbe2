// What `RequestHandler` does about signed cookies, users and forged requests.
#include "web/handler_security.hpp"

#include <coronado/base/error.hpp>
#include <coronado/base/escape.hpp>
#include <coronado/base/log.hpp>
#include <coronado/http/httputil.hpp>
#include <coronado/web/application.hpp>
#include <coronado/web/request_handler.hpp>
#include <coronado/web/security.hpp>
#include <coronado/web/signed_value.hpp>
#include <coronado/web/xsrf.hpp>

#include <utility>

namespace coronado::web {

HandlerSecurity& RequestHandler::security() {
  if (!security_) security_ = std::make_unique<HandlerSecurity>();
  return *security_;
}

// --- cookies -------------------------------------------------------------------------------------

void RequestHandler::clear_cookie(std::string_view name) { clear_cookie(name, CookieOptions{}); }

void RequestHandler::clear_cookie(std::string_view name, const CookieOptions& options) {
  CookieOptions past = options;
  past.expires = std::time_t{0};
  past.max_age.reset();
  set_cookie(name, "", past);
}

void RequestHandler::clear_all_cookies() { clear_all_cookies(CookieOptions{}); }

void RequestHandler::clear_all_cookies(const CookieOptions& options) {
  for (const auto& [name, value] : request().cookies()) {
    if (is_token(name)) clear_cookie(name, options);
  }
}

std::string RequestHandler::create_signed_value(std::string_view name,
                                                std::string_view value) const {
  return web::create_signed_value(application().security().cookie_secret, name, value);
}

void RequestHandler::set_signed_cookie(std::string_view name, std::string_view value) {
  set_signed_cookie(name, value, SignedCookieOptions{});
}

void RequestHandler::set_signed_cookie(std::string_view name, std::string_view value,
                                       const SignedCookieOptions& options) {
  CookieOptions cookie = options.cookie;
  if (!cookie.expires && !cookie.expires_days && !cookie.max_age) {
    cookie.expires_days = options.expires_days;
  }
  set_cookie(name,
             web::create_signed_value(application().security().cookie_secret, name, value,
                                      options.version),
             cookie);
}

std::optional<std::string> RequestHandler::get_signed_cookie(std::string_view name) const {
  return get_signed_cookie(name, SignedValueRules{});
}

std::optional<std::string> RequestHandler::get_signed_cookie(std::string_view name,
                                                             const SignedValueRules& rules) const {
  const auto cookie = get_cookie(name);
  auto value = try_decode_signed_value(application().security().cookie_secret, name,
                                       cookie.value_or(""), rules);
  if (value) return std::move(*value);
  if (cookie && !cookie->empty()) {
    general_log().warning("signed cookie " + std::string(name) +
                          " refused: " + std::string(to_string(value.error())) + " (" +
                          std::string(request().method()) + " " + std::string(request().uri()) +
                          " from " + request().remote_ip() + ")");
  }
  return std::nullopt;
}

std::optional<int> RequestHandler::get_signed_cookie_key_version(std::string_view name) const {
  return get_signature_key_version(get_cookie(name).value_or(""));
}

// --- who asks --------------------------------------------------------------------------------------

Json RequestHandler::get_current_user() { return {}; }
Task<Json> RequestHandler::get_current_user_async() { return {}; }

const Json& RequestHandler::current_user() {
  if (!security().user_known) set_current_user(get_current_user());
  return security().user;
}

void RequestHandler::set_current_user(Json user) {
  security().user = std::move(user);
  security().user_known = true;
}

Task<> RequestHandler::load_current_user() {
  if (security().user_known) co_return;
  if (Task<Json> found = get_current_user_async()) {
    Json user = co_await std::move(found);
    set_current_user(std::move(user));
  }
}

Task<bool> RequestHandler::authenticated() {
  co_await load_current_user();
  if (!current_user().is_null()) co_return true;
  const Method method = request().method_id();
  if (method != Method::kGet && method != Method::kHead) {
    throw HTTPError(403, "nobody has logged in");
  }
  std::string url = get_login_url();
  if (!url.contains('?')) {
    const bool elsewhere = url.contains("://");
    const std::string next = elsewhere ? request().full_url() : std::string(request().uri());
    url += "?next=" + url_escape(next);
  }
  redirect(url);
  co_return false;
}

std::string RequestHandler::get_login_url() const {
  const std::string& url = application().security().login_url;
  if (url.empty()) {
    throw UsageError("`authenticated` needs a login page: set SecuritySettings::login_url");
  }
  return url;
}

std::string RequestHandler::get_next_url(std::string_view fallback) const {
  std::string next = get_argument("next", "");
  if (next.empty()) return std::string(fallback);
  if (is_safe_redirect(next)) return next;
  general_log().warning("redirect to another site refused: " + next.substr(0, 200) + " (" +
                        std::string(request().path()) + " from " + request().remote_ip() + ")");
  return std::string(fallback);
}

// --- forged requests -------------------------------------------------------------------------------

const std::string& RequestHandler::xsrf_token() {
  if (!security().token.empty()) return security().token;
  const SecuritySettings& settings = application().security();
  const std::optional<XSRFToken> sent = xsrf_cookie_of(request(), settings);
  std::string text =
      encode_xsrf_token(sent ? *sent : XSRFToken::make(), settings.xsrf_cookie_version);
  if (!sent) {
    CookieOptions options = settings.xsrf_cookie_options;
    const bool expires = options.expires || options.expires_days || options.max_age;
    if (!expires && !current_user().is_null()) options.expires_days = 30;
    set_cookie(settings.xsrf_cookie_name, text, options);
  }
  return security().token = std::move(text);
}

std::string RequestHandler::xsrf_form_html() {
  return "<input type=\"hidden\" name=\"_xsrf\" value=\"" + xhtml_escape(xsrf_token()) + "\"/>";
}

std::string_view RequestHandler::csp_nonce() const noexcept {
  const auto* nonce = exchange_->extension<CSPNonce>();
  return nonce != nullptr ? std::string_view(nonce->value) : std::string_view();
}

void RequestHandler::check_xsrf_cookie() {
  check_xsrf(request(), xsrf_cookie_of(request(), application().security()));
}

}  // namespace coronado::web
