#include "testing/sim_core.hpp"

#include <coronado/base/error.hpp>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace coronado {
namespace {

/// Ports of the system's own choice begin here.
constexpr std::uint16_t kFirstPort = 40000;

std::system_error failure(int code, const char* attempt, const SocketAddress& address) {
  return {code, std::generic_category(), attempt + to_string(address)};
}

[[noreturn]] void fail_to_listen(std::errc code, const SocketAddress& address) {
  throw_bind_error(std::make_error_code(code), "cannot listen on ", to_string(address));
}

class SimAcceptor final : public Acceptor {
 public:
  SimAcceptor(std::shared_ptr<SimCore> core, SimListener& listener) noexcept
      : core_(std::move(core)), listener_(listener), local_(listener.address) {}
  ~SimAcceptor() override { core_->close(listener_); }

  void pause() noexcept override { listener_.paused = true; }
  void resume() noexcept override {
    if (std::exchange(listener_.paused, false)) core_->make_ready(listener_);
  }
  SocketAddress local() const override { return local_; }
  int native_handle() const noexcept override { return -1; }

 private:
  std::shared_ptr<SimCore> core_;
  SimListener& listener_;
  SocketAddress local_;
};

}  // namespace

bool is_same_ip(const SocketAddress& one, const SocketAddress& other) noexcept {
  return one.family == other.family && one.ip == other.ip;
}

bool is_wildcard(const SocketAddress& address) noexcept {
  return std::ranges::all_of(address.ip, [](std::uint8_t byte) { return byte == 0; });
}

bool is_loopback(const SocketAddress& address) noexcept {
  if (address.family == SocketAddress::Family::kIPv4) return address.ip.front() == 127;
  return is_same_ip(address, *SocketAddress::from_ip("::1"));
}

SimCore::SimCore(IOLoop& owner, SimOptions wanted)
    : loop(owner),
      options(std::move(wanted)),
      random(options.seed),
      events(owner.now(), options.log_lines),
      datagrams(*this),
      names(std::make_shared<SimNames>(*this)) {
  add_host("local", {*SocketAddress::from_ip("10.0.0.1")});
}

SimCore::~SimCore() = default;

// --- chance --------------------------------------------------------------------------------------

std::size_t SimCore::shorter(std::size_t most) noexcept {
  // First how long at most, then how long: one byte is likely, whatever the length.
  const auto limit = static_cast<std::uint32_t>(std::min<std::size_t>(most, UINT32_MAX));
  return 1 + random.below(1 + random.below(limit));
}

Duration SimCore::span(Duration most) noexcept {
  if (most <= Duration::zero()) return Duration::zero();
  return Duration(
      static_cast<std::int64_t>(random.next() % (static_cast<std::uint64_t>(most.count()) + 1)));
}

// --- hosts and ways ------------------------------------------------------------------------------

SimHost& SimCore::add_host(std::string name, std::vector<SocketAddress> addresses) {
  if (addresses.empty()) {
    SocketAddress next = *SocketAddress::from_ip("10.0.0.0");
    next.ip[2] = static_cast<std::uint8_t>(next_address_ >> 8);
    next.ip[3] = static_cast<std::uint8_t>(next_address_++);
    addresses.push_back(next);
  }
  for (const auto& host : hosts) {
    if (host->name() == name) throw std::invalid_argument("there is a host \"" + name + '"');
    for (const SocketAddress& address : addresses) {
      if (std::ranges::any_of(host->addresses(),
                              [&](auto& has) { return is_same_ip(has, address); }))
        throw std::invalid_argument(address.host() + " is the address of " + host->name());
    }
  }
  auto state =
      std::make_unique<SimHost::State>(*this, std::move(name), std::move(addresses), hosts.size());
  hosts.push_back(std::unique_ptr<SimHost>(new SimHost(std::move(state))));
  return *hosts.back();
}

SimPath& SimCore::path(const SimHost::State& one, const SimHost::State& other) {
  return paths[std::minmax(one.index, other.index)];
}

TimePoint& SimCore::busy_until(const SimHost::State& from, const SimHost::State& to) {
  return path(from, to).busy_until[from.index < to.index ? 0 : 1];
}

TimePoint SimCore::occupy(const SimHost::State& from, const SimHost::State& to, std::size_t size) {
  const SimLink& way = link(path(from, to));
  if (way.bandwidth == 0) return now();
  TimePoint& busy = busy_until(from, to);
  busy = std::max(busy, now()) + time_for(size, way);
  return busy;
}

std::vector<SimHost::State*> SimCore::host_states() const {
  std::vector<SimHost::State*> states;
  for (const auto& host : hosts) states.push_back(host->state_.get());
  return states;
}

SimHost::State* SimCore::host_of(const SocketAddress& address, SimHost::State& from) {
  if (!address.is_ip() || is_loopback(address)) return &from;
  for (const auto& host : hosts) {
    if (std::ranges::any_of(host->addresses(), [&](auto& has) { return is_same_ip(has, address); }))
      return host->state_.get();
  }
  return nullptr;
}

SimNetwork::Answer SimCore::answer_of(const SocketAddress& address) const {
  const auto found = std::ranges::find_if(
      answers, [&](const auto& each) { return is_same_ip(each.first, address); });
  return found == answers.end() ? SimNetwork::Answer::kUsual : found->second;
}

void SimCore::heal(SimPath& path) {
  path.partitioned = false;
  for (std::size_t i = 0; i < connections_.size(); ++i) {
    if (connections_[i]->uses(path) && !connections_[i]->buried) connections_[i]->go_on();
  }
}

void SimCore::crash(SimHost::State& host) {
  host.up = false;
  for (const auto& listener : listeners) {
    if (listener->host == &host) listener->handler = nullptr;
    if (listener->host == &host) listener->queue.clear();
  }
  datagrams.silence(&host);
  for (const auto& connection : connections_) {
    for (const int side : {SimConnection::kClient, SimConnection::kServer}) {
      if (!connection->buried && connection->host(side) == &host) connection->crash(side);
    }
  }
}

void SimCore::restart(SimHost::State& host) {
  host.up = true;
  for (std::size_t i = 0; i < connections_.size(); ++i) {
    SimConnection& connection = *connections_[i];
    const bool concerned = connection.host(SimConnection::kClient) == &host ||
                           connection.host(SimConnection::kServer) == &host;
    if (concerned && !connection.buried) connection.come_back();
  }
}

std::uint16_t SimCore::free_port(SimHost::State& host) {
  const std::uint16_t port = host.next_port;
  host.next_port = port == UINT16_MAX ? kFirstPort : static_cast<std::uint16_t>(port + 1);
  return port;
}

// --- listeners -----------------------------------------------------------------------------------

SimListener* SimCore::listener_at(const SimHost::State& host, const SocketAddress& address) {
  for (const auto& listener : listeners) {
    if (listener->handler == nullptr || listener->host != &host) continue;
    const SocketAddress& at = listener->address;
    if (at.family != address.family || at.port != address.port) continue;
    if (address.is_ip() ? is_wildcard(at) || at.ip == address.ip : at.path() == address.path()) {
      return listener.get();
    }
  }
  return nullptr;
}

std::unique_ptr<Acceptor> SimCore::listen(const SocketAddress& address, const ListenOptions& wanted,
                                          AcceptHandler& handler) {
  if (address.family == SocketAddress::Family::kNone) {
    fail_to_listen(std::errc::invalid_argument, address);
  }
  SimHost::State* owner = &here();
  if (address.is_ip() && !is_wildcard(address)) owner = host_of(address, *owner);
  if (owner == nullptr) fail_to_listen(std::errc::address_not_available, address);
  SimHost::State& host = *owner;
  SocketAddress bound = address;
  if (bound.is_ip() && bound.port == 0) bound.port = free_port(host);
  if (listener_at(host, bound) != nullptr && !wanted.reuse_port) {
    fail_to_listen(std::errc::address_in_use, bound);
  }
  auto listener = std::make_unique<SimListener>();
  listener->host = &host;
  listener->address = bound;
  listener->backlog = static_cast<std::size_t>(std::max(wanted.backlog, 1));
  listener->handler = &handler;
  log(SimEventKind::kText, kNobody, 0, 0, host.name + " listens on " + to_string(bound));
  listeners.push_back(std::move(listener));
  return std::make_unique<SimAcceptor>(shared_from_this(), *listeners.back());
}

void SimCore::accept(SimListener& listener) {
  while (listener.handler != nullptr && !listener.paused && !listener.queue.empty()) {
    SimHost::State& host = *listener.host;
    const bool planned = host.accepts_to_fail > 0;
    if (planned || chance(options.accept_failure)) {
      if (planned) --host.accepts_to_fail;
      const std::error_code error =
          planned ? host.accept_error : std::make_error_code(std::errc::too_many_files_open);
      log(SimEventKind::kAcceptFailed, listener.queue.front()->number(), SimConnection::kServer,
          static_cast<std::uint64_t>(error.value()));
      return listener.handler->on_accept_error(error);
    }
    SimConnection& connection = *listener.queue.front();
    listener.queue.pop_front();
    log(SimEventKind::kAccepted, connection.number(), SimConnection::kServer);
    listener.handler->on_accept(connection.make_transport(SimConnection::kServer));
  }
}

void SimCore::close(SimListener& listener) noexcept {
  listener.handler = nullptr;
  for (SimConnection* waiting : std::exchange(listener.queue, {})) waiting->refuse_unaccepted();
  listener.closed = listeners_closed_ = true;
}

std::unique_ptr<DatagramSocket> SimCore::bind_datagrams(const SocketAddress& local,
                                                        const UDPOptions& wanted,
                                                        DatagramHandler& handler) {
  return datagrams.bind(local, wanted, handler);
}

// --- connections ---------------------------------------------------------------------------------

std::unique_ptr<Connecting> SimCore::connect(const SocketAddress& to, const ConnectOptions& wanted,
                                             ConnectHandler& handler) {
  SimHost::State* from = &here();
  SocketAddress local = wanted.source;
  if (to.family == SocketAddress::Family::kNone) throw failure(EINVAL, "cannot connect to ", to);
  if (local.is_ip()) {
    from = host_of(local, *from);
    if (from == nullptr) throw failure(EADDRNOTAVAIL, "cannot connect from ", local);
  } else if (to.is_ip() && is_loopback(to)) {
    local = to;
    local.port = 0;
  } else if (to.is_ip()) {
    const auto found = std::ranges::find(from->addresses, to.family, &SocketAddress::family);
    if (found == from->addresses.end()) throw failure(ENETUNREACH, "cannot connect to ", to);
    local = *found;
  }
  if (local.is_ip() && local.port == 0) local.port = free_port(*from);
  auto connecting = std::make_unique<SimConnecting>(shared_from_this(), handler);
  connections_.push_back(std::make_unique<SimConnection>(*this, connections_made++, *from,
                                                         std::move(local), to, *connecting));
  SimConnection& connection = *connections_.back();
  connection.slot = connections_.size() - 1;
  connecting->connection = &connection;
  connection.begin();
  return connecting;
}

void SimCore::bury(SimConnection& connection) {
  if (std::exchange(connection.buried, true)) return;
  buried_.push_back(&connection);
}

void SimCore::reap() noexcept {
  std::erase_if(buried_, [&](SimConnection* connection) {
    if (connection->scheduled != 0 || connection->ready[0] || connection->ready[1]) return false;
    const std::size_t slot = connection->slot;
    std::swap(connections_[slot], connections_.back());
    connections_[slot]->slot = slot;
    connections_.pop_back();
    return true;
  });
  listeners_closed_ = false;
  std::erase_if(listeners, [](auto& listener) { return listener->closed && !listener->ready; });
  if (datagrams.has_closed()) datagrams.reap();
}

// --- events --------------------------------------------------------------------------------------

void SimCore::schedule(TimePoint when, SimConnection& connection, SimStep step, int side) {
  ++connection.scheduled;
  due_.push({when, order_++, &connection, step, static_cast<std::uint8_t>(side)});
}

void SimCore::make_ready(SimConnection& connection, int side) {
  if (std::exchange(connection.ready[static_cast<std::size_t>(side)], true)) return;
  ready_.push_back({&connection, nullptr, nullptr, side});
}

void SimCore::make_ready(SimListener& listener) {
  if (std::exchange(listener.ready, true)) return;
  ready_.push_back({nullptr, &listener, nullptr, 0});
}

void SimCore::make_ready(SimPort& port) {
  if (std::exchange(port.ready, true)) return;
  ready_.push_back({nullptr, nullptr, &port, 0});
}

TimePoint SimCore::next_due() const noexcept {
  if (!ready_.empty()) return TimePoint::min();
  const TimePoint datagram = datagrams.next_due();
  return due_.empty() ? datagram : std::min(datagram, due_.top().when);
}

TimePoint SimCore::wake_up(TimePoint until) noexcept {
  if (!chance(options.stall)) return until;
  const Duration late = span(options.max_stall);
  log(SimEventKind::kOverslept, kNobody, 0, static_cast<std::uint64_t>(late.count()));
  return until + late;
}

/// First everything that is due takes place; then those who have something to hear are told, in an
/// order left to chance, as a system does that reports many sockets at once.
void SimCore::deliver(TimePoint now) noexcept {
  while (!due_.empty() && due_.top().when <= now) {
    const Due due = due_.top();
    due_.pop();
    --due.connection->scheduled;
    if (!due.connection->buried) due.connection->on_step(due.step, due.side);
  }
  datagrams.advance(now);
  ready_now_.swap(ready_);
  for (std::size_t left = ready_now_.size(); left > 1; --left) {
    std::swap(ready_now_[left - 1], ready_now_[random.below(static_cast<std::uint32_t>(left))]);
  }
  for (const Ready& ready : ready_now_) {
    if (ready.port != nullptr) {
      ready.port->ready = false;
      delivering_to = ready.port->host;
      datagrams.dispatch(*ready.port);
    } else if (ready.connection == nullptr) {
      ready.listener->ready = false;
      delivering_to = ready.listener->host;
      accept(*ready.listener);
    } else {
      ready.connection->ready[static_cast<std::size_t>(ready.side)] = false;
      delivering_to = ready.connection->host(ready.side);
      if (!ready.connection->buried) ready.connection->dispatch(ready.side);
    }
  }
  delivering_to = nullptr;
  ready_now_.clear();
  if (!buried_.empty() || listeners_closed_ || datagrams.has_closed()) reap();
}

}  // namespace coronado
