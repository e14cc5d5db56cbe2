#include <coronado/testing/expect_log.hpp>

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

namespace coronado {
namespace {

TEST(ExpectLog, TakesMatchingLines) {
  ExpectLog expected("coronado.general: disk full");
  general_log().warning("disk full on /tmp");
  general_log().error("disk full on /var");
  EXPECT_EQ(expected.count(), 2U);
  EXPECT_EQ(expected.lines().front(), "warning coronado.general: disk full on /tmp");
}

TEST(ExpectLog, FailsWhenNothingWasLogged) {
  EXPECT_NONFATAL_FAILURE(ExpectLog("never"), "nothing was logged that contains \"never\"");
}

TEST(ExpectLog, FailsOnWarningsThatNobodyExpects) {
  const ExpectLog quiet;
  EXPECT_NONFATAL_FAILURE(general_log().warning("surprise"),
                          "unexpected log line: warning coronado.general: surprise");
  general_log().info("harmless");
  EXPECT_EQ(quiet.count(), 0U);
}

TEST(ExpectLog, OuterOneTakesWhatTheInnerDoesNot) {
  const ExpectLog outer("first");
  {
    const ExpectLog inner("second");
    app_log().error("first");
    app_log().error("second");
    EXPECT_EQ(inner.count(), 1U);
  }
  EXPECT_EQ(outer.count(), 1U);
  app_log().error("first again");
  EXPECT_EQ(outer.count(), 2U);
}

}  // namespace
}  // namespace coronado
