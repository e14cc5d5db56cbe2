#include "pages.hpp"

#include <algorithm>
#include <array>
#include <pages/error.html.hpp>

#include "listings.hpp"

namespace tour {
namespace {

using coronado::HTTPError;
using coronado::SameSite;
using coronado::Task;

constexpr std::string_view kCookie = "lang";
constexpr std::int64_t kYear = 365 * 86'400;

struct StopText {
  std::string_view path;
  const char* title;
  const char* summary;
};

constexpr std::array kStops = {
    StopText{"hello", marked("A server in one call"),
             marked("A pattern and a function make a route. What the function takes is read from "
                    "the request, what it returns is the answer.")},
    StopText{"waiting", marked("Waiting takes no thread"),
             marked("A coroutine that waits is a few hundred bytes on the heap. One thread runs a "
                    "million of them, as long as none of them blocks.")},
    StopText{"cancel", marked("Cancellation that arrives"),
             marked("Every task has a parent and ends before it. Cancel one, and all below it "
                    "unwind at the line where they wait.")},
    StopText{
        "streams", marked("Streams at the reader’s pace"),
        marked("A response can be sent piece by piece. Whoever sends too fast is made to wait, "
               "and memory stays where it is.")},
    StopText{"chat", marked("A chat room"),
             marked("WebSockets as classes or coroutines, and a topic that everybody in the room "
                    "hears.")},
    StopText{"forms", marked("Forms that say what is wrong"),
             marked("A struct with rules reads the form. Every field that is wrong is named, in "
                    "the language of the reader.")},
    StopText{"templates", marked("Templates, as you type"),
             marked("Tornado’s syntax with Python’s expressions, compiled and rendered by this "
                    "process. Values are escaped, loops have limits, and an error says its line.")},
    StopText{"files", marked("Static files"),
             marked("Versions, conditions, ranges and compressed siblings, and nothing outside of "
                    "the folder.")},
    StopText{"users", marked("Sessions and logins"),
             marked("A session in one line, passwords as hashes, forms that cannot be forged.")},
    StopText{"api", marked("An API that describes itself"),
             marked("The types of a handler check what comes in and write the OpenAPI document.")},
    StopText{"languages", marked("Two languages, one page"),
             marked("Texts, plurals, dates and numbers come from a catalogue. This tour is its own "
                    "example.")},
    StopText{"simulation", marked("A race, found by a seed"),
             marked("On a simulated network and a simulated clock a thousand runs take a moment, "
                    "and the one that fails can be run again.")},
    StopText{"inspector", marked("What waits for what"),
             marked("Every task of this process, below the task that started it: the lines its "
                    "coroutines are suspended at, what it reads, writes or sleeps for, and for how "
                    "long.")},
};

std::string tag_of(const std::string& code) { return code == "zh" ? "zh-CN" : code; }

}  // namespace

Site::Site() : locales(std::make_shared<web::Locales>("en")) {
  // [catalogue]
  locales->load_csv(EXAMPLE_DIR "/translations");  // zh.csv, and whatever comes
  // [/catalogue]
  sessions = std::make_shared<web::MemorySessionStore>();
  const std::vector<std::string> keys = texts_of_scripts(EXAMPLE_DIR "/static");
  for (const std::string& code : locales->supported()) {
    coronado::Json texts = coronado::Json::object();
    for (const std::string& key : keys) {
      std::string text = locales->closest({code}).translate(key);
      if (text != key) texts[key] = std::move(text);
    }
    script_texts[code] = coronado::json_encode(texts);
  }
  listings = read_listings(EXAMPLE_DIR);
}

bool Page::is_language(const std::string& code) const {
  const std::vector<std::string> codes = site_->locales->supported();
  return std::ranges::find(codes, code) != codes.end();
}

// [language]
std::string Page::get_user_locale() {
  const std::string wanted = get_query_argument("lang", "");
  if (is_language(wanted)) return wanted;
  const std::string kept(get_cookie(kCookie).value_or(""));
  return is_language(kept) ? kept : "";  // "": what the browser likes best
}

Task<> Page::prepare() {
  co_await load_session();
  const std::string wanted = get_query_argument("lang", "");
  if (is_language(wanted)) {
    set_cookie(kCookie, wanted, {.max_age = kYear, .same_site = SameSite::kLax});
  }
}

void Page::set_default_headers() {
  set_header("Content-Language", tag_of(locale().code()));
  set_header("Vary", "Accept-Language, Cookie");
  set_header("Cache-Control", "no-cache");
}
// [/language]

Frame Page::frame() {
  Frame frame;
  frame.tag = tag_of(locale().code());
  frame.title = locale().translate("A tour of a live process");
  frame.summary = locale().translate(
      "A C++23 web framework with Tornado’s model, shown by the process that serves this page.");
  frame.version = EXAMPLE_VERSION;
  frame.texts = site_->script_texts.at(locale().code());
  const std::string_view path = request().path().substr(1);
  for (const StopText& text : kStops) {
    Stop stop{.number = static_cast<int>(frame.stops.size()) + 1,
              .path = std::string(text.path),
              .title = locale().translate(text.title),
              .summary = locale().translate(text.summary),
              .current = path == text.path};
    if (stop.current) {
      frame.number = stop.number;
      frame.path = stop.path;
      frame.title = stop.title;
      frame.summary = stop.summary;
    }
    frame.stops.push_back(std::move(stop));
  }
  const auto at = static_cast<std::size_t>(frame.number);
  if (at > 1) frame.previous = frame.stops[at - 2];
  if (at < frame.stops.size()) frame.next = frame.stops[at];
  for (const std::string& code : site_->locales->supported()) {
    frame.languages.push_back({.code = code,
                               .tag = tag_of(code),
                               .name = std::string(site_->locales->closest({code}).name()),
                               .current = code == locale().code()});
  }
  return frame;
}

struct ErrorPage {
  Frame frame;
  int status;
};
BOOST_DESCRIBE_STRUCT(ErrorPage, (), (frame, status))

void Page::write_error(int status, const std::exception_ptr& error) {
  if (request().header("Accept").value_or("").find("text/html") == std::string_view::npos) {
    return RequestHandler::write_error(status, error);
  }
  ErrorPage page{frame(), status};
  page.frame.title = status == 404   ? locale().translate("There is no such page")
                     : status == 403 ? locale().translate("This is not allowed")
                                     : locale().translate("Something went wrong");
  page.frame.summary = locale().translate("The tour begins at its first page.");
  page.frame.next = page.frame.stops.front();
  web::render(*this, pages::error_html, page);
}

Task<> NotFound::prepare() {
  co_await Page::prepare();
  throw HTTPError(404);
}

}  // namespace tour
