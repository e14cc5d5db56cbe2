#include "web/handler_security.hpp"

#include <coronado/base/crypto.hpp>
#include <coronado/web/authenticated.hpp>
#include <coronado/web/security.hpp>
#include <coronado/web/template.hpp>

#include <functional>

#include "tests/web/web_fixture.hpp"

namespace coronado::web_test {
namespace {

using web::RequestHandler;
using web::SecuritySettings;

/// A handler that does what the test says.
class Scripted : public RequestHandler {
 public:
  using Script = std::function<void(RequestHandler&)>;
  explicit Scripted(Script* script) : script_(*script) {}
  Task<> get() override {
    script_(*this);
    co_return;
  }

 private:
  Script& script_;
};

struct SecurityBench : WebBench {
  explicit SecurityBench(SecuritySettings settings = {.cookie_secret = "secret",
                                                      .login_url = "/login"}) {
    app.set_security(std::move(settings));
    app.add<Scripted>("/h", &script);
  }
  RawResponse now(Scripted::Script run, std::string_view cookie = "",
                  std::string_view target = "/h") {
    script = std::move(run);
    return get(target, cookie.empty() ? "" : "Cookie: " + std::string(cookie) + "\r\n");
  }
  Scripted::Script script;
};

// --- signed cookies --------------------------------------------------------------------------------

TEST(SignedCookie, ComesBack) {
  SecurityBench bench;
  const RawResponse set =
      bench.now([](RequestHandler& h) { h.set_signed_cookie("user", "Ada L."); });
  const std::string field = set.field("Set-Cookie");
  EXPECT_NE(field.find("; expires="), field.npos);  // in 30 days
  EXPECT_NE(field.find("; Path=/"), field.npos);
  const std::string cookie = field.substr(0, field.find(';'));
  EXPECT_TRUE(cookie.starts_with("user=2|1:0|10:")) << cookie;
  EXPECT_EQ(
      bench.now([](RequestHandler& h) { h.write(*h.get_signed_cookie("user")); }, cookie).body,
      "Ada L.");
  EXPECT_EQ(bench
                .now(
                    [](RequestHandler& h) {
                      h.write(std::to_string(*h.get_signed_cookie_key_version("user")));
                    },
                    cookie)
                .body,
            "0");
}

TEST(SignedCookie, AWrongOneIsNoneAndTheLogSaysWhy) {
  SecurityBench bench;
  const auto is_none = [&bench](const std::string& cookie) {
    return bench
               .now(
                   [](RequestHandler& h) {
                     h.write(h.get_signed_cookie("user") ? "some" : "none");
                   },
                   "user=\"" + cookie + "\"")
               .body == "none";
  };
  const auto sign = [](std::string_view name, std::time_t age, const char* secret = "secret") {
    return web::create_signed_value(secret, name, "Ada", 2, std::time(nullptr) - age);
  };
  EXPECT_FALSE(is_none(sign("user", 10)));
  EXPECT_TRUE(is_none("garbage"));
  EXPECT_EQ(bench.log.count("signed cookie user refused: it is no signed value (GET /h from "), 1U);
  EXPECT_TRUE(is_none(sign("user", 0, "foreign")));
  EXPECT_EQ(bench.log.count("signed cookie user refused: its signature is wrong"), 1U);
  EXPECT_TRUE(is_none(sign("admin", 0)));
  EXPECT_EQ(bench.log.count("signed cookie user refused: it is signed for another name"), 1U);
  EXPECT_TRUE(is_none(sign("user", 32 * 86'400)));
  EXPECT_EQ(bench.log.count("signed cookie user refused: it has expired"), 1U);
  EXPECT_TRUE(is_none(sign("user", -3'600)));
  EXPECT_EQ(bench.log.count("signed cookie user refused: it is dated in the future"), 1U);
  bench.now([](RequestHandler& h) { EXPECT_FALSE(h.get_signed_cookie("user")); });
  EXPECT_EQ(bench.log.count("refused"), 5U);  // that there is none is not worth a line
}

TEST(SignedCookie, OptionsAndRules) {
  SecurityBench bench;
  const RawResponse set = bench.now([](RequestHandler& h) {
    h.set_signed_cookie("__Host-u", "x",
                        {.expires_days = {}, .cookie = {.secure = true, .http_only = true}});
    h.set_signed_cookie("short", "x", {.cookie = {.max_age = 60}, .version = 1});
  });
  const std::string all = set.head;
  EXPECT_EQ(all.find("expires="), all.npos);
  EXPECT_NE(all.find("; HttpOnly; Path=/; Secure\r\n"), all.npos);
  EXPECT_NE(all.find("short=\"eA==|"), all.npos);
  EXPECT_NE(all.find("; Max-Age=60; Path=/\r\n"), all.npos);
  const std::string old = "u=\"" + web::create_signed_value("secret", "u", "x", 1) + "\"";
  bench.now(
      [](RequestHandler& h) {
        EXPECT_TRUE(h.get_signed_cookie("u"));
        EXPECT_FALSE(h.get_signed_cookie("u", {.min_version = 2}));
        EXPECT_FALSE(h.get_signed_cookie("u", {.max_age_days = -1}));
      },
      old);
}

TEST(SignedCookie, NeedsASecret) {
  SecurityBench bench{SecuritySettings{}};
  EXPECT_EQ(bench.now([](RequestHandler& h) { h.set_signed_cookie("a", "b"); }).status, 500);
  EXPECT_EQ(bench.log.count("signed cookies need a secret: set SecuritySettings::cookie_secret"),
            1U);
}

TEST(ClearCookie, OneAndAll) {
  SecurityBench bench;
  const std::string head = bench
                               .now(
                                   [](RequestHandler& h) {
                                     h.clear_all_cookies({.domain = "example.com", .path = "/x"});
                                     h.clear_cookie("c");
                                   },
                                   "a=1; b=2; not a name=3")
                               .head;
  EXPECT_NE(head.find("Set-Cookie: a=\"\"; Domain=example.com; "
                      "expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/x\r\n"),
            head.npos)
      << head;
  EXPECT_NE(head.find("Set-Cookie: b=\"\"; Domain=example.com"), head.npos);
  EXPECT_NE(head.find("Set-Cookie: c=\"\"; expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/\r\n"),
            head.npos);
}

// --- users -------------------------------------------------------------------------------------------

struct Named : RequestHandler {
  Json get_current_user() override {
    ++asked;
    const auto name = get_cookie("user");
    return name ? Json(*name) : Json();
  }
  int asked = 0;
};

struct Profile : Named {
  Task<> get() override {
    write(current_user().as_string() + std::to_string(asked));
    co_return;
  }
  Task<> post() override {
    if (!co_await authenticated()) co_return;
    write("posted by " + current_user().as_string());
  }
};

/// Looks in a database, which takes a while.
struct Slow : RequestHandler {
  Task<Json> get_current_user_async() override {
    co_await sleep(1s);
    if (get_cookie("fail")) throw std::runtime_error("the database is gone");
    if (!get_cookie("user")) co_return Json();
    co_return Json{{"name", *get_cookie("user")}};
  }
  Task<> get() override {
    write(current_user()["name"].as_string());
    co_return;
  }
};

/// Sets the user itself.
struct Prepared : RequestHandler {
  Task<> prepare() override {
    if (get_argument("early", "") == "yes") finish("early");
    if (get_cookie("user")) set_current_user("prepared");
    return {};
  }
  Task<> get() override {
    write(current_user().as_string());
    co_return;
  }
};

struct UserBench : WebBench {
  UserBench() {
    app.set_security({.cookie_secret = "secret", .login_url = "/login"});
    app.add<web::Authenticated<Profile>>("/profile").add<Profile>("/open");
    app.add<web::Authenticated<Slow>>("/slow").add<web::Authenticated<Prepared>>("/prepared");
  }
};

Task<> pause() { co_await sleep(100ms); }

constexpr std::string_view kAda = "Cookie: user=ada\r\n";

TEST(Authenticated, LetsInWhoHasLoggedIn) {
  UserBench bench;
  EXPECT_EQ(bench.get("/profile", kAda).body, "ada1");  // asked once
  EXPECT_EQ(bench.get("/slow", kAda).body, "ada");
  EXPECT_EQ(bench.get("/prepared", kAda).body, "prepared");
  EXPECT_EQ(bench.request("POST", "/open", kAda, "x").body, "posted by ada");
  EXPECT_EQ(bench.get("/prepared?early=yes").body, "early");
}

TEST(Authenticated, SendsOthersToTheLoginPage) {
  UserBench bench;
  for (const std::string target : {"/profile", "/slow", "/prepared"}) {
    const RawResponse sent = bench.get(target + "?a=b&c=%20");
    EXPECT_EQ(sent.status, 302);
    EXPECT_EQ(sent.field("Location"),
              "/login?next=%2F" + target.substr(1) + "%3Fa%3Db%26c%3D%2520");
    EXPECT_EQ(sent.body, "");
    EXPECT_EQ(bench.request("HEAD", target).status, 302);
  }
  EXPECT_EQ(bench.request("POST", "/profile", "", "x").status, 403);
  EXPECT_EQ(bench.request("POST", "/open", "", "x").status, 403);
  EXPECT_EQ(bench.log.count("nobody has logged in"), 2U);
}

TEST(Authenticated, ALookUpThatFailsIsAServerError) {
  UserBench bench;
  EXPECT_EQ(bench.get("/slow", "Cookie: fail=1\r\n").status, 500);
  EXPECT_EQ(bench.log.count("the database is gone"), 1U);
}

TEST(Authenticated, AClientThatGoesAwayEndsTheLookUp) {
  UserBench bench;
  RawClient& client = bench.client();
  client.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
  bench.loop.run_sync(pause());
  client.close();
  bench.loop.run_sync(pause());
  EXPECT_EQ(bench.log.count("client gone"), 1U);
}

TEST(LoginURL, ElsewhereAndWithAQuery) {
  for (const auto& [login, location] :
       {std::pair{"https://sso.example/",
                  "https://sso.example/?next=http%3A%2F%2FExample.com%3A8080%2Fp"},
        std::pair{"/login?a=b", "/login?a=b"}}) {
    WebBench bench;
    bench.app.set_security({.login_url = login});
    bench.app.add<web::Authenticated<Profile>>("/p");
    EXPECT_EQ(bench.get("/p").field("Location"), location);
  }
  WebBench bench;
  bench.app.add<web::Authenticated<Profile>>("/p");
  EXPECT_EQ(bench.get("/p").status, 500);
  EXPECT_EQ(bench.log.count("set SecuritySettings::login_url"), 1U);
}

TEST(NextURL, OnlyToThisSite) {
  SecurityBench bench;
  const auto next = [&bench](std::string_view query) {
    return bench
        .now([](RequestHandler& h) { h.write(h.get_next_url("/home")); }, "",
             "/h" + std::string(query))
        .body;
  };
  EXPECT_EQ(next(""), "/home");
  EXPECT_EQ(next("?next=/a%3Fb"), "/a?b");
  EXPECT_EQ(next("?next=//evil.example"), "/home");
  EXPECT_EQ(next("?next=https://evil.example"), "/home");
  EXPECT_EQ(bench.log.count("redirect to another site refused: https://evil.example"), 1U);
}

TEST(XSRFCookie, LivesLongerForUsers) {
  WebBench bench;
  struct Token : Named {
    Task<> get() override {
      write(xsrf_token());
      co_return;
    }
  };
  bench.app.add<Token>("/token");
  EXPECT_EQ(bench.get("/token").field("Set-Cookie").find("expires="), std::string::npos);
  EXPECT_NE(bench.get("/token", kAda).field("Set-Cookie").find("expires="), std::string::npos);
}

TEST(SecurityInTemplates, UserAndForm) {
  WebBench bench;
  bench.app.set_template_loader(std::make_shared<web::DictLoader>(web::TemplateTexts{
      {"t", "{{ current_user }} {% module xsrf_form_html() %} {% raw xsrf_form_html() %}"}}));
  struct Page : Named {
    Task<> get() override {
      render("t");
      co_return;
    }
  };
  bench.app.add<Page>("/t");
  const std::string body = bench.get("/t", kAda).body;
  const std::size_t form = body.find("<input type=\"hidden\" name=\"_xsrf\" value=\"");
  ASSERT_NE(form, body.npos) << body;
  EXPECT_EQ(body.substr(0, form), "ada ");
}

}  // namespace
}  // namespace coronado::web_test
