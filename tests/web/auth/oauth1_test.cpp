#include <coronado/web/auth/oauth1.hpp>

#include <coronado/base/strings.hpp>
#include <coronado/web/json.hpp>

#include "tests/web/auth/login_fixture.hpp"
#include "tests/web/tornado.hpp"

namespace coronado::web_test {
namespace {

using web::AuthError;
using web::oauth1_signature;
using web::OAuth1Client;
using web::OAuth1Provider;
using web::OAuth1Settings;
using web::OAuth1Token;
using web::OAuth1User;
using web::OAuth1Version;

TEST(OAuth1Signature, KnownOnes) {
  // OAuth Core 1.0a, appendix A.5.
  EXPECT_EQ(oauth1_signature("get", "http://PHOTOS.example.net:80/photos?size=original",
                             {{"file", "vacation.jpg"},
                              {"oauth_consumer_key", "dpf43f3p2l4k3l03"},
                              {"oauth_token", "nnch734d00sl2jdk"},
                              {"oauth_signature_method", "HMAC-SHA1"},
                              {"oauth_timestamp", "1191242096"},
                              {"oauth_nonce", "kllo9940pd9333jh"},
                              {"oauth_version", "1.0"}},
                             "kd94hf93k423kf44", "pfkkdhi9sl3r4s00"),
            "tR3+Ty81lMeYAr/Fid0kMTYa/WM=");
  // RFC 5849 1.2 with its erratum 2550.
  EXPECT_EQ(oauth1_signature("POST", "http://example.com/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b",
                             {{"c2", ""},
                              {"a3", "2 q"},
                              {"oauth_consumer_key", "9djdj82h48djs9d2"},
                              {"oauth_token", "kkk9d7dh3k39sjv7"},
                              {"oauth_signature_method", "HMAC-SHA1"},
                              {"oauth_timestamp", "137131201"},
                              {"oauth_nonce", "7d8f3e4a"}},
                             "j49sk3j29djd", "dh893hdasih9"),
            "r6/TJjbCOr97/+UU0NsvSne7s5g=");
}

TEST(OAuth1Signature, IsTornados) {
  SKIP_WITHOUT_TORNADO();
  const std::string output = run_python(
      "from tornado import auth\n"
      "c, t = {'key': 'k', 'secret': 's&~ /'}, {'key': 'x', 'secret': 'y=%'}\n"
      "p = {'b': 'ä ö~', 'a': '1&2=3', 'oauth_nonce': 'n+/'}\n"
      "for f in (auth._oauth_signature, auth._oauth10a_signature):\n"
      "    for token in (None, t):\n"
      "        print(f(c, 'post', 'http://Example.com/a/b', p, token).decode())");
  const std::vector<std::string_view> lines = split(output, '\n');
  ASSERT_EQ(lines.size(), 4U) << output;
  std::size_t line = 0;
  for (const OAuth1Version version : {OAuth1Version::k10, OAuth1Version::k10a}) {
    for (const char* secret : {"", "y=%"}) {
      EXPECT_EQ(oauth1_signature("post", "http://Example.com/a/b",
                                 {{"b", "ä ö~"}, {"a", "1&2=3"}, {"oauth_nonce", "n+/"}}, "s&~ /",
                                 secret, version),
                lines[line++]);
    }
  }
}

// --- logins ----------------------------------------------------------------------------------------

std::string argument(const ArgumentList& arguments, std::string_view name) {
  for (const auto& [key, value] : arguments) {
    if (key == name) return value;
  }
  return {};
}

struct Login : web::RequestHandler {
  explicit Login(OAuth1Client* oauth) : oauth_(*oauth) {}
  Task<> get() override {
    const std::string how = get_argument("how", "");
    if (how == "authenticate") co_return co_await oauth_.authenticate_redirect(*this, "/login");
    if (how == "oob") co_return co_await oauth_.authorize_redirect(*this, "oob");
    if (request().query().empty()) {
      co_return co_await oauth_.authorize_redirect(*this, "/login?back=1", {{"x", "y"}});
    }
    const OAuth1User user = co_await oauth_.get_authenticated_user(*this);
    write(json_encode(Json{{"user", user.user},
                           {"key", user.access_token.key},
                           {"name", argument(user.access_token.more, "screen_name")}}));
  }
  OAuth1Client& oauth_;
};

/// A provider that checks every signature.
struct OAuth1Bench : LoginBench {
  explicit OAuth1Bench(OAuth1Version version = OAuth1Version::k10a) {
    const std::string url = "http://provider.test";
    OAuth1Provider description{.name = "fake",
                               .request_token_url = url + "/request_token",
                               .access_token_url = url + "/access_token",
                               .authorize_url = url + "/authorize",
                               .authenticate_url = url + "/authenticate",
                               .api_url = url + "/1.1",
                               .api_suffix = ".json",
                               .user_path = "/account/verify_credentials",
                               .version = version};
    provider.get("/request_token", [this](const HTTPServerRequest& request) {
      if (!check(request, "")) return web::text("bad signature", 401);
      return web::text("oauth_token=rk&oauth_token_secret=r%20s&oauth_callback_confirmed=true");
    });
    provider.get("/access_token", [this](const HTTPServerRequest& request) {
      if (!check(request, "r s") || argument(asked, "oauth_verifier") != "v") {
        return web::text("bad signature", 401);
      }
      return web::text(access_answer);
    });
    const auto send_back = [this](const HTTPServerRequest& request) {
      asked = request.query_arguments();
      const std::string back = callback.empty() ? argument(asked, "oauth_callback") : callback;
      return web::redirect(url_concat(back, user_answer));
    };
    provider.get("/authorize", send_back).get("/authenticate", send_back);
    provider.get("/1.1/account/verify_credentials.json", [this](const HTTPServerRequest& request) {
      if (!check(request, "as")) return web::text("bad signature", 401);
      return web::json({{"screen_name", "ada"}});
    });
    provider.post("/1.1/statuses/update.json", [this](const HTTPServerRequest& request) {
      if (!check(request, "as")) return web::text("bad signature", 401);
      return web::json({{"status", argument(request.body_arguments(), "status")}});
    });
    oauth = std::make_unique<OAuth1Client>(client, description, settings());
    site.add<Login>("/login", oauth.get());
  }
  static OAuth1Settings settings() {
    return {.consumer_key = "ck", .consumer_secret = "c&s", .cookie_secret = "cookie secret"};
  }

  bool check(const HTTPServerRequest& request, std::string_view token_secret) {
    asked = request.query_arguments();
    const std::string shown = argument(asked, "oauth_signature");
    std::erase_if(asked, [](const auto& each) { return each.first == "oauth_signature"; });
    ArgumentList all = asked;
    for (const auto& each : request.body_arguments()) all.push_back(each);
    const std::string url = "http://provider.test" + std::string(request.path());
    if (argument(asked, "oauth_callback") != "") callback = argument(asked, "oauth_callback");
    return argument(asked, "oauth_consumer_key") == "ck" &&
           shown == oauth1_signature(request.method(), url, all, "c&s", token_secret,
                                     OAuth1Version::k10a);
  }

  ArgumentList asked;
  std::string callback;
  ArgumentList user_answer{{"oauth_token", "rk"}, {"oauth_verifier", "v"}};
  std::string access_answer = "oauth_token=ak&oauth_token_secret=as&screen_name=ada";
  std::unique_ptr<OAuth1Client> oauth;
};

void with_bench(std::function<Task<>(OAuth1Bench&)> body) {
  run_async([&]() -> Task<> {
    OAuth1Bench bench;
    co_await body(bench);
    co_await bench.close();
  });
}

TEST(OAuth1, ALogin) {
  with_bench([](OAuth1Bench& bench) -> Task<> {
    for (const char* url : {"http://site.test/login", "http://site.test/login?how=authenticate"}) {
      const HTTPClientResponse page = co_await bench.visit(url);
      EXPECT_EQ(page.code, 200);
      EXPECT_EQ(json_decode(page.body),
                (Json{{"user", {{"screen_name", "ada"}}}, {"key", "ak"}, {"name", "ada"}}));
      EXPECT_TRUE(bench.jar->cookies().empty());
    }
    EXPECT_EQ(bench.callback, "http://site.test/login");
  });
}

TEST(OAuth1, OutOfBandTheURLIsShown) {
  with_bench([](OAuth1Bench& bench) -> Task<> {
    const HTTPClientResponse page = co_await bench.visit("http://site.test/login?how=oob");
    EXPECT_EQ(page.body, "http://provider.test/authorize?oauth_token=rk");
    EXPECT_EQ(bench.callback, "oob");
  });
}

TEST(OAuth1, WhatIsRefused) {
  struct Case {
    ArgumentList answer;
    int status;
    const char* log;
  };
  const Case cases[] = {
      {{{"oauth_token", "other"}, {"oauth_verifier", "v"}},
       403,
       "the token is not the one of this"},
      {{{"oauth_token", "rk"}, {"oauth_verifier", "x"}}, 401, "the provider refuses us"},
      {{{"denied", "rk"}}, 403, "the user has refused"},
  };
  for (const Case& each : cases) {
    with_bench([&each](OAuth1Bench& bench) -> Task<> {
      bench.user_answer = each.answer;
      const HTTPClientResponse page = co_await bench.visit("http://site.test/login");
      EXPECT_EQ(page.code, each.status);
      EXPECT_EQ(bench.log.count(each.log), 1U) << each.log;
    });
  }
  with_bench([](OAuth1Bench& bench) -> Task<> {
    HTTPClientResponse page = co_await bench.visit("http://site.test/login?oauth_token=rk");
    EXPECT_EQ(page.code, 403);
    EXPECT_EQ(bench.log.count("this browser has begun none"), 1U);
    bench.access_answer = "nothing";
    page = co_await bench.visit("http://site.test/login");
    EXPECT_EQ(page.code, 502);
    EXPECT_EQ(bench.log.count("http://provider.test/access_token answers 200 and no token"), 1U);
  });
}

TEST(OAuth1, Requests) {
  with_bench([](OAuth1Bench& bench) -> Task<> {
    const OAuth1Token token{"ak", "as", {}};
    const Json posted = co_await bench.oauth->request("/statuses/update", token, {{"a", "b c"}},
                                                      ArgumentList{{"status", "hello & bye"}});
    EXPECT_EQ(posted["status"], "hello & bye");
    const std::pair<std::string, int> failures[] = {{"/account/verify_credentials", 401},
                                                    {"http://provider.test/nowhere", 502}};
    for (const auto& [path, status] : failures) {
      int got = 0;
      try {
        co_await bench.oauth->request(path, OAuth1Token{"ak", "wrong", {}});
      } catch (const AuthError& error) {
        got = error.status();
      }
      EXPECT_EQ(got, status) << path;
    }
  });
}

TEST(OAuth1, ARequestThatIsGivenUp) {
  with_bench([](OAuth1Bench& bench) -> Task<> {
    bool late = false;
    try {
      co_await with_timeout(Duration(0), bench.oauth->request("/x", OAuth1Token{"ak", "as", {}}));
    } catch (const TimeoutError&) {
      late = true;
    }
    EXPECT_TRUE(late);
  });
}

TEST(OAuth1, SettingsAreChecked) {
  run_async([]() -> Task<> {
    HTTPClient client;
    EXPECT_NO_THROW(OAuth1Client(client, web::twitter_provider(), OAuth1Bench::settings()));
    EXPECT_THROW(OAuth1Client(client, {}, OAuth1Bench::settings()), UsageError);
    EXPECT_THROW(OAuth1Client(client, web::twitter_provider(), {}), UsageError);
    co_return;
  });
}

}  // namespace
}  // namespace coronado::web_test
