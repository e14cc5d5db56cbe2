#include "http/request_head_builder.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "parse_every_way.hpp"

namespace coronado {
namespace {

TEST(RequestHeadBuilder, ReadsEveryTargetForm) {
  struct Case {
    const char* line;
    const char* path;
    const char* query;
    const char* authority;
    bool https;
  };
  const Case cases[] = {
      {"GET /a/b%20c HTTP/1.1", "/a/b%20c", "", "field:1", false},
      {"GET /? HTTP/1.1", "/", "", "field:1", false},
      {"GET //x HTTP/1.1", "//x", "", "field:1", false},
      {"GET http://other/p?q HTTP/1.1", "/p", "q", "other", false},
      {"GET HTTP://other:81/p HTTP/1.1", "/p", "", "other:81", false},
      {"GET https://other HTTP/1.1", "/", "", "other", true},
      {"GET http://other?a=/b HTTP/1.1", "/", "a=/b", "other", false},
      {"GET http://[::1]:80/ HTTP/1.1", "/", "", "[::1]:80", false},
      {"OPTIONS * HTTP/1.1", "*", "", "field:1", false},
      {"CONNECT example.com:443 HTTP/1.1", "", "", "example.com:443", false},
      {"CONNECT [2001:db8::1]:443 HTTP/1.1", "", "", "[2001:db8::1]:443", false},
  };
  for (const Case& c : cases) {
    const Accepted head(std::string(c.line) + "\r\nHost: field:1\r\n\r\n");
    EXPECT_EQ(head->path(), c.path) << c.line;
    EXPECT_EQ(head->query(), c.query) << c.line;
    EXPECT_EQ(head->authority(), c.authority) << c.line;
    EXPECT_EQ(head->target_is_https(), c.https) << c.line;
  }
}

TEST(RequestHeadBuilder, ChecksHost) {
  const char* good[] = {"a",
                        "example.com",
                        "example.com:80",
                        "127.0.0.1:8080",
                        "[::1]",
                        "[::1]:8080",
                        "[::ffff:1.2.3.4]",
                        "a:",
                        "a_b~c%20!$&'()*+;=",
                        "",
                        "a-very-long-host-name.example.org:65535",
                        "fifteen-bytes-1",
                        "sixteen-bytes-12"};
  for (const char* host : good) {
    EXPECT_EQ(Accepted("GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n")->authority(),
              host);
  }
  const char* bad[] = {"foo bar",
                       "a/b",
                       "a,b",
                       "user@a",
                       "a:b",
                       "a:80:81",
                       "[::1",
                       "::1",
                       ":80",
                       "[]",
                       "[x]",
                       "[::1]x",
                       "a\\b",
                       "a?b",
                       "\"a\"",
                       "\xC3\xA9",
                       "a:8a",
                       "[::1]:8a",
                       "a-very-long-host-name.example.org/x",
                       "<a>"};
  for (const char* host : bad) {
    expect_refused("GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n", 400);
    expect_refused("GET / HTTP/1.0\r\nHost: " + std::string(host) + "\r\n\r\n", 400);
  }
  expect_refused("GET / HTTP/1.1\r\n\r\n", 400);
  expect_refused("GET http://a/ HTTP/1.1\r\n\r\n", 400);
  expect_refused("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400);
  expect_refused("GET / HTTP/1.0\r\nHost: a\r\nAccept: x\r\nhost: b\r\n\r\n", 400);
  EXPECT_EQ(Accepted("GET / HTTP/1.0\r\n\r\n")->authority(), "");
  EXPECT_EQ(Accepted("GET / HTTP/1.1\r\nAccept: x\r\nHost: a\r\n\r\n")->authority(), "a");
}

TEST(RequestHeadBuilder, ReadsContentLength) {
  const Accepted head(with_fields("Content-Length: 1234\r\n"));
  EXPECT_EQ(head->framing(), Framing::kLength);
  EXPECT_EQ(head->content_length(), 1234U);
  EXPECT_TRUE(head->has_body());
  const Accepted zero(with_fields("Content-Length: 00\r\n"));
  EXPECT_EQ(zero->framing(), Framing::kLength);
  EXPECT_FALSE(zero->has_body());
  EXPECT_EQ(Accepted(with_fields("Content-Length: 9223372036854775807\r\n"))->content_length(),
            9223372036854775807U);
  const char* bad[] = {"",
                       "foo",
                       "+10",
                       "-1",
                       "1_0",
                       "1 0",
                       "0x10",
                       "10,10",
                       "10, 10",
                       "1.0",
                       "9223372036854775808",
                       "18446744073709551616",
                       "99999999999999999999999",
                       "1\t2",
                       "\xD9\xA1"};
  for (const char* value : bad) {
    expect_refused(with_fields("Content-Length: " + std::string(value) + "\r\n"), 400);
  }
  expect_refused(with_fields("Content-Length: 3\r\nContent-Length: 3\r\n"), 400);
  expect_refused(with_fields("Content-Length: 3\r\nContent-Length: 4\r\n"), 400);
}

TEST(RequestHeadBuilder, ReadsTransferEncoding) {
  for (const char* value : {"chunked", "Chunked", "CHUNKED", " chunked "}) {
    const Accepted head(with_fields("Transfer-Encoding:" + std::string(value) + "\r\n"));
    EXPECT_EQ(head->framing(), Framing::kChunked);
    EXPECT_EQ(head->content_length(), 0U);
    EXPECT_TRUE(head->has_body());
  }
  const std::pair<const char*, int> bad[] = {
      {"Transfer-Encoding: gzip, chunked\r\n", 501},
      {"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", 501},
      {"Transfer-Encoding: identity\r\n", 400},
      {"Transfer-Encoding: gzip\r\n", 400},
      {"Transfer-Encoding: chunked, gzip\r\n", 400},
      {"Transfer-Encoding: chunked, chunked\r\n", 400},
      {"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400},
      {"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", 400},
      {"Transfer-Encoding:\r\n", 400},
      {"Transfer-Encoding: ,chunked\r\n", 400},
      {"Transfer-Encoding: chunked,\r\n", 400},
      {"Transfer-Encoding: xchunked\r\n", 400},
      {"Transfer-Encoding: chunked;a=b\r\n", 400},
      {"Transfer-Encoding: \"chunked\"\r\n", 400},
      {"Transfer-Encoding: chun\tked\r\n", 400},
      {"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", 400},
      {"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", 400},
      {"Content-Length: 0\r\nTransfer-Encoding: gzip\r\n", 400},
  };
  for (const auto& [fields, status] : bad) expect_refused(with_fields(fields), status);
  expect_refused("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400);
}

TEST(RequestHeadBuilder, ReadsExpect) {
  EXPECT_TRUE(
      Accepted(with_fields("Expect: 100-Continue\r\nContent-Length: 3\r\n"))->expects_continue());
  EXPECT_TRUE(Accepted(with_fields("Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n"))
                  ->expects_continue());
  EXPECT_FALSE(Accepted(with_fields("Expect: 100-continue\r\n"))->expects_continue());
  EXPECT_FALSE(Accepted("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
                   ->expects_continue());
  expect_refused(with_fields("Expect: 200-ok\r\nContent-Length: 3\r\n"), 417);
  expect_refused(with_fields("Expect:\r\n"), 417);
  expect_refused(with_fields("Expect: 100-continue\r\nExpect: x\r\nContent-Length: 3\r\n"), 417);
}

TEST(RequestHeadBuilder, DecidesKeepAlive) {
  struct Case {
    const char* version;
    const char* fields;
    bool keep_alive;
  };
  const Case cases[] = {
      {"1.1", "", true},
      {"1.1", "Connection: close\r\n", false},
      {"1.1", "Connection: Close\r\n", false},
      {"1.1", "Connection: close, foo\r\n", false},
      {"1.1", "Connection: foo , close\r\n", false},
      {"1.1", "Connection: foo\r\nConnection: close\r\n", false},
      {"1.1", "Connection: keep-alive, close\r\n", false},
      {"1.1", "Connection: closed\r\n", true},
      {"1.1", "Connection: keep-alive\r\n", true},
      {"1.1", "Connection:\r\n", true},
      {"1.0", "", false},
      {"1.0", "Connection: keep-alive\r\n", true},
      {"1.0", "Connection: KEEP-Alive\r\n", true},
      {"1.0", "Connection: keepMalive\r\n", false},
      {"1.0", "Connection: keep-alivf\r\n", false},
      {"1.0", "Connection: keep-alive\r\nConnection: close\r\n", false},
      {"1.0", "Connection: x, Keep-Alive\r\n", true},
      {"1.0", "Connection: keep-alive, close\r\n", false},
  };
  for (const Case& c : cases) {
    const Accepted head("GET / HTTP/" + std::string(c.version) + "\r\nHost: a\r\n" + c.fields +
                        "\r\n");
    EXPECT_EQ(head->keep_alive(), c.keep_alive) << c.version << c.fields;
  }
}

TEST(RequestHeadBuilder, SeesUpgrade) {
  EXPECT_TRUE(Accepted(with_fields("Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"))
                  ->upgrade());
  EXPECT_FALSE(Accepted(with_fields("Connection: Upgrade\r\n"))->upgrade());
  EXPECT_FALSE(Accepted(with_fields("Upgrade: websocket\r\n"))->upgrade());
  EXPECT_FALSE(
      Accepted("GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")->upgrade());
}

}  // namespace
}  // namespace coronado
