/// How an application is kept safe: its settings, headers for browsers, and where a redirect may go.
///
///     SecuritySettings        secrets, XSRF, the login page; given to `Application::set_security`
///     SecurityHeaders         fields that tell a browser what to refuse
///     security_headers        puts them on every response: middleware
///     make_nonce              for scripts that a Content-Security-Policy allows by name
///     is_safe_redirect        guards against open redirects
///
/// Layer: web.
#pragma once

#include <coronado/http/httputil.hpp>
#include <coronado/web/middleware.hpp>
#include <coronado/web/signed_value.hpp>

#include <concepts>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace coronado {
class HeaderBlock;
}  // namespace coronado

namespace coronado::web {

/// The settings of an application that concern its users.
///
///     app.set_security({.cookie_secret = read_secret(), .login_url = "/login", .xsrf_cookies = true});
///
/// Tornado  The settings of these names.
struct SecuritySettings {
  /// Signs cookies. Not in the source code, and not the same for two applications.
  CookieSecret cookie_secret = {};

  /// Where `authenticated` sends those who have not logged in.
  std::string login_url = {};

  /// Refuse with 403 every request that may change something (anything but GET, HEAD, OPTIONS) and
  /// does not bring the XSRF token.
  bool xsrf_cookies = false;
  /// 1 or 2; see `encode_xsrf_token`.
  int xsrf_cookie_version = 2;
  std::string xsrf_cookie_name = "_xsrf";
  /// Tornado  `xsrf_cookie_kwargs`.
  CookieOptions xsrf_cookie_options = {};
};

/// Fields of a response that tell browsers what to refuse. An empty text: that field is left out.
///
///     struct Page : web::RequestHandler {
///       void set_default_headers() override { web::SecurityHeaders().apply(*this); }
///     };
struct SecurityHeaders {
  /// What a page may load and run. `{nonce}` stands for the nonce that `apply` is given.
  /// Spec  W3C Content Security Policy 3.
  std::string content_security_policy =
      "default-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; "
      "frame-ancestors 'none'";

  /// Come back over TLS only, for this long. Sent over TLS alone. Zero: left out.   Spec  RFC 6797
  std::int64_t hsts_max_age_seconds = 365 * 86'400;
  bool hsts_include_subdomains = true;
  bool hsts_preload = false;

  /// `X-Content-Type-Options: nosniff`: do not guess what a file is.
  bool no_sniff = true;
  /// `Referrer-Policy`.
  std::string referrer_policy = "strict-origin-when-cross-origin";
  /// `X-Frame-Options`, for browsers that do not know `frame-ancestors`.
  std::string frame_options = "DENY";
  /// `Cross-Origin-Opener-Policy`.
  std::string cross_origin_opener_policy = "same-origin";
  /// `Permissions-Policy`.
  std::string permissions_policy = {};

  /// Sets the fields.
  ///
  /// Params   target  A `RequestHandler`, or a `HeaderBlock` such as `Response::headers()`.
  ///          secure  Whether the request came over TLS: `request().protocol() == "https"`.
  ///          nonce   See `make_nonce`. Empty: the policy must not mention one.
  /// Throws   std::invalid_argument  A text cannot be sent.
  ///          UsageError             The policy mentions a nonce, and there is none.
  template <class Target, std::same_as<bool> Secure>
  void apply(Target& target, Secure secure, std::string_view nonce = {}) const {
    for (const auto& [name, value] : fields(secure, nonce)) set(target, name, value);
  }
  /// The same for a handler, which knows whether the request came over TLS.   Throws  As above.
  template <class Handler>
    requires requires(Handler& handler) { handler.request(); }
  void apply(Handler& handler, std::string_view nonce = {}) const {
    apply(handler, handler.request().protocol() == "https", nonce);
  }

  /// The fields by name.   Throws  UsageError  As `apply`.
  ArgumentList fields(bool secure, std::string_view nonce = {}) const;

 private:
  template <class Target>
  static void set(Target& target, std::string_view name, std::string_view value) {
    if constexpr (requires { target.set_header(name, value); }) {
      target.set_header(name, value);
    } else {
      target.set(name, value);
    }
  }
};

/// A nonce for one response: `script-src 'nonce-{nonce}'` in the policy, `<script nonce="...">` in
/// the page. Text of 22 letters, digits, '-' and '_'.
std::string make_nonce();

/// The nonce of a request, as an extension; in handlers `RequestHandler::csp_nonce`.
struct CSPNonce {
  std::string value;
};

/// Puts the fields on every response, error pages included. What a handler has set itself stays. When
/// the policy mentions `{nonce}`, each request has one.
///
///     app.use(web::security_headers(
///         {.content_security_policy = "script-src 'nonce-{nonce}'; object-src 'none'"}));
///
/// Throws  std::invalid_argument  A text cannot be sent.
Middleware security_headers(SecurityHeaders headers = {});

/// Whether a browser may be sent to `url` on the word of a client: a path of this site, or a URL of
/// one of `hosts`.
///
/// A path begins with one '/', and no second '/' or '\' follows, which browsers take for a host. No
/// control characters, no white space, no backslash anywhere.
/// Params   hosts  "example.org" or "example.org:8443", in lower case. With http or https.
bool is_safe_redirect(std::string_view url, std::span<const std::string> hosts = {}) noexcept;

}  // namespace coronado::web
