#include <coronado/web/locale.hpp>

#include <coronado/base/error.hpp>
#include <coronado/base/log.hpp>
#include <coronado/base/strings.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <optional>

#include "web/language_tag.hpp"
#include "web/locale_catalog.hpp"
#include "web/locale_names.hpp"
#include "web/po_file.hpp"

namespace coronado::web {
namespace {

using detail::Catalog;

constexpr std::array<std::string_view, 12> kMonths{"January",   "February", "March",    "April",
                                                   "May",       "June",     "July",     "August",
                                                   "September", "October",  "November", "December"};
constexpr std::array<std::string_view, 7> kWeekdays{"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                    "Thursday", "Friday", "Saturday"};

/// A browser sends a handful; what a stranger sends beyond is not looked at.
constexpr std::size_t kMostWishes = 100;

constexpr std::time_t kMinute = 60;
constexpr std::time_t kHour = 60 * kMinute;
constexpr std::time_t kDay = 24 * kHour;

/// `text` with each "%(name)s" or "%(name)d" replaced by its value.
std::string fill(std::string_view text,
                 std::initializer_list<std::pair<std::string_view, std::string_view>> values) {
  std::string filled;
  while (!text.empty()) {
    const std::size_t at = text.find("%(");
    const std::size_t end = at == std::string_view::npos ? at : text.find(')', at);
    if (end == std::string_view::npos || end + 1 == text.size()) break;
    const std::string_view name = text.substr(at + 2, end - at - 2);
    const auto value = std::ranges::find(values, name, [](const auto& each) { return each.first; });
    filled += text.substr(0, at);
    filled += value == values.end() ? text.substr(at, end + 2 - at) : value->second;
    text.remove_prefix(end + 2);
  }
  return filled.append(text);
}

std::tm local_parts(std::time_t date, int gmt_offset) {
  const std::time_t local = date - gmt_offset * kMinute;
  std::tm parts{};
  gmtime_r(&local, &parts);
  return parts;
}

/// The nearest whole number; halves go to the even one.
std::int64_t rounded(std::time_t span, std::time_t unit) {
  return std::llrint(static_cast<double>(span) / static_cast<double>(unit));
}

std::string with_groups(std::string_view digits, std::string_view separator) {
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i != 0 && (digits.size() - i) % 3 == 0) text += separator;
    text += digits[i];
  }
  return text;
}

/// The code that a file or folder of translations is named by: "de", "fr_CA", "zh_Hant".
std::optional<LanguageTag> tag_of_name(const std::string& name) {
  std::optional<LanguageTag> tag = parse_language_tag(name);
  return tag && tag->text() == name ? tag : std::nullopt;
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file) throw UsageError("cannot read translations " + path.string());
  return bytes;
}

/// What is in a folder, by name.
std::vector<std::filesystem::path> entries_of(const std::string& directory) {
  std::vector<std::filesystem::path> entries;
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(directory, failed)) {
    entries.push_back(entry.path());
  }
  if (failed) {
    throw UsageError("cannot read the folder of translations " + directory + ": " +
                     failed.message());
  }
  std::ranges::sort(entries);
  return entries;
}

}  // namespace

// --- Locale ------------------------------------------------------------------------------------

Locale::Locale(std::string code, std::shared_ptr<const Catalog> catalog)
    : code_(std::move(code)), catalog_(std::move(catalog)) {}

std::string_view Locale::name() const noexcept {
  const detail::LanguageName* names = detail::language_name(code_);
  return names == nullptr ? "Unknown" : names->native;
}

std::string_view Locale::english_name() const noexcept {
  const detail::LanguageName* names = detail::language_name(code_);
  return names == nullptr ? "Unknown" : names->english;
}

std::string_view Locale::language() const noexcept {
  return std::string_view(code_).substr(0, code_.find('_'));
}

bool Locale::rtl() const noexcept {
  constexpr std::array<std::string_view, 4> kLanguages{"ar", "fa", "he", "ur"};
  return std::ranges::find(kLanguages, language()) != kLanguages.end();
}

std::string Locale::translate(std::string_view message) const {
  const std::string* found = catalog_ ? catalog_->find(message) : nullptr;
  return found != nullptr ? *found : std::string(message);
}

std::string Locale::translate(std::string_view message, std::string_view plural,
                              std::int64_t count) const {
  const std::string* found = catalog_ ? catalog_->find(message, plural, count) : nullptr;
  return found != nullptr ? *found : std::string(count == 1 ? message : plural);
}

std::string Locale::pgettext(std::string_view context, std::string_view message) const {
  const std::string key = std::string(context) + detail::kContextSeparator + std::string(message);
  const std::string* found = catalog_ ? catalog_->find(key) : nullptr;
  return found != nullptr ? *found : translate(message);
}

std::string Locale::pgettext(std::string_view context, std::string_view message,
                             std::string_view plural, std::int64_t count) const {
  const std::string key = std::string(context) + detail::kContextSeparator + std::string(message);
  const std::string* found = catalog_ ? catalog_->find(key, plural, count) : nullptr;
  return found != nullptr ? *found : translate(message, plural, count);
}

std::string Locale::time_of_day(const std::tm& local) const {
  char text[32];
  const int twelve = local.tm_hour % 12 == 0 ? 12 : local.tm_hour % 12;
  if (code_ == "en" || code_ == "en_US") {
    std::snprintf(text, sizeof text, "%d:%02d %s", twelve, local.tm_min,
                  local.tm_hour < 12 ? "am" : "pm");
  } else if (code_ == "zh_CN") {
    std::snprintf(text, sizeof text, "%s%d:%02d", local.tm_hour < 12 ? "上午" : "下午", twelve,
                  local.tm_min);
  } else {
    std::snprintf(text, sizeof text, "%d:%02d", local.tm_hour, local.tm_min);
  }
  return text;
}

std::string Locale::filled(std::string_view message, const std::tm& local) const {
  return fill(translate(message),
              {{"month_name", translate(kMonths[static_cast<std::size_t>(local.tm_mon)])},
               {"weekday", translate(kWeekdays[static_cast<std::size_t>(local.tm_wday)])},
               {"day", std::to_string(local.tm_mday)},
               {"year", std::to_string(local.tm_year + 1900)},
               {"time", time_of_day(local)}});
}

std::string Locale::format_date(std::time_t date, std::time_t now, const DateStyle& style) const {
  bool full = style.full_format;
  if (date > now) {
    // Clocks differ: what is a moment ahead is now.
    if (style.relative && date - now < kMinute) {
      date = now;
    } else {
      full = true;
    }
  }
  const std::time_t age = now - date;
  const std::time_t days = age / kDay;
  if (!full && style.relative && days == 0) {
    const auto ago = [&](std::string_view one, std::string_view many, std::string_view unit,
                         std::int64_t count) {
      return fill(translate(one, many, count), {{unit, std::to_string(count)}});
    };
    if (age < 50) return ago("1 second ago", "%(seconds)d seconds ago", "seconds", age);
    if (age < 50 * kMinute) {
      return ago("1 minute ago", "%(minutes)d minutes ago", "minutes", rounded(age, kMinute));
    }
    return ago("1 hour ago", "%(hours)d hours ago", "hours", rounded(age, kHour));
  }
  const std::tm local = local_parts(date, style.gmt_offset);
  const std::tm yesterday = local_parts(now - kDay, style.gmt_offset);
  const bool shorter = style.shorter;
  if (!full) {
    if (days == 0) return filled("%(time)s", local);
    if (days == 1 && local.tm_mday == yesterday.tm_mday && style.relative) {
      return filled(shorter ? "yesterday" : "yesterday at %(time)s", local);
    }
    if (days < 5) return filled(shorter ? "%(weekday)s" : "%(weekday)s at %(time)s", local);
    if (days < 334) {  // eleven months: the same month of last year would mislead
      return filled(shorter ? "%(month_name)s %(day)s" : "%(month_name)s %(day)s at %(time)s",
                    local);
    }
  }
  return filled(
      shorter ? "%(month_name)s %(day)s, %(year)s" : "%(month_name)s %(day)s, %(year)s at %(time)s",
      local);
}

std::string Locale::format_day(std::time_t date, int gmt_offset, bool day_of_week) const {
  return filled(day_of_week ? "%(weekday)s, %(month_name)s %(day)s" : "%(month_name)s %(day)s",
                local_parts(date, gmt_offset));
}

std::string Locale::list(std::span<const std::string> parts) const {
  if (parts.empty()) return {};
  if (parts.size() == 1) return parts[0];
  std::string commas;
  for (const std::string& part : parts.first(parts.size() - 1)) {
    if (!commas.empty()) commas += language() == "fa" ? " و " : ", ";
    commas += part;
  }
  return fill(translate("%(commas)s and %(last)s"), {{"commas", commas}, {"last", parts.back()}});
}

std::string Locale::friendly_number(std::int64_t value) const {
  const std::string text = std::to_string(value);
  const bool negative = text.front() == '-';
  return (negative ? "-" : "") + with_groups(std::string_view(text).substr(negative ? 1 : 0),
                                             detail::number_style(code_).group);
}

std::string Locale::format_number(double value, int decimals) const {
  if (!std::isfinite(value)) return std::isnan(value) ? "NaN" : value < 0 ? "-∞" : "∞";
  std::array<char, 400> buffer;  // 1e308 has 309 digits
  const int length = std::snprintf(buffer.data(), buffer.size(), "%.*f", std::clamp(decimals, 0, 9),
                                   std::fabs(value));
  const std::string_view digits(buffer.data(), static_cast<std::size_t>(length));
  const std::size_t point = digits.find_first_not_of("0123456789");
  const detail::NumberStyle style = detail::number_style(code_);
  const bool is_zero = digits.find_first_of("123456789") == std::string_view::npos;
  std::string text = std::signbit(value) && !is_zero ? "-" : "";
  text += with_groups(digits.substr(0, point), style.group);
  if (point != std::string_view::npos) {
    text += style.decimal;
    text += digits.substr(point + 1);
  }
  return text;
}

// --- Locales -----------------------------------------------------------------------------------

struct Locales::State {
  struct Entry {
    std::optional<LanguageTag> tag;  // none: a default that is called as no language is
    std::unique_ptr<Locale> locale;
  };
  std::map<std::string, std::shared_ptr<Catalog>, std::less<>> catalogs;
  std::map<std::string, Entry, std::less<>> locales;

  const Locale* find(const LanguageTag& tag) const {
    const auto found = locales.find(tag.text());
    return found == locales.end() ? nullptr : found->second.locale.get();
  }

  /// The tag itself, or less of it that means the same.
  const Locale* find_same(const LanguageTag& wish) const {
    if (const Locale* exact = find(wish)) return exact;
    for (const LanguageTag& less :
         {LanguageTag{wish.language, "", wish.region}, LanguageTag{wish.language, wish.script, ""},
          LanguageTag{wish.language}}) {
      if (!have_one_script(less, wish)) continue;
      if (const Locale* found = find(less)) return found;
    }
    return nullptr;
  }

  /// The same language elsewhere: where most speak it, or else the first in order.
  const Locale* find_elsewhere(const LanguageTag& wish, bool in_any_script) const {
    const Locale* first = nullptr;
    const std::string region = likely_region(wish);
    for (const auto& [code, entry] : locales) {
      if (!entry.tag || entry.tag->language != wish.language) continue;
      if (!in_any_script && !have_one_script(*entry.tag, wish)) continue;
      if (entry.tag->region == region) return entry.locale.get();
      if (first == nullptr) first = entry.locale.get();
    }
    return first;
  }
};

Locales::Locales(std::string default_code) : state_(std::make_unique<State>()) {
  auto locale = std::make_unique<Locale>(default_code, nullptr);
  default_ = locale.get();
  std::optional<LanguageTag> tag = parse_language_tag(default_code);
  state_->locales.emplace(std::move(default_code), State::Entry{std::move(tag), std::move(locale)});
}

Locales::~Locales() = default;

Catalog& Locales::catalog_of(const std::string& code) {
  std::shared_ptr<Catalog>& catalog = state_->catalogs[code];
  if (!catalog) {
    catalog = std::make_shared<Catalog>(code);
    const bool is_default = default_->code() == code;
    State::Entry& entry = state_->locales[code];
    entry = {parse_language_tag(code), std::make_unique<Locale>(code, catalog)};
    if (is_default) default_ = entry.locale.get();
  }
  return *catalog;
}

void Locales::load_csv(const std::string& directory) {
  for (const std::filesystem::path& path : entries_of(directory)) {
    if (path.extension() != ".csv") continue;
    const std::string code = path.stem().string();
    if (!tag_of_name(code)) {
      general_log().error("unrecognized locale \"" + code + "\" (" + path.string() + ")");
      continue;
    }
    const std::string bytes = read_file(path);
    const std::optional<std::string> text = detail::decode_text(bytes);
    if (!text) {
      throw UsageError("translations " + path.string() + " are neither UTF-8 nor UTF-16: line " +
                       std::to_string(detail::first_invalid_line(bytes)));
    }
    detail::add_csv(catalog_of(code), *text, path.string());
  }
}

void Locales::load_gettext(const std::string& directory, const std::string& domain) {
  for (const std::filesystem::path& path : entries_of(directory)) {
    const std::filesystem::path folder = path / "LC_MESSAGES";
    const bool compiled = std::filesystem::exists(folder / (domain + ".mo"));
    const std::string file = folder / (domain + (compiled ? ".mo" : ".po"));
    const std::string code = path.filename().string();
    if (!std::filesystem::exists(file)) continue;
    if (!tag_of_name(code)) {
      general_log().error("unrecognized locale \"" + code + "\" (" + file + ")");
      continue;
    }
    const auto add = compiled ? detail::add_mo : detail::add_po;
    add(catalog_of(code), read_file(file), file);
  }
}

const Locale& Locales::closest(std::span<const std::string> codes) const {
  std::vector<LanguageTag> wishes;
  for (const std::string& code : codes) {
    if (auto wish = parse_language_tag(code)) wishes.push_back(std::move(*wish));
  }
  for (std::size_t i = 0; i < wishes.size(); ++i) {
    if (const Locale* found = state_->find_same(wishes[i])) return *found;
    // Of what is spoken elsewhere the reader may have named some.
    for (std::size_t later = i + 1; later < wishes.size(); ++later) {
      if (!have_one_script(wishes[i], wishes[later])) continue;
      if (const Locale* found = state_->find(wishes[later])) return *found;
    }
    if (const Locale* found = state_->find_elsewhere(wishes[i], false)) return *found;
    if (const Locale* found = state_->find({.language = wishes[i].language})) return *found;
  }
  for (const LanguageTag& wish : wishes) {
    if (const Locale* found = state_->find_elsewhere(wish, true)) return *found;
  }
  return *default_;
}

const Locale& Locales::closest(std::initializer_list<std::string> codes) const {
  return closest(std::span(codes.begin(), codes.size()));
}

const Locale& Locales::for_browser(std::string_view accept_language) const {
  struct Wish {
    std::string code;
    double weight;
  };
  std::vector<Wish> wishes;
  for_each_part(accept_language, ',', [&](std::string_view item) {
    const std::size_t semicolon = item.find(';');
    Wish wish{std::string(trim(item.substr(0, semicolon))), 1};
    if (semicolon != std::string_view::npos) {
      const std::string_view parameter = trim(item.substr(semicolon + 1));
      const bool named = parameter.starts_with("q=") || parameter.starts_with("Q=");
      wish.weight = named ? parse_double(parameter.substr(2)).value_or(0) : 0;
    }
    if (wish.weight > 0 && wishes.size() < kMostWishes) wishes.push_back(std::move(wish));
  });
  std::ranges::stable_sort(wishes, std::ranges::greater(), &Wish::weight);
  std::vector<std::string> codes;
  for (Wish& wish : wishes) codes.push_back(std::move(wish.code));
  return closest(codes);
}

std::vector<std::string> Locales::supported() const {
  std::vector<std::string> codes;
  for (const auto& [code, locale] : state_->locales) codes.push_back(code);
  return codes;
}

}  // namespace coronado::web
