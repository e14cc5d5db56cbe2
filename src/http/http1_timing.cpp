// The time limits of a connection: one timer, which finds out what it was for.
#include <coronado/base/log.hpp>

#include <algorithm>

#include "http/exchange_body.hpp"
#include "http/http1_connection.hpp"
#include "http/httpserver_core.hpp"

namespace coronado {
namespace {

/// How long a refused client may go on sending before the connection is closed for good.
constexpr Duration kLingerTime = std::chrono::seconds(2);

}  // namespace

/// Begins a phase whose limit may be shorter than what the timer is armed for.
void HTTP1Connection::enter(Phase phase) noexcept {
  phase_ = phase;
  phase_since_ = server_.loop.turn_time();
  // What an idle connection has not sent is watched since it was written.
  watch(phase == Phase::kIdle ? server_.options.idle_timeout : limit());
}

/// Sees to it that the timer comes in time for a limit that begins to hold.
void HTTP1Connection::watch(Duration limit) noexcept {
  const TimePoint when = server_.loop.turn_time() + limit;
  if (!timer_.armed() || when < timer_.deadline()) server_.loop.arm(timer_, when);
}

/// The handler does nothing but wait for the client.
bool HTTP1Connection::waits_for_body() const noexcept {
  return phase_ == Phase::kHandling && exchange_->body_ && exchange_->body_->reader != nullptr;
}

Duration HTTP1Connection::limit() const noexcept {
  const HTTPServerOptions& options = server_.options;
  switch (phase_) {
    case Phase::kIdle:
      return transport_->pending() == 0 ? options.idle_timeout : options.write_timeout;
    case Phase::kHead: return options.header_timeout;
    case Phase::kBody: return body_patience();
    case Phase::kClosing: return transport_->pending() == 0 ? kLingerTime : options.write_timeout;
    case Phase::kUpgraded: break;
    case Phase::kHandling: return waits_for_body() ? body_patience() : options.write_timeout;
  }
  return options.write_timeout;
}

/// The timer is not moved with every request; it finds out here whether its time has really come.
void HTTP1Connection::on_timer() noexcept {
  enter_from_outside([this] {
    const TimePoint now = server_.loop.now();
    const std::size_t pending = transport_->pending();
    if (pending != 0 && pending != last_pending_) {
      last_pending_ = pending;  // the client takes something
      phase_since_ = now;
    }
    if (now - phase_since_ >= limit()) expire();
    if (!dead_) server_.loop.arm(timer_, std::max(phase_since_, now - limit()) + limit());
  });
}

void HTTP1Connection::expire() noexcept {
  switch (phase_) {
    case Phase::kHead: return refuse(408, "the head did not come in time");
    case Phase::kBody: return body_failed(408, "the body comes too slowly");
    case Phase::kHandling:
      if (waits_for_body()) return body_failed(408, "the body comes too slowly");
      if (transport_->pending() == 0) {
        phase_since_ = server_.loop.now();  // the handler takes its time: that is its affair
        return;
      }
      general_log().info("a client took nothing of its response in time; the connection is cut");
      if (exchange_->task_ != nullptr) {
        peer_went();
        exchange_->task_->cancel();
      }
      break;
    case Phase::kIdle: transport_->say_farewell(); break;
    case Phase::kUpgraded:
    case Phase::kClosing: break;
  }
  dead_ = true;
}

}  // namespace coronado
