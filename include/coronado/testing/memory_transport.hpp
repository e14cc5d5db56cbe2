/// Connected channels in memory: what a protocol is tested on, in virtual time too.
///
///     MemoryTransport          one end of a channel
///     make_memory_transports   both ends
///
/// Bytes take a turn of the loop to arrive, in pieces of the size wished for. Closing behaves as a
/// socket does: what was sent still arrives, unless the end that closes had not read all it got;
/// the other end is then reset and loses what it has not read.
///
/// Threads  The loop's thread only.
/// Layer: testing.
#pragma once

#include <coronado/loop/ioloop.hpp>
#include <coronado/loop/transport.hpp>

#include <cstddef>
#include <memory>
#include <utility>

namespace coronado {

/// How a channel treats bytes.
struct MemoryTransportOptions {
  /// Most bytes delivered at a time.
  std::size_t piece = 64 * 1024;
  /// Bytes on their way in one direction before `pending()` grows.
  std::size_t capacity = 256 * 1024;
  /// What both ends say about the other.
  SocketAddress peer{
      .ip = {127, 0, 0, 1}, .scope = 0, .port = 40000, .family = SocketAddress::Family::kIPv4};
};

/// One end of a channel.
class MemoryTransport final : public Transport {
 public:
  ~MemoryTransport() override;

  void start(TransportHandler& handler) override;
  void write(std::string_view bytes) override;
  std::size_t pending() const noexcept override;
  void pause_receive() noexcept override;
  void resume_receive() noexcept override;
  void shutdown_write() noexcept override;
  SocketAddress peer() const override;
  int native_handle() const noexcept override { return -1; }

  /// Breaks the channel: the other end loses what it has not read and is told of a reset.
  void reset() noexcept;

  /// True while `pause_receive` holds.
  bool receive_paused() const noexcept;

 private:
  struct Channel;
  friend std::pair<std::unique_ptr<MemoryTransport>, std::unique_ptr<MemoryTransport>>
  make_memory_transports(IOLoop& loop, MemoryTransportOptions options);

  MemoryTransport(std::shared_ptr<Channel> channel, std::size_t side) noexcept;

  std::shared_ptr<Channel> channel_;
  std::size_t side_;
};

/// A channel's two ends.   Lifetime  The loop must outlive them.
std::pair<std::unique_ptr<MemoryTransport>, std::unique_ptr<MemoryTransport>>
make_memory_transports(IOLoop& loop, MemoryTransportOptions options = {});

}  // namespace coronado
