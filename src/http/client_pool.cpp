#include "http/client_pool.hpp"

#include <coronado/base/error.hpp>
#include <coronado/coro/timeout.hpp>

#include <algorithm>

namespace coronado {

ClientPool::~ClientPool() {
  close();
  if (executor_ != nullptr && armed()) executor_->disarm(*this);
}

ClientPool::Turn ClientPool::enter(std::string_view host) { return Turn(*this, host); }

ClientPool::Place ClientPool::try_enter(std::string_view name) {
  if (closed_) return {};
  executor_ = &Executor::require_current();
  Host& host = host_named(name);
  if (!is_free(host)) return {};
  ++host.busy;
  ++busy_;
  return {*this, host};
}

ClientPool::Host& ClientPool::host_named(std::string_view name) {
  if (last_ != nullptr && last_->name == name) return *last_;
  std::unique_ptr<Host>& host = hosts_[std::string(name)];
  if (host == nullptr) {
    host = std::make_unique<Host>(*this, name);
  }
  last_ = host.get();
  return *host;
}

/// Those in line for this host go first; those for others wait for something else, unless every
/// place is taken.
bool ClientPool::is_free(const Host& host) const noexcept {
  return host.line.empty() && has_room(host);
}

bool ClientPool::has_room(const Host& host) const noexcept {
  if (limits_.max_clients != 0 && busy_ >= limits_.max_clients) return false;
  return limits_.max_per_host == 0 || host.busy < limits_.max_per_host;
}

void ClientPool::leave(Host& host) noexcept {
  --host.busy;
  --busy_;
  if (!waited_for_.empty()) serve();
  drop_if_unused(host);
}

/// Gives places to those who came first, as long as there are any.
void ClientPool::serve() noexcept {
  for (;;) {
    Turn* first = nullptr;
    for (Host* host : waited_for_) {
      if (!has_room(*host)) continue;
      auto& turn = static_cast<Turn&>(host->line.front());
      if (first == nullptr || turn.number_ < first->number_) first = &turn;
    }
    if (first == nullptr) return;
    Host& host = *first->host_;
    host.line.pop_front();
    if (host.line.empty()) std::erase(waited_for_, &host);
    ++host.busy;
    ++busy_;
    first->served_ = true;
    first->serve();
  }
}

void ClientPool::drop_if_unused(Host& host) noexcept {
  if (host.busy != 0 || !host.idle.empty() || !host.line.empty()) return;
  if (last_ == &host) last_ = nullptr;
  hosts_.erase(host.name);
}

std::size_t ClientPool::waiting() const noexcept {
  std::size_t count = 0;
  for (const Host* host : waited_for_) count += host->line.size();
  return count;
}

// --- connections that are kept -----------------------------------------------------------------

std::unique_ptr<ClientConnection> ClientPool::take_idle(const Place& place) noexcept {
  std::vector<Idle>& idle = place.host_->idle;
  while (!idle.empty()) {
    std::unique_ptr<ClientConnection> connection = std::move(idle.back().connection);
    idle.pop_back();
    --idle_;
    connection->unpark();
    if (!connection->ended()) return connection;
  }
  return nullptr;
}

void ClientPool::keep(const Place& place, std::unique_ptr<ClientConnection> connection,
                      TimePoint now) {
  if (closed_ || limits_.idle_timeout <= Duration::zero() || limits_.max_idle == 0) return;
  if (idle_ >= limits_.max_idle) drop_oldest();
  Host& host = *place.host_;
  connection->park(host);
  host.idle.push_back({std::move(connection), now});
  ++idle_;
  if (!armed()) executor_->arm(*this, detail::after(now, limits_.idle_timeout));
}

void ClientPool::on_connection_end(Host& host, ClientConnection& connection) noexcept {
  const auto found = std::ranges::find_if(
      host.idle, [&](const Idle& each) { return each.connection.get() == &connection; });
  if (found == host.idle.end()) return;
  const std::unique_ptr<ClientConnection> gone = std::move(found->connection);
  host.idle.erase(found);
  --idle_;
  drop_if_unused(host);
}

void ClientPool::drop_oldest() noexcept {
  Host* oldest = nullptr;
  for (const auto& [name, host] : hosts_) {
    if (host->idle.empty()) continue;
    if (oldest == nullptr || host->idle.front().since < oldest->idle.front().since) {
      oldest = host.get();
    }
  }
  if (oldest == nullptr) return;
  const std::unique_ptr<ClientConnection> gone = std::move(oldest->idle.front().connection);
  oldest->idle.erase(oldest->idle.begin());
  --idle_;
  drop_if_unused(*oldest);
}

/// The timer is armed for the oldest connection, or for one that has been used since.
void ClientPool::on_timer() noexcept {
  const TimePoint now = executor_->now();
  TimePoint next = TimePoint::max();
  for (auto entry = hosts_.begin(); entry != hosts_.end();) {
    Host& host = *entry->second;
    ++entry;  // the host may go
    const auto is_old = [&](const Idle& each) {
      return detail::after(each.since, limits_.idle_timeout) <= now;
    };
    idle_ -= std::erase_if(host.idle, is_old);
    if (!host.idle.empty()) {
      next = std::min(next, detail::after(host.idle.front().since, limits_.idle_timeout));
    }
    drop_if_unused(host);
  }
  executor_->arm(*this, next);
}

void ClientPool::close() noexcept {
  closed_ = true;
  for (Host* host : waited_for_) {
    while (!host->line.empty()) host->line.pop_front().serve();
  }
  waited_for_.clear();
  for (auto entry = hosts_.begin(); entry != hosts_.end();) {
    Host& host = *entry->second;
    ++entry;
    for (Idle& each : host.idle) each.connection->unpark();
    host.idle.clear();
    drop_if_unused(host);
  }
  idle_ = 0;
}

// --- waiting for a place -----------------------------------------------------------------------

bool ClientPool::Turn::await_ready() {
  if (pool_.closed_) return true;
  pool_.executor_ = &Executor::require_current();
  Host& host = pool_.host_named(name_);
  host_ = &host;
  if (!pool_.is_free(host)) return false;
  ++host.busy;
  ++pool_.busy_;
  served_ = true;
  return true;
}

bool ClientPool::Turn::begin(PromiseBase& promise) {
  if (!line_up(promise, host_->line)) {
    pool_.drop_if_unused(*host_);
    return false;
  }
  number_ = ++pool_.arrivals_;
  if (&host_->line.front() == this) pool_.waited_for_.push_back(host_);
  return true;
}

ClientPool::Place ClientPool::Turn::await_resume() {
  check();
  if (!served_) throw ClosedError("the HTTP client is closed");
  served_ = false;
  return {pool_, *host_};
}

void ClientPool::Turn::cancel() noexcept {
  unlink();
  if (host_->line.empty()) {
    std::erase(pool_.waited_for_, host_);
    pool_.drop_if_unused(*host_);
  }
  cancelled_ = true;
  wake();
}

/// A place that was handed over and not taken goes to the next in line.
ClientPool::Turn::~Turn() {
  if (served_) pool_.leave(*host_);
}

}  // namespace coronado
