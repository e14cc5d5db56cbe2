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
                      "lines[0].item: must have at least 1 characters",
                      "lines[0].count: must be at least 1",
                      "lines[1].item: must have at most 5 characters",
                      "lines[1].count: must be at most 100", "lines[2].item: must match [a-zé]+"}));
  EXPECT_EQ(problems({}), (Problems{"lines: must have at least 1 elements"}));
  EXPECT_EQ(problems({.lines = {{"a", 1}}, .discount = 0.6}),
            (Problems{"discount: must be at most 0.5"}));
}

TEST(Validation, LooksIntoMapsAndOptionals) {
  EXPECT_EQ(problems({.lines = {{"a", 1}}, .named = {{"x", {"a", 0}}}, .extra = Line{"b", 0}}),
            (Problems{"named.x.count: must be at least 1", "extra.count: must be at least 1"}));
}

TEST(Validation, AsksOfTheWhole) {
  EXPECT_EQ(problems({.lines = {{"a", 1}}, .begin = 2, .end = 2}),
            (Problems{"end: must be after begin"}));
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
