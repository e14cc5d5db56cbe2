#include <coronado/web/security.hpp>

#include <coronado/web/response.hpp>

#include "tests/web/web_fixture.hpp"

namespace coronado::web_test {
namespace {

using web::is_safe_redirect;
using web::SecurityHeaders;

TEST(SecurityHeaders, TheDefaultsAreSent) {
  struct Page : web::RequestHandler {
    void set_default_headers() override { SecurityHeaders().apply(*this); }
    Task<> get() override { co_return; }
  };
  WebBench bench;
  bench.app.add<Page>("/page");
  const RawResponse page = bench.get("/page");
  EXPECT_EQ(page.field("Content-Security-Policy"),
            "default-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; "
            "frame-ancestors 'none'");
  EXPECT_EQ(page.field("X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(page.field("Referrer-Policy"), "strict-origin-when-cross-origin");
  EXPECT_EQ(page.field("X-Frame-Options"), "DENY");
  EXPECT_EQ(page.field("Cross-Origin-Opener-Policy"), "same-origin");
  EXPECT_FALSE(page.has_field("Strict-Transport-Security"));  // not over plain HTTP
  EXPECT_FALSE(page.has_field("Permissions-Policy"));
}

TEST(SecurityHeaders, OverTLSTheBrowserIsToldToComeBackThatWay) {
  web::Response response = web::text("x");
  SecurityHeaders().apply(response.headers(), true);
  EXPECT_EQ(response.headers().find("Strict-Transport-Security"),
            "max-age=31536000; includeSubDomains");
  web::Response other = web::text("x");
  SecurityHeaders{
      .hsts_max_age_seconds = 60, .hsts_include_subdomains = false, .hsts_preload = true}
      .apply(other.headers(), true);
  EXPECT_EQ(other.headers().find("Strict-Transport-Security"), "max-age=60; preload");
}

TEST(SecurityHeaders, EmptyOnesAreLeftOut) {
  const SecurityHeaders none{.content_security_policy = "",
                             .hsts_max_age_seconds = 0,
                             .no_sniff = false,
                             .referrer_policy = "",
                             .frame_options = "",
                             .cross_origin_opener_policy = ""};
  EXPECT_TRUE(none.fields(true).empty());
}

TEST(SecurityHeaders, ANonceForTheScriptsOfOneResponse) {
  const SecurityHeaders headers{.content_security_policy = "script-src 'nonce-{nonce}'"};
  const std::string nonce = web::make_nonce();
  EXPECT_EQ(nonce.size(), 22U);
  EXPECT_NE(nonce, web::make_nonce());
  EXPECT_EQ(headers.fields(false, nonce)[0].second, "script-src 'nonce-" + nonce + "'");
  EXPECT_THROW(headers.fields(false), UsageError);
}

TEST(SecurityHeadersMiddleware, OnEveryResponse) {
  WebBench bench;
  bench.app.use(web::security_headers(
      {.content_security_policy = "script-src 'nonce-{nonce}'", .frame_options = "DENY"}));
  struct Page : web::RequestHandler {
    Task<> get() override {
      set_header("X-Frame-Options", "SAMEORIGIN");
      write(csp_nonce());
      co_return;
    }
  };
  bench.app.add<Page>("/page");
  bench.app.get("/throws", []() -> web::Response { throw HTTPError(403); });
  std::string last;
  for (const char* target : {"/page", "/throws", "/nowhere"}) {
    const RawResponse response = bench.get(target);
    const std::string policy = response.field("Content-Security-Policy");
    EXPECT_EQ(policy.size(), 18 + 22 + 1) << policy;
    EXPECT_NE(policy, last);
    last = policy;
    EXPECT_EQ(response.field("X-Content-Type-Options"), "nosniff") << target;
    EXPECT_EQ(response.count("X-Frame-Options"), 1U);
    if (response.status != 200) continue;
    EXPECT_EQ(policy, "script-src 'nonce-" + response.body + "'");
    EXPECT_EQ(response.field("X-Frame-Options"), "SAMEORIGIN");
  }
  EXPECT_THROW(web::security_headers({.referrer_policy = "a\r\nb"}), std::invalid_argument);
}

TEST(SafeRedirect, PathsOfThisSite) {
  for (const char* url :
       {"/", "/a", "/a/b?c=d#e", "/a//b", "/%2F%2Fevil.example", "/a?next=https://evil.example"}) {
    EXPECT_TRUE(is_safe_redirect(url)) << url;
  }
}

TEST(SafeRedirect, WhatBrowsersTakeForAnotherSite) {
  for (const std::string_view url :
       {"", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example",
        "https://evil.example", "HTTP://evil.example", "javascript:alert(1)", "data:text/html,x",
        "evil.example", " /a", "/\t/evil.example", "/\n/evil.example", "\t//evil.example",
        "/a\r\nX: y", "/a\x7f", "?a", "#a"}) {
    EXPECT_FALSE(is_safe_redirect(url)) << url;
  }
  EXPECT_FALSE(is_safe_redirect(std::string_view("/\0/evil.example", 15)));
}

TEST(SafeRedirect, HostsThatAreAllowed) {
  const std::string hosts[] = {"example.org", "example.org:8443"};
  for (const char* url : {"https://example.org", "http://Example.ORG/a", "https://example.org?x",
                          "https://example.org:8443/#y", "/a"}) {
    EXPECT_TRUE(is_safe_redirect(url, hosts)) << url;
  }
  for (const char* url :
       {"https://example.org.evil.example/", "https://evil.example/example.org",
        "https://example.org@evil.example/", "https://user@example.org/", "https://example.org:80/",
        "ftp://example.org/", "https:/example.org", "//example.org/", "https://"}) {
    EXPECT_FALSE(is_safe_redirect(url, hosts)) << url;
  }
}

}  // namespace
}  // namespace coronado::web_test
