/// Dates and times of templates: the calendar, the clocks, and their text.
///
/// Layer: web.   Spec  Python Library Reference: datetime.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace coronado::web::templates {

inline constexpr std::int64_t kMicros = 1'000'000;  // of a second
inline constexpr std::int64_t kDay = 86'400 * kMicros;

/// Microseconds since 1970, of the calendar as it is written: local time, or UTC.
struct DateTime {
  std::int64_t micros = 0;
  bool utc = false;
};
struct Date {
  std::int64_t days = 0;  // since 1970
};
struct Delta {
  std::int64_t micros = 0;
};
struct Parts {
  int year = 0;
  int month = 0;
  int day = 0;
  std::int64_t of_day = 0;  // microseconds
};

/// Throws  TemplateFault  OverflowError, always.
[[noreturn]] void fail_range();
/// The days of a time; what is left of a day is not negative.
std::int64_t floor_days(std::int64_t micros);
Parts parts_of(std::int64_t micros);
/// Throws  TemplateFault  ValueError: there is no such day.
std::int64_t days_from(std::int64_t year, std::int64_t month, std::int64_t day);
/// From 0 for Monday.
int weekday_of(const DateTime& value);

/// Now, as microseconds since 1970 in UTC.
std::int64_t unix_now();
/// What a clock on the wall shows at a Unix time.
std::int64_t local_from(std::int64_t micros);
/// The Unix time, in microseconds.
std::int64_t unix_from(const DateTime& value);

std::string date_text(std::int64_t micros);
std::string iso_text(const DateTime& value, std::string_view separator);
std::string delta_text(const Delta& value);
/// C's strftime, in the C locale, with Python's `%f`, `%z` and `%Z`.
std::string format_time(const DateTime& value, std::string_view format);
/// "2024-01-31", and with a time behind it: "2024-01-31 10:20", "...T10:20:30.5+00:00", "...Z".
/// Throws  TemplateFault  ValueError: it is something else.
DateTime parse_iso(std::string_view text);

}  // namespace coronado::web::templates
