#include "http/response_parser.hpp"

#include <gtest/gtest.h>

#include "tests/http/parse_every_way.hpp"

namespace coronado {
namespace {

using ResponseParser = decltype(&parse_response_head);
constexpr ResponseParser kResponseParsers[] = {parse_response_head, parse_response_head_scalar};

std::string describe(const ReceivedHead& head) {
  std::string all = std::to_string(head.status) + " 1." + std::to_string(head.minor_version) +
                    " <" + head.reason + "> ";
  if (head.content_length) all += std::to_string(*head.content_length) + " ";
  if (head.chunked) all += "chunked ";
  if (head.connection.close) all += "close ";
  if (head.connection.keep_alive) all += "keep-alive ";
  return all + head.headers.to_string();
}

/// What both parsers say of the whole text, and of the text as it grows byte by byte: the same.
std::string parse_all_ways(std::string_view text, const HTTPLimits& limits = {}) {
  std::string answer;
  for (const ResponseParser parser : kResponseParsers) {
    for (const bool bytewise : {false, true}) {
      ReceivedHead head;
      std::size_t searched = 0;
      ParseResult result;
      for (std::size_t size = bytewise ? 1 : text.size(); size <= text.size(); ++size) {
        const Exact exact(text.substr(0, size));
        result = parser(exact.bytes.get(), exact.size, searched, limits, head);
        if (result.status != ParseStatus::kIncomplete) break;
      }
      std::string now = "incomplete";
      if (result.status == ParseStatus::kError) {
        now = std::to_string(result.http_status) + " " + result.reason;
      } else if (result.status == ParseStatus::kComplete) {
        now = std::to_string(result.consumed) + ": " + describe(head);
      }
      if (answer.empty()) answer = now;
      EXPECT_EQ(now, answer) << (bytewise ? "byte by byte: " : "whole: ") << text;
    }
  }
  return answer;
}

std::string after_line(std::string_view fields) {
  return parse_all_ways("HTTP/1.1 200 OK\r\n" + std::string(fields) + "\r\n");
}

TEST(ResponseParser, ReadsAHead) {
  EXPECT_EQ(parse_all_ways("HTTP/1.1 200 OK\r\nContent-Length: 12\r\nServer: x y\r\n\r\nbody"),
            "52: 200 1.1 <OK> 12 Content-Length: 12\r\nServer: x y\r\n");
  EXPECT_EQ(parse_all_ways("HTTP/1.0 404 Not  Found\r\n\r\n"), "27: 404 1.0 <Not  Found> ");
  EXPECT_EQ(parse_all_ways("HTTP/1.7 200 \r\n\r\n"), "17: 200 1.1 <> ");
  EXPECT_EQ(parse_all_ways("HTTP/1.1 200\r\n\r\n"), "16: 200 1.1 <> ");
  EXPECT_EQ(parse_all_ways("HTTP/1.1 200 gr\xC3\xBC\xC3\x9F\tdich\r\n\r\n").substr(0, 8),
            "28: 200 ");
  EXPECT_EQ(after_line("Transfer-Encoding: chunked\r\nConnection: close\r\n"),
            "66: 200 1.1 <OK> chunked close Transfer-Encoding: chunked\r\nConnection: close\r\n");
}

TEST(ResponseParser, EveryBeginningIsIncompleteAndReadNoFurther) {
  for (const std::string_view text :
       {"HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nA: b\r\n\r\n",
        "HTTP/1.0 404 Not Found\r\n\r\n",
        "HTTP/1.1 200\r\nContent-Length: 12345678901234567\r\n\r\n"}) {
    for (const ResponseParser parser : kResponseParsers) {
      for (std::size_t size = 0; size < text.size(); ++size) {
        const Exact exact(text.substr(0, size));  // AddressSanitizer sees a byte too many
        ReceivedHead head;
        std::size_t searched = 0;
        EXPECT_EQ(parser(exact.bytes.get(), size, searched, {}, head).status,
                  ParseStatus::kIncomplete)
            << size << " of " << text;
      }
    }
  }
}

TEST(ResponseParser, StatusLineIsStrict) {
  for (const char* wrong : {"HTTX/1.1 200 OK", "http/1.1 200 OK", " HTTP/1.1 200 OK",
                            "HTTP/1.1200 OK", "HTTP/11 200 OK", "220 mail.example.com ESMTP"}) {
    EXPECT_EQ(parse_all_ways(std::string(wrong) + "\r\n\r\n"),
              "400 it does not begin with an HTTP version")
        << wrong;
  }
  for (const char* wrong : {"HTTP/1.1 20 OK", "HTTP/1.1 2000 OK", "HTTP/1.1  200 OK",
                            "HTTP/1.1 +20 OK", "HTTP/1.1 099 OK", "HTTP/1.1 200\tOK"}) {
    EXPECT_EQ(parse_all_ways(std::string(wrong) + "\r\n\r\n"), "400 invalid status code") << wrong;
  }
  EXPECT_EQ(parse_all_ways("HTTP/2.0 200 OK\r\n\r\n"), "505 unsupported HTTP version");
  EXPECT_EQ(parse_all_ways("HTTP/1.1 200 OK\n\r\n\r\n"), "400 line end is not CRLF");
  EXPECT_EQ(parse_all_ways(std::string("HTTP/1.1 200 O\0K\r\n\r\n", 20)),
            "400 control byte in the reason phrase");
}

TEST(ResponseParser, FieldsAreStrict) {
  EXPECT_EQ(after_line("a b: c\r\n"), "400 invalid field name");
  EXPECT_EQ(after_line("a : c\r\n"), "400 invalid field name");
  EXPECT_EQ(after_line("no colon\r\n"), "400 invalid field name");
  EXPECT_EQ(after_line("a: b\r\n folded\r\n"), "400 folded header line");
  EXPECT_EQ(after_line("a: b\x01\r\n"), "400 control byte in a field value");
  EXPECT_EQ(after_line("a: b\nc: d\r\n"), "400 line end is not CRLF");
}

TEST(ResponseParser, FramingIsUnambiguous) {
  EXPECT_EQ(after_line("Content-Length: 1\r\nContent-Length: 2\r\n"),
            "400 different Content-Lengths");
  EXPECT_EQ(after_line("Content-Length: 7\r\nContent-Length: 7\r\n").substr(0, 21),
            "57: 200 1.1 <OK> 7 Co");
  EXPECT_EQ(after_line("Content-Length: -1\r\n"), "400 invalid Content-Length");
  EXPECT_EQ(after_line("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"),
            "400 both Transfer-Encoding and Content-Length");
  EXPECT_EQ(after_line("Transfer-Encoding: gzip\r\n"),
            "400 Transfer-Encoding without chunked at its end");
  EXPECT_EQ(after_line("Transfer-Encoding: gzip, chunked\r\n"),
            "501 unsupported Transfer-Encoding");
  EXPECT_EQ(parse_all_ways("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
            "400 Transfer-Encoding in HTTP/1.0");
}

TEST(ResponseParser, LimitsHold) {
  HTTPLimits limits;
  limits.max_header_size = 60;
  limits.max_header_count = 2;
  EXPECT_EQ(parse_all_ways("HTTP/1.1 200 OK\r\na: " + std::string(100, 'x'), limits),
            "431 the head is too large");
  EXPECT_EQ(parse_all_ways("HTTP/1.1 200 " + std::string(100, 'x'), limits),
            "431 the head is too large");
  EXPECT_EQ(parse_all_ways("HTTP/1.1 200 OK\r\na: 1\r\nb: 2\r\nc: 3\r\n\r\n", limits),
            "431 too many header fields");
  EXPECT_EQ(parse_all_ways("HTTP/1.1 200 OK\r\na: 1\r\nb: 2\r\n", limits), "incomplete");
}

}  // namespace
}  // namespace coronado
