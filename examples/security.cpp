// The listings of docs/guide/security.md that examples/login.cpp does not have: signed cookies, tokens
// for an API, a login at Google. Without GOOGLE_CLIENT_ID and GOOGLE_CLIENT_SECRET the last is left out.
#include <coronado/auth.hpp>
#include <coronado/base/crypto.hpp>
#include <coronado/http/httpclient.hpp>
#include <coronado/web.hpp>

#include <cstdlib>
#include <ctime>
#include <memory>
#include <optional>
#include <string>

namespace web = coronado::web;
using coronado::HTTPError;
using coronado::HTTPServerRequest;
using coronado::Json;
using coronado::Task;

namespace {

std::string environment(const char* name, const char* fallback = "") {
  const char* value = std::getenv(name);
  return value != nullptr ? value : fallback;
}

// [signed-cookie]
struct Visits : web::RequestHandler {
  Task<> get() override {
    const auto kept = get_signed_cookie("visits");
    const int count = kept ? std::stoi(*kept) + 1 : 1;
    set_signed_cookie("visits", std::to_string(count),
                      {.expires_days = 365, .cookie = {.http_only = true}});
    write("Visit number " + std::to_string(count) + "\n");
    co_return;
  }
};
// [/signed-cookie]

// [secret]
web::CookieSecret make_secret() {
  const std::string old = environment("COOKIE_SECRET_1", "only for this example");
  const std::string now = environment("COOKIE_SECRET_2");
  if (now.empty()) return web::CookieSecret({{1, old}}, 1);
  return web::CookieSecret({{1, old}, {2, now}}, 2);  // reads both, signs with the second
}
// [/secret]

// [function-session]
web::Response show_cart(web::Session& session) {
  return web::json(session.get("items", Json::array()));
}

web::Response add_to_cart(web::Session& session, web::Query<"item"> item) {
  Json items = session.get("items", Json::array());
  items.push_back(*item);
  session.set("items", std::move(items));
  return web::redirect("/cart", 303);
}
// [/function-session]

// [rehash]
Task<bool> log_in(std::string password, std::string& kept_hash) {
  if (!co_await web::verify_password(password, kept_hash)) co_return false;
  // The hash may be of a time when machines were slower.
  if (web::needs_rehash(kept_hash)) kept_hash = co_await web::hash_password(std::move(password));
  co_return true;
}
// [/rehash]

// [api-token]
const web::JWTKey& api_key() {
  static const web::JWTKey key = web::JWTKey::from_secret(coronado::random_bytes(32), "key-1");
  return key;
}

std::string make_token(const std::string& user) {
  const std::time_t now = std::time(nullptr);
  return web::jwt_encode({{"sub", user},
                          {"iss", "https://example.org"},
                          {"aud", "api"},
                          {"iat", now},
                          {"exp", now + 900}},
                         api_key(), web::JWTAlgorithm::kHS256);
}

/// A parameter of handlers: who asks, by the token that the request brings. Without a good one 401.
struct Caller {
  std::string name;

  static Caller from_request(const HTTPServerRequest& request) {
    const std::string_view field = request.header("Authorization").value_or("");
    if (!field.starts_with("Bearer ")) throw HTTPError(401);
    const Json claims = web::jwt_decode(field.substr(7), api_key(),
                                        {.algorithms = {web::JWTAlgorithm::kHS256},
                                         .issuer = "https://example.org",
                                         .audience = "api"});
    return {claims.at("sub").as_string()};
  }
};
// [/api-token]

// [google]
struct GoogleLogin : web::RequestHandler {
  explicit GoogleLogin(web::OAuth2Client* google) : google_(*google) {}

  Task<> prepare() override { return load_session(); }

  Task<> get() override {
    const bool back = !get_query_arguments("state").empty();
    if (!back) co_return google_.authorize_redirect(*this, {.next = get_next_url()});
    const web::OAuth2User user = co_await google_.get_authenticated_user(*this);
    session().renew();
    session().set("user", user.claims.at("email"));
    redirect(user.next);
  }

 private:
  web::OAuth2Client& google_;
};
// [/google]

web::Application make_app() {
  web::Application app;
  // [headers]
  app.use(web::security_headers(
      {.content_security_policy =
           "default-src 'self'; script-src 'nonce-{nonce}'; object-src 'none'"}));
  // [/headers]
  // [cookie-sessions]
  app.use(web::sessions(make_secret(), {.idle_timeout = std::chrono::minutes(30)}));
  // [/cookie-sessions]
  app.set_security({.cookie_secret = make_secret(), .login_url = "/login"});
  app.add<Visits>("/visits");
  app.get("/cart", show_cart).post("/cart", add_to_cart);
  app.post("/token", [] { return make_token("ada"); });
  // [api]
  app.get("/api/me", [](Caller caller) { return web::json({{"name", caller.name}}); });
  // [/api]
  app.post("/check", [](web::Query<"password"> password) -> Task<web::Response> {
    std::string hash = co_await web::hash_password("correct horse battery staple");
    const bool right = co_await log_in(*password, hash);
    co_return web::text(right ? "right\n" : "wrong\n");
  });
  if (const std::string id = environment("GOOGLE_CLIENT_ID"); !id.empty()) {
    // [google-client]
    struct Google {
      explicit Google(web::OAuth2Settings settings)
          : login(client, web::google_provider(), std::move(settings)) {}
      coronado::HTTPClient client;
      web::OAuth2Client login;
    };
    auto google = std::make_shared<Google>(
        web::OAuth2Settings{.client_id = id,
                            .client_secret = environment("GOOGLE_CLIENT_SECRET"),
                            .redirect_uri = "http://localhost:8888/google",
                            .cookie_secret = make_secret()});
    app.set_state(google);  // lives as long as the application
    app.add<GoogleLogin>("/google", &google->login);
    // [/google-client]
  }
  return app;
}

}  // namespace

int main(int argc, char** argv) { return web::serve(argc, argv, make_app); }
