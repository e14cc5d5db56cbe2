#include "web/template/datetime.hpp"

#include <coronado/web/template_binding.hpp>

#include <array>
#include <cmath>

#include "web/template/calendar.hpp"
#include "web/template/objects.hpp"
#include "web/template/operators.hpp"

namespace coronado::web::templates {
namespace {

constexpr std::int64_t kMostDays = 999'999'999;  // of a timedelta
constexpr char kModule = 0;                      // the classes and the module have no state

extern const TemplateType kDateTimeType;
extern const TemplateType kDateType;
extern const TemplateType kDeltaType;
extern const TemplateType kUTCType;

template <class T>
const T* as(const TemplateValue& value, const TemplateType& type) {
  return value.is_object() && &value.type() == &type ? static_cast<const T*>(value.pointer())
                                                     : nullptr;
}

TemplateValue make(TemplateMemory& memory, DateTime value) {
  const int year = parts_of(value.micros).year;
  if (year < 1 || year > 9999) fail_range();
  return TemplateValue::object(&memory.make<DateTime>(value), kDateTimeType);
}
TemplateValue make(TemplateMemory& memory, Date value) {
  const int year = parts_of(value.days * kDay).year;
  if (year < 1 || year > 9999) fail_range();
  return TemplateValue::object(&memory.make<Date>(value), kDateType);
}
TemplateValue make(TemplateMemory& memory, Delta value) {
  if (std::abs(value.micros / kDay) > kMostDays) fail_range();
  return TemplateValue::object(&memory.make<Delta>(value), kDeltaType);
}
template <class F>
TemplateValue function(TemplateMemory& memory, F made) {
  return template_value(memory.make<F>(std::move(made)));
}

// --- clocks ------------------------------------------------------------------------------------------

/// A time zone as an argument: `timezone.utc`, or None and nothing for local time.
bool is_utc(const TemplateValue& zone) {
  if (zone.is_undefined() || zone.is_none()) return false;
  if (zone.is_object() && &zone.type() == &kUTCType) return true;
  fail_type("tzinfo argument must be None or datetime.timezone.utc");
}

DateTime from_unix(std::int64_t micros, bool utc) {
  return {utc ? micros : local_from(micros), utc};
}

std::int64_t micros_of(const TemplateValue& seconds) {
  if (!is_number(seconds)) fail_type("a timestamp must be a number");
  const double value = std::nearbyint(to_double(seconds) * static_cast<double>(kMicros));
  if (!(std::abs(value) < 9e18)) fail_range();
  return static_cast<std::int64_t>(value);
}

// --- arguments ---------------------------------------------------------------------------------------

template <std::size_t N>
std::array<TemplateValue, N> bound(const TemplateCall& call, const std::string_view (&names)[N],
                                   std::size_t required) {
  std::array<TemplateValue, N> values;
  call.bind(names, required, values.data());
  return values;
}

void no_arguments(const TemplateCall& call) { call.bind({}, 0, nullptr); }

TemplateValue construct_datetime(const void*, TemplateCall& call) {
  const auto given =
      bound(call, {"year", "month", "day", "hour", "minute", "second", "microsecond", "tzinfo"}, 3);
  constexpr std::array<std::int64_t, 4> kMost = {23, 59, 59, 999'999};
  constexpr std::array<std::string_view, 4> kNames = {"hour", "minute", "second", "microsecond"};
  constexpr std::array<std::int64_t, 4> kUnits = {3600 * kMicros, 60 * kMicros, kMicros, 1};
  std::int64_t micros = days_from(to_integer(given[0], "year"), to_integer(given[1], "month"),
                                  to_integer(given[2], "day")) *
                        kDay;
  for (std::size_t i = 0; i < kMost.size(); ++i) {
    if (given[3 + i].is_undefined()) continue;
    const std::int64_t value = to_integer(given[3 + i], kNames[i]);
    if (value < 0 || value > kMost[i]) {
      fail_value(std::string(kNames[i]) + " must be in 0.." + std::to_string(kMost[i]));
    }
    micros += value * kUnits[i];
  }
  return make(call.memory(), DateTime{micros, is_utc(given[7])});
}

TemplateValue construct_date(const void*, TemplateCall& call) {
  const auto given = bound(call, {"year", "month", "day"}, 3);
  return make(call.memory(),
              Date{days_from(to_integer(given[0], "year"), to_integer(given[1], "month"),
                             to_integer(given[2], "day"))});
}

TemplateValue construct_delta(const void*, TemplateCall& call) {
  const auto given = bound(
      call, {"days", "seconds", "microseconds", "milliseconds", "minutes", "hours", "weeks"}, 0);
  constexpr std::array<double, 7> kUnits = {static_cast<double>(kDay),    1e6, 1, 1e3, 6e7, 3.6e9,
                                            7 * static_cast<double>(kDay)};
  std::int64_t micros = 0;
  for (std::size_t i = 0; i < given.size(); ++i) {
    if (given[i].is_undefined()) continue;
    if (!is_number(given[i])) fail_type("timedelta() takes numbers");
    const double part = to_double(given[i]) * kUnits[i];
    if (!(std::abs(part) < 9e18)) fail_range();
    std::int64_t whole = static_cast<std::int64_t>(std::nearbyint(part));
    if (given[i].kind() != TemplateKind::kFloat &&
        __builtin_mul_overflow(given[i].as_int(), static_cast<std::int64_t>(kUnits[i]), &whole)) {
      fail_range();
    }
    if (__builtin_add_overflow(micros, whole, &micros)) fail_range();
  }
  return make(call.memory(), Delta{micros});
}

// --- attributes --------------------------------------------------------------------------------------

/// What a datetime and a date have alike.
bool find_calendar_member(const DateTime& value, std::string_view name, TemplateMemory& memory,
                          TemplateValue& found) {
  const Parts parts = parts_of(value.micros);
  if (name == "year") return found = TemplateValue::integer(parts.year), true;
  if (name == "month") return found = TemplateValue::integer(parts.month), true;
  if (name == "day") return found = TemplateValue::integer(parts.day), true;
  if (name == "strftime") {
    found = function(memory, [value](TemplateCall& call) {
      const auto given = bound(call, {"format"}, 1);
      if (!given[0].is_string()) fail_type("strftime() argument must be str");
      return format_time(value, given[0].as_string());
    });
    return true;
  }
  if (name == "weekday" || name == "isoweekday") {
    const int first = name == "weekday" ? 0 : 1;
    found = function(memory, [value, first](TemplateCall& call) {
      no_arguments(call);
      return weekday_of(value) + first;
    });
    return true;
  }
  return false;
}

bool find_date_member(const void* object, std::string_view name, TemplateMemory& memory,
                      TemplateValue& found) {
  const DateTime value{static_cast<const Date*>(object)->days * kDay};
  if (name == "isoformat") {
    found = function(memory, [value](TemplateCall& call) {
      no_arguments(call);
      return date_text(value.micros);
    });
    return true;
  }
  return find_calendar_member(value, name, memory, found);
}

bool find_datetime_member(const void* object, std::string_view name, TemplateMemory& memory,
                          TemplateValue& found) {
  const DateTime value = *static_cast<const DateTime*>(object);
  const std::int64_t of_day = parts_of(value.micros).of_day;
  const auto integer = [&found](std::int64_t part) {
    found = TemplateValue::integer(part);
    return true;
  };
  if (name == "hour") return integer(of_day / kMicros / 3600);
  if (name == "minute") return integer(of_day / kMicros / 60 % 60);
  if (name == "second") return integer(of_day / kMicros % 60);
  if (name == "microsecond") return integer(of_day % kMicros);
  if (name == "tzinfo") {
    found = value.utc ? TemplateValue::object(&kModule, kUTCType) : TemplateValue();
  } else if (name == "isoformat") {
    found = function(memory, [value](TemplateCall& call) {
      const auto given = bound(call, {"sep"}, 0);
      return iso_text(value, given[0].is_string() ? given[0].as_string() : "T");
    });
  } else if (name == "timestamp") {
    found = function(memory, [value](TemplateCall& call) {
      no_arguments(call);
      return static_cast<double>(unix_from(value)) / static_cast<double>(kMicros);
    });
  } else if (name == "date") {
    found = function(memory, [value](TemplateCall& call) {
      no_arguments(call);
      return make(call.memory(), Date{floor_days(value.micros)});
    });
  } else {
    return find_calendar_member(value, name, memory, found);
  }
  return true;
}

bool find_delta_member(const void* object, std::string_view name, TemplateMemory& memory,
                       TemplateValue& found) {
  const Delta value = *static_cast<const Delta*>(object);
  const std::int64_t days = floor_days(value.micros);
  const std::int64_t rest = value.micros - days * kDay;
  if (name == "days") return found = TemplateValue::integer(days), true;
  if (name == "seconds") return found = TemplateValue::integer(rest / kMicros), true;
  if (name == "microseconds") return found = TemplateValue::integer(rest % kMicros), true;
  if (name != "total_seconds") return false;
  found = function(memory, [value](TemplateCall& call) {
    no_arguments(call);
    return static_cast<double>(value.micros) / static_cast<double>(kMicros);
  });
  return true;
}

bool find_datetime_class_member(const void*, std::string_view name, TemplateMemory& memory,
                                TemplateValue& found) {
  if (name == "now") {
    found = function(memory, [](TemplateCall& call) {
      return make(call.memory(), from_unix(unix_now(), is_utc(bound(call, {"tz"}, 0)[0])));
    });
  } else if (name == "utcnow" || name == "today") {
    const bool utc = name == "utcnow";
    found = function(memory, [utc](TemplateCall& call) {
      no_arguments(call);
      return make(call.memory(), DateTime{from_unix(unix_now(), utc).micros});
    });
  } else if (name == "fromtimestamp") {
    found = function(memory, [](TemplateCall& call) {
      const auto given = bound(call, {"timestamp", "tz"}, 1);
      return make(call.memory(), from_unix(micros_of(given[0]), is_utc(given[1])));
    });
  } else if (name == "utcfromtimestamp") {
    found = function(memory, [](TemplateCall& call) {
      return make(call.memory(), DateTime{micros_of(bound(call, {"timestamp"}, 1)[0])});
    });
  } else if (name == "fromisoformat") {
    found = function(memory, [](TemplateCall& call) {
      const auto given = bound(call, {"date_string"}, 1);
      if (!given[0].is_string()) fail_type("fromisoformat: argument must be str");
      return make(call.memory(), parse_iso(given[0].as_string()));
    });
  } else {
    return false;
  }
  return true;
}

bool find_date_class_member(const void*, std::string_view name, TemplateMemory& memory,
                            TemplateValue& found) {
  if (name == "today") {
    found = function(memory, [](TemplateCall& call) {
      no_arguments(call);
      return make(call.memory(), Date{floor_days(from_unix(unix_now(), false).micros)});
    });
  } else if (name == "fromtimestamp") {
    found = function(memory, [](TemplateCall& call) {
      const auto given = bound(call, {"timestamp"}, 1);
      return make(call.memory(), Date{floor_days(from_unix(micros_of(given[0]), false).micros)});
    });
  } else if (name == "fromisoformat") {
    found = function(memory, [](TemplateCall& call) {
      const auto given = bound(call, {"date_string"}, 1);
      if (!given[0].is_string()) fail_type("fromisoformat: argument must be str");
      return make(call.memory(), Date{floor_days(parse_iso(given[0].as_string()).micros)});
    });
  } else {
    return false;
  }
  return true;
}

// --- arithmetic --------------------------------------------------------------------------------------

std::int64_t added(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) fail_range();
  return sum;
}

bool operate_delta(Operator op, const Delta& delta, const TemplateValue& b, TemplateMemory& memory,
                   TemplateValue& result) {
  const Delta* other = as<Delta>(b, kDeltaType);
  if (other != nullptr && op == Operator::kAdd) {
    result = make(memory, Delta{added(delta.micros, other->micros)});
  } else if (other != nullptr && op == Operator::kSubtract) {
    result = make(memory, Delta{added(delta.micros, -other->micros)});
  } else if (other != nullptr && (op == Operator::kDivide || op == Operator::kFloorDivide)) {
    result = binary(op, TemplateValue::integer(delta.micros), TemplateValue::integer(other->micros),
                    memory);
  } else if (is_number(b) && (op == Operator::kMultiply || op == Operator::kDivide ||
                              op == Operator::kFloorDivide)) {
    const TemplateValue product = binary(op, TemplateValue::integer(delta.micros), b, memory);
    const double real = std::nearbyint(to_double(product));
    if (!(std::abs(real) < 9e18)) fail_range();
    result =
        make(memory, Delta{product.is_int() ? product.as_int() : static_cast<std::int64_t>(real)});
  } else {
    return false;
  }
  return true;
}

bool operate(Operator op, const TemplateValue& a, const TemplateValue& b, TemplateMemory& memory,
             TemplateValue& result) {
  const Delta* by = as<Delta>(b, kDeltaType);
  const bool minus = op == Operator::kSubtract;
  const bool moves = by != nullptr && (minus || op == Operator::kAdd);
  if (const Delta* delta = as<Delta>(a, kDeltaType)) {
    if (operate_delta(op, *delta, b, memory, result)) return true;
    return op == Operator::kAdd && operate(op, b, a, memory, result);
  }
  if (const DateTime* time = as<DateTime>(a, kDateTimeType)) {
    const DateTime* other = as<DateTime>(b, kDateTimeType);
    if (moves) {
      result =
          make(memory, DateTime{added(time->micros, minus ? -by->micros : by->micros), time->utc});
    } else if (minus && other != nullptr) {
      if (time->utc != other->utc) {
        fail_type("can't subtract offset-naive and offset-aware datetimes");
      }
      result = make(memory, Delta{time->micros - other->micros});
    } else {
      return false;
    }
    return true;
  }
  if (const Date* date = as<Date>(a, kDateType)) {
    const Date* other = as<Date>(b, kDateType);
    if (moves) {
      const std::int64_t days = floor_days(by->micros);
      result = make(memory, Date{date->days + (minus ? -days : days)});
    } else if (minus && other != nullptr) {
      result = make(memory, Delta{(date->days - other->days) * kDay});
    } else {
      return false;
    }
    return true;
  }
  // A number times a timedelta.
  return by != nullptr && op == Operator::kMultiply && operate_delta(op, *by, a, memory, result);
}

template <class T, auto member>
bool order(const void* a, const void* b, int& result) {
  const auto& x = *static_cast<const T*>(a);
  const auto& y = *static_cast<const T*>(b);
  if constexpr (std::same_as<T, DateTime>) {
    if (x.utc != y.utc) return false;
  }
  result = x.*member < y.*member ? -1 : x.*member > y.*member ? 1 : 0;
  return true;
}

const TemplateType kDateTimeType = {
    .name = "datetime",
    .attribute = find_datetime_member,
    .text = [](const void* object) { return iso_text(*static_cast<const DateTime*>(object), " "); },
    .operate = operate,
    .order = order<DateTime, &DateTime::micros>,
};
const TemplateType kDateType = {
    .name = "date",
    .attribute = find_date_member,
    .text =
        [](const void* object) { return date_text(static_cast<const Date*>(object)->days * kDay); },
    .operate = operate,
    .order = order<Date, &Date::days>,
};
const TemplateType kDeltaType = {
    .name = "timedelta",
    .attribute = find_delta_member,
    .text = [](const void* object) { return delta_text(*static_cast<const Delta*>(object)); },
    .operate = operate,
    .order = order<Delta, &Delta::micros>,
};
const TemplateType kUTCType = {.name = "timezone",
                               .text = [](const void*) { return std::string("UTC"); }};

// --- the module --------------------------------------------------------------------------------------

constexpr TemplateType kDateTimeClass = {
    .name = "type", .attribute = find_datetime_class_member, .call = construct_datetime};
constexpr TemplateType kDateClass = {
    .name = "type", .attribute = find_date_class_member, .call = construct_date};
constexpr TemplateType kDeltaClass = {.name = "type", .call = construct_delta};
constexpr TemplateType kTimezoneClass = {
    .name = "type",
    .attribute = [](const void*, std::string_view name, TemplateMemory&, TemplateValue& found) {
      if (name != "utc") return false;
      found = TemplateValue::object(&kModule, kUTCType);
      return true;
    }};

constexpr TemplateType kModuleType = {
    .name = "module",
    .attribute = [](const void*, std::string_view name, TemplateMemory&, TemplateValue& found) {
      const TemplateType* type = name == "datetime"    ? &kDateTimeClass
                                 : name == "date"      ? &kDateClass
                                 : name == "timedelta" ? &kDeltaClass
                                 : name == "timezone"  ? &kTimezoneClass
                                 : name == "UTC"       ? &kUTCType
                                                       : nullptr;
      if (type != nullptr) found = TemplateValue::object(&kModule, *type);
      return type != nullptr;
    }};

}  // namespace

TemplateValue datetime_module() noexcept { return TemplateValue::object(&kModule, kModuleType); }

}  // namespace coronado::web::templates
