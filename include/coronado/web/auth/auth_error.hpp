/// `AuthError`: a login at a provider has failed.
///
/// Layer: web.   Tornado  `auth.AuthError`.
#pragma once

#include <coronado/base/error.hpp>

#include <cstdint>
#include <string>

namespace coronado::web {

/// Why a login at a provider failed. Uncaught in a handler it is answered with its status; the client
/// is told no more, and the log has the message.
class AuthError : public HTTPError {
 public:
  enum class Reason : std::uint8_t {
    kState,     ///< 403: the answer does not belong to a login that this browser has begun: it is
                ///< forged, or too late, or its cookie is gone
    kDenied,    ///< 403: the user, or the provider, has refused
    kToken,     ///< 401: what the provider has signed, or its code, is not accepted
    kProvider,  ///< 502: the provider cannot be reached, or answers what it should not
  };
  AuthError(Reason reason, const std::string& message)
      : HTTPError(status_of(reason), message), why_(reason) {}
  Reason why() const noexcept { return why_; }

 private:
  static int status_of(Reason reason) noexcept {
    if (reason == Reason::kProvider) return 502;
    return reason == Reason::kToken ? 401 : 403;
  }
  Reason why_;
};

}  // namespace coronado::web
