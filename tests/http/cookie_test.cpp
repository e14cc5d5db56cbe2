#include <coronado/http/httputil.hpp>

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace coronado {
namespace {

TEST(ParseCookie, ReadsWhatBrowsersSend) {
  const std::pair<const char*, ArgumentList> cases[] = {
      {"", {}},
      {"a=b", {{"a", "b"}}},
      {"a=b; c=d;e=f", {{"a", "b"}, {"c", "d"}, {"e", "f"}}},
      {"chips=ahoy; vienna=finger", {{"chips", "ahoy"}, {"vienna", "finger"}}},
      {"a=b=c; d", {{"a", "b=c"}, {"", "d"}}},
      {"  a  =  b  ", {{"a", "b"}}},
      {"=; ;a=", {{"a", ""}}},
      {"a=1; a=2", {{"a", "1"}, {"a", "2"}}},
      {"foo=a\\073b", {{"foo", "a\\073b"}}},
      {"foo=\"a\\073b\"", {{"foo", "a;b"}}},
      {"foo=\"a\\\"b\\\\c\"", {{"foo", "a\"b\\c"}}},
      {"foo=\"\\303\\251\"", {{"foo", "\xC3\xA9"}}},
      {"foo=\"\\400\"", {{"foo", "400"}}},
      {"foo=\"\\08\"", {{"foo", "08"}}},
      {"foo=\"a\\\"", {{"foo", "a\\"}}},
      {"foo=\"", {{"foo", "\""}}},
      {"foo=\"\"", {{"foo", ""}}},
      {"a=\"x; y\"", {{"a", "\"x"}, {"", "y\""}}},
  };
  for (const auto& [field, pairs] : cases) EXPECT_EQ(parse_cookie(field), pairs) << field;
}

TEST(FormatSetCookie, WritesAttributesInAlphabeticalOrder) {
  EXPECT_EQ(format_set_cookie("a", "b"), "a=b; Path=/");
  CookieOptions options;
  options.domain = "example.com";
  options.path = "/foo";
  options.expires = 784'111'777;
  options.max_age = 10;
  options.secure = true;
  options.http_only = true;
  options.same_site = SameSite::kLax;
  EXPECT_EQ(format_set_cookie("c", "d", options),
            "c=d; Domain=example.com; expires=Sun, 06 Nov 1994 08:49:37 GMT; HttpOnly; Max-Age=10; "
            "Path=/foo; SameSite=Lax; Secure");
  options = {};
  options.path = "";
  options.max_age = 0;
  options.same_site = SameSite::kStrict;
  EXPECT_EQ(format_set_cookie("c", "d", options), "c=d; Max-Age=0; SameSite=Strict");
  options.same_site = SameSite::kNone;
  EXPECT_EQ(format_set_cookie("c", "d", options), "c=d; Max-Age=0; SameSite=None");
}

TEST(FormatSetCookie, QuotesValuesThatNeedIt) {
  // As Python's http.cookies writes them.
  const std::pair<const char*, const char*> cases[] = {
      {"plain-1.2_3:~", "plain-1.2_3:~"},
      {"a;b", "\"a\\073b\""},
      {"a,b", "\"a\\054b\""},
      {"a=b", "\"a=b\""},
      {"a\"b", "\"a\\\"b\""},
      {"a\\b", "\"a\\\\b\""},
      {"\xC3\xA9", "\"\\303\\251\""},
      {"", "\"\""},
      {"a\x7F", "\"a\\177\""},
  };
  CookieOptions options;
  options.path = "";
  for (const auto& [value, written] : cases) {
    const std::string cookie = format_set_cookie("n", value, options);
    EXPECT_EQ(cookie, "n=" + std::string(written));
    EXPECT_EQ(parse_cookie(cookie), (ArgumentList{{"n", value}}));
  }
}

TEST(FormatSetCookie, RefusesWhatWouldInjectAttributes) {
  for (const std::string_view name :
       {"", "a b", "a;b", "a=b", "a,b", "a\r\n", "path", "Max-Age", "\xC3\xA9"}) {
    EXPECT_THROW(format_set_cookie(name, "v"), std::invalid_argument) << name;
  }
  for (const std::string_view value : {std::string_view("a b"), std::string_view("a\r\nb"),
                                       std::string_view("a\0b", 3), std::string_view("\t")}) {
    EXPECT_THROW(format_set_cookie("n", value), std::invalid_argument) << value;
  }
  for (const char* text : {"a;b", "a b", "a\nb", "a\x7F", "a\x01"}) {
    CookieOptions options;
    options.domain = text;
    EXPECT_THROW(format_set_cookie("n", "v", options), std::invalid_argument) << text;
    options = {};
    options.path = text;
    EXPECT_THROW(format_set_cookie("n", "v", options), std::invalid_argument) << text;
  }
  try {
    format_set_cookie("n", "a\nb");
    FAIL() << "nothing was thrown";
  } catch (const std::invalid_argument& error) {
    EXPECT_STREQ(error.what(), "Invalid cookie value \"a\\x0ab\"");
  }
}

TEST(FormatSetCookie, KeepsWhatAPrefixPromises) {
  CookieOptions options;
  EXPECT_THROW(format_set_cookie("__Secure-a", "v", options), std::invalid_argument);
  EXPECT_THROW(format_set_cookie("__host-a", "v", options), std::invalid_argument);
  options.secure = true;
  EXPECT_EQ(format_set_cookie("__Secure-a", "v", options), "__Secure-a=v; Path=/; Secure");
  EXPECT_EQ(format_set_cookie("__Host-a", "v", options), "__Host-a=v; Path=/; Secure");
  options.path = "/x";
  EXPECT_NO_THROW(format_set_cookie("__Secure-a", "v", options));
  EXPECT_THROW(format_set_cookie("__Host-a", "v", options), std::invalid_argument);
  options.path = "/";
  options.domain = "example.com";
  EXPECT_THROW(format_set_cookie("__Host-a", "v", options), std::invalid_argument);
}

TEST(FormatSetCookie, WhatNeedsTLSSaysSo) {
  CookieOptions options;
  options.partitioned = true;
  EXPECT_THROW(format_set_cookie("a", "v", options), std::invalid_argument);
  options.secure = true;
  EXPECT_EQ(format_set_cookie("a", "v", options), "a=v; Partitioned; Path=/; Secure");
}

TEST(FormatSetCookie, ExpiresInDays) {
  CookieOptions options;
  options.expires_days = 2;
  const std::time_t before = std::time(nullptr) + 2 * 86'400;
  const std::string cookie = format_set_cookie("a", "v", options);
  const std::string_view date = std::string_view(cookie).substr(13, 29);
  EXPECT_EQ(cookie.substr(0, 13), "a=v; expires=");
  EXPECT_GE(parse_http_date(date), before);
  EXPECT_LE(parse_http_date(date), before + 60);
  options.expires = 0;  // wins
  EXPECT_EQ(format_set_cookie("a", "v", options),
            "a=v; expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/");
}

}  // namespace
}  // namespace coronado
