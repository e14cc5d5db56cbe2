#include <coronado/http/headers.hpp>

#include <gtest/gtest.h>
#include <coronado/base/error.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace coronado {
namespace {

using Views = std::vector<std::string_view>;

std::string error_of(auto&& action) {
  try {
    action();
  } catch (const HTTPInputError& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST(HTTPHeaders, KeepsOrderSpellingAndRepeats) {
  HTTPHeaders headers{{"Foo", "1"}, {"bar", "2"}};
  headers.add("FOO", "3");
  EXPECT_EQ(headers.size(), 3U);
  EXPECT_EQ(headers.to_string(), "Foo: 1\r\nbar: 2\r\nFOO: 3\r\n");
  EXPECT_EQ(headers.get("foo"), "1, 3");
  EXPECT_EQ(headers.get_list("fOO"), (Views{"1", "3"}));
  EXPECT_EQ(headers.find("foo"), "1");
  EXPECT_TRUE(headers.contains("BAR"));
  EXPECT_FALSE(headers.contains("baz"));
  EXPECT_EQ(headers.get("baz"), std::nullopt);
  EXPECT_EQ(headers.get_list("baz"), Views{});
  std::string names;
  for (const HTTPHeaders::Field& field : headers) names += field.name;
  EXPECT_EQ(names, "FoobarFOO");
}

TEST(HTTPHeaders, SetReplacesInPlace) {
  HTTPHeaders headers{{"A", "1"}, {"B", "2"}, {"a", "3"}, {"C", "4"}};
  headers.set("a", "5");
  EXPECT_EQ(headers.to_string(), "a: 5\r\nB: 2\r\nC: 4\r\n");
  headers.set("D", "6");
  EXPECT_EQ(headers.get("d"), "6");
  EXPECT_EQ(headers.size(), 4U);
}

TEST(HTTPHeaders, EraseRemovesAllOfAName) {
  HTTPHeaders headers{{"A", "1"}, {"B", "2"}, {"a", "3"}};
  EXPECT_EQ(headers.erase("A"), 2U);
  EXPECT_EQ(headers.erase("A"), 0U);
  EXPECT_EQ(headers.to_string(), "B: 2\r\n");
  headers.clear();
  EXPECT_TRUE(headers.empty());
  EXPECT_EQ(headers.to_string(), "");
}

TEST(HTTPHeaders, AcceptsViewsOfItself) {
  HTTPHeaders headers{{"Source", std::string(100, 'v')}};
  for (int i = 0; i < 50; ++i) headers.add("Copy", *headers.find("Source"));
  for (int i = 0; i < 50; ++i) headers.set("Source", *headers.find("Copy"));
  headers.set(headers.field(0).name, "x");
  EXPECT_EQ(headers.find("Source"), "x");
  for (const std::string_view value : headers.get_list("Copy")) {
    EXPECT_EQ(value, std::string(100, 'v'));
  }
}

TEST(HTTPHeaders, DoesNotGrowWhenAFieldIsSetOverAndOver) {
  HTTPHeaders headers{{"Keep", "kept"}};
  for (int i = 0; i < 100'000; ++i) headers.set("Counter", std::to_string(i));
  EXPECT_EQ(headers.to_string(), "Keep: kept\r\nCounter: 99999\r\n");
  // All text is in one piece, so the distance shows how much of it there is.
  EXPECT_LT(headers.field(1).name.data() - headers.field(0).name.data(), 4096);
}

TEST(HTTPHeaders, GrowsPastWhatFitsAndCopiesOnlyWhatIsThere) {
  HTTPHeaders headers;
  std::string expected;
  for (int i = 0; i < 300; ++i) {
    const std::string number = std::to_string(i);
    const std::string value(static_cast<std::size_t>(i) * 7 % 400, 'v');
    headers.add("X-" + number, value);
    expected += "X-" + number + ": " + value + "\r\n";
  }
  EXPECT_EQ(headers.to_string(), expected);
  HTTPHeaders copy = headers;
  headers.erase("X-0");
  copy.add("More", "yes");
  EXPECT_EQ(copy.to_string(), expected + "More: yes\r\n");
  const HTTPHeaders& same = copy;
  copy = same;
  EXPECT_EQ(copy.size(), 301U);
  copy.clear();
  copy.add("A", "1");
  EXPECT_EQ(copy.to_string(), "A: 1\r\n");
}

TEST(HTTPHeaders, IsEmptyAfterAMove) {
  HTTPHeaders headers{{"A", "1"}};
  const HTTPHeaders moved = std::move(headers);
  EXPECT_EQ(moved.to_string(), "A: 1\r\n");
  EXPECT_TRUE(headers.empty());  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(headers.erase("A"), 0U);
  headers.clear();
  headers.set("B", "");
  EXPECT_EQ(headers.to_string(), "B: \r\n");
  EXPECT_EQ(HTTPHeaders(HTTPHeaders()).size(), 0U);
}

TEST(HTTPHeaders, RefusesBadNamesAndValuesAndStaysAsItWas) {
  HTTPHeaders headers{{"A", "1"}};
  for (const std::string_view name :
       {std::string_view(""), std::string_view("a b"), std::string_view("a:"),
        std::string_view("a\r\n"), std::string_view("\xC3\xA9"), std::string_view("a\0", 2)}) {
    EXPECT_THROW(headers.add(name, "x"), HTTPInputError) << name;
    EXPECT_THROW(headers.set(name, "x"), HTTPInputError) << name;
  }
  for (const std::string_view value :
       {std::string_view("a\rb"), std::string_view("a\nb"), std::string_view("a\0b", 3),
        std::string_view("a\x7F"), std::string_view("x\r\nB: y")}) {
    EXPECT_THROW(headers.add("A", value), HTTPInputError);
    EXPECT_THROW(headers.set("A", value), HTTPInputError);
  }
  EXPECT_EQ(headers.to_string(), "A: 1\r\n");
  EXPECT_EQ(error_of([&] { headers.add("a b", "x"); }), "Invalid header name \"a b\"");
  EXPECT_EQ(error_of([&] { headers.add("A", "x\r\ny"); }),
            "Invalid header value for A: \"x\\x0d\\x0ay\"");
}

TEST(HTTPHeaders, TrimsValuesAndKeepsInnerTabsAndHighBytes) {
  HTTPHeaders headers;
  headers.add("A", " \t x\ty \xC3\xA9 \t");
  headers.add("B", " ");
  EXPECT_EQ(headers.find("A"), "x\ty \xC3\xA9");
  EXPECT_EQ(headers.find("B"), "");
}

TEST(HTTPHeaders, ParsesLinesAndBlocks) {
  HTTPHeaders headers;
  headers.parse_line("Content-Type: text/html");
  headers.parse_line("Content-Length:42\r\n");
  headers.parse_line("X: a:b\n");
  EXPECT_EQ(headers.to_string(), "Content-Type: text/html\r\nContent-Length: 42\r\nX: a:b\r\n");
  EXPECT_EQ(HTTPHeaders::parse("A: 1\r\nB: 2\nC: 3"),
            (HTTPHeaders{{"a", "1"}, {"b", "2"}, {"C", "3"}}));
  EXPECT_EQ(HTTPHeaders::parse("A: 1\r\n\r\nnot a header"), (HTTPHeaders{{"A", "1"}}));
  EXPECT_TRUE(HTTPHeaders::parse("").empty());
}

TEST(HTTPHeaders, RefusesBadLines) {
  HTTPHeaders headers;
  EXPECT_EQ(error_of([&] { headers.parse_line("asdf"); }), "No colon in header line \"asdf\"");
  EXPECT_EQ(error_of([&] { headers.parse_line(" folded: x"); }),
            "Folded header line \" folded: x\"");
  EXPECT_EQ(error_of([&] { headers.parse_line("\t x"); }), "Folded header line \"\\x09 x\"");
  EXPECT_THROW(headers.parse_line("a : b"), HTTPInputError);
  EXPECT_THROW(headers.parse_line(": b"), HTTPInputError);
  EXPECT_THROW(headers.parse_line("a: b\rc"), HTTPInputError);
  EXPECT_THROW(HTTPHeaders::parse("A: 1\r\n folded\r\n"), HTTPInputError);
  EXPECT_TRUE(headers.empty());
}

TEST(HTTPHeaders, ComparesNamesInAnyCase) {
  const HTTPHeaders a{{"A", "1"}};
  EXPECT_EQ(a, (HTTPHeaders{{"a", "1"}}));
  EXPECT_NE(a, (HTTPHeaders{{"a", "2"}}));
  EXPECT_NE(a, (HTTPHeaders{{"a", "1"}, {"b", "2"}}));
  const HTTPHeaders copy = a;
  EXPECT_EQ(copy, a);
}

}  // namespace
}  // namespace coronado
