#include "web/auth/fetch_json.hpp"

#include <coronado/web/auth/auth_error.hpp>

#include <utility>

namespace coronado::web {

std::string url_for_log(std::string_view url) {
  return std::string(url.substr(0, url.find_first_of("?#")));
}

Task<HTTPClientResponse> ask_provider(HTTPClient& client, HTTPRequest request) {
  const std::string where = request.method + " " + url_for_log(request.url);
  request.raise_error = false;
  request.follow_redirects = false;  // a secret is for this URL alone
  std::string why;
  try {
    HTTPClientResponse response = co_await client.fetch(std::move(request));
    co_return response;
  } catch (const HTTPTimeoutError&) {
    why = "it takes too long";
  } catch (const HTTPConnectError& error) {
    why = error.connect_error().what();
  } catch (const HTTPClientError&) {
    why = "it broke off, or its answer breaks HTTP's rules";
  }
  throw AuthError(AuthError::Reason::kProvider, where + ": " + why);
}

Json json_object_of(const HTTPClientResponse& response) {
  auto json = try_json_decode(response.body);
  if (json && json->is_object()) return std::move(*json);
  throw AuthError(AuthError::Reason::kProvider, url_for_log(response.effective_url) + " answered " +
                                                    std::to_string(response.code) +
                                                    " and no JSON object");
}

}  // namespace coronado::web
