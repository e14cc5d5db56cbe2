/// `HTTP1Connection`: one HTTP/1 connection of a server, as a state machine on its transport.
///
/// It is no coroutine: an idle connection is this object and its transport, and a request that is
/// answered at once needs nothing more. Only endpoints that suspend get a task.
///
/// Input is parsed where it was received; what is left over is kept in `input_`. All responses to
/// what one readable event brought go out in one write.
#pragma once

#include <coronado/coro/open_stream.hpp>
#include <coronado/http/exchange.hpp>
#include <coronado/http/httpserver.hpp>
#include <coronado/loop/transport.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "http/output_buffer.hpp"

namespace coronado {

class HTTP1Connection final : public ListHook,
                              public detail::Pooled,
                              private TransportHandler,
                              private ResponseSink {
 public:
  /// Params  tls  `transport` when it is one over TLS, else null.
  HTTP1Connection(HTTPServer::Core& server, std::unique_ptr<Transport> transport,
                  const TLSTransport* tls, ConnectionSlot slot);
  ~HTTP1Connection();

  /// Begins to serve. The connection destroys itself when it is done.
  void open();

  /// Finishes the request in progress, if any, and closes. May destroy the connection.
  void drain();

  /// Ends at once: the request in progress is cancelled. May destroy the connection.
  void cut();

  /// What the picture of the tasks tells of it.
  StreamInfo stream_info() const;

 private:
  enum class Phase : unsigned char {
    kIdle,      // no byte of the next request has come
    kHead,      // part of a head
    kBody,      // the head is whole, part of the body is missing
    kHandling,  // an endpoint is at work
    kUpgraded,  // answered with 101: another protocol takes over
    kClosing,   // nothing more is served: pending bytes leave, input is discarded
  };

  // TransportHandler
  void on_receive(std::span<char> bytes) noexcept override;
  void on_receive_end(std::error_code error) noexcept override;
  void on_drained() noexcept override;
  // ResponseSink, in http1_response.cpp but for `task_finished` and `want_body`
  void send_interim(const ResponseHead& head) override;
  void start(HTTPExchange& exchange, const ResponseHead& head, std::optional<std::uint64_t> length,
             std::string_view first) override;
  void write(HTTPExchange& exchange, std::string_view bytes) override;
  std::optional<std::size_t> send_file(int file, std::uint64_t offset, std::size_t count) override;
  void finish(HTTPExchange& exchange, std::string_view trailers) override;
  void abort(HTTPExchange& exchange) noexcept override;
  void task_finished(HTTPExchange& exchange, TaskOutcome outcome,
                     const std::exception_ptr& error) noexcept override;
  std::size_t pending() const noexcept override;
  bool draining() const noexcept override;
  void want_body(HTTPExchange& exchange) override;
  void receive_now() noexcept override;

  /// A body nobody read is discarded up to this size, to keep the connection.
  static constexpr std::uint64_t kMostDiscarded = 256 * 1024;

  // Input
  void receive(std::span<char> bytes);
  std::size_t process(std::string_view bytes);
  std::size_t parse_head(std::string_view bytes);
  std::size_t begin_request(std::string_view rest);
  void keep_input(std::string_view rest);
  void process_kept();
  void hold_back_client() noexcept;
  void let_client_go_on() noexcept;
  void go_on();
  bool output_blocked() const noexcept;
  bool in_the_middle() const noexcept;
  void truncated(std::error_code error);
  void peer_went() noexcept;

  // Bodies, in http1_body.cpp
  std::size_t begin_body(std::string_view rest);
  std::size_t take_whole_body(std::string_view rest);
  bool begin_decoding();
  std::size_t feed_body(std::string_view bytes);
  std::size_t feed_length(std::string_view bytes);
  std::size_t feed_chunked(std::string_view bytes);
  void body_arrived(std::string_view piece);
  void body_complete();
  void body_failed(int status, const char* reason);
  std::uint64_t most_body() const noexcept;
  Duration body_patience() const noexcept;

  // Requests
  void dispatch();
  void run_task(Task<> task);
  void fail(const std::exception_ptr& error) noexcept;
  void complete() noexcept;
  void refuse(int status, std::string_view reason);
  bool over_request_rate() noexcept;

  // Output
  class Emission;
  class Cork;
  void send(std::string_view bytes);
  void send_continue();
  void flush_output() noexcept;
  void write_error_response(int status);
  void close_soon(bool linger) noexcept;

  // Time, in http1_timing.cpp
  void enter(Phase phase) noexcept;
  Duration limit() const noexcept;
  void watch(Duration limit) noexcept;
  bool waits_for_body() const noexcept;
  void on_timer() noexcept;
  void expire() noexcept;
  struct Deadline final : Timer {
    explicit Deadline(HTTP1Connection& owner) noexcept : connection(owner) {}
    void on_timer() noexcept override { connection.on_timer(); }
    HTTP1Connection& connection;
  };

  /// Every way in from outside goes through here; destroys the connection when it is over.
  template <class Step>
  void enter_from_outside(Step&& step) noexcept;
  void give_up(const char* why) noexcept;
  void hand_over() noexcept;

  HTTPServer::Core& server_;
  ConnectionSlot slot_;
  std::unique_ptr<Transport> transport_;
  const TLSTransport* tls_;             // the transport, or null
  HTTPExchange* exchange_ = nullptr;    // the request in progress
  std::unique_ptr<std::string> input_;  // received and not yet consumed; null when there is none
  Deadline timer_{*this};
  TimePoint phase_since_;
  std::size_t searched_ = 0;      // how far `input_` was searched for the end of a head
  std::size_t last_pending_ = 0;  // to see whether the client takes anything
  std::int64_t rate_second_ = 0;
  std::uint32_t rate_count_ = 0;
  Phase phase_ = Phase::kIdle;
  std::uint8_t depth_ = 0;   // entered from outside so many times
  bool dead_ = false;        // to be destroyed at the end of the outermost entry
  bool linger_ = false;      // closing, but the client may still be sending
  bool peer_ended_ = false;  // nothing more will be received
  bool more_input_ = false;  // more came with the request in progress, or its body was not whole
  bool receive_paused_ = false;
};

template <class Step>
void HTTP1Connection::enter_from_outside(Step&& step) noexcept {
  ++depth_;
  try {
    step();
  } catch (const std::exception& error) {
    give_up(error.what());
  } catch (...) {
    give_up("not a std::exception");
  }
  --depth_;
  if (depth_ != 0) return;
  if (dead_) {
    if (exchange_ == nullptr || exchange_->task_ == nullptr) delete this;
  } else if (phase_ == Phase::kUpgraded) {
    hand_over();
  }
}

}  // namespace coronado
