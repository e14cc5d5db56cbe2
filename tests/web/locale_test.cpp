#include <coronado/web/locale.hpp>

#include <coronado/base/error.hpp>
#include <coronado/testing/expect_log.hpp>
#include <coronado/testing/temp_folder.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/web/mo_file.hpp"

namespace coronado::web_test {
namespace {

using web::Locale;
using web::Locales;

// Thursday, 26 November 2026, 15:05:09 UTC.
constexpr std::time_t kNow = 1795705509;
constexpr std::time_t kHour = 3600;
constexpr std::time_t kDay = 24 * kHour;

TEST(LocaleDates, NearAndFar) {
  const Locale english("en_US", nullptr);
  const auto ago = [&](std::time_t seconds) { return english.format_date(kNow - seconds, kNow); };
  EXPECT_EQ(ago(0), "0 seconds ago");
  EXPECT_EQ(ago(1), "1 second ago");
  EXPECT_EQ(ago(49), "49 seconds ago");
  EXPECT_EQ(ago(50), "1 minute ago");
  EXPECT_EQ(ago(150), "2 minutes ago");  // halves to the even one
  EXPECT_EQ(ago(2999), "50 minutes ago");
  EXPECT_EQ(ago(3000), "1 hour ago");
  EXPECT_EQ(ago(23 * kHour), "23 hours ago");
  EXPECT_EQ(ago(kDay), "yesterday at 3:05 pm");
  EXPECT_EQ(ago(kDay + 16 * kHour), "Tuesday at 11:05 pm");
  EXPECT_EQ(ago(4 * kDay), "Sunday at 3:05 pm");
  EXPECT_EQ(ago(5 * kDay), "November 21 at 3:05 pm");
  EXPECT_EQ(ago(333 * kDay), "December 28 at 3:05 pm");
  EXPECT_EQ(ago(334 * kDay), "December 27, 2025 at 3:05 pm");
  EXPECT_EQ(ago(-30), "0 seconds ago");  // clocks differ
  EXPECT_EQ(ago(-90), "November 26, 2026 at 3:06 pm");
}

TEST(LocaleDates, Styles) {
  const Locale english("en", nullptr);
  EXPECT_EQ(english.format_date(kNow - kDay, kNow, {.shorter = true}), "yesterday");
  EXPECT_EQ(english.format_date(kNow - 2 * kDay, kNow, {.shorter = true}), "Tuesday");
  EXPECT_EQ(english.format_date(kNow - 9 * kDay, kNow, {.shorter = true}), "November 17");
  EXPECT_EQ(english.format_date(0, kNow, {.shorter = true}), "January 1, 1970");
  EXPECT_EQ(english.format_date(kNow - kHour, kNow, {.relative = false}), "2:05 pm");
  EXPECT_EQ(english.format_date(kNow, kNow, {.full_format = true}), "November 26, 2026 at 3:05 pm");
  EXPECT_EQ(english.format_date(kNow - kHour, kNow, {.gmt_offset = 300, .relative = false}),
            "9:05 am");
  EXPECT_EQ(english.format_day(kNow), "Thursday, November 26");
  EXPECT_EQ(english.format_day(kNow, 16 * 60), "Wednesday, November 25");
  EXPECT_EQ(english.format_day(kNow, 0, false), "November 26");
}

TEST(LocaleDates, ClocksOfOtherLanguages) {
  const std::time_t past = kNow - 10 * kDay;
  EXPECT_EQ(Locale("de", nullptr).format_date(past, kNow), "November 16 at 15:05");
  EXPECT_EQ(Locale("zh_CN", nullptr).format_date(past, kNow), "November 16 at 下午3:05");
  EXPECT_EQ(Locale("en_US", nullptr).format_date(kNow - 20 * kDay - 15 * kHour, kNow),
            "November 6 at 12:05 am");
}

TEST(LocaleNumbers, WithTheSeparatorsOfTheLanguage) {
  const auto number = [](const char* code, std::int64_t value) {
    return Locale(code, nullptr).friendly_number(value);
  };
  EXPECT_EQ(number("en_US", 0), "0");
  EXPECT_EQ(number("en_US", 999), "999");
  EXPECT_EQ(number("en_US", 1000), "1,000");
  EXPECT_EQ(number("en", -1234567), "-1,234,567");
  EXPECT_EQ(number("de", 1234567), "1.234.567");
  EXPECT_EQ(number("de_CH", 1234567), "1’234’567");
  EXPECT_EQ(number("fr_CA", 1234), "1\u202F234");
  EXPECT_EQ(number("ru", 1234), "1\u00A0234");
  EXPECT_EQ(number("zh_CN", 1234), "1,234");
  EXPECT_EQ(number("en", std::numeric_limits<std::int64_t>::min()), "-9,223,372,036,854,775,808");

  EXPECT_EQ(Locale("en", nullptr).format_number(1234.5, 2), "1,234.50");
  EXPECT_EQ(Locale("de", nullptr).format_number(-1234.567, 1), "-1.234,6");
  EXPECT_EQ(Locale("en", nullptr).format_number(-0.001, 2), "0.00");
  EXPECT_EQ(Locale("en", nullptr).format_number(1e6, 0), "1,000,000");
  EXPECT_EQ(Locale("en", nullptr).format_number(std::nan(""), 2), "NaN");
}

TEST(Locale, NamesAndLists) {
  EXPECT_EQ(Locale("de_AT", nullptr).name(), "Deutsch");
  EXPECT_EQ(Locale("pt_BR", nullptr).english_name(), "Portuguese (Brazil)");
  EXPECT_EQ(Locale("xx", nullptr).name(), "Unknown");
  EXPECT_TRUE(Locale("ar_EG", nullptr).rtl());
  EXPECT_FALSE(Locale("en", nullptr).rtl());
  const std::vector<std::string> parts{"A", "B", "C"};
  const Locale english("en", nullptr);
  EXPECT_EQ(english.list({}), "");
  EXPECT_EQ(english.list(std::span(parts).first(1)), "A");
  EXPECT_EQ(english.list(std::span(parts).first(2)), "A and B");
  EXPECT_EQ(english.list(parts), "A, B and C");
  EXPECT_EQ(Locale("fa", nullptr).list(parts), "A و B and C");
}

TEST(Locales, ReadsCSV) {
  TempFolder folder;
  folder.write(
      "de.csv",
      "hello,hallo\nThursday,Donnerstag\nNovember,November\n"
      "\"%(weekday)s, %(month_name)s %(day)s\",\"%(weekday)s, %(day)s. %(month_name)s\"\n"
      "1 hour ago,vor einer Stunde,singular\n%(hours)d hours ago,vor %(hours)d Stunden,plural\n");
  folder.write("fr_CA.csv", "hello,bonjour\n");
  folder.write("notes.txt", "nothing");
  folder.write("Deutsch.csv", "hello,servus\n");
  ExpectLog log("unrecognized locale \"Deutsch\"");
  Locales locales("en");
  locales.load_csv(folder.path());
  EXPECT_EQ(locales.supported(), (std::vector<std::string>{"de", "en", "fr_CA"}));
  const Locale& german = locales.closest({"de"});
  EXPECT_EQ(german.translate("hello"), "hallo");
  EXPECT_EQ(german.translate("goodbye"), "goodbye");
  EXPECT_EQ(german.pgettext("a greeting", "hello"), "hallo");
  EXPECT_EQ(german.format_day(kNow), "Donnerstag, 26. November");
  EXPECT_EQ(german.format_date(kNow - kHour, kNow), "vor einer Stunde");
  EXPECT_EQ(german.format_date(kNow - 2 * kHour, kNow), "vor 2 Stunden");
  EXPECT_EQ(german.translate("a tree", "trees", 2), "trees");
}

TEST(Locales, CountsInTheFormsOfTheLanguage) {
  TempFolder folder;
  folder.write("ru.csv",
               "%(n)d books,%(n)d книга,one\n%(n)d books,%(n)d книги,few\n"
               "%(n)d books,%(n)d книг,many\n"
               "%(hours)d hours ago,%(hours)d час назад,one\n"
               "%(hours)d hours ago,%(hours)d часа назад,few\n"
               "%(hours)d hours ago,%(hours)d часов назад,many\n"
               "trees,деревья,other\n");
  Locales locales;
  locales.load_csv(folder.path());
  const Locale& russian = locales.closest({"ru"});
  const auto books = [&](std::int64_t n) { return russian.translate("a book", "%(n)d books", n); };
  EXPECT_EQ(books(1), "%(n)d книга");
  EXPECT_EQ(books(21), "%(n)d книга");
  EXPECT_EQ(books(-3), "%(n)d книги");
  EXPECT_EQ(books(11), "%(n)d книг");
  EXPECT_EQ(russian.format_date(kNow - 2 * kHour, kNow), "2 часа назад");
  EXPECT_EQ(russian.format_date(kNow - 21 * kHour, kNow), "21 час назад");
  EXPECT_EQ(russian.translate("a tree", "trees", 3), "деревья");  // no row for few
}

TEST(Locales, ReadsGettext) {
  TempFolder folder;
  folder.write("cs/LC_MESSAGES/shop.mo",
               mo_file({{"", "Plural-Forms: nplurals=3; plural=n==1 ? 0 : n<5 ? 1 : 2;\n"},
                        {"law\x04right", "pr\xC3\xA1vo"},
                        {std::string("stick\x04"
                                     "club\0clubs",
                                     16),
                         std::string("h\xC5\xAFl\0hole\0hol\xC3\xAD", 15)},
                        {"right", "vpravo"}},
                       false));
  folder.write("de/LC_MESSAGES/other.mo", "of another program");
  Locales locales;
  locales.load_gettext(folder.path(), "shop");
  EXPECT_EQ(locales.supported(), (std::vector<std::string>{"cs", "en_US"}));
  const Locale& czech = locales.closest({"cs-CZ"});
  EXPECT_EQ(czech.translate("right"), "vpravo");
  EXPECT_EQ(czech.pgettext("law", "right"), "pr\xC3\xA1vo");
  EXPECT_EQ(czech.pgettext("hand", "right"), "vpravo");
  EXPECT_EQ(czech.pgettext("stick", "club", "clubs", 3), "hole");
  EXPECT_EQ(czech.pgettext("party", "club", "clubs", 3), "clubs");
}

TEST(Locales, ReadsTheSourcesOfGettextWhereNothingIsCompiled) {
  TempFolder folder;
  folder.write("cs/LC_MESSAGES/shop.po", "msgid \"right\"\nmsgstr \"vpravo\"\n");
  folder.write("de/LC_MESSAGES/shop.mo", mo_file({{"right", "rechts"}}, false));
  folder.write("de/LC_MESSAGES/shop.po", "not looked at");
  Locales locales;
  locales.load_gettext(folder.path(), "shop");
  EXPECT_EQ(locales.closest({"cs"}).translate("right"), "vpravo");
  EXPECT_EQ(locales.closest({"de"}).translate("right"), "rechts");
  folder.write("fr/LC_MESSAGES/shop.po", "msgid \"right\"\nmsgstr \n");
  try {
    locales.load_gettext(folder.path(), "shop");
    FAIL() << "it was read";
  } catch (const UsageError& error) {
    EXPECT_NE(std::string(error.what()).find("fr/LC_MESSAGES/shop.po are broken: line 2"),
              std::string::npos)
        << error.what();
  }
}

TEST(Locales, WhatCannotBeReadIsNamed) {
  TempFolder folder;
  folder.write("de.csv", "a,b\n\xE9,x\n");
  Locales locales;
  EXPECT_THROW(locales.load_csv(folder.path() + "/nowhere"), UsageError);
  try {
    locales.load_csv(folder.path());
    FAIL() << "it was read";
  } catch (const UsageError& error) {
    EXPECT_NE(std::string(error.what()).find("de.csv are neither UTF-8 nor UTF-16: line 2"),
              std::string::npos)
        << error.what();
  }
}

/// `closest` in a folder of CSV files of these names, with "en" for the default.
class Closest {
 public:
  explicit Closest(std::initializer_list<const char*> names) {
    for (const char* name : names) folder_.write(std::string(name) + ".csv", "a,b\n");
    locales_.load_csv(folder_.path());
  }
  std::string operator()(std::initializer_list<std::string> codes) const {
    return locales_.closest(codes).code();
  }

 private:
  TempFolder folder_;
  Locales locales_{"en"};
};

TEST(Locales, TheClosestOne) {
  const Closest closest{"de", "pt_BR", "zh_TW", "zh"};
  EXPECT_EQ(closest({"pt-br"}), "pt_BR");
  EXPECT_EQ(closest({"DE_at"}), "de");
  EXPECT_EQ(closest({"zh-Hant-TW"}), "zh_TW");
  EXPECT_EQ(closest({"zh-Hans-CN"}), "zh");
  EXPECT_EQ(closest({"", "a-b-c-d", "fr", "de"}), "de");
  EXPECT_EQ(closest({"de-CH-1996"}), "de");
  EXPECT_EQ(closest({"fr"}), "en");
  EXPECT_EQ(closest({}), "en");
}

TEST(Locales, TheLanguageAsItIsSpokenElsewhere) {
  const Closest closest{"de", "en_AU", "en_US", "pt_BR", "pt_PT", "es_419"};
  EXPECT_EQ(closest({"pt", "de"}), "pt_BR");              // where most speak it
  EXPECT_EQ(closest({"pt-AO", "de"}), "pt_BR");           // before another language
  EXPECT_EQ(closest({"pt-AO", "de", "pt-PT"}), "pt_PT");  // unless the reader says which
  EXPECT_EQ(closest({"es-MX", "de"}), "es_419");
  EXPECT_EQ(closest({"en-GB", "de"}), "en");
  TempFolder folder;
  folder.write("de.csv", "a,b\n");
  Locales american("en_US");
  american.load_csv(folder.path());
  EXPECT_EQ(american.closest({"en", "de"}).code(), "en_US");
  EXPECT_EQ(american.closest({"en-GB", "de"}).code(), "en_US");
}

TEST(Locales, ChineseInItsTwoScripts) {
  const Closest both{"zh_CN", "zh_TW"};
  EXPECT_EQ(both({"zh"}), "zh_CN");
  EXPECT_EQ(both({"zh-SG"}), "zh_CN");
  EXPECT_EQ(both({"zh-Hans-HK"}), "zh_CN");
  EXPECT_EQ(both({"zh-Hant"}), "zh_TW");
  EXPECT_EQ(both({"zh-HK"}), "zh_TW");
  const Closest scripts{"zh_Hans", "zh_Hant"};
  EXPECT_EQ(scripts({"zh-CN"}), "zh_Hans");
  EXPECT_EQ(scripts({"zh"}), "zh_Hans");
  EXPECT_EQ(scripts({"zh-Hant-HK"}), "zh_Hant");
  EXPECT_EQ(scripts({"zh-TW"}), "zh_Hant");
  // The other script is better than the default, but not than a language that was asked for.
  const Closest simplified{"zh_CN", "de"};
  EXPECT_EQ(simplified({"zh-TW"}), "zh_CN");
  EXPECT_EQ(simplified({"zh-TW", "de"}), "de");
  EXPECT_EQ(simplified({"zh-TW", "zh", "de"}), "zh_CN");
}

TEST(Locales, WhatABrowserLikesBest) {
  TempFolder folder;
  for (const char* name : {"de.csv", "fr.csv"}) folder.write(name, "a,b\n");
  Locales locales("en");
  locales.load_csv(folder.path());
  const auto best = [&](std::string_view field) { return locales.for_browser(field).code(); };
  EXPECT_EQ(best("fr, de"), "fr");
  EXPECT_EQ(best("fr;q=0.5, de;q=0.8, it"), "de");
  EXPECT_EQ(best("de;q=0, fr;q=0.1"), "fr");
  EXPECT_EQ(best("de;q=x, fr;q=-1"), "en");
  EXPECT_EQ(best("de;level=1, fr"), "fr");
  EXPECT_EQ(best(""), "en");
  EXPECT_EQ(best(",;,;q=1"), "en");
  EXPECT_EQ(best("fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5"), "fr");
  EXPECT_EQ(best("de-AT;Q=0.5,en-GB;q=0.4"), "de");
  EXPECT_EQ(best(std::string(100'000, ',') + "de"), "en");  // more than anybody likes
}

}  // namespace
}  // namespace coronado::web_test
