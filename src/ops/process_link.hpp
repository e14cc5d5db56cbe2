/// Messages between forked processes, of bytes.
///
///     ProcessSockets   what all of them inherit: one place a process where the others put packets
///     ProcessLink      the end of one process: a thread that sends and hears
///
/// Layer: ops.
#pragma once

#include <coronado/base/function.hpp>
#include <coronado/net/netutil.hpp>

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace coronado {

/// Made before the fork, and kept by the parent: a process that is restarted inherits them again.
class ProcessSockets {
 public:
  /// Throws  std::system_error  The system has no more sockets.
  explicit ProcessSockets(std::uint32_t processes);
  std::uint32_t size() const noexcept { return static_cast<std::uint32_t>(ends_.size()); }

 private:
  friend class ProcessLink;
  struct Ends {
    Socket reading;  // of the process with that number
    Socket writing;  // of all the others
  };
  std::vector<Ends> ends_;
};

/// Sends to all the other processes, and hears them.
///
/// What one process sends is heard in its order, whole or not at all: a message that its sender did
/// not live to finish is forgotten. For a process that does not take what is sent so much is kept;
/// then messages for it are dropped, and nobody is held up.
///
/// Threads   Any.
/// Lifetime  `sockets` must outlive it.
class ProcessLink {
 public:
  /// Given a message of another process, on the link's own thread.
  using Heard = Function<void(std::string_view message)>;

  /// Bytes that are kept for one process.
  static constexpr std::size_t kMostQueued = 16 * 1024 * 1024;

  /// Params  id  The number of this process.
  /// Throws  std::system_error  The system has no more descriptors or threads.
  ProcessLink(const ProcessSockets& sockets, std::uint32_t id, Heard heard);
  /// What waits is sent as far as the others take it at once.
  ~ProcessLink();
  ProcessLink(const ProcessLink&) = delete;
  ProcessLink& operator=(const ProcessLink&) = delete;

  void send(std::string_view message);

  /// Messages that were dropped, each counted once for each process that did not get it.
  std::uint64_t dropped() const noexcept { return dropped_; }

 private:
  struct Target {
    int socket = -1;  // ours: none
    std::deque<std::shared_ptr<const std::string>> queue;
    std::size_t bytes = 0;  // in `queue`
    std::size_t sent = 0;   // of its first message
    bool behind = false;    // a line in the log has said so
  };
  /// What has come of one sender's message.
  struct Part {
    bool begun = false;
    std::string text;
  };

  void run();
  void wait();
  void wake() noexcept;
  void flush();
  bool send_packet(Target& target) noexcept;
  void receive();
  void take(std::string_view packet);
  void hand_on(std::string_view message) noexcept;

  std::uint32_t id_;
  Heard heard_;
  int reading_;
  Socket wake_;              // an eventfd
  std::vector<Part> parts_;  // by sender; the thread's alone
  std::mutex mutex_;
  std::vector<Target> targets_;  // by process; guarded by mutex_, but for the sockets
  std::atomic<std::uint64_t> dropped_ = 0;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace coronado
