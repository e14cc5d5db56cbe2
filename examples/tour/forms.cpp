// A form that is read into a struct, and says what is wrong in the reader's language.
#include <coronado/base/describe.hpp>

#include <map>
#include <pages/forms.html.hpp>

#include "stops.hpp"

namespace tour {
namespace {

using coronado::Task;

// Something on both sides of an @: only a letter to it would tell more.
bool is_address(std::string_view text) {
  const std::size_t at = text.find('@');
  return at != std::string_view::npos && at > 0 && at + 1 < text.size() &&
         text.find_first_of(" \t@", at + 1) == std::string_view::npos;
}

// [rules]
struct Booking {
  std::string name;
  std::string email;
  int seats = 0;
  bool agreed = false;
};
BOOST_DESCRIBE_STRUCT(Booking, (), (name, email, seats, agreed))

void describe_rules(web::Rules<Booking>& rules) {
  rules.field(&Booking::name).length(2, 40);
  rules.field(&Booking::seats).between(1, 8);
  rules.require(&Booking::email, "must be an e-mail address", is_address);
  rules.require(&Booking::agreed, "has to be ticked", [](bool on) { return on; });
}
// [/rules]

// What the rules above say, for the catalogues.
[[maybe_unused]] constexpr const char* kMessages[] = {
    marked("missing"),
    marked("must have at least 2 characters"),
    marked("must have at most 40 characters"),
    marked("must be an e-mail address"),
    marked("must be at least 1"),
    marked("must be at most 8"),
    marked("has to be ticked"),
};
constexpr const char* kNoNumber = marked("must be a whole number");

struct FormsPage {
  Frame frame;
  std::map<std::string, std::string> values = {};  // as they were typed
  std::map<std::string, std::string> errors = {};  // by field
  bool booked = false;
};
BOOST_DESCRIBE_STRUCT(FormsPage, (), (frame, values, errors, booked))

// [form]
class Forms final : public Page {
 public:
  using Page::Page;

  Task<> get() override {
    show({.frame = frame(), .values = {{"seats", "1"}}});
    co_return;
  }

  Task<> post() override {
    FormsPage page{.frame = frame()};
    for (const char* field : {"name", "email", "seats", "agreed"}) {
      page.values[field] = get_body_argument(field, "");
    }
    try {
      web::Form<Booking>::from_request(request());
      page.booked = true;
    } catch (const web::ValidationError& wrong) {
      set_status(422);
      for (const auto& [field, message] : wrong.errors()) {
        page.errors.emplace(field, message_for_reader(message));
      }
    }
    show(page);
    co_return;
  }
  // [/form]

 private:
  // Of a field that is no number the message repeats what was typed, so that none is in a catalogue.
  std::string message_for_reader(const std::string& message) {
    return locale().translate(message.starts_with("expected an integer") ? kNoNumber : message);
  }

  void show(const FormsPage& page) {
    FormsPage shown = page;
    for (const char* field : {"name", "email", "seats", "agreed"}) {
      shown.values.try_emplace(field, "");
      shown.errors.try_emplace(field, "");
    }
    web::render(*this, pages::forms_html, shown);
  }
};

}  // namespace

void add_forms(web::Application& app, const SharedSite& site) { app.add<Forms>("/forms", site); }

}  // namespace tour
