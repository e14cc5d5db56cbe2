/// Errors as `application/problem+json`, for clients that do not ask for a page.
///
/// Spec  RFC 9457.
#pragma once

#include <coronado/base/json.hpp>
#include <coronado/http/server_request.hpp>

#include <exception>
#include <string>
#include <string_view>
#include <vector>

namespace coronado::web {

inline constexpr std::string_view kProblemType = "application/problem+json";

/// What a client may know of an error, because it is about what it sent: a `ValidationError` or a
/// `MissingArgumentError`. Nothing of any other.
struct PublicReason {
  std::string detail;  ///< A sentence, where it says more than `errors`.
  std::vector<JsonFieldError> errors;
};
PublicReason public_reason(const std::exception_ptr& error);

/// Whether the client would rather have a problem than a page: it accepts JSON and not HTML, or the
/// error is about what it sent and it does not accept HTML by name.
bool wants_problem(const HTTPServerRequest& request, const std::exception_ptr& error);

/// The text: "type", "title", "status", and the public reason of `error` as "detail" and "errors".
std::string problem_json(int status, std::string_view reason, const std::exception_ptr& error);

}  // namespace coronado::web
