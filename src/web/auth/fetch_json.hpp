/// What the logins have in common: a provider is asked, and answers JSON or a form.
#pragma once

#include <coronado/base/json.hpp>
#include <coronado/coro/task.hpp>
#include <coronado/http/httpclient.hpp>

#include <string>

namespace coronado::web {

/// A response of any status.
/// Throws  AuthError(kProvider)  There is none; the message says why, without the URL's query, which
///                               may hold secrets.
/// Cancel  At once.
Task<HTTPClientResponse> ask_provider(HTTPClient& client, HTTPRequest request);

/// Its body as a JSON object.
/// Throws  AuthError(kProvider)  It is none.
Json json_object_of(const HTTPClientResponse& response);

/// Where a response came from, for messages: without query and user information.
std::string url_for_log(std::string_view url);

}  // namespace coronado::web
