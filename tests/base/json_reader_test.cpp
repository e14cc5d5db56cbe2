#include <coronado/base/json_reader.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace coronado {
namespace {

TEST(JsonReader, WalksObjectsAndArrays) {
  JsonReader reader(R"( {"id": 7, "tags": ["a\n", "b"], "none": null, "rest": {"x": [1, {}]}} )");
  std::int64_t id = 0;
  std::vector<std::string> tags;
  std::vector<std::string> keys;
  ASSERT_TRUE(reader.begin_object());
  for (std::string_view key; reader.next_key(key);) {
    keys.emplace_back(key);
    if (key == "id") {
      id = reader.read_int();
    } else if (key == "tags") {
      ASSERT_TRUE(reader.begin_array());
      while (reader.next_element()) tags.emplace_back(reader.read_string());
    } else if (key == "none") {
      EXPECT_EQ(reader.peek(), JsonKind::kNull);
      EXPECT_TRUE(reader.read_null());
    } else {
      EXPECT_FALSE(reader.read_null());
      reader.skip();
    }
  }
  reader.finish();
  EXPECT_EQ(id, 7);
  EXPECT_EQ(tags, (std::vector<std::string>{"a\n", "b"}));
  EXPECT_EQ(keys, (std::vector<std::string>{"id", "tags", "none", "rest"}));
}

TEST(JsonReader, PeekDoesNotConsume) {
  JsonReader reader("[true, 1, \"s\", {}, []]");
  EXPECT_EQ(reader.peek(), JsonKind::kArray);
  EXPECT_EQ(reader.peek(), JsonKind::kArray);
  ASSERT_TRUE(reader.begin_array());
  std::vector<JsonKind> kinds;
  while (reader.next_element()) {
    kinds.push_back(reader.peek());
    reader.skip();
  }
  EXPECT_EQ(kinds, (std::vector<JsonKind>{JsonKind::kBool, JsonKind::kDouble, JsonKind::kString,
                                          JsonKind::kObject, JsonKind::kArray}));
  reader.finish();
}

TEST(JsonReader, WrongKindsAreSkippedAndReportedAtTheEnd) {
  JsonReader reader(R"([[1], {"a": {"b": "x"}}, 3])");
  ASSERT_TRUE(reader.begin_array());
  ASSERT_TRUE(reader.next_element());
  EXPECT_EQ(reader.read_string(), "");
  ASSERT_TRUE(reader.next_element());
  ASSERT_TRUE(reader.begin_object());
  std::string_view key;
  ASSERT_TRUE(reader.next_key(key));
  ASSERT_TRUE(reader.begin_object());
  ASSERT_TRUE(reader.next_key(key));
  EXPECT_FALSE(reader.read_bool());
  ASSERT_FALSE(reader.next_key(key));
  reader.note_missing("c");
  ASSERT_FALSE(reader.next_key(key));
  ASSERT_TRUE(reader.next_element());
  EXPECT_EQ(reader.read_int(), 3);
  reader.note("too odd");
  ASSERT_FALSE(reader.next_element());
  try {
    reader.finish();
    FAIL();
  } catch (const JsonError& error) {
    ASSERT_EQ(error.fields().size(), 4u);
    EXPECT_EQ(error.fields()[0].path, "[0]");
    EXPECT_EQ(error.fields()[0].message, "expected string, got array");
    EXPECT_EQ(error.fields()[1].path, "[1].a.b");
    EXPECT_EQ(error.fields()[2].path, "[1].a.c");
    EXPECT_EQ(error.fields()[2].message, "missing");
    EXPECT_EQ(error.fields()[3].path, "[2]");
    EXPECT_EQ(error.offset(), 1u);
    EXPECT_STREQ(error.what(), "[0]: expected string, got array");
  }
}

TEST(JsonReader, SkippedValuesAreCheckedAllTheSame) {
  for (const char* bad : {"[1,]", "{\"a\"}", "\"\\x\"", "01", "tru", "[1e999]", "[\"\n\"]"}) {
    JsonReader reader(bad);
    EXPECT_THROW(
        {
          reader.skip();
          reader.finish();
        },
        JsonError)
        << bad;
  }
}

TEST(JsonReader, NumbersAreLimited) {
  JsonReader reader("[5, -5, 300, 2.5]");
  ASSERT_TRUE(reader.begin_array());
  reader.next_element();
  EXPECT_EQ(reader.read_int(0, 5), 5);
  reader.next_element();
  EXPECT_EQ(reader.read_int(-5, 5), -5);
  reader.next_element();
  EXPECT_EQ(reader.read_uint(255), 0u);
  reader.next_element();
  EXPECT_EQ(reader.read_double(2), 0.0);
  reader.next_element();
  EXPECT_THROW(reader.finish(), JsonError);
}

}  // namespace
}  // namespace coronado
