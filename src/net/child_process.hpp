/// A child process from its start until it has been reaped.
#pragma once

#include <coronado/loop/ioloop.hpp>
#include <coronado/net/subprocess.hpp>

#include "net/spawn.hpp"

namespace coronado {

/// A descriptor that becomes readable when the child has ended: a pidfd, or where the system refuses
/// those, the end of a pipe with a waiting thread behind it. (A SIGCHLD handler would serve one loop
/// only.)
/// Params  allow_pidfd  False: as if the system refused.
/// Throws  std::system_error
OwnedDescriptor open_exit_descriptor(pid_t pid, bool allow_pidfd = true);

namespace detail {

/// Shared by the `Subprocess`, those who wait, and the loop's handler, which goes when it is reaped.
class ChildProcess : public std::enable_shared_from_this<ChildProcess> {
 public:
  ChildProcess(IOLoop& loop, pid_t pid, bool group, std::string command) noexcept
      : loop_(loop), pid_(pid), group_(group), command_(std::move(command)) {}
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  /// Has the loop reap it. On failure it is killed and reaped.   Throws  std::system_error
  void watch(bool allow_pidfd = true);

  pid_t pid() const noexcept { return pid_; }
  const std::string& command() const noexcept { return command_; }
  const std::optional<ExitStatus>& status() const noexcept { return status_; }
  IOLoop& loop() const noexcept { return loop_; }

  void add_waiter(Subprocess::Wait& waiter) noexcept { waiters_.push_back(waiter); }
  void set_exit_callback(Function<void(ExitStatus)> callback);

  /// Throws  std::system_error
  void send_signal(int signal);
  /// Ends it now.
  void kill() noexcept;
  /// The same, if it is still ours to end.
  void kill_unless_detached() noexcept;
  void detach() noexcept { detached_ = true; }

 private:
  class ExitHandler;

  /// Returns false when it has not ended yet.
  bool reap(int flags) noexcept;
  void on_exit() noexcept;
  void loop_closed() noexcept;
  void call_back();

  IOLoop& loop_;
  pid_t pid_;
  bool group_;
  bool detached_ = false;
  std::string command_;
  OwnedDescriptor exit_descriptor_;
  std::optional<ExitStatus> status_;
  IntrusiveList<Subprocess::Wait> waiters_;
  Function<void(ExitStatus)> callback_;
};

}  // namespace detail
}  // namespace coronado
