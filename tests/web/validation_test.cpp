#include <coronado/web/validation.hpp>

#include <coronado/base/describe.hpp>

#include <gtest/gtest.h>

#include <map>

namespace coronado::web_test {
namespace {

struct Line {
  std::string item;
  int count = 1;
};
BOOST_DESCRIBE_STRUCT(Line, (), (item, count))
void describe_rules(web::Rules<Line>& rules) {
  rules.field(&Line::item).length(1, 5).matches("[a-zé]+");
  rules.field(&Line::count).between(1, 100);
}

struct Order {
  std::string currency = "EUR";
  std::vector<Line> lines = {};
  std::map<std::string, Line> named = {};
  std::optional<Line> extra = {};
  std::optional<double> discount = {};
  int begin = 0;
  int end = 1;
};
BOOST_DESCRIBE_STRUCT(Order, (), (currency, lines, named, extra, discount, begin, end))
void describe_rules(web::Rules<Order>& rules) {
  rules.field(&Order::currency).one_of({"EUR", "USD"});
  rules.field(&Order::lines).length(1, 2);
  rules.field(&Order::discount).at_most(0.5);
  rules.require(&Order::end, "must be after begin",
                [](const Order& order) { return order.end > order.begin; });
}

/// "path: message" of each.
std::vector<std::string> problems(const Order& order) {
  std::vector<std::string> lines;
  for (const JsonFieldError& each : web::validation_errors(order)) {
    lines.push_back(each.path + ": " + each.message);
  }
  return lines;
}

using Problems = std::vector<std::string>;

TEST(Validation, NothingIsWrong) {
  EXPECT_EQ(problems({.lines = {{"a", 1}, {"éééé", 100}}, .discount = 0.5}), Problems());
}

TEST(Validation, EveryFieldThatIsWrongIsNamed) {
  EXPECT_EQ(problems({.currency = "DM", .lines = {{"", 0}, {"abcdef", 101}, {"A", 1}}}),
            (Problems{"currency: must be one of EUR, USD", "lines: must have at most 2 elements",
                      "lines[0].item: must have at least 1 character",
                      "lines[0].count: must be at least 1",
                      "lines[1].item: must have at most 5 characters",
                      "lines[1].count: must be at most 100", "lines[2].item: must match [a-zé]+"}));
  EXPECT_EQ(problems({}), (Problems{"lines: must have at least 1 element"}));
  EXPECT_EQ(problems({.lines = {{"a", 1}}, .discount = 0.6}),
            (Problems{"discount: must be at most 0.5"}));
}

TEST(Validation, CountsInTheSingularAndThePlural) {
  const auto problem = [](std::size_t least, std::size_t most, std::string_view text) {
    web::FieldRule rule("x");
    rule.length(least, most);
    return rule.problem_of({.kind = web::FieldValue::Kind::kText, .text = text});
  };
  EXPECT_EQ(problem(1, 5, ""), "must have at least 1 character");
  EXPECT_EQ(problem(2, 5, "a"), "must have at least 2 characters");
  EXPECT_EQ(problem(0, 1, "ab"), "must have at most 1 character");
  EXPECT_EQ(problem(0, 0, "a"), "must have at most 0 characters");
}

TEST(Validation, AsksNothingOfWhatCouldNotBeRead) {
  // begin is not after end, lines are too few, and the count of `extra` is too small.
  const Order order{.currency = "DM", .extra = Line{"b", 0}, .begin = 2, .end = 2};
  const auto others = [&](const char* unreadable) {
    Problems lines;
    for (const JsonFieldError& each : web::validation_errors(order, {{unreadable, "missing"}})) {
      lines.push_back(each.path);
    }
    return lines;
  };
  EXPECT_EQ(others("currency"), (Problems{"currency", "lines", "extra.count"}));
  EXPECT_EQ(others("lines"), (Problems{"lines", "currency", "extra.count"}));
  EXPECT_EQ(others("lines[0].item"),
            (Problems{"lines[0].item", "currency", "lines", "extra.count"}));
  EXPECT_EQ(others("extra"), (Problems{"extra", "currency", "lines"}));
  EXPECT_EQ(others("extra.coun"), (Problems{"extra.coun", "currency", "lines", "extra.count"}));
  EXPECT_EQ(others(""), Problems{""});  // all of it
}

TEST(Validation, LooksIntoMapsAndOptionals) {
  EXPECT_EQ(problems({.lines = {{"a", 1}}, .named = {{"x", {"a", 0}}}, .extra = Line{"b", 0}}),
            (Problems{"named.x.count: must be at least 1", "extra.count: must be at least 1"}));
}

TEST(Validation, AsksOfTheWhole) {
  EXPECT_EQ(problems({.lines = {{"a", 1}}, .begin = 2, .end = 2}),
            (Problems{"end: must be after begin"}));
}

struct Guest {
  std::string address;
  int nights = 1;
  std::vector<int> rooms = {};
};
BOOST_DESCRIBE_STRUCT(Guest, (), (address, nights, rooms))
bool is_address(std::string_view text) { return text.contains('@'); }
void describe_rules(web::Rules<Guest>& rules) {
  rules.require(&Guest::address, "must be an address", is_address);
  rules.require(&Guest::rooms, "must be even",
                [](const std::vector<int>& rooms) { return rooms.size() % 2 == 0; });
  rules.require(&Guest::nights, "must be few for so many rooms",
                [](const Guest& guest) { return guest.nights < 10 || guest.rooms.empty(); });
}

TEST(Validation, AsksOfAFieldWhatNoRuleAsks) {
  const Guest guest{.address = "nowhere", .nights = 10, .rooms = {1}};
  const auto wrong = [&](std::vector<JsonFieldError> unreadable) {
    Problems lines;
    for (const JsonFieldError& each : web::validation_errors(guest, std::move(unreadable))) {
      lines.push_back(each.path + ": " + each.message);
    }
    return lines;
  };
  EXPECT_EQ(wrong({}), (Problems{"address: must be an address", "rooms: must be even",
                                 "nights: must be few for so many rooms"}));
  // Of one that was not read nothing is asked, nor of the whole, but of the others.
  EXPECT_EQ(wrong({{"address", "missing"}}), (Problems{"address: missing", "rooms: must be even"}));
  EXPECT_EQ(wrong({{"rooms[0]", "no"}}), (Problems{"rooms[0]: no", "address: must be an address"}));
}

TEST(Validation, NumbersThatAreNoneBreakTheirBounds) {
  EXPECT_EQ(problems({.lines = {{"a", 1}}, .discount = std::numeric_limits<double>::quiet_NaN()}),
            (Problems{"discount: must be at most 0.5"}));
}

TEST(Validation, WrongRulesAreRefused) {
  EXPECT_THROW(web::FieldRule("x").matches("(["), UsageError);
  const web::ValidationError error(422, {{"a", "missing"}, {"", "broken"}});
  EXPECT_EQ(error.status(), 422);
  EXPECT_EQ(error.log_message(), "a: missing; broken");
}

}  // namespace
}  // namespace coronado::web_test
