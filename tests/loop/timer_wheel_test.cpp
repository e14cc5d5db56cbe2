#include "loop/timer_wheel.hpp"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <vector>

namespace coronado {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kStart{1000h};
constexpr Duration kTick{65536};

/// Notes in which order timers fire.
struct TestTimer final : Timer {
  explicit TestTimer(std::vector<int>& log, int id) : fired(log), number(id) {}
  void on_timer() noexcept override {
    EXPECT_FALSE(armed());
    fired.push_back(number);
    if (then) then();
  }
  std::vector<int>& fired;
  int number;
  void on_loop_closed() noexcept override {
    EXPECT_FALSE(armed());
    fired.push_back(-number);
    if (then) then();
  }
  Function<void()> then;
};

TEST(TimerWheel, FiresInOrderOfDeadlineNeverEarly) {
  TimerWheel wheel(kStart);
  std::vector<int> fired;
  TestTimer late(fired, 3);
  TestTimer middle(fired, 2);
  TestTimer early(fired, 1);
  wheel.arm(late, kStart + 1ms + 3ns);
  wheel.arm(middle, kStart + 1ms + 2ns);
  wheel.arm(early, kStart + 1ms + 1ns);
  EXPECT_EQ(wheel.size(), 3U);
  EXPECT_EQ(wheel.advance(kStart + 1ms), 0U);
  EXPECT_EQ(wheel.advance(kStart + 1ms + kTick + 3ns), 3U);
  EXPECT_EQ(fired, (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(wheel.next_due(), TimePoint::max());
}

TEST(TimerWheel, WhatWasDisarmedIsForgottenAtTheNextLook) {
  TimerWheel wheel(kStart);
  std::vector<int> fired;
  TestTimer near(fired, 1);
  TestTimer far(fired, 2);
  wheel.arm(near, kStart + 1ms);
  wheel.arm(far, kStart + 3ms);
  wheel.disarm(near);
  EXPECT_LE(wheel.next_due(), kStart + 3ms + kTick);
  EXPECT_EQ(wheel.advance(kStart + 2ms), 0U);
  EXPECT_GT(wheel.next_due(), kStart + 2ms);
  EXPECT_EQ(wheel.advance(kStart + 3ms + kTick), 1U);
  EXPECT_EQ(wheel.next_due(), TimePoint::max());
}

TEST(TimerWheel, DisarmsWhatOutlivesIt) {
  std::vector<int> fired;
  TestTimer near(fired, 1);
  TestTimer far(fired, 2);
  {
    TimerWheel wheel(kStart);
    wheel.arm(near, kStart + 1ms);
    wheel.arm(far, kStart + 1000h);
  }
  EXPECT_FALSE(near.armed());
  EXPECT_FALSE(far.armed());
}

TEST(TimerWheel, EqualDeadlinesFireInOrderOfArming) {
  TimerWheel wheel(kStart);
  std::vector<int> fired;
  TestTimer a(fired, 1);
  TestTimer b(fired, 2);
  TestTimer c(fired, 3);
  wheel.arm(b, kStart + 10s);  // from a coarse wheel
  wheel.advance(kStart + 9999ms);
  wheel.arm(a, kStart + 10s);  // from a fine one
  wheel.arm(c, kStart + 10s);
  wheel.arm(a, kStart + 10s);  // moved behind the others
  wheel.advance(kStart + 11s);
  EXPECT_EQ(fired, (std::vector<int>{2, 3, 1}));
}

TEST(TimerWheel, ACallbackMayArmAndDisarm) {
  TimerWheel wheel(kStart);
  std::vector<int> fired;
  TestTimer first(fired, 1);
  TestTimer second(fired, 2);
  TestTimer third(fired, 3);
  first.then = [&] {
    wheel.disarm(second);
    wheel.arm(first, kStart);  // past: due at once, but not in this call for ever
    first.then = nullptr;
  };
  wheel.arm(first, kStart + 1ms);
  wheel.arm(second, kStart + 1ms);
  wheel.arm(third, kStart + 1ms);
  wheel.advance(kStart + 2ms);
  EXPECT_EQ(fired, (std::vector<int>{1, 3, 1}));
  EXPECT_EQ(wheel.size(), 0U);
}

TEST(TimerWheel, ATimerOfACoarseWheelIsNotOvertakenByLaterOnes) {
  // Time stands exactly at the border of a coarse slot when a later timer is armed in a fine one.
  TimerWheel wheel{TimePoint{}};
  std::vector<int> fired;
  TestTimer coarse(fired, 1);
  TestTimer fine(fired, 2);
  TestTimer beat(fired, 0);
  for (const std::int64_t border : {256LL, 65536LL, 16777216LL}) {
    fired.clear();
    wheel.arm(coarse, TimePoint((border + 20) * kTick));
    wheel.arm(beat, TimePoint((border - 1) * kTick));
    beat.then = [&] { wheel.arm(fine, TimePoint((border + 90) * kTick)); };
    wheel.advance(TimePoint((border - 1) * kTick));
    EXPECT_EQ(fired, (std::vector<int>{0}));
    wheel.advance(TimePoint((border + 21) * kTick));
    EXPECT_EQ(fired, (std::vector<int>{0, 1})) << border;
    wheel.advance(TimePoint((border + 91) * kTick));
    EXPECT_EQ(fired, (std::vector<int>{0, 1, 2}));
  }
}

TEST(TimerWheel, TheEndOfTime) {
  TimerWheel wheel(kStart);
  std::vector<int> fired;
  TestTimer never(fired, 1);
  TestTimer past(fired, 2);
  wheel.arm(never, TimePoint::max() - 1ns);
  EXPECT_GT(wheel.next_due(), kStart + 1000h);
  wheel.arm(past, TimePoint::min());
  EXPECT_LE(wheel.next_due(), kStart + kTick);
  wheel.advance(kStart + kTick);
  EXPECT_EQ(fired, (std::vector<int>{2}));
  wheel.advance(TimePoint::max() - 10s);
  EXPECT_EQ(fired.size(), 1U);
  wheel.disarm(never);
  EXPECT_EQ(wheel.size(), 0U);
}

/// Random arming, disarming and advancing, against a sorted multimap.
class WheelModel {
 public:
  explicit WheelModel(unsigned seed) : random_(seed), wheel_(kStart) {
    for (int i = 0; i < 300; ++i) {
      timers_.push_back(std::make_unique<TestTimer>(fired_, i));
      timers_.back()->then = [this, i] { on_fired(i); };
    }
    places_.resize(timers_.size(), model_.end());
  }
  ~WheelModel() {
    for (auto& timer : timers_) wheel_.disarm(*timer);
  }

  void run(int steps) {
    for (int i = 0; i < steps; ++i) {
      switch (random_() % 4) {
        case 0:
        case 1: arm(pick()); break;
        case 2: disarm(pick()); break;
        default: advance(); break;
      }
      ASSERT_EQ(wheel_.size(), model_.size());
      ASSERT_EQ(wheel_.next_due() == TimePoint::max(), model_.empty());
      if (!model_.empty()) {
        ASSERT_LE(wheel_.next_due(), model_.begin()->first + kTick);
      }
      if (testing::Test::HasFailure()) return;
    }
    rearms_ = false;
    now_ = TimePoint::max() - 10s;
    previous_ = TimePoint::min();
    wheel_.advance(now_);
    EXPECT_TRUE(model_.empty());
    EXPECT_GT(rearmed_, 100);
  }

 private:
  using Model = std::multimap<TimePoint, int>;

  std::size_t pick() { return random_() % timers_.size(); }

  /// A span of any magnitude, from nothing to years.
  Duration span() {
    const unsigned bits = random_() % 58;
    return Duration(static_cast<std::int64_t>(random_() & ((std::uint64_t{1} << bits) - 1)));
  }

  void arm(std::size_t i) {
    if (places_[i] != model_.end()) model_.erase(places_[i]);
    const TimePoint when = now_ + span();
    wheel_.arm(*timers_[i], when);
    places_[i] = model_.emplace(when, static_cast<int>(i));
  }

  void disarm(std::size_t i) {
    wheel_.disarm(*timers_[i]);
    if (places_[i] != model_.end()) model_.erase(places_[i]);
    places_[i] = model_.end();
  }

  void advance() {
    // Mostly a little, sometimes exactly to what is due next, sometimes far.
    now_ = random_() % 3 == 0 && !model_.empty() ? std::max(now_, wheel_.next_due())
                                                 : now_ + span() / 8;
    previous_ = TimePoint::min();
    wheel_.advance(now_);
    // A timer may be late by its tick, and no more.
    if (!model_.empty()) EXPECT_GT(model_.begin()->first, now_ - kTick);
  }

  void on_fired(int i) {
    const auto index = static_cast<std::size_t>(i);
    ASSERT_NE(places_[index], model_.end());
    const TimePoint due = places_[index]->first;
    EXPECT_LE(due, now_) << "early";
    EXPECT_GE(due, previous_) << "out of order";
    previous_ = due;
    model_.erase(places_[index]);
    places_[index] = model_.end();
    if (rearms_ && random_() % 4 == 0) {
      ++rearmed_;
      arm(index);
    }
  }

  std::mt19937_64 random_;
  TimerWheel wheel_;
  Model model_;
  std::vector<Model::iterator> places_;
  std::vector<int> fired_;
  std::vector<std::unique_ptr<TestTimer>> timers_;
  TimePoint now_ = kStart;
  TimePoint previous_ = TimePoint::min();
  bool rearms_ = true;
  int rearmed_ = 0;
};

TEST(TimerWheel, AgreesWithASortedMap) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    WheelModel(seed).run(3000);
    if (HasFailure()) return;
  }
}

TEST(TimerWheel, ClosingTellsThoseThatAreArmed) {
  TimerWheel wheel(kStart);
  std::vector<int> fired;
  TestTimer near(fired, 1);
  TestTimer far(fired, 2);
  TestTimer disarmed(fired, 3);
  TestTimer disarmed_by_another(fired, 4);
  wheel.arm(near, kStart + 1ms);
  wheel.arm(disarmed, kStart + 1h);
  wheel.disarm(disarmed);
  wheel.arm(disarmed_by_another, kStart + 1000h);
  wheel.arm(far, kStart + 500h);
  near.then = [&] { wheel.disarm(disarmed_by_another); };
  wheel.close();
  EXPECT_EQ(fired, (std::vector<int>{-1, -2}));
  EXPECT_EQ(wheel.size(), 0U);
  EXPECT_EQ(wheel.next_due(), TimePoint::max());
}

}  // namespace
}  // namespace coronado
