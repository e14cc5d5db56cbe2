/// Logins at a provider: OAuth 2 and OpenID Connect, with state, PKCE and a nonce.
///
///     OAuth2Provider    where a provider is, and what it does in its own way
///     google_provider, github_provider, facebook_provider, wechat_provider
///     discover_provider the same from a provider's own description
///     OAuth2Client      sends users to a provider, and takes them back
///     OAuth2User        who came back
///     wechat_code2session  the login of a WeChat mini program
///
///     struct Login : web::RequestHandler {
///       explicit Login(web::OAuth2Client* google) : google_(*google) {}
///       Task<> get() override {
///         if (!has_answer()) co_return google_.authorize_redirect(*this);
///         web::OAuth2User user = co_await google_.get_authenticated_user(*this);
///         set_signed_cookie("user", user.claims.at("sub").as_string());
///         redirect(user.next);
///       }
///       bool has_answer() const { return !get_query_arguments("state").empty(); }
///       web::OAuth2Client& google_;
///     };
///
/// What belongs to one login (state, PKCE's verifier, the nonce, where to go on) is in an encrypted
/// cookie for ten minutes. Whoever comes back without it, or with another state, is refused.
///
/// Threads  The loop's thread only.
/// Layer: web.   Spec  RFC 6749, 7636, 9207, 9700; OpenID Connect Core 1.0.
/// Tornado  `auth.OAuth2Mixin` and its kin, which have neither state nor PKCE.
#pragma once

#include <coronado/base/json.hpp>
#include <coronado/coro/task.hpp>
#include <coronado/http/httputil.hpp>
#include <coronado/web/auth/auth_error.hpp>
#include <coronado/web/auth/jwks_cache.hpp>
#include <coronado/web/response.hpp>
#include <coronado/web/signed_value.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace coronado {
class HTTPClient;
class HTTPServerRequest;
}  // namespace coronado

namespace coronado::web {

class RequestHandler;

/// What a provider does in its own way.
enum class OAuth2Dialect : std::uint8_t {
  kStandard,
  kFacebook,  ///< tokens by GET, `appsecret_proof` with requests
  kWeChat,    ///< `appid` and `secret`, tokens by GET, errors with status 200, users by `openid`
};

/// Where a provider is.
struct OAuth2Provider {
  /// A token; for the cookie and for messages.
  std::string name = {};
  std::string authorize_url = {};
  std::string token_url = {};
  /// Tells who a token belongs to. Empty: nobody is asked.
  std::string userinfo_url = {};
  /// Not empty: it speaks OpenID Connect, signs an `id_token` as this issuer, with keys from there.
  std::string issuer = {};
  std::string jwks_url = {};
  /// What is asked for unless the caller asks for something else.
  std::vector<std::string> scope = {};
  /// Sent with every authorisation.
  ArgumentList authorize_params = {};
  bool pkce = true;
  OAuth2Dialect dialect = OAuth2Dialect::kStandard;
};

/// Tornado  `auth.GoogleOAuth2Mixin`. With OpenID Connect.
OAuth2Provider google_provider();
OAuth2Provider github_provider();
/// Tornado  `auth.FacebookGraphMixin`.
/// Params   fields  Of the user.
OAuth2Provider facebook_provider(
    std::string_view fields = "id,name,first_name,last_name,locale,picture,link");
/// The login of web sites by a QR code.
OAuth2Provider wechat_provider();

/// Reads `issuer`/.well-known/openid-configuration.
/// Throws  AuthError(kProvider)  It cannot be read, or is from another issuer.
/// Cancel  At once.
/// Spec    OpenID Connect Discovery 1.0 4.
Task<OAuth2Provider> discover_provider(HTTPClient& client, std::string issuer,
                                       std::string name = "oidc");

/// What the provider knows us by, and what we know ourselves by.
struct OAuth2Settings {
  std::string client_id = {};
  std::string client_secret = {};
  /// Where users come back to, as the provider has registered it: a whole URL.
  std::string redirect_uri = {};
  /// Encrypts the cookie of a login.
  CookieSecret cookie_secret = {};
  /// The time, in seconds since 1970; for tests.
  std::time_t (*now)() = nullptr;
};

/// What is said of one login.
struct AuthorizeOptions {
  /// Empty: the provider's.
  std::vector<std::string> scope = {};
  ArgumentList extra_params = {};
  /// Where to go on, for `OAuth2User::next`. Only a path of this site is kept; see `is_safe_redirect`.
  std::string next = "/";
};

/// Who came back from a provider.
struct OAuth2User {
  /// What the provider tells of the user; null without `userinfo_url`.
  Json user = {};
  /// The claims of the verified `id_token`; null without OpenID Connect.
  Json claims = {};
  /// What the provider answered: `access_token`, `refresh_token`, `expires_in`, ...
  Json tokens = {};
  /// Where to go on.
  std::string next = "/";

  /// Throws  JsonError  There is none.
  const std::string& access_token() const { return tokens.at("access_token").as_string(); }
};

/// A client of one provider.
/// Lifetime  The HTTP client must outlive it.
class OAuth2Client {
 public:
  /// Throws  UsageError  A setting is missing, or `redirect_uri` is no whole URL.
  OAuth2Client(HTTPClient& client, OAuth2Provider provider, OAuth2Settings settings);
  ~OAuth2Client();
  OAuth2Client(const OAuth2Client&) = delete;
  OAuth2Client& operator=(const OAuth2Client&) = delete;

  /// Sends the user to the provider, and finishes.
  /// Tornado  `OAuth2Mixin.authorize_redirect`.
  void authorize_redirect(RequestHandler& handler, const AuthorizeOptions& options = {});
  /// The same for function handlers.
  Response authorize_redirect(const AuthorizeOptions& options = {}) const;

  /// Who came back: checks state, error and issuer, exchanges the code, verifies the `id_token`, asks
  /// for the user. The cookie of the login is deleted, whatever comes of it.
  /// Throws   AuthError  See `AuthError::Reason`.
  /// Cancel   At once.
  /// Lifetime `handler` must live until the task ends.
  /// Tornado  `GoogleOAuth2Mixin.get_authenticated_user`, `FacebookGraphMixin...`.
  Task<OAuth2User> get_authenticated_user(RequestHandler& handler);
  /// The same for function handlers, which send `clear_cookie` with their response.
  /// Throws   AuthError  See `AuthError::Reason`.
  /// Cancel   At once.
  /// Lifetime `request` must live until the task ends.
  Task<OAuth2User> get_authenticated_user(const HTTPServerRequest& request);
  /// A Set-Cookie field that deletes the cookie of a login.
  std::string clear_cookie() const;

  /// New tokens for a `refresh_token`.
  /// Throws  AuthError  kToken: it is not accepted any more. kProvider: no good answer.
  /// Cancel  At once.
  Task<Json> refresh(std::string refresh_token);

  /// Asks the provider for something in the user's name: GET, or POST with a form. What it answers is
  /// JSON.
  /// Throws   AuthError  kToken: the token is not accepted (401). kProvider: no good answer.
  /// Cancel   At once.
  /// Tornado  `OAuth2Mixin.oauth2_request`, `FacebookGraphMixin.facebook_request`. Differs: the token
  ///          travels in `Authorization`, but for Facebook and WeChat.
  Task<Json> oauth2_request(std::string url, std::string access_token, ArgumentList arguments = {},
                            std::optional<ArgumentList> post_arguments = std::nullopt);

  const OAuth2Provider& provider() const noexcept { return provider_; }

 private:
  struct Login;
  struct Begun;

  std::string cookie_name() const { return "_oauth2_" + provider_.name; }
  CookieOptions cookie_options() const;
  std::time_t now() const noexcept;
  Begun begin(const AuthorizeOptions& options) const;
  Login open_login(const HTTPServerRequest& request) const;
  void check_answer(const HTTPServerRequest& request, const Login& login) const;
  Task<Json> ask_for_tokens(ArgumentList arguments);
  Task<Json> verify_id_token(Json tokens, std::string nonce);
  Task<Json> ask_for_user(Json tokens, Json claims);
  [[noreturn]] void fail(AuthError::Reason reason, const std::string& why) const;

  HTTPClient& client_;
  OAuth2Provider provider_;
  OAuth2Settings settings_;
  std::unique_ptr<JWKSCache> keys_;  // null without OpenID Connect
};

/// The session of a WeChat mini program for the code that `wx.login` gave it: `openid`, `session_key`,
/// and `unionid` for those that have one.
/// Params  url  For tests.
/// Throws  AuthError  kToken: the code is not accepted. kProvider: no good answer.
/// Cancel  At once.
Task<Json> wechat_code2session(HTTPClient& client, std::string appid, std::string secret,
                               std::string js_code,
                               std::string url = "https://api.weixin.qq.com/sns/jscode2session");

}  // namespace coronado::web
