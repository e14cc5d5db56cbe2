#include "net/child_process.hpp"

#include <coronado/base/log.hpp>

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "loop/quiet_thread.hpp"

namespace coronado {
namespace {

/// Python's, for a child whose status somebody else has taken.
constexpr int kUnknownCode = 255;

std::system_error failure(int error, const std::string& attempt) {
  return {std::error_code(error, std::system_category()), attempt};
}

/// Waits for the end of the child, leaves it to be reaped, and closes `end`.
void wait_in_thread(pid_t pid, int end) noexcept {
  siginfo_t info;
  while (::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT) != 0 && errno == EINTR) {
  }
  ::close(end);
}

}  // namespace

OwnedDescriptor open_exit_descriptor(pid_t pid, bool allow_pidfd) {
  if (allow_pidfd) {
    const int fd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));  // Linux 5.3, close-on-exec
    if (fd >= 0) return OwnedDescriptor(fd);
    if (errno != ENOSYS && errno != EPERM) throw failure(errno, "pidfd_open");
  }
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) throw failure(errno, "pipe");
  OwnedDescriptor ours(ends[0]);
  OwnedDescriptor theirs(ends[1]);
  start_quiet_thread([pid, end = theirs.get()] { wait_in_thread(pid, end); }).detach();
  theirs.release();
  return ours;
}

namespace detail {

/// Lives in the loop until the child is reaped, or the loop is closed.
class ChildProcess::ExitHandler {
 public:
  explicit ExitHandler(ChildProcess& child) : child_(child.shared_from_this()) {}
  ExitHandler(ExitHandler&&) noexcept = default;
  ExitHandler& operator=(ExitHandler&&) = delete;
  ~ExitHandler() {
    if (child_ != nullptr) child_->loop_closed();
  }
  void operator()(int, unsigned) { child_->on_exit(); }

 private:
  std::shared_ptr<ChildProcess> child_;
};

void ChildProcess::watch(bool allow_pidfd) {
  try {
    exit_descriptor_ = open_exit_descriptor(pid_, allow_pidfd);
    loop_.add_handler(exit_descriptor_.get(), ExitHandler(*this), IOLoop::kRead);
  } catch (...) {
    loop_closed();
    throw;
  }
}

bool ChildProcess::reap(int flags) noexcept {
  siginfo_t info{};
  int result = 0;
  do {
    result = ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | flags);
  } while (result != 0 && errno == EINTR);
  if (result != 0) {
    general_log().warning("the exit status of process " + std::to_string(pid_) + " (" + command_ +
                          ") was taken by another part of the program");
    status_ = ExitStatus{.code = kUnknownCode};
    return true;
  }
  if (info.si_pid == 0) return false;
  if (info.si_code == CLD_EXITED) {
    status_ = ExitStatus{.code = info.si_status};
  } else {
    status_ = ExitStatus{.signal = info.si_status, .core_dumped = info.si_code == CLD_DUMPED};
  }
  return true;
}

void ChildProcess::on_exit() noexcept {
  if (!reap(WNOHANG)) return;
  loop_.remove_handler(exit_descriptor_.get());
  exit_descriptor_ = OwnedDescriptor();
  while (!waiters_.empty()) waiters_.pop_front().wake();
  if (callback_) call_back();
}

/// The loop will not tell any more: what is ours ends here.
void ChildProcess::loop_closed() noexcept {
  if (status_ || detached_) return;
  kill_unless_detached();
  reap(0);  // a killed process ends at once
}

void ChildProcess::set_exit_callback(Function<void(ExitStatus)> callback) {
  callback_ = std::move(callback);
  if (status_) call_back();
}

void ChildProcess::call_back() {
  loop_.post([callback = std::exchange(callback_, nullptr), status = *status_]() mutable {
    callback(status);
  });
}

void ChildProcess::send_signal(int signal) {
  if (status_) return;  // reaped: the number may be another process's by now
  if (::kill(group_ ? -pid_ : pid_, signal) == 0 || errno == ESRCH) return;
  throw failure(errno, "cannot send signal " + std::to_string(signal) + " to process " +
                           std::to_string(pid_) + " (" + command_ + ')');
}

void ChildProcess::kill() noexcept {
  if (!status_) ::kill(group_ ? -pid_ : pid_, SIGKILL);
}

void ChildProcess::kill_unless_detached() noexcept {
  if (!detached_) kill();
}

}  // namespace detail
}  // namespace coronado
