#include "http/http1_parser.hpp"

#include <gtest/gtest.h>
#include <coronado/http/httputil.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "parse_every_way.hpp"

namespace coronado {
namespace {

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

TEST(RequestParser, JudgesEveryByteEverywhere) {
  const std::string request =
      "GET /path?query HTTP/1.1\r\nHost: a\r\nContent-Type: value-of-some-length\r\n"
      "X-A-Long-Name-Of-Our-Own: v\r\n\r\n";
  const auto status_with = [&](Parser parser, std::size_t at, char c) {
    std::string changed = request;
    changed[at] = c;
    return parse_whole(parser, changed).result.http_status;
  };
  const std::size_t in_target = request.find("ath");
  const std::size_t in_query = request.find("uery");
  const std::size_t in_name = request.find("-Type");
  const std::size_t in_long_name = request.find("-Our");
  const std::size_t in_value = request.find("-of");
  for (unsigned byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    const bool visible = byte > 0x20 && byte < 0x7F;
    const bool good_in_value = (byte >= 0x20 && byte != 0x7F) || c == '\t';
    const bool good_in_name = is_token({&c, 1}) || c == ':';
    for (const Parser parser : kParsers) {
      EXPECT_EQ(status_with(parser, in_target, c), visible && c != '#' ? 0 : 400) << byte;
      EXPECT_EQ(status_with(parser, in_query, c), visible && c != '#' ? 0 : 400) << byte;
      EXPECT_EQ(status_with(parser, in_name, c), good_in_name ? 0 : 400) << byte;
      EXPECT_EQ(status_with(parser, in_long_name, c), good_in_name ? 0 : 400) << byte;
      EXPECT_EQ(status_with(parser, in_value, c), good_in_value ? 0 : 400) << byte;
    }
  }
}

TEST(RequestParser, SaysWhatIsWrong) {
  const std::pair<const char*, const char*> cases[] = {
      {"GET / HTTP/1.1x\r\nHost: a\r\n\r\n", "invalid HTTP version"},
      {"GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n", "invalid request target"},
      {"G@T / HTTP/1.1\r\nHost: a\r\n\r\n", "invalid method"},
      {"GET / HTTP/1.1\nHost: a\n\n", "line end is not CRLF"},
      {"GET / HTTP/1.1\r\nHost: a\r\nA: \x02\r\n\r\n", "control byte in a field value"},
      {"GET / HTTP/1.1\r\nHost: a\r\nA : b\r\n\r\n", "invalid field name"},
      {"GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", "folded header line"},
      {"GET / HTTP/1.1\r\n\r\n", "missing Host field"},
  };
  for (const Parser parser : kParsers) {
    for (const auto& [text, reason] : cases) {
      EXPECT_STREQ(parse_whole(parser, text).result.reason, reason);
    }
  }
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

}  // namespace
}  // namespace coronado
