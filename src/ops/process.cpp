#include <coronado/ops/process.hpp>

#include <coronado/base/log.hpp>
#include <coronado/loop/ioloop.hpp>

#include <dirent.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "loop/signals.hpp"
#include "ops/cpu_limit.hpp"
#include "ops/restart_delay.hpp"

namespace coronado {
namespace {

constexpr int kStopSignals[] = {SIGTERM, SIGINT, SIGQUIT};
constexpr int kPassedSignals[] = {SIGHUP, SIGUSR1, SIGUSR2};

/// The sanitizer has a thread of its own, which a fork does not harm.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define CORONADO_OWN_THREADS 2
#endif
#endif
#ifndef CORONADO_OWN_THREADS
#define CORONADO_OWN_THREADS 1
#endif

std::optional<int> this_task_id;

std::size_t count_threads() {
  DIR* folder = ::opendir("/proc/self/task");
  if (folder == nullptr) return CORONADO_OWN_THREADS;
  std::size_t count = 0;
  while (const dirent* entry = ::readdir(folder)) count += entry->d_name[0] != '.' ? 1 : 0;
  ::closedir(folder);
  return count;
}

void require_nothing_that_a_fork_breaks() {
  if (IOLoop::count() != 0) {
    throw std::logic_error(
        "fork_processes: an IOLoop exists already, and loops do not survive a "
        "fork; make it in the children");
  }
  const std::size_t threads = count_threads();
  if (threads > CORONADO_OWN_THREADS) {
    throw std::logic_error("fork_processes: this process has " + std::to_string(threads) +
                           " threads, and only one would survive a fork; fork before starting any");
  }
}

bool is_ignored(int signal) {
  struct sigaction action{};
  ::sigaction(signal, nullptr, &action);
  return action.sa_handler == SIG_IGN;
}

/// Holds back the signals that the parent takes one by one, and the children must not lose.
class HeldSignals {
 public:
  HeldSignals() {
    sigemptyset(&held_);
    sigemptyset(&ignored_);
    sigaddset(&held_, SIGCHLD);
    for (const int signal : kStopSignals) {
      sigaddset(&held_, signal);
      if (is_ignored(signal)) sigaddset(&ignored_, signal);
    }
    for (const int signal : kPassedSignals) {
      if (!is_ignored(signal)) sigaddset(&held_, signal);  // else as under nohup
    }
    ::pthread_sigmask(SIG_BLOCK, &held_, &before_);
    for (const int signal : kStopSignals) {
      if (was_ignored(signal)) ::signal(signal, SIG_DFL);
    }
    // Ignored, it would take the exit statuses with it.
    if (is_ignored(SIGCHLD)) ::signal(SIGCHLD, SIG_DFL);
  }
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;
  ~HeldSignals() {
    for (const int signal : kStopSignals) {
      if (was_ignored(signal)) ::signal(signal, SIG_IGN);
    }
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

  /// Whether this signal to stop was ignored before. So a shell without job control has programs in
  /// the background ignore what the keyboard sends; what `kill` sends is meant for them.
  bool was_ignored(int signal) const { return sigismember(&ignored_, signal) == 1; }

  /// The next signal; nothing when `timeout` has passed.
  std::optional<siginfo_t> take(std::optional<Duration> timeout) const {
    siginfo_t info{};
    int signal = 0;
    if (timeout) {
      const std::int64_t left = std::max<std::int64_t>(0, timeout->count());
      const timespec limit{left / 1'000'000'000, left % 1'000'000'000};
      signal = ::sigtimedwait(&held_, &info, &limit);
    } else {
      signal = ::sigwaitinfo(&held_, &info);
    }
    if (signal < 0) return std::nullopt;  // the time has passed, or a signal that is not held
    return info;
  }

 private:
  sigset_t held_;
  sigset_t ignored_;
  sigset_t before_;
};

/// The parent's work.
class Supervisor {
 public:
  Supervisor(int processes, ForkOptions& options)
      : options_(options), children_(static_cast<std::size_t>(processes)) {}

  /// Returns the number in a child, and nothing in the parent at the end.
  std::optional<int> run() {
    general_log().info("starting " + std::to_string(children_.size()) + " processes");
    const HeldSignals signals;
    for (std::size_t id = 0; id < children_.size() && !stopping_; ++id) {
      if (start(id)) return static_cast<int>(id);
    }
    while (anything_left()) {
      if (const std::optional<siginfo_t> info = signals.take(until_next_start())) {
        handle(*info, signals.was_ignored(info->si_signo));
      }
      for (std::size_t id = 0; id < children_.size(); ++id) look_after(id);
      for (std::size_t id = 0; id < children_.size(); ++id) {
        if (due(id) && start(id)) return static_cast<int>(id);
      }
    }
    if (!failure_.empty()) throw std::runtime_error(failure_);
    return std::nullopt;
  }

 private:
  struct Child {
    pid_t pid = -1;  // -1: does not run
    TimePoint started{};
    std::optional<TimePoint> restart;
    int quick_failures = 0;
  };

  /// True in the child.
  bool start(std::size_t id) {
    Child& child = children_[id];
    child.restart.reset();
    child.started = Clock::now();
    const pid_t parent = ::getpid();
    child.pid = ::fork();
    if (child.pid == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGTERM);
      if (::getppid() != parent) ::raise(SIGTERM);  // it died before it was watched
      this_task_id = static_cast<int>(id);
      for (const int signal : kPassedSignals) keep_signal(signal);  // until it has its handlers
      return true;
    }
    if (child.pid < 0) give_up(std::string("cannot fork: ") + std::strerror(errno));
    return false;
  }

  bool anything_left() const {
    return std::ranges::any_of(
        children_, [](const Child& child) { return child.pid >= 0 || child.restart.has_value(); });
  }

  std::optional<Duration> until_next_start() const {
    std::optional<Duration> left;
    for (const Child& child : children_) {
      if (!child.restart) continue;
      const Duration span = *child.restart - Clock::now();
      if (!left || span < *left) left = span;
    }
    return left;
  }

  bool due(std::size_t id) const {
    return children_[id].restart && *children_[id].restart <= Clock::now();
  }

  void handle(const siginfo_t& info, bool was_ignored) {
    if (info.si_signo == SIGCHLD) return;
    // The terminal has told everybody in its process group; that it has gone is the end.
    const bool from_terminal = info.si_code == SI_KERNEL;
    if (from_terminal && was_ignored) return;
    if (std::ranges::find(kStopSignals, info.si_signo) != std::end(kStopSignals)) stop();
    if (from_terminal && info.si_signo == SIGHUP) {
      stop();
      pass_on(SIGTERM);
    }
    // A child that is not ready yet ignores what it was told to ignore.
    if (!from_terminal) pass_on(was_ignored ? SIGTERM : info.si_signo);
  }

  void stop() {
    for (Child& child : children_) child.restart.reset();
    if (!std::exchange(stopping_, true) && options_.on_stop) options_.on_stop();
  }

  void pass_on(int signal) {
    for (const Child& child : children_) {
      if (child.pid >= 0) ::kill(child.pid, signal);
    }
  }

  void give_up(std::string why) {
    if (failure_.empty()) failure_ = std::move(why);
    stop();
    pass_on(SIGTERM);
  }

  /// Reaps the child if it has ended, and decides what follows.
  void look_after(std::size_t id) {
    Child& child = children_[id];
    int status = 0;
    if (child.pid < 0 || ::waitpid(child.pid, &status, WNOHANG) != child.pid) return;
    const pid_t pid = std::exchange(child.pid, -1);
    if ((WIFEXITED(status) && WEXITSTATUS(status) == 0) || stopping_) return;
    const std::string how =
        "child " + std::to_string(id) + " (pid " + std::to_string(pid) + ") " +
        (WIFEXITED(status) ? "exited with status " + std::to_string(WEXITSTATUS(status))
                           : "was killed by signal " + std::to_string(WTERMSIG(status)));
    if (WIFEXITED(status) && options_.fatal_exit_code == WEXITSTATUS(status)) {
      return give_up(how + ", giving up");
    }
    if (++restarts_ > options_.max_restarts) return give_up("too many child restarts, giving up");
    general_log().warning(how + ", restarting");
    const bool quick = Clock::now() - child.started < options_.min_uptime;
    child.quick_failures = quick ? child.quick_failures + 1 : 0;
    child.restart = Clock::now() + restart_delay(options_, child.quick_failures);
  }

  ForkOptions& options_;
  std::vector<Child> children_;
  int restarts_ = 0;
  bool stopping_ = false;
  std::string failure_;
};

}  // namespace

std::optional<int> fork_processes(int processes, ForkOptions options) {
  require_nothing_that_a_fork_breaks();
  return Supervisor(processes > 0 ? processes : cpu_count(), options).run();
}

std::optional<int> task_id() noexcept { return this_task_id; }

int cpu_count() {
  int count = static_cast<int>(std::thread::hardware_concurrency());
  cpu_set_t allowed;
  if (::sched_getaffinity(0, sizeof allowed, &allowed) == 0) count = CPU_COUNT(&allowed);
  if (const std::optional<double> limit = cgroup_cpu_limit("/proc/self/cgroup", "/sys/fs/cgroup")) {
    count = static_cast<int>(std::min<double>(count, std::ceil(*limit)));
  }
  return std::max(1, count);
}

}  // namespace coronado
