#include <coronado/http/http_proxies.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <stdexcept>

namespace coronado {
namespace {

bool goes_through(const HTTPProxies& proxies, const char* url) {
  return proxies.find(URL::parse(url)).has_value();
}

TEST(HTTPProxies, SchemeChoosesTheProxy) {
  const HTTPProxies proxies{.http = "a:1", .https = "b:2"};
  EXPECT_EQ(proxies.find(URL::parse("http://x/")), "a:1");
  EXPECT_EQ(proxies.find(URL::parse("https://x/")), "b:2");
  EXPECT_FALSE(goes_through({.http = "a:1"}, "https://x/"));
}

TEST(HTTPProxies, ExceptionsAreNamesPortsAndNetworks) {
  const HTTPProxies proxies{.http = "p:1",
                            .except = {"example.org", ".dot.org", "*.star.org", "port.org:8080",
                                       "10.0.0.0/8", "192.0.2.7", "::1", "[2001:db8::1]", "bad/99",
                                       "192.0.2.9:81", "[::9]:81", "2001:db8:1::/48"}};
  for (const char* direct :
       {"http://example.org/", "http://EXAMPLE.ORG/", "http://a.example.org/", "http://dot.org/",
        "http://a.dot.org/", "http://b.star.org/", "http://port.org:8080/", "http://10.1.2.3/",
        "http://192.0.2.7/", "http://[::1]/", "http://[2001:db8::1]/", "http://192.0.2.9:81/",
        "http://[::9]:81/", "https://[2001:db8:1:7::3]:8443/"}) {
    EXPECT_FALSE(goes_through(proxies, direct)) << direct;
  }
  for (const char* through :
       {"http://notexample.org/", "http://example.org.evil/", "http://org/", "http://port.org/",
        "http://11.1.2.3/", "http://192.0.2.8/", "http://[::2]/", "http://192.0.2.9/",
        "http://[::9]/", "http://[2001:db8:2::1]/"}) {
    EXPECT_TRUE(goes_through(proxies, through)) << through;
  }
  EXPECT_FALSE(goes_through({.http = "p:1", .except = {"*"}}, "http://x/"));
}

TEST(HTTPProxies, ComeFromTheEnvironment) {
  const char* names[] = {"http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY",   "all_proxy",
                         "ALL_PROXY",  "no_proxy",   "NO_PROXY",    "REQUEST_METHOD"};
  for (const char* name : names) ::unsetenv(name);
  EXPECT_EQ(HTTPProxies::from_environment().http, "");
  ::setenv("HTTP_PROXY", "upper:1", 1);
  ::setenv("ALL_PROXY", "all:3", 1);
  ::setenv("no_proxy", " a.org , ,b.org", 1);
  HTTPProxies proxies = HTTPProxies::from_environment();
  EXPECT_EQ(proxies.http, "upper:1");
  EXPECT_EQ(proxies.https, "all:3");
  EXPECT_EQ(proxies.except, (std::vector<std::string>{"a.org", "b.org"}));
  ::setenv("http_proxy", "lower:2", 1);
  EXPECT_EQ(HTTPProxies::from_environment().http, "lower:2");
  ::unsetenv("http_proxy");
  ::unsetenv("ALL_PROXY");
  ::setenv("REQUEST_METHOD", "GET", 1);
  EXPECT_EQ(HTTPProxies::from_environment().http, "");
  for (const char* name : names) ::unsetenv(name);
}

TEST(HTTPProxies, AProxyIsTakenApart) {
  HTTPProxy proxy = HTTPProxy::parse("http://Ada:p%40ss@proxy.example:3128/");
  EXPECT_EQ(proxy.kind, HTTPProxy::Kind::kHTTP);
  EXPECT_EQ(proxy.host, "proxy.example");
  EXPECT_EQ(proxy.port, 3128);
  EXPECT_EQ(proxy.username, "Ada");
  EXPECT_EQ(proxy.password, "p@ss");
  EXPECT_EQ(HTTPProxy::parse("proxy").port, 8080);
  EXPECT_EQ(HTTPProxy::parse("proxy:80").port, 80);
  EXPECT_EQ(HTTPProxy::parse("[::1]:3128").host, "::1");
  proxy = HTTPProxy::parse("socks5://s");
  EXPECT_EQ(proxy.kind, HTTPProxy::Kind::kSOCKS5);
  EXPECT_EQ(proxy.port, 1080);
  EXPECT_THROW(HTTPProxy::parse("https://x"), std::invalid_argument);
  EXPECT_THROW(HTTPProxy::parse(""), std::invalid_argument);
  try {
    HTTPProxy::parse("http://me:secret@bad host");
    ADD_FAILURE();
  } catch (const std::invalid_argument& error) {
    EXPECT_STREQ(error.what(), "no proxy: \"bad host\"");
  }
}

}  // namespace
}  // namespace coronado
