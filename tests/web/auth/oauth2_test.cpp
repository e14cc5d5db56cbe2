#include <coronado/web/auth/oauth2.hpp>

#include <coronado/base/crypto.hpp>
#include <coronado/base/strings.hpp>
#include <coronado/http/url.hpp>
#include <coronado/web/json.hpp>

#include <gmock/gmock.h>

#include <map>

#include "tests/web/auth/jwt_vectors.hpp"
#include "tests/web/auth/login_fixture.hpp"

namespace coronado::web_test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using web::AuthError;
using web::AuthorizeOptions;
using web::JWTAlgorithm;
using web::JWTKey;
using web::OAuth2Client;
using web::OAuth2Dialect;
using web::OAuth2Provider;
using web::OAuth2Settings;
using web::OAuth2User;

constexpr const char* kProvider = "http://provider.test";

std::time_t login_time = 1'700'000'000;
std::time_t read_time() { return login_time; }

std::string argument(const ArgumentList& arguments, std::string_view name) {
  for (const auto& [key, value] : arguments) {
    if (key == name) return value;
  }
  return {};
}

std::string s256(std::string_view verifier) {
  return base64_encode(hash(HashAlgorithm::kSHA256, verifier), Base64::kURL);
}

Json user_json(const OAuth2User& user) {
  return {
      {"user", user.user}, {"claims", user.claims}, {"tokens", user.tokens}, {"next", user.next}};
}

struct Login : web::RequestHandler {
  explicit Login(OAuth2Client* oauth) : oauth_(*oauth) {}
  Task<> get() override {
    if (request().query().find("state=") == std::string_view::npos) {
      oauth_.authorize_redirect(*this, {.next = get_argument("next", "/")});
      co_return;
    }
    const OAuth2User user = co_await oauth_.get_authenticated_user(*this);
    write(json_encode(user_json(user)));
  }
  OAuth2Client& oauth_;
};

/// A provider of OpenID Connect that does what it should, unless the test changes something.
struct OIDCBench : LoginBench {
  OIDCBench() {
    provider.get("/authorize",
                 [this](const HTTPServerRequest& request) { return authorize(request); });
    provider.post("/token", [this](const HTTPServerRequest& request) { return token(request); });
    provider.get("/userinfo", [this](const HTTPServerRequest& request) {
      asked_with = request.header("Authorization").value_or("nothing");
      return web::json(userinfo);
    });
    provider.get("/keys", [this] {
      web::JWKSet keys;
      keys.add(key);
      return web::json(keys.public_json());
    });
    provider.get("/.well-known/openid-configuration", [this] { return web::json(configuration); });
    oauth = std::make_unique<OAuth2Client>(client, description(), settings());
    site.add<Login>("/login", oauth.get());
  }

  static OAuth2Provider description() {
    const std::string url = kProvider;
    return {.name = "fake",
            .authorize_url = url + "/authorize?lang=en",
            .token_url = url + "/token",
            .userinfo_url = url + "/userinfo",
            .issuer = url,
            .jwks_url = url + "/keys",
            .scope = {"openid", "email"}};
  }
  static OAuth2Settings settings() {
    return {.client_id = "our-id",
            .client_secret = "our secret",
            .redirect_uri = "http://site.test/login",
            .cookie_secret = "cookie secret",
            .now = read_time};
  }

  web::Response authorize(const HTTPServerRequest& request) {
    authorized = request.query_arguments();
    ArgumentList answer{{"state", argument(authorized, "state")}, {"code", "the-code"}};
    if (change_answer) change_answer(answer);
    return web::redirect(url_concat(argument(authorized, "redirect_uri"), answer));
  }
  web::Response token(const HTTPServerRequest& request) {
    token_form = request.body_arguments();
    if (token_answer) return token_answer();
    const bool pkce =
        s256(argument(token_form, "code_verifier")) == argument(authorized, "code_challenge");
    if (argument(token_form, "code") != "the-code" || !pkce) {
      return web::json({{"error", "invalid_grant"}, {"error_description", "wrong code"}}, 400);
    }
    Json claims{{"iss", kProvider},  {"sub", "user-7"},
                {"aud", "our-id"},   {"nonce", argument(authorized, "nonce")},
                {"iat", login_time}, {"exp", login_time + 600}};
    if (change_claims) change_claims(claims);
    return web::json({{"access_token", "the-token"},
                      {"token_type", "Bearer"},
                      {"expires_in", 3600},
                      {"id_token", web::jwt_encode(claims, signer, JWTAlgorithm::kES256)}});
  }

  /// A whole login; the status of its last page.
  Task<int> login() {
    page = co_await visit("http://site.test/login");
    co_return page.code;
  }

  JWTKey key = JWTKey::from_pem(kP256Private, "k1");
  JWTKey signer = key;
  Json userinfo{{"sub", "user-7"}, {"name", "Ada"}};
  Json configuration;
  std::function<void(ArgumentList&)> change_answer;
  std::function<void(Json&)> change_claims;
  std::function<web::Response()> token_answer;
  ArgumentList authorized;
  ArgumentList token_form;
  std::string asked_with;
  HTTPClientResponse page;
  std::unique_ptr<OAuth2Client> oauth;
};

template <class Bench = OIDCBench>
void with_bench(std::function<Task<>(std::type_identity_t<Bench>&)> body) {
  run_async([&]() -> Task<> {
    Bench bench;
    co_await body(bench);
    co_await bench.close();
  });
}

TEST(OAuth2, ALogin) {
  with_bench([](OIDCBench& bench) -> Task<> {
    const HTTPClientResponse page = co_await bench.visit("http://site.test/login?next=/home");
    EXPECT_EQ(page.code, 200);
    const Json user = json_decode(page.body);
    EXPECT_EQ(user["claims"]["sub"], "user-7");
    EXPECT_EQ(user["user"]["name"], "Ada");
    EXPECT_EQ(user["tokens"]["access_token"], "the-token");
    EXPECT_EQ(user["next"], "/home");
    EXPECT_EQ(argument(bench.authorized, "lang"), "en");
    EXPECT_EQ(argument(bench.authorized, "response_type"), "code");
    EXPECT_EQ(argument(bench.authorized, "client_id"), "our-id");
    EXPECT_EQ(argument(bench.authorized, "redirect_uri"), "http://site.test/login");
    EXPECT_EQ(argument(bench.authorized, "scope"), "openid email");
    EXPECT_EQ(argument(bench.authorized, "code_challenge_method"), "S256");
    EXPECT_EQ(argument(bench.authorized, "state").size(), 43U);
    EXPECT_EQ(argument(bench.token_form, "grant_type"), "authorization_code");
    EXPECT_EQ(argument(bench.token_form, "client_secret"), "our secret");
    EXPECT_EQ(argument(bench.token_form, "redirect_uri"), "http://site.test/login");
    EXPECT_EQ(argument(bench.token_form, "code_verifier").size(), 43U);
    EXPECT_EQ(bench.asked_with, "Bearer the-token");
    EXPECT_TRUE(bench.jar->cookies().empty());  // that of the login is gone
  });
}

TEST(OAuth2, TheCookieHidesWhatItKeeps) {
  with_bench([](OIDCBench& bench) -> Task<> {
    const HTTPClientResponse sent = co_await bench.visit("http://site.test/login", false);
    EXPECT_EQ(sent.code, 302);
    const std::string cookie(sent.headers.get("Set-Cookie").value_or(""));
    EXPECT_THAT(cookie, StartsWith("_oauth2_fake=0."));
    EXPECT_THAT(cookie, HasSubstr("; HttpOnly; Max-Age=600; Path=/; SameSite=Lax"));
    const std::string location(sent.headers.get("Location").value_or(""));
    EXPECT_THAT(location, StartsWith("http://provider.test/authorize?lang=en&client_id=our-id&"));
    const HTTPClientResponse again = co_await bench.visit("http://site.test/login", false);
    EXPECT_NE(again.headers.get("Location").value_or(""), location);
  });
}

TEST(OAuth2, OnlyPathsOfThisSiteAreNext) {
  with_bench([](OIDCBench& bench) -> Task<> {
    const HTTPClientResponse page =
        co_await bench.visit("http://site.test/login?next=https://evil.example/");
    EXPECT_EQ(json_decode(page.body)["next"], "/");
  });
}

TEST(OAuth2, AnAnswerThatNobodyAskedForIsRefused) {
  with_bench([](OIDCBench& bench) -> Task<> {
    const HTTPClientResponse page = co_await bench.visit("http://site.test/login?state=x&code=y");
    EXPECT_EQ(page.code, 403);
    EXPECT_EQ(page.body, "<html><title>403: Forbidden</title><body>403: Forbidden</body></html>");
    EXPECT_EQ(bench.log.count("login at fake: this browser has begun none"), 1U);
    EXPECT_TRUE(bench.token_form.empty());
  });
}

TEST(OAuth2, TheStateIsTheBrowsersOwn) {
  with_bench([](OIDCBench& bench) -> Task<> {
    for (const char* state : {"", "other"}) {
      bench.change_answer = [state](ArgumentList& answer) { answer[0].second = state; };
      const int status = co_await bench.login();
      EXPECT_EQ(status, 403);
    }
    EXPECT_EQ(bench.log.count("the state is not the one of this browser"), 2U);
    EXPECT_TRUE(bench.token_form.empty());
  });
}

TEST(OAuth2, ALoginThatTakesTooLongIsRefused) {
  with_bench([](OIDCBench& bench) -> Task<> {
    bench.change_answer = [](ArgumentList&) { login_time += 601; };
    const int status = co_await bench.login();
    EXPECT_EQ(status, 403);
    EXPECT_EQ(bench.log.count("login at fake: it took too long"), 1U);
  });
}

TEST(OAuth2, AForeignCookieIsRefused) {
  with_bench([](OIDCBench& bench) -> Task<> {
    for (const char* cookie : {"x", "0.AAAA", "1.AAAA"}) {
      bench.jar->set(URL::parse("http://site.test/"), "_oauth2_fake=" + std::string(cookie), 0);
      const HTTPClientResponse page = co_await bench.visit("http://site.test/login?state=x&code=y");
      EXPECT_EQ(page.code, 403);
    }
    EXPECT_EQ(bench.log.count("login at fake: its cookie is refused: "), 3U);
  });
}

struct Answer {
  const char* what;
  std::function<void(ArgumentList&)> change;
  int status;
  const char* log;
};

TEST(OAuth2, Refusals) {
  const Answer answers[] = {
      {"denied",
       [](ArgumentList& a) {
         a[1] = {"error", "access_denied"};
         a.emplace_back("error_description", "no");
       },
       403, "login at fake: access_denied: no"},
      {"mix-up", [](ArgumentList& a) { a.emplace_back("iss", "http://other.test"); }, 403,
       "the answer is from another issuer"},
      {"no code", [](ArgumentList& a) { a.pop_back(); }, 403, "the answer has no code"},
      {"wrong code", [](ArgumentList& a) { a[1].second = "other"; }, 401,
       "no token, status 400: wrong code"},
      {"the right issuer", [](ArgumentList& a) { a.emplace_back("iss", kProvider); }, 200, ""},
  };
  for (const Answer& each : answers) {
    with_bench([&each](OIDCBench& bench) -> Task<> {
      bench.change_answer = each.change;
      const int status = co_await bench.login();
      EXPECT_EQ(status, each.status) << each.what;
      EXPECT_GE(bench.log.count(each.log), 1U) << each.what;
      if (status != 200) EXPECT_THAT(bench.page.body, Not(HasSubstr("login"))) << each.what;
    });
  }
}

struct Claim {
  const char* name;
  Json value;
  const char* log;  // empty: accepted
};

TEST(OAuth2, TheIdTokenMustBeForThisLogin) {
  const Claim claims[] = {
      {"nonce", "another", "the id_token has another nonce"},
      {"nonce", Json(), "the id_token has another nonce"},
      {"aud", "them", "it is for somebody else"},
      {"aud", Json::array({"our-id", "them"}), "the id_token is for another client"},
      {"azp", "them", "the id_token is for another client"},
      {"azp", "our-id", ""},
      {"iss", "http://other.test", "it is from another issuer"},
      {"exp", 1'000, "it has expired"},
      {"iat", 4'000'000'000, "iat is in the future"},
      {"sub", "", "the id_token has no subject"},
      {"sub", "user-8", "the provider tells of another user"},
  };
  for (const Claim& each : claims) {
    with_bench([&each](OIDCBench& bench) -> Task<> {
      bench.change_claims = [&each](Json& said) { said[each.name] = each.value; };
      const int status = co_await bench.login();
      const bool good = std::string_view(each.log).empty();
      EXPECT_EQ(status == 200, good) << each.name << " " << status;
      EXPECT_GE(bench.log.count(each.log), 1U) << each.name;
    });
  }
}

TEST(OAuth2, TheIdTokenMustBeSignedByTheProvider) {
  with_bench([](OIDCBench& bench) -> Task<> {
    bench.signer = JWTKey::from_pem(kP256Private, "k2");
    int status = co_await bench.login();
    EXPECT_EQ(status, 401);
    EXPECT_EQ(bench.log.count("no key is called \"k2\""), 1U);
    bench.token_answer = [] {
      return web::json({{"access_token", "t"}, {"token_type", "bearer"}});
    };
    status = co_await bench.login();
    EXPECT_EQ(status, 401);
    EXPECT_EQ(bench.log.count("login at fake: id_token: token refused: "), 2U);
  });
}

TEST(OAuth2, AProviderThatAnswersBadly) {
  const std::pair<std::function<web::Response()>, const char*> answers[] = {
      {[] { return web::text("oops", 500); }, "answered 500 and no JSON object"},
      {[] { return web::json(Json::array({1})); }, "answered 200 and no JSON object"},
      {[] { return web::json(Json::object()); }, "the answer has no bearer token"},
      {[] { return web::json({{"access_token", 7}}); }, "the answer has no bearer token"},
      {[] { return web::json({{"access_token", "t"}, {"token_type", "mac"}}); },
       "the answer has no bearer token"},
      {[] { return web::json({{"error", "server_error"}}, 503); }, "status 503: server_error"},
      {[] { return web::redirect("http://evil.example/"); }, "answered 302"},
  };
  for (const auto& [answer, log] : answers) {
    with_bench([&answer, log](OIDCBench& bench) -> Task<> {
      bench.token_answer = answer;
      const int status = co_await bench.login();
      EXPECT_EQ(status, 502) << log;
      EXPECT_EQ(bench.log.count(log), 1U) << log;
      for (const std::string& line : bench.log.lines)
        EXPECT_THAT(line, Not(HasSubstr("our secret")));
    });
  }
}

TEST(OAuth2, AProviderThatIsAway) {
  with_bench([](OIDCBench& bench) -> Task<> {
    bench.token_answer = [&bench] {
      bench.provider_door.reset();
      return web::text("", 500);
    };
    const HTTPClientResponse sent = co_await bench.visit("http://site.test/login", false);
    const std::string location(sent.headers.get("Location").value_or(""));
    const HTTPClientResponse answer = co_await bench.visit(location, false);
    bench.provider_door.reset();
    co_await bench.provider_server.close();
    const HTTPClientResponse page =
        co_await bench.visit(std::string(answer.headers.get("Location").value_or("")));
    EXPECT_EQ(page.code, 502);
    EXPECT_EQ(bench.log.count("POST http://provider.test/token: cannot connect"), 1U);
  });
}

TEST(OAuth2, AClientThatGivesUpEndsTheLogin) {
  with_bench([](OIDCBench& bench) -> Task<> {
    bool late = false;
    try {
      co_await with_timeout(Duration(0), bench.oauth->refresh("r"));
    } catch (const TimeoutError&) {
      late = true;
    }
    EXPECT_TRUE(late);
  });
}

TEST(OAuth2, RefreshAndRequests) {
  with_bench([](OIDCBench& bench) -> Task<> {
    bench.token_answer = [] {
      return web::json({{"access_token", "new"}, {"token_type", "bearer"}});
    };
    const Json tokens = co_await bench.oauth->refresh("the-refresh");
    EXPECT_EQ(tokens["access_token"], "new");
    EXPECT_EQ(argument(bench.token_form, "grant_type"), "refresh_token");
    EXPECT_EQ(argument(bench.token_form, "refresh_token"), "the-refresh");
    bench.provider.post("/things", [](const HTTPServerRequest& request) {
      if (request.header("Authorization") != "Bearer t") return web::json(Json::object(), 401);
      return web::json(
          {{"query", std::string(request.query())}, {"body", std::string(request.body())}});
    });
    const Json made = co_await bench.oauth->oauth2_request(
        "http://provider.test/things", "t", {{"a", "b"}}, ArgumentList{{"c", "d e"}});
    EXPECT_EQ(made, (Json{{"query", "a=b"}, {"body", "c=d+e"}}));
    bool refused = false;
    try {
      co_await bench.oauth->oauth2_request("http://provider.test/things", "x", {}, ArgumentList{});
    } catch (const AuthError& error) {
      refused = error.why() == AuthError::Reason::kToken;
    }
    EXPECT_TRUE(refused);
  });
}

TEST(OAuth2, FunctionHandlers) {
  with_bench([](OIDCBench& bench) -> Task<> {
    OAuth2Settings settings = OIDCBench::settings();
    settings.redirect_uri = "http://site.test/done";
    OAuth2Client oauth(bench.client, OIDCBench::description(), settings);
    bench.site.get("/begin", [&oauth] { return oauth.authorize_redirect({.scope = {"openid"}}); });
    bench.site.get("/done", [&oauth](const HTTPServerRequest& request) -> Task<web::Response> {
      const OAuth2User user = co_await oauth.get_authenticated_user(request);
      web::Response response = web::json(user.claims);
      response.headers().add("Set-Cookie", oauth.clear_cookie());
      co_return response;
    });
    const HTTPClientResponse page = co_await bench.visit("http://site.test/begin");
    EXPECT_EQ(json_decode(page.body)["sub"], "user-7");
    EXPECT_EQ(argument(bench.authorized, "scope"), "openid");
    EXPECT_TRUE(bench.jar->cookies().empty());
  });
}

TEST(OAuth2, Discovery) {
  with_bench([](OIDCBench& bench) -> Task<> {
    const std::string url = kProvider;
    bench.configuration = {{"issuer", url},
                           {"authorization_endpoint", url + "/a"},
                           {"token_endpoint", url + "/t"},
                           {"jwks_uri", url + "/k"}};
    const OAuth2Provider found = co_await web::discover_provider(bench.client, url);
    EXPECT_EQ(found.authorize_url, url + "/a");
    EXPECT_EQ(found.token_url, url + "/t");
    EXPECT_EQ(found.jwks_url, url + "/k");
    EXPECT_EQ(found.userinfo_url, "");
    EXPECT_EQ(found.issuer, url);
    bench.configuration["issuer"] = "http://other.test";
    bool refused = false;
    try {
      co_await web::discover_provider(bench.client, url);
    } catch (const AuthError& error) {
      refused = error.status() == 502;
    }
    EXPECT_TRUE(refused);
  });
}

TEST(OAuth2, SettingsAreChecked) {
  run_async([]() -> Task<> {
    HTTPClient client;
    const auto refuses =
        [&client](const std::function<void(OAuth2Provider&, OAuth2Settings&)>& change) {
          OAuth2Provider provider = OIDCBench::description();
          OAuth2Settings settings = OIDCBench::settings();
          change(provider, settings);
          try {
            OAuth2Client oauth(client, provider, settings);
          } catch (const UsageError&) {
            return true;
          }
          return false;
        };
    EXPECT_FALSE(refuses([](OAuth2Provider&, OAuth2Settings&) {}));
    EXPECT_TRUE(refuses([](OAuth2Provider& p, OAuth2Settings&) { p.name = "a b"; }));
    EXPECT_TRUE(refuses([](OAuth2Provider& p, OAuth2Settings&) { p.jwks_url = ""; }));
    EXPECT_TRUE(refuses([](OAuth2Provider& p, OAuth2Settings&) { p.token_url = ""; }));
    EXPECT_TRUE(refuses([](OAuth2Provider&, OAuth2Settings& s) { s.client_id = ""; }));
    EXPECT_TRUE(refuses([](OAuth2Provider&, OAuth2Settings& s) { s.cookie_secret = {}; }));
    EXPECT_TRUE(refuses([](OAuth2Provider&, OAuth2Settings& s) { s.redirect_uri = "/login"; }));
    for (const OAuth2Provider& each : {web::google_provider(), web::github_provider(),
                                       web::facebook_provider(), web::wechat_provider()}) {
      EXPECT_FALSE(refuses([&each](OAuth2Provider& p, OAuth2Settings&) { p = each; })) << each.name;
    }
    co_return;
  });
}

// --- those who do it in their own way ---------------------------------------------------------------------

/// The answers of a provider by path, and what it was asked.
struct DialectBench : LoginBench {
  void serve(OAuth2Provider description, std::map<std::string, Json> said) {
    answers = std::move(said);
    provider.not_found([this](const HTTPServerRequest& request) {
      const std::string path(request.path());
      asked[path] = request.method_id() == Method::kPost ? request.body_arguments()
                                                         : request.query_arguments();
      fields[path] = request.header("Authorization").value_or("");
      if (path == "/authorize") {
        return web::redirect(
            url_concat(argument(asked[path], "redirect_uri"),
                       {{"code", "c"}, {"state", argument(asked[path], "state")}}));
      }
      return web::json(answers[path]);
    });
    OAuth2Settings settings = OIDCBench::settings();
    oauth = std::make_unique<OAuth2Client>(client, std::move(description), std::move(settings));
    site.add<Login>("/login", oauth.get());
  }
  /// `description` at our provider.
  static OAuth2Provider here(OAuth2Provider description) {
    const auto move = [](std::string& url, const char* path) {
      const std::size_t query = url.find_first_of("?#");
      url = std::string(kProvider) + path + (query == url.npos ? "" : url.substr(query));
    };
    move(description.authorize_url, "/authorize");
    move(description.token_url, "/token");
    move(description.userinfo_url, "/user");
    return description;
  }
  std::map<std::string, Json> answers;
  std::map<std::string, ArgumentList> asked;
  std::map<std::string, std::string> fields;
  std::unique_ptr<OAuth2Client> oauth;
};

TEST(OAuth2, GitHub) {
  with_bench<DialectBench>([](DialectBench& bench) -> Task<> {
    bench.serve(
        bench.here(web::github_provider()),
        {{"/token", {{"access_token", "t"}, {"token_type", "bearer"}, {"scope", "read:user"}}},
         {"/user", {{"id", 7}, {"login", "ada"}}}});
    HTTPClientResponse page = co_await bench.visit("http://site.test/login");
    EXPECT_EQ(json_decode(page.body)["user"]["login"], "ada");
    EXPECT_TRUE(json_decode(page.body)["claims"].is_null());
    EXPECT_EQ(bench.fields["/user"], "Bearer t");
    // Its errors come with status 200.
    bench.answers["/token"] = {{"error", "bad_verification_code"}, {"error_description", "used"}};
    page = co_await bench.visit("http://site.test/login");
    EXPECT_EQ(page.code, 401);
  });
}

TEST(OAuth2, Facebook) {
  with_bench<DialectBench>([](DialectBench& bench) -> Task<> {
    bench.serve(bench.here(web::facebook_provider("id,name")),
                {{"/token", {{"access_token", "t"}, {"expires_in", 60}}},
                 {"/user", {{"id", "7"}, {"name", "Ada"}}}});
    HTTPClientResponse page = co_await bench.visit("http://site.test/login");
    EXPECT_EQ(json_decode(page.body)["user"]["name"], "Ada");
    EXPECT_EQ(argument(bench.asked["/token"], "client_secret"), "our secret");
    EXPECT_EQ(argument(bench.asked["/token"], "code"), "c");
    EXPECT_EQ(argument(bench.asked["/user"], "fields"), "id,name");
    EXPECT_EQ(argument(bench.asked["/user"], "access_token"), "t");
    std::string proof;
    append_hex(proof, hmac(HashAlgorithm::kSHA256, "our secret", "t"));
    EXPECT_EQ(argument(bench.asked["/user"], "appsecret_proof"), proof);
    EXPECT_EQ(argument(bench.asked["/authorize"], "code_challenge"), "");
    bench.answers["/user"] = {
        {"error", {{"message", "Invalid OAuth access token."}, {"code", 190}}}};
    page = co_await bench.visit("http://site.test/login");
    EXPECT_EQ(page.code, 502);
    EXPECT_EQ(bench.log.count("Invalid OAuth access token."), 1U);
  });
}

TEST(OAuth2, WeChat) {
  with_bench<DialectBench>([](DialectBench& bench) -> Task<> {
    bench.serve(bench.here(web::wechat_provider()),
                {{"/token", {{"access_token", "t"}, {"openid", "o"}, {"unionid", "u"}}},
                 {"/user", {{"openid", "o"}, {"nickname", "Ada"}}}});
    const HTTPClientResponse sent = co_await bench.visit("http://site.test/login", false);
    EXPECT_THAT(
        std::string(sent.headers.get("Location").value_or("")),
        ::testing::MatchesRegex(
            "http://provider.test/authorize.appid=our-id&redirect_uri=http%3A%2F%2Fsite.test%2F"
            "login&response_type=code&scope=snsapi_login&state=[-_A-Za-z0-9]+#wechat_redirect"));
    HTTPClientResponse page = co_await bench.visit("http://site.test/login");
    EXPECT_EQ(json_decode(page.body)["user"]["nickname"], "Ada");
    EXPECT_EQ(json_decode(page.body)["tokens"]["unionid"], "u");
    EXPECT_EQ(argument(bench.asked["/token"], "appid"), "our-id");
    EXPECT_EQ(argument(bench.asked["/token"], "secret"), "our secret");
    EXPECT_EQ(argument(bench.asked["/token"], "grant_type"), "authorization_code");
    EXPECT_EQ(argument(bench.asked["/user"], "openid"), "o");
    bench.answers["/token"] = {{"errcode", 40029}, {"errmsg", "invalid code"}};
    page = co_await bench.visit("http://site.test/login");
    EXPECT_EQ(page.code, 401);
    bench.answers["/token"] = {{"errcode", -1}, {"errmsg", "system busy"}};
    page = co_await bench.visit("http://site.test/login");
    EXPECT_EQ(page.code, 502);
    EXPECT_EQ(bench.log.count("system busy"), 1U);
  });
}

TEST(OAuth2, WeChatMiniPrograms) {
  with_bench<DialectBench>([](DialectBench& bench) -> Task<> {
    bench.serve(bench.here(web::wechat_provider()),
                {{"/session", {{"openid", "o"}, {"session_key", "k"}}}});
    const std::string url = std::string(kProvider) + "/session";
    const Json session =
        co_await web::wechat_code2session(bench.client, "app", "app secret", "code", url);
    EXPECT_EQ(session["session_key"], "k");
    EXPECT_EQ(bench.asked["/session"], (ArgumentList{{"appid", "app"},
                                                     {"secret", "app secret"},
                                                     {"js_code", "code"},
                                                     {"grant_type", "authorization_code"}}));
    const std::pair<Json, int> failures[] = {
        {{{"errcode", 40029}, {"errmsg", "invalid code"}}, 401},
        {{{"errcode", 45011}, {"errmsg", "too often"}}, 502},
        {{{"openid", "o"}}, 502}};
    for (const auto& [answer, status] : failures) {
      bench.answers["/session"] = answer;
      int got = 0;
      try {
        co_await web::wechat_code2session(bench.client, "app", "app secret", "code", url);
      } catch (const AuthError& error) {
        got = error.status();
        EXPECT_THAT(error.what(), Not(HasSubstr("app secret")));
      }
      EXPECT_EQ(got, status);
    }
  });
}

}  // namespace
}  // namespace coronado::web_test
