#include <coronado/web/session_store.hpp>

#include <coronado/coro/executor.hpp>

#include <algorithm>
#include <iterator>
#include <list>
#include <mutex>
#include <unordered_map>

namespace coronado::web {

struct MemorySessionStore::State {
  struct Entry {
    std::string key;
    StoredSession session;
    TimePoint expires;
  };
  using Entries = std::list<Entry>;

  void forget(Entries::iterator entry) {
    by_key.erase(std::string_view(entry->key));
    entries.erase(entry);
  }

  mutable std::mutex mutex;  // held for moments: the workers share the store
  std::size_t max_sessions = 0;
  Entries entries;  // the one used last is the first
  std::unordered_map<std::string_view, Entries::iterator> by_key;
};

namespace {
TimePoint loop_time() { return Executor::current()->now(); }
}  // namespace

MemorySessionStore::MemorySessionStore(std::size_t max_sessions)
    : state_(std::make_unique<State>()) {
  state_->max_sessions = std::max<std::size_t>(max_sessions, 1);
}

MemorySessionStore::~MemorySessionStore() = default;

Task<std::optional<StoredSession>> MemorySessionStore::load(std::string key) {
  const std::lock_guard lock(state_->mutex);
  const auto found = state_->by_key.find(key);
  if (found == state_->by_key.end()) co_return std::nullopt;
  const auto entry = found->second;
  if (entry->expires <= loop_time()) {
    state_->forget(entry);
    co_return std::nullopt;
  }
  state_->entries.splice(state_->entries.begin(), state_->entries, entry);
  co_return entry->session;
}

Task<> MemorySessionStore::save(std::string key, StoredSession session,
                                std::chrono::seconds lifetime) {
  State& state = *state_;
  const std::lock_guard lock(state.mutex);
  const TimePoint now = loop_time();
  if (const auto old = state.by_key.find(key); old != state.by_key.end()) state.forget(old->second);
  // What has not been used for longest goes when it has expired, a few at a time, or when all is full.
  for (int i = 0; i < 4 && !state.entries.empty(); ++i) {
    const auto last = std::prev(state.entries.end());
    if (last->expires > now && state.entries.size() < state.max_sessions) break;
    state.forget(last);
  }
  state.entries.push_front({std::move(key), std::move(session), now + lifetime});
  state.by_key.emplace(state.entries.front().key, state.entries.begin());
  co_return;
}

Task<> MemorySessionStore::remove(std::string key) {
  const std::lock_guard lock(state_->mutex);
  const auto found = state_->by_key.find(key);
  if (found != state_->by_key.end()) state_->forget(found->second);
  co_return;
}

std::size_t MemorySessionStore::size() const {
  const std::lock_guard lock(state_->mutex);
  return state_->entries.size();
}

}  // namespace coronado::web
