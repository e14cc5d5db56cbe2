#include "loop/timer_wheel.hpp"

#include <algorithm>
#include <bit>

namespace coronado {
namespace {

std::uint64_t nanoseconds(TimePoint when) noexcept {
  const auto count = when.time_since_epoch().count();
  return count < 0 ? 0 : static_cast<std::uint64_t>(count);
}

/// The last tick whose beginning is a `TimePoint`.
constexpr std::uint64_t kLastTick =
    static_cast<std::uint64_t>(TimePoint::max().time_since_epoch().count()) >> 16;

}  // namespace

std::size_t TimerWheel::Occupancy::first_from(std::size_t slot) const noexcept {
  std::size_t word = slot / 64;
  std::uint64_t bits = words_[word] >> (slot % 64) << (slot % 64);
  while (bits == 0) {
    if (++word == words_.size()) return kSlots;
    bits = words_[word];
  }
  return word * 64 + static_cast<std::size_t>(std::countr_zero(bits));
}

TimerWheel::TimerWheel(TimePoint start) noexcept : current_(nanoseconds(start) >> kTickBits) {
  static_assert(kTickBits == 16 && kLastTick < std::uint64_t{1} << (kLevels * kLevelBits));
}

TimerWheel::~TimerWheel() {
  for (auto& wheel : slots_) {
    for (IntrusiveList<Timer>& slot : wheel) {
      while (!slot.empty()) slot.pop_front();
    }
  }
}

void TimerWheel::close() noexcept {
  for (auto& wheel : slots_) {
    for (IntrusiveList<Timer>& slot : wheel) {
      while (!slot.empty()) {
        Timer& timer = slot.front();
        disarm(timer);
        timer.on_loop_closed();  // may disarm others, or destroy itself
      }
    }
  }
}

void TimerWheel::arm(Timer& timer, TimePoint when) noexcept {
  if (timer.armed()) disarm(timer);
  timer.deadline_ = when;
  ++size_;
  insert(timer);
}

void TimerWheel::insert(Timer& timer) noexcept {
  // Rounded up: the slot is looked at when the deadline has surely passed.
  std::uint64_t tick = (nanoseconds(timer.deadline_) + (1U << kTickBits) - 1) >> kTickBits;
  tick = std::max(std::min(tick, kLastTick), current_);
  const std::uint64_t differing = tick ^ current_;
  const int level = differing == 0 ? 0 : (63 - std::countl_zero(differing)) / kLevelBits;
  const std::size_t slot = slot_of(tick, level);
  const auto row = static_cast<std::size_t>(level);
  slots_[row][slot].push_back(timer);
  occupied_[row].set(slot);
  first_ = std::min(first_, tick >> (level * kLevelBits) << (level * kLevelBits));
}

void TimerWheel::disarm(Timer& timer) noexcept {
  if (!timer.armed()) return;
  --size_;
  if (auto* list = IntrusiveList<Timer>::only_element_of(timer)) {
    const auto* first = &slots_.front().front();
    if (list >= first && list <= &slots_.back().back()) {  // not the list that is being fired
      const auto index = static_cast<std::size_t>(list - first);
      occupied_[index / kSlots].clear(index % kSlots);
    }
  }
  timer.unlink();
}

/// Time goes on to `tick`. Timers of a coarse slot that begins now are spread over the finer
/// wheels: so the slot where the present lies is empty on every wheel but the finest, and whatever
/// stands on a finer wheel is due before all that stands on a coarser one.
void TimerWheel::move_to(std::uint64_t tick) noexcept {
  const std::uint64_t passed = tick ^ current_;
  current_ = tick;
  for (int level = kLevels - 1; level > 0; --level) {
    const auto row = static_cast<std::size_t>(level);
    const std::size_t slot = slot_of(tick, level);
    if (passed >> (level * kLevelBits) == 0 || !occupied_[row].test(slot)) continue;
    IntrusiveList<Timer> taken;
    taken.splice(slots_[row][slot]);
    occupied_[row].clear(slot);
    while (!taken.empty()) insert(taken.pop_front());
  }
}

bool TimerWheel::next_position(Position& position) const noexcept {
  for (int level = 0; level < kLevels; ++level) {
    const std::size_t slot =
        occupied_[static_cast<std::size_t>(level)].first_from(slot_of(current_, level));
    if (slot == kSlots) continue;
    const int shift = level * kLevelBits;
    const std::uint64_t above = current_ >> (shift + kLevelBits) << (shift + kLevelBits);
    position = {above | (std::uint64_t{slot} << shift), level, slot};
    return true;
  }
  return false;
}

std::size_t TimerWheel::advance_to(std::uint64_t target) noexcept {
  std::size_t fired = 0;
  Position position;
  while (size_ > 0 && next_position(position) && position.tick <= target) {
    if (position.level > 0) {
      move_to(position.tick);
      continue;
    }
    IntrusiveList<Timer> due;
    due.splice(slots_.front()[position.slot]);
    occupied_.front().clear(position.slot);
    move_to(position.tick + 1);
    fired += fire(due);
  }
  if (current_ <= target) move_to(target + 1);
  first_ = size_ > 0 && next_position(position) ? position.tick : kNever;
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
