/// Looking up decoded arguments, as `get_argument` and the extractors do.
#pragma once

#include <coronado/http/server_request.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace coronado::web {

/// `value` with control characters as spaces and without white space around it.
/// Throws  HTTPError(400)  It is not valid UTF-8; `what` and the name are in the message.
std::string checked_utf8(std::string_view value, std::string_view what);

/// The last value of that name as it came; null without one.
const std::string* find_last_argument(const ArgumentList& arguments,
                                      std::string_view name) noexcept;

/// The last value of that name, checked; none without one.   Throws  HTTPError(400)
std::optional<std::string> last_argument(const ArgumentList& arguments, std::string_view name);

/// All values of that name, checked.   Throws  HTTPError(400)
std::vector<std::string> all_arguments(const ArgumentList& arguments, std::string_view name);

}  // namespace coronado::web
