#include "loop/timer_wheel.hpp"

#include <algorithm>
#include <bit>

namespace coronado {
namespace {

std::uint64_t nanoseconds(TimePoint when) noexcept {
  const auto count = when.time_since_epoch().count();
  return count < 0 ? 0 : static_cast<std::uint64_t>(count);
}

}  // namespace

TimerWheel::TimerWheel(TimePoint start) noexcept : current_(nanoseconds(start) >> kTickBits) {}

void TimerWheel::arm(Timer& timer, TimePoint when) noexcept {
  if (timer.armed()) disarm(timer);
  timer.deadline_ = when;
  ++size_;
  insert(timer);
}

void TimerWheel::insert(Timer& timer) noexcept {
  // Rounded up: the slot is looked at when the deadline has surely passed.
  std::uint64_t tick = (nanoseconds(timer.deadline_) + (1U << kTickBits) - 1) >> kTickBits;
  tick = std::max(tick, current_);
  const std::uint64_t differing = tick ^ current_;
  const int level = differing == 0 ? 0 : (63 - std::countl_zero(differing)) / kLevelBits;
  const std::size_t slot = (tick >> (level * kLevelBits)) & (kSlots - 1);
  const auto row = static_cast<std::size_t>(level);
  slots_[row][slot].push_back(timer);
  occupied_[row] |= std::uint64_t{1} << slot;
}

void TimerWheel::disarm(Timer& timer) noexcept {
  if (!timer.armed()) return;
  --size_;
  if (auto* list = IntrusiveList<Timer>::only_element_of(timer)) {
    const auto* first = &slots_.front().front();
    if (list >= first && list <= &slots_.back().back()) {  // not the list that is being fired
      const auto index = static_cast<std::size_t>(list - first);
      occupied_[index / kSlots] &= ~(std::uint64_t{1} << (index % kSlots));
    }
  }
  timer.unlink();
}

bool TimerWheel::next_position(Position& position) const noexcept {
  for (int level = 0; level < kLevels; ++level) {
    const int shift = level * kLevelBits;
    const std::size_t here = (current_ >> shift) & (kSlots - 1);
    const std::uint64_t ahead = occupied_[static_cast<std::size_t>(level)] >> here << here;
    if (ahead == 0) continue;
    // Everything on this wheel is earlier than anything on the coarser ones.
    const auto slot = static_cast<std::size_t>(std::countr_zero(ahead));
    const std::uint64_t above = current_ >> (shift + kLevelBits) << (shift + kLevelBits);
    const std::uint64_t start = above | (std::uint64_t{slot} << shift);
    position = {std::max(start, current_), level, slot};
    return true;
  }
  return false;
}

TimePoint TimerWheel::next_due() const noexcept {
  Position position;
  if (size_ == 0 || !next_position(position)) return TimePoint::max();
  return TimePoint(Duration(static_cast<Duration::rep>(position.tick << kTickBits)));
}

std::size_t TimerWheel::advance(TimePoint now) noexcept {
  const std::uint64_t target = nanoseconds(now) >> kTickBits;
  std::size_t fired = 0;
  Position position;
  while (size_ > 0 && next_position(position) && position.tick <= target) {
    const auto row = static_cast<std::size_t>(position.level);
    IntrusiveList<Timer> taken;
    taken.splice(slots_[row][position.slot]);
    occupied_[row] &= ~(std::uint64_t{1} << position.slot);
    if (position.level > 0) {
      current_ = position.tick;
      while (!taken.empty()) insert(taken.pop_front());
    } else {
      current_ = position.tick + 1;
      fired += fire(taken);
    }
  }
  current_ = std::max(current_, target + 1);
  return fired;
}

std::size_t TimerWheel::fire(IntrusiveList<Timer>& due) noexcept {
  order_by_deadline(due);
  std::size_t fired = 0;
  while (!due.empty()) {  // a callback may disarm others of this list
    Timer& timer = due.pop_front();
    --size_;
    ++fired;
    timer.on_timer();
  }
  return fired;
}

void TimerWheel::order_by_deadline(IntrusiveList<Timer>& due) noexcept {
  bool ordered = true;
  scratch_.clear();
  due.for_each([&](Timer& timer) {
    if (!scratch_.empty() && timer.deadline_ < scratch_.back().when) ordered = false;
    scratch_.push_back({timer.deadline_, scratch_.size(), &timer});
  });
  if (ordered) return;
  std::sort(scratch_.begin(), scratch_.end(), [](const Due& a, const Due& b) {
    return a.when != b.when ? a.when < b.when : a.order < b.order;
  });
  for (const Due& each : scratch_) {
    each.timer->unlink();
    due.push_back(*each.timer);
  }
}

}  // namespace coronado
