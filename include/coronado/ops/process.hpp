/// Forked processes, Tornado's way to use several cores.
///
///     fork_processes   starts copies of this process and keeps them running
///     task_id          which of them this one is
///     cpu_count        how many cores this process may use
///
///     std::vector<Socket> sockets = bind_sockets(8888);
///     if (!fork_processes(4)) return 0;      // the parent, when all is over
///     IOLoop loop;                           // one of four
///
/// Threads are the other way (`web::serve` offers both): they start faster and can send each other
/// messages; processes survive each other's crashes. Other programs are `Subprocess`.
///
/// Layer: ops.   Tornado  `tornado.process`.
#pragma once

#include <coronado/base/clock.hpp>
#include <coronado/base/function.hpp>

#include <optional>

namespace coronado {

/// How `fork_processes` looks after its children.
struct ForkOptions {
  /// Restarts in all, of any child. One more ends everything.
  int max_restarts = 100;

  /// A child that ends within this time has failed quickly.
  Duration min_uptime = std::chrono::seconds(1);

  /// How long a child that has failed quickly waits for its restart; twice as long each further
  /// time in a row, up to `max_restart_delay`. Any other child is restarted at once.
  Duration restart_delay = std::chrono::milliseconds(100);
  Duration max_restart_delay = std::chrono::seconds(5);

  /// A child that exits with this code ends everything: it could not start, and never will.
  std::optional<int> fatal_exit_code = std::nullopt;

  /// Called in the parent when it has been told to stop, before its children are.
  Function<void()> on_stop = nullptr;
};

/// Starts `processes` children, each of which returns from this call with its number, beginning with
/// zero. The parent stays in the call and looks after them:
///
/// A child that exits with a code other than zero, or by a signal, is restarted with the same number;
/// one that exits with zero is not. SIGHUP, SIGUSR1 and SIGUSR2 are passed on to all. SIGTERM, SIGINT
/// and SIGQUIT are passed on, too, each time, and then nobody is restarted. (What Ctrl-C sends comes
/// to the children by itself.) If the parent dies, or its terminal goes, they get SIGTERM.
///
/// What is passed on to a child that has no handler yet is kept for its first `SignalWatch` or
/// `IOLoop::add_signal_handler`. A SIGHUP, SIGUSR1 or SIGUSR2 that is ignored when this is called
/// stays so, as under nohup; SIGINT or SIGQUIT, which a shell has programs in the background ignore,
/// is ignored from the keyboard, and passed on as SIGTERM when `kill` sends it.
///
/// Params   processes  Zero: one a core.
/// Returns  The child's number; nothing in the parent, after all children have ended.
/// Throws   std::logic_error    There is an `IOLoop`, or another thread: neither survives a fork.
///          std::runtime_error  In the parent: too many restarts, or the fatal exit code. The other
///                              children were sent SIGTERM and have ended.
///          std::system_error   The system has no more processes; as before.
/// Threads  The main thread, alone.
/// Tornado  `process.fork_processes`. Differs: the parent returns instead of exiting, passes signals
///          on, and does not restart a failing child without a pause.
std::optional<int> fork_processes(int processes = 0, ForkOptions options = {});

/// The number of this child of `fork_processes`; nothing elsewhere.   Tornado  `process.task_id`.
std::optional<int> task_id() noexcept;

/// How many cores this process may use: what the machine has, its affinity mask and its cgroup's
/// quota allow. At least one.   Tornado  `process.cpu_count`.
int cpu_count();

}  // namespace coronado
