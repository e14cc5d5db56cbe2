#include "web/template/calendar.hpp"

#include <coronado/base/strings.hpp>

#include <chrono>
#include <cstdio>
#include <ctime>
#include <optional>

#include "web/template/objects.hpp"

namespace coronado::web::templates {
namespace {

std::tm calendar(const DateTime& value) {
  const Parts parts = parts_of(value.micros);
  const std::int64_t seconds = parts.of_day / kMicros;
  const std::int64_t days = floor_days(value.micros);
  std::tm made{};
  made.tm_year = parts.year - 1900;
  made.tm_mon = parts.month - 1;
  made.tm_mday = parts.day;
  made.tm_hour = static_cast<int>(seconds / 3600);
  made.tm_min = static_cast<int>(seconds / 60 % 60);
  made.tm_sec = static_cast<int>(seconds % 60);
  made.tm_wday = static_cast<int>(((days + 4) % 7 + 7) % 7);
  made.tm_yday = static_cast<int>(days - days_from(parts.year, 1, 1));
  made.tm_isdst = -1;
  return made;
}

std::string clock_text(std::int64_t of_day) {
  const std::int64_t seconds = of_day / kMicros;
  char text[60];
  std::snprintf(text, sizeof text, "%02d:%02d:%02d", static_cast<int>(seconds / 3600),
                static_cast<int>(seconds / 60 % 60), static_cast<int>(seconds % 60));
  std::string out = text;
  if (of_day % kMicros != 0) {
    std::snprintf(text, sizeof text, ".%06d", static_cast<int>(of_day % kMicros));
    out += text;
  }
  return out;
}

}  // namespace

[[noreturn]] void fail_range() {
  fail(TemplateErrorClass::kOverflowError, "date value out of range");
}

std::int64_t floor_days(std::int64_t micros) {
  return micros / kDay - static_cast<std::int64_t>(micros % kDay < 0);
}

Parts parts_of(std::int64_t micros) {
  const std::int64_t days = floor_days(micros);
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(days))};
  return {static_cast<int>(date.year()), static_cast<int>(static_cast<unsigned>(date.month())),
          static_cast<int>(static_cast<unsigned>(date.day())), micros - days * kDay};
}

std::int64_t days_from(std::int64_t year, std::int64_t month, std::int64_t day) {
  if (year < 1 || year > 9999) fail_value("year " + std::to_string(year) + " is out of range");
  if (month < 1 || month > 12) fail_value("month must be in 1..12");
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(year)),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (day < 1 || day > 31 || !date.ok()) fail_value("day is out of range for month");
  return std::chrono::sys_days(date).time_since_epoch().count();
}

int weekday_of(const DateTime& value) { return (calendar(value).tm_wday + 6) % 7; }

std::int64_t unix_now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

std::int64_t local_from(std::int64_t micros) {
  const std::int64_t seconds = micros / kMicros - static_cast<std::int64_t>(micros % kMicros < 0);
  const auto time = static_cast<std::time_t>(seconds);
  std::tm local{};
  if (localtime_r(&time, &local) == nullptr) fail_range();
  return micros + local.tm_gmtoff * kMicros;
}

std::int64_t unix_from(const DateTime& value) {
  if (value.utc) return value.micros;
  std::tm local = calendar(value);
  const std::int64_t rest = value.micros - floor_days(value.micros) * kDay;
  return static_cast<std::int64_t>(std::mktime(&local)) * kMicros + rest % kMicros;
}

std::string date_text(std::int64_t micros) {
  const Parts parts = parts_of(micros);
  char text[40];
  std::snprintf(text, sizeof text, "%04d-%02d-%02d", parts.year, parts.month, parts.day);
  return text;
}

std::string iso_text(const DateTime& value, std::string_view separator) {
  return date_text(value.micros).append(separator) + clock_text(parts_of(value.micros).of_day) +
         (value.utc ? "+00:00" : "");
}

std::string delta_text(const Delta& value) {
  const std::int64_t days = floor_days(value.micros);
  const std::int64_t rest = value.micros - days * kDay;
  std::string clock = clock_text(rest);
  if (clock.starts_with('0')) clock.erase(0, 1);  // the hour has no zero before it
  if (days == 0) return clock;
  return std::to_string(days) + (days == 1 || days == -1 ? " day, " : " days, ") + clock;
}

std::string format_time(const DateTime& value, std::string_view format) {
  std::string out;
  const std::tm parts = calendar(value);
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%' || i + 1 == format.size()) {
      out += format[i];
      continue;
    }
    const char directive = format[++i];
    if (directive == 'f') {
      char micros[24];
      std::snprintf(micros, sizeof micros, "%06d",
                    static_cast<int>(parts_of(value.micros).of_day % kMicros));
      out += micros;
    } else if (directive == 'z' || directive == 'Z') {
      if (value.utc) out += directive == 'z' ? "+0000" : "UTC";
    } else if (directive == 's') {
      out += std::to_string(unix_from(value) / kMicros);
    } else if (directive == 'Y') {
      out += std::to_string(parts.tm_year + 1900);
    } else if (directive == '%') {
      out += '%';
    } else {
      std::string one = std::string("%") + directive;
      if (directive == '-' && i + 1 < format.size()) one += format[++i];  // without its zero
      char text[100];
      out.append(text, std::strftime(text, sizeof text, one.c_str(), &parts));
    }
  }
  return out;
}

DateTime parse_iso(std::string_view text) {
  const std::string_view whole = text;
  const auto wrong = [&] { fail_value("Invalid isoformat string: '" + std::string(whole) + "'"); };
  const auto number = [&](std::size_t digits) -> std::int64_t {
    const auto value =
        text.size() < digits ? std::nullopt : parse_int<std::uint32_t>(text.substr(0, digits));
    if (!value) wrong();
    text.remove_prefix(digits);
    return *value;
  };
  const auto skip = [&](char c) {
    if (!text.starts_with(c)) return false;
    text.remove_prefix(1);
    return true;
  };
  const std::int64_t year = number(4);
  if (!skip('-')) wrong();
  const std::int64_t month = number(2);
  if (!skip('-')) wrong();
  DateTime made{days_from(year, month, number(2)) * kDay};
  if (text.empty()) return made;
  if (!skip('T') && !skip(' ')) wrong();
  const std::int64_t hour = number(2);
  const std::int64_t minute = skip(':') ? number(2) : 0;
  const std::int64_t second = skip(':') ? number(2) : 0;
  if (hour > 23 || minute > 59 || second > 59) wrong();
  made.micros += ((hour * 60 + minute) * 60 + second) * kMicros;
  if (skip('.')) {
    std::int64_t unit = kMicros / 10;
    for (; !text.empty() && is_ascii_digit(text[0]); text.remove_prefix(1), unit /= 10) {
      made.micros += unit * (text[0] - '0');
    }
  }
  made.utc = text == "Z" || text == "+00:00";
  if (!made.utc && !text.empty()) wrong();
  return made;
}

}  // namespace coronado::web::templates
