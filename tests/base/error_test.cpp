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

TEST(Error, AResolveErrorNamesTheHostAndSaysWhy) {
  using Reason = ResolveError::Reason;
  const ResolveError error("db.local", Reason::kNoSuchName);
  EXPECT_STREQ(error.what(), "cannot resolve db.local: no such name");
  EXPECT_EQ(error.host(), "db.local");
  EXPECT_EQ(error.reason(), Reason::kNoSuchName);
  EXPECT_FALSE(error.temporary());
  EXPECT_TRUE(ResolveError("a", Reason::kTimeout).temporary());
  EXPECT_STREQ(ResolveError("", Reason::kMalformed, "empty").what(),
               "cannot resolve \"\": not a host name (empty)");
}

TEST(Error, AConnectErrorListsEveryAttempt) {
  const std::error_code refused = std::make_error_code(std::errc::connection_refused);
  const ConnectError error("example.org:80", ConnectError::Phase::kConnect, refused, "",
                           {{"192.0.2.1:80", refused, "Connection refused"},
                            {"[2001:db8::1]:80", {}, "timed out after 3 s"}});
  EXPECT_STREQ(error.what(),
               "cannot connect to example.org:80: 192.0.2.1:80 Connection refused; "
               "[2001:db8::1]:80 timed out after 3 s");
  EXPECT_EQ(error.attempts().size(), 2U);
  EXPECT_EQ(error.code(), refused);
  EXPECT_FALSE(error.resolve_reason());
  EXPECT_STREQ(ConnectError("a:1", ConnectError::Phase::kUpgrade, {}, "bad certificate").what(),
               "cannot connect to a:1: bad certificate");
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
