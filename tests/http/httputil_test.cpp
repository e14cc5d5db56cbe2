#include <coronado/http/httputil.hpp>

#include <gtest/gtest.h>
#include <coronado/base/error.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace coronado {
namespace {

TEST(PercentDecode, DecodesAndKeepsWhatIsNoEscape) {
  const std::pair<const char*, const char*> cases[] = {
      {"", ""},
      {"abc", "abc"},
      {"a%2Fb", "a/b"},
      {"%C3%A9", "\xC3\xA9"},
      {"%c3%a9", "\xC3\xA9"},
      {"%", "%"},
      {"%4", "%4"},
      {"%zz", "%zz"},
      {"%4z", "%4z"},
      {"%%41", "%A"},
      {"a+b", "a+b"},
      {"%2B", "+"},
  };
  for (const auto& [text, decoded] : cases) {
    EXPECT_EQ(percent_decode(text, PlusSign::kPlus), decoded) << text;
  }
  EXPECT_EQ(percent_decode("a+b%2B", PlusSign::kSpace), "a b+");
  EXPECT_EQ(percent_decode("%00", PlusSign::kPlus), std::string(1, '\0'));
}

TEST(ParseQs, SplitsAndDecodes) {
  const std::pair<const char*, ArgumentList> cases[] = {
      {"", {}},
      {"a=1&b=2&a=3", {{"a", "1"}, {"b", "2"}, {"a", "3"}}},
      {"foo=&foo=", {{"foo", ""}, {"foo", ""}}},
      {"a", {{"a", ""}}},
      {"=x", {{"", "x"}}},
      {"&&a=1&", {{"a", "1"}}},
      {"a=b=c", {{"a", "b=c"}}},
      {"a;b=1;c", {{"a;b", "1;c"}}},
      {"a+b=%C3%A9+%2B", {{"a b", "\xC3\xA9 +"}}},
      {"a%3Db=%26", {{"a=b", "&"}}},
  };
  for (const auto& [query, arguments] : cases) EXPECT_EQ(parse_qs(query), arguments) << query;
}

TEST(ParseQs, LimitsTheNumberOfArguments) {
  EXPECT_EQ(parse_qs("a&b&c", 3).size(), 3U);
  EXPECT_EQ(parse_qs("a&b&c&&", 3).size(), 3U);
  EXPECT_THROW(parse_qs("a&b&c&d", 3), HTTPInputError);
}

TEST(Urlencode, IsReadBackByParseQs) {
  const ArgumentList arguments = {{"a b", "1&2=3"}, {"", ""}, {"\xC3\xA9+%", "~-._"}};
  EXPECT_EQ(urlencode(arguments), "a+b=1%262%3D3&=&%C3%A9%2B%25=~-._");
  EXPECT_EQ(parse_qs(urlencode(arguments)), arguments);
}

TEST(UrlConcat, AddsToTheQuery) {
  struct Case {
    const char* url;
    ArgumentList arguments;
    const char* result;
  };
  // Tornado's own cases.
  const Case cases[] = {
      {"https://localhost/path", {}, "https://localhost/path"},
      {"https://localhost/path", {{"y", "y"}, {"z", "z"}}, "https://localhost/path?y=y&z=z"},
      {"https://localhost/path", {{"y", "/y"}, {"z", "z"}}, "https://localhost/path?y=%2Fy&z=z"},
      {"https://localhost/path?", {{"y", "y"}}, "https://localhost/path?y=y"},
      {"https://localhost/path?x", {{"y", "y"}}, "https://localhost/path?x=&y=y"},
      {"https://localhost/path?x&", {{"y", "y"}}, "https://localhost/path?x=&y=y"},
      {"https://localhost/path?a=1&b=2", {{"y", "y"}}, "https://localhost/path?a=1&b=2&y=y"},
      {"https://localhost/path?r=1&t=2", {}, "https://localhost/path?r=1&t=2"},
      {"https://localhost/path#tab", {}, "https://localhost/path#tab"},
      {"https://localhost/path#tab", {{"y", "y"}}, "https://localhost/path?y=y#tab"},
      {"https://localhost/path?x=1#a?b", {{"y", "y"}}, "https://localhost/path?x=1&y=y#a?b"},
  };
  for (const Case& c : cases) EXPECT_EQ(url_concat(c.url, c.arguments), c.result) << c.url;
}

TEST(EtagMatches, ComparesWeakly) {
  const std::pair<const char*, const char*> yes[] = {
      {"*", "\"a\""},
      {" * ", "\"a\""},
      {"\"a\"", "\"a\""},
      {"W/\"a\"", "\"a\""},
      {"\"a\"", "W/\"a\""},
      {"\"b\", \"a\"", "\"a\""},
      {"\"b\",W/\"a\"", "\"a\""},
      {"\"b\" ,, \"a\"", "\"a\""},
      {"\"x,y\", \"a\"", "\"x,y\""},
      {"\"\"", "\"\""},
  };
  for (const auto& [field, etag] : yes) EXPECT_TRUE(etag_matches(field, etag)) << field;
  const std::pair<const char*, const char*> no[] = {
      {"", "\"a\""},
      {"\"b\"", "\"a\""},
      {"a", "\"a\""},
      {"\"A\"", "\"a\""},
      {"w/\"a\"", "\"a\""},
      {"\"a", "\"a\""},
      {"\"b\" \"a\"", "\"a\""},
      {"**", "\"a\""},
      {"\"b\", *", "\"a\""},
      {"\"aa\"", "\"a\""},
      {"", ""},
      {"a, \"a\"", "\"a\""},
  };
  for (const auto& [field, etag] : no) EXPECT_FALSE(etag_matches(field, etag)) << field;
}

TEST(SplitHostAndPort, TakesTheLastColon) {
  struct Case {
    const char* authority;
    const char* host;
    int port;
  };
  const Case cases[] = {
      {"localhost:4443", "localhost", 4443},
      {"localhost", "localhost", -1},
      {"[::1]:80", "[::1]", 80},
      {"[::1]", "[::1]", -1},
      {"a:", "a:", -1},
      {":80", ":80", -1},
      {"a:65535", "a", 65535},
      {"a:65536", "a:65536", -1},
      {"a:8x", "a:8x", -1},
      {"a:00080", "a", 80},
      {"", "", -1},
      {"a:999999", "a:999999", -1},
  };
  for (const Case& c : cases) {
    const HostAndPort got = split_host_and_port(c.authority);
    EXPECT_EQ(got.host, c.host) << c.authority;
    EXPECT_EQ(got.port ? *got.port : -1, c.port) << c.authority;
  }
}

TEST(Grammar, KnowsTokensAndFieldValues) {
  for (unsigned byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    const bool token = byte != 0 && std::string_view(
                                        "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                                        "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
                                            .find(c) != std::string_view::npos;
    EXPECT_EQ(is_token({&c, 1}), token) << byte;
    EXPECT_EQ(is_field_value({&c, 1}), (byte >= 0x20 && byte != 0x7F) || byte == '\t') << byte;
  }
  EXPECT_FALSE(is_token(""));
  EXPECT_TRUE(is_field_value(""));
  EXPECT_FALSE(is_token("a b"));
  // Long values are looked at in blocks.
  for (const std::size_t size : {15U, 16U, 17U, 40U}) {
    for (std::size_t at = 0; at < size; ++at) {
      std::string value(size, 'a');
      for (const char good : {'\t', ' ', '~', '\x80', '\xFF'}) {
        value[at] = good;
        EXPECT_TRUE(is_field_value(value)) << size << ' ' << at;
      }
      for (const char bad : {'\0', '\n', '\r', '\x1F', '\x7F'}) {
        value[at] = bad;
        EXPECT_FALSE(is_field_value(value)) << size << ' ' << at;
      }
    }
  }
}

TEST(MakeETag, IsTheQuotedSHA1) {
  EXPECT_EQ(make_etag("abc"), "\"a9993e364706816aba3e25717850c26c9cd0d89d\"");
  EXPECT_TRUE(etag_matches("W/" + make_etag("abc"), make_etag("abc")));
  EXPECT_FALSE(etag_matches(make_etag("abd"), make_etag("abc")));
}

}  // namespace
}  // namespace coronado
