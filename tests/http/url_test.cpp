#include <coronado/http/url.hpp>

#include <gtest/gtest.h>

#include <stdexcept>

namespace coronado {
namespace {

TEST(URL, TakesApart) {
  const URL url = URL::parse("HTTP://Ada:p%40ss@Example.ORG:8080/a/./b/../c?x=1&y#top");
  EXPECT_EQ(url.scheme, "http");
  EXPECT_EQ(url.username, "Ada");
  EXPECT_EQ(url.password, "p@ss");
  EXPECT_EQ(url.host, "example.org");
  EXPECT_EQ(url.port, 8080);
  EXPECT_EQ(url.path, "/a/c");
  EXPECT_EQ(url.query, "x=1&y");
  EXPECT_EQ(url.fragment, "top");
  EXPECT_EQ(url.target(), "/a/c?x=1&y");
  EXPECT_EQ(url.authority(), "example.org:8080");
  EXPECT_EQ(url.to_string(), "http://example.org:8080/a/c?x=1&y#top");
}

TEST(URL, DefaultsAreFilledIn) {
  EXPECT_EQ(URL::parse("http://x").to_string(), "http://x/");
  EXPECT_EQ(URL::parse("http://x").port, 80);
  EXPECT_EQ(URL::parse("https://x?q").target(), "/?q");
  EXPECT_EQ(URL::parse("https://x?").target(), "/?");
  EXPECT_EQ(URL::parse("https://x:443/").authority(), "x");
  EXPECT_EQ(URL::parse("http://x:443/").authority(), "x:443");
  EXPECT_EQ(URL::parse("http://x:/").port, 80);
  EXPECT_EQ(URL::parse("http://[::1]:81/").authority(), "[::1]:81");
  EXPECT_EQ(URL::parse("http://[0:0::1]/").host, "::1");
  EXPECT_EQ(URL::parse("http://x/gr\xC3\xBC\xC3\x9F?\xE2\x82\xAC").target(),
            "/gr%C3%BC%C3%9F?%E2%82%AC");
}

TEST(URL, HostsBeyondASCIIGetTheirFormForDNS) {
  EXPECT_EQ(URL::parse("http://b\u00FCcher.example/").host, "xn--bcher-kva.example");
  EXPECT_EQ(URL::parse("http://x/").resolve("//b\u00FCcher.example/").host,
            "xn--bcher-kva.example");
  EXPECT_EQ(URL::parse("http://xn--bcher-kva.example/").host, "xn--bcher-kva.example");
}

TEST(URL, WhatIsNoneIsRefusedAndShown) {
  const auto why = [](const char* text) -> std::string {
    try {
      return URL::parse(text).to_string();
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
  };
  const auto ends = [&](const char* text, const char* reason) {
    const std::string message = why(text);
    EXPECT_TRUE(message.ends_with(reason)) << text << ": " << message;
    EXPECT_TRUE(message.starts_with("invalid URL \"")) << message;
  };
  ends("", "it does not begin with http:// or https://");
  ends("example.org/x", "it does not begin with http:// or https://");
  ends("example.org:80/x", "unsupported scheme");
  ends("ftp://x/", "unsupported scheme");
  ends("http:/x", "no \"//\" after the scheme");
  ends("http:///x", "no host");
  ends("http://a b/", "the host has a character that no host has");
  ends("http://a%41/", "the host has a character that no host has");
  ends(
      "http://b\xC3"
      "cher.example/",
      "the host is no name: what is beyond ASCII in it cannot be there");
  ends("http://a\xE2\x84\x80/", "the host has a character that no host has");  // becomes "aa/c"
  ends("http://\xC2\xAD/", "no host");                                         // a soft hyphen
  ends("http://[::1/", "'[' without ']'");
  ends("http://[x]/", "no IPv6 address between brackets");
  ends("http://[127.0.0.1]/", "no IPv6 address between brackets");
  ends("http://x:0/", "the port is no number from 1 to 65535");
  ends("http://x:65536/", "the port is no number from 1 to 65535");
  ends("http://x:+1/", "the port is no number from 1 to 65535");
  ends("http://x/a b", "a space, control byte or backslash");
  ends("http://x/a\r\nHost: y", "a space, control byte or backslash");
  ends("http://x\\@y/", "a space, control byte or backslash");
  ends("http://x/%4", "'%' without two hexadecimal digits");
  ends("http://a@b@c/", "the host has a character that no host has");
}

TEST(URL, ReferencesAreResolved) {
  const URL base = URL::parse("http://u:p@a/b/c/d;p?q#f");
  const auto leads = [&](const char* reference, const char* to) {
    EXPECT_EQ(base.resolve(reference).to_string(), to) << reference;
  };
  // RFC 3986 5.4.1 and 5.4.2, but that a fragment is inherited.
  leads("g", "http://a/b/c/g#f");
  leads("./g", "http://a/b/c/g#f");
  leads("g/", "http://a/b/c/g/#f");
  leads("/g", "http://a/g#f");
  leads("//g", "http://g/#f");
  leads("?y", "http://a/b/c/d;p?y#f");
  leads("g?y", "http://a/b/c/g?y#f");
  leads("#s", "http://a/b/c/d;p?q#s");
  leads("g#s", "http://a/b/c/g#s");
  leads("", "http://a/b/c/d;p?q#f");
  leads(".", "http://a/b/c/#f");
  leads("./", "http://a/b/c/#f");
  leads("..", "http://a/b/#f");
  leads("../g", "http://a/b/g#f");
  leads("../../../g", "http://a/g#f");
  leads("/../g", "http://a/g#f");
  leads("g.", "http://a/b/c/g.#f");
  leads("..g", "http://a/b/c/..g#f");
  leads("./../g", "http://a/b/g#f");
  leads("g;x=1/../y", "http://a/b/c/y#f");
  leads("https://z:1/x", "https://z:1/x#f");
  EXPECT_FALSE(base.resolve("/g").has_user());
  EXPECT_TRUE(base.resolve("http://v@w/").has_user());
  EXPECT_THROW(base.resolve("javascript:alert(1)"), std::invalid_argument);
  EXPECT_THROW(base.resolve("/a b"), std::invalid_argument);
}

TEST(URL, OriginIsSchemeHostAndPort) {
  const URL url = URL::parse("http://a/x");
  EXPECT_TRUE(url.same_origin(URL::parse("http://A:80/y")));
  EXPECT_FALSE(url.same_origin(URL::parse("https://a/x")));
  EXPECT_FALSE(url.same_origin(URL::parse("http://a:81/x")));
  EXPECT_FALSE(url.same_origin(URL::parse("http://a./x")));
  EXPECT_EQ(url.origin(), "http://a");
}

TEST(URL, ANormalTailIsWhatParsingMakesOfIt) {
  for (const std::string_view tail :
       {"/", "/a", "/a/b?c=d", "/a.b", "/~x/\"{}|", "/?", "//x", "/a//b"}) {
    EXPECT_TRUE(URL::is_normal_tail(tail)) << tail;
    const std::string whole = "http://h" + std::string(tail);
    URL url = URL::parse(whole);
    EXPECT_EQ(url.to_string(), whole);
    URL same = URL::parse("http://h/other?x#y");
    same.set_normal_tail(tail);
    EXPECT_EQ(same.path, url.path);
    EXPECT_EQ(same.query, url.query);
    EXPECT_EQ(same.has_query, url.has_query);
    EXPECT_EQ(same.fragment, "");
  }
  for (const std::string_view tail : {"", "a", "?a", "#", "/#", "/a#b", "/a b", "/\\", "/./a",
                                      "/..", "/a/../b", "/%41", "/%", "/\xC3\xA9", "/a\n"}) {
    EXPECT_FALSE(URL::is_normal_tail(tail)) << tail;
  }
}

}  // namespace
}  // namespace coronado
