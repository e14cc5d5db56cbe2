#include "web/byte_ranges.hpp"

#include <coronado/http/http_limits.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/http1_parser.hpp"

namespace coronado::web {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// A GET with these fields.
class Request {
 public:
  explicit Request(std::string_view fields) {
    text_.append("GET / HTTP/1.1\r\nHost: x\r\n").append(fields).append("\r\n");
    std::size_t searched = 0;
    const HTTPLimits limits;
    EXPECT_EQ(parse_request_head(text_.data(), text_.size(), searched, limits, head).status,
              ParseStatus::kComplete);
  }
  RequestHead head;

 private:
  std::string text_;
};

constexpr std::int64_t kModified = 1577934245;
constexpr Validators kKnown{.etag = "\"abc\"", .modified = kModified, .size = 26};

int status_of(std::string_view fields, const Validators& known = kKnown) {
  return plan_response(Request(fields).head, known).status;
}

TEST(ByteRanges, OneRange) {
  struct Case {
    const char* field;
    int status;
    std::uint64_t first, last;
  };
  for (const Case& each : {Case{"bytes=0-9", 206, 0, 9},
                           {"bytes=-4", 206, 22, 25},
                           {"bytes=1-10000000", 206, 1, 25},
                           {"bytes=25-25", 206, 25, 25},
                           {"bytes=5", 206, 5, 25},
                           {"BYTES = 3-4", 206, 3, 4},
                           {"bytes=-1000", 200, 0, 0},
                           {"bytes=0-", 200, 0, 0},
                           {"bytes=0-25", 200, 0, 0},
                           {"bytes=-0", 416, 0, 0},
                           {"bytes=26", 416, 0, 0},
                           {"bytes=26-", 416, 0, 0},
                           {"bytes=10-3", 416, 0, 0}}) {
    SCOPED_TRACE(each.field);
    const RangePlan plan = parse_range(each.field, 26);
    EXPECT_EQ(plan.status, each.status);
    if (each.status == 206) {
      EXPECT_THAT(plan.ranges, ElementsAre(ByteRange{each.first, each.last}));
    } else {
      EXPECT_THAT(plan.ranges, IsEmpty());
    }
  }
}

TEST(ByteRanges, WhatIsNoRangeIsLeftOutOfAccount) {
  for (const char* field : {"", "asdf", "bytes", "bytes=", "bytes=,", "bytes=a-b", "bytes=1-b",
                            "bytes=--1", "bytes=1--2", "bytes=+1-2", "items=0-9", "bytes=0-9,x",
                            "bytes=99999999999999999999-", "bytes=-"}) {
    EXPECT_EQ(parse_range(field, 26).status, 200) << field;
  }
}

TEST(ByteRanges, Several) {
  EXPECT_THAT(parse_range("bytes=0-0, -1,5-6", 26).ranges,
              ElementsAre(ByteRange{0, 0}, ByteRange{25, 25}, ByteRange{5, 6}));
  // What cannot be satisfied is left out.
  EXPECT_THAT(parse_range("bytes=30-40,2-3", 26).ranges, ElementsAre(ByteRange{2, 3}));
  // More than there is, and more parts than anybody needs: the whole.
  EXPECT_EQ(parse_range("bytes=0-20,0-20", 26).status, 200);
  std::string many = "bytes=";
  for (int i = 0; i < 60; ++i) many += "0-0,";
  EXPECT_EQ(parse_range(many, 1000).status, 200);
}

TEST(ByteRanges, AnEmptyFileHasNone) {
  EXPECT_EQ(parse_range("bytes=0-", 0).status, 416);
  EXPECT_EQ(parse_range("bytes=-5", 0).status, 416);
}

TEST(ByteRanges, IfNoneMatchDecidesAlone) {
  EXPECT_EQ(status_of("If-None-Match: \"abc\"\r\n"), 304);
  EXPECT_EQ(status_of("If-None-Match: W/\"abc\"\r\n"), 304);
  EXPECT_EQ(status_of("If-None-Match: \"x\", \"abc\"\r\n"), 304);
  EXPECT_EQ(status_of("If-None-Match: *\r\n"), 304);
  EXPECT_EQ(status_of("If-None-Match: \"x\"\r\n"
                      "If-Modified-Since: Thu, 02 Jan 2020 03:04:05 GMT\r\n"),
            200);
  EXPECT_EQ(status_of("If-None-Match: \"abc\"\r\nRange: bytes=0-1\r\n"), 304);
}

TEST(ByteRanges, IfModifiedSince) {
  EXPECT_EQ(status_of("If-Modified-Since: Thu, 02 Jan 2020 03:04:05 GMT\r\n"), 304);
  EXPECT_EQ(status_of("If-Modified-Since: Thu, 02 Jan 2020 03:04:04 GMT\r\n"), 200);
  EXPECT_EQ(status_of("If-Modified-Since: Fri, 01 Jan 1960 00:00:00 GMT\r\n"), 200);
  EXPECT_EQ(status_of("If-Modified-Since: yesterday\r\n"), 200);
}

TEST(ByteRanges, IfMatchAndIfUnmodifiedSince) {
  EXPECT_EQ(status_of("If-Match: \"abc\"\r\n"), 200);
  EXPECT_EQ(status_of("If-Match: \"x\", \"abc\"\r\n"), 200);
  EXPECT_EQ(status_of("If-Match: *\r\n"), 200);
  EXPECT_EQ(status_of("If-Match: \"x\"\r\n"), 412);
  EXPECT_EQ(status_of("If-Match: W/\"abc\"\r\n"), 412);
  EXPECT_EQ(status_of("If-Match: \"x\"\"abc\"\r\n"), 200);
  EXPECT_EQ(status_of("If-Match: \"abc\"\r\n", {.etag = "W/\"abc\"", .size = 1}), 412);
  EXPECT_EQ(status_of("If-Unmodified-Since: Thu, 02 Jan 2020 03:04:05 GMT\r\n"), 200);
  EXPECT_EQ(status_of("If-Unmodified-Since: Thu, 02 Jan 2020 03:04:04 GMT\r\n"), 412);
  EXPECT_EQ(status_of("If-Unmodified-Since: whenever\r\n"), 200);
}

TEST(ByteRanges, IfRange) {
  const std::string range = "Range: bytes=0-9\r\n";
  EXPECT_EQ(status_of(range + "If-Range: \"abc\"\r\n"), 206);
  EXPECT_EQ(status_of(range + "If-Range: \"old\"\r\n"), 200);
  EXPECT_EQ(status_of(range + "If-Range: W/\"abc\"\r\n"), 200);
  EXPECT_EQ(status_of(range + "If-Range: Thu, 02 Jan 2020 03:04:05 GMT\r\n"), 206);
  EXPECT_EQ(status_of(range + "If-Range: Thu, 02 Jan 2020 03:04:06 GMT\r\n"), 200);
  EXPECT_EQ(status_of(range + "If-Range: soon\r\n"), 200);
}

TEST(ByteRanges, MultipartBodyIsAsLongAsItSays) {
  const MultipartRanges made = make_multipart_ranges({{0, 1}, {5, 9}}, "text/plain", 26);
  ASSERT_EQ(made.heads.size(), 2U);
  EXPECT_EQ(made.length, made.heads[0].size() + 2 + made.heads[1].size() + 5 + made.end.size());
  const std::string boundary = made.content_type.substr(made.content_type.find('=') + 1);
  EXPECT_EQ(made.content_type, "multipart/byteranges; boundary=" + boundary);
  EXPECT_EQ(
      made.heads[1],
      "\r\n--" + boundary + "\r\nContent-Type: text/plain\r\nContent-Range: bytes 5-9/26\r\n\r\n");
  EXPECT_EQ(made.end, "\r\n--" + boundary + "--\r\n");
}

}  // namespace
}  // namespace coronado::web
