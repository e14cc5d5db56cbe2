#include <coronado/web/schema.hpp>

#include <coronado/base/describe.hpp>

#include <gtest/gtest.h>

#include <map>

namespace coronado::web_test {
namespace shop {
struct Item {
  std::string name;
  std::optional<unsigned> count;
};
BOOST_DESCRIBE_STRUCT(Item, (), (name, count))
void describe_rules(web::Rules<Item>& rules) {
  rules.field(&Item::name).length(1, 9).matches("[a-z]+").says("What it is");
  rules.field(&Item::count).at_most(7);
}
}  // namespace shop
namespace store {
struct Item {
  std::vector<Item> parts;
};
BOOST_DESCRIBE_STRUCT(Item, (), (parts))
}  // namespace store
namespace {

template <class T>
std::string schema_text() {
  web::SchemaRegistry registry;
  return json_encode(web::json_schema<T>(registry));
}

TEST(JsonSchema, OfPlainTypes) {
  EXPECT_EQ(schema_text<bool>(), R"({"type":"boolean"})");
  EXPECT_EQ(schema_text<int>(), R"({"type":"integer","format":"int32"})");
  EXPECT_EQ(schema_text<std::uint64_t>(), R"({"type":"integer","format":"int64","minimum":0})");
  EXPECT_EQ(schema_text<short>(), R"({"type":"integer"})");
  EXPECT_EQ(schema_text<double>(), R"({"type":"number","format":"double"})");
  EXPECT_EQ(schema_text<std::string>(), R"({"type":"string"})");
  EXPECT_EQ(schema_text<Json>(), "{}");
  EXPECT_EQ(schema_text<std::vector<bool>>(), R"({"type":"array","items":{"type":"boolean"}})");
  EXPECT_EQ((schema_text<std::map<std::string, float>>()),
            R"({"type":"object","additionalProperties":{"type":"number","format":"float"}})");
  EXPECT_EQ(schema_text<std::optional<std::string>>(),
            R"({"anyOf":[{"type":"string"},{"type":"null"}]})");
}

TEST(JsonSchema, StructsAreDescribedOnceWithTheirRules) {
  web::SchemaRegistry registry;
  EXPECT_EQ(json_encode(web::json_schema<std::vector<shop::Item>>(registry)),
            R"({"type":"array","items":{"$ref":"#/components/schemas/Item"}})");
  web::json_schema<shop::Item>(registry);
  EXPECT_EQ(json_encode(registry.components()),
            R"({"Item":{"type":"object","properties":{)"
            R"("name":{"type":"string","description":"What it is","minLength":1,"maxLength":9,)"
            R"("pattern":"^(?:[a-z]+)$"},)"
            R"("count":{"anyOf":[{"type":"integer","format":"int32","minimum":0,"maximum":7},)"
            R"({"type":"null"}]}},"required":["name"]}})");
}

TEST(JsonSchema, TwoStructsOfOneNameAndOneThatHoldsItself) {
  web::SchemaRegistry registry;
  web::json_schema<shop::Item>(registry);
  EXPECT_EQ(json_encode(web::json_schema<store::Item>(registry)),
            R"({"$ref":"#/components/schemas/coronado.web_test.store.Item"})");
  EXPECT_EQ(
      json_encode(registry.components()["coronado.web_test.store.Item"]),
      R"({"type":"object","properties":{"parts":{"type":"array","items":)"
      R"({"$ref":"#/components/schemas/coronado.web_test.store.Item"}}},"required":["parts"]})");
}

}  // namespace
}  // namespace coronado::web_test
