// The program that process_test runs: each child says "ID PID" on stdout and does what the command line
// says.
#include <coronado/loop/ioloop.hpp>
#include <coronado/loop/signal_wait.hpp>
#include <coronado/ops/process.hpp>

#include <sys/ioctl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <string>
#include <thread>

using namespace coronado;

namespace {

/// One line at once, so that those of several processes do not mix.
void say(const std::string& text) {
  const std::string line = text + '\n';
  [[maybe_unused]] const ssize_t written = ::write(STDOUT_FILENO, line.data(), line.size());
}

/// Waits for signals: SIGUSR1 is reported, SIGTERM and SIGINT end it.
Task<int> hear_signals() {
  SignalWatch signals({SIGUSR1, SIGTERM, SIGINT});
  const std::string id = std::to_string(task_id().value_or(-1));
  say("ready " + id + ' ' + std::to_string(::getpid()));
  while (true) {
    const int signal = co_await signals.next();
    say("signal " + id + ' ' + std::to_string(signal));
    if (signal != SIGUSR1) co_return 0;
  }
}

int act(const std::string& what, int id) {
  if (what == "zero") return 0;
  if (what == "early") ::kill(::getpid(), SIGUSR1);  // nobody is there to hear it
  if (what == "early" || what == "signals" || what == "terminal" || what.ends_with("background")) {
    return IOLoop().run_sync(hear_signals());
  }
  if (what == "fail") {
    say("failing " + std::to_string(id));
    return 9;
  }
  if (what == "fatal") {
    // The others run until they are told to end.
    return id == 0 ? 42 : IOLoop().run_sync(hear_signals());
  }
  return 8;
}

int run(const std::string& what, int processes) {
  ForkOptions options;
  options.max_restarts = 3;
  options.restart_delay = Duration::zero();
  options.fatal_exit_code = 42;
  options.on_stop = [] { say("stopping"); };
  // As a shell starts it, in the foreground or in the background.
  ::signal(SIGINT, what.ends_with("background") ? SIG_IGN : SIG_DFL);
  if (what.starts_with("terminal")) {
    ::setsid();
    if (::ioctl(STDIN_FILENO, TIOCSCTTY, 0) != 0) throw std::runtime_error("no terminal");
  }
  if (what == "loop") {
    IOLoop loop;
    fork_processes(processes, std::move(options));
  }
  if (what == "thread") {
    std::thread thread([] { ::pause(); });
    thread.detach();
    fork_processes(processes, std::move(options));
  }
  if (const std::optional<int> id = fork_processes(processes, std::move(options))) {
    return act(what, *id);
  }
  say(task_id() ? "wrong" : "over");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 1;
  try {
    return run(argv[1], std::atoi(argv[2]));
  } catch (const std::exception& error) {
    say(error.what());
    return 7;
  }
}
