#include <coronado/base/owned_ptr.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <utility>

namespace coronado {
namespace {

struct Counted {
  explicit Counted(int& alive) : alive_(alive) { ++alive_; }
  ~Counted() { --alive_; }
  int& alive_;
};

TEST(OwnedPtr, TakesTheObjectWithIt) {
  int alive = 0;
  {
    const OwnedPtr<Counted> owner = std::make_unique<Counted>(alive);
    EXPECT_TRUE(owner);
    EXPECT_EQ(&owner->alive_, &alive);
    EXPECT_EQ(&*owner, owner.get());
    EXPECT_EQ(alive, 1);
  }
  EXPECT_EQ(alive, 0);
}

TEST(OwnedPtr, MovesAndIsGivenAnother) {
  int alive = 0;
  OwnedPtr<Counted> first = std::make_unique<Counted>(alive);
  OwnedPtr<Counted> second = std::move(first);
  EXPECT_EQ(first, nullptr);  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(alive, 1);
  second = std::make_unique<Counted>(alive);
  EXPECT_EQ(alive, 1);
  OwnedPtr<Counted>& same = second;
  second = std::move(same);
  EXPECT_EQ(alive, 1);
  second.reset(new Counted(alive));
  EXPECT_EQ(alive, 1);
  second = nullptr;
  EXPECT_EQ(alive, 0);
}

TEST(OwnedPtr, GivesUp) {
  int alive = 0;
  OwnedPtr<Counted> owner = std::make_unique<Counted>(alive);
  const std::unique_ptr<Counted> other(owner.release());
  EXPECT_FALSE(owner);
  EXPECT_EQ(alive, 1);
}

}  // namespace
}  // namespace coronado
