#include <coronado/web/operation.hpp>

#include <gtest/gtest.h>

#include <coronado/web/extractors.hpp>
#include <coronado/web/json.hpp>

#include <optional>
#include <string>
#include <vector>

namespace coronado::web {
namespace {

TEST(Operation, IsToldOfParametersInTheirOrder) {
  Operation operation;
  detail::describe_argument<unsigned>(operation);
  Query<"tag", std::vector<std::string>>::describe(operation);
  Header<"X-Version", double>::describe(operation);
  Cookie<"theme", std::optional<bool>>::describe(operation);

  ASSERT_EQ(operation.path.size(), 1u);
  EXPECT_STREQ(operation.path[0].type, "integer");
  EXPECT_TRUE(operation.path[0].natural);
  ASSERT_EQ(operation.parameters.size(), 3u);
  const Operation::Parameter& tag = operation.parameters[0];
  const Operation::Parameter& version = operation.parameters[1];
  const Operation::Parameter& theme = operation.parameters[2];
  EXPECT_STREQ(tag.place, "query");
  EXPECT_EQ(tag.name, "tag");
  EXPECT_FALSE(tag.required);
  EXPECT_TRUE(tag.schema.repeated);
  EXPECT_STREQ(version.place, "header");
  EXPECT_TRUE(version.required);
  EXPECT_STREQ(version.schema.type, "number");
  EXPECT_STREQ(theme.place, "cookie");
  EXPECT_FALSE(theme.required);
  EXPECT_STREQ(theme.schema.type, "boolean");
}

TEST(Operation, IsToldOfTheBodyAndTheResult) {
  Operation operation;
  JsonBody<std::vector<int>>::describe(operation);
  ASSERT_TRUE(operation.body);
  EXPECT_EQ(operation.body->type, "application/json");
  EXPECT_NE(operation.body->schema, nullptr);

  detail::describe_result<std::string>(operation);
  ASSERT_TRUE(operation.result);
  EXPECT_EQ(operation.result->type, "text/plain");
  EXPECT_EQ(operation.result->schema, nullptr);
  EXPECT_EQ(operation.status, 200);
  detail::describe_result<void>(operation);
  EXPECT_EQ(operation.status, 204);
}

}  // namespace
}  // namespace coronado::web
