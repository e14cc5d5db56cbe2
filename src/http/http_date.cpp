#include <coronado/http/httputil.hpp>

#include <array>
#include <stdexcept>

#include "http/char_class.hpp"

namespace coronado {
namespace {

constexpr std::array<std::string_view, 7> kDays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                   "Thursday", "Friday", "Saturday"};
constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
constexpr std::int64_t kSecondsPerDay = 86'400;

struct Date {
  std::int64_t year;
  int month;  // 1 to 12
  int day;    // 1 to 31
};

// Days are counted in 400-year eras that start on the first of March, so that a leap day is the
// last of its year. 719468 days lie between 0000-03-01 and 1970-01-01. (Howard Hinnant,
// "chrono-Compatible Low-Level Date Algorithms".)
constexpr std::int64_t kDaysPerEra = 146'097;
constexpr std::int64_t kDaysToEpoch = 719'468;

std::int64_t days_from_date(const Date& date) noexcept {
  const std::int64_t year = date.year - (date.month <= 2 ? 1 : 0);
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const std::int64_t year_of_era = year - era * 400;
  const std::int64_t day_of_year = (153 * ((date.month + 9) % 12) + 2) / 5 + date.day - 1;
  const std::int64_t day_of_era =
      year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * kDaysPerEra + day_of_era - kDaysToEpoch;
}

Date date_from_days(std::int64_t days) noexcept {
  days += kDaysToEpoch;
  const std::int64_t era = (days >= 0 ? days : days - (kDaysPerEra - 1)) / kDaysPerEra;
  const std::int64_t day_of_era = days - era * kDaysPerEra;
  const std::int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const std::int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int shifted_month = static_cast<int>((5 * day_of_year + 2) / 153);
  const int month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
  return {year_of_era + era * 400 + (month <= 2 ? 1 : 0), month,
          static_cast<int>(day_of_year) - (153 * shifted_month + 2) / 5 + 1};
}

int days_in_month(const Date& date) noexcept {
  constexpr int kDaysInMonth[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = date.year % 4 == 0 && (date.year % 100 != 0 || date.year % 400 == 0);
  return date.month == 2 && leap ? 29 : kDaysInMonth[date.month - 1];
}

void append_number(std::string& out, std::int64_t number, int width) {
  char digits[4];
  for (int i = width - 1; i >= 0; --i) {
    digits[i] = static_cast<char>('0' + number % 10);
    number /= 10;
  }
  out.append(digits, static_cast<std::size_t>(width));
}

/// Reads a date from the left; the first thing that does not fit makes `ok()` false for good.
class DateReader {
 public:
  explicit DateReader(std::string_view text) : rest_(text) {}

  bool ok() const noexcept { return ok_; }
  bool at_end() const noexcept { return ok_ && rest_.empty(); }

  void text(std::string_view expected) noexcept {
    ok_ = ok_ && rest_.starts_with(expected);
    if (ok_) rest_.remove_prefix(expected.size());
  }
  int number(std::size_t width) noexcept {
    int value = 0;
    ok_ = ok_ && rest_.size() >= width;
    for (std::size_t i = 0; ok_ && i < width; ++i) {
      ok_ = is_in(rest_[i], kDigit);
      value = value * 10 + (rest_[i] - '0');
    }
    if (ok_) rest_.remove_prefix(width);
    return value;
  }
  int month() noexcept {
    const std::size_t at =
        rest_.size() < 3 ? std::string_view::npos : kMonths.find(rest_.substr(0, 3));
    ok_ = ok_ && at != std::string_view::npos && at % 3 == 0;
    if (!ok_) return 1;
    rest_.remove_prefix(3);
    return static_cast<int>(at / 3) + 1;
  }
  /// Params  size  How much of the name is written; 0 for all of it.
  void day_name(std::size_t size) noexcept {
    for (const std::string_view day : kDays) {
      const std::string_view name = size == 0 ? day : day.substr(0, size);
      if (ok_ && rest_.starts_with(name)) {
        rest_.remove_prefix(name.size());
        return;
      }
    }
    ok_ = false;
  }
  std::int64_t time_of_day() noexcept {
    const int hour = number(2);
    text(":");
    const int minute = number(2);
    text(":");
    const int second = number(2);
    ok_ = ok_ && hour < 24 && minute < 60 && second <= 60;  // 60: a leap second
    return hour * 3600 + minute * 60 + second;
  }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

std::optional<std::int64_t> seconds_of(const DateReader& reader, const Date& date,
                                       std::int64_t time_of_day) noexcept {
  if (!reader.at_end() || date.day < 1 || date.day > days_in_month(date)) return std::nullopt;
  return days_from_date(date) * kSecondsPerDay + time_of_day;
}

/// "Sun, 06 Nov 1994 08:49:37 GMT"
std::optional<std::int64_t> parse_imf_date(std::string_view text) noexcept {
  DateReader reader(text);
  Date date{};
  reader.day_name(3);
  reader.text(", ");
  date.day = reader.number(2);
  reader.text(" ");
  date.month = reader.month();
  reader.text(" ");
  date.year = reader.number(4);
  reader.text(" ");
  const std::int64_t time = reader.time_of_day();
  reader.text(" GMT");
  return seconds_of(reader, date, time);
}

/// "Sunday, 06-Nov-94 08:49:37 GMT"
std::optional<std::int64_t> parse_rfc850_date(std::string_view text) noexcept {
  DateReader reader(text);
  Date date{};
  reader.day_name(0);
  reader.text(", ");
  date.day = reader.number(2);
  reader.text("-");
  date.month = reader.month();
  reader.text("-");
  const int two_digits = reader.number(2);
  reader.text(" ");
  const std::int64_t time = reader.time_of_day();
  reader.text(" GMT");
  // RFC 9110 5.6.7: more than 50 years ahead means the last century that had those digits.
  const std::int64_t this_year = date_from_days(std::time(nullptr) / kSecondsPerDay).year;
  date.year = this_year - this_year % 100 + two_digits;
  if (date.year > this_year + 50) date.year -= 100;
  return seconds_of(reader, date, time);
}

/// "Sun Nov  6 08:49:37 1994"
std::optional<std::int64_t> parse_asctime_date(std::string_view text) noexcept {
  DateReader reader(text);
  Date date{};
  reader.day_name(3);
  reader.text(" ");
  date.month = reader.month();
  reader.text(" ");
  const bool one_digit = text.size() > 8 && text[8] == ' ';
  if (one_digit) reader.text(" ");
  date.day = reader.number(one_digit ? 1 : 2);
  reader.text(" ");
  const std::int64_t time = reader.time_of_day();
  reader.text(" ");
  date.year = reader.number(4);
  return seconds_of(reader, date, time);
}

}  // namespace

std::string format_timestamp(std::time_t seconds) {
  std::int64_t days = seconds / kSecondsPerDay;
  std::int64_t rest = seconds % kSecondsPerDay;
  if (rest < 0) {
    rest += kSecondsPerDay;
    --days;
  }
  const Date date = date_from_days(days);
  if (date.year < 0 || date.year > 9999) {
    throw std::out_of_range("No HTTP date for " + std::to_string(seconds) + " seconds since 1970");
  }
  // 1970-01-01 was a Thursday.
  const std::int64_t weekday = ((days + 4) % 7 + 7) % 7;
  std::string text;
  text.reserve(29);
  text.append(kDays[static_cast<std::size_t>(weekday)].substr(0, 3)).append(", ");
  append_number(text, date.day, 2);
  text.append(" ").append(kMonths.substr(static_cast<std::size_t>(date.month - 1) * 3, 3));
  text += ' ';
  append_number(text, date.year, 4);
  text += ' ';
  append_number(text, rest / 3600, 2);
  text += ':';
  append_number(text, rest / 60 % 60, 2);
  text += ':';
  append_number(text, rest % 60, 2);
  return text.append(" GMT");
}

std::optional<std::int64_t> parse_http_date(std::string_view text) {
  if (const auto seconds = parse_imf_date(text)) return seconds;
  if (const auto seconds = parse_rfc850_date(text)) return seconds;
  return parse_asctime_date(text);
}

}  // namespace coronado
