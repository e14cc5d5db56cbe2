#include <coronado/web/auth/oauth2.hpp>

#include <coronado/base/crypto.hpp>
#include <coronado/base/strings.hpp>
#include <coronado/http/server_request.hpp>
#include <coronado/http/url.hpp>
#include <coronado/web/request_handler.hpp>
#include <coronado/web/security.hpp>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "web/arguments.hpp"
#include "web/auth/fetch_json.hpp"
#include "web/sealed_text.hpp"

namespace coronado::web {
namespace {

using Reason = AuthError::Reason;

constexpr std::string_view kPurpose = "coronado oauth2 1";
constexpr std::int64_t kLoginSeconds = 600;

std::string join(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text.append(text.empty() ? "" : " ").append(word);
  return text;
}

std::string text_of(const Json& object, std::string_view name) {
  const Json* value = object.find(name);
  return value != nullptr && value->is_string() ? value->as_string() : std::string();
}

std::string hex(std::string_view bytes) {
  std::string text;
  append_hex(text, bytes);
  return text;
}

/// What a provider says went wrong, for the log: it has no secrets of ours.
std::string error_of(const Json& answer) {
  for (const std::string_view name : {"error_description", "errmsg", "error", "message"}) {
    const Json* value = answer.find(name);
    if (value == nullptr) continue;
    return value->is_string() ? value->as_string().substr(0, 200)
                              : json_encode(*value).substr(0, 200);
  }
  return "no reason";
}

bool is_refusal(const Json& answer) {
  constexpr std::int64_t kInvalidCode = 40029;  // WeChat's
  constexpr std::int64_t kCodeUsed = 40163;
  const Json* code = answer.find("errcode");
  const bool wechat = code != nullptr && code->is_number() &&
                      (*code == Json(kInvalidCode) || *code == Json(kCodeUsed));
  const std::string error = text_of(answer, "error");
  return wechat || error == "invalid_grant" || error == "bad_verification_code";  // GitHub's
}

/// An answer that is none of success: WeChat says so with status 200, and so does GitHub.
bool is_failure(const HTTPClientResponse& response, const Json& answer) {
  const Json* code = answer.find("errcode");
  const bool wechat = code != nullptr && *code != Json(0);
  return !response.ok() || wechat || answer.contains("error");
}

HTTPRequest get_request(std::string url) {
  HTTPRequest request{.url = std::move(url)};
  request.headers.set("Accept", "application/json");
  return request;
}

HTTPRequest post_request(std::string url, const ArgumentList& form) {
  HTTPRequest request = get_request(std::move(url));
  request.method = "POST";
  request.body = urlencode(form);
  request.headers.set("Content-Type", "application/x-www-form-urlencoded");
  return request;
}

}  // namespace

// --- providers -----------------------------------------------------------------------------------------

OAuth2Provider google_provider() {
  return {.name = "google",
          .authorize_url = "https://accounts.google.com/o/oauth2/v2/auth",
          .token_url = "https://oauth2.googleapis.com/token",
          .userinfo_url = "https://openidconnect.googleapis.com/v1/userinfo",
          .issuer = "https://accounts.google.com",
          .jwks_url = "https://www.googleapis.com/oauth2/v3/certs",
          .scope = {"openid", "email", "profile"}};
}

OAuth2Provider github_provider() {
  return {.name = "github",
          .authorize_url = "https://github.com/login/oauth/authorize",
          .token_url = "https://github.com/login/oauth/access_token",
          .userinfo_url = "https://api.github.com/user",
          .scope = {"read:user"}};
}

OAuth2Provider facebook_provider(std::string_view fields) {
  return {.name = "facebook",
          .authorize_url = "https://www.facebook.com/dialog/oauth",
          .token_url = "https://graph.facebook.com/oauth/access_token",
          .userinfo_url =
              url_concat("https://graph.facebook.com/me", {{"fields", std::string(fields)}}),
          .pkce = false,
          .dialect = OAuth2Dialect::kFacebook};
}

OAuth2Provider wechat_provider() {
  return {.name = "wechat",
          .authorize_url = "https://open.weixin.qq.com/connect/qrconnect#wechat_redirect",
          .token_url = "https://api.weixin.qq.com/sns/oauth2/access_token",
          .userinfo_url = "https://api.weixin.qq.com/sns/userinfo",
          .scope = {"snsapi_login"},
          .pkce = false,
          .dialect = OAuth2Dialect::kWeChat};
}

Task<OAuth2Provider> discover_provider(HTTPClient& client, std::string issuer, std::string name) {
  std::string url = issuer;
  if (url.ends_with('/')) url.pop_back();
  url += "/.well-known/openid-configuration";
  const HTTPClientResponse response = co_await ask_provider(client, get_request(url));
  const Json said = json_object_of(response);
  OAuth2Provider provider{.name = std::move(name),
                          .authorize_url = text_of(said, "authorization_endpoint"),
                          .token_url = text_of(said, "token_endpoint"),
                          .userinfo_url = text_of(said, "userinfo_endpoint"),
                          .issuer = issuer,
                          .jwks_url = text_of(said, "jwks_uri"),
                          .scope = {"openid", "email", "profile"}};
  // Discovery 4.3: the issuer MUST be the one that was asked.
  if (!response.ok() || text_of(said, "issuer") != issuer || provider.authorize_url.empty() ||
      provider.token_url.empty() || provider.jwks_url.empty()) {
    throw AuthError(Reason::kProvider, url + " does not describe " + issuer);
  }
  co_return provider;
}

// --- a login begins ------------------------------------------------------------------------------------

/// What belongs to one login.
struct OAuth2Client::Login {
  std::string state;
  std::string verifier;
  std::string nonce;
  std::string next;
};

struct OAuth2Client::Begun {
  std::string url;
  std::string cookie;
};

OAuth2Client::OAuth2Client(HTTPClient& client, OAuth2Provider provider, OAuth2Settings settings)
    : client_(client), provider_(std::move(provider)), settings_(std::move(settings)) {
  const auto need = [this](bool there, const char* what) {
    if (!there) throw UsageError("the login at " + provider_.name + " needs " + what);
  };
  need(is_token(provider_.name), "a name for its provider");
  need(!settings_.client_id.empty(), "a client_id");
  need(!settings_.cookie_secret.empty(), "a cookie_secret");
  need(settings_.redirect_uri.starts_with("https://") ||
           settings_.redirect_uri.starts_with("http://"),
       "a whole URL as redirect_uri");
  need(!provider_.authorize_url.empty() && !provider_.token_url.empty(), "URLs of its provider");
  if (!provider_.issuer.empty()) {
    need(!provider_.jwks_url.empty(), "the jwks_url of its issuer");
    keys_ = std::make_unique<JWKSCache>(client_, provider_.jwks_url);
  }
}

OAuth2Client::~OAuth2Client() = default;

void OAuth2Client::fail(AuthError::Reason reason, const std::string& why) const {
  throw AuthError(reason, "login at " + provider_.name + ": " + why);
}

std::time_t OAuth2Client::now() const noexcept {
  return settings_.now != nullptr ? settings_.now() : std::time(nullptr);
}

CookieOptions OAuth2Client::cookie_options() const {
  return {.max_age = kLoginSeconds,
          .secure = settings_.redirect_uri.starts_with("https://"),
          .http_only = true,
          .same_site = SameSite::kLax};  // the provider sends the user back by a link
}

OAuth2Client::Begun OAuth2Client::begin(const AuthorizeOptions& options) const {
  const Login login{random_token(), random_token(), random_token(),
                    is_safe_redirect(options.next) ? options.next : "/"};
  const bool wechat = provider_.dialect == OAuth2Dialect::kWeChat;
  // WeChat wants them in this order.
  ArgumentList arguments{{wechat ? "appid" : "client_id", settings_.client_id},
                         {"redirect_uri", settings_.redirect_uri},
                         {"response_type", "code"}};
  const std::string scope = join(options.scope.empty() ? provider_.scope : options.scope);
  if (!scope.empty()) arguments.emplace_back("scope", scope);
  arguments.emplace_back("state", login.state);
  if (provider_.pkce) {  // RFC 7636 4.2
    arguments.emplace_back(
        "code_challenge",
        base64_encode(hash(HashAlgorithm::kSHA256, login.verifier), Base64::kURL));
    arguments.emplace_back("code_challenge_method", "S256");
  }
  if (keys_) arguments.emplace_back("nonce", login.nonce);
  for (const ArgumentList* more : {&provider_.authorize_params, &options.extra_params}) {
    arguments.insert(arguments.end(), more->begin(), more->end());
  }
  const Json kept{{"state", login.state},
                  {"verifier", login.verifier},
                  {"nonce", login.nonce},
                  {"next", login.next},
                  {"until", std::int64_t{now()} + kLoginSeconds}};
  return {url_concat(provider_.authorize_url, arguments),
          seal_text(settings_.cookie_secret, kPurpose, cookie_name(), json_encode(kept))};
}

void OAuth2Client::authorize_redirect(RequestHandler& handler, const AuthorizeOptions& options) {
  const Begun begun = begin(options);
  handler.set_cookie(cookie_name(), begun.cookie, cookie_options());
  handler.redirect(begun.url);
}

Response OAuth2Client::authorize_redirect(const AuthorizeOptions& options) const {
  const Begun begun = begin(options);
  Response response = redirect(begun.url);
  response.headers().add("Set-Cookie",
                         format_set_cookie(cookie_name(), begun.cookie, cookie_options()));
  return response;
}

std::string OAuth2Client::clear_cookie() const {
  CookieOptions options = cookie_options();
  options.max_age = 0;
  return format_set_cookie(cookie_name(), "", options);
}

// --- and ends --------------------------------------------------------------------------------------------

OAuth2Client::Login OAuth2Client::open_login(const HTTPServerRequest& request) const {
  const auto cookie = request.cookie(cookie_name());
  if (!cookie) fail(Reason::kState, "this browser has begun none, or too long ago");
  std::string why;
  const std::optional<std::string> text =
      open_text(settings_.cookie_secret, kPurpose, cookie_name(), *cookie, why);
  if (!text) fail(Reason::kState, "its cookie is refused: " + why);
  const Json kept = json_decode(*text);  // ours
  if (kept.at("until").as_int() < now()) fail(Reason::kState, "it took too long");
  return {text_of(kept, "state"), text_of(kept, "verifier"), text_of(kept, "nonce"),
          text_of(kept, "next")};
}

void OAuth2Client::check_answer(const HTTPServerRequest& request, const Login& login) const {
  const ArgumentList& arguments = request.query_arguments();
  const auto state = last_argument(arguments, "state");
  if (!state || !constant_time_equal(*state, login.state)) {
    fail(Reason::kState, "the state is not the one of this browser");
  }
  // RFC 9207 2.4: an answer of another provider is not for us (mix-up).
  const auto issuer = last_argument(arguments, "iss");
  if (issuer && !provider_.issuer.empty() && *issuer != provider_.issuer) {
    fail(Reason::kState, "the answer is from another issuer");
  }
  if (const auto error = last_argument(arguments, "error")) {
    fail(Reason::kDenied,
         error->substr(0, 100) + ": " +
             last_argument(arguments, "error_description").value_or("no reason").substr(0, 200));
  }
}

Task<OAuth2User> OAuth2Client::get_authenticated_user(RequestHandler& handler) {
  handler.clear_cookie(cookie_name(), cookie_options());
  OAuth2User user = co_await get_authenticated_user(std::as_const(handler).request());
  co_return user;
}

Task<OAuth2User> OAuth2Client::get_authenticated_user(const HTTPServerRequest& request) {
  const Login login = open_login(request);
  check_answer(request, login);
  const std::string code = last_argument(request.query_arguments(), "code").value_or("");
  if (code.empty()) fail(Reason::kState, "the answer has no code");
  ArgumentList arguments{{"grant_type", "authorization_code"},
                         {"code", code},
                         {"redirect_uri", settings_.redirect_uri}};
  if (provider_.pkce) arguments.emplace_back("code_verifier", login.verifier);
  OAuth2User user;
  user.next = login.next;
  user.tokens = co_await ask_for_tokens(std::move(arguments));
  if (keys_) user.claims = co_await verify_id_token(user.tokens, login.nonce);
  if (!provider_.userinfo_url.empty()) user.user = co_await ask_for_user(user.tokens, user.claims);
  co_return user;
}

Task<Json> OAuth2Client::ask_for_tokens(ArgumentList arguments) {
  const bool wechat = provider_.dialect == OAuth2Dialect::kWeChat;
  arguments.emplace_back(wechat ? "appid" : "client_id", settings_.client_id);
  if (!settings_.client_secret.empty()) {
    arguments.emplace_back(wechat ? "secret" : "client_secret", settings_.client_secret);
  }
  const bool by_get = provider_.dialect != OAuth2Dialect::kStandard;
  HTTPRequest request = by_get ? get_request(url_concat(provider_.token_url, arguments))
                               : post_request(provider_.token_url, arguments);
  const HTTPClientResponse response = co_await ask_provider(client_, std::move(request));
  Json tokens = json_object_of(response);
  if (is_failure(response, tokens)) {
    fail(is_refusal(tokens) ? Reason::kToken : Reason::kProvider,
         "no token, status " + std::to_string(response.code) + ": " + error_of(tokens));
  }
  const std::string type = text_of(tokens, "token_type");
  if (text_of(tokens, "access_token").empty() ||
      (!type.empty() && !equals_ignore_case(type, "bearer"))) {
    fail(Reason::kProvider, "the answer has no bearer token");
  }
  co_return tokens;
}

Task<Json> OAuth2Client::verify_id_token(Json tokens, std::string nonce) {
  JWTRules rules{.algorithms = {JWTAlgorithm::kRS256, JWTAlgorithm::kRS384, JWTAlgorithm::kRS512,
                                JWTAlgorithm::kPS256, JWTAlgorithm::kPS384, JWTAlgorithm::kPS512,
                                JWTAlgorithm::kES256, JWTAlgorithm::kES384, JWTAlgorithm::kES512,
                                JWTAlgorithm::kEdDSA},
                 .issuer = provider_.issuer,
                 .audience = settings_.client_id,
                 .now = now()};
  Json claims;
  try {
    claims = co_await keys_->decode(text_of(tokens, "id_token"), std::move(rules));
  } catch (const JWTError& error) {
    fail(Reason::kToken, "id_token: " + error.log_message());
  }
  // Core 3.1.3.7 (11): the nonce is the one of this login, so that nobody plays an old token again.
  if (!constant_time_equal(text_of(claims, "nonce"), nonce)) {
    fail(Reason::kToken, "the id_token has another nonce");
  }
  // Core 3.1.3.7 (4, 5).
  const Json* party = claims.find("azp");
  const bool many = claims.at("aud").is_array() && claims.at("aud").size() > 1;
  if ((party == nullptr && many) ||
      (party != nullptr && text_of(claims, "azp") != settings_.client_id)) {
    fail(Reason::kToken, "the id_token is for another client");
  }
  if (text_of(claims, "sub").empty()) fail(Reason::kToken, "the id_token has no subject");
  co_return claims;
}

Task<Json> OAuth2Client::ask_for_user(Json tokens, Json claims) {
  ArgumentList arguments;
  if (provider_.dialect == OAuth2Dialect::kWeChat) {
    arguments.emplace_back("openid", text_of(tokens, "openid"));
  }
  Json user = co_await oauth2_request(provider_.userinfo_url, text_of(tokens, "access_token"),
                                      std::move(arguments));
  // Core 5.3.2: the answer is about the user that has logged in.
  if (!claims.is_null() && text_of(user, "sub") != text_of(claims, "sub")) {
    fail(Reason::kProvider, "the provider tells of another user");
  }
  co_return user;
}

Task<Json> OAuth2Client::refresh(std::string refresh_token) {
  Json tokens = co_await ask_for_tokens(
      {{"grant_type", "refresh_token"}, {"refresh_token", std::move(refresh_token)}});
  co_return tokens;
}

Task<Json> OAuth2Client::oauth2_request(std::string url, std::string access_token,
                                        ArgumentList arguments,
                                        std::optional<ArgumentList> post_arguments) {
  const bool standard = provider_.dialect == OAuth2Dialect::kStandard;
  if (!standard) arguments.emplace_back("access_token", access_token);
  if (provider_.dialect == OAuth2Dialect::kFacebook) {
    arguments.emplace_back("appsecret_proof", hex(hmac(HashAlgorithm::kSHA256,
                                                       settings_.client_secret, access_token)));
  }
  if (!arguments.empty()) url = url_concat(url, arguments);
  HTTPRequest request =
      post_arguments ? post_request(std::move(url), *post_arguments) : get_request(std::move(url));
  if (standard) request.bearer_token = std::move(access_token);
  const HTTPClientResponse response = co_await ask_provider(client_, std::move(request));
  if (response.code == 401) fail(Reason::kToken, "the access token is not accepted");
  auto answer = try_json_decode(response.body);
  if (!answer || (answer->is_object() ? is_failure(response, *answer) : !response.ok())) {
    fail(Reason::kProvider, url_for_log(response.effective_url) + " answers " +
                                std::to_string(response.code) + ": " +
                                (answer ? error_of(*answer) : "no JSON"));
  }
  co_return std::move(*answer);
}

Task<Json> wechat_code2session(HTTPClient& client, std::string appid, std::string secret,
                               std::string js_code, std::string url) {
  const HTTPClientResponse response = co_await ask_provider(
      client, get_request(url_concat(url, {{"appid", std::move(appid)},
                                           {"secret", std::move(secret)},
                                           {"js_code", std::move(js_code)},
                                           {"grant_type", "authorization_code"}})));
  Json session = json_object_of(response);
  if (is_failure(response, session)) {
    throw AuthError(is_refusal(session) ? Reason::kToken : Reason::kProvider,
                    "code2session of WeChat: " + error_of(session));
  }
  if (text_of(session, "openid").empty() || text_of(session, "session_key").empty()) {
    throw AuthError(Reason::kProvider, "code2session of WeChat: the answer has no openid");
  }
  co_return session;
}

}  // namespace coronado::web
