#include "web/problem.hpp"

#include <coronado/base/json.hpp>
#include <coronado/http/httputil.hpp>
#include <coronado/web/validation.hpp>

#include "web/error_response.hpp"

namespace coronado::web {
namespace {

/// What a `ValidationError` says; none for any other.
std::vector<JsonFieldError> field_errors(const std::exception_ptr& error) {
  try {
    if (error) std::rethrow_exception(error);
  } catch (const ValidationError& invalid) {
    return invalid.errors();
  } catch (...) {
  }
  return {};
}

}  // namespace

bool wants_problem(const HTTPServerRequest& request, const std::exception_ptr& error) {
  const std::string_view accept = request.header("Accept").value_or("");
  if (accept.find("text/html") != std::string_view::npos) return false;
  if (accept.find("json") != std::string_view::npos) return true;
  return !field_errors(error).empty();
}

std::string problem_json(int status, std::string_view reason, const std::exception_ptr& error) {
  const std::string_view title = reason.empty() ? reason_phrase(status) : safe_reason(reason);
  Json problem{{"type", "about:blank"}, {"title", title}, {"status", status}};
  for (const JsonFieldError& each : field_errors(error)) {
    problem["errors"].push_back(Json{{"field", each.path}, {"message", each.message}});
  }
  return json_encode(problem);
}

}  // namespace coronado::web
