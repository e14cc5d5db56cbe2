#include "http/websocket_connection.hpp"

#include <coronado/base/log.hpp>
#include <coronado/http/exchange.hpp>
#include <coronado/loop/ioloop.hpp>

#include <utility>

#include "http/websocket_close_code.hpp"
#include "http/websocket_output.hpp"
#include "net/stream_info.hpp"

namespace coronado {
namespace {

/// A connection at rest keeps no bigger buffers.
constexpr std::size_t kMostIdle = 256;

const std::string kNothing;

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

}  // namespace

/// Runs the listener's tasks, one at a time.
class WebSocketConnection::Runner final : private detail::TaskOwner {
 public:
  explicit Runner(WebSocketConnection& connection) : connection_(connection) {
    attach(*connection.loop_, nullptr, "websocket");
  }

  bool running() const noexcept { return task_ != nullptr; }
  const TaskContext* task() const noexcept { return task_; }
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
  if (armed()) loop_->disarm(*this);
  if (websocket_output.owner == this) websocket_output.owner = nullptr;
}

// --- life ----------------------------------------------------------------------------------------

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
    if (state_ == State::kOpen) close(kCloseGoingAway, "the server is shutting down");
  });
}

void WebSocketConnection::cut() noexcept {
  enter([this] {
    if (runner_) runner_->cancel();
    end();
  });
}

StreamInfo WebSocketConnection::stream_info() const {
  StreamInfo info = detail::stream_info(transport_.get());
  info.protocol = "WebSocket";
  info.unsent = buffered_amount();
  if (has_input()) info.buffered = backlog_->input.size() - backlog_->input_used;
  if (has_held_) info.buffered += backlog_->held.size();
  const TaskContext* task = runner_ ? runner_->task() : nullptr;
  if (task == nullptr && reader_ != nullptr) task = reader_->context();
  if (task != nullptr) info.task_id = task->id();
  return info;
}

void WebSocketConnection::release_request() noexcept { exchange_.reset(); }

void WebSocketConnection::let_go() noexcept {
  enter([this] {
    has_handle_ = false;
    if (state_ == State::kOpen) close(kCloseNormal, {});
    // From now on it lives by its alarm, and ends with the loop.
    if (!dead_ && !armed()) arm(farewell_timeout());
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
    if (state_ == State::kOpen) return close(kCloseInternalError, {});
  } catch (const std::exception&) {
  }
  end();
}

}  // namespace coronado
