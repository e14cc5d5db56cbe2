#include <coronado/ops/process.hpp>

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <coronado/coro/locks.hpp>
#include <coronado/loop/ioloop.hpp>
#include <coronado/net/subprocess.hpp>
#include <coronado/testing/async_test.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "ops/restart_delay.hpp"

namespace coronado {
namespace {

using namespace std::chrono_literals;

/// A running process_child, and what it has said.
class Program final : private TransportHandler {
 public:
  Program(const std::string& what, int processes, Stdio input = Stdio::null())
      : process_({(std::filesystem::read_symlink("/proc/self/exe").parent_path() / "process_child")
                      .string(),
                  what, std::to_string(processes)},
                 {.input = input, .output = Stdio::pipe(), .error = Stdio::null()}),
        pipe_(process_.take_output()) {
    pipe_->start(*this);
  }

  Subprocess& process() { return process_; }

  /// Waits for so many lines that begin with `text`, and returns them.
  Task<std::vector<std::string>> lines(std::string text, std::size_t count) {
    while (lines_with(text).size() < count && !ended_) {
      changed_.clear();
      co_await changed_.wait();
    }
    co_return lines_with(text);
  }

  /// Waits until all its processes have ended.
  Task<int> end() {
    while (!ended_) {
      changed_.clear();
      co_await changed_.wait();
    }
    const ExitStatus status = co_await process_.wait();
    co_return status.returncode();
  }

  std::vector<std::string> lines_with(std::string_view begin) const {
    std::vector<std::string> found;
    for (std::size_t at = 0; at < text_.size();) {
      const std::size_t next = text_.find('\n', at);
      if (next == std::string::npos) break;
      std::string line = text_.substr(at, next - at);
      if (line.starts_with(begin)) found.push_back(std::move(line));
      at = next + 1;
    }
    return found;
  }

 private:
  void on_receive(std::span<char> bytes) noexcept override {
    text_.append(bytes.data(), bytes.size());
    changed_.set();
  }
  void on_receive_end(std::error_code) noexcept override {
    ended_ = true;
    changed_.set();
  }
  void on_drained() noexcept override {}

  Subprocess process_;
  std::string text_;
  bool ended_ = false;
  Event changed_;
  std::unique_ptr<Transport> pipe_;
};

template <class F>
void run(F&& body) {
  run_async(std::forward<F>(body), {.reactor = ReactorKind::kEpoll, .time_limit = 60s});
}

/// The process ids in "ready ID PID", in the order of the ids.
std::vector<int> pids_of(std::vector<std::string> ready) {
  std::ranges::sort(ready);
  std::vector<int> pids;
  for (const std::string& line : ready) pids.push_back(std::stoi(line.substr(line.rfind(' '))));
  return pids;
}

TEST(ForkProcesses, EndsWhenAllHaveExitedWithZero) {
  run([]() -> Task<> {
    Program program("zero", 3);
    EXPECT_EQ(co_await program.end(), 0);
    EXPECT_EQ(program.lines_with("over").size(), 1U);
    EXPECT_EQ(program.lines_with("wrong").size(), 0U);
  });
}

TEST(ForkProcesses, AKilledChildIsRestartedWithItsNumber) {
  run([]() -> Task<> {
    Program program("signals", 2);
    const std::vector<int> pids = pids_of(co_await program.lines("ready", 2));
    ::kill(pids.at(1), SIGKILL);
    const std::vector<std::string> restarted = co_await program.lines("ready 1", 2);
    EXPECT_EQ(restarted.size(), 2U);
    EXPECT_EQ(program.lines_with("ready 0").size(), 1U);
    program.process().terminate();
    EXPECT_EQ(co_await program.end(), 0);
  });
}

TEST(ForkProcesses, SignalsArePassedOn) {
  run([]() -> Task<> {
    Program program("signals", 2);
    co_await program.lines("ready", 2);
    program.process().send_signal(SIGUSR1);
    const std::string user = ' ' + std::to_string(SIGUSR1);
    EXPECT_EQ((co_await program.lines("signal", 2)).size(), 2U);
    EXPECT_EQ(program.lines_with("signal 0" + user).size(), 1U);
    EXPECT_EQ(program.lines_with("signal 1" + user).size(), 1U);
    EXPECT_EQ(program.lines_with("stopping").size(), 0U);
    program.process().send_signal(SIGINT);
    EXPECT_EQ(co_await program.end(), 0);
    EXPECT_EQ(program.lines_with("signal 0 " + std::to_string(SIGINT)).size(), 1U);
    EXPECT_EQ(program.lines_with("signal 1 " + std::to_string(SIGINT)).size(), 1U);
    EXPECT_EQ(program.lines_with("stopping").size(), 1U);
    EXPECT_EQ(program.lines_with("over").size(), 1U);
  });
}

TEST(ForkProcesses, ASignalBeforeTheHandlersIsKept) {
  run([]() -> Task<> {
    Program program("early", 2);
    EXPECT_EQ((co_await program.lines("signal", 2)).size(), 2U);
    EXPECT_EQ(program.lines_with("ready").size(), 2U);  // nobody was killed
    EXPECT_EQ(program.lines_with("signal 0 " + std::to_string(SIGUSR1)).size(), 1U);
    program.process().terminate();
    EXPECT_EQ(co_await program.end(), 0);
  });
}

/// A shell without job control starts it with SIGINT ignored.
TEST(ForkProcesses, InTheBackgroundAnInterruptIsPassedOn) {
  run([]() -> Task<> {
    Program program("background", 2);
    co_await program.lines("ready", 2);
    program.process().send_signal(SIGINT);
    EXPECT_EQ(co_await program.end(), 0);
    EXPECT_EQ(program.lines_with("stopping").size(), 1U);
    EXPECT_EQ(program.lines_with("signal 0 " + std::to_string(SIGTERM)).size(), 1U);
    EXPECT_EQ(program.lines_with("signal 1 " + std::to_string(SIGTERM)).size(), 1U);
  });
}

/// A terminal: what is typed there comes to all processes of the program.
struct Terminal {
  Terminal() : keyboard(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
    EXPECT_EQ(::grantpt(keyboard), 0);
    EXPECT_EQ(::unlockpt(keyboard), 0);
    line = ::open(::ptsname(keyboard), O_RDWR | O_NOCTTY | O_CLOEXEC);
    EXPECT_GE(line, 0);
  }
  ~Terminal() {
    ::close(keyboard);
    ::close(line);
  }
  void press_control_c() const { EXPECT_EQ(::write(keyboard, "\x03", 1), 1); }
  int keyboard;
  int line = -1;
};

TEST(ForkProcesses, WhatIsTypedComesToTheChildrenOnce) {
  run([]() -> Task<> {
    const Terminal terminal;
    for (const bool background : {false, true}) {
      Program program(background ? "terminal background" : "terminal", 2,
                      Stdio::descriptor(terminal.line));
      EXPECT_EQ((co_await program.lines("ready", 2)).size(), 2U);
      terminal.press_control_c();
      EXPECT_EQ(co_await program.end(), 0);
      EXPECT_EQ(program.lines_with("signal 0").size(), 1U);
      EXPECT_EQ(program.lines_with("signal 0 " + std::to_string(SIGINT)).size(), 1U);
      EXPECT_EQ(program.lines_with("signal 1 " + std::to_string(SIGINT)).size(), 1U);
      EXPECT_EQ(program.lines_with("stopping").size(), background ? 0U : 1U);
    }
  });
}

TEST(ForkProcesses, TooManyRestartsEndIt) {
  run([]() -> Task<> {
    Program program("fail", 1);
    EXPECT_EQ(co_await program.end(), 7);
    EXPECT_EQ(program.lines_with("failing").size(), 4U);  // the first start and three more
    EXPECT_EQ(program.lines_with("too many child restarts, giving up").size(), 1U);
  });
}

TEST(ForkProcesses, TheFatalCodeEndsAll) {
  run([]() -> Task<> {
    Program program("fatal", 2);
    EXPECT_EQ(co_await program.end(), 7);
    const std::vector<std::string> reason = program.lines_with("child 0");
    EXPECT_EQ(reason.size(), 1U);
    EXPECT_NE(reason.at(0).find("exited with status 42, giving up"), std::string::npos);
  });
}

TEST(ForkProcesses, ChildrenDoNotOutliveTheirParent) {
  run([]() -> Task<> {
    Program program("signals", 2);
    co_await program.lines("ready", 2);
    program.process().kill();
    // The pipe ends when the last of them has ended.
    EXPECT_EQ(co_await program.end(), -SIGKILL);
    EXPECT_EQ(program.lines_with("signal 0 " + std::to_string(SIGTERM)).size(), 1U);
    EXPECT_EQ(program.lines_with("signal 1 " + std::to_string(SIGTERM)).size(), 1U);
  });
}

TEST(ForkProcesses, RefusedWhereAForkWouldBreakThings) {
  run([]() -> Task<> {
    Program loop("loop", 2);
    EXPECT_EQ(co_await loop.end(), 7);
    EXPECT_EQ(loop.lines_with("fork_processes: an IOLoop exists already").size(), 1U);
    Program thread("thread", 2);
    EXPECT_EQ(co_await thread.end(), 7);
    EXPECT_EQ(thread.lines_with("fork_processes: this process has").size(), 1U);
  });
}

TEST(ForkProcesses, RestartDelays) {
  ForkOptions options;
  options.restart_delay = 100ms;
  options.max_restart_delay = 1s;
  std::vector<Duration> delays;
  for (int failures : {0, 1, 2, 3, 4, 5, 1000}) delays.push_back(restart_delay(options, failures));
  EXPECT_EQ(delays, (std::vector<Duration>{0ms, 100ms, 200ms, 400ms, 800ms, 1s, 1s}));
  options.restart_delay = Duration::zero();
  EXPECT_EQ(restart_delay(options, 1000), Duration::zero());
}

TEST(Process, CpuCountAndTaskId) {
  EXPECT_GE(cpu_count(), 1);
  EXPECT_EQ(task_id(), std::nullopt);
  cpu_set_t before;
  ASSERT_EQ(::sched_getaffinity(0, sizeof before, &before), 0);
  cpu_set_t one;
  CPU_ZERO(&one);
  int first = 0;
  while (!CPU_ISSET(first, &before)) ++first;
  CPU_SET(first, &one);
  ASSERT_EQ(::sched_setaffinity(0, sizeof one, &one), 0);
  EXPECT_EQ(cpu_count(), 1);
  ASSERT_EQ(::sched_setaffinity(0, sizeof before, &before), 0);
}

}  // namespace
}  // namespace coronado
