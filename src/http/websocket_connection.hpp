/// `WebSocketConnection`: the protocol between a transport and those who send and receive messages.
///
/// Messages go to a listener, one at a time, or wait for `WebSocket::read`. While one waits, the
/// next ones stay with the kernel, so that the peer is slowed down.
///
/// Threads  The loop's thread only.
/// Layer: http.   Spec  RFC 6455, RFC 7692.
#pragma once

#include <coronado/coro/frame_pool.hpp>
#include <coronado/coro/locks.hpp>
#include <coronado/coro/task_group.hpp>
#include <coronado/http/upgrade.hpp>
#include <coronado/http/websocket.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "http/compress.hpp"
#include "http/websocket_handshake.hpp"
#include "http/websocket_receiver.hpp"

namespace coronado {

class IOLoop;

/// Who is told what comes. What it throws is logged, and closes the connection with 1011.
class WebSocketListener {
 public:
  virtual ~WebSocketListener() = default;

  /// The connection is open. Messages come when the task has ended, but `read` gives them before.
  virtual Task<> opened(WebSocketConnection& connection) = 0;

  /// A message came. Returns an empty task when it is dealt with, or the task that will: the next
  /// message comes when it has ended.
  /// Params  message  Lives until the task has ended.
  virtual Task<> received(const WebSocketMessage& message) = 0;

  virtual void pinged(std::string_view) {}
  virtual void ponged(std::string_view) {}

  /// The connection is closed; see its `close_code`. Called once.
  virtual void closed() {}
};

/// Which end it is, and what was agreed upon.
struct WebSocketSetup {
  bool is_server = true;
  std::shared_ptr<const WebSocketOptions> options;
  std::optional<DeflateAgreement> deflate = std::nullopt;
  std::string subprotocol = {};
};

class WebSocketConnection final : public UpgradedConnection,
                                  public detail::Pooled,
                                  private TransportHandler,
                                  private Timer {
 public:
  /// Params  listener  Null: messages are read.
  /// Throws  std::bad_alloc
  WebSocketConnection(WebSocketSetup setup, std::unique_ptr<WebSocketListener> listener);
  ~WebSocketConnection() override;

  /// Begins to speak on a channel that is paused.
  /// Params  first  What has come already.
  ///         ended  Nothing more will come; the channel has told its last handler.
  void begin(IOLoop& loop, std::unique_ptr<Transport> transport, std::span<char> first,
             bool ended = false) noexcept;

  // UpgradedConnection
  void take_over(std::unique_ptr<Transport> transport, std::span<char> first,
                 std::unique_ptr<HTTPExchange> exchange) noexcept override;
  void drain() noexcept override;
  void cut() noexcept override;
  StreamInfo stream_info() const override;

  /// Forgets the request that asked for it, and with it the memory it takes.
  void release_request() noexcept;

  /// A handler threw: closes with 1011.
  void failed(const std::exception_ptr& error) noexcept;

  // What `WebSocket` does; see there.
  void send(WebSocketOpcode kind, std::string_view payload, bool compress, bool checked);
  void send(const PreparedMessage& message);
  WebSocketTopic::Subscription subscribe(WebSocketTopic& topic) { return topic.subscribe(*this); }
  void ping(std::string_view data);
  void close(std::uint16_t code, std::string_view reason);
  bool is_open() const noexcept { return state_ == State::kOpen; }
  bool must_wait();
  std::uint16_t close_code() const noexcept {
    return state_ == State::kOpen ? std::uint16_t{0} : close_code_;
  }
  const std::string& close_reason() const noexcept;
  const std::string& subprotocol() const noexcept;
  std::size_t buffered_amount() const noexcept;
  void count_dropped() { ++rare().dropped; }
  std::uint64_t dropped() const noexcept { return rare_ ? rare_->dropped : 0; }
  Event& closed_event();
  void set_nodelay(bool on) noexcept;

  // For the awaiters and the handle.
  bool begin_read() noexcept;
  void set_reader(WebSocket::Read* reader) noexcept { reader_ = reader; }
  bool has_reader() const noexcept { return reader_ != nullptr; }
  std::optional<WebSocketMessage> take_message() noexcept;
  /// After `must_wait`, which has made the place.
  void add_sender(WebSocket::Sent& sender) noexcept { rare_->senders.push_back(sender); }
  void hold() noexcept { has_handle_ = true; }
  void let_go() noexcept;

 private:
  enum class State : std::uint8_t {
    kNew,
    kOpen,
    kClosing,  // our close frame is out, the peer's has not come
    kClosed,   // nothing is sent or received any more; the channel may still linger
  };

  // TransportHandler
  void on_receive(std::span<char> bytes) noexcept override;
  void on_receive_end(std::error_code error) noexcept override;
  void on_drained() noexcept override;

  template <class Step>
  void enter(Step&& step) noexcept;
  void process_input();
  std::size_t process(std::span<char> bytes);
  void handle(const WebSocketReceiver::Step& step);
  void deliver(const WebSocketReceiver::Step& step);
  void hold_message(std::string_view payload, bool text);
  void run(Task<> task);
  bool running() const noexcept;
  void task_released() noexcept;
  void message_done();
  void update_flow() noexcept;

  // What goes, in websocket_sending.cpp
  bool compresses(std::size_t size) const noexcept;
  int compression_level() const noexcept;
  void emit(WebSocketOpcode opcode, std::string_view payload, bool compressed = false);
  void emit_frame(std::string_view frame);
  void flush() noexcept;
  bool make_room();
  void answer_ping(std::string_view data);

  // The end, in websocket_closing.cpp
  void answer_close();
  void send_close(std::uint16_t code, std::string_view reason);
  void violated(std::uint16_t code, std::string_view why);
  void become_closed() noexcept;
  void linger() noexcept;
  void end() noexcept;
  Duration farewell_timeout() const noexcept;
  void arm(Duration in) noexcept;
  void wake_senders() noexcept;
  void on_timer() noexcept override;
  void on_loop_closed() noexcept override;
  void keep_alive();

  /// What has come and waits. A connection whose messages come whole, and are dealt with at once,
  /// does without.
  struct Backlog {
    std::string input;  // not yet looked at, from `input_used` on
    std::size_t input_used = 0;
    std::string held;     // a message that waits for whoever takes it
    std::string current;  // the message that is being dealt with
  };
  /// What most connections do not have.
  struct Rare {
    std::string subprotocol;
    std::string close_reason;
    std::uint64_t dropped = 0;
    Event closed;
    std::optional<std::string> pong;         // owed for the last ping, until the peer takes more
    IntrusiveList<WebSocket::Sent> senders;  // who wait until the peer takes more
  };
  class Runner;
  Backlog& backlog();
  Rare& rare();
  bool has_input() const noexcept;
  void set_close_reason(std::string_view reason);

  std::shared_ptr<const WebSocketOptions> options_;
  IOLoop* loop_ = nullptr;
  std::unique_ptr<Transport> transport_;
  std::unique_ptr<HTTPExchange> exchange_;
  std::unique_ptr<WebSocketListener> listener_;
  std::unique_ptr<Compressor> compressor_;  // ours alone; null: shared, or none
  WebSocketReceiver receiver_;

  std::unique_ptr<Backlog> backlog_;
  std::unique_ptr<Rare> rare_;
  WebSocketMessage message_{};  // what a listener's task deals with
  WebSocket::Read* reader_ = nullptr;
  std::unique_ptr<Runner> runner_;  // from the listener's first task on
  TimePoint last_heard_{};
  std::uint16_t close_code_ = 0;
  std::uint16_t peer_code_ = 0;  // of the peer's close frame
  std::uint16_t depth_ = 0;
  // In bits: there may be a million connections.
  State state_ : 2 = State::kNew;
  bool is_server_ : 1;
  std::uint8_t window_bits_ : 4 = 0;  // ours; zero: messages are not compressed
  bool has_held_ : 1 = false;
  bool held_text_ : 1 = false;
  bool attended_ : 1 = false;  // somebody works on a message
  bool processing_ : 1 = false;
  bool paused_ : 1 = false;
  bool peer_ended_ : 1 = false;
  bool awaits_pong_ : 1 = false;
  bool has_handle_ : 1 = false;
  bool dead_ : 1 = false;
};

}  // namespace coronado
