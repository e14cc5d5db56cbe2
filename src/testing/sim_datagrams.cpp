#include "testing/sim_datagrams.hpp"

#include <coronado/base/error.hpp>
#include <coronado/loop/reactor.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "testing/sim_core.hpp"

namespace coronado {
namespace {

/// What is left of 65,535 bytes behind the headers of UDP and IPv4, and of UDP.
constexpr std::size_t kMaxDatagram4 = 65'507;
constexpr std::size_t kMaxDatagram6 = 65'527;
/// A datagram that is held up comes so many times later than it would at most.
constexpr int kHeldUp = 10;

std::system_error failure(int code, const char* attempt, const SocketAddress& address) {
  return {code, std::generic_category(), attempt + to_string(address)};
}

bool is_multicast(const SocketAddress& address) noexcept {
  if (address.family == SocketAddress::Family::kIPv6) return address.ip.front() == 0xff;
  return address.family == SocketAddress::Family::kIPv4 && address.ip.front() >> 4 == 0xe;
}

bool is_broadcast(const SocketAddress& address) noexcept {
  return address.family == SocketAddress::Family::kIPv4 &&
         std::all_of(address.ip.begin(), address.ip.begin() + 4,
                     [](std::uint8_t byte) { return byte == 255; });
}

/// Groups are compared without their port.
auto same_group(const SocketAddress& group) {
  return [&group](const SocketAddress& other) { return is_same_ip(group, other); };
}

class SimDatagramSocket final : public DatagramSocket {
 public:
  SimDatagramSocket(std::shared_ptr<SimCore> core, SimPort& port) noexcept
      : core_(std::move(core)), port_(port) {}
  ~SimDatagramSocket() override { all().close(port_); }

  bool receive(std::span<char> into, DatagramInfo& info) override {
    return all().receive(port_, into, info);
  }
  bool send(std::string_view bytes, const SocketAddress& to) override {
    return all().send(port_, bytes, to);
  }
  void connect(const SocketAddress& peer) override { all().connect(port_, peer); }
  void join_group(const SocketAddress& group, unsigned) override { all().join(port_, group); }
  void leave_group(const SocketAddress& group, unsigned) override { all().leave(port_, group); }
  void watch(unsigned events) override { all().watch(port_, events); }
  SocketAddress local() const override { return port_.address; }
  int native_handle() const noexcept override { return -1; }

 private:
  SimDatagrams& all() const noexcept { return core_->datagrams; }

  std::shared_ptr<SimCore> core_;
  SimPort& port_;
};

}  // namespace

void SimDatagrams::log(SimEventKind kind, const SocketAddress& from, const SocketAddress& to,
                       std::size_t size) {
  core_.log(kind, kNobody, 0, size, to_string(from) + " > " + to_string(to));
}

// --- sockets -------------------------------------------------------------------------------------

bool SimDatagrams::is_taken(const SimHost::State& host, const SocketAddress& address,
                            const UDPOptions& options) const {
  return std::ranges::any_of(ports_, [&](const auto& port) {
    if (port->handler == nullptr || port->host != &host) return false;
    const SocketAddress& at = port->address;
    if (at.family != address.family || at.port != address.port) return false;
    if (!is_same_ip(at, address) && !is_wildcard(at) && !is_wildcard(address)) return false;
    return !(port->options.reuse_port && options.reuse_port) &&
           !(port->options.reuse_address && options.reuse_address);
  });
}

std::unique_ptr<DatagramSocket> SimDatagrams::bind(const SocketAddress& address,
                                                   const UDPOptions& options,
                                                   DatagramHandler& handler) {
  const auto fail = [](std::errc code, const SocketAddress& at) {
    throw_bind_error(std::make_error_code(code), "cannot bind a UDP socket to ", to_string(at));
  };
  if (!address.is_ip()) fail(std::errc::address_family_not_supported, address);
  SimHost::State* host = &core_.here();
  if (!is_wildcard(address) && !is_multicast(address)) host = core_.host_of(address, *host);
  if (host == nullptr) fail(std::errc::address_not_available, address);
  SocketAddress bound = address;
  if (bound.port == 0) bound.port = core_.free_port(*host);
  if (is_taken(*host, bound, options)) fail(std::errc::address_in_use, bound);
  core_.log(SimEventKind::kText, kNobody, 0, 0,
            host->name + " takes datagrams on " + to_string(bound));
  auto port = std::make_unique<SimPort>();
  port->host = host;
  port->address = std::move(bound);
  port->options = options;
  port->handler = host->up ? &handler : nullptr;
  ports_.push_back(std::move(port));
  ++open_;
  return std::make_unique<SimDatagramSocket>(core_.shared_from_this(), *ports_.back());
}

void SimDatagrams::close(SimPort& port) noexcept {
  port.handler = nullptr;
  port.queue.clear();
  port.closed = has_closed_ = true;
  --open_;
}

void SimDatagrams::silence(const SimHost::State* host) noexcept {
  for (const auto& port : ports_) {
    if (host != nullptr && port->host != host) continue;
    port->handler = nullptr;
    port->queue.clear();
  }
}

void SimDatagrams::reap() noexcept {
  has_closed_ = false;
  std::erase_if(ports_, [&](const auto& port) {
    if (!port->closed) return false;
    const bool used = port->ready || port->scheduled != 0;
    has_closed_ = has_closed_ || used;
    return !used;
  });
}

void SimDatagrams::connect(SimPort& port, const SocketAddress& peer) {
  constexpr const char* kAttempt = "cannot connect a UDP socket to ";
  if (!peer.is_ip()) throw failure(EINVAL, kAttempt, peer);
  source_of(port, peer);  // throws when there is no way
  port.peer = peer;
  std::erase_if(port.queue, [&](const SimPort::Packet& packet) { return packet.from != peer; });
}

void SimDatagrams::join(SimPort& port, const SocketAddress& group) {
  constexpr const char* kAttempt = "cannot join the multicast group ";
  if (!is_multicast(group)) throw failure(EINVAL, kAttempt, group);
  if (std::ranges::any_of(port.groups, same_group(group))) {
    throw failure(EADDRINUSE, kAttempt, group);
  }
  port.groups.push_back(group);
}

void SimDatagrams::leave(SimPort& port, const SocketAddress& group) {
  if (std::erase_if(port.groups, same_group(group)) == 0) {
    throw failure(EADDRNOTAVAIL, "cannot leave the multicast group ", group);
  }
}

// --- readiness -----------------------------------------------------------------------------------

unsigned SimDatagrams::events_of(const SimPort& port) const noexcept {
  unsigned events = 0;
  if (!port.queue.empty()) events |= Reactor::kRead;
  if (!port.full) events |= Reactor::kWrite;
  events &= port.watched;
  if (port.error && port.watched != 0) events |= Reactor::kError;
  return events;
}

void SimDatagrams::watch(SimPort& port, unsigned events) noexcept {
  port.watched = events;
  if (port.handler != nullptr && events_of(port) != 0) core_.make_ready(port);
}

void SimDatagrams::dispatch(SimPort& port) noexcept {
  const unsigned events = events_of(port);
  if (port.handler == nullptr || events == 0) return;
  port.handler->on_datagrams(events);
  if (port.handler != nullptr && events_of(port) != 0) core_.make_ready(port);  // level-triggered
}

bool SimDatagrams::receive(SimPort& port, std::span<char> into, DatagramInfo& info) {
  if (port.error) {
    const int code = std::exchange(port.error, {}).value();
    throw failure(code, "cannot receive on ", port.address);
  }
  if (port.queue.empty()) return false;
  SimPort::Packet packet = std::move(port.queue.front());
  port.queue.pop_front();
  port.queued_bytes -= packet.bytes.size();
  log(SimEventKind::kDatagramRead, packet.from, port.address, packet.bytes.size());
  info.size = std::min(into.size(), packet.bytes.size());
  info.truncated = info.size < packet.bytes.size();
  if (info.size != 0) std::memcpy(into.data(), packet.bytes.data(), info.size);
  info.from = std::move(packet.from);
  return true;
}

// --- sending -------------------------------------------------------------------------------------

/// Where a datagram comes from, of a socket that may be bound to every interface.
SocketAddress SimDatagrams::source_of(const SimPort& port, const SocketAddress& target) const {
  constexpr const char* kAttempt = "cannot send a datagram to ";
  if (target.family != port.address.family) throw failure(EAFNOSUPPORT, kAttempt, target);
  SocketAddress source = port.address;
  if (!is_wildcard(source) && !is_multicast(source)) return source;
  if (is_loopback(target)) {
    source.ip = target.ip;
    return source;
  }
  const auto found = std::ranges::find(port.host->addresses, target.family, &SocketAddress::family);
  if (found == port.host->addresses.end()) throw failure(ENETUNREACH, kAttempt, target);
  source.ip = found->ip;
  return source;
}

bool SimDatagrams::send(SimPort& port, std::string_view bytes, const SocketAddress& wanted) {
  constexpr const char* kAttempt = "cannot send a datagram to ";
  const SocketAddress& to = wanted.is_ip() ? wanted : port.peer;
  if (!to.is_ip()) throw failure(EDESTADDRREQ, kAttempt, wanted);
  const SocketAddress from = source_of(port, to);
  const bool is_four = to.family == SocketAddress::Family::kIPv4;
  if (bytes.size() > (is_four ? kMaxDatagram4 : kMaxDatagram6)) {
    throw failure(EMSGSIZE, kAttempt, to);
  }
  if (is_broadcast(to) && !port.options.broadcast) throw failure(EACCES, kAttempt, to);
  if (port.handler == nullptr) return true;  // its machine is gone
  if (port.error) throw failure(std::exchange(port.error, {}).value(), kAttempt, to);
  const bool to_all = is_multicast(to) || is_broadcast(to);
  SimHost::State* target = to_all ? port.host : core_.host_of(to, *port.host);
  if (target != nullptr && !has_room(port, *target)) return false;
  log(SimEventKind::kDatagramSent, from, to, bytes.size());
  if (!to_all) {
    launch(port, target, from, to, bytes);
  } else {
    for (SimHost::State* host : core_.host_states()) launch(port, host, from, to, bytes);
  }
  return true;
}

/// A way of limited bandwidth keeps as much as its sender's buffer holds.
bool SimDatagrams::has_room(SimPort& port, SimHost::State& target) {
  const SimLink& way = core_.link(core_.path(*port.host, target));
  if (way.bandwidth == 0) return true;
  const Duration kept = SimCore::time_for(way.send_buffer, way);
  const TimePoint room_at = core_.busy_until(*port.host, target) - kept;
  if (room_at <= core_.now()) return true;
  port.full = true;
  schedule(
      room_at,
      {.step = Step::kRoom, .port = &port, .target = nullptr, .from = {}, .to = {}, .bytes = {}});
  return false;
}

void SimDatagrams::launch(SimPort& port, SimHost::State* target, const SocketAddress& from,
                          const SocketAddress& to, std::string_view bytes) {
  const SimNetwork::Answer answer = core_.answer_of(to);
  Due due{.step = Step::kArrival,
          .port = &port,
          .target = target,
          .from = from,
          .to = to,
          .bytes = std::string(bytes)};
  if (target == nullptr) return log(SimEventKind::kDatagramLost, from, to, bytes.size());
  SimPath& path = core_.path(*port.host, *target);
  const SimLink& way = core_.link(path);
  const TimePoint leaves = core_.occupy(*port.host, *target, bytes.size());
  const bool lost = path.partitioned || !target->up || answer == SimNetwork::Answer::kSilent ||
                    bytes.size() > way.max_datagram || core_.chance(way.loss);
  if (lost) return log(SimEventKind::kDatagramLost, from, to, bytes.size());
  if (answer == SimNetwork::Answer::kRefuses) due.step = Step::kRefusal;
  const auto travel = [&] {
    Duration span = way.latency + core_.span(way.jitter);
    if (core_.chance(way.reorder)) {
      log(SimEventKind::kDatagramHeldUp, from, to, bytes.size());
      span += core_.span((way.latency + way.jitter) * kHeldUp);
    }
    return span;
  };
  if (core_.chance(way.duplicate)) {
    log(SimEventKind::kDatagramDoubled, from, to, bytes.size());
    schedule(leaves + travel(), due);
  }
  schedule(leaves + travel(), std::move(due));
}

void SimDatagrams::schedule(TimePoint when, Due due) {
  ++due.port->scheduled;
  due_.emplace(std::pair(when, order_++), std::move(due));
}

TimePoint SimDatagrams::next_due() const noexcept {
  return due_.empty() ? TimePoint::max() : due_.begin()->first.first;
}

// --- arriving ------------------------------------------------------------------------------------

void SimDatagrams::advance(TimePoint now) {
  while (!due_.empty() && due_.begin()->first.first <= now) {
    Due due = std::move(due_.begin()->second);
    due_.erase(due_.begin());
    SimPort& sender = *due.port;
    --sender.scheduled;
    switch (due.step) {
      case Step::kArrival: arrive(due); break;
      case Step::kRefusal:
        // Only who has fixed its peer can be told.   RFC 1122 4.1.3.3
        if (sender.handler == nullptr || sender.peer != due.to) break;
        log(SimEventKind::kDatagramRefused, due.from, due.to, due.bytes.size());
        sender.error = std::make_error_code(std::errc::connection_refused);
        if (events_of(sender) != 0) core_.make_ready(sender);
        break;
      case Step::kRoom:
        sender.full = false;
        if (sender.handler != nullptr && events_of(sender) != 0) core_.make_ready(sender);
        break;
    }
  }
}

void SimDatagrams::arrive(Due& due) {
  if (!due.target->up) return log(SimEventKind::kDatagramLost, due.from, due.to, due.bytes.size());
  if (is_multicast(due.to) || is_broadcast(due.to)) {
    for (const auto& port : ports_) {
      if (port->handler == nullptr || port->host != due.target ||
          port->address.port != due.to.port || port->address.family != due.to.family) {
        continue;
      }
      const bool hears = is_broadcast(due.to)
                             ? is_wildcard(port->address) || is_broadcast(port->address)
                             : std::ranges::any_of(port->groups, same_group(due.to));
      if (hears) put(*port, due);
    }
    return;
  }
  if (SimPort* port = receiver_of(due)) return put(*port, due);
  due.step = Step::kRefusal;
  const SimLink& way = core_.link(core_.path(*due.port->host, *due.target));
  const TimePoint back = core_.now() + way.latency + core_.span(way.jitter);
  if (!core_.chance(way.loss)) schedule(back, std::move(due));
}

/// Whoever has fixed the sender as its peer comes first; among others that share a port, chance.
SimPort* SimDatagrams::receiver_of(const Due& due) {
  std::vector<SimPort*> found;
  for (const auto& port : ports_) {
    if (port->handler == nullptr || port->host != due.target) continue;
    const SocketAddress& at = port->address;
    if (at.family != due.to.family || at.port != due.to.port) continue;
    if (!is_same_ip(at, due.to) && !is_wildcard(at)) continue;
    if (port->peer.is_ip()) {
      if (port->peer == due.from) return port.get();
    } else {
      found.push_back(port.get());
    }
  }
  if (found.size() < 2) return found.empty() ? nullptr : found.front();
  return found[core_.random.below(static_cast<std::uint32_t>(found.size()))];
}

void SimDatagrams::put(SimPort& port, const Due& due) {
  const SimLink& way = core_.link(core_.path(*due.port->host, *due.target));
  if (port.queued_bytes + due.bytes.size() > way.receive_buffer) {
    return log(SimEventKind::kDatagramLost, due.from, due.to, due.bytes.size());
  }
  port.queue.push_back({due.bytes, due.from});
  port.queued_bytes += due.bytes.size();
  if (events_of(port) != 0) core_.make_ready(port);
}

}  // namespace coronado
