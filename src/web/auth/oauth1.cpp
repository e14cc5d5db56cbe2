#include <coronado/web/auth/oauth1.hpp>

#include <coronado/base/crypto.hpp>
#include <coronado/base/escape.hpp>
#include <coronado/base/strings.hpp>
#include <coronado/http/server_request.hpp>
#include <coronado/http/url.hpp>
#include <coronado/web/request_handler.hpp>

#include <algorithm>
#include <ctime>
#include <utility>

#include "web/auth/fetch_json.hpp"
#include "web/sealed_text.hpp"

namespace coronado::web {
namespace {

using Reason = AuthError::Reason;

constexpr std::string_view kPurpose = "coronado oauth1 1";
constexpr std::int64_t kLoginSeconds = 600;

/// RFC 5849 3.6.
std::string escaped(std::string_view text) { return url_escape(text, URLPart::kSegment); }

CookieOptions cookie_options(const HTTPServerRequest& request) {
  return {.max_age = kLoginSeconds,
          .secure = request.protocol() == "https",
          .http_only = true,
          .same_site = SameSite::kLax};
}

}  // namespace

OAuth1Provider twitter_provider() {
  return {.name = "twitter",
          .request_token_url = "https://api.twitter.com/oauth/request_token",
          .access_token_url = "https://api.twitter.com/oauth/access_token",
          .authorize_url = "https://api.twitter.com/oauth/authorize",
          .authenticate_url = "https://api.twitter.com/oauth/authenticate",
          .api_url = "https://api.twitter.com/1.1",
          .api_suffix = ".json",
          .user_path = "/account/verify_credentials"};
}

std::string oauth1_signature(std::string_view method, std::string_view url,
                             const ArgumentList& arguments, std::string_view consumer_secret,
                             std::string_view token_secret, OAuth1Version version) {
  const URL parsed = URL::parse(url);
  ArgumentList all = parse_qs(parsed.query);
  all.insert(all.end(), arguments.begin(), arguments.end());
  for (auto& [name, value] : all) {
    name = escaped(name);
    value = escaped(value);
  }
  std::ranges::sort(all);  // 3.4.1.3.2: after they were encoded
  std::string normalized;
  for (const auto& [name, value] : all) {
    normalized.append(normalized.empty() ? "" : "&").append(name).append("=").append(value);
  }
  const std::string base = ascii_upper(method) + "&" + escaped(parsed.origin() + parsed.path) +
                           "&" + escaped(normalized);
  const bool escape = version == OAuth1Version::k10a;
  std::string key = escape ? escaped(consumer_secret) : std::string(consumer_secret);
  key += '&';
  key += escape ? escaped(token_secret) : std::string(token_secret);
  return base64_encode(hmac(HashAlgorithm::kSHA1, key, base));
}

OAuth1Client::OAuth1Client(HTTPClient& client, OAuth1Provider provider, OAuth1Settings settings)
    : client_(client), provider_(std::move(provider)), settings_(std::move(settings)) {
  const auto need = [this](bool there, const char* what) {
    if (!there) throw UsageError("the login at " + provider_.name + " needs " + what);
  };
  need(is_token(provider_.name), "a name for its provider");
  need(!settings_.consumer_key.empty() && !settings_.consumer_secret.empty(),
       "a consumer_key and its secret");
  need(!settings_.cookie_secret.empty(), "a cookie_secret");
}

void OAuth1Client::fail(AuthError::Reason reason, const std::string& why) const {
  throw AuthError(reason, "login at " + provider_.name + ": " + why);
}

ArgumentList OAuth1Client::base_arguments(const OAuth1Token* token) const {
  ArgumentList arguments{{"oauth_consumer_key", settings_.consumer_key},
                         {"oauth_signature_method", "HMAC-SHA1"},
                         {"oauth_timestamp", std::to_string(std::time(nullptr))},
                         {"oauth_nonce", random_token(16)},
                         {"oauth_version", "1.0"}};
  if (token != nullptr) arguments.emplace_back("oauth_token", token->key);
  return arguments;
}

std::string OAuth1Client::signed_url(const std::string& url, ArgumentList arguments,
                                     const OAuth1Token* token) const {
  arguments.emplace_back(
      "oauth_signature",
      oauth1_signature("GET", url, arguments, settings_.consumer_secret,
                       token != nullptr ? token->secret : "", provider_.version));
  return url_concat(url, arguments);
}

Task<OAuth1Token> OAuth1Client::fetch_token(std::string url) {
  const HTTPClientResponse response = co_await ask_provider(client_, {.url = std::move(url)});
  if (response.code == 401) fail(Reason::kToken, "the provider refuses us, or the user's answer");
  OAuth1Token token;
  if (response.ok()) {
    for (auto& [name, value] : parse_qs(response.body)) {
      if (name == "oauth_token") {
        token.key = value;
      } else if (name == "oauth_token_secret") {
        token.secret = value;
      } else {
        token.more.emplace_back(name, value);
      }
    }
  }
  if (token.key.empty() || token.secret.empty()) {
    fail(Reason::kProvider, url_for_log(response.effective_url) + " answers " +
                                std::to_string(response.code) + " and no token");
  }
  co_return token;
}

Task<> OAuth1Client::redirect_to(RequestHandler& handler, std::string authorize_url,
                                 std::string callback_uri, ArgumentList extra_params) {
  ArgumentList arguments = base_arguments(nullptr);
  std::string callback = callback_uri;
  if (!callback_uri.empty() && callback_uri != "oob") {
    callback = URL::parse(handler.request().full_url()).resolve(callback_uri).to_string();
  }
  const bool revised = provider_.version == OAuth1Version::k10a;
  if (revised) {
    if (!callback.empty()) arguments.emplace_back("oauth_callback", callback);
    arguments.insert(arguments.end(), extra_params.begin(), extra_params.end());
  }
  const OAuth1Token token =
      co_await fetch_token(signed_url(provider_.request_token_url, std::move(arguments), nullptr));
  const Json kept{{"key", token.key},
                  {"secret", token.secret},
                  {"until", std::int64_t{std::time(nullptr)} + kLoginSeconds}};
  handler.set_cookie(cookie_name(),
                     seal_text(settings_.cookie_secret, kPurpose, cookie_name(), json_encode(kept)),
                     cookie_options(handler.request()));
  ArgumentList query{{"oauth_token", token.key}};
  if (!revised && !callback.empty()) query.emplace_back("oauth_callback", callback);
  const std::string url = url_concat(authorize_url, query);
  if (callback == "oob") {  // out of band: somebody copies the URL, and a number
    handler.finish(url);
  } else {
    handler.redirect(url);
  }
}

Task<> OAuth1Client::authorize_redirect(RequestHandler& handler, std::string callback_uri,
                                        ArgumentList extra_params) {
  return redirect_to(handler, provider_.authorize_url, std::move(callback_uri),
                     std::move(extra_params));
}

Task<> OAuth1Client::authenticate_redirect(RequestHandler& handler, std::string callback_uri) {
  return redirect_to(
      handler,
      provider_.authenticate_url.empty() ? provider_.authorize_url : provider_.authenticate_url,
      std::move(callback_uri), {});
}

Task<OAuth1User> OAuth1Client::get_authenticated_user(RequestHandler& handler) {
  const auto cookie = handler.get_cookie(cookie_name());
  if (!cookie) fail(Reason::kState, "this browser has begun none, or too long ago");
  handler.clear_cookie(cookie_name(), cookie_options(handler.request()));
  std::string why;
  const auto text = open_text(settings_.cookie_secret, kPurpose, cookie_name(), *cookie, why);
  if (!text) fail(Reason::kState, "its cookie is refused: " + why);
  const Json kept = json_decode(*text);  // ours
  if (kept.at("until").as_int() < std::time(nullptr)) fail(Reason::kState, "it took too long");
  if (!handler.get_query_arguments("denied").empty()) {
    fail(Reason::kDenied, "the user has refused");
  }
  const OAuth1Token token{kept.at("key").as_string(), kept.at("secret").as_string(), {}};
  if (!constant_time_equal(handler.get_argument("oauth_token", ""), token.key)) {
    fail(Reason::kState, "the token is not the one of this browser");
  }
  ArgumentList arguments = base_arguments(&token);
  const std::string verifier = handler.get_argument("oauth_verifier", "");
  if (!verifier.empty()) arguments.emplace_back("oauth_verifier", verifier);
  OAuth1User user;
  user.access_token =
      co_await fetch_token(signed_url(provider_.access_token_url, std::move(arguments), &token));
  if (!provider_.user_path.empty()) {
    user.user = co_await request(provider_.user_path, user.access_token);
  }
  co_return user;
}

Task<Json> OAuth1Client::request(std::string path, OAuth1Token token, ArgumentList arguments,
                                 std::optional<ArgumentList> post_arguments) {
  const bool whole = path.starts_with("http://") || path.starts_with("https://");
  std::string url = whole ? path : provider_.api_url + path + provider_.api_suffix;
  const char* method = post_arguments ? "POST" : "GET";
  ArgumentList signed_ones = base_arguments(&token);
  ArgumentList all = signed_ones;
  all.insert(all.end(), arguments.begin(), arguments.end());
  if (post_arguments) all.insert(all.end(), post_arguments->begin(), post_arguments->end());
  signed_ones.emplace_back(
      "oauth_signature", oauth1_signature(method, url, all, settings_.consumer_secret, token.secret,
                                          provider_.version));
  arguments.insert(arguments.end(), signed_ones.begin(), signed_ones.end());
  HTTPRequest request{.url = url_concat(url, arguments), .method = method};
  if (post_arguments) request.body = urlencode(*post_arguments);
  const HTTPClientResponse response = co_await ask_provider(client_, std::move(request));
  if (response.code == 401) fail(Reason::kToken, "the access token is not accepted");
  auto answer = try_json_decode(response.body);
  if (!response.ok() || !answer) {
    fail(Reason::kProvider, url_for_log(url) + " answers " + std::to_string(response.code) +
                                (answer ? "" : " and no JSON"));
  }
  co_return std::move(*answer);
}

}  // namespace coronado::web
