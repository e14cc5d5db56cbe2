#include <coronado/coro/pool.hpp>

#include <coronado/base/strings.hpp>
#include <coronado/coro/timeout.hpp>

#include <algorithm>
#include <stdexcept>

namespace coronado::detail {

PoolCore::PoolCore(const char* name, Limits limits) : name_(name), limits_(limits) {
  if (limits.max_size == 0) throw std::invalid_argument("a pool needs a max_size of at least 1");
  if (std::min({limits.idle_timeout, limits.max_lifetime, limits.check_after}) < Duration::zero()) {
    throw std::invalid_argument("the time spans of a pool must not be negative");
  }
}

PoolStats PoolCore::stats() const noexcept {
  PoolStats stats = counts_;
  stats.waiting = line_.size();
  return stats;
}

// --- places ------------------------------------------------------------------------------------

bool PoolCore::try_enter() {
  executor_ = &Executor::require_current();
  if (counts_.busy >= limits_.max_size) return false;
  ++counts_.busy;
  return true;
}

void PoolCore::leave() noexcept {
  if (!line_.empty()) {
    line_.pop_front().serve();  // the place is the next one's already
  } else if (--counts_.busy == 0 && closed_) {
    drained_.set();
  }
}

void PoolCore::require_open() const {
  if (closed_) throw ClosedError(std::string(name_) + ": the pool is closed");
}

bool PoolCore::Turn::await_ready() {
  refused_ = core_.closed_;
  return refused_ || core_.try_enter();
}

bool PoolCore::Turn::begin(PromiseBase& promise) noexcept {
  if (!line_up(promise, core_.line_)) return false;
  ++core_.counts_.waits;
  since_ = core_.executor_->now();
  return true;
}

PoolCore::Place PoolCore::Turn::await_resume() {
  check();
  if (refused_) core_.require_open();
  Place place(core_);
  if (since_ != TimePoint{}) core_.counts_.wait_time += core_.executor_->now() - since_;
  core_.require_open();
  return place;
}

void PoolCore::Turn::describe(std::string& out) const {
  out += core_.name_;
  out += ": all ";
  append_int(out, core_.limits_.max_size);
  out += " are busy, ";
  append_position(out, core_.line_);
}

// --- idle resources ----------------------------------------------------------------------------

TimePoint PoolCore::expiry(const PoolEntry& entry) const noexcept {
  TimePoint when = TimePoint::max();
  if (limits_.idle_timeout > Duration::zero()) when = after(entry.returned, limits_.idle_timeout);
  if (limits_.max_lifetime > Duration::zero()) {
    when = std::min(when, after(entry.made, limits_.max_lifetime));
  }
  return when;
}

void PoolCore::destroy_expired(PoolEntry& entry) noexcept {
  ++counts_.expired;
  destroy(entry);
}

PoolEntry* PoolCore::take_idle() noexcept {
  while (!idle_.empty()) {
    PoolEntry& entry = idle_.pop_front();
    --counts_.idle;
    if (executor_->now() < expiry(entry)) return &entry;
    destroy_expired(entry);
  }
  return nullptr;
}

void PoolCore::keep_idle(PoolEntry& entry) noexcept {
  idle_.push_front(entry);
  ++counts_.idle;
}

bool PoolCore::wants_check(const PoolEntry& entry) const noexcept {
  return executor_->now() - entry.returned >= limits_.check_after;
}

void PoolCore::count_made(PoolEntry& entry) noexcept {
  ++counts_.made;
  entry.made = executor_->now();
}

void PoolCore::give_back(PoolEntry& entry, bool usable) noexcept {
  executor_ = Executor::current();
  if (closed_ || !usable || executor_ == nullptr) {  // after the end of its loop nobody will use it
    ++counts_.discarded;
    destroy(entry);
    return leave();
  }
  entry.returned = executor_->now();
  const TimePoint when = expiry(entry);
  if (when <= entry.returned) {
    destroy_expired(entry);
    return leave();
  }
  keep_idle(entry);
  if (!armed() || when < deadline()) executor_->arm(*this, when);
  leave();
}

void PoolCore::on_timer() noexcept {
  const TimePoint now = executor_->now();
  TimePoint next = TimePoint::max();
  IntrusiveList<PoolEntry> old;  // destroyed last: who knows what a destructor does to the pool
  idle_.for_each([&](PoolEntry& entry) {
    const TimePoint when = expiry(entry);
    if (when <= now) {
      static_cast<ListHook&>(entry).unlink();
      --counts_.idle;
      old.push_back(entry);
    } else {
      next = std::min(next, when);
    }
  });
  executor_->arm(*this, next);
  while (!old.empty()) destroy_expired(old.pop_front());
}

// --- the end -----------------------------------------------------------------------------------

void PoolCore::shut() noexcept {
  closed_ = true;
  while (!line_.empty()) static_cast<Turn&>(line_.pop_front()).refuse();
  if (armed()) executor_->disarm(*this);
  while (!idle_.empty()) {
    --counts_.idle;
    ++counts_.discarded;
    destroy(idle_.pop_front());
  }
}

Task<> PoolCore::close() {
  shut();
  if (counts_.busy > 0) co_await drained_.wait();
}

}  // namespace coronado::detail
