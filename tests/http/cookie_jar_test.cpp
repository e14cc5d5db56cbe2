#include <coronado/http/cookie_jar.hpp>

#include <gtest/gtest.h>

#include <string>

namespace coronado {
namespace {

constexpr std::int64_t kNow = 1'000'000'000;

std::string sent(const CookieJar& jar, const char* url, std::int64_t now = kNow) {
  return jar.cookie_header(URL::parse(url), now);
}

struct Jar : CookieJar {
  bool take(const std::string& url, std::string_view cookie, std::int64_t now = kNow) {
    return set(URL::parse(url), cookie, now);
  }
};

TEST(CookieJar, GivesBackToTheHostThatSetIt) {
  Jar jar;
  EXPECT_TRUE(jar.take("http://a.example/", "id=7"));
  EXPECT_EQ(sent(jar, "http://a.example/x/y"), "id=7");
  EXPECT_EQ(sent(jar, "https://A.example:8443/"), "id=7");  // RFC 6265 8.5: no ports
  EXPECT_EQ(sent(jar, "http://b.a.example/"), "");
  EXPECT_EQ(sent(jar, "http://example/"), "");
  EXPECT_TRUE(jar.take("http://a.example/", "id=8; HttpOnly"));
  EXPECT_EQ(sent(jar, "http://a.example/"), "id=8");
  EXPECT_EQ(jar.cookies().size(), 1U);
}

TEST(CookieJar, DomainsWidenTheCircle) {
  Jar jar;
  EXPECT_TRUE(jar.take("http://a.b.example/", "x=1; Domain=.B.example"));
  EXPECT_EQ(sent(jar, "http://b.example/"), "x=1");
  EXPECT_EQ(sent(jar, "http://c.b.example/"), "x=1");
  EXPECT_EQ(sent(jar, "http://notb.example/"), "");
  EXPECT_FALSE(jar.take("http://a.example/", "x=2; Domain=b.example"));
  EXPECT_FALSE(jar.take("http://a.example/", "x=2; Domain=x.a.example"));
  EXPECT_FALSE(jar.take("http://a.example/", "x=2; Domain=example"));
  EXPECT_TRUE(jar.take("http://localhost/", "x=3; Domain=localhost"));
  EXPECT_FALSE(jar.take("http://10.0.0.1/", "x=2; Domain=0.0.1"));
  EXPECT_TRUE(jar.take("http://10.0.0.1/", "x=4; Domain=10.0.0.1"));
  EXPECT_EQ(sent(jar, "http://10.0.0.1/"), "x=4");
}

TEST(CookieJar, PublicSuffixesAreNoCircle) {
  Jar jar;
  for (const std::string suffix :
       {"co.uk", "com.au", "com.cn", "ne.jp", "or.kr", "github.io", "uk", "example"}) {
    EXPECT_FALSE(jar.take("http://shop." + suffix + "/", "x=1; Domain=" + suffix)) << suffix;
    EXPECT_TRUE(jar.take("http://a.shop." + suffix + "/", "x=1; Domain=shop." + suffix)) << suffix;
    EXPECT_EQ(sent(jar, ("http://b.shop." + suffix + "/").c_str()), "x=1") << suffix;
    EXPECT_EQ(sent(jar, ("http://other." + suffix + "/").c_str()), "") << suffix;
  }
  for (const std::string domain : {"ne.de", "com.example", "example.uk", "t.co", "go.com"}) {
    EXPECT_TRUE(jar.take("http://a." + domain + "/", "x=1; Domain=" + domain)) << domain;
  }
}

TEST(CookieJar, PathsNarrowIt) {
  Jar jar;
  jar.take("http://a.b/one/two", "default=1");
  EXPECT_EQ(sent(jar, "http://a.b/one"), "default=1");
  EXPECT_EQ(sent(jar, "http://a.b/one/x"), "default=1");
  EXPECT_EQ(sent(jar, "http://a.b/ones"), "");
  EXPECT_EQ(sent(jar, "http://a.b/"), "");
  jar.take("http://a.b/one/two", "root=1; Path=/");
  jar.take("http://a.b/one/two", "bad=1; Path=relative");
  EXPECT_EQ(sent(jar, "http://a.b/one/"), "default=1; bad=1; root=1");  // longer paths first
  EXPECT_EQ(sent(jar, "http://a.b/"), "root=1");
}

TEST(CookieJar, CookiesExpire) {
  Jar jar;
  jar.take("http://a.b/", "age=1; Max-Age=10; Expires=Thu, 01 Jan 1970 00:00:00 GMT");
  jar.take("http://a.b/", "date=1; Expires=Sun, 09 Sep 2001 01:46:50 GMT");  // kNow + 10
  jar.take("http://a.b/", "none=1; Expires=whenever; Max-Age=x");
  EXPECT_EQ(sent(jar, "http://a.b/", kNow + 9), "age=1; date=1; none=1");
  EXPECT_EQ(sent(jar, "http://a.b/", kNow + 10), "none=1");
  EXPECT_TRUE(jar.take("http://a.b/", "none=gone; Max-Age=0"));
  EXPECT_TRUE(jar.take("http://a.b/", "age=gone; Max-Age=-1"));
  EXPECT_EQ(sent(jar, "http://a.b/"), "date=1");
  jar.take("http://a.b/", "long=1; Max-Age=99999999999999999999");
  EXPECT_EQ(sent(jar, "http://a.b/", kNow * 1000), "long=1");
}

TEST(CookieJar, SecureMeansTLS) {
  Jar jar;
  EXPECT_FALSE(jar.take("http://a.b/", "x=1; Secure"));
  EXPECT_TRUE(jar.take("https://a.b/", "x=1; Secure"));
  EXPECT_EQ(sent(jar, "https://a.b/"), "x=1");
  EXPECT_EQ(sent(jar, "http://a.b/"), "");
  EXPECT_FALSE(jar.take("http://a.b/", "x=forged"));
  EXPECT_EQ(sent(jar, "https://a.b/"), "x=1");
  // Nor is it hidden behind one that would be sent before it, or beside it.
  EXPECT_FALSE(jar.take("http://a.b/y/z", "x=forged"));
  EXPECT_FALSE(jar.take("http://c.a.b/", "x=forged; Domain=a.b"));
  EXPECT_EQ(sent(jar, "https://a.b/y/z"), "x=1");
  EXPECT_TRUE(jar.take("http://a.b/", "other=1"));
  EXPECT_TRUE(jar.take("http://b.b/", "x=1"));
  EXPECT_TRUE(jar.take("https://a.b/", "x=gone; Secure; Max-Age=0"));
  EXPECT_TRUE(jar.take("http://a.b/", "x=2"));
  EXPECT_FALSE(jar.take("https://a.b/", "__Secure-x=1"));
  EXPECT_FALSE(jar.take("https://a.b/", "__SECURE-x=1"));
  EXPECT_FALSE(jar.take("https://a.b/", "__host-x=1; Secure; Path=/; Domain=a.b"));
  EXPECT_TRUE(jar.take("https://a.b/", "__Secure-x=1; Secure"));
  EXPECT_FALSE(jar.take("https://a.b/", "__Host-x=1; Secure; Path=/; Domain=a.b"));
  EXPECT_FALSE(jar.take("https://a.b/y/z", "__Host-x=1; Secure"));
  EXPECT_TRUE(jar.take("https://a.b/y/z", "__Host-x=1; Secure; Path=/"));
}

// There is no page from which another site would ask.
TEST(CookieJar, SameSiteMakesNoDifference) {
  Jar jar;
  for (const std::string site : {"Strict", "Lax", "None", "whatever"}) {
    EXPECT_TRUE(jar.take("http://a.b/", site + "=1; SameSite=" + site));
  }
  EXPECT_EQ(sent(jar, "http://a.b/"), "Strict=1; Lax=1; None=1; whatever=1");
}

TEST(CookieJar, WhatIsNoCookieIsIgnored) {
  Jar jar;
  for (const char* wrong : {"", "=x", "no-equals", ";", "a\nb=c", "x=\x01"}) {
    EXPECT_FALSE(jar.take("http://a.b/", wrong)) << wrong;
  }
  EXPECT_FALSE(jar.take("http://a.b/", "x=" + std::string(5000, 'y')));
  EXPECT_TRUE(jar.take("http://a.b/", " x = y z ; odd ; ="));
  EXPECT_EQ(sent(jar, "http://a.b/"), "x=y z");
}

TEST(CookieJar, MemoryIsBounded) {
  Jar jar;
  for (int i = 0; i < 60; ++i) {
    jar.take("http://a.b/", "n" + std::to_string(i) + "=1");
  }
  EXPECT_EQ(jar.cookies().size(), CookieJar::kMostPerDomain);
  EXPECT_EQ(jar.cookies().front().name, "n10");
  for (int i = 0; i < 4000; ++i) {
    jar.take("http://h" + std::to_string(i) + ".b/", "x=1");
  }
  EXPECT_EQ(jar.cookies().size(), CookieJar::kMostCookies);
}

}  // namespace
}  // namespace coronado
