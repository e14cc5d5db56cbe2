#include <coronado/http/httputil.hpp>

#include <gtest/gtest.h>

#include <ctime>
#include <stdexcept>
#include <string>
#include <utility>

namespace coronado {
namespace {

TEST(HTTPDate, FormatsAndReadsBack) {
  const std::pair<std::time_t, const char*> cases[] = {
      {0, "Thu, 01 Jan 1970 00:00:00 GMT"},
      {784'111'777, "Sun, 06 Nov 1994 08:49:37 GMT"},
      {951'782'399, "Mon, 28 Feb 2000 23:59:59 GMT"},
      {951'782'400, "Tue, 29 Feb 2000 00:00:00 GMT"},
      {951'868'800, "Wed, 01 Mar 2000 00:00:00 GMT"},
      {-1, "Wed, 31 Dec 1969 23:59:59 GMT"},
      {4'107'542'400, "Mon, 01 Mar 2100 00:00:00 GMT"},
      {253'402'300'799, "Fri, 31 Dec 9999 23:59:59 GMT"},
      {-62'167'219'200, "Sat, 01 Jan 0000 00:00:00 GMT"},
  };
  for (const auto& [seconds, text] : cases) {
    EXPECT_EQ(format_timestamp(seconds), text);
    EXPECT_EQ(parse_http_date(text), seconds);
  }
  EXPECT_THROW(format_timestamp(253'402'300'800), std::out_of_range);
  EXPECT_THROW(format_timestamp(-62'167'219'201), std::out_of_range);
}

TEST(HTTPDate, AgreesWithTheCLibrary) {
  for (std::time_t seconds = -3'000'000'000; seconds < 6'000'000'000; seconds += 7'654'321) {
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    char text[64];
    std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    ASSERT_EQ(format_timestamp(seconds), text);
    ASSERT_EQ(parse_http_date(text), seconds);
  }
}

TEST(HTTPDate, ReadsTheObsoleteForms) {
  EXPECT_EQ(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT"), 784'111'777);
  EXPECT_EQ(parse_http_date("Sun Nov  6 08:49:37 1994"), 784'111'777);
  EXPECT_EQ(parse_http_date("Wed Nov 16 08:49:37 1994"), 784'975'777);
  EXPECT_EQ(parse_http_date("Sat, 31 Dec 2016 23:59:60 GMT"), 1'483'228'800);
}

TEST(HTTPDate, TakesTwoDigitYearsWithin50YearsAhead) {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  const int this_year = parts.tm_year + 1900;
  for (const int ahead : {-20, 0, 49, 51}) {
    const int year = this_year + ahead;
    const std::string digits = std::to_string(year % 100 + 100).substr(1);
    const auto got = parse_http_date("Monday, 02-Jan-" + digits + " 00:00:00 GMT");
    ASSERT_TRUE(got);
    const int expected = ahead > 50 ? year - 100 : year;
    EXPECT_EQ(format_timestamp(*got).substr(12, 4), std::to_string(expected));
  }
}

TEST(HTTPDate, RefusesEverythingElse) {
  const char* cases[] = {
      "",
      "asdf",
      "0",
      "Sun, 06 Nov 1994 08:49:37",
      "Sun, 06 Nov 1994 08:49:37 UTC",
      "Sun, 06 Nov 1994 08:49:37 GMT ",
      " Sun, 06 Nov 1994 08:49:37 GMT",
      "Sun, 6 Nov 1994 08:49:37 GMT",
      "Sun, 06 nov 1994 08:49:37 GMT",
      "Sun, 06 anF 1994 08:49:37 GMT",
      "Xxx, 06 Nov 1994 08:49:37 GMT",
      "Sun, 00 Nov 1994 08:49:37 GMT",
      "Sun, 31 Nov 1994 08:49:37 GMT",
      "Tue, 29 Feb 1994 08:49:37 GMT",
      "Thu, 29 Feb 1900 08:49:37 GMT",
      "Sun, 06 Nov 1994 24:00:00 GMT",
      "Sun, 06 Nov 1994 08:60:00 GMT",
      "Sun, 06 Nov 1994 08:49:61 GMT",
      "Sun, 06 Nov 94 08:49:37 GMT",
      "Sun, 06-Nov-94 08:49:37 GMT",
      "Sunday, 06-Nov-1994 08:49:37 GMT",
      "Sun Nov 6 08:49:37 1994",
      "Sun Nov  6 08:49:37 94",
      "Sun Nov  6 08:49:37 1994 GMT",
      "Sun, 06 Nov 1994 8:49:37 GMT",
      "Sun, 06 Nov",
  };
  for (const char* text : cases) EXPECT_EQ(parse_http_date(text), std::nullopt) << text;
}

}  // namespace
}  // namespace coronado
