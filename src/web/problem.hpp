/// Errors as `application/problem+json`, for clients that do not ask for a page.
///
/// Spec  RFC 9457.
#pragma once

#include <coronado/http/server_request.hpp>

#include <exception>
#include <string>
#include <string_view>

namespace coronado::web {

inline constexpr std::string_view kProblemType = "application/problem+json";

/// Whether the client would rather have a problem than a page: it accepts JSON and not HTML, or the
/// error is about what it sent (`ValidationError`) and it does not accept HTML by name.
bool wants_problem(const HTTPServerRequest& request, const std::exception_ptr& error);

/// The text: "type", "title", "status", and of a `ValidationError` its "errors".
std::string problem_json(int status, std::string_view reason, const std::exception_ptr& error);

}  // namespace coronado::web
