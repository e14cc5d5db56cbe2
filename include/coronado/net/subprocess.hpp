/// Other programs: started, talked to through pipes, waited for.
///
///     Subprocess          one child process
///     Stdio               what its standard input, output or error is
///     SubprocessOptions   streams, environment, folder
///     ExitStatus          how it ended
///     shell_command       the arguments that have a shell run a line
///
///     Subprocess sort({"sort", "-n"}, {.input = Stdio::pipe(), .output = Stdio::pipe()});
///     CommunicateResult result = co_await sort.communicate("3\n1\n2\n");
///
/// Layer: net.   Tornado  `process.Subprocess`.
#pragma once

#include <coronado/base/function.hpp>
#include <coronado/coro/task.hpp>
#include <coronado/loop/transport.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace coronado {

class IOLoop;
class Subprocess;
namespace detail {
class ChildProcess;
}

/// What a standard stream of the child is.
class Stdio {
 public:
  /// The same as this process's.
  static constexpr Stdio inherit() noexcept { return {Kind::kInherit, -1}; }
  /// /dev/null: nothing to read, and what is written vanishes.
  static constexpr Stdio null() noexcept { return {Kind::kNull, -1}; }
  /// A pipe whose other end is ours.   Tornado  `Subprocess.STREAM`.
  static constexpr Stdio pipe() noexcept { return {Kind::kPipe, -1}; }
  /// A copy of this descriptor, which stays the caller's.
  static constexpr Stdio descriptor(int fd) noexcept { return {Kind::kDescriptor, fd}; }
  /// For the standard error only: wherever the standard output goes.
  static constexpr Stdio to_output() noexcept { return {Kind::kToOutput, -1}; }

  enum class Kind : unsigned char { kInherit, kNull, kPipe, kDescriptor, kToOutput };
  Kind kind() const noexcept { return kind_; }
  int fd() const noexcept { return fd_; }

 private:
  constexpr Stdio(Kind kind, int fd) noexcept : fd_(fd), kind_(kind) {}
  int fd_;
  Kind kind_;
};

/// How a program is started.
struct SubprocessOptions {
  Stdio input = Stdio::inherit();
  Stdio output = Stdio::inherit();
  Stdio error = Stdio::inherit();

  /// "NAME=value" each. Nothing: this process's environment.
  std::optional<std::vector<std::string>> environment = std::nullopt;

  /// "NAME=value" each: added to the environment, in place of what has the same name there.
  std::vector<std::string> extra_environment = {};

  /// The folder it starts in. Empty: this process's. A relative path of the program starts there.
  std::string directory = {};

  /// Puts it at the head of a process group of its own, and has signals sent to the whole group: its
  /// own children get them, too, and Ctrl-C at the terminal does not reach it.
  bool new_group = false;
};

/// How a process ended.
struct ExitStatus {
  int code = 0;              ///< What it exited with; 0 when a signal ended it.
  int signal = 0;            ///< The signal that ended it; 0: it exited.
  bool core_dumped = false;  ///< The system kept its memory in a file.

  bool ok() const noexcept { return code == 0 && signal == 0; }
  /// The exit code, or the number of the signal, negative.   Tornado  `Subprocess.returncode`.
  int returncode() const noexcept { return signal != 0 ? -signal : code; }

  bool operator==(const ExitStatus&) const = default;
};

/// "exited with code 2", "was killed by signal 9 (Killed)".
std::string to_string(const ExitStatus& status);

/// What `Subprocess::communicate` may collect.
struct CommunicateLimits {
  /// Bytes of the standard output, and of the standard error, each. One more ends the process.
  std::size_t max_output = 64 << 20;
};

/// What `Subprocess::communicate` collected.
struct CommunicateResult {
  std::string output;  ///< Empty unless the output is a pipe.
  std::string error;   ///< Empty unless the error is a pipe.
  ExitStatus status;
};

/// The arguments that have /bin/sh run `line`. Nothing else here involves a shell.
std::vector<std::string> shell_command(std::string line);

/// A child process.
///
/// The child gets its three standard streams and no other descriptor, an empty signal mask, and the
/// default action of every signal that this process catches, and of SIGPIPE. It is reaped as soon as
/// it has ended, whether anybody waits or not.
///
/// Threads  The loop's thread only.
/// Lifetime Destroying one that runs kills the process with SIGKILL; the loop reaps it. `detach`
///          before lets it live. The loop must outlive it; closing the loop kills and reaps what
///          still runs.
/// Code     src/net/subprocess.cpp, src/net/spawn.cpp, src/net/child_process.cpp
class Subprocess {
 public:
  /// Starts a program, and returns when it has been loaded.
  /// Params   argv  The program, looked for in this process's PATH unless there is a slash in it, and
  ///                its arguments.
  /// Throws   std::system_error      It cannot be started: `cannot run "sort": No such file or
  ///                                 directory`. Or the loop's reactor has no descriptors.
  ///          std::invalid_argument  No argument at all, a NUL in one, `to_output` elsewhere than in
  ///                                 `error`, an environment entry without "=".
  ///          std::logic_error       No loop runs on this thread, or SIGCHLD is ignored: the exit
  ///                                 status would be lost.
  explicit Subprocess(std::vector<std::string> argv, SubprocessOptions options = {});
  Subprocess(Subprocess&&) noexcept;
  Subprocess& operator=(Subprocess&&) noexcept;
  ~Subprocess();

  /// The number of the process. It may belong to another one soon after this one has ended.
  int pid() const noexcept;

  /// How it ended; nothing while it runs.
  std::optional<ExitStatus> status() const noexcept;

  /// Our ends of its pipes, for an `IOStream`; each can be taken once, and is null when the stream is
  /// no pipe or the end was taken. Destroying the input's end tells the process that there is no
  /// more.
  /// Throws  std::system_error  The reactor cannot watch it.
  std::unique_ptr<Transport> take_input();
  std::unique_ptr<Transport> take_output();
  std::unique_ptr<Transport> take_error();

  class Wait;
  /// Waits until the process has ended. Any number of tasks may wait, also after the end.
  /// Throws   Cancelled.
  /// Cancel   Ends the wait, at once; the process goes on.
  Wait wait() noexcept;

  /// Waits until the process has ended, and returns its `returncode()`.
  /// Params   raise_error  Throw if that is not zero.
  /// Throws   CalledProcessError  It failed; the message names the command.
  /// Cancel   Ends the wait, at once; the process goes on.
  /// Tornado  `Subprocess.wait_for_exit`.
  Task<int> wait_for_exit(bool raise_error = true);

  /// Writes `input` to the process and closes its input, collects what it says, and waits for its
  /// end. The pipes that were not taken before are used; without any this is `wait`.
  ///
  /// A process that does not read all of its input is no error. The end of a pipe comes when *every*
  /// process that holds it has ended: a child of the child can delay it.
  ///
  /// Returns  The output, the error and the exit status.
  /// Throws   StreamLimitError  It said more than `limits`; it has been killed and has ended.
  ///          std::logic_error  There is input, but its input is not a pipe or was taken.
  /// Cancel   Kills the process, waits until it has ended, then throws `Cancelled`.
  /// Tornado  None; Python's `Popen.communicate`.
  Task<CommunicateResult> communicate(std::string input = {}, CommunicateLimits limits = {});

  /// Sends a signal; to the whole group with `new_group`. Nothing happens when the process has ended.
  /// Throws   std::system_error  It may not be sent, or there is no such signal.
  void send_signal(int signal);
  /// SIGTERM: asks it to end.
  void terminate();
  /// SIGKILL: ends it.
  void kill();

  /// Has `callback(status)` called on the loop when the process has ended, in the next turn if it has
  /// already. What it throws is logged.   Tornado  `Subprocess.set_exit_callback`.
  void set_exit_callback(Function<void(ExitStatus)> callback);

  /// Lets the process live when this object or the loop goes. The loop still reaps it while it runs.
  void detach() noexcept;

 private:
  struct Pipes;
  std::unique_ptr<Transport> take(int index);

  std::shared_ptr<detail::ChildProcess> child_;
  std::unique_ptr<Pipes> pipes_;
};

/// What `Subprocess::wait` awaits.
class [[nodiscard("a wait must be awaited")]] Subprocess::Wait final : public Suspension,
                                                                       public ListHook {
 public:
  explicit Wait(std::shared_ptr<detail::ChildProcess> child) noexcept : child_(std::move(child)) {}
  Wait(Wait&& other) noexcept : Wait(std::move(other.child_)) {}
  Wait& operator=(Wait&&) = delete;
  ~Wait() = default;
  bool await_ready() const noexcept;
  template <class P>
  bool await_suspend(std::coroutine_handle<P> handle) {
    return begin(handle.promise());
  }
  ExitStatus await_resume() const;
  void cancel() noexcept override;
  const char* what() const noexcept override { return "the end of a process"; }

 private:
  friend class detail::ChildProcess;
  bool begin(PromiseBase& promise);
  std::shared_ptr<detail::ChildProcess> child_;
};

}  // namespace coronado
