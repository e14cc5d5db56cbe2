#include "net/child_process.hpp"

#include <sys/wait.h>

#include <coronado/testing/async_test.hpp>

#include <gtest/gtest.h>

#include <csignal>

namespace coronado {
namespace {

using namespace std::chrono_literals;

class ChildProcessThread : public testing::TestWithParam<bool> {};

INSTANTIATE_TEST_SUITE_P(Watches, ChildProcessThread, testing::Values(true, false),
                         [](const auto& each) { return each.param ? "Pidfd" : "Refused"; });

TEST_P(ChildProcessThread, IsReapedWhenItEnds) {
  run_async(
      []() -> Task<> {
        for (int i = 0; i < 20; ++i) {
          const pid_t pid = spawn_process({"sh", "-c", "exit 5"}, {}, {});
          auto child = std::make_shared<detail::ChildProcess>(*IOLoop::current(), pid, false, "sh");
          child->watch(GetParam());
          EXPECT_EQ((co_await Subprocess::Wait(child)).code, 5);
        }
        EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
      },
      {.reactor = ReactorKind::kEpoll});
}

TEST_P(ChildProcessThread, IsKilledWithItsLoop) {
  IOLoop loop({.reactor = ReactorKind::kEpoll});
  const pid_t pid = spawn_process({"sleep", "1000"}, {}, {});
  auto child = std::make_shared<detail::ChildProcess>(loop, pid, false, "sleep");
  child->watch(GetParam());
  loop.close();
  EXPECT_EQ(child->status()->signal, SIGKILL);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
}

TEST_P(ChildProcessThread, AStatusThatSomebodyElseTookIsLogged) {
  run_async(
      []() -> Task<> {
        ExpectLog lost("was taken by another part of the program");
        const pid_t pid = spawn_process({"true"}, {}, {});
        EXPECT_EQ(::waitpid(pid, nullptr, 0), pid);
        auto child = std::make_shared<detail::ChildProcess>(*IOLoop::current(), pid, false, "true");
        if (GetParam()) {
          EXPECT_THROW(child->watch(true), std::system_error);  // no such process any more
          co_return;
        }
        child->watch(false);
        EXPECT_EQ((co_await Subprocess::Wait(child)).code, 255);
      },
      {.reactor = ReactorKind::kEpoll});
}

}  // namespace
}  // namespace coronado
