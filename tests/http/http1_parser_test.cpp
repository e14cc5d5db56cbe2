#include "http/http1_parser.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace coronado {
namespace {

using Parser = decltype(&parse_request_head);
constexpr Parser kParsers[] = {parse_request_head, parse_request_head_scalar};

/// A copy whose end is the end of its allocation, so that AddressSanitizer sees an over-read.
struct Exact {
  explicit Exact(std::string_view text) : bytes(new char[text.size()]), size(text.size()) {
    std::copy(text.begin(), text.end(), bytes.get());
  }
  std::unique_ptr<char[]> bytes;
  std::size_t size;
};

/// Everything a head says, as text, so that two heads can be compared.
std::string describe(const RequestHead& head) {
  const auto text = [](std::string_view view) { return "<" + std::string(view) + "> "; };
  std::string all = text(head.method()) + std::to_string(static_cast<int>(head.method_id())) + " " +
                    text(head.target()) + text(head.path()) + text(head.query()) +
                    text(head.authority()) + std::to_string(head.minor_version()) + " " +
                    std::to_string(static_cast<int>(head.framing())) + " " +
                    std::to_string(head.content_length()) + " ";
  for (const bool flag : {head.keep_alive(), head.expects_continue(), head.upgrade(),
                          head.has_body(), head.target_is_https()}) {
    all += flag ? "1" : "0";
  }
  for (const HeaderField& field : head.fields()) {
    all += "\n" + text(field.name) + std::to_string(static_cast<int>(field.id)) + text(field.value);
    if (field.id != FieldId::kOther) {
      all += text(head.find(field.id).value_or("?")) + std::to_string(head.count(field.id));
    }
  }
  return all + "\n" + text(head.bytes());
}

struct Outcome {
  ParseResult result;
  std::string head;
};

Outcome parse_whole(Parser parser, std::string_view text, const HTTPLimits& limits = {}) {
  const Exact exact(text);
  RequestHead head;
  std::size_t searched = 0;
  const ParseResult result = parser(exact.bytes.get(), exact.size, searched, limits, head);
  return {result, result.status == ParseStatus::kComplete ? describe(head) : ""};
}

/// Feeds `text` in steps that end at `cuts` and at its end; stops at the first answer.
Outcome parse_pieces(Parser parser, std::string_view text, const std::vector<std::size_t>& cuts,
                     const HTTPLimits& limits = {}) {
  std::size_t searched = 0;
  RequestHead head;
  for (std::size_t cut : cuts) {
    const Exact exact(text.substr(0, cut));
    const ParseResult result = parser(exact.bytes.get(), exact.size, searched, limits, head);
    if (result.status != ParseStatus::kIncomplete) {
      return {result, result.status == ParseStatus::kComplete ? describe(head) : ""};
    }
    EXPECT_EQ(searched, cut);
  }
  return {};
}

/// Parses `text` in every way there is and checks that the answers agree. Returns the answer.
Outcome parse_every_way(std::string_view text, const HTTPLimits& limits = {}) {
  const Outcome expected = parse_whole(parse_request_head, text, limits);
  const auto check = [&](const Outcome& got, const std::string& how) {
    EXPECT_EQ(got.result.status, expected.result.status) << how << ": " << text;
    EXPECT_EQ(got.result.http_status, expected.result.http_status) << how << ": " << text;
    EXPECT_EQ(got.result.consumed, expected.result.consumed) << how << ": " << text;
    EXPECT_EQ(got.head, expected.head) << how;
  };
  std::vector<std::size_t> all_cuts;
  for (std::size_t cut = 0; cut <= text.size(); ++cut) all_cuts.push_back(cut);
  for (const Parser parser : kParsers) {
    const std::string name = parser == parse_request_head ? "fast" : "scalar";
    check(parse_whole(parser, text, limits), name + " whole");
    if (parser == parse_request_head) {
      check(parse_whole(parse_request_head_scalar, text, limits), "scalar whole");
    }
    check(parse_pieces(parser, text, all_cuts, limits), name + " byte by byte");
    for (const std::size_t cut : all_cuts) {
      check(parse_pieces(parser, text, {cut, text.size()}, limits),
            name + " cut at " + std::to_string(cut));
    }
  }
  // What follows a head belongs to the next message and changes nothing.
  if (expected.result.status == ParseStatus::kComplete) {
    for (const Parser parser : kParsers) {
      check(
          parse_whole(parser, std::string(text) + "GET /next HTTP/1.1\r\nHost: b\r\n\r\n", limits),
          "followed");
    }
  }
  return expected;
}

void expect_refused(std::string_view text, int status, const HTTPLimits& limits = {}) {
  const Outcome outcome = parse_every_way(text, limits);
  EXPECT_EQ(outcome.result.status, ParseStatus::kError) << text;
  EXPECT_EQ(outcome.result.http_status, status) << text << "\n" << outcome.result.reason;
  EXPECT_STRNE(outcome.result.reason, "");
}

/// The head of `text`, which must be accepted in every way.
class Accepted {
 public:
  explicit Accepted(std::string_view text, const HTTPLimits& limits = {}) : text_(text) {
    const Outcome outcome = parse_every_way(text_, limits);
    EXPECT_EQ(outcome.result.status, ParseStatus::kComplete)
        << text << "\n"
        << outcome.result.http_status << " " << outcome.result.reason;
    std::size_t searched = 0;
    parse_request_head(text_.data(), text_.size(), searched, limits, head_);
  }
  const RequestHead* operator->() const { return &head_; }

 private:
  std::string text_;
  RequestHead head_;
};

std::string with_fields(std::string_view fields) {
  return "POST /x HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n";
}

TEST(RequestParser, ReadsAPlainRequest) {
  const Accepted head(
      "GET /users/42?limit=20&q=a?b HTTP/1.1\r\n"
      "Host: 127.0.0.1:8080\r\n"
      "User-Agent: h2load nghttp2/1.52.0\r\n"
      "ACCEPT:text/html;q=0.9, */*;q=0.8  \r\n"
      "X-Custom_Name:\t padded value \t\r\n"
      "\r\n");
  EXPECT_EQ(head->method(), "GET");
  EXPECT_EQ(head->method_id(), Method::kGet);
  EXPECT_EQ(head->target(), "/users/42?limit=20&q=a?b");
  EXPECT_EQ(head->path(), "/users/42");
  EXPECT_EQ(head->query(), "limit=20&q=a?b");
  EXPECT_EQ(head->authority(), "127.0.0.1:8080");
  EXPECT_EQ(head->minor_version(), 1);
  EXPECT_EQ(head->size(), head->bytes().size());
  EXPECT_TRUE(head->bytes().ends_with("\r\n\r\n"));
  ASSERT_EQ(head->field_count(), 4U);
  EXPECT_EQ(head->field(2).name, "ACCEPT");
  EXPECT_EQ(head->field(2).id, FieldId::kAccept);
  EXPECT_EQ(head->find(FieldId::kAccept), "text/html;q=0.9, */*;q=0.8");
  EXPECT_EQ(head->find("x-custom_name"), "padded value");
  EXPECT_EQ(head->find("x-absent"), std::nullopt);
  EXPECT_EQ(head->find(FieldId::kCookie), std::nullopt);
  EXPECT_EQ(head->framing(), Framing::kNone);
  EXPECT_FALSE(head->has_body());
  EXPECT_TRUE(head->keep_alive());
}

TEST(RequestParser, ReadsEveryMethod) {
  const std::pair<const char*, Method> cases[] = {
      {"GET", Method::kGet},         {"HEAD", Method::kHead},
      {"POST", Method::kPost},       {"PUT", Method::kPut},
      {"PATCH", Method::kPatch},     {"DELETE", Method::kDelete},
      {"OPTIONS", Method::kOptions}, {"TRACE", Method::kTrace},
      {"FOO", Method::kOther},       {"get", Method::kOther},
      {"GETS", Method::kOther},      {"M!#$%&'*+-.^_`|~9", Method::kOther},
  };
  for (const auto& [name, id] : cases) {
    const Accepted head(std::string(name) + " / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(head->method(), name);
    EXPECT_EQ(head->method_id(), id);
    EXPECT_EQ(head->target(), "/");
  }
}

TEST(RequestParser, ReadsEveryTargetForm) {
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

TEST(RequestParser, RefusesBadRequestLines) {
  const std::pair<const char*, int> cases[] = {
      {"asdf", 400},
      {"GET", 400},
      {"GET /", 400},
      {"GET  / HTTP/1.1", 400},
      {"GET /  HTTP/1.1", 400},
      {"GET / HTTP/1.1 ", 400},
      {" GET / HTTP/1.1", 400},
      {"GET\t/ HTTP/1.1", 400},
      {"GET /\tHTTP/1.1", 400},
      {"FOO,BAR / HTTP/1.1", 400},
      {"G\xC3\x89T / HTTP/1.1", 400},
      {"GET /\x01 HTTP/1.1", 400},
      {"GET /\x7F HTTP/1.1", 400},
      {"GET /\xC3\xA9 HTTP/1.1", 400},
      {"GET /a#b HTTP/1.1", 400},
      {"GET /a?b#c HTTP/1.1", 400},
      {"GET a HTTP/1.1", 400},
      {"GET * HTTP/1.1", 400},
      {"OPTIONS *a HTTP/1.1", 400},
      {"GET ?a HTTP/1.1", 400},
      {"GET ftp://a/ HTTP/1.1", 400},
      {"GET http:///a HTTP/1.1", 400},
      {"GET http://?a HTTP/1.1", 400},
      {"GET http://user@a/ HTTP/1.1", 400},
      {"GET http://a:b/ HTTP/1.1", 400},
      {"GET a:80 HTTP/1.1", 400},
      {"CONNECT / HTTP/1.1", 400},
      {"CONNECT a HTTP/1.1", 400},
      {"CONNECT a: HTTP/1.1", 400},
      {"CONNECT :80 HTTP/1.1", 400},
      {"CONNECT [::1] HTTP/1.1", 400},
      {"CONNECT http://a:80/ HTTP/1.1", 400},
      {"GET / http/1.1", 400},
      {"GET / HTTP/1", 400},
      {"GET / HTTP/1.10", 400},
      {"GET / HTTP/11.1", 400},
      {"GET / HTTP/1,1", 400},
      {"GET / HTTP/a.b", 400},
      {"GET / HTTP/1.1x", 400},
      {"GET / HTTP/0.9", 505},
      {"GET / HTTP/2.0", 505},
      {"PRI * HTTP/2.0", 505},
      {"\x16\x03\x01\x02", 400},
      {"\n", 400},
  };
  for (const auto& [line, status] : cases) {
    expect_refused(std::string(line) + "\r\nHost: a\r\n\r\n", status);
  }
  expect_refused(std::string_view("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", 28), 400);
}

TEST(RequestParser, ReadsEveryMinorVersion) {
  EXPECT_EQ(Accepted("GET / HTTP/1.0\r\n\r\n")->minor_version(), 0);
  EXPECT_EQ(Accepted("GET / HTTP/1.1\r\nHost: a\r\n\r\n")->minor_version(), 1);
  EXPECT_EQ(Accepted("GET / HTTP/1.9\r\nHost: a\r\n\r\n")->minor_version(), 1);
}

TEST(RequestParser, IgnoresTwoEmptyLinesBeforeARequest) {
  const std::string request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  EXPECT_EQ(Accepted("\r\n" + request)->bytes(), request);
  EXPECT_EQ(Accepted("\r\n\r\n" + request)->bytes(), request);
  expect_refused("\r\n\r\n\r\n" + request, 400);
  expect_refused("\n" + request, 400);
  expect_refused("\r\r\n" + request, 400);
}

TEST(RequestParser, RefusesBadFieldLines) {
  const char* cases[] = {
      "asdf\r\n",
      "Name : x\r\n",
      "Name\t: x\r\n",
      ": x\r\n",
      " folded: x\r\n",
      "A: x\r\n folded\r\n",
      "A: x\r\n\tf\r\n",
      "A: x\ny\r\n",
      "A: x\n",
      "A: x\ry\r\n",
      "A: x\r\r\n",
      "A: \x01\r\n",
      "A: x\x7Fy\r\n",
      "A: tab\there\x02\r\n",
      "N(ame: x\r\n",
      "N\xC3\xA9: x\r\n",
      "A-Very-Long-Name-With-A-Space Here: x\r\n",
      "A\r: x\r\n",
      "A: x\r\nB\r\n",
      "Name-Of-Sixteen : x\r\n",
      "\x7F: x\r\n",
  };
  for (const char* fields : cases) expect_refused(with_fields(fields), 400);
  expect_refused(with_fields(std::string("A: x\0y\r\n", 8)), 400);
  expect_refused(with_fields(std::string("A\0: x\r\n", 7)), 400);
  expect_refused("GET / HTTP/1.1\nHost: a\n\n", 400);
  expect_refused("GET / HTTP/1.1\r\nHost: a\r\n\n", 400);
  expect_refused("GET / HTTP/1.1\r\nHost: a\n\r\n", 400);
}

TEST(RequestParser, KeepsValuesOfEveryShape) {
  const std::pair<std::string, std::string> cases[] = {
      {"", ""},
      {" ", ""},
      {"\t \t", ""},
      {"x", "x"},
      {" x ", "x"},
      {"\tx y\t", "x y"},
      {" x\ty", "x\ty"},
      {" \xC3\xA9\xFF", "\xC3\xA9\xFF"},
      {" a: b:c", "a: b:c"},
      {" \x80\t\x80 \t", "\x80\t\x80"},
  };
  for (const auto& [raw, value] : cases) {
    EXPECT_EQ(Accepted(with_fields("V:" + raw + "\r\n"))->find("v"), value);
  }
  // Every length around the width of a vector, at the end and inside.
  for (std::size_t size = 0; size < 70; ++size) {
    const std::string value(size, 'v');
    const Accepted last(with_fields("V: " + value + "\r\n"));
    EXPECT_EQ(last->find("v"), value);
    const Accepted named(with_fields("n" + value + ": 1\r\nAccept: */*\r\n"));
    EXPECT_EQ(named->find("N" + value), "1");
  }
}

TEST(RequestParser, KnowsFieldsByIdInAnyCase) {
  for (std::size_t i = 1; i < kFieldIdCount; ++i) {
    const auto id = static_cast<FieldId>(i);
    if (id == FieldId::kHost || id == FieldId::kTransferEncoding || id == FieldId::kContentLength ||
        id == FieldId::kExpect) {
      continue;  // these have rules of their own for their values
    }
    std::string name(field_name(id));
    for (int style = 0; style < 3; ++style) {
      const Accepted head(with_fields(name + ": v\r\n"));
      EXPECT_EQ(head->field(1).id, id) << name;
      EXPECT_EQ(head->find(id), "v") << name;
      EXPECT_EQ(head->find(field_name(id)), "v") << name;
      for (char& c : name) {
        const bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
        if (letter) c = static_cast<char>(style == 0 ? c | 0x20 : c & ~0x20);
      }
    }
    // A byte that differs from '-' only in the case bit must not pass for it, nor a longer name.
    EXPECT_EQ(Accepted(with_fields(std::string(field_name(id)) + "x: v\r\n"))->field(1).id,
              FieldId::kOther);
  }
}

TEST(RequestParser, CountsRepeatedFieldsAndFindsTheFirst) {
  const Accepted head(with_fields("Cookie: a\r\nX-A: 1\r\ncookie: b\r\nx-a: 2\r\nX-B: 3\r\n"));
  EXPECT_EQ(head->count(FieldId::kCookie), 2U);
  EXPECT_EQ(head->find(FieldId::kCookie), "a");
  EXPECT_EQ(head->count("X-a"), 2U);
  EXPECT_EQ(head->find("X-a"), "1");
  EXPECT_EQ(head->count("COOKIE"), 2U);
  EXPECT_EQ(head->count("Accept"), 0U);
  EXPECT_EQ(head->count(FieldId::kHost), 1U);
}

TEST(RequestParser, KeepsMoreFieldsThanFitInline) {
  std::string fields;
  for (int i = 0; i < 90; ++i)
    fields += "X-" + std::to_string(i) + ": v" + std::to_string(i) + "\r\n";
  const Accepted head(with_fields(fields + "Cookie: last\r\n"));
  ASSERT_EQ(head->field_count(), 92U);
  EXPECT_EQ(head->find("x-89"), "v89");
  EXPECT_EQ(head->find(FieldId::kCookie), "last");
  EXPECT_EQ(head->fields().size(), 92U);
}

TEST(RequestParser, ChecksHost) {
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

TEST(RequestParser, ReadsContentLength) {
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

TEST(RequestParser, ReadsTransferEncoding) {
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

TEST(RequestParser, ReadsExpect) {
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

TEST(RequestParser, DecidesKeepAlive) {
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
      {"1.0", "Connection: x, Keep-Alive\r\n", true},
      {"1.0", "Connection: keep-alive, close\r\n", false},
  };
  for (const Case& c : cases) {
    const Accepted head("GET / HTTP/" + std::string(c.version) + "\r\nHost: a\r\n" + c.fields +
                        "\r\n");
    EXPECT_EQ(head->keep_alive(), c.keep_alive) << c.version << c.fields;
  }
}

TEST(RequestParser, SeesUpgrade) {
  EXPECT_TRUE(Accepted(with_fields("Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"))
                  ->upgrade());
  EXPECT_FALSE(Accepted(with_fields("Connection: Upgrade\r\n"))->upgrade());
  EXPECT_FALSE(Accepted(with_fields("Upgrade: websocket\r\n"))->upgrade());
  EXPECT_FALSE(
      Accepted("GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")->upgrade());
}

TEST(RequestParser, EnforcesItsLimits) {
  HTTPLimits limits;
  limits.max_request_line = 24;  // "GET /123456789 HTTP/1.1" has 23 bytes
  Accepted("GET /1234567890 HTTP/1.1\r\nHost: a\r\n\r\n", limits);
  expect_refused("GET /12345678901 HTTP/1.1\r\nHost: a\r\n\r\n", 414, limits);
  expect_refused("GET /?2345678901 HTTP/1.1\r\nHost: a\r\n\r\n", 414, limits);
  expect_refused("GET /12345678901234567890123456789", 414, limits);
  expect_refused("METHODMETHODMETHODMETHODMETHOD / HTTP/1.1\r\nHost: a\r\n\r\n", 414, limits);

  limits = {};
  const std::string request = "GET / HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n";
  limits.max_header_size = request.size();
  Accepted(request, limits);
  limits.max_header_size = request.size() - 1;
  expect_refused(request, 431, limits);
  expect_refused("\r\n" + request, 431, limits);

  limits = {};
  limits.max_header_count = 2;
  Accepted(request, limits);
  limits.max_header_count = 1;
  expect_refused(request, 431, limits);
  limits.max_header_count = 30;
  std::string many = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < 29; ++i) many += "A: b\r\n";
  Accepted(many + "\r\n", limits);
  expect_refused(many + "A: b\r\n\r\n", 431, limits);

  limits = {};
  limits.max_header_size = 200'000;
  const std::string long_name(70'000, 'n');
  for (const Parser parser : kParsers) {
    const Outcome outcome = parse_whole(parser, with_fields(long_name + ": x\r\n"), limits);
    EXPECT_EQ(outcome.result.http_status, 431);
  }
}

TEST(RequestParser, FindsBrokenLinesBeforeTheEndOfTheHead) {
  // Nothing more would ever complete these, so the answer must not wait for an empty line.
  for (const char* text : {"asdf\n", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03zzzzzzzzzz",
                           "GET / HTTP/1.1\nHost: a\n\n", "GET / HTTP/1.1\r\nHost: a\r\nA\r\n"}) {
    for (const Parser parser : kParsers) {
      EXPECT_EQ(parse_whole(parser, text).result.http_status, 400) << text;
    }
  }
  // Also when the broken byte comes later.
  for (const Parser parser : kParsers) {
    const std::string text = "GET / HTTP/1.1\r\nHost: a\r\nAccept: x\nB: y";
    const Outcome outcome = parse_pieces(parser, text, {20, 30, text.size()});
    EXPECT_EQ(outcome.result.http_status, 400);
  }
}

TEST(RequestParser, LooksAtEachByteOnceWhenBytesTrickleIn) {
  const std::string text =
      "GET / HTTP/1.1\r\nHost: a\r\nCookie: " + std::string(60'000, 'c') + "\r\n\r\n";
  for (const Parser parser : kParsers) {
    RequestHead head;
    std::size_t searched = 0;
    for (std::size_t size = 1; size < text.size(); ++size) {
      ASSERT_EQ(parser(text.data(), size, searched, {}, head).status, ParseStatus::kIncomplete);
      ASSERT_EQ(searched, size);
    }
    EXPECT_EQ(parser(text.data(), text.size(), searched, {}, head).status, ParseStatus::kComplete);
  }
}

TEST(RequestParser, ParsesPipelinedRequestsInPlace) {
  std::string text;
  for (int i = 0; i < 20; ++i) {
    text += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: h" + std::to_string(i) + "\r\n\r\n";
  }
  RequestHead head;
  std::size_t at = 0;
  for (int i = 0; i < 20; ++i) {
    std::size_t searched = 0;
    const ParseResult result =
        parse_request_head(text.data() + at, text.size() - at, searched, {}, head);
    ASSERT_EQ(result.status, ParseStatus::kComplete);
    EXPECT_EQ(head.path(), "/" + std::to_string(i));
    EXPECT_EQ(head.authority(), "h" + std::to_string(i));
    at += result.consumed;
  }
  EXPECT_EQ(at, text.size());
}

TEST(RequestHead, FollowsItsBytesWhenTheyMove) {
  const std::string text =
      "\r\nPOST http://h/p?q HTTP/1.1\r\nHost: a\r\nX: y\r\nContent-Length: 5\r\n\r\n";
  RequestHead head;
  std::size_t searched = 0;
  ASSERT_EQ(parse_request_head(text.data(), text.size(), searched, {}, head).status,
            ParseStatus::kComplete);
  const std::string before = describe(head);
  auto moved = std::make_unique<std::string>(head.bytes());
  RequestHead copy = head;
  copy.rebase(moved->data());
  EXPECT_EQ(describe(copy), before);
  EXPECT_EQ(copy.path().data(), moved->data() + 13);
  EXPECT_EQ(describe(head), before);
}

TEST(RequestHead, IsEmptyWhenNewAndWhenCleared) {
  RequestHead fresh;
  RequestHead used;
  std::size_t searched = 0;
  const std::string text =
      "PUT /a?b HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\n";
  ASSERT_EQ(parse_request_head(text.data(), text.size(), searched, {}, used).status,
            ParseStatus::kComplete);
  used.clear();
  EXPECT_EQ(describe(used), describe(fresh));
  EXPECT_EQ(used.field_count(), 0U);
  EXPECT_EQ(used.target(), "");
  EXPECT_EQ(used.find("Connection"), std::nullopt);
}

TEST(RequestHead, IsReusedWithoutTraces) {
  RequestHead head;
  std::size_t searched = 0;
  std::string big =
      "POST http://x/y?z HTTP/1.1\r\nHost: a\r\nConnection: close, upgrade\r\nUpgrade: u\r\n"
      "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n";
  for (int i = 0; i < 40; ++i) big += "Cookie: b\r\n";
  big += "\r\n";
  ASSERT_EQ(parse_request_head(big.data(), big.size(), searched, {}, head).status,
            ParseStatus::kComplete);
  searched = 0;
  const std::string small = "GET / HTTP/1.1\r\nHost: b\r\n\r\n";
  ASSERT_EQ(parse_request_head(small.data(), small.size(), searched, {}, head).status,
            ParseStatus::kComplete);
  EXPECT_EQ(describe(head), parse_whole(parse_request_head, small).head);
}

}  // namespace
}  // namespace coronado
