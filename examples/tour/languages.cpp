// What a language changes: texts, plurals, dates, numbers.
#include <coronado/base/describe.hpp>
#include <coronado/base/strings.hpp>

#include <algorithm>
#include <ctime>
#include <pages/languages.html.hpp>

#include "stops.hpp"

namespace tour {
namespace {

using coronado::Task;

constexpr std::int64_t kMostBooks = 1'000'000'000;

// The same in one language.
struct Sample {
  std::string tag;
  std::string name;
  std::string books;
  std::string number;
  std::string now;
  std::string ago;
  std::string day;
};
BOOST_DESCRIBE_STRUCT(Sample, (), (tag, name, books, number, now, ago, day))

struct LanguagesPage {
  Frame frame;
  std::int64_t count = 0;
  std::string asked = {};   // the browser's Accept-Language
  std::string chosen = {};  // why this language
  std::vector<Sample> samples = {};
};
BOOST_DESCRIBE_STRUCT(LanguagesPage, (), (frame, count, asked, chosen, samples))

std::string replaced(std::string text, std::string_view what, const std::string& by) {
  const std::size_t at = text.find(what);
  if (at != std::string::npos) text.replace(at, what.size(), by);
  return text;
}

// [sample]
Sample sample(const web::Locale& locale, const Language& language, std::int64_t n) {
  const std::time_t now = std::time(nullptr);
  return {
      .tag = language.tag,
      .name = language.name,
      .books = replaced(locale.translate("one book", "{count} books", n), "{count}",
                        locale.friendly_number(n)),
      .number = locale.format_number(1234567.891, 2),
      .now = locale.format_date(now, {.full_format = true}),
      .ago = locale.format_date(now - 90 * 60, now),
      .day = locale.format_day(now),
  };
}
// [/sample]

class Languages final : public Page {
 public:
  using Page::Page;

  Task<> get() override {
    const std::string typed = get_query_argument("count", "3");
    LanguagesPage page{.frame = frame(),
                       .count = std::clamp<std::int64_t>(
                           coronado::parse_int<std::int64_t>(typed).value_or(3), 0, kMostBooks),
                       .asked = std::string(request().header("Accept-Language").value_or("")),
                       .chosen = why()};
    for (const Language& language : page.frame.languages) {
      page.samples.push_back(
          sample(site().locales->closest({language.code}), language, page.count));
    }
    web::render(*this, pages::languages_html, page);
    co_return;
  }

 private:
  std::string why() {
    if (!get_query_argument("lang", "").empty()) return locale().translate("the address says so");
    if (get_cookie("lang")) return locale().translate("you chose it before, a cookie says");
    return locale().translate("your browser asks for it");
  }
};

}  // namespace

void add_languages(web::Application& app, const SharedSite& site) {
  app.add<Languages>("/languages", site);
}

}  // namespace tour
