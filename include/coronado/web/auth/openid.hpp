/// Logins at a provider of OpenID 2.0, the one before OpenID Connect.
///
/// Few providers are left. For Google and others see <coronado/web/auth/oauth2.hpp>.
///
/// Threads  The loop's thread only.
/// Layer: web.   Spec  OpenID Authentication 2.0, Attribute Exchange 1.0.
/// Tornado  `auth.OpenIdMixin`.
#pragma once

#include <coronado/base/json.hpp>
#include <coronado/coro/task.hpp>
#include <coronado/web/auth/auth_error.hpp>

#include <string>
#include <utility>
#include <vector>

namespace coronado {
class HTTPClient;
}  // namespace coronado

namespace coronado::web {

class RequestHandler;

/// A client of one provider.
/// Lifetime  The HTTP client must outlive it.
class OpenIDClient {
 public:
  /// Params  endpoint  The provider's URL.
  OpenIDClient(HTTPClient& client, std::string endpoint)
      : client_(client), endpoint_(std::move(endpoint)) {}

  /// Sends the user to the provider, and finishes.
  /// Params   callback_uri  Where the user comes back to; relative to this request. Empty: here.
  ///          attributes    Of "name", "email", "language", "username".
  /// Throws   UsageError    Another attribute.
  /// Tornado  `authenticate_redirect`.
  void authenticate_redirect(RequestHandler& handler, const std::string& callback_uri = {},
                             const std::vector<std::string>& attributes = {
                                 "name", "email", "language", "username"}) const;

  /// Who came back: `claimed_id`, and as far as they are known `name`, `first_name`, `last_name`,
  /// `email`, `locale`, `username`. Only what the provider has signed counts.
  /// Throws   AuthError  kDenied: the user has refused. kState: the answer is not for this page.
  ///                     kToken: the provider does not stand by it. kProvider: it cannot be asked.
  /// Cancel   At once.
  /// Lifetime `handler` must live until the task ends.
  /// Tornado  `get_authenticated_user`. Differs: unsigned fields and other pages' answers are refused.
  Task<Json> get_authenticated_user(RequestHandler& handler);

 private:
  HTTPClient& client_;
  std::string endpoint_;
};

}  // namespace coronado::web
