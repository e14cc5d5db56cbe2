#include <coronado/net/subprocess.hpp>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <coronado/base/error.hpp>
#include <coronado/coro/combine.hpp>
#include <coronado/coro/locks.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/testing/async_test.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <string>
#include <vector>

namespace coronado {
namespace {

using namespace std::chrono_literals;

/// Runs `body` on a loop with descriptors.
template <class F>
void run(F&& body) {
  run_async(std::forward<F>(body), {.reactor = ReactorKind::kEpoll, .time_limit = 60s});
}

SubprocessOptions all_pipes() {
  return {.input = Stdio::pipe(), .output = Stdio::pipe(), .error = Stdio::pipe()};
}

/// What a shell line writes.
Task<std::string> output_of(std::string line, SubprocessOptions options = {}) {
  options.output = Stdio::pipe();
  Subprocess shell(shell_command(std::move(line)), std::move(options));
  CommunicateResult result = co_await shell.communicate();
  EXPECT_EQ(to_string(result.status), "exited with code 0");
  co_return std::move(result.output);
}

/// Reads one pipe of a child as it comes.
class Reader final : public TransportHandler {
 public:
  explicit Reader(std::unique_ptr<Transport> pipe) : pipe_(std::move(pipe)) { pipe_->start(*this); }

  Task<> until(std::string text) {
    while (read_.find(text) == std::string::npos) {
      changed_.clear();
      co_await changed_.wait();
    }
  }
  Task<> until_end() {
    while (!ended_) {
      changed_.clear();
      co_await changed_.wait();
    }
  }

 private:
  void on_receive(std::span<char> bytes) noexcept override {
    read_.append(bytes.data(), bytes.size());
    changed_.set();
  }
  void on_receive_end(std::error_code) noexcept override {
    ended_ = true;
    changed_.set();
  }
  void on_drained() noexcept override {}

  std::string read_;
  bool ended_ = false;
  Event changed_;
  std::unique_ptr<Transport> pipe_;
};

bool is_child(int pid) {
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

// --- starting ------------------------------------------------------------------------------------

TEST(Subprocess, ExitCodes) {
  run([]() -> Task<> {
    Subprocess good({"true"});
    EXPECT_EQ((co_await good.wait()), ExitStatus{});
    EXPECT_EQ(co_await good.wait_for_exit(), 0);
    Subprocess bad(shell_command("exit 3"));
    const ExitStatus status = co_await bad.wait();
    EXPECT_EQ(status, ExitStatus{.code = 3});
    EXPECT_EQ(bad.status(), status);
    EXPECT_EQ(co_await bad.wait_for_exit(false), 3);
    EXPECT_FALSE(is_child(bad.pid()));  // reaped
  });
}

TEST(Subprocess, AFailureNamesTheCommand) {
  run([]() -> Task<> {
    Subprocess bad(shell_command("exit 3"));
    std::string message;
    try {
      co_await bad.wait_for_exit();
    } catch (const CalledProcessError& error) {
      message = error.what();
      EXPECT_EQ(error.returncode(), 3);
      EXPECT_EQ(error.command(), "/bin/sh -c 'exit 3'");
    }
    EXPECT_EQ(message, "command \"/bin/sh -c 'exit 3'\" exited with code 3");
    Subprocess killed(shell_command("kill -9 $$"));
    try {
      co_await killed.wait_for_exit();
    } catch (const CalledProcessError& error) {
      message = error.what();
      EXPECT_EQ(error.returncode(), -9);
    }
    EXPECT_EQ(message, "command \"/bin/sh -c 'kill -9 $$'\" was killed by signal 9 (Killed)");
  });
}

TEST(Subprocess, WhatCannotBeStarted) {
  run([]() -> Task<> {
    const auto refusal = [](std::vector<std::string> argv, SubprocessOptions options = {}) {
      try {
        Subprocess never(std::move(argv), std::move(options));
      } catch (const std::exception& error) {
        return std::string(error.what());
      }
      return std::string("started");
    };
    EXPECT_EQ(refusal({"/nowhere/program"}),
              "cannot run \"/nowhere/program\": No such file or directory");
    EXPECT_EQ(refusal({"coronado-has-no-such-program"}),
              "cannot run \"coronado-has-no-such-program\": No such file or directory");
    EXPECT_EQ(refusal({"/etc/passwd"}), "cannot run \"/etc/passwd\": Permission denied");
    EXPECT_EQ(refusal({"true"}, {.directory = "/nowhere"}),
              "cannot run \"true\" in \"/nowhere\": No such file or directory");
    EXPECT_EQ(refusal({"true"}, {.output = Stdio::descriptor(9999)}),
              "standard output: descriptor 9999: Bad file descriptor");
    EXPECT_EQ(refusal({}), "no program to run");
    EXPECT_EQ(refusal({"echo", std::string("a\0b", 3)}), "an argument has a NUL in it: \"a\"");
    EXPECT_EQ(refusal({"true"}, {.extra_environment = {"NAME"}}),
              "an environment entry is not NAME=value: \"NAME\"");
    EXPECT_EQ(refusal({"true"}, {.output = Stdio::to_output()}),
              "standard output cannot go where the standard output goes");
    std::signal(SIGCHLD, SIG_IGN);
    EXPECT_EQ(refusal({"true"}), "SIGCHLD is ignored: the exit status of a child would be lost");
    std::signal(SIGCHLD, SIG_DFL);
    co_return;
  });
  EXPECT_THROW(Subprocess({"true"}), std::logic_error);  // no loop
}

TEST(Subprocess, ALoopWithoutDescriptorsLeavesNoChild) {
  run_async([]() -> Task<> {
    EXPECT_THROW(Subprocess({"sleep", "1000"}), std::system_error);
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
    EXPECT_EQ(errno, ECHILD);
    co_return;
  });
}

TEST(Subprocess, NoDescriptorsLeakWhenItCannotBeStarted) {
  run([]() -> Task<> {
    const int before = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::close(before);
    for (int i = 0; i < 3; ++i) {
      EXPECT_THROW(Subprocess({"/nowhere/program"}, all_pipes()), std::system_error);
    }
    const int after = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::close(after);
    EXPECT_EQ(before, after);
    co_return;
  });
}

TEST(Subprocess, EnvironmentAndFolder) {
  run([]() -> Task<> {
    ::setenv("CORONADO_TEST", "inherited", 1);
    EXPECT_EQ(co_await output_of("echo $CORONADO_TEST"), "inherited\n");
    EXPECT_EQ(co_await output_of("echo $CORONADO_TEST",
                                 {.extra_environment = {"CORONADO_TEST=replaced"}}),
              "replaced\n");
    Subprocess env(
        {"env"},
        {.output = Stdio::pipe(), .environment = {{"A=1", "B=2"}}, .extra_environment = {"A=3"}});
    EXPECT_EQ((co_await env.communicate()).output, "B=2\nA=3\n");
    EXPECT_EQ(co_await output_of("pwd", {.directory = "/usr/lib"}), "/usr/lib\n");
    ::unsetenv("CORONADO_TEST");
  });
}

TEST(Subprocess, TheChildGetsNothingElse) {
  // A descriptor without close-on-exec, a blocked and an ignored signal, a handler.
  const int leak = ::open("/dev/null", O_RDONLY);
  sigset_t blocked;
  sigset_t before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR2);
  ::pthread_sigmask(SIG_BLOCK, &blocked, &before);
  run([]() -> Task<> {
    IOLoop::current()->add_signal_handler(SIGUSR1, [] {});
    // The first pipe has made the process ignore SIGPIPE.
    EXPECT_EQ(co_await output_of("echo"), "\n");
    struct sigaction action{};
    ::sigaction(SIGPIPE, nullptr, &action);
    EXPECT_EQ(action.sa_handler, SIG_IGN);
    const std::string status = co_await output_of("cat /proc/self/status");
    const auto signals = [&](const std::string& field) {
      return std::stoull(status.substr(status.find(field) + field.size()), nullptr, 16);
    };
    EXPECT_EQ(signals("SigBlk:"), 0U);
    EXPECT_EQ(signals("SigCgt:"), 0U);
    EXPECT_EQ(signals("SigIgn:") & (1U << (SIGPIPE - 1)), 0U);
    // The three, and the folder itself.
    EXPECT_EQ(co_await output_of("ls /proc/self/fd | wc -l", {.input = Stdio::null()}), "4\n");
  });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::close(leak);
}

// --- streams -------------------------------------------------------------------------------------

TEST(Subprocess, PipesBothWays) {
  run([]() -> Task<> {
    Subprocess cat({"cat"}, {.input = Stdio::pipe(), .output = Stdio::pipe()});
    EXPECT_EQ(cat.take_error(), nullptr);
    struct Nobody final : TransportHandler {
      void on_receive(std::span<char>) noexcept override {}
      void on_receive_end(std::error_code) noexcept override {}
      void on_drained() noexcept override {}
    } nobody;
    std::unique_ptr<Transport> input = cat.take_input();
    EXPECT_EQ(cat.take_input(), nullptr);
    Reader output(cat.take_output());
    input->start(nobody);
    input->write("hello\n");
    co_await output.until("hello\n");
    EXPECT_FALSE(cat.status().has_value());
    input.reset();
    co_await output.until_end();
    EXPECT_EQ(co_await cat.wait_for_exit(), 0);
  });
}

TEST(Subprocess, NullDescriptorAndMergedStreams) {
  run([]() -> Task<> {
    EXPECT_EQ(co_await output_of("cat; echo end", {.input = Stdio::null()}), "end\n");
    EXPECT_EQ(co_await output_of("echo one; echo two >&2", {.error = Stdio::to_output()}),
              "one\ntwo\n");
    EXPECT_EQ(co_await output_of("echo one; echo two >&2", {.error = Stdio::null()}), "one\n");
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    Subprocess echo({"echo", "to a descriptor"}, {.output = Stdio::descriptor(ends[1])});
    ::close(ends[1]);
    EXPECT_EQ(co_await echo.wait_for_exit(), 0);
    char buffer[100];
    EXPECT_EQ(::read(ends[0], buffer, sizeof buffer), 16);
    ::close(ends[0]);
  });
}

TEST(Subprocess, StreamsMayBeExchanged) {
  run([]() -> Task<> {
    // Both go to where the other one goes here; each must be read before either is overwritten.
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    const int saved = ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    ::dup2(ends[1], STDERR_FILENO);
    Subprocess shell(shell_command("echo out"), {.output = Stdio::descriptor(STDERR_FILENO),
                                                 .error = Stdio::descriptor(STDOUT_FILENO)});
    ::dup2(saved, STDERR_FILENO);
    ::close(saved);
    ::close(ends[1]);
    EXPECT_EQ(co_await shell.wait_for_exit(), 0);
    char buffer[100];
    EXPECT_EQ(::read(ends[0], buffer, sizeof buffer), 4);
    ::close(ends[0]);
  });
}

TEST(Subprocess, Communicate) {
  run([]() -> Task<> {
    Subprocess shell(shell_command("cat; echo done >&2; exit 4"), all_pipes());
    // More than pipes hold, both ways at once.
    std::string input(3'000'000, 'x');
    const CommunicateResult result = co_await shell.communicate(input);
    EXPECT_EQ(result.output, input);
    EXPECT_EQ(result.error, "done\n");
    EXPECT_EQ(result.status, ExitStatus{.code = 4});
  });
}

TEST(Subprocess, CommunicateWithoutPipesWaits) {
  run([]() -> Task<> {
    Subprocess plain({"true"});
    const CommunicateResult result = co_await plain.communicate();
    EXPECT_EQ(result.output, "");
    EXPECT_TRUE(result.status.ok());
    EXPECT_THROW((void)plain.communicate("input"), std::logic_error);
  });
}

TEST(Subprocess, AChildNeedNotReadItsInput) {
  run([]() -> Task<> {
    Subprocess head({"head", "-c", "3"}, {.input = Stdio::pipe(), .output = Stdio::pipe()});
    const CommunicateResult result = co_await head.communicate(std::string(1'000'000, 'x'));
    EXPECT_EQ(result.output, "xxx");
    EXPECT_TRUE(result.status.ok());
  });
}

TEST(Subprocess, TooMuchOutputEndsIt) {
  run([]() -> Task<> {
    for (const char* line : {"yes", "yes >&2"}) {
      Subprocess yes(shell_command(line), all_pipes());
      std::string message;
      try {
        co_await yes.communicate({}, {.max_output = 10'000});
      } catch (const StreamLimitError& error) {
        message = error.what();
      }
      EXPECT_NE(message.find(line), std::string::npos) << message;
      EXPECT_NE(message.find("10000 bytes"), std::string::npos) << message;
      EXPECT_EQ(yes.status()->returncode(), -SIGKILL);
      EXPECT_FALSE(is_child(yes.pid()));
    }
    Subprocess exactly(shell_command("printf 12345"), all_pipes());
    EXPECT_EQ((co_await exactly.communicate({}, {.max_output = 5})).output, "12345");
  });
}

// --- waiting and signals -------------------------------------------------------------------------

TEST(Subprocess, SignalsAndExitCallback) {
  run([]() -> Task<> {
    Subprocess shell(
        shell_command("trap 'echo got; exit 7' USR1; echo ready; while :; do sleep 0.01; done"),
        {.output = Stdio::pipe()});
    ExitStatus told;
    Event called;
    shell.set_exit_callback([&](ExitStatus status) {
      told = status;
      called.set();
    });
    Reader output(shell.take_output());
    co_await output.until("ready");
    EXPECT_THROW(shell.send_signal(9999), std::system_error);
    shell.send_signal(SIGUSR1);
    EXPECT_EQ((co_await shell.wait()).code, 7);
    co_await called.wait();
    EXPECT_EQ(told.code, 7);
    shell.send_signal(SIGUSR1);  // nothing happens
    called.clear();
    shell.set_exit_callback([&](ExitStatus) { called.set(); });
    co_await called.wait();
    Subprocess terminated({"sleep", "1000"});
    terminated.terminate();
    EXPECT_EQ((co_await terminated.wait()).returncode(), -SIGTERM);
    Subprocess killed({"sleep", "1000"});
    killed.kill();
    EXPECT_EQ(to_string(co_await killed.wait()), "was killed by signal 9 (Killed)");
  });
}

TEST(Subprocess, CancelledWaitsLeaveItRunning) {
  run([]() -> Task<> {
    Subprocess cat({"cat"}, {.input = Stdio::pipe()});
    for (int i = 0; i < 3; ++i) {
      bool timed_out = false;
      try {
        co_await with_timeout(1ms, cat.wait());
      } catch (const TimeoutError&) {
        timed_out = true;
      }
      EXPECT_TRUE(timed_out);
    }
    bool timed_out = false;
    try {
      co_await with_timeout(1ms, cat.wait_for_exit());
    } catch (const TimeoutError&) {
      timed_out = true;
    }
    EXPECT_TRUE(timed_out);
    EXPECT_FALSE(cat.status().has_value());
    std::unique_ptr<Transport> input = cat.take_input();
    IOLoop::current()->call_later(1ms, [&] { input.reset(); });
    std::vector<Task<ExitStatus>> waits;
    for (int i = 0; i < 3; ++i) waits.push_back(as_task(cat.wait()));
    const std::vector<ExitStatus> all = co_await multi(std::move(waits));
    EXPECT_TRUE(std::ranges::all_of(all, [](const ExitStatus& each) { return each.ok(); }));
  });
}

TEST(Subprocess, CancelledCommunicationEndsIt) {
  run([]() -> Task<> {
    Subprocess sleeper(shell_command("echo begun; exec sleep 1000"), all_pipes());
    bool timed_out = false;
    try {
      co_await with_timeout(20ms, sleeper.communicate(std::string(1'000'000, 'x')));
    } catch (const TimeoutError&) {
      timed_out = true;
    }
    EXPECT_TRUE(timed_out);
    EXPECT_EQ(sleeper.status()->returncode(), -SIGKILL);
    EXPECT_FALSE(is_child(sleeper.pid()));
  });
}

TEST(Subprocess, DestructionKillsAndReaps) {
  run([]() -> Task<> {
    auto sleeper = std::make_unique<Subprocess>(std::vector<std::string>{"sleep", "1000"},
                                                SubprocessOptions{});
    const int pid = sleeper->pid();
    Subprocess::Wait end = sleeper->wait();  // holds on to what it needs
    sleeper.reset();
    EXPECT_EQ((co_await std::move(end)).returncode(), -SIGKILL);
    EXPECT_FALSE(is_child(pid));
  });
}

TEST(Subprocess, ClosingTheLoopKillsAndReaps) {
  int pid = 0;
  {
    IOLoop loop({.reactor = ReactorKind::kEpoll});
    std::optional<Subprocess> sleeper;
    loop.run_sync([](std::optional<Subprocess>& started) -> Task<> {
      started.emplace(std::vector<std::string>{"sleep", "1000"});
      co_return;
    }(sleeper));
    pid = sleeper->pid();
    EXPECT_TRUE(is_child(pid));
    loop.close();
    EXPECT_EQ(sleeper->status()->returncode(), -SIGKILL);
  }
  EXPECT_FALSE(is_child(pid));
}

TEST(Subprocess, ADetachedOneLives) {
  run([]() -> Task<> {
    std::optional<Subprocess> cat(std::in_place, std::vector<std::string>{"cat"},
                                  SubprocessOptions{.input = Stdio::pipe()});
    const int pid = cat->pid();
    std::unique_ptr<Transport> input = cat->take_input();
    Subprocess::Wait end = cat->wait();
    cat->detach();
    cat.reset();
    EXPECT_EQ(::kill(pid, 0), 0);
    input.reset();
    EXPECT_TRUE((co_await std::move(end)).ok());
    EXPECT_FALSE(is_child(pid));
  });
}

TEST(Subprocess, AGroupGetsTheSignalsTogether) {
  run([]() -> Task<> {
    // The pipe ends when both the shell and its own child have ended.
    Subprocess shell(shell_command("sleep 1000 & echo ready; wait"),
                     {.output = Stdio::pipe(), .new_group = true});
    Reader output(shell.take_output());
    co_await output.until("ready");
    EXPECT_EQ(::getpgid(shell.pid()), shell.pid());
    shell.kill();
    EXPECT_EQ((co_await shell.wait()).signal, SIGKILL);
    co_await output.until_end();
  });
}

TEST(Subprocess, ManyAtOnceLeaveNoZombie) {
  run([]() -> Task<> {
    std::vector<Task<std::string>> tasks;
    for (int i = 0; i < 50; ++i) tasks.push_back(output_of("echo " + std::to_string(i)));
    const std::vector<std::string> results = co_await multi(std::move(tasks));
    for (std::size_t i = 0; i < results.size(); ++i) {
      EXPECT_EQ(results[i], std::to_string(i) + "\n");
    }
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
    EXPECT_EQ(errno, ECHILD);
  });
}

}  // namespace
}  // namespace coronado
