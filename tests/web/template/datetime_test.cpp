#include "web/template/datetime.hpp"

#include "tests/web/template/template_fixture.hpp"

namespace coronado::web::template_test {
namespace {

struct Case {
  const char* expression;
  const char* printed;  // by Python 3.11
};

const Case kCases[] = {
    {"datetime.datetime(2024, 2, 29)", "2024-02-29 00:00:00"},
    {"datetime.datetime(2024, 2, 29, 13, 5, 7, 42)", "2024-02-29 13:05:07.000042"},
    {"datetime.datetime(2024, 2, 29, hour=1, tzinfo=datetime.timezone.utc)",
     "2024-02-29 01:00:00+00:00"},
    {"datetime.datetime(2024, 2, 29, 13).isoformat()", "2024-02-29T13:00:00"},
    {"datetime.datetime(2024, 2, 29, 13).isoformat(' ')", "2024-02-29 13:00:00"},
    {"datetime.date(2024, 2, 29).isoformat()", "2024-02-29"},
    {"datetime.datetime(2024, 2, 29, 13, 5, 7, 42).strftime('%Y-%m-%d %H:%M:%S.%f')",
     "2024-02-29 13:05:07.000042"},
    {"datetime.datetime(2024, 2, 9, 13, 5).strftime('%A %a %B %b %d %-d %I:%M %p %j %w %y %% "
     "%e|%z|')",
     "Friday Fri February Feb 09 9 01:05 PM 040 5 24 %  9||"},
    {"datetime.datetime(2024, 2, 9, tzinfo=datetime.timezone.utc).strftime('%z %Z %s')",
     "+0000 UTC 1707436800"},
    {"datetime.date(2024, 2, 9).strftime('%d.%m.%Y')", "09.02.2024"},
    {"datetime.datetime.utcfromtimestamp(0)", "1970-01-01 00:00:00"},
    {"datetime.datetime.utcfromtimestamp(1.5)", "1970-01-01 00:00:01.500000"},
    {"datetime.datetime.utcfromtimestamp(-1)", "1969-12-31 23:59:59"},
    {"datetime.datetime.fromtimestamp(86400, datetime.timezone.utc)", "1970-01-02 00:00:00+00:00"},
    {"datetime.datetime.fromtimestamp(5, tz=datetime.timezone.utc).timestamp()", "5.0"},
    {"datetime.datetime.fromisoformat('2024-01-31T10:20:30.5').microsecond", "500000"},
    {"datetime.datetime.fromisoformat('2024-01-31')", "2024-01-31 00:00:00"},
    {"datetime.datetime(2024, 1, 1) + datetime.timedelta(days=31, hours=2)", "2024-02-01 02:00:00"},
    {"datetime.datetime(2024, 1, 1) - datetime.timedelta(seconds=1)", "2023-12-31 23:59:59"},
    {"datetime.timedelta(1) + datetime.datetime(2024, 1, 1)", "2024-01-02 00:00:00"},
    {"datetime.date(2024, 3, 1) - datetime.timedelta(days=1)", "2024-02-29"},
    {"datetime.datetime(2024, 3, 1, 1) - datetime.datetime(2024, 2, 1)", "29 days, 1:00:00"},
    {"(datetime.date(2024, 3, 1) - datetime.date(2024, 2, 1)).days", "29"},
    {"datetime.timedelta(hours=-1)", "-1 day, 23:00:00"},
    {"datetime.timedelta(days=1, seconds=3725, microseconds=5)", "1 day, 1:02:05.000005"},
    {"datetime.timedelta(minutes=1.5).total_seconds()", "90.0"},
    {"datetime.timedelta(weeks=1, milliseconds=1)", "7 days, 0:00:00.001000"},
    {"2 * datetime.timedelta(hours=20)", "1 day, 16:00:00"},
    {"datetime.timedelta(hours=1) / 4", "0:15:00"},
    {"datetime.timedelta(hours=1) / datetime.timedelta(minutes=1)", "60.0"},
    {"datetime.timedelta(hours=2) - datetime.timedelta(hours=3)", "-1 day, 23:00:00"},
    {"datetime.timedelta(1) > datetime.timedelta(hours=23)", "True"},
    {"datetime.timedelta(1) == datetime.timedelta(hours=24)", "True"},
    {"datetime.datetime(2024, 1, 1) < datetime.datetime(2024, 1, 2)", "True"},
    {"datetime.date(2024, 1, 1) <= datetime.date(2023, 1, 2)", "False"},
    {"datetime.date(2024, 2, 9).weekday(), datetime.date(2024, 2, 9).isoweekday()", "(4, 5)"},
    {"datetime.datetime(2024, 2, 9, 10, 11, 12).date()", "2024-02-09"},
    {"datetime.datetime(2024, 2, 9, 10, 11, 12).minute", "11"},
    {"datetime.datetime.now() - datetime.datetime.now() < datetime.timedelta(minutes=1)", "True"},
    {"datetime.datetime.now().year >= 2024", "True"},
    {"datetime.datetime.utcnow().tzinfo", "None"},
    {"datetime.datetime.now(datetime.timezone.utc).tzinfo", "UTC"},
    {"datetime.date.today() == datetime.datetime.now().date()", "True"},
};

TEST(TemplateDateTime, MeansWhatItMeansInPython) {
  for (const Case& each : kCases) {
    try {
      EXPECT_EQ(value_of(each.expression), each.printed) << each.expression;
    } catch (const std::exception& error) {
      ADD_FAILURE() << each.expression << ": " << error.what();
    }
  }
}

TEST(TemplateDateTime, WhatIsRefused) {
  EXPECT_EQ(value_error("datetime.datetime(2023, 2, 29)"),
            "ValueError: day is out of range for month");
  EXPECT_EQ(value_error("datetime.datetime(2023, 13, 1)"), "ValueError: month must be in 1..12");
  EXPECT_EQ(value_error("datetime.datetime(0, 1, 1)"), "ValueError: year 0 is out of range");
  EXPECT_EQ(value_error("datetime.datetime(2023, 1, 1, 24)"), "ValueError: hour must be in 0..23");
  EXPECT_EQ(value_error("datetime.date(9999, 12, 31) + datetime.timedelta(1)"),
            "OverflowError: date value out of range");
  EXPECT_EQ(value_error("datetime.timedelta(days=10 ** 12)"),
            "OverflowError: date value out of range");
  EXPECT_EQ(value_error("datetime.datetime.utcfromtimestamp(1e300)"),
            "OverflowError: date value out of range");
  EXPECT_EQ(value_error("datetime.datetime.fromisoformat('soon')"),
            "ValueError: Invalid isoformat string: 'soon'");
  EXPECT_EQ(value_error("datetime.date(2024, 1, 1) + 1"),
            "TypeError: unsupported operand types for +: 'date' and 'int'");
  EXPECT_EQ(value_error("datetime.date(2024, 1, 1) < 1"),
            "TypeError: '<' not supported between instances of 'date' and 'int'");
  EXPECT_EQ(value_error("datetime.nope"),
            "AttributeError: 'module' object has no attribute 'nope'");
  // A name of the namespace comes first.
  EXPECT_EQ(render("{{ datetime }}", {{"datetime", "own"}}), "own");
}

}  // namespace
}  // namespace coronado::web::template_test
