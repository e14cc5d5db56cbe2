#include <coronado/base/error.hpp>

#include <gtest/gtest.h>

#include <cstring>
#include <type_traits>

namespace coronado {
namespace {

TEST(Error, CancelledIsNotSwallowedByCatchingStandardExceptions) {
  static_assert(!std::is_base_of_v<std::exception, Cancelled>);
  bool swallowed = false;
  bool seen = false;
  try {
    try {
      throw Cancelled{};
    } catch (const std::exception&) {
      swallowed = true;
    }
  } catch (const Cancelled&) {
    seen = true;
  }
  EXPECT_FALSE(swallowed);
  EXPECT_TRUE(seen);
}

TEST(Error, HTTPErrorSaysStatusReasonAndLogMessage) {
  const HTTPError error(404, "no such user");
  EXPECT_EQ(error.status(), 404);
  EXPECT_STREQ(error.what(), "HTTP 404: Not Found (no such user)");
  EXPECT_EQ(error.reason(), "");
  EXPECT_STREQ(HTTPError(404, "", "Gone Fishing").what(), "HTTP 404: Gone Fishing");
  EXPECT_STREQ(HTTPError().what(), "HTTP 500: Internal Server Error");
}

TEST(Error, AMissingArgumentIsNamed) {
  const MissingArgumentError error("page");
  EXPECT_EQ(error.status(), 400);
  EXPECT_EQ(error.name(), "page");
  EXPECT_EQ(error.log_message(), "Missing argument page");
}

TEST(Error, AClosedStreamTellsWhy) {
  EXPECT_STREQ(StreamClosedError().what(), "Stream is closed");
  const StreamClosedError reset(std::make_error_code(std::errc::connection_reset));
  EXPECT_EQ(reset.code(), std::errc::connection_reset);
  EXPECT_NE(std::strstr(reset.what(), "reset"), nullptr);
}

TEST(Error, ReasonPhrases) {
  EXPECT_STREQ(reason_phrase(200), "OK");
  EXPECT_STREQ(reason_phrase(413), "Content Too Large");
  EXPECT_STREQ(reason_phrase(431), "Request Header Fields Too Large");
  EXPECT_STREQ(reason_phrase(299), "Unknown");
}

}  // namespace
}  // namespace coronado
