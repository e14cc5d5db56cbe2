/// Logins at a provider that still speaks OAuth 1.0 or 1.0a, such as Twitter did.
///
///     OAuth1Provider     where a provider is; twitter_provider
///     OAuth1Client       sends users there, takes them back, asks in their name
///     oauth1_signature   HMAC-SHA1 of a request
///
/// Threads  The loop's thread only.
/// Layer: web.   Spec  RFC 5849.   Tornado  `auth.OAuthMixin`, `auth.TwitterMixin`.
#pragma once

#include <coronado/base/json.hpp>
#include <coronado/coro/task.hpp>
#include <coronado/http/httputil.hpp>
#include <coronado/web/auth/auth_error.hpp>
#include <coronado/web/signed_value.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace coronado {
class HTTPClient;
}  // namespace coronado

namespace coronado::web {

class RequestHandler;

enum class OAuth1Version : std::uint8_t {
  k10,   ///< before the session fixation of 2009 was mended; for providers that know no other
  k10a,  ///< RFC 5849
};

struct OAuth1Provider {
  std::string name = {};
  std::string request_token_url = {};
  std::string access_token_url = {};
  std::string authorize_url = {};
  /// Asks only those who have not agreed before. Empty: as `authorize_url`.
  std::string authenticate_url = {};
  /// What the paths of `OAuth1Client::request` are appended to, and what is appended to them.
  std::string api_url = {};
  std::string api_suffix = {};
  /// Tells who has logged in: a path as for `request`. Empty: nobody is asked.
  std::string user_path = {};
  OAuth1Version version = OAuth1Version::k10a;
};

/// Tornado  `auth.TwitterMixin`.
OAuth1Provider twitter_provider();

/// A request token or an access token.
struct OAuth1Token {
  std::string key = {};
  std::string secret = {};
  /// What else came with it, such as `screen_name`.
  ArgumentList more = {};
};

struct OAuth1Settings {
  std::string consumer_key = {};
  std::string consumer_secret = {};
  /// Encrypts the cookie of a login.
  CookieSecret cookie_secret = {};
};

struct OAuth1User {
  /// What the provider tells of the user; null without `user_path`.
  Json user = {};
  OAuth1Token access_token = {};
};

/// The `oauth_signature` of a request, in base64.
///
/// Params  url         Its query is signed with the arguments.
///         arguments   Those of the query or a form, and those called `oauth_...`; in any order.
///         version     Decides whether secrets are escaped.
/// Throws  std::invalid_argument  `url` is none.
/// Spec    RFC 5849 3.4.2.
std::string oauth1_signature(std::string_view method, std::string_view url,
                             const ArgumentList& arguments, std::string_view consumer_secret,
                             std::string_view token_secret,
                             OAuth1Version version = OAuth1Version::k10a);

/// A client of one provider.
/// Lifetime  The HTTP client must outlive it.
class OAuth1Client {
 public:
  /// Throws  UsageError  A setting is missing.
  OAuth1Client(HTTPClient& client, OAuth1Provider provider, OAuth1Settings settings);

  /// Fetches a request token, sends the user to the provider, and finishes.
  /// Params   callback_uri  Where the user comes back to; relative to this request. Empty: what the
  ///                        provider has registered.
  /// Throws   AuthError     No token.
  /// Cancel   At once.
  /// Lifetime `handler` must live until the task ends.
  /// Tornado  `OAuthMixin.authorize_redirect`.
  Task<> authorize_redirect(RequestHandler& handler, std::string callback_uri = {},
                            ArgumentList extra_params = {});
  /// The same to `authenticate_url`.
  /// Throws   As `authorize_redirect`.
  /// Cancel   At once.
  /// Tornado  `TwitterMixin.authenticate_redirect`.
  Task<> authenticate_redirect(RequestHandler& handler, std::string callback_uri = {});

  /// Who came back from there.
  /// Throws   AuthError  See `AuthError::Reason`.
  /// Cancel   At once.
  /// Lifetime `handler` must live until the task ends.
  /// Tornado  `OAuthMixin.get_authenticated_user`.
  Task<OAuth1User> get_authenticated_user(RequestHandler& handler);

  /// Asks the provider for something in the user's name: GET, or POST with a form. What it answers is
  /// JSON.
  /// Params   path  "/statuses/update", or a whole URL.
  /// Throws   AuthError  kToken: the token is not accepted (401). kProvider: no good answer.
  /// Cancel   At once.
  /// Tornado  `TwitterMixin.twitter_request`.
  Task<Json> request(std::string path, OAuth1Token token, ArgumentList arguments = {},
                     std::optional<ArgumentList> post_arguments = std::nullopt);

 private:
  std::string cookie_name() const { return "_oauth1_" + provider_.name; }
  ArgumentList base_arguments(const OAuth1Token* token) const;
  std::string signed_url(const std::string& url, ArgumentList arguments,
                         const OAuth1Token* token) const;
  Task<OAuth1Token> fetch_token(std::string url);
  Task<> redirect_to(RequestHandler& handler, std::string authorize_url, std::string callback_uri,
                     ArgumentList extra_params);
  [[noreturn]] void fail(AuthError::Reason reason, const std::string& why) const;

  HTTPClient& client_;
  OAuth1Provider provider_;
  OAuth1Settings settings_;
};

}  // namespace coronado::web
