#include "http/response_head.hpp"

#include <gtest/gtest.h>
#include <coronado/http/httputil.hpp>

#include <chrono>
#include <ctime>
#include <string>

namespace coronado {
namespace {

class ResponseHeadTest : public testing::Test {
 protected:
  std::string write(const ResponseHead& head, ResponseFraming framing, std::uint64_t length = 0,
                    std::string_view connection = {}) {
    OutputBuffer out;
    writer_.write(out, now_, head, framing, length, connection);
    return std::string(out.view());
  }

  /// The head without its Date field, which must be a date.
  std::string write_undated(const ResponseHead& head, ResponseFraming framing,
                            std::uint64_t length = 0, std::string_view connection = {}) {
    std::string text = write(head, framing, length, connection);
    const std::size_t date = text.find("Date: ");
    if (date == std::string::npos) return "no date in " + text;
    const std::size_t end = text.find("\r\n", date);
    EXPECT_TRUE(parse_http_date(std::string_view(text).substr(date + 6, end - date - 6)));
    return text.erase(date, end + 2 - date);
  }

  TimePoint now_ = TimePoint(std::chrono::hours(5));
  ResponseHeadWriter writer_{"Test"};
};

TEST_F(ResponseHeadTest, TheUsualHead) {
  EXPECT_EQ(write_undated({.fields = "Content-Type: text/plain\r\n"}, ResponseFraming::kLength, 13),
            "HTTP/1.1 200 OK\r\nServer: Test\r\nContent-Type: text/plain\r\n"
            "Content-Length: 13\r\n\r\n");
}

TEST_F(ResponseHeadTest, EveryFraming) {
  EXPECT_EQ(write_undated({.status = 204}, ResponseFraming::kNone),
            "HTTP/1.1 204 No Content\r\nServer: Test\r\n\r\n");
  EXPECT_EQ(write_undated({}, ResponseFraming::kChunked),
            "HTTP/1.1 200 OK\r\nServer: Test\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_EQ(write_undated({}, ResponseFraming::kClose, 0, "Connection: close\r\n"),
            "HTTP/1.1 200 OK\r\nServer: Test\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(write_undated({.status = 299}, ResponseFraming::kLength, 18446744073709551615U),
            "HTTP/1.1 299 Unknown\r\nServer: Test\r\nContent-Length: 18446744073709551615\r\n\r\n");
}

TEST_F(ResponseHeadTest, AHandlersOwnReasonServerAndDateWin) {
  EXPECT_EQ(write_undated({.status = 200, .reason = "Fine"}, ResponseFraming::kNone),
            "HTTP/1.1 200 Fine\r\nServer: Test\r\n\r\n");
  const ResponseHead own{
      .fields = "Server: Mine\r\nDate: Never\r\n", .has_date = true, .has_server = true};
  EXPECT_EQ(write(own, ResponseFraming::kNone),
            "HTTP/1.1 200 OK\r\nServer: Mine\r\nDate: Never\r\n\r\n");
}

TEST_F(ResponseHeadTest, WithoutAServerNameThereIsNoServerField) {
  writer_ = ResponseHeadWriter("");
  EXPECT_EQ(write_undated({}, ResponseFraming::kNone), "HTTP/1.1 200 OK\r\n\r\n");
}

TEST_F(ResponseHeadTest, TheDateIsThePresentSecond) {
  // Not std::time: it is a tick late when a second begins.
  const auto seconds = [] {
    return std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  };
  const std::time_t before = seconds();
  const std::string text = write({}, ResponseFraming::kNone);
  const std::time_t after = seconds();
  const std::size_t date = text.find("Date: ") + 6;
  const auto written = parse_http_date(text.substr(date, text.find("\r\n", date) - date));
  ASSERT_TRUE(written);
  EXPECT_GE(*written, before);
  EXPECT_LE(*written, after);
}

TEST_F(ResponseHeadTest, TheDateIsKeptUntilTheSecondIsOver) {
  const std::string first = write({}, ResponseFraming::kNone);
  EXPECT_EQ(write({}, ResponseFraming::kNone), first);
  now_ += std::chrono::seconds(2);
  const std::string later = write({}, ResponseFraming::kNone);
  EXPECT_EQ(later.size(), first.size());
}

}  // namespace
}  // namespace coronado
