#include "testing/sim_log.hpp"

#include <gtest/gtest.h>

namespace coronado {
namespace {

using namespace std::chrono_literals;

TEST(SimLog, WritesLines) {
  const TimePoint begin{1h};
  SimLog log(begin, 10);
  log.add(begin, SimEventKind::kConnect, 3, 0, 0, "a > b");
  log.add(begin + 1500ms, SimEventKind::kSent, 3, 1, 42);
  log.add(begin + 2s, SimEventKind::kBroken, 3, 0, ECONNRESET);
  log.add(begin + 100h, SimEventKind::kLeapt, kNobody, 0, 1'500'000);
  log.add(begin + 100h, SimEventKind::kText, kNobody, 0, 0, "done");
  EXPECT_EQ(log.text(),
            "     0.000000000 #3 client connects a > b\n"
            "     1.500000000 #3 server sends 42\n"
            "     2.000000000 #3 client is told: Connection reset by peer\n"
            "360000.000000000 FAULT: the clock leaps by 1.500000 ms\n"
            "360000.000000000 done\n");
}

TEST(SimLog, ForgetsTheOldest) {
  SimLog log(TimePoint{}, 3);
  for (const char* text : {"a", "b", "c", "d", "e"}) {
    log.add(TimePoint{}, SimEventKind::kText, kNobody, 0, 0, text);
  }
  EXPECT_EQ(log.text(),
            "... 2 lines before\n     0.000000000 c\n     0.000000000 d\n     0.000000000 e\n");
  EXPECT_EQ(log.count(), 5U);
}

TEST(SimLog, KeepsNothingWhenAskedTo) {
  SimLog log(TimePoint{}, 0);
  log.add(TimePoint{}, SimEventKind::kText, kNobody, 0, 0, "a");
  EXPECT_EQ(log.text(), "... 1 lines before\n");
}

TEST(SimLog, TheFingerprintDependsOnEverything) {
  const auto print = [](TimePoint when, SimEventKind kind, std::uint32_t connection, int side,
                        std::uint64_t value, const char* text) {
    SimLog log(TimePoint{}, 1);
    log.add(when, kind, connection, side, value, text);
    return log.fingerprint();
  };
  const std::uint64_t usual = print(TimePoint{1s}, SimEventKind::kSent, 1, 0, 1, "x");
  EXPECT_EQ(usual, print(TimePoint{1s}, SimEventKind::kSent, 1, 0, 1, "x"));
  EXPECT_NE(usual, print(TimePoint{2s}, SimEventKind::kSent, 1, 0, 1, "x"));
  EXPECT_NE(usual, print(TimePoint{1s}, SimEventKind::kRead, 1, 0, 1, "x"));
  EXPECT_NE(usual, print(TimePoint{1s}, SimEventKind::kSent, 2, 0, 1, "x"));
  EXPECT_NE(usual, print(TimePoint{1s}, SimEventKind::kSent, 1, 1, 1, "x"));
  EXPECT_NE(usual, print(TimePoint{1s}, SimEventKind::kSent, 1, 0, 2, "x"));
  EXPECT_NE(usual, print(TimePoint{1s}, SimEventKind::kSent, 1, 0, 1, "y"));
}

}  // namespace
}  // namespace coronado
