// What all pages of the tour have in common: the reader's language, the frame, the stops.
#pragma once

#include <coronado/auth.hpp>
#include <coronado/base/describe.hpp>
#include <coronado/web.hpp>
#include <coronado/web/compiled_template.hpp>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tour {

namespace web = coronado::web;

// Marks a text that is translated where it is shown, not where it stands.
constexpr const char* marked(const char* text) { return text; }

// One language of the tour, as a page offers it.
struct Language {
  std::string code;  // "zh", as in the cookie and in `?lang=`
  std::string tag;   // "zh-CN", as in HTML
  std::string name;  // in itself
  bool current = false;
};
BOOST_DESCRIBE_STRUCT(Language, (), (code, tag, name, current))

// One page of the tour.
struct Stop {
  int number = 0;
  std::string path;  // without the slash at its front
  std::string title;
  std::string summary;
  bool current = false;
};
BOOST_DESCRIBE_STRUCT(Stop, (), (number, path, title, summary, current))

// What base.html puts around a page.
struct Frame {
  std::string tag;
  std::string path;  // without the slash at its front; empty: the first page, or none of them
  int number = 0;    // 0: no stop
  std::string title;
  std::string summary;
  std::vector<Stop> stops;
  std::vector<Language> languages;
  std::optional<Stop> previous;
  std::optional<Stop> next;
  std::string texts;  // for the scripts: JSON
  std::string version;
};
BOOST_DESCRIBE_STRUCT(Frame, (),
                      (tag, path, number, title, summary, stops, languages, previous, next, texts,
                       version))

// A page that has nothing but its frame.
struct StopPage {
  Frame frame;
};
BOOST_DESCRIBE_STRUCT(StopPage, (), (frame))

// What all workers share. Made once, before them.
struct Site {
  Site();

  std::shared_ptr<web::Locales> locales;
  std::shared_ptr<web::SessionStore> sessions;
  // By language: the translations of what the scripts say, as a JSON object.
  std::map<std::string, std::string> script_texts;
  // By "file.cpp:region": the code that the pages show, as HTML.
  std::map<std::string, std::string, std::less<>> listings;
};

// A handler of pages. `?lang=zh` chooses a language, which a cookie keeps; otherwise it is what the
// browser likes best.
class Page : public web::RequestHandler {
 public:
  explicit Page(std::shared_ptr<const Site> site) : site_(std::move(site)) {}

  coronado::Task<> prepare() override;
  void set_default_headers() override;
  void write_error(int status, const std::exception_ptr& error) override;
  std::string get_user_locale() override;

 protected:
  const Site& site() const noexcept { return *site_; }
  // The frame of the page at the path that was asked for.
  Frame frame();

 private:
  bool is_language(const std::string& code) const;

  std::shared_ptr<const Site> site_;
};

// A page that is a template and nothing more.
template <const auto& Template>
class SimplePage final : public Page {
 public:
  using Page::Page;
  coronado::Task<> get() override {
    web::render(*this, Template, StopPage{frame()});
    co_return;
  }
};

// Who asks for a path that is not there gets a page in his language.
class NotFound final : public Page {
 public:
  using Page::Page;
  coronado::Task<> prepare() override;
};

}  // namespace tour
