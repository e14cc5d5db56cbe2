#include <coronado/web/response.hpp>

#include <gtest/gtest.h>

#include <stdexcept>

namespace coronado::web {
namespace {

TEST(Response, KindsOfBodies) {
  EXPECT_EQ(text("t").headers().find("Content-Type"), kTextType);
  EXPECT_EQ(html("<p>", 404).status(), 404);
  EXPECT_EQ(html("<p>").headers().find("Content-Type"), kHtmlType);
  EXPECT_TRUE(Response(201, "x").headers().empty());
  EXPECT_EQ(Response(201, "x").body(), "x");
}

TEST(Response, FieldsAreReplacedAndChecked) {
  const Response response = text("x").with("content-type", "a/b").with("X-A", "1");
  EXPECT_EQ(response.headers().wire(), "content-type: a/b\r\nX-A: 1\r\n");
  EXPECT_THROW(text("x").with("X-A", "1\r\nX-B: 2"), std::invalid_argument);
  EXPECT_THROW(text("x").with("X A", "1"), std::invalid_argument);
}

TEST(Response, Redirects) {
  const Response response = redirect("/elsewhere", 307);
  EXPECT_EQ(response.status(), 307);
  EXPECT_EQ(response.headers().find("Location"), "/elsewhere");
  EXPECT_THROW(redirect("/x", 200), std::invalid_argument);
  EXPECT_THROW(redirect("/x", 400), std::invalid_argument);
  EXPECT_THROW(redirect("/x\r\nSet-Cookie: a=b"), std::invalid_argument);
}

TEST(Response, IsAValue) {
  Response one = text("one").with("X-A", "1");
  Response two = one;
  two.set_body("two");
  two.headers().set("X-A", "2");
  EXPECT_EQ(one.body(), "one");
  EXPECT_EQ(one.headers().find("X-A"), "1");
  one = std::move(two);
  EXPECT_EQ(one.body(), "two");
  EXPECT_EQ(one.headers().find("X-A"), "2");
}

}  // namespace
}  // namespace coronado::web
