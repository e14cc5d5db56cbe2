#include <coronado/base/local_ptr.hpp>

#include <gtest/gtest.h>

#include <utility>

namespace coronado {
namespace {

struct Counted : LocallyShared {
  explicit Counted(int& alive) : alive_(alive) { ++alive_; }
  ~Counted() { --alive_; }
  int& alive_;
};

TEST(LocalPtr, TheLastOwnerTakesTheObjectWithIt) {
  int alive = 0;
  LocalPtr<Counted> first = make_local<Counted>(alive);
  {
    const LocalPtr<Counted> second = first;
    EXPECT_EQ(second, first);
    first = nullptr;
    EXPECT_EQ(alive, 1);
    EXPECT_NE(second, first);
  }
  EXPECT_EQ(alive, 0);
}

TEST(LocalPtr, MovesAndAssigns) {
  int alive = 0;
  LocalPtr<Counted> first = make_local<Counted>(alive);
  LocalPtr<Counted> second = std::move(first);
  EXPECT_EQ(first, nullptr);  // NOLINT(bugprone-use-after-move)
  EXPECT_FALSE(first);
  EXPECT_EQ(&second->alive_, &alive);
  const LocalPtr<Counted>& same = second;
  second = same;
  EXPECT_EQ(alive, 1);
  second = make_local<Counted>(alive);
  EXPECT_EQ(alive, 1);
  EXPECT_EQ(&(*second).alive_, &alive);
  EXPECT_EQ(LocalPtr<Counted>(), LocalPtr<Counted>(nullptr));
}

}  // namespace
}  // namespace coronado
