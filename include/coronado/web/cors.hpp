/// Cross-origin resource sharing: which pages of other origins may call.
///
///     app.use("/api", web::cors({.origins = {"https://app.example.com"}, .credentials = true}));
///
/// Layer: web.
#pragma once

#include <coronado/base/clock.hpp>
#include <coronado/web/middleware.hpp>

#include <string>
#include <vector>

namespace coronado::web {

struct CORSOptions {
  /// "https://app.example.com", with the port if it is not the scheme's; "https://*.example.com" for
  /// its subdomains; "*" for every origin. "null" must be named to be let in.
  std::vector<std::string> origins;
  std::vector<std::string> methods = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};
  /// Fields that a page may set beside the few that are always allowed. "*": whatever it asks for.
  std::vector<std::string> headers = {"Content-Type"};
  /// Fields of the response that a page may read beside the few that are always allowed.
  std::vector<std::string> expose = {};
  /// Lets pages send cookies. Not with the origin "*": then any page could act for your users.
  bool credentials = false;
  /// How long a browser may remember the answer to its preflight.
  Duration max_age = std::chrono::hours(2);
};

/// Cross-origin resource sharing: answers preflights itself (204, or 403 to an origin that is not
/// listed) and marks the responses that pages of the listed origins may read.
/// Throws  UsageError  No origin, an origin that is none, or "*" together with `credentials`.
/// Spec    Fetch, 3.2 "CORS protocol".
Middleware cors(CORSOptions options);

}  // namespace coronado::web
