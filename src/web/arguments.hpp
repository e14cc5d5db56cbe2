/// Looking up decoded arguments, as `get_argument` and the extractors do.
#pragma once

#include <coronado/http/server_request.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace coronado::web {

/// The arguments of the query or the form.
/// Throws  ValidationError(400)  It is malformed, which the client is told.
const ArgumentList& query_arguments(const HTTPServerRequest& request);
const ArgumentList& form_arguments(const HTTPServerRequest& request);

/// `value` with control characters as spaces and without white space around it.
/// Throws  ValidationError(400)  It is not valid UTF-8; `what` is in the message.
std::string checked_utf8(std::string_view value, std::string_view what);

/// The last value of that name as it came; null without one.
const std::string* find_last_argument(const ArgumentList& arguments,
                                      std::string_view name) noexcept;

/// The last value of that name, checked; none without one.   Throws  ValidationError(400)
std::optional<std::string> last_argument(const ArgumentList& arguments, std::string_view name);

/// All values of that name, checked.   Throws  ValidationError(400)
std::vector<std::string> all_arguments(const ArgumentList& arguments, std::string_view name);

}  // namespace coronado::web
