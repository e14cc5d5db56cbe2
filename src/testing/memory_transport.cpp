#include <coronado/testing/memory_transport.hpp>

#include <algorithm>
#include <array>
#include <string>

namespace coronado {

struct MemoryTransport::Channel : std::enable_shared_from_this<Channel> {
  /// What one end knows, and what is on its way to it.
  struct End {
    TransportHandler* handler = nullptr;
    std::string arriving;  // within the capacity: the other end has sent it
    std::string unsent;    // of this end: beyond the capacity
    std::error_code error;
    bool open = true;  // the transport exists
    bool paused = false;
    bool shut = false;         // this end writes no more
    bool end_arrives = false;  // after `arriving` comes the end, or `error`
    bool end_told = false;
    bool break_told = false;
    bool send_failed = false;  // something was written to what is broken
    bool drained = false;      // to be told that nothing is unsent any more
  };

  Channel(IOLoop& owner, MemoryTransportOptions wanted) : loop(owner), options(wanted) {}

  void schedule() {
    if (std::exchange(scheduled, true)) return;
    loop.post([self = shared_from_this()] {
      self->scheduled = false;
      self->step(0);
      self->step(1);
    });
  }

  /// Moves what the capacity has room for towards the other end.
  void push(std::size_t side) {
    End& from = ends[side];
    End& to = ends[1 - side];
    if (!to.open) return broken(side);
    const std::size_t room = options.capacity - std::min(options.capacity, to.arriving.size());
    const std::size_t size = std::min(room, from.unsent.size());
    to.arriving.append(from.unsent, 0, size);
    from.unsent.erase(0, size);
    if (size != 0 && from.unsent.empty()) from.drained = true;
    if (from.shut && from.unsent.empty()) to.end_arrives = true;
    schedule();
  }

  /// The other end is gone: what is written is lost, and the reading side hears of it.
  void broken(std::size_t side) {
    End& end = ends[side];
    if (!end.unsent.empty()) end.send_failed = true;
    end.unsent.clear();
    if (!end.error) end.error = std::make_error_code(std::errc::connection_reset);
    end.end_arrives = true;
    end.arriving.clear();
    schedule();
  }

  /// Delivers one piece, or the end, to one end.
  void step(std::size_t side) {
    End& end = ends[side];
    if (end.open && std::exchange(end.drained, false)) end.handler->on_drained();
    if (!end.open || end.handler == nullptr) return;
    if (!end.paused && !end.arriving.empty()) {
      std::string piece = end.arriving.substr(0, options.piece);
      end.arriving.erase(0, piece.size());
      end.handler->on_receive(piece);
      if (end.open) push(1 - side);
    } else if (end.send_failed ? !end.break_told
                               : !end.paused && end.end_arrives && !end.end_told) {
      end.end_told = true;
      end.break_told = static_cast<bool>(end.error);
      end.handler->on_receive_end(end.error);
    }
  }

  void close(std::size_t side) {
    End& end = ends[side];
    End& other = ends[1 - side];
    end.open = false;
    end.unsent.clear();
    if (!other.open) return;
    if (!end.arriving.empty()) return broken(1 - side);
    other.end_arrives = true;
    schedule();
  }

  IOLoop& loop;
  MemoryTransportOptions options;
  std::array<End, 2> ends;
  bool scheduled = false;
};

MemoryTransport::MemoryTransport(std::shared_ptr<Channel> channel, std::size_t side) noexcept
    : channel_(std::move(channel)), side_(side) {}

MemoryTransport::~MemoryTransport() { channel_->close(side_); }

void MemoryTransport::start(TransportHandler& handler) {
  channel_->ends[side_].handler = &handler;
  channel_->schedule();
}

void MemoryTransport::write(std::string_view bytes) {
  Channel::End& end = channel_->ends[side_];
  if (end.shut || bytes.empty()) return;
  if (end.error) {
    end.send_failed = true;
    return channel_->schedule();
  }
  const bool waiting = !end.unsent.empty();
  end.unsent.append(bytes);
  if (waiting) return;
  channel_->push(side_);
  end.drained = false;  // it was never pending
}

std::size_t MemoryTransport::pending() const noexcept {
  return channel_->ends[side_].unsent.size();
}

void MemoryTransport::pause_receive() noexcept { channel_->ends[side_].paused = true; }

void MemoryTransport::resume_receive() noexcept {
  channel_->ends[side_].paused = false;
  channel_->schedule();
}

void MemoryTransport::shutdown_write() noexcept {
  channel_->ends[side_].shut = true;
  if (channel_->ends[side_].unsent.empty()) channel_->push(side_);
}

SocketAddress MemoryTransport::peer() const { return channel_->options.peer; }

void MemoryTransport::reset() noexcept {
  Channel::End& end = channel_->ends[side_];
  end.unsent.clear();
  end.arriving.clear();
  end.shut = true;
  channel_->broken(1 - side_);
}

bool MemoryTransport::receive_paused() const noexcept { return channel_->ends[side_].paused; }

std::pair<std::unique_ptr<MemoryTransport>, std::unique_ptr<MemoryTransport>>
make_memory_transports(IOLoop& loop, MemoryTransportOptions options) {
  auto channel = std::make_shared<MemoryTransport::Channel>(loop, options);
  return {std::unique_ptr<MemoryTransport>(new MemoryTransport(channel, 0)),
          std::unique_ptr<MemoryTransport>(new MemoryTransport(channel, 1))};
}

}  // namespace coronado
