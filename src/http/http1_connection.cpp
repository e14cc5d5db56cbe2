#include "http/http1_connection.hpp"

#include <coronado/base/log.hpp>

#include <algorithm>

#include "http/exchange_body.hpp"
#include "http/http1_parser.hpp"
#include "http/httpserver_core.hpp"
#include "http/quote.hpp"
#include "net/stream_info.hpp"

namespace coronado {
namespace {

/// Pipelined input kept while a handler is at work; then the client is slowed down.
constexpr std::size_t kMostKeptInput = 64 * 1024;
/// With more than this unsent no further request is begun: a client that does not read gets no
/// more.
constexpr std::size_t kMostUnsent = 1024 * 1024;

}  // namespace

/// While it lives, the responses of one connection gather in the server's buffer. They leave at its
/// end in any case: nothing may stay for the next connection.
class HTTP1Connection::Cork {
 public:
  explicit Cork(HTTP1Connection& connection) noexcept : connection_(connection) {
    connection.server_.corked = &connection;
  }
  ~Cork() {
    connection_.flush_output();
    connection_.server_.corked = nullptr;
  }
  Cork(const Cork&) = delete;
  Cork& operator=(const Cork&) = delete;

 private:
  HTTP1Connection& connection_;
};

/// Whether all of it was sent is not asked here: then the transport could not send it together with
/// the output of others. `on_timer` asks.
void HTTP1Connection::send(std::string_view bytes) {
  transport_->write(bytes);
  watch(server_.options.write_timeout);
}

/// Sends what is gathered, if it is this connection's.
void HTTP1Connection::flush_output() noexcept {
  if (server_.corked != this || server_.output.empty()) return;
  try {
    send(server_.output.view());
  } catch (const std::bad_alloc&) {
    dead_ = true;
  }
  server_.output.clear();
}

// --- life --------------------------------------------------------------------------------------

HTTP1Connection::HTTP1Connection(HTTPServer::Core& server, std::unique_ptr<Transport> transport,
                                 const TLSTransport* tls, ConnectionSlot slot)
    : server_(server),
      slot_(std::move(slot)),
      transport_(std::move(transport)),
      tls_(tls),
      phase_since_(server.loop.turn_time()) {}

HTTP1Connection::~HTTP1Connection() {
  server_.loop.disarm(timer_);
  if (exchange_ != nullptr) {
    exchange_->recycle();
    server_.put_back(exchange_);
  }
  unlink();
  server_.connection_gone();
}

void HTTP1Connection::open() {
  phase_since_ = server_.loop.now();  // perhaps before the loop's first turn
  server_.loop.arm(timer_, phase_since_ + limit());
  transport_->start(*this);
}

/// Gives the channel to the protocol that was agreed upon, and goes.
void HTTP1Connection::hand_over() noexcept {
  std::unique_ptr<HTTPExchange> exchange(std::exchange(exchange_, nullptr));
  if (peer_ended_) {  // nobody is there to speak it
    delete this;
    return;
  }
  HTTPServer::Core& server = server_;
  UpgradedConnection* const next = exchange->next_.release();  // it destroys itself
  const std::unique_ptr<std::string> rest = std::move(input_);
  std::unique_ptr<Transport> transport = std::move(transport_);
  transport->pause_receive();
  next->server_ = &server;
  next->slot_ = std::move(slot_);
  server.upgraded.push_back(*next);
  ++server.connection_count;
  exchange->client_gone_ = true;  // nothing of HTTP is to be done with it
  exchange->sink_ = nullptr;
  delete this;
  next->take_over(std::move(transport), rest ? std::span<char>(*rest) : std::span<char>(),
                  std::move(exchange));
  if (server.draining) server.drain_connections();
}

void HTTP1Connection::give_up(const char* why) noexcept {
  general_log().error(std::string("connection closed after an internal error: ") + why);
  dead_ = true;
  if (exchange_ != nullptr && exchange_->task_ != nullptr) exchange_->task_->cancel();
}

void HTTP1Connection::drain() {
  enter_from_outside([this] {
    const bool discarding = exchange_ != nullptr && exchange_->body_ && exchange_->body_->discard;
    if (phase_ == Phase::kIdle || discarding) close_soon(discarding);
    if (phase_ == Phase::kHandling && exchange_->cancel_on_drain_ && exchange_->task_ != nullptr) {
      exchange_->task_->cancel();
    }
  });
}

void HTTP1Connection::cut() {
  enter_from_outside([this] {
    dead_ = true;
    if (exchange_ != nullptr && exchange_->task_ != nullptr) exchange_->task_->cancel();
  });
}

StreamInfo HTTP1Connection::stream_info() const {
  StreamInfo info = detail::stream_info(transport_.get());
  info.protocol = "HTTP";
  if (server_.corked == this) info.unsent += server_.output.size();
  if (input_) info.buffered = input_->size();
  if (exchange_ == nullptr) return info;
  if (exchange_->body_) info.buffered += exchange_->body_->waiting();
  if (exchange_->task_ != nullptr) info.task_id = exchange_->task_->id();
  return info;
}

// --- input -------------------------------------------------------------------------------------

void HTTP1Connection::on_receive(std::span<char> bytes) noexcept {
  enter_from_outside([&] { receive(bytes); });
}

void HTTP1Connection::receive(std::span<char> bytes) {
  if (phase_ == Phase::kClosing || dead_) return;  // discarded
  const Cork cork(*this);
  if (input_) {
    input_->append(bytes.data(), bytes.size());
    process_kept();
  } else {
    const std::string_view all(bytes.data(), bytes.size());
    keep_input(all.substr(process(all)));
  }
}

void HTTP1Connection::process_kept() {
  const std::size_t used = process(*input_);
  if (!input_) return;
  if (used == input_->size()) {
    input_.reset();
  } else {
    input_->erase(0, used);
  }
  hold_back_client();
}

/// While a handler is at work, or the client does not read, only so much pipelined input is kept.
void HTTP1Connection::hold_back_client() noexcept {
  if (!input_ || input_->size() <= kMostKeptInput || receive_paused_) return;
  if (exchange_ == nullptr && !output_blocked()) return;
  receive_paused_ = true;
  transport_->pause_receive();
}

void HTTP1Connection::let_client_go_on() noexcept {
  if (!std::exchange(receive_paused_, false)) return;
  transport_->resume_receive();
}

bool HTTP1Connection::output_blocked() const noexcept {
  return transport_->pending() > kMostUnsent;
}

void HTTP1Connection::keep_input(std::string_view rest) {
  if (rest.empty() || phase_ == Phase::kClosing || dead_) return;
  input_ = std::make_unique<std::string>(rest);
  hold_back_client();
}

/// Consumes what can be consumed; returns how much that was.
std::size_t HTTP1Connection::process(std::string_view bytes) {
  std::size_t used = 0;
  while (used < bytes.size() && phase_ < Phase::kUpgraded && !dead_) {
    const std::string_view rest = bytes.substr(used);
    std::size_t step = 0;
    if (exchange_ == nullptr) {
      if (output_blocked()) break;  // `on_drained` goes on
      step = parse_head(rest);
    } else if (exchange_->body_ && !exchange_->body_->complete) {
      step = feed_body(rest);
    } else {
      break;  // the handler is at work; the next request waits
    }
    if (step == 0) break;
    used += step;
  }
  return phase_ == Phase::kClosing ? bytes.size() : used;
}

std::size_t HTTP1Connection::parse_head(std::string_view bytes) {
  HTTPExchange& exchange = server_.spare();
  const ParseResult result = parse_request_head(bytes.data(), bytes.size(), searched_,
                                                server_.options.limits, exchange.request_.head_);
  if (result.status == ParseStatus::kIncomplete) [[unlikely]] {
    if (phase_ != Phase::kHead) enter(Phase::kHead);
    return 0;
  }
  searched_ = 0;
  if (result.status == ParseStatus::kError) [[unlikely]] {
    refuse(result.http_status, result.reason);
    return bytes.size();
  }
  return result.consumed + begin_request(bytes.substr(result.consumed));
}

/// The head is whole. Returns how much of the body it consumed as well.
std::size_t HTTP1Connection::begin_request(std::string_view rest) {
  exchange_ = server_.take_spare();
  HTTPExchange& exchange = *exchange_;
  exchange.loop_ = &server_.loop;
  exchange.encoder_ = server_.encoder.get();
  exchange.sink_ = this;
  exchange.request_.peer_ = transport_->peer();
  exchange.request_.tls_ = tls_;
  exchange.request_.started_ = server_.loop.turn_time();
  exchange.request_.limits_ = &server_.options.limits;
  if (!server_.forwarders.empty() && server_.forwarders.contains(exchange.request_.peer_)) {
    ForwardedClient client = server_.forwarders.client_of(exchange.request_.head_);
    if (!server_.options.trust_forwarded_host) client.host.clear();
    exchange.request_.set_forwarded(std::move(client));
  }
  ++server_.request_count;
  if (over_request_rate()) {
    refuse(429, "too many requests a second on one connection");
    return 0;
  }
  exchange.endpoint_ = &server_.service.route(exchange);
  exchange.request_.endpoint_limits_ = &exchange.endpoint_->limits();
  if (exchange.request_.head_.has_body()) return begin_body(rest);
  more_input_ = !rest.empty();
  dispatch();
  return 0;
}

// --- the client going away ---------------------------------------------------------------------

void HTTP1Connection::on_receive_end(std::error_code error) noexcept {
  enter_from_outside([&] {
    peer_ended_ = true;
    if (exchange_ != nullptr && exchange_->task_ != nullptr) return peer_went();
    if (in_the_middle()) return truncated(error);
    // An orderly end: what has been answered is still wanted.
    if (error || transport_->pending() == 0) {
      if (!error) transport_->say_farewell();
      dead_ = true;
    } else if (phase_ != Phase::kClosing && !(input_ && output_blocked())) {
      close_soon(false);
    }
  });
}

/// Part of a request has come that somebody would have answered.
bool HTTP1Connection::in_the_middle() const noexcept {
  if (phase_ == Phase::kBody) return !exchange_->body_->discard;
  // Old clients send an empty line behind a body.
  return phase_ == Phase::kHead && input_ && input_->find_first_not_of("\r\n") != std::string::npos;
}

/// RFC 9112 8: an incomplete request may be answered with an error, if anybody is there to read it.
void HTTP1Connection::truncated(std::error_code error) {
  refuse(400, "the client has left in the middle of its request");
  if (error) dead_ = true;
}

/// Nobody waits for the response in progress.
void HTTP1Connection::peer_went() noexcept {
  HTTPExchange& exchange = *exchange_;
  if (std::exchange(exchange.client_gone_, true)) return;
  exchange.keep_alive_ = false;
  if (!exchange.finished_) {
    if (Function<void()> callback = std::exchange(exchange.close_callback_, nullptr)) {
      try {
        callback();
      } catch (const std::exception& thrown) {
        app_log().error(std::string("exception in a close callback: ") + thrown.what());
      } catch (...) {
        app_log().error("exception in a close callback, not a std::exception");
      }
    }
    if (exchange.cancel_on_close_) exchange.task_->cancel();
  }
  // Those who are not cancelled learn it from what they wait for.
  if (exchange.drain_ != nullptr) std::exchange(exchange.drain_, nullptr)->wake();
  if (exchange.body_ && exchange.body_->reader != nullptr) {
    std::exchange(exchange.body_->reader, nullptr)->wake();
  }
}

void HTTP1Connection::on_drained() noexcept {
  enter_from_outside([this] {
    last_pending_ = 0;
    if (exchange_ != nullptr && exchange_->drain_ != nullptr) {
      std::exchange(exchange_->drain_, nullptr)->wake();
    }
    if (phase_ == Phase::kClosing) {
      if (!linger_ || peer_ended_) {
        dead_ = true;
      } else {
        enter(Phase::kClosing);  // the shorter limit holds now
      }
    } else if (exchange_ == nullptr) {
      go_on();
    }
  });
}

/// Between two requests: takes up what the client has sent meanwhile.
void HTTP1Connection::go_on() {
  if (input_) {
    const Cork cork(*this);
    process_kept();
  }
  if (exchange_ != nullptr || dead_ || phase_ == Phase::kClosing || output_blocked()) return;
  let_client_go_on();
  if (peer_ended_) close_soon(false);
}

/// Nothing more is served. With `linger` the client may still be sending: closing at once would
/// make the kernel reset the connection and destroy the response on its way (RFC 9112 9.6).
void HTTP1Connection::close_soon(bool linger) noexcept {
  flush_output();
  input_.reset();
  linger_ = linger;
  enter(Phase::kClosing);
  if (transport_->pending() == 0 && (!linger || peer_ended_)) {
    transport_->say_farewell();  // or what was sent counts as truncated
    dead_ = true;
    return;
  }
  transport_->shutdown_write();
  let_client_go_on();
}

// --- requests ----------------------------------------------------------------------------------

bool HTTP1Connection::over_request_rate() noexcept {
  const auto second =
      std::chrono::duration_cast<std::chrono::seconds>(server_.loop.turn_time().time_since_epoch())
          .count();
  if (second != rate_second_) {
    rate_second_ = second;
    rate_count_ = 0;
  }
  return ++rate_count_ > server_.options.max_request_rate;
}

void HTTP1Connection::dispatch() {
  HTTPExchange& exchange = *exchange_;
  phase_ = Phase::kHandling;
  exchange.keep_alive_ = exchange.request_.head_.keep_alive();
  Task<> task;
  try {
    if (exchange.endpoint_->suspends()) exchange.pin();
    task = exchange.endpoint_->handle(exchange);
  } catch (...) {
    fail(std::current_exception());
    return complete();
  }
  if (task) return run_task(std::move(task));
  if (!exchange.finished_) {
    fail(std::make_exception_ptr(std::logic_error("the handler did not answer")));
  }
  complete();
}

void HTTP1Connection::run_task(Task<> task) {
  HTTPExchange& exchange = *exchange_;
  if (!exchange.linked()) exchange.attach(server_.loop, nullptr, "http");
  TaskContext& context =
      exchange.create(*task.release(), exchange.endpoint_->name(), std::source_location::current());
  exchange.task_ = &context;
  server_.loop.run_now(context);
}

void HTTP1Connection::task_finished(HTTPExchange& exchange, TaskOutcome outcome,
                                    const std::exception_ptr& error) noexcept {
  const bool from_outside = depth_ == 0;
  enter_from_outside([&] {
    if (outcome == TaskOutcome::kError) {
      fail(error);
    } else if (!exchange.finished_ && !exchange.client_gone_ && !dead_) {
      const bool drained = server_.draining && exchange.cancel_on_drain_ && exchange.started_;
      if (outcome == TaskOutcome::kCancelled && drained) {
        exchange.finish();
      } else if (outcome == TaskOutcome::kCancelled) {
        fail(std::make_exception_ptr(HTTPError(503, "the request was cancelled")));
      } else {
        fail(std::make_exception_ptr(std::logic_error("the handler did not finish its response")));
      }
    }
    if (exchange.client_gone_) dead_ = true;
    complete();
    if (from_outside && exchange_ == nullptr && !dead_ && phase_ != Phase::kClosing) go_on();
  });
}

/// The endpoint threw what it should have answered itself, or left the response unfinished.
void HTTP1Connection::fail(const std::exception_ptr& error) noexcept {
  HTTPExchange& exchange = *exchange_;
  int status = 500;
  Logger* log = &app_log();
  LogLevel level = LogLevel::kError;
  std::string text = "not a std::exception";
  try {
    std::rethrow_exception(error);
  } catch (const HTTPError& http) {
    status = http.status();
    text = http.what();
    if (status < 500) {  // the client's fault
      log = &general_log();
      level = LogLevel::kWarning;
    }
  } catch (const StreamClosedError& closed) {
    if (exchange.client_gone_) return;  // no news
    text = closed.what();
  } catch (const std::exception& exception) {
    text = exception.what();
  } catch (...) {
  }
  log->log(level, "request " + std::string(exchange.request_.method()) + " " +
                      std::string(exchange.request_.uri()) + ": " + text);
  if (exchange.started_) {
    if (!exchange.finished_) exchange.abort();
  } else {
    write_error_response(status);
  }
}

/// The endpoint is done with the request.
void HTTP1Connection::complete() noexcept {
  HTTPExchange& exchange = *exchange_;
  const bool discarded = exchange.body_ && exchange.body_->discard;
  if (!discarded) server_.service.request_done(exchange);
  if (dead_) {
    exchange.recycle();
    server_.put_back(std::exchange(exchange_, nullptr));
    return;
  }
  if (exchange.next_) {
    phase_ = Phase::kUpgraded;
    return;
  }
  if (exchange.body_ && !exchange.body_->complete && exchange.keep_alive_) {
    // The client is still sending what nobody wants: the connection is worth a little patience.
    HTTPExchange::Body& body = *exchange.body_;
    if (!body.discard && body.left <= kMostDiscarded && !body.continue_wanted) {
      body.discard = true;
      body.received = 0;
      body.waited = {};
      body.data.clear();
      body.encoded.clear();
      enter(Phase::kBody);
      want_body(exchange);
      return;
    }
    exchange.keep_alive_ = false;
  }
  const bool keep = exchange.keep_alive_ && !server_.draining;
  // A client that asked for the end and sent nothing behind its request needs no patience: it MUST
  // NOT send more (RFC 9112 9.6), so no unread byte can make the kernel reset the connection.
  const bool linger = more_input_ || input_ != nullptr || exchange.request_.head_.keep_alive();
  exchange.recycle();
  server_.put_back(std::exchange(exchange_, nullptr));
  enter(Phase::kIdle);
  if (!keep) close_soon(linger);
}

/// The message cannot become a request: says so and closes.
void HTTP1Connection::refuse(int status, std::string_view reason) {
  server_.service.request_refused(
      {.peer = transport_->peer(),
       .status = status,
       .reason = reason,
       .request = exchange_ == nullptr ? nullptr : &exchange_->request_});
  if (exchange_ == nullptr) {
    server_.spare();
    exchange_ = server_.take_spare();
    exchange_->request_.head_.clear();
    exchange_->loop_ = &server_.loop;
    exchange_->sink_ = this;
  }
  exchange_->keep_alive_ = false;
  write_error_response(status);
  exchange_->recycle();
  server_.put_back(std::exchange(exchange_, nullptr));
  close_soon(true);
}

}  // namespace coronado
