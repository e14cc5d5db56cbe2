#include "web/problem.hpp"

#include <coronado/base/error.hpp>
#include <coronado/base/json.hpp>
#include <coronado/http/httputil.hpp>
#include <coronado/web/validation.hpp>

#include "web/error_response.hpp"

namespace coronado::web {

PublicReason public_reason(const std::exception_ptr& error) {
  try {
    if (error) std::rethrow_exception(error);
  } catch (const ValidationError& invalid) {
    return {"", invalid.errors()};
  } catch (const MissingArgumentError& missing) {
    return {missing.log_message(), {{missing.name(), "missing argument"}}};
  } catch (...) {
  }
  return {};
}

bool wants_problem(const HTTPServerRequest& request, const std::exception_ptr& error) {
  const std::string_view accept = request.header("Accept").value_or("");
  if (accept.find("text/html") != std::string_view::npos) return false;
  if (accept.find("json") != std::string_view::npos) return true;
  return !public_reason(error).errors.empty();
}

std::string problem_json(int status, std::string_view reason, const std::exception_ptr& error) {
  const std::string_view title = reason.empty() ? reason_phrase(status) : safe_reason(reason);
  Json problem{{"type", "about:blank"}, {"title", title}, {"status", status}};
  const PublicReason told = public_reason(error);
  if (!told.detail.empty()) problem["detail"] = told.detail;
  for (const JsonFieldError& each : told.errors) {
    problem["errors"].push_back(Json{{"field", each.path}, {"message", each.message}});
  }
  return json_encode(problem);
}

}  // namespace coronado::web
