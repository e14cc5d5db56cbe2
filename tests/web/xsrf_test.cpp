#include <coronado/web/xsrf.hpp>

#include <coronado/base/strings.hpp>
#include <coronado/web/security.hpp>

#include "tests/web/tornado.hpp"
#include "tests/web/web_fixture.hpp"

namespace coronado::web_test {
namespace {

using web::decode_xsrf_token;
using web::encode_xsrf_token;
using web::XSRFToken;

TEST(XSRFToken, ATextEachTimeAndOneSecret) {
  const XSRFToken token = XSRFToken::make();
  EXPECT_EQ(token.secret.size(), 16U);
  const std::string one = encode_xsrf_token(token);
  const std::string two = encode_xsrf_token(token);
  EXPECT_NE(one, two);
  for (const std::string& text : {one, two}) {
    EXPECT_EQ(decode_xsrf_token(text)->secret, token.secret);
    EXPECT_EQ(decode_xsrf_token(text)->created, token.created);
  }
  const std::string plain = encode_xsrf_token(token, 1);
  EXPECT_EQ(plain.size(), 32U);
  EXPECT_EQ(decode_xsrf_token(plain)->secret, token.secret);
  EXPECT_THROW(encode_xsrf_token(token, 3), std::invalid_argument);
}

TEST(XSRFToken, KnownTexts) {
  // Mask 01020304, secret "abcdef".
  EXPECT_EQ(decode_xsrf_token("2|01020304|606060606464|1300000000")->secret, "abcdef");
  EXPECT_EQ(decode_xsrf_token("2|01020304|606060606464|1300000000")->created, 1'300'000'000);
  EXPECT_EQ(decode_xsrf_token("616263")->secret, "abc");
  EXPECT_EQ(decode_xsrf_token("no hex")->secret, "no hex");
}

TEST(XSRFToken, WhatIsNone) {
  for (const char* text :
       {"", "2|", "2|01020304|6060", "2|010203|6060|1", "2|01020304||1", "2|0102030x|6060|1",
        "2|01020304|6060|x", "2|01020304|6060|1|2", "3|01020304|6060|1", "12|a"}) {
    EXPECT_FALSE(decode_xsrf_token(text)) << text;
  }
}

TEST(XSRFToken, TornadoUnderstandsOursAndWeItsTokens) {
  SKIP_WITHOUT_TORNADO();
  const XSRFToken token = XSRFToken::make();
  std::string hex;
  append_hex(hex, token.secret);
  const std::string output = run_python(
      "import tornado.util\n"
      "h = object.__new__(tornado.web.RequestHandler)\n"
      "for t in ('" +
      encode_xsrf_token(token, 1) + "', '" + encode_xsrf_token(token, 2) +
      "'):\n"
      "    print(h._decode_xsrf_token(t)[1].hex())\n"
      "class Fake(tornado.web.RequestHandler):\n"
      "    settings = {}\n"
      "    def __init__(self): self._raw_xsrf_token = (2, b'sixteen bytes ok', 1300000000)\n"
      "print(Fake().xsrf_token.decode())");
  const std::vector<std::string_view> lines = split(output, '\n');
  ASSERT_EQ(lines.size(), 3U) << output;
  EXPECT_EQ(lines[0], hex);
  EXPECT_EQ(lines[1], hex);
  EXPECT_EQ(decode_xsrf_token(lines[2])->secret, "sixteen bytes ok");
}

// --- in an application ---------------------------------------------------------------------------

struct Form : web::RequestHandler {
  Task<> get() override {
    write(xsrf_token() + "\n" + xsrf_form_html());
    co_return;
  }
  Task<> post() override {
    write("done");
    co_return;
  }
};

struct Hook : Form {
  void check_xsrf_cookie() override {}
};

struct XSRFBench : WebBench {
  explicit XSRFBench(web::SecuritySettings settings = {}) {
    settings.cookie_secret = "secret";
    settings.xsrf_cookies = true;
    app.set_security(std::move(settings));
    app.add<Form>("/form").add<Hook>("/hook");
    app.get("/function", [] { return "seen"; });
    app.post("/function", [] { return "done"; });
    app.post("/webhook", [] { return "done"; }, {.check_xsrf = false});
  }
  /// The token that a form has.
  std::string token(std::string_view cookie = "") {
    const RawResponse page =
        get("/form", cookie.empty() ? "" : "Cookie: _xsrf=" + std::string(cookie) + "\r\n");
    return page.body.substr(0, page.body.find('\n'));
  }
  int post(std::string_view target, std::string_view cookie, std::string_view body,
           std::string_view fields = "") {
    std::string all = "Content-Type: application/x-www-form-urlencoded\r\n";
    if (!cookie.empty()) all.append("Cookie: _xsrf=").append(cookie).append("\r\n");
    return request("POST", target, all.append(fields), body).status;
  }
};

TEST(XSRF, AFormHasTheTokenAndTheCookie) {
  XSRFBench bench;
  const RawResponse page = bench.get("/form");
  const std::string token = page.body.substr(0, page.body.find('\n'));
  EXPECT_EQ(page.body, token + "\n<input type=\"hidden\" name=\"_xsrf\" value=\"" + token + "\"/>");
  EXPECT_EQ(page.field("Set-Cookie"), "_xsrf=" + token + "; Path=/");
  // With a valid cookie none is set, and the token is another text for the same secret.
  const RawResponse again = bench.get("/form", "Cookie: _xsrf=" + token + "\r\n");
  EXPECT_FALSE(again.has_field("Set-Cookie"));
  const std::string other = again.body.substr(0, again.body.find('\n'));
  EXPECT_NE(other, token);
  EXPECT_EQ(decode_xsrf_token(other)->secret, decode_xsrf_token(token)->secret);
  // An invalid one counts as none.
  EXPECT_TRUE(bench.get("/form", "Cookie: _xsrf=9|x\r\n").has_field("Set-Cookie"));
}

TEST(XSRF, ATokenIsAsked) {
  for (const char* target : {"/form", "/function"}) {
    XSRFBench bench;
    const std::string token = bench.token();
    const std::string other = bench.token(token);
    const std::string foreign = bench.token();
    EXPECT_EQ(bench.post(target, "", ""), 403);
    EXPECT_EQ(bench.log.count("'_xsrf' argument missing from POST"), 1U);
    EXPECT_EQ(bench.post(target, "", "_xsrf=" + token), 403);
    EXPECT_EQ(bench.log.count("XSRF cookie is missing"), 1U);
    EXPECT_EQ(bench.post(target, token, "_xsrf=" + foreign), 403);
    EXPECT_EQ(bench.log.count("XSRF cookie does not match POST argument"), 1U);
    EXPECT_EQ(bench.post(target, token, "_xsrf=2%7Cx"), 403);
    EXPECT_EQ(bench.log.count("'_xsrf' argument has invalid format"), 1U);
    EXPECT_EQ(bench.post(target, token, "_xsrf=" + token), 200);
    EXPECT_EQ(bench.post(target, token, "_xsrf=" + other), 200);
    EXPECT_EQ(bench.post(std::string(target) + "?_xsrf=" + other, token, ""), 200);
    EXPECT_EQ(bench.post(target, token, "", "X-XSRFToken: " + other + "\r\n"), 200);
    EXPECT_EQ(bench.post(target, token, "", "X-Csrftoken: " + other + "\r\n"), 200);
    EXPECT_EQ(bench.get(target).status, 200);
    EXPECT_EQ(bench.request("OPTIONS", target).status, 204);
  }
}

TEST(XSRF, TheClientLearnsNothingFromARefusal) {
  XSRFBench bench;
  const RawResponse refused = bench.post_form("/form", "_xsrf=2%7Cx");
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(refused.body, bench.post_form("/form", "").body);
  EXPECT_EQ(refused.body, "<html><title>403: Forbidden</title><body>403: Forbidden</body></html>");
}

TEST(XSRF, WhatNeedsNoToken) {
  XSRFBench bench;
  EXPECT_EQ(bench.post("/hook", "", ""), 200);
  EXPECT_EQ(bench.post("/webhook", "", ""), 200);
  EXPECT_EQ(bench.post("/nowhere", "", ""), 404);
}

TEST(XSRF, VersionNameAndAttributesAreSettings) {
  XSRFBench bench({.xsrf_cookie_version = 1,
                   .xsrf_cookie_name = "__Host-x",
                   .xsrf_cookie_options = {.max_age = 60, .secure = true, .http_only = true}});
  const RawResponse page = bench.get("/form");
  const std::string token = page.body.substr(0, page.body.find('\n'));
  EXPECT_EQ(token.size(), 32U);
  EXPECT_EQ(page.field("Set-Cookie"),
            "__Host-x=" + token + "; HttpOnly; Max-Age=60; Path=/; Secure");
  EXPECT_EQ(bench
                .request("POST", "/form",
                         "Cookie: __Host-x=" + token + "\r\nX-XSRFToken: " + token + "\r\n")
                .status,
            200);
}

TEST(XSRF, SettingsAreChecked) {
  web::Application app;
  EXPECT_THROW(app.set_security({.xsrf_cookie_version = 3}), UsageError);
  app.get("/", [] { return "x"; });
  EXPECT_THROW(app.set_security({.xsrf_cookies = true}), UsageError);
}

}  // namespace
}  // namespace coronado::web_test
