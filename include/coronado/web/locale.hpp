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

  /// Reads every `ll.csv`, `ll_CC.csv` and `ll_Ssss.csv` of a folder, in UTF-8, or UTF-16 with a byte
  /// order mark. A row is "message","translation"; of counted things there are a row "singular" with
  /// the message for one and a row "plural" with that for many, or, with that for many, a row for each
  /// form that the language has: "zero", "one", "two", "few", "many", "other". Rows that are wrong, and
  /// files whose names are no language, are logged by name and line and left out. Later files add to
  /// earlier ones.
  ///
  ///     a book,ein Buch,singular                   %(n)d books,%(n)d книга,one
  ///     %(n)d books,%(n)d Bücher,plural            %(n)d books,%(n)d книги,few
  ///
  /// Throws   UsageError  The folder or a file cannot be read, is not in its encoding, or has a quote
  ///                      that does not end; the message names it and the line.
  /// Spec     RFC 4180; Unicode CLDR, Language Plural Rules.
  /// Tornado  `load_translations`. Differs: knows the forms of each language.
  void load_csv(const std::string& directory);

  /// Reads `<directory>/<code>/LC_MESSAGES/<domain>.mo`, with the plural rules they have, or where
  /// it is not there `<domain>.po`, its source, in UTF-8.
  /// Throws   UsageError  The folder or a file cannot be read, or is broken; the message names it,
  ///                      and the line of a `.po`.
  /// Tornado  `load_gettext_translations`. Differs: reads `.po` files too.
  void load_gettext(const std::string& directory, const std::string& domain);

  /// What suits whoever likes the first of `codes` best. For each in turn: itself, its language
  /// ("de" for "de-AT"), or its language as it is spoken elsewhere ("pt_BR" for "pt", "en_US" for
  /// "en-GB"). The language in another script ("zh_CN" for "zh-TW") comes after all of `codes`; the
  /// default is last.
  /// Spec     RFC 4647 3.4; likely regions as in CLDR.
  /// Tornado  `get_closest`. Differs: it does not look elsewhere.
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
