#include <coronado/http/header_block.hpp>

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace coronado {
namespace {

TEST(HeaderBlock, FieldsAreKeptInWireFormAndOrder) {
  HeaderBlock block;
  EXPECT_TRUE(block.empty());
  block.set("Content-Type", "text/plain");
  block.add("Set-Cookie", "a=1");
  block.add("Set-Cookie", "b=2");
  EXPECT_EQ(block.wire(), "Content-Type: text/plain\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n");
  EXPECT_EQ(block.find("set-cookie"), "a=1");
  EXPECT_EQ(block.find("X-None"), std::nullopt);
}

TEST(HeaderBlock, SetReplacesEveryFieldOfThatNameInAnyCase) {
  HeaderBlock block;
  block.add("X-A", "1");
  block.add("x-a", "2");
  block.add("X-B", "3");
  block.set("X-a", "4");
  EXPECT_EQ(block.wire(), "X-B: 3\r\nX-a: 4\r\n");
}

TEST(HeaderBlock, KnownFieldsAreTrackedHoweverTheyAreSpelled) {
  HeaderBlock block;
  block.set("dATE", "today");
  block.append_wire("Content-Type: text/html\r\n", HeaderBlock::kContentType);
  EXPECT_TRUE(block.contains(HeaderBlock::kDate));
  EXPECT_TRUE(block.contains(HeaderBlock::kContentType));
  EXPECT_FALSE(block.contains(HeaderBlock::kServer));
  block.erase("Date");
  block.erase("content-type");
  EXPECT_FALSE(block.contains(HeaderBlock::kDate));
  EXPECT_FALSE(block.contains(HeaderBlock::kContentType));
  EXPECT_TRUE(block.empty());
}

TEST(HeaderBlock, FieldsThatCameAsTextCanBeReplacedToo) {
  HeaderBlock block;
  block.append_wire("Content-Type: a/b\r\nX-A: 1\r\ndate: today\r\n");
  EXPECT_TRUE(block.contains(HeaderBlock::kDate));
  EXPECT_FALSE(block.contains(HeaderBlock::kServer));
  block.set("Content-Type", "c/d");
  EXPECT_EQ(block.wire(), "X-A: 1\r\ndate: today\r\nContent-Type: c/d\r\n");
}

TEST(HeaderBlock, UnsafeNamesAndValuesAreRefusedAndChangeNothing) {
  HeaderBlock block;
  block.set("X-A", "1");
  EXPECT_THROW(block.set("X A", "1"), std::invalid_argument);
  EXPECT_THROW(block.set("", "1"), std::invalid_argument);
  EXPECT_THROW(block.add("X-B", "1\r\nX-Injected: 2"), std::invalid_argument);
  EXPECT_THROW(block.set("X-A", std::string("nul\0", 4)), std::invalid_argument);
  EXPECT_THROW(block.set("Content-Type", "a\nb"), std::invalid_argument);
  EXPECT_EQ(block.wire(), "X-A: 1\r\n");
}

// The block moves from its own storage to the heap on the way: everything must hold on both sides.
TEST(HeaderBlock, GrowsBeyondItsOwnStorage) {
  HeaderBlock block;
  std::string expected;
  for (int i = 0; i < 40; ++i) {
    const std::string name = "X-Field-" + std::to_string(i);
    const std::string value(static_cast<std::size_t>(i), 'v');
    block.add(name, value);
    expected += name + ": " + value + "\r\n";
    ASSERT_EQ(block.wire(), expected);
  }
  HeaderBlock copy = block;
  for (int i = 0; i < 40; i += 2) block.erase("X-Field-" + std::to_string(i));
  EXPECT_EQ(block.find("X-Field-4"), std::nullopt);
  EXPECT_EQ(block.find("X-Field-5"), "vvvvv");
  EXPECT_EQ(copy.wire(), expected);
  copy.clear();
  EXPECT_TRUE(copy.empty());
  copy.add("X-A", "1");
  EXPECT_EQ(copy.wire(), "X-A: 1\r\n");
}

}  // namespace
}  // namespace coronado
