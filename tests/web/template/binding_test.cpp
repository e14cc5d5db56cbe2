#include <coronado/web/template_binding.hpp>

#include <deque>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>

#include "tests/web/template/template_fixture.hpp"

namespace coronado::web::template_test {
namespace {

enum class Color { kRed = 3 };

TEST(TemplateBinding, Scalars) {
  EXPECT_EQ(value_of("x", {{"x", true}}), "True");
  EXPECT_EQ(value_of("x", {{"x", std::uint8_t{200}}}), "200");
  EXPECT_EQ(value_of("x", {{"x", -5L}}), "-5");
  EXPECT_EQ(value_of("x", {{"x", 1.5F}}), "1.5");
  EXPECT_EQ(value_of("x", {{"x", 'c'}}), "c");
  EXPECT_EQ(value_of("x", {{"x", Color::kRed}}), "3");
  EXPECT_EQ(value_of("x", {{"x", nullptr}}), "None");
  EXPECT_EQ(value_of("x", {{"x", std::string("text")}}), "text");
  EXPECT_EQ(value_of("x", {{"x", std::string_view("view")}}), "view");
  EXPECT_THROW(value_of("x", {{"x", ~std::uint64_t{0}}}), TemplateFault);
}

TEST(TemplateBinding, OptionalsPointersAndVariants) {
  const User user{"Ada", 36, {}};
  const User* none = nullptr;
  EXPECT_EQ(value_of("x", {{"x", std::optional<int>()}}), "None");
  EXPECT_EQ(value_of("x", {{"x", std::optional<int>(5)}}), "5");
  EXPECT_EQ(value_of("x.name", {{"x", &user}}), "Ada");
  EXPECT_EQ(value_of("x", {{"x", none}}), "None");
  EXPECT_EQ(value_of("x.name", {{"x", std::make_shared<User>(user)}}), "Ada");
  EXPECT_EQ(value_of("x.name", {{"x", std::make_unique<User>(user)}}), "Ada");
  EXPECT_EQ(value_of("x", {{"x", std::variant<int, std::string>("s")}}), "s");
}

TEST(TemplateBinding, Containers) {
  EXPECT_EQ(value_of("x", {{"x", std::vector<int>{1, 2}}}), "[1, 2]");
  EXPECT_EQ(value_of("x", {{"x", std::array<int, 2>{1, 2}}}), "[1, 2]");
  EXPECT_EQ(value_of("x", {{"x", std::deque<int>{1, 2}}}), "[1, 2]");
  EXPECT_EQ(value_of("x, len(x), x[1]", {{"x", std::list<int>{1, 2}}}), "([1, 2], 2, 2)");
  EXPECT_EQ(value_of("x", {{"x", std::set<std::string>{"b", "a"}}}), "['a', 'b']");
  EXPECT_EQ(value_of("x[0]", {{"x", std::vector<bool>{true}}}), "True");
  EXPECT_EQ(value_of("x, x[1]", {{"x", std::pair<int, std::string>(1, "a")}}), "((1, 'a'), 'a')");
  EXPECT_EQ(value_of("x", {{"x", std::tuple<int, double, bool>(1, 2.0, true)}}), "(1, 2.0, True)");
  EXPECT_EQ(value_of("x[5]", {{"x", std::map<int, std::string>{{5, "five"}}}}), "five");
  EXPECT_EQ(value_of("x.a", {{"x", std::unordered_map<std::string, int>{{"a", 1}}}}), "1");
  EXPECT_EQ(
      value_of("x[0]['k'][1]",
               {{"x", std::vector<std::map<std::string, std::vector<int>>>{{{"k", {1, 2}}}}}}),
      "2");
}

TEST(TemplateBinding, NothingIsCopied) {
  std::vector<User> users = {{"Ada", 36, {}}};
  const TemplateArgument argument("users", users);
  users[0].name = "Bob";
  EXPECT_EQ(Template("{{ users[0].name }}").generate(TemplateNamespace{argument}), "Bob");
}

TEST(TemplateBinding, Functions) {
  const auto greet = [](std::string_view name, std::optional<int> times) {
    return std::string(name) + std::to_string(times.value_or(1));
  };
  EXPECT_EQ(value_of("f('a'), f('a', 2)", {{"f", greet}}), "('a1', 'a2')");
  EXPECT_EQ(value_of("f(times=3, name='x')", {{"f", template_function({"name", "times"}, greet)}}),
            "x3");
  EXPECT_EQ(value_of("f(1, 2.5, True)", {{"f", [](int a, double b, bool c) { return a + b + c; }}}),
            "4.5");
  EXPECT_EQ(
      value_of("f(u)", {{"f", [](const User& user) { return user.age; }}, {"u", User{"", 7, {}}}}),
      "7");
  EXPECT_EQ(value_of("f({'a': [1]})", {{"f", [](const Json& json) { return json_encode(json); }}}),
            R"({"a":[1]})");
  EXPECT_EQ(value_of("f()", {{"f", [] {}}}), "None");
  EXPECT_EQ(value_of("f()[0].name", {{"f", [] { return std::vector<User>{{"Eve", 1, {}}}; }}}),
            "Eve");
  EXPECT_EQ(value_of("f(1, 2, 3)",
                     {{"f", [](TemplateCall& call) { return static_cast<int>(call.size()); }}}),
            "3");
  EXPECT_EQ(value_of("f(5)", {{"f", [](TemplateValue value) { return value; }}}), "5");
}

TEST(TemplateBinding, FunctionsNameWrongArguments) {
  const auto f = template_function({"path", "size"}, [](std::string, int) { return 1; });
  EXPECT_EQ(value_error("f('a')", {{"f", f}}), "TypeError: f() missing required argument: 'size'");
  EXPECT_EQ(value_error("f(1, 2)", {{"f", f}}),
            "TypeError: f(): argument 'path' must be str, not int");
  EXPECT_EQ(value_error("f('a', 'b')", {{"f", f}}),
            "TypeError: f(): argument 'size' must be int, not str");
  EXPECT_EQ(value_error("f('a', 10 ** 12)", {{"f", f}}),
            "OverflowError: f(): 1000000000000 is out of range");
  EXPECT_EQ(value_error("f('a', 1, 2)", {{"f", f}}),
            "TypeError: f() takes at most 2 arguments (3 given)");
  EXPECT_EQ(value_error("g()", {{"g", [](int) { return 1; }}}),
            "TypeError: g() takes 1 arguments (0 given)");
}

}  // namespace
}  // namespace coronado::web::template_test
