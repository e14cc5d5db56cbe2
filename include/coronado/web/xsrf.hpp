/// Tokens against forged requests from other sites: a cookie, and the same secret in each form.
///
///     XSRFToken                            the secret that both carry
///     encode_xsrf_token, decode_xsrf_token its text, masked anew each time
///     check_xsrf                           whether a request brings it
///
/// Handlers use `RequestHandler::xsrf_form_html` and the setting `xsrf_cookies`. The texts are
/// Tornado's.
///
/// Layer: web.   Tornado  `RequestHandler.xsrf_token`.
#pragma once

#include <ctime>
#include <optional>
#include <string>
#include <string_view>

namespace coronado {
class HTTPServerRequest;
}  // namespace coronado

namespace coronado::web {

struct SecuritySettings;

/// What the cookie and the form have in common.
struct XSRFToken {
  std::string secret;       ///< bytes
  std::time_t created = 0;  ///< seconds since 1970

  /// A new one, of 16 random bytes.
  static XSRFToken make();
};

/// Params   version  2: masked by random bytes, another text each time, so that the length of a
///                   compressed page tells nothing of the secret (BREACH). 1: the secret itself.
/// Throws   std::invalid_argument  Another version.
std::string encode_xsrf_token(const XSRFToken& token, int version = 2);

/// Reads either version; nothing for what is none. As in Tornado, what has neither form is a secret
/// itself.
std::optional<XSRFToken> decode_xsrf_token(std::string_view text);

/// The token in the request's cookie, if it has a valid one.
std::optional<XSRFToken> xsrf_cookie_of(const HTTPServerRequest& request,
                                        const SecuritySettings& settings);

/// Whether the request brings the secret of `expected`, in the argument `_xsrf` or in the field
/// X-XSRFToken or X-CSRFToken.
/// Throws   HTTPError(403)  It does not; the message says what is missing or wrong.
void check_xsrf(const HTTPServerRequest& request, const std::optional<XSRFToken>& expected);

}  // namespace coronado::web
