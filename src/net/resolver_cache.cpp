#include <coronado/base/error.hpp>
#include <coronado/base/strings.hpp>
#include <coronado/coro/locks.hpp>
#include <coronado/coro/task_group.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/net/resolver.hpp>

#include <algorithm>
#include <list>
#include <stdexcept>
#include <unordered_map>

#include "net/host_name.hpp"

namespace coronado {
namespace {

using OnFirstFamily = Function<void(const std::vector<SocketAddress>&)>;

void check_options(const CacheOptions& options) {
  const auto refuse = [](const char* what) { throw std::invalid_argument(what); };
  if (options.max_entries == 0) refuse("CacheOptions::max_entries must be at least 1");
  if (options.min_ttl > options.max_ttl) refuse("CacheOptions: min_ttl is longer than max_ttl");
  if (options.min_ttl > options.max_negative_ttl) {
    refuse("CacheOptions: min_ttl is longer than max_negative_ttl");
  }
  // RFC 2308 7.1, 7.2
  if (options.failure_ttl > std::chrono::minutes(5)) {
    refuse("CacheOptions::failure_ttl must not be longer than five minutes");
  }
  for (const Duration ttl :
       {options.min_ttl, options.default_ttl, options.negative_ttl, options.failure_ttl}) {
    if (ttl < Duration::zero()) refuse("CacheOptions: a time must not be negative");
  }
}

std::string key_of(const ResolveRequest& request) {
  static constexpr char kFamilies[] = "*46";
  return kFamilies[static_cast<int>(request.family)] + ascii_lower(request.host);
}

std::vector<SocketAddress> with_port(std::vector<SocketAddress> addresses, std::uint16_t port) {
  for (SocketAddress& address : addresses) address.port = port;
  return addresses;
}

/// What was found: addresses or an error, and until when it holds.
struct Entry {
  std::string key;
  Resolution found;
  std::exception_ptr error;
  TimePoint stored{};
  TimePoint expires{};
};

/// A lookup on its way, and those who wait for it.
struct Lookup {
  explicit Lookup(Executor& executor)
      : group(executor, "resolving", TaskGroup::OnFailure::kHandle) {}

  struct Listener {
    OnFirstFamily* call;
    std::uint16_t port;
  };

  TaskGroup group;  // of the one task
  Event done;
  std::size_t waiters = 0;
  std::vector<Listener> listeners;
  std::vector<SocketAddress> first_family;
  Resolution found;
  std::exception_ptr error;
};

}  // namespace

struct CachingResolver::State {
  using Entries = std::list<Entry>;

  State(std::shared_ptr<Resolver> wanted, CacheOptions how)
      : next(std::move(wanted)), options(how) {}

  const Entry* find(const std::string& key, TimePoint now);
  void store(Entry entry, Duration ttl, TimePoint now);
  Duration ttl_of(const Resolution& found) const noexcept;
  Duration ttl_of(const ResolveError& error) const noexcept;
  std::shared_ptr<Lookup> join(const std::string& key, const ResolveRequest& request);
  Task<> look_up(Lookup& lookup, std::string key, ResolveRequest request);

  std::shared_ptr<Resolver> next;
  CacheOptions options;
  Entries entries;  // the one used last is in front
  std::unordered_map<std::string, Entries::iterator> index;
  std::unordered_map<std::string, std::shared_ptr<Lookup>> lookups;
};

/// A valid entry, or null; it becomes the one used last.
const Entry* CachingResolver::State::find(const std::string& key, TimePoint now) {
  const auto found = index.find(key);
  if (found == index.end()) return nullptr;
  const Entries::iterator entry = found->second;
  // One from the future was stored by the clock of another loop that ran on this thread.
  if (now >= entry->expires || now < entry->stored) {
    entries.erase(entry);
    index.erase(found);
    return nullptr;
  }
  entries.splice(entries.begin(), entries, entry);
  return &*entry;
}

void CachingResolver::State::store(Entry entry, Duration ttl, TimePoint now) {
  if (ttl <= Duration::zero()) return;
  entry.stored = now;
  entry.expires = detail::after(now, ttl);
  if (const auto old = index.find(entry.key); old != index.end()) {
    entries.erase(old->second);
    index.erase(old);
  }
  if (entries.size() >= options.max_entries) {
    index.erase(entries.back().key);
    entries.pop_back();
  }
  entries.push_front(std::move(entry));
  index.emplace(entries.front().key, entries.begin());
}

Duration CachingResolver::State::ttl_of(const Resolution& found) const noexcept {
  if (!found.ttl) return options.default_ttl;
  return std::clamp(*found.ttl, options.min_ttl, options.max_ttl);
}

Duration CachingResolver::State::ttl_of(const ResolveError& error) const noexcept {
  using Reason = ResolveError::Reason;
  if (error.reason() == Reason::kMalformed) return Duration::zero();
  if (error.temporary()) return options.failure_ttl;
  if (!error.ttl()) return options.negative_ttl;
  return std::clamp(*error.ttl(), options.min_ttl, options.max_negative_ttl);
}

/// The lookup of this name, begun if there is none.
std::shared_ptr<Lookup> CachingResolver::State::join(const std::string& key,
                                                     const ResolveRequest& request) {
  std::shared_ptr<Lookup>& lookup = lookups[key];
  if (lookup != nullptr) return lookup;
  lookup = std::make_shared<Lookup>(Executor::require_current());
  Lookup* const raw = lookup.get();
  ResolveRequest question{.host = request.host, .port = 0, .family = request.family};
  question.on_first_family = [raw](const std::vector<SocketAddress>& addresses) {
    raw->first_family = addresses;
    for (const Lookup::Listener& listener : raw->listeners) {
      (*listener.call)(with_port(addresses, listener.port));
    }
  };
  lookup->group.spawn(look_up(*lookup, key, std::move(question)), "resolve");
  return lookup;
}

Task<> CachingResolver::State::look_up(Lookup& lookup, std::string key, ResolveRequest request) {
  Executor& executor = Executor::require_current();
  Duration ttl = Duration::zero();
  try {
    lookup.found = co_await next->resolve(std::move(request));
    ttl = ttl_of(lookup.found);
  } catch (const ResolveError& error) {
    lookup.error = std::current_exception();
    ttl = ttl_of(error);
  } catch (const std::exception&) {
    lookup.error = std::current_exception();
  } catch (const Cancelled&) {  // nobody waits, or the other resolver gave up by itself
    const std::string host = key.substr(1);
    lookup.error = std::make_exception_ptr(
        ResolveError(host, ResolveError::Reason::kSystem, "the lookup was cancelled"));
  }
  if (const auto self = lookups.find(key); self != lookups.end() && &*self->second == &lookup) {
    // Not destroyed before this task has ended.
    executor.post([keep = std::move(self->second)] {});
    lookups.erase(self);
  }
  Entry entry{.key = std::move(key), .found = lookup.found, .error = lookup.error};
  store(std::move(entry), ttl, executor.now());
  lookup.done.set();
}

// --- CachingResolver ---------------------------------------------------------------------------

CachingResolver::CachingResolver(std::shared_ptr<Resolver> next, CacheOptions options) {
  if (next == nullptr) throw std::invalid_argument("CachingResolver needs a resolver to ask");
  check_options(options);
  state_ = std::make_unique<State>(std::move(next), options);
}

CachingResolver::~CachingResolver() = default;

std::size_t CachingResolver::size() const noexcept { return state_->entries.size(); }

void CachingResolver::clear() noexcept {
  state_->index.clear();
  state_->entries.clear();
}

namespace {

Task<> end_lookup(Lookup& lookup) {
  lookup.group.cancel();
  co_await lookup.group.join();
}

/// One who waits for a lookup; says so as long as it lives.
class Seat {
 public:
  Seat(std::shared_ptr<Lookup> lookup, ResolveRequest& request) : lookup_(std::move(lookup)) {
    if (request.on_first_family) {
      if (lookup_->first_family.empty()) {
        listener_ = &request.on_first_family;
        lookup_->listeners.push_back({listener_, request.port});
      } else {
        request.on_first_family(with_port(lookup_->first_family, request.port));
      }
    }
    ++lookup_->waiters;
  }
  Seat(const Seat&) = delete;
  Seat& operator=(const Seat&) = delete;
  ~Seat() { leave(); }

  Lookup& lookup() noexcept { return *lookup_; }

  /// True when nobody else waits.
  bool leave() noexcept {
    if (!seated_) return false;
    seated_ = false;
    std::erase_if(lookup_->listeners,
                  [this](const Lookup::Listener& each) { return each.call == listener_; });
    return --lookup_->waiters == 0;
  }

 private:
  std::shared_ptr<Lookup> lookup_;
  OnFirstFamily* listener_ = nullptr;
  bool seated_ = true;
};

}  // namespace

Task<Resolution> CachingResolver::resolve(ResolveRequest request) {
  if (auto known = answer_without_asking(request)) co_return std::move(*known);
  State& state = *state_;
  const std::string key = key_of(request);
  if (const Entry* entry = state.find(key, Executor::require_current().now())) {
    if (entry->error != nullptr) std::rethrow_exception(entry->error);
    Resolution found = entry->found;
    found.addresses = with_port(std::move(found.addresses), request.port);
    found.ttl = entry->expires - Executor::require_current().now();
    co_return found;
  }
  Seat seat(state.join(key, request), request);
  Lookup& lookup = seat.lookup();
  bool cancelled = false;
  try {
    co_await lookup.done.wait();
  } catch (const Cancelled&) {
    cancelled = true;
  }
  const bool last = seat.leave();
  if (cancelled) {
    if (last && !lookup.done.is_set()) {
      state.lookups.erase(key);  // whoever asks now begins another
      co_await shield(end_lookup(lookup));
    }
    throw Cancelled{};
  }
  if (lookup.error != nullptr) std::rethrow_exception(lookup.error);
  Resolution found = lookup.found;
  found.addresses = with_port(std::move(found.addresses), request.port);
  co_return found;
}

}  // namespace coronado
