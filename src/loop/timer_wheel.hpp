/// `TimerWheel`: the timers of one loop, in a hierarchy of wheels.
///
/// Six wheels of 256 slots; a tick is 65.5 µs, and each wheel is 256 times coarser than the one
/// below. Insertion and removal are constant; a timer is moved down at most once per wheel: for one
/// that is due within four seconds, once. Measured against heaps at a million timers this is three
/// times cheaper, and it needs no memory beside the timers.
///
/// A timer never fires early, and at most one tick late. Timers of one tick fire in the order of
/// their deadlines, and of their arming where those are equal.
#pragma once

#include <coronado/coro/executor.hpp>

#include <array>
#include <cstdint>
#include <vector>

namespace coronado {

class TimerWheel {
 public:
  explicit TimerWheel(TimePoint start) noexcept;
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;
  /// Disarms what is still armed: a timer may outlive its loop.
  ~TimerWheel();

  void arm(Timer& timer, TimePoint when) noexcept;
  void disarm(Timer& timer) noexcept;

  /// Fires what is due at `now`; returns how many fired.
  std::size_t advance(TimePoint now) noexcept {
    const std::uint64_t target = tick_of(now);
    if (target + 1 >= first_) return advance_to(target);
    // No slot begins until then: there is nothing to fire and nothing to be moved.
    if (current_ <= target) current_ = target + 1;
    return 0;
  }

  /// Disarms all timers and tells them that the loop closes.
  void close() noexcept;

  /// No timer is due before this instant; `TimePoint::max()` when there is none.
  TimePoint next_due() const noexcept {
    if (size_ == 0 || first_ == kNever) return TimePoint::max();
    return TimePoint(Duration(static_cast<Duration::rep>(first_ << kTickBits)));
  }

  std::size_t size() const noexcept { return size_; }

 private:
  static constexpr int kTickBits = 16;
  static constexpr int kLevelBits = 8;
  static constexpr int kLevels = 6;
  static constexpr std::size_t kSlots = std::size_t{1} << kLevelBits;
  static constexpr std::uint64_t kNever = ~std::uint64_t{0};

  struct Position {
    std::uint64_t tick;
    int level;
    std::size_t slot;
  };

  /// Which slots of one wheel hold timers.
  class Occupancy {
   public:
    void set(std::size_t slot) noexcept { words_[slot / 64] |= std::uint64_t{1} << (slot % 64); }
    void clear(std::size_t slot) noexcept {
      words_[slot / 64] &= ~(std::uint64_t{1} << (slot % 64));
    }
    bool test(std::size_t slot) const noexcept {
      return (words_[slot / 64] >> (slot % 64) & 1) != 0;
    }
    /// The first occupied slot from `slot` on, or `kSlots`.
    std::size_t first_from(std::size_t slot) const noexcept;

   private:
    std::array<std::uint64_t, kSlots / 64> words_{};
  };

  static std::uint64_t tick_of(TimePoint when) noexcept {
    const auto count = when.time_since_epoch().count();
    return count < 0 ? 0 : static_cast<std::uint64_t>(count) >> kTickBits;
  }
  static std::size_t slot_of(std::uint64_t tick, int level) noexcept {
    return tick >> (level * kLevelBits) & (kSlots - 1);
  }
  std::size_t advance_to(std::uint64_t target) noexcept;
  void insert(Timer& timer) noexcept;
  void move_to(std::uint64_t tick) noexcept;
  bool next_position(Position& position) const noexcept;
  std::size_t fire(IntrusiveList<Timer>& due) noexcept;
  void order_by_deadline(IntrusiveList<Timer>& due) noexcept;

  std::uint64_t current_;  // the next tick to be looked at; every earlier one has been fired
  /// No occupied slot of any wheel begins before this tick. To disarm a timer leaves it as it is:
  /// then it is too early, and what comes of that is one look for nothing.
  std::uint64_t first_ = kNever;
  std::size_t size_ = 0;
  std::array<Occupancy, kLevels> occupied_;
  std::array<std::array<IntrusiveList<Timer>, kSlots>, kLevels> slots_;
  struct Due {
    TimePoint when;
    std::size_t order;
    Timer* timer;
  };
  std::vector<Due> scratch_;
};

}  // namespace coronado
