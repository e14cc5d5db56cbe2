#include "http/websocket_connection.hpp"

#include <coronado/base/escape.hpp>
#include <coronado/base/log.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/http/exchange.hpp>
#include <coronado/loop/ioloop.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

#include "http/prepared_frame.hpp"
#include "http/websocket_random.hpp"

namespace coronado {
namespace {

/// From so many bytes waiting on, senders wait.
constexpr std::size_t kHighWater = 64 * 1024;
/// So much is collected before it is handed to the transport.
constexpr std::size_t kMostCorked = 64 * 1024;
/// A buffer that has become bigger is not kept.
constexpr std::size_t kMostKept = 1024 * 1024;
/// A connection at rest keeps no bigger ones.
constexpr std::size_t kMostIdle = 256;

constexpr std::uint16_t kNormal = 1000;
constexpr std::uint16_t kGoingAway = 1001;
constexpr std::uint16_t kNoCode = 1005;
constexpr std::uint16_t kBroken = 1006;
constexpr std::uint16_t kInternalError = 1011;
constexpr std::size_t kMostReason = 123;  // RFC 6455 5.5
/// So long a peer is waited for when `close_timeout` says "for ever", but nobody holds the socket.
constexpr Duration kLongestFarewell = std::chrono::minutes(1);

/// Frames on their way out, of the connection whose input is being processed: sent once at the end.
struct Output {
  std::string corked;
  WebSocketConnection* owner = nullptr;
  std::string scratch;
  std::string compressed;
};
thread_local Output output;

const std::string kNothing;

void keep_small(std::string& buffer, std::size_t most) {
  if (buffer.capacity() > most) {
    std::string().swap(buffer);
  } else {
    buffer.clear();
  }
}

/// Compressors without memory are shared by the connections of a thread.
Compressor& shared_compressor(int level, int window_bits) {
  constexpr std::size_t kLevels = 10;
  constexpr std::size_t kWindows = 16;
  thread_local std::array<std::unique_ptr<Compressor>, kLevels * kWindows> all;
  auto& one =
      all[static_cast<std::size_t>(window_bits) * kLevels + static_cast<std::size_t>(level)];
  if (!one)
    one = make_compressor(Coding::kRawDeflate, {.level = level, .window_bits = window_bits});
  return *one;
}

bool we_forget(const WebSocketSetup& setup) noexcept {
  return setup.is_server ? setup.deflate->server_forgets : setup.deflate->client_forgets;
}
bool peer_forgets(const WebSocketSetup& setup) noexcept {
  return setup.is_server ? setup.deflate->client_forgets : setup.deflate->server_forgets;
}
int our_window(const WebSocketSetup& setup) noexcept {
  return setup.is_server ? setup.deflate->server_window_bits : setup.deflate->client_window_bits;
}
int peer_window(const WebSocketSetup& setup) noexcept {
  return setup.is_server ? setup.deflate->client_window_bits : setup.deflate->server_window_bits;
}

std::unique_ptr<Decompressor> decompressor_for(const WebSocketSetup& setup) {
  if (!setup.deflate) return nullptr;
  return make_decompressor(Coding::kRawDeflate, peer_window(setup));
}

/// At most `size` bytes of it, which are whole characters.
std::string_view cut_text(std::string_view text, std::size_t size) noexcept {
  if (text.size() <= size) return text;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
  return text.substr(0, size);
}

}  // namespace

/// Runs the listener's tasks, one at a time.
class WebSocketConnection::Runner final : private detail::TaskOwner {
 public:
  explicit Runner(WebSocketConnection& connection) : connection_(connection) {
    attach(*connection.loop_, nullptr, "websocket");
  }

  bool running() const noexcept { return task_ != nullptr; }
  void run(Task<> task) {
    task_ = &create(*task.release(), "websocket", std::source_location::current());
    connection_.loop_->run_now(*task_);
  }
  void cancel() noexcept {
    if (task_ != nullptr) task_->cancel();
  }
  /// What the last task threw, if it did.
  std::exception_ptr take_error() noexcept { return std::exchange(error_, nullptr); }

 private:
  void on_child_finished(TaskContext&, PromiseBase& root) noexcept override {
    task_ = nullptr;
    if (root.state() == TaskOutcome::kError) error_ = root.error();
  }
  void on_child_released() noexcept override { connection_.task_released(); }

  WebSocketConnection& connection_;
  TaskContext* task_ = nullptr;
  std::exception_ptr error_;
};

WebSocketConnection::WebSocketConnection(WebSocketSetup setup,
                                         std::unique_ptr<WebSocketListener> listener)
    : options_(std::move(setup.options)),
      listener_(std::move(listener)),
      receiver_({.masked = setup.is_server, .max_message_size = options_->max_message_size},
                decompressor_for(setup), !setup.deflate || !peer_forgets(setup)),
      is_server_(setup.is_server) {
  if (!setup.subprotocol.empty()) rare().subprotocol = std::move(setup.subprotocol);
  if (!setup.deflate) return;
  window_bits_ = static_cast<std::uint8_t>(our_window(setup));
  if (we_forget(setup)) return;
  compressor_ = make_compressor(Coding::kRawDeflate,
                                {.level = compression_level(), .window_bits = window_bits_});
}

WebSocketConnection::Backlog& WebSocketConnection::backlog() {
  if (!backlog_) backlog_ = std::make_unique<Backlog>();
  return *backlog_;
}

WebSocketConnection::Rare& WebSocketConnection::rare() {
  if (!rare_) rare_ = std::make_unique<Rare>();
  return *rare_;
}

Event& WebSocketConnection::closed_event() {
  Event& event = rare().closed;
  if (state_ == State::kClosed) event.set();
  return event;
}

bool WebSocketConnection::has_input() const noexcept {
  return backlog_ && backlog_->input_used < backlog_->input.size();
}

void WebSocketConnection::set_close_reason(std::string_view reason) {
  if (rare_ || !reason.empty()) rare().close_reason.assign(reason);
}

const std::string& WebSocketConnection::close_reason() const noexcept {
  return rare_ ? rare_->close_reason : kNothing;
}

const std::string& WebSocketConnection::subprotocol() const noexcept {
  return rare_ ? rare_->subprotocol : kNothing;
}

WebSocketConnection::~WebSocketConnection() {
  if (alarm_.armed()) loop_->disarm(alarm_);
  if (output.owner == this) output.owner = nullptr;
}

// --- life ----------------------------------------------------------------------------------------

/// Every call from outside goes through here: the connection may be destroyed at its end.
template <class Step>
void WebSocketConnection::enter(Step&& step) noexcept {
  ++depth_;
  const bool corks = output.owner == nullptr;
  if (corks) output.owner = this;
  try {
    step();
  } catch (...) {  // out of memory
    failed(std::current_exception());
  }
  if (corks) {
    flush();
    output.owner = nullptr;
  }
  if (--depth_ == 0 && dead_ && !running() && !has_handle_) delete this;
}

void WebSocketConnection::take_over(std::unique_ptr<Transport> transport, std::span<char> first,
                                    std::unique_ptr<HTTPExchange> exchange) noexcept {
  exchange_ = std::move(exchange);
  begin(exchange_->loop(), std::move(transport), first);
}

void WebSocketConnection::begin(IOLoop& loop, std::unique_ptr<Transport> transport,
                                std::span<char> first, bool ended) noexcept {
  loop_ = &loop;
  transport_ = std::move(transport);
  paused_ = true;
  state_ = State::kOpen;
  last_heard_ = loop.now();
  peer_ended_ = ended;
  transport_->start(*this);
  enter([&] {
    if (!first.empty()) backlog().input.assign(first.data(), first.size());
    arm(options_->ping_interval);
    if (listener_) run(listener_->opened(*this));
    process_input();
  });
}

void WebSocketConnection::drain() noexcept {
  enter([this] {
    if (state_ == State::kOpen) close(kGoingAway, "the server is shutting down");
  });
}

void WebSocketConnection::cut() noexcept {
  enter([this] {
    if (runner_) runner_->cancel();
    end();
  });
}

void WebSocketConnection::release_request() noexcept { exchange_.reset(); }

void WebSocketConnection::let_go() noexcept {
  enter([this] {
    has_handle_ = false;
    if (state_ == State::kOpen) close(kNormal, {});
    // From now on it lives by its alarm, and ends with the loop.
    if (!dead_ && !alarm_.armed()) arm(farewell_timeout());
  });
}

// --- what comes ----------------------------------------------------------------------------------

void WebSocketConnection::on_receive(std::span<char> bytes) noexcept {
  enter([&] {
    if (state_ == State::kClosed) return;
    last_heard_ = loop_->turn_time();
    if (has_input()) {
      backlog_->input.append(bytes.data(), bytes.size());
      process_input();
      return;
    }
    const std::span<char> rest = bytes.subspan(process(bytes));
    if (!rest.empty()) {
      backlog().input.assign(rest.data(), rest.size());
      backlog_->input_used = 0;
    }
    update_flow();
  });
}

void WebSocketConnection::on_receive_end(std::error_code) noexcept {
  enter([this] {
    peer_ended_ = true;
    if (!has_held_) end();  // else when it has been taken: what came before the end is not lost
  });
}

/// Looks at what has been kept.
void WebSocketConnection::process_input() {
  if (processing_) return;  // who does it now goes on
  if (has_input()) {
    Backlog& kept = *backlog_;
    kept.input_used += process(std::span<char>(kept.input).subspan(kept.input_used));
    if (kept.input_used == kept.input.size()) {
      keep_small(kept.input, kMostIdle);
      kept.input_used = 0;
    }
  }
  update_flow();
  if (peer_ended_ && !has_held_) end();
}

/// Handles frames until a message has to wait.   Returns  How many bytes they were.
std::size_t WebSocketConnection::process(std::span<char> bytes) {
  processing_ = true;
  std::size_t used = 0;
  while (!has_held_ && state_ != State::kClosed) {
    const WebSocketReceiver::Step step = receiver_.feed(bytes.subspan(used));
    used += step.consumed;
    if (step.event == WebSocketReceiver::Event::kMore) break;
    handle(step);
  }
  processing_ = false;
  return state_ == State::kClosed ? bytes.size() : used;
}

void WebSocketConnection::handle(const WebSocketReceiver::Step& step) {
  using Event = WebSocketReceiver::Event;
  try {
    switch (step.event) {
      case Event::kMore: return;
      case Event::kMessage: return deliver(step);
      case Event::kPing:
        answer_ping(step.payload);
        if (listener_) listener_->pinged(step.payload);
        return;
      case Event::kPong:
        awaits_pong_ = false;
        if (listener_) listener_->ponged(step.payload);
        return;
      case Event::kClose:
        peer_code_ = step.code;
        set_close_reason(step.payload);
        if (!attended_ || state_ != State::kOpen) return answer_close();
        return arm(options_->close_timeout);  // who works on a message may still answer it
      case Event::kError: return violated(step.code, step.payload);
    }
  } catch (...) {
    failed(std::current_exception());
  }
}

void WebSocketConnection::deliver(const WebSocketReceiver::Step& step) {
  if (state_ != State::kOpen) return;  // we said that we are closing
  if (running() || !listener_) return hold_message(step.payload, step.text);
  message_ = {step.payload, step.text};
  Task<> task = listener_->received(message_);
  if (!task) return;
  backlog().current.assign(step.payload);
  message_.data = backlog_->current;
  attended_ = true;
  run(std::move(task));
}

void WebSocketConnection::hold_message(std::string_view payload, bool text) {
  backlog().held.assign(payload);
  held_text_ = text;
  has_held_ = true;
  if (reader_ != nullptr) std::exchange(reader_, nullptr)->wake();
}

/// Whoever took a message is back for the next one.   Returns  Whether there is no need to wait.
bool WebSocketConnection::begin_read() noexcept {
  enter([this] { message_done(); });
  return has_held_ || state_ != State::kOpen;
}

void WebSocketConnection::message_done() {
  attended_ = false;
  if (peer_code_ != 0 && state_ == State::kOpen) answer_close();
}

/// The message that waited, for `WebSocket::read`.
std::optional<WebSocketMessage> WebSocketConnection::take_message() noexcept {
  if (backlog_) keep_small(backlog_->current, kMostKept);
  if (!has_held_) return std::nullopt;
  backlog_->current.swap(backlog_->held);
  has_held_ = false;
  attended_ = true;
  const WebSocketMessage message{backlog_->current, held_text_};
  enter([this] { process_input(); });
  return message;
}

void WebSocketConnection::update_flow() noexcept {
  if (!transport_ || paused_ == has_held_) return;
  paused_ = has_held_;
  if (paused_) {
    transport_->pause_receive();
  } else {
    transport_->resume_receive();
  }
}

// --- the listener's tasks --------------------------------------------------------------------------

bool WebSocketConnection::running() const noexcept { return runner_ && runner_->running(); }

void WebSocketConnection::run(Task<> task) {
  if (!task) return;
  if (!runner_) runner_ = std::make_unique<Runner>(*this);
  runner_->run(std::move(task));
}

/// The task's frame has gone: the next message can be dealt with.
void WebSocketConnection::task_released() noexcept {
  enter([this] {
    if (backlog_) keep_small(backlog_->current, kMostIdle);
    if (const std::exception_ptr error = runner_->take_error()) failed(error);
    message_done();
    while (has_held_ && !running() && listener_ && state_ == State::kOpen) {
      has_held_ = false;
      backlog_->current.swap(backlog_->held);
      message_ = {backlog_->current, held_text_};
      attended_ = true;
      try {
        run(listener_->received(message_));
      } catch (...) {
        failed(std::current_exception());
      }
      if (!running()) message_done();
      process_input();
    }
  });
}

/// A listener threw.
void WebSocketConnection::failed(const std::exception_ptr& error) noexcept {
  try {
    std::rethrow_exception(error);
  } catch (const Cancelled&) {
  } catch (const std::exception& exception) {
    const bool no_news = dynamic_cast<const WebSocketClosedError*>(&exception) != nullptr;
    if (no_news && state_ != State::kOpen) return;
    app_log().error(std::string("uncaught exception in a WebSocket's handler: ") +
                    exception.what());
  } catch (...) {
    app_log().error("uncaught exception in a WebSocket's handler, not a std::exception");
  }
  try {
    if (state_ == State::kOpen) return close(kInternalError, {});
  } catch (const std::exception&) {
  }
  end();
}

// --- what goes -----------------------------------------------------------------------------------

std::size_t WebSocketConnection::buffered_amount() const noexcept {
  const std::size_t corked = output.owner == this ? output.corked.size() : 0;
  return corked + (transport_ ? transport_->pending() : 0);
}

bool WebSocketConnection::must_wait() {
  if (state_ != State::kOpen || buffered_amount() <= kHighWater) return false;
  flush();
  if (buffered_amount() <= kHighWater) return false;
  rare();  // the place to wait
  return true;
}

/// False: the message is not to be sent.
bool WebSocketConnection::make_room() {
  if (buffered_amount() <= options_->max_buffered) return true;
  switch (options_->overflow) {
    case WebSocketOverflow::kThrow:
      throw QueueFull("too many bytes wait to be sent to a WebSocket: " +
                      std::to_string(buffered_amount()));
    case WebSocketOverflow::kDrop: count_dropped(); return false;
    case WebSocketOverflow::kClose: break;
  }
  general_log().warning("a WebSocket is cut: its peer does not keep up");
  close_code_ = kBroken;
  state_ = State::kClosing;
  transport_.reset();
  loop_->arm(alarm_, loop_->now());  // told later: the sender may be going through all connections
  return false;
}

void WebSocketConnection::send(WebSocketOpcode kind, std::string_view payload, bool compress,
                               bool checked) {
  if (state_ != State::kOpen) throw WebSocketClosedError();
  if (kind == WebSocketOpcode::kText && !checked && !is_valid_utf8(payload)) {
    throw std::invalid_argument("a WebSocket's text must be UTF-8");
  }
  if (!make_room()) return;
  if (!compress || !compresses(payload.size())) return emit(kind, payload);
  Compressor& compressor =
      compressor_ ? *compressor_ : shared_compressor(compression_level(), window_bits_);
  keep_small(output.compressed, kMostKept);
  compress_payload(compressor, payload, output.compressed);
  if (!compressor_) compressor.reset();
  emit(kind, output.compressed, true);
}

void WebSocketConnection::send(const PreparedMessage& message) {
  const PreparedFrame& frame = *message.frame_;
  const std::size_t size = frame.payload().size();
  const bool compressed = frame.may_compress() && compresses(size);
  // A kept or a small window has its own bytes; clients mask theirs, with another mask each.
  if (!is_server_ || (compressed && (compressor_ || size > std::size_t{1} << window_bits_))) {
    return send(frame.opcode(), frame.payload(), frame.may_compress(), true);
  }
  if (state_ != State::kOpen) throw WebSocketClosedError();
  if (!make_room()) return;
  emit_frame(compressed ? frame.compressed(compression_level()) : frame.plain());
}

bool WebSocketConnection::compresses(std::size_t size) const noexcept {
  const auto& wanted = options_->compression;
  return window_bits_ != 0 && size > 0 && !(wanted && size < wanted->threshold);
}

int WebSocketConnection::compression_level() const noexcept {
  return options_->compression ? options_->compression->level : 0;
}

void WebSocketConnection::emit(WebSocketOpcode opcode, std::string_view payload, bool compressed) {
  if (!transport_) return;
  WebSocketFrameHead head;
  head.opcode = opcode;
  head.compressed = compressed;
  head.size = payload.size();
  if (!is_server_) {
    head.masked = true;
    head.mask = random_websocket_mask();
  }
  const bool corked = output.owner == this;
  std::string& out = corked ? output.corked : output.scratch;
  std::array<char, kMostHeadBytes> bytes;
  out.append(bytes.data(), write_frame_head(head, bytes));
  const std::size_t begin = out.size();
  out.append(payload);
  if (head.masked) apply_mask(std::span<char>(out).subspan(begin), head.mask);
  if (corked) {
    if (out.size() > kMostCorked) flush();
    return;
  }
  transport_->write(out);
  keep_small(out, kMostKept);
}

/// Sends a frame that is ready.
void WebSocketConnection::emit_frame(std::string_view frame) {
  if (!transport_) return;
  if (output.owner != this) {
    transport_->write(frame);
    return;
  }
  output.corked.append(frame);
  if (output.corked.size() > kMostCorked) flush();
}

void WebSocketConnection::flush() noexcept {
  if (output.owner != this || output.corked.empty()) return;
  if (transport_) transport_->write(output.corked);
  keep_small(output.corked, kMostKept);
}

void WebSocketConnection::wake_senders() noexcept {
  if (!rare_) return;
  while (!rare_->senders.empty()) rare_->senders.pop_front().wake();
}

void WebSocketConnection::on_drained() noexcept {
  enter([this] {
    if (rare_ && rare_->pong && state_ == State::kOpen) emit(WebSocketOpcode::kPong, *rare_->pong);
    if (rare_) rare_->pong.reset();
    wake_senders();
  });
}

/// A peer that pings and does not read is answered when it has read: to the last ping alone, as
/// RFC 6455 5.5.3 allows, so that what waits for it has a bound.
void WebSocketConnection::answer_ping(std::string_view data) {
  if (state_ != State::kOpen) return;
  if (must_wait()) {
    rare_->pong.emplace(data);
  } else {
    emit(WebSocketOpcode::kPong, data);
  }
}

void WebSocketConnection::ping(std::string_view data) {
  if (state_ != State::kOpen) throw WebSocketClosedError();
  if (data.size() > 125) throw std::invalid_argument("a ping has at most 125 bytes");
  emit(WebSocketOpcode::kPing, data);
}

void WebSocketConnection::set_nodelay(bool on) noexcept {
  if (!transport_ || transport_->native_handle() < 0) return;
  const int value = on ? 1 : 0;
  ::setsockopt(transport_->native_handle(), IPPROTO_TCP, TCP_NODELAY, &value, sizeof value);
}

// --- closing -------------------------------------------------------------------------------------

void WebSocketConnection::close(std::uint16_t code, std::string_view reason) {
  if (!is_valid_close_code(code)) {
    throw std::invalid_argument("not a close code: " + std::to_string(code));
  }
  if (reason.size() > kMostReason || !is_valid_utf8(reason)) {
    throw std::invalid_argument("the reason of a close frame is UTF-8 of at most 123 bytes");
  }
  if (state_ != State::kOpen) return;
  if (peer_code_ != 0) return answer_close();
  send_close(code, reason);
  close_code_ = code;
  set_close_reason(reason);
  state_ = State::kClosing;
  arm(farewell_timeout());
  if (reader_ != nullptr) std::exchange(reader_, nullptr)->wake();
  has_held_ = false;  // what comes now is dropped, until the peer's close frame
  enter([this] { process_input(); });
}

void WebSocketConnection::send_close(std::uint16_t code, std::string_view reason) {
  std::string payload;
  if (code != kNoCode) {
    payload += static_cast<char>(code >> 8);
    payload += static_cast<char>(code & 0xFF);
    payload += reason;
  }
  emit(WebSocketOpcode::kClose, payload);
}

/// The peer has said that it is over, and nobody works on what it said before.
void WebSocketConnection::answer_close() {
  if (state_ == State::kOpen) send_close(peer_code_, {});
  close_code_ = peer_code_;
  linger();
}

/// The peer broke the rules.
void WebSocketConnection::violated(std::uint16_t code, std::string_view why) {
  general_log().warning("a WebSocket is closed with " + std::to_string(code) + ": " +
                        std::string(why) + " (" + transport_->peer().host() + ")");
  if (state_ == State::kOpen) send_close(code, cut_text(why, kMostReason));
  close_code_ = code;
  set_close_reason(why);
  linger();
}

/// Both have said that it is over: what is on its way arrives, and then the channel is closed. A
/// server does that first.   Spec  RFC 6455 7.1.1.
void WebSocketConnection::linger() noexcept {
  flush();
  become_closed();
  if (!transport_) return;
  if (is_server_) transport_->shutdown_write();
  arm(farewell_timeout());
  update_flow();
}

/// Tells all who wait.
void WebSocketConnection::become_closed() noexcept {
  if (state_ == State::kClosed) return;
  state_ = State::kClosed;
  if (close_code_ == 0) close_code_ = peer_code_ != 0 ? peer_code_ : kBroken;
  if (reader_ != nullptr) std::exchange(reader_, nullptr)->wake();
  wake_senders();
  if (rare_) rare_->closed.set();
  if (!listener_) return;
  try {
    listener_->closed();
  } catch (const std::exception& error) {
    app_log().error(std::string("uncaught exception in a WebSocket's on_close: ") + error.what());
  } catch (...) {
    app_log().error("uncaught exception in a WebSocket's on_close, not a std::exception");
  }
}

/// Closes the channel.
void WebSocketConnection::end() noexcept {
  if (dead_) return;
  dead_ = true;
  if (alarm_.armed()) loop_->disarm(alarm_);
  become_closed();
  flush();
  if (transport_ && state_ == State::kClosed && !peer_ended_) transport_->say_farewell();
  transport_.reset();
}

// --- time ----------------------------------------------------------------------------------------

Duration WebSocketConnection::farewell_timeout() const noexcept {
  const Duration wanted = options_->close_timeout;
  return wanted == Duration::zero() && !has_handle_ ? kLongestFarewell : wanted;
}

/// Zero: never.
void WebSocketConnection::arm(Duration in) noexcept {
  if (in > Duration::zero()) {
    loop_->arm(alarm_, detail::after(loop_->now(), in));
  } else if (alarm_.armed()) {
    loop_->disarm(alarm_);
  }
}

void WebSocketConnection::on_alarm() noexcept {
  enter([this] {
    if (state_ != State::kOpen) return end();
    if (peer_code_ != 0) return answer_close();
    keep_alive();
  });
}

void WebSocketConnection::on_loop_closed() noexcept {
  enter([this] { end(); });
}

/// Nothing may have come for a while: asks whether somebody is there.
void WebSocketConnection::keep_alive() {
  const WebSocketOptions& options = *options_;
  const Duration silence = loop_->now() - last_heard_;
  if (awaits_pong_) {
    const Duration patience =
        options.ping_timeout > Duration::zero() ? options.ping_timeout : options.ping_interval;
    if (silence >= patience) {
      general_log().warning("a WebSocket is cut: no answer to a ping");
      close_code_ = kBroken;
      set_close_reason("ping timed out");
      return end();
    }
    awaits_pong_ = false;  // something else has come
  }
  if (silence < options.ping_interval) return arm(options.ping_interval - silence);
  emit(WebSocketOpcode::kPing, {});
  awaits_pong_ = true;
  arm(options.ping_timeout > Duration::zero() ? options.ping_timeout : options.ping_interval);
}

}  // namespace coronado
