#include <coronado/base/random.hpp>

#include <gtest/gtest.h>

#include <array>

namespace coronado {
namespace {

TEST(Random, TheSameSeedGivesTheSameSequenceEverywhere) {
  Random random(1234567);
  // The reference values of SplitMix64.
  EXPECT_EQ(random.next(), 6457827717110365317U);
  EXPECT_EQ(random.next(), 3203168211198807973U);
  EXPECT_EQ(random.next(), 9817491932198370423U);
}

TEST(Random, BelowReachesEveryValueAboutAsOften) {
  Random random(1);
  std::array<int, 6> counts{};
  for (int i = 0; i < 6000; ++i) ++counts.at(random.below(6));
  for (const int count : counts) EXPECT_NEAR(count, 1000, 150);
  EXPECT_EQ(random.below(1), 0U);
}

TEST(Random, UnitStaysBelowOne) {
  Random random(1);
  double sum = 0;
  for (int i = 0; i < 10'000; ++i) {
    const double value = random.unit();
    EXPECT_GE(value, 0.0);
    EXPECT_LT(value, 1.0);
    sum += value;
  }
  EXPECT_NEAR(sum / 10'000, 0.5, 0.02);
}

TEST(Random, SeedsDifferAndAreNeverZero) {
  const std::uint64_t first = random_seed();
  EXPECT_NE(first, 0U);
  EXPECT_NE(first, random_seed());
}

}  // namespace
}  // namespace coronado
