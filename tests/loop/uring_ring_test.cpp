#include "loop/uring_ring.hpp"

#include <coronado/loop/reactor.hpp>
#include <coronado/testing/expect_log.hpp>

#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <string>
#include <system_error>
#include <thread>

namespace coronado {
namespace {

using namespace std::chrono_literals;

bool is_refused() { return std::string(make_reactor(ReactorKind::kUring)->name()) == "epoll"; }

/// Makes a system call fail from now on, as a sandbox does. There is no way back.
void deny(unsigned call, unsigned error) {
  std::array filter{
      sock_filter{BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
      sock_filter{BPF_JMP | BPF_JEQ | BPF_K, 0, 1, call},
      sock_filter{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | error},
      sock_filter{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
  };
  const sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
    ::_exit(77);
  }
}

/// What a process does in which `call` fails: 0 when it went on with epoll and said so once.
void make_two_reactors_without(unsigned call, unsigned error) {
  deny(call, error);
  const ExpectLog log("warning coronado.general: epoll is used in place of io_uring: ");
  const auto first = make_reactor(ReactorKind::kUring);
  const auto second = make_reactor(ReactorKind::kUring);
  const bool epoll =
      std::string(first->name()) == "epoll" && std::string(second->name()) == "epoll";
  ::_exit(epoll && log.count() == 1 ? 0 : 1);
}

TEST(UringFallback, ASandboxThatRefusesIsFollowedByEpollAndOneLine) {
  EXPECT_EXIT(make_two_reactors_without(SYS_io_uring_setup, EPERM), testing::ExitedWithCode(0), "");
}

TEST(UringFallback, AKernelWithoutTheSystemCall) {
  EXPECT_EXIT(make_two_reactors_without(SYS_io_uring_setup, ENOSYS), testing::ExitedWithCode(0),
              "");
}

TEST(UringFallback, ASandboxThatLetsRingsBeMadeButNotEntered) {
  EXPECT_EXIT(make_two_reactors_without(SYS_io_uring_enter, EPERM), testing::ExitedWithCode(0), "");
}

TEST(UringFallback, AKernelWithoutWhatWeNeed) {
  EXPECT_EXIT(make_two_reactors_without(SYS_io_uring_register, EINVAL), testing::ExitedWithCode(0),
              "");
}

TEST(UringRing, WaitsUntilTheInstant) {
  if (is_refused()) GTEST_SKIP() << "the system refuses io_uring";
  UringRing ring;
  const TimePoint until = Clock::now() + 3ms;
  ring.enter(until);
  EXPECT_GE(Clock::now(), until);
  ring.enter(TimePoint::min());
  std::vector<UringCompletion> completions;
  ring.collect(completions);
  EXPECT_TRUE(completions.empty());
}

TEST(UringRing, MoreEntriesAndCompletionsThanTheQueuesHold) {
  if (is_refused()) GTEST_SKIP() << "the system refuses io_uring";
  UringRing ring;
  ring.enter(TimePoint::min());
  constexpr std::uint64_t kCount = 20'000;
  for (std::uint64_t i = 1; i <= kCount; ++i) {
    io_uring_sqe& entry = ring.entry();
    io_uring_prep_nop(&entry);
    io_uring_sqe_set_data64(&entry, i);
  }
  ring.enter(TimePoint::min());
  std::vector<UringCompletion> completions;
  ring.collect(completions);
  ASSERT_EQ(completions.size(), kCount);
  for (std::uint64_t i = 0; i < kCount; ++i) ASSERT_EQ(completions[i].data, i + 1);
}

TEST(UringRing, AnotherThreadIsRefused) {
  if (is_refused()) GTEST_SKIP() << "the system refuses io_uring";
  UringRing ring;
  ring.enter(TimePoint::min());
  std::thread([&] {
    EXPECT_FALSE(ring.is_mine());
    EXPECT_THROW(ring.enter(TimePoint::min()), std::system_error);
  }).join();
  EXPECT_TRUE(ring.is_mine());
}

}  // namespace
}  // namespace coronado
