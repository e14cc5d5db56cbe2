#include "tests/web/template/template_fixture.hpp"

namespace coronado::web::template_test {
namespace {

/// What a list is after a statement.
std::string after(const std::string& start, const std::string& statement) {
  return render("{% set x = " + start + " %}{% set " + statement + " %}{% raw x %}");
}

TEST(TemplateContainerMethods, ListsChange) {
  EXPECT_EQ(after("[1]", "x.append(2)"), "[1, 2]");
  EXPECT_EQ(after("[1]", "x.extend((2, 3))"), "[1, 2, 3]");
  EXPECT_EQ(after("[1]", "x.extend(x)"), "[1, 1]");
  EXPECT_EQ(after("[1, 3]", "x.insert(1, 2)"), "[1, 2, 3]");
  EXPECT_EQ(after("[1, 3]", "x.insert(-99, 0)"), "[0, 1, 3]");
  EXPECT_EQ(after("[1, 2, 3]", "x.pop()"), "[1, 2]");
  EXPECT_EQ(after("[1, 2, 3]", "x.pop(0)"), "[2, 3]");
  EXPECT_EQ(after("[1, 2, 1]", "x.remove(1)"), "[2, 1]");
  EXPECT_EQ(after("[2, 1]", "x.sort()"), "[1, 2]");
  EXPECT_EQ(after("[1, -2]", "x.sort(key=abs, reverse=True)"), "[-2, 1]");
  EXPECT_EQ(after("[1, 2]", "x.reverse()"), "[2, 1]");
  EXPECT_EQ(after("[1, 2]", "x.clear()"), "[]");
  EXPECT_EQ(value_error("[].pop()"), "IndexError: pop from empty list");
  EXPECT_EQ(value_error("[1].remove(2)"), "ValueError: list.remove(x): x not in list");
  EXPECT_EQ(value_error("[1].index(2)"), "ValueError: the value is not in the list");
  EXPECT_EQ(value_error("(1,).append(2)"),
            "AttributeError: 'tuple' object has no attribute 'append'");
}

TEST(TemplateContainerMethods, DictsChange) {
  EXPECT_EQ(after("{'a': 1}", "x.update({'b': 2}, c=3)"), "{'a': 1, 'b': 2, 'c': 3}");
  EXPECT_EQ(after("{'a': 1, 'b': 2}", "x.pop('a')"), "{'b': 2}");
  EXPECT_EQ(after("{}", "x.setdefault('a', 5)"), "{'a': 5}");
  EXPECT_EQ(after("{'a': 1}", "x.setdefault('a', 5)"), "{'a': 1}");
  EXPECT_EQ(value_of("{}.pop('a', 7)"), "7");
  EXPECT_EQ(value_error("{}.pop('a')"), "KeyError: 'a'");
}

TEST(TemplateContainerMethods, CppContainersAreRead) {
  const std::vector<int> numbers = {3, 1, 2};
  const std::map<std::string, int> ages = {{"Ada", 36}, {"Bob", 7}};
  EXPECT_EQ(value_of("xs.index(1), xs.count(3), sorted(xs), xs[::-1], 2 in xs", {{"xs", numbers}}),
            "(1, 1, [1, 2, 3], [2, 1, 3], True)");
  EXPECT_EQ(value_of("d.get('Ada'), d.get('x', 0), d.keys(), d.items(), 'Bob' in d, d['Bob']",
                     {{"d", ages}}),
            "(36, 0, ['Ada', 'Bob'], [('Ada', 36), ('Bob', 7)], True, 7)");
  EXPECT_EQ(value_error("xs.append(1)", {{"xs", numbers}}),
            "AttributeError: 'list' object has no attribute 'append'");
}

}  // namespace
}  // namespace coronado::web::template_test
