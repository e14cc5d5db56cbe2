#include "testing/sim_connection.hpp"

#include <algorithm>
#include <utility>

#include "testing/sim_core.hpp"

namespace coronado {
namespace {

constexpr Duration kRetransmit = std::chrono::milliseconds(200);
constexpr Duration kFirstRetry = std::chrono::seconds(1);
constexpr Duration kNoSuchHost = std::chrono::seconds(3);  // how long the last router asks around
constexpr int kReadsPerTurn = 8;                           // then the others have their turn

std::error_code error_of(std::errc code) noexcept { return std::make_error_code(code); }

}  // namespace

SimConnection::SimConnection(SimCore& core, std::uint32_t number, SimHost::State& from,
                             SocketAddress local, SocketAddress to, SimConnecting& connecting)
    : core_(core), connecting_(&connecting), number_(number), begun_(core.now()) {
  ends_[kClient].host = &from;
  ends_[kClient].address = std::move(local);
  ends_[kServer].address = std::move(to);
  std::ranges::copy_if(core.faults, std::back_inserter(faults_),
                       [&](const SimFault& fault) { return fault.connection == number; });
}

const SimLink& SimConnection::link() const noexcept {
  return path_ == nullptr ? core_.options.link : core_.link(*path_);
}

// --- connecting ----------------------------------------------------------------------------------

void SimConnection::begin() {
  core_.log(SimEventKind::kConnect, number_, kClient, 0,
            to_string(ends_[kClient].address) + " > " + to_string(ends_[kServer].address));
  SimHost::State* target = core_.host_of(ends_[kServer].address, *ends_[kClient].host);
  if (target != nullptr) {
    ends_[kServer].host = target;
    path_ = &core_.path(*ends_[kClient].host, *target);
  }
  for (const SimFault& fault : faults_) {
    if (fault.kind == SimFault::Kind::kRefuse) refused_ = true;
    if (fault.kind == SimFault::Kind::kBlackhole) severed_ = true;
  }
  refused_ = refused_ || core_.chance(link().refuse);
  severed_ = severed_ || core_.chance(link().blackhole);
  send_syn();
}

void SimConnection::send_syn() {
  ++attempts_;
  const SimNetwork::Answer answer = core_.answer_of(ends_[kServer].address);
  if (answer == SimNetwork::Answer::kRefuses) refused_ = true;
  if (path_ == nullptr && answer != SimNetwork::Answer::kSilent) {
    connect_error_ =
        error_of(refused_ ? std::errc::connection_refused : std::errc::host_unreachable);
    return core_.schedule(core_.now() + kNoSuchHost, *this, SimStep::kConnectFail, kClient);
  }
  const bool lost = path_ == nullptr || severed_ || path_->partitioned ||
                    !ends_[kServer].host->up || answer == SimNetwork::Answer::kSilent ||
                    core_.chance(link().loss);
  if (lost) return retry();
  core_.schedule(arrival_time(kClient, 0), *this, SimStep::kSyn, kClient);
}

/// Nobody answers: the client asks again after 1 s, 2 s, 4 s, until it has had enough.
void SimConnection::retry() {
  const TimePoint limit = begun_ + core_.options.connect_timeout;
  const TimePoint again = core_.now() + kFirstRetry * (1 << std::min(attempts_ - 1, 16));
  if (again < limit) {
    core_.log(SimEventKind::kSynLost, number_, kClient);
    return core_.schedule(again, *this, SimStep::kRetry, kClient);
  }
  connect_error_ = error_of(std::errc::timed_out);
  core_.schedule(limit, *this, SimStep::kConnectFail, kClient);
}

void SimConnection::on_syn() {
  if (!ends_[kServer].host->up) return retry();
  SimListener* listener = core_.listener_at(*ends_[kServer].host, ends_[kServer].address);
  if (refused_ || listener == nullptr) {
    connect_error_ = error_of(std::errc::connection_refused);
    return core_.schedule(arrival_time(kServer, 0), *this, SimStep::kConnectFail, kClient);
  }
  if (listener->queue.size() >= listener->backlog) return retry();
  established_ = true;
  listener->queue.push_back(this);
  core_.make_ready(*listener);
  core_.schedule(arrival_time(kServer, 0), *this, SimStep::kConnected, kClient);
}

void SimConnection::fail_connecting(std::error_code error) {
  if (connecting_ == nullptr) return;
  const SimEventKind kind = error == std::errc::connection_refused ? SimEventKind::kRefused
                            : error == std::errc::timed_out        ? SimEventKind::kConnectTimedOut
                                                                   : SimEventKind::kUnreachable;
  core_.log(kind, number_, kClient);
  core_.bury(*this);
  std::exchange(connecting_, nullptr)->release().on_connect_error(error);
}

void SimConnection::on_connected() {
  if (connecting_ == nullptr) return;
  core_.log(SimEventKind::kConnected, number_, kClient);
  ConnectHandler& handler = std::exchange(connecting_, nullptr)->release();
  handler.on_connect(make_transport(kClient));
}

void SimConnection::give_up_connecting() noexcept {
  core_.log(SimEventKind::kGivenUp, number_, kClient);
  connecting_ = nullptr;
  if (!established_) return core_.bury(*this);
  ends_[kClient].open = false;
  send_reset(kClient);
}

std::unique_ptr<Transport> SimConnection::make_transport(int side) {
  auto transport = std::make_unique<SimTransport>(core_.shared_from_this(), *this, side);
  ends_[index(side)].transport = transport.get();
  return transport;
}

// --- what happens --------------------------------------------------------------------------------

void SimConnection::on_step(SimStep step, int side) {
  End& end = ends_[index(side)];
  switch (step) {
    case SimStep::kSyn: return on_syn();
    case SimStep::kRetry: return send_syn();
    case SimStep::kConnected:
    case SimStep::kConnectFail: return core_.make_ready(*this, kClient);
    case SimStep::kArrival: return on_arrival(side);
    case SimStep::kWindow: end.window_full = false; return transmit(side);
    case SimStep::kWritable:
      end.write_waits = false;
      end.writable = true;
      return core_.make_ready(*this, side);
    case SimStep::kResume: return transmit(side);
    case SimStep::kGiveUp:
      if (core_.now() < end.give_up_at) return;
      core_.log(SimEventKind::kTimedOut, number_, side);
      return break_off(side, error_of(std::errc::timed_out));
  }
}

void SimConnection::dispatch(int side) {
  if (side == kClient && connecting_ != nullptr) {
    return connect_error_ ? fail_connecting(connect_error_) : on_connected();
  }
  End& end = ends_[index(side)];
  if (std::exchange(end.writable, false) && end.transport != nullptr) {
    const bool had_unsent = !end.unsent.empty();
    flush(side);
    if (had_unsent && end.error) {
      end.send_failed = true;
    } else if (had_unsent && end.unsent.empty() && end.handler != nullptr) {
      core_.log(SimEventKind::kDrained, number_, side);
      end.handler->on_drained();
    }
  }
  receive(side);
}

// --- sending -------------------------------------------------------------------------------------

/// When a segment that leaves now arrives. Bandwidth is shared by all connections of the way.
TimePoint SimConnection::arrival_time(int side, std::size_t size) {
  const SimLink& way = link();
  TimePoint leaves = core_.now();
  if (way.bandwidth != 0) {
    leaves = core_.occupy(*ends_[index(side)].host, *ends_[index(1 - side)].host, size);
  }
  Duration travel = way.latency + core_.span(way.jitter);
  for (Duration again = kRetransmit; core_.chance(way.loss); again *= 2) {
    travel += again;
    if (again > std::chrono::seconds(60)) break;
  }
  TimePoint& last = ends_[index(side)].last_arrival;
  last = std::max(last, leaves + travel);  // in order, whatever happened to it
  return last;
}

/// Puts into the system's buffer what it takes; returns how much that is.
std::size_t SimConnection::take(int side, std::string_view bytes) {
  End& end = ends_[index(side)];
  const SimLink& way = link();
  const std::size_t room = way.send_buffer - std::min(way.send_buffer, end.queued.size());
  std::size_t size = std::min({room, bytes.size(), way.max_write});
  if (size > 1 && core_.chance(way.short_write)) size = core_.shorter(size);
  end.queued.append(bytes.substr(0, size));
  // Where there is room, the rest can be taken soon; else when something has arrived.
  if (size < bytes.size() && size < room) writable_soon(side, way.latency);
  return size;
}

void SimConnection::writable_soon(int side, Duration most) {
  End& end = ends_[index(side)];
  if (std::exchange(end.write_waits, true)) return;
  core_.schedule(core_.now() + core_.span(most), *this, SimStep::kWritable, side);
}

void SimConnection::write(int side, std::string_view bytes) {
  End& end = ends_[index(side)];
  if (!end.open || end.shut || bytes.empty()) return;
  if (end.error) {
    end.send_failed = true;
    return core_.make_ready(*this, side);
  }
  if (!end.unsent.empty()) return end.unsent.append(bytes);
  end.unsent.append(bytes.substr(take(side, bytes)));
  transmit(side);
}

void SimConnection::flush(int side) {
  End& end = ends_[index(side)];
  if (end.error) return end.unsent.clear();
  if (!end.unsent.empty()) end.unsent.drop(take(side, end.unsent.view()));
  transmit(side);
}

/// Nothing may leave at this moment.
bool SimConnection::held_up(int side) {
  End& end = ends_[index(side)];
  if (end.error || end.window_full || core_.now() < end.stalled_until) return true;
  if (!is_cut()) {
    end.give_up_at = TimePoint::max();
    return false;
  }
  if (end.give_up_at == TimePoint::max()) {
    end.give_up_at = core_.now() + core_.options.retransmit_timeout;
    core_.schedule(end.give_up_at, *this, SimStep::kGiveUp, side);
  }
  return true;
}

/// Sends what may be under way, segment by segment, and the end behind the last of it.
void SimConnection::transmit(int side) {
  End& end = ends_[index(side)];
  const End& other = ends_[index(1 - side)];
  while (end.under_way < end.queued.size()) {
    if (held_up(side) || waits_for_more(side)) return;
    const std::size_t used = end.under_way + other.received.size();
    const std::size_t window = link().receive_buffer;
    if (used >= window) {
      end.window_full = true;  // until the other side reads
      return;
    }
    std::size_t size = next_segment(side, window - used);
    if (meets_fault(side, size)) return;
    core_.log(SimEventKind::kSent, number_, side, size);
    put_on_the_way(side, size, SegmentKind::kData);
  }
  if (!end.shut || end.end_sent || !end.unsent.empty() || held_up(side)) return;
  end.end_sent = true;
  core_.log(SimEventKind::kEndSent, number_, side);
  put_on_the_way(side, 0, SegmentKind::kEnd);
  bury_if_over();
}

/// A small segment does not leave while others are under way, where that is wanted.   Spec  RFC 1122
/// 4.2.3.4
bool SimConnection::waits_for_more(int side) const noexcept {
  const End& end = ends_[index(side)];
  const bool small = end.queued.size() - end.under_way < link().max_segment;
  return !end.nodelay && !end.shut && small && end.under_way != 0;
}

void SimConnection::set_nodelay(int side, bool on) {
  ends_[index(side)].nodelay = on;
  if (on) transmit(side);
}

std::size_t SimConnection::next_segment(int side, std::size_t room) {
  const End& end = ends_[index(side)];
  const std::size_t size = std::min({room, end.queued.size() - end.under_way, link().max_segment});
  return size > 1 && core_.chance(link().short_segment) ? core_.shorter(size) : size;
}

/// True when a fault happens before the next byte; `size` ends where one is planned.
bool SimConnection::meets_fault(int side, std::size_t& size) {
  const End& end = ends_[index(side)];
  const auto direction = side == kClient ? SimDirection::kToServer : SimDirection::kToClient;
  for (auto fault = faults_.begin(); fault != faults_.end(); ++fault) {
    if (fault->direction != direction || fault->kind == SimFault::Kind::kRefuse ||
        fault->kind == SimFault::Kind::kBlackhole || fault->after_bytes >= end.sent + size) {
      continue;
    }
    if (fault->after_bytes > end.sent) {
      size = static_cast<std::size_t>(fault->after_bytes - end.sent);
      continue;
    }
    const SimFault found = *fault;
    faults_.erase(fault);
    apply(found, side);
    return true;
  }
  if (core_.chance(link().reset)) {
    reset();
    return true;
  }
  if (core_.chance(link().vanish)) {
    vanish();
    transmit(side);  // begins to wait
    return true;
  }
  return false;
}

void SimConnection::apply(const SimFault& fault, int side) {
  switch (fault.kind) {
    case SimFault::Kind::kReset: return reset();
    case SimFault::Kind::kVanish: vanish(); return transmit(side);
    case SimFault::Kind::kStall:
      core_.log(SimEventKind::kStalled, number_, side,
                static_cast<std::uint64_t>(fault.span.count()));
      ends_[index(side)].stalled_until = core_.now() + fault.span;
      return core_.schedule(ends_[index(side)].stalled_until, *this, SimStep::kResume, side);
    case SimFault::Kind::kRefuse:
    case SimFault::Kind::kBlackhole: return;
  }
}

void SimConnection::put_on_the_way(int side, std::size_t size, SegmentKind kind) {
  End& end = ends_[index(side)];
  end.under_way += size;
  end.sent += size;
  end.flight.push_back({arrival_time(side, size), size, kind});
  // One event a direction: it is scheduled again when it has come.
  if (end.flight.size() == 1) {
    core_.schedule(end.flight.front().arrives, *this, SimStep::kArrival, 1 - side);
  }
}

/// What is under way to the other side gets lost, but for a reset.
void SimConnection::lose_what_is_under_way(End& end) noexcept {
  end.queued.clear();
  end.under_way = 0;
  for (Segment& segment : end.flight) {
    segment.size = 0;
    if (segment.kind == SegmentKind::kEnd) segment.kind = SegmentKind::kData;
  }
}

/// This side does not know the connection any more: the other one is told, if anything gets there.
void SimConnection::send_reset(int side) {
  End& end = ends_[index(side)];
  if (!end.error) end.error = error_of(std::errc::connection_reset);
  lose_what_is_under_way(end);
  end.unsent.clear();
  if (!is_cut()) {
    core_.log(SimEventKind::kResetSent, number_, side);
    put_on_the_way(side, 0, SegmentKind::kReset);
  }
  bury_if_over();
}

// --- receiving -----------------------------------------------------------------------------------

/// The first segment to `side` is there, and perhaps others with it.
void SimConnection::on_arrival(int side) {
  End& end = ends_[index(side)];
  End& sender = ends_[index(1 - side)];
  bool came = false;
  while (!sender.flight.empty() && sender.flight.front().arrives <= core_.now()) {
    const Segment segment = sender.flight.front();
    sender.flight.pop_front();
    came = true;
    if (segment.kind == SegmentKind::kReset) {
      break_off(side, error_of(std::errc::connection_reset));
      break;
    }
    if (segment.kind == SegmentKind::kEnd) end.end_arrived = true;
    if (segment.size == 0) continue;
    std::string bytes = sender.queued.take(segment.size);
    sender.under_way -= segment.size;
    if (!end.open) {  // nobody is there any more who could read it
      send_reset(side);
    } else if (!end.error) {
      end.received.append(bytes);
    }
  }
  if (!sender.flight.empty()) {
    core_.schedule(sender.flight.front().arrives, *this, SimStep::kArrival, side);
  }
  if (came && !sender.unsent.empty() && !sender.write_waits) {
    sender.write_waits = true;  // the sender hears of it later
    core_.schedule(core_.now() + link().latency, *this, SimStep::kWritable, 1 - side);
  }
  // Who waits for the acknowledgement of what was sent has it when it has travelled back.
  if (came && !sender.nodelay) {
    core_.schedule(core_.now() + link().latency, *this, SimStep::kResume, 1 - side);
  }
  if (end.transport != nullptr) core_.make_ready(*this, side);
  bury_if_over();
}

void SimConnection::receive(int side) {
  End& end = ends_[index(side)];
  for (int reads = 0; end.handler != nullptr && !end.paused && !end.end_told; ++reads) {
    if (end.received.empty()) return tell_end(side);
    if (reads == kReadsPerTurn) return core_.make_ready(*this, side);
    const bool cut = read(side);
    if (cut && !end.received.empty()) return core_.make_ready(*this, side);
  }
  if (end.handler != nullptr && end.send_failed && !end.break_told) tell_end(side);
}

/// Hands one piece of what has been received to the handler. True: a shorter one than there was.
bool SimConnection::read(int side) {
  End& end = ends_[index(side)];
  const SimLink& way = link();
  const std::size_t most = std::min(way.max_read, end.received.size());
  const bool cut = most > 1 && core_.chance(way.short_read);
  // A buffer of its own and of the exact size, so that sanitizers see who uses it too long.
  std::string piece = end.received.take(cut ? core_.shorter(most) : most);
  window_opened(side);
  core_.log(SimEventKind::kRead, number_, side, piece.size());
  core_.delivering = true;
  end.handler->on_receive(piece);
  core_.delivering = false;
  return cut;
}

void SimConnection::receive_now(int side) {
  const End& end = ends_[index(side)];
  if (core_.delivering || end.handler == nullptr || end.end_told || end.received.empty()) return;
  read(side);
}

void SimConnection::tell_end(int side) {
  End& end = ends_[index(side)];
  if (!end.error && !end.end_arrived) return;
  end.end_told = true;
  end.break_told = static_cast<bool>(end.error);
  if (end.error) {
    core_.log(SimEventKind::kBroken, number_, side, static_cast<std::uint64_t>(end.error.value()));
  } else {
    core_.log(SimEventKind::kEndRead, number_, side);
  }
  end.handler->on_receive_end(end.error);
}

/// A side has read: a sender that waits for room hears of it after a while.
void SimConnection::window_opened(int side) {
  End& sender = ends_[index(1 - side)];
  if (!sender.window_full) return;
  core_.schedule(core_.now() + link().latency, *this, SimStep::kWindow, 1 - side);
}

/// For this side the connection is broken: what it has not sent is lost.
void SimConnection::break_off(int side, std::error_code error) {
  End& end = ends_[index(side)];
  if (end.error) return bury_if_over();
  end.error = error;
  lose_what_is_under_way(end);
  end.writable = !end.unsent.empty();  // it is told that nothing is pending any more
  if (end.transport != nullptr) core_.make_ready(*this, side);
  bury_if_over();
}

// --- the transports ------------------------------------------------------------------------------

void SimConnection::start(int side, TransportHandler& handler) {
  ends_[index(side)].handler = &handler;
  core_.make_ready(*this, side);
}

void SimConnection::resume(int side) {
  End& end = ends_[index(side)];
  if (std::exchange(end.paused, false) && end.handler != nullptr) core_.make_ready(*this, side);
}

void SimConnection::shutdown_write(int side) {
  End& end = ends_[index(side)];
  if (!end.open || end.shut) return;
  end.shut = true;
  transmit(side);
}

void SimConnection::refuse_unaccepted() {
  End& end = ends_[kServer];
  end.open = false;
  end.received.clear();
  send_reset(kServer);
}

void SimConnection::close(int side) {
  End& end = ends_[index(side)];
  end.transport = nullptr;
  end.handler = nullptr;
  if (!end.open) return bury_if_over();
  core_.log(SimEventKind::kClosed, number_, side);
  end.open = false;
  end.unsent.clear();
  if (end.error) return bury_if_over();
  if (!end.received.empty()) {  // RFC 9293 3.10.4: unread bytes make a close a reset
    end.received.clear();
    return send_reset(side);
  }
  end.shut = true;
  transmit(side);
  bury_if_over();
}

// --- faults --------------------------------------------------------------------------------------

/// Something between the two breaks the connection: both are told.
void SimConnection::reset() {
  core_.log(SimEventKind::kReset, number_, kClient);
  for (const int side : {kClient, kServer}) {
    lose_what_is_under_way(ends_[index(side)]);
    put_on_the_way(side, 0, SegmentKind::kReset);
  }
}

void SimConnection::vanish() {
  if (std::exchange(severed_, true)) return;
  core_.log(SimEventKind::kVanished, number_, kClient);
}

void SimConnection::go_on() {
  if (!established_) return;
  for (const int side : {kClient, kServer}) transmit(side);
}

void SimConnection::crash(int side) {
  End& end = ends_[index(side)];
  crashed_ = true;
  end.open = false;
  end.handler = nullptr;
  end.error = error_of(std::errc::connection_reset);
  end.unsent.clear();
  lose_what_is_under_way(end);
  end.received.clear();
  if (side == kClient && connecting_ != nullptr) {
    connecting_->release();  // nobody is left to be told
    connecting_ = nullptr;
  }
  bury_if_over();
}

void SimConnection::come_back() {
  crashed_ = false;
  go_on();
}

bool SimConnection::is_cut() const noexcept { return severed_ || crashed_ || path_->partitioned; }

/// Both sides are done with it, and nothing is under way.
void SimConnection::bury_if_over() {
  for (const End& end : ends_) {
    if (end.open || end.transport != nullptr) return;
    if (!end.flight.empty() || (!end.error && !end.end_sent)) return;
  }
  core_.bury(*this);
}

// --- SimTransport --------------------------------------------------------------------------------

SimTransport::SimTransport(std::shared_ptr<SimCore> core, SimConnection& connection, int side)
    : core_(std::move(core)),
      connection_(connection),
      peer_(connection.address(1 - side)),
      local_(connection.address(side)),
      side_(side) {
  ++core_->open_transports;
}

SimTransport::~SimTransport() {
  --core_->open_transports;
  connection_.close(side_);
}

void SimTransport::start(TransportHandler& handler) { connection_.start(side_, handler); }
void SimTransport::write(std::string_view bytes) { connection_.write(side_, bytes); }
std::size_t SimTransport::pending() const noexcept { return connection_.pending(side_); }
void SimTransport::pause_receive() noexcept { connection_.pause(side_); }
void SimTransport::resume_receive() noexcept { connection_.resume(side_); }
void SimTransport::receive_now() noexcept { connection_.receive_now(side_); }
void SimTransport::shutdown_write() noexcept { connection_.shutdown_write(side_); }

// --- SimConnecting -------------------------------------------------------------------------------

SimConnecting::SimConnecting(std::shared_ptr<SimCore> core, ConnectHandler& handler) noexcept
    : core_(std::move(core)), handler_(handler) {}

SimConnecting::~SimConnecting() {
  if (connection != nullptr) connection->give_up_connecting();
}

}  // namespace coronado
