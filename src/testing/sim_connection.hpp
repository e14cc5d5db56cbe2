/// `SimConnection`: one connection of a simulated network, as TCP would have it.
///
/// What a side writes goes through four places: `unsent` (the process: what its system did not
/// take), `queued` (its system, until it has arrived), the front part of `queued` that is under way
/// in `flight`, and the other side's `received` (until it is read). Segments arrive in order. A
/// side sends while what is under way and what was not read fit the other's receive buffer.
#pragma once

#include <coronado/loop/transport.hpp>
#include <coronado/testing/sim_network.hpp>

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "testing/byte_queue.hpp"

namespace coronado {

class SimConnecting;
class SimTransport;
struct SimListener;
struct SimPath;
enum class SimStep : std::uint8_t;

class SimConnection {
 public:
  static constexpr int kClient = 0;
  static constexpr int kServer = 1;

  SimConnection(SimCore& core, std::uint32_t number, SimHost::State& from, SocketAddress local,
                SocketAddress to, SimConnecting& connecting);
  SimConnection(const SimConnection&) = delete;
  SimConnection& operator=(const SimConnection&) = delete;

  /// Begins to connect.
  void begin();
  /// The client does not wait any more.
  void give_up_connecting() noexcept;

  /// Something happens that was scheduled.
  void on_step(SimStep step, int side);
  /// A side may have something for its handler.
  void dispatch(int side);

  /// The listener is closed before it accepted this.
  void refuse_unaccepted();

  /// The transport of a side; made once.
  std::unique_ptr<Transport> make_transport(int side);

  // What the transports are asked
  void start(int side, TransportHandler& handler);
  void write(int side, std::string_view bytes);
  std::size_t pending(int side) const noexcept { return ends_[index(side)].unsent.size(); }
  void pause(int side) noexcept { ends_[index(side)].paused = true; }
  void resume(int side);
  void receive_now(int side);
  void shutdown_write(int side);
  void set_nodelay(int side, bool on);
  void close(int side);
  const SocketAddress& address(int side) const noexcept { return ends_[index(side)].address; }

  // Faults
  void reset();
  void vanish();
  /// The way has healed, or a peer is back: what waits is sent again.
  void go_on();
  /// The host of a side has lost its power.
  void crash(int side);
  /// It is back.
  void come_back();

  SimHost::State* host(int side) const noexcept { return ends_[index(side)].host; }
  bool uses(const SimPath& path) const noexcept { return path_ == &path; }
  std::uint32_t number() const noexcept { return number_; }

  // Kept by the core
  std::size_t slot = 0;         // where it stands in the list of connections
  std::size_t scheduled = 0;    // events that will come
  bool buried = false;          // nothing can happen any more
  std::array<bool, 2> ready{};  // a side stands in the list of what is ready

 private:
  enum class SegmentKind : std::uint8_t { kData, kEnd, kReset };
  struct Segment {
    TimePoint arrives;
    std::size_t size;
    SegmentKind kind;
  };
  /// One side: what it has written, and what has come for it.
  struct End {
    SimHost::State* host = nullptr;
    SocketAddress address;
    SimTransport* transport = nullptr;
    TransportHandler* handler = nullptr;
    ByteQueue unsent;
    ByteQueue queued;  // the first `under_way` bytes are in `flight`
    std::size_t under_way = 0;
    std::deque<Segment> flight;  // to the other side
    std::uint64_t sent = 0;      // bytes, in all
    TimePoint last_arrival{};    // no later segment arrives before
    TimePoint stalled_until{};
    TimePoint give_up_at = TimePoint::max();
    ByteQueue received;     // and not read
    std::error_code error;  // told when `received` has been read
    bool open = true;       // neither closed nor crashed
    bool paused = false;
    bool shut = false;  // writes no more
    bool nodelay = true;
    bool end_sent = false;
    bool end_arrived = false;
    bool end_told = false;
    bool break_told = false;
    bool send_failed = false;  // something was written to what is broken
    bool writable = false;     // something of `unsent` may be taken
    bool write_waits = false;  // and it has been arranged that it will
    bool window_full = false;  // the other side has no room, as far as this one knows
  };

  bool is_cut() const noexcept;
  static std::size_t index(int side) noexcept { return static_cast<std::size_t>(side); }
  const SimLink& link() const noexcept;
  TimePoint arrival_time(int side, std::size_t size);

  // Connecting
  void send_syn();
  void on_syn();
  void retry();
  void fail_connecting(std::error_code error);
  void on_connected();

  // Sending
  std::size_t take(int side, std::string_view bytes);
  void flush(int side);
  void transmit(int side);
  bool held_up(int side);
  bool waits_for_more(int side) const noexcept;
  std::size_t next_segment(int side, std::size_t room);
  bool meets_fault(int side, std::size_t& size);
  void apply(const SimFault& fault, int side);
  void put_on_the_way(int side, std::size_t size, SegmentKind kind);
  static void lose_what_is_under_way(End& end) noexcept;
  void send_reset(int side);
  void writable_soon(int side, Duration most);

  // Receiving
  void on_arrival(int side);
  void receive(int side);
  bool read(int side);
  void tell_end(int side);
  void window_opened(int side);
  void break_off(int side, std::error_code error);
  void bury_if_over();

  SimCore& core_;
  SimPath* path_ = nullptr;  // null: there is no such host
  SimConnecting* connecting_;
  std::error_code connect_error_;
  std::array<End, 2> ends_;
  std::vector<SimFault> faults_;
  std::uint32_t number_;
  int attempts_ = 0;
  TimePoint begun_;
  bool established_ = false;
  bool refused_ = false;  // by a fault
  bool severed_ = false;  // nothing gets through any more
  bool crashed_ = false;  // one of the hosts is down
};

/// One side's transport. It may outlive the network, and is dead then.
class SimTransport final : public Transport {
 public:
  SimTransport(std::shared_ptr<SimCore> core, SimConnection& connection, int side);
  ~SimTransport() override;

  void start(TransportHandler& handler) override;
  void write(std::string_view bytes) override;
  std::size_t pending() const noexcept override;
  void pause_receive() noexcept override;
  void resume_receive() noexcept override;
  void receive_now() noexcept override;
  void shutdown_write() noexcept override;
  void set_nodelay(bool on) noexcept override { connection_.set_nodelay(side_, on); }
  SocketAddress peer() const override { return peer_; }
  SocketAddress local() const override { return local_; }
  int native_handle() const noexcept override { return -1; }

 private:
  std::shared_ptr<SimCore> core_;
  SimConnection& connection_;
  SocketAddress peer_;
  SocketAddress local_;
  int side_;
};

/// A connection being made.
class SimConnecting final : public Connecting {
 public:
  SimConnecting(std::shared_ptr<SimCore> core, ConnectHandler& handler) noexcept;
  ~SimConnecting() override;

  /// The connection is gone from here on: its outcome has been told.
  ConnectHandler& release() noexcept {
    connection = nullptr;
    return handler_;
  }

  SimConnection* connection = nullptr;

 private:
  std::shared_ptr<SimCore> core_;
  ConnectHandler& handler_;
};

}  // namespace coronado
