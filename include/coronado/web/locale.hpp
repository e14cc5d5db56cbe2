/// Texts in the language of who reads them.
///
///     auto locales = std::make_shared<web::Locales>("en");
///     locales->load_csv("translations");              // de.csv, fr_CA.csv, ...
///     app.set_locales(locales);
///
///     locale().translate("Hello")                     // in a handler: by get_user_locale, or the browser
///     locale().translate("a book", "%(count)d books", 3)
///
///     Locales    what has been loaded, and which language suits whom
///     Locale     one language: translations, dates, numbers, lists
///
/// Threads  A `Locales` may be read from any thread once it is loaded.
/// Layer: web.   Tornado  `tornado.locale`. Differs: nothing here is global.
#pragma once

#include <cstdint>
#include <ctime>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace coronado::web {

namespace detail {
class Catalog;
}

/// How a date is written.
struct DateStyle {
  /// Minutes that the reader's clock is behind UTC: 300 in New York in winter.
  int gmt_offset = 0;
  bool relative = true;      ///< "2 minutes ago"
  bool shorter = false;      ///< without the time of day
  bool full_format = false;  ///< "July 10, 1980 at 3:05 pm", however near
};

/// One language.
class Locale {
 public:
  /// Params  catalog  Null: texts stay as they are.
  Locale(std::string code, std::shared_ptr<const detail::Catalog> catalog);

  /// "en_US", "de".
  const std::string& code() const noexcept { return code_; }
  /// In itself: "Deutsch"; "Unknown" when nobody has told us.
  std::string_view name() const noexcept;
  /// In English: "German".
  std::string_view english_name() const noexcept;
  /// Written from right to left.
  bool rtl() const noexcept;

  /// The translation of `message`, or itself.
  std::string translate(std::string_view message) const;

  /// The form for `count` things: which of them counts is the language's rule.
  ///
  /// Without a translation it is `message` for 1, else `plural`.
  std::string translate(std::string_view message, std::string_view plural,
                        std::int64_t count) const;

  /// As `translate`, of a text that means different things: {"law", "right"}. Only gettext has
  /// contexts; in CSV the text is looked up without.
  std::string pgettext(std::string_view context, std::string_view message) const;
  std::string pgettext(std::string_view context, std::string_view message, std::string_view plural,
                       std::int64_t count) const;

  /// "2 minutes ago", "yesterday at 15:05", "July 10, 1980 at 3:05 pm".
  /// Params  date  Seconds since 1970, UTC.
  ///         now   The same, of this moment.
  std::string format_date(std::time_t date, std::time_t now, const DateStyle& style = {}) const;
  std::string format_date(std::time_t date, const DateStyle& style = {}) const {
    return format_date(date, std::time(nullptr), style);
  }

  /// "Monday, January 22"; without the day of the week "January 22".
  std::string format_day(std::time_t date, int gmt_offset = 0, bool day_of_week = true) const;

  /// "A, B and C".
  std::string list(std::span<const std::string> parts) const;

  /// "1,234,567", with the language's separator.
  /// Tornado  `friendly_number`, which does so in English only.
  std::string friendly_number(std::int64_t value) const;

  /// "1,234.50".   Params  decimals  0 to 9 digits behind the point.
  std::string format_number(double value, int decimals) const;

 private:
  std::string time_of_day(const std::tm& local) const;
  std::string filled(std::string_view message, const std::tm& local) const;

  std::string code_;
  std::string_view language() const noexcept;
  std::shared_ptr<const detail::Catalog> catalog_;
};

/// The languages of an application.
class Locales {
 public:
  /// Params  default_code  What who asks for nothing we have gets: the language of the program's own
  ///                       texts.
  explicit Locales(std::string default_code = "en_US");
  ~Locales();

  /// Reads every `ll.csv` and `ll_CC.csv` of a folder: "message","translation" and perhaps "plural",
  /// "singular" or "unknown" in each row, in UTF-8, or UTF-16 with a byte order mark. Rows and files
  /// that are wrong are logged by name and line and left out. Later files add to earlier ones.
  /// Throws   UsageError  The folder or a file cannot be read, or is not in its encoding.
  /// Tornado  `load_translations`.
  void load_csv(const std::string& directory);

  /// Reads `<directory>/<code>/LC_MESSAGES/<domain>.mo`, with the plural rules they have.
  /// Throws   UsageError  The folder or a file cannot be read, or is broken; the message names it.
  /// Tornado  `load_gettext_translations`.
  void load_gettext(const std::string& directory, const std::string& domain);

  /// The first of `codes` that there is, by itself or by its language ("de" for "de-AT"); otherwise
  /// the default.
  /// Tornado  `get_closest`.
  const Locale& closest(std::span<const std::string> codes) const;
  const Locale& closest(std::initializer_list<std::string> codes) const;

  /// What a browser likes best.
  /// Params  accept_language  The field `Accept-Language`; what has no right weight in it is skipped.
  /// Spec    RFC 9110 12.5.4.   Tornado  `get_browser_locale`.
  const Locale& for_browser(std::string_view accept_language) const;

  const Locale& default_locale() const noexcept { return *default_; }

  /// The codes there are, in order, that of the default among them.
  /// Tornado  `get_supported_locales`.
  std::vector<std::string> supported() const;

 private:
  struct State;
  detail::Catalog& catalog_of(const std::string& code);

  std::unique_ptr<State> state_;
  const Locale* default_ = nullptr;
};

}  // namespace coronado::web
