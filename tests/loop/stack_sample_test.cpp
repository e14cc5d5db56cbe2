#include "loop/stack_sample.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <string>
#include <thread>

#include "loop/symbolize.hpp"

namespace coronado {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

/// Busy, in a function with a name, until it is told to stop.
[[gnu::noinline]] void spin_until_told(const std::atomic<bool>& stop) {
  while (!stop.load()) static_cast<void>(Clock::now());
}

[[gnu::noinline]] void caller_of_spin(const std::atomic<bool>& stop) {
  spin_until_told(stop);
  static_cast<void>(Clock::now());  // no tail call
}

/// A thread that spins while this lives.
class Spinner {
 public:
  explicit Spinner(bool blocks_signals = false) {
    thread_ = std::thread([this, blocks_signals] {
      if (blocks_signals) {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, nullptr);
      }
      id_ = this_thread_id();
      caller_of_spin(stop_);
    });
    while (id_ == 0) std::this_thread::yield();
  }
  ~Spinner() { end(); }
  Spinner(const Spinner&) = delete;
  Spinner& operator=(const Spinner&) = delete;
  int id() const { return id_; }
  void end() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }

 private:
  std::atomic<bool> stop_{false};
  std::atomic<int> id_{0};
  std::thread thread_;
};

TEST(StackSampleThread, ShowsWhereABusyThreadStands) {
  const Spinner spinner;
  std::string text;
  // It may be caught before it is in its loop; a busy machine may let it wait.
  while (text.find("spin_until_told") == std::string::npos) {
    text = symbolize_stack(sample_stack(spinner.id(), 1s));
  }
  EXPECT_LT(text.find("spin_until_told"), text.find("caller_of_spin")) << text;
}

TEST(StackSampleThread, TheHandlerNeedsNothingOfTheStackItLooksAt) {
  std::atomic<bool> stop{false};
  std::atomic<int> id{0};
  stack_t stack{.ss_sp = nullptr, .ss_flags = SS_DISABLE, .ss_size = 0};
  std::thread thread([&] {
    use_alternate_signal_stack();
    use_alternate_signal_stack();  // the second time changes nothing
    sigaltstack(nullptr, &stack);
    id = this_thread_id();
    caller_of_spin(stop);
  });
  while (id == 0) std::this_thread::yield();
  EXPECT_EQ(stack.ss_flags & SS_DISABLE, 0);
  std::string text;
  while (text.find("caller_of_spin") == std::string::npos) {
    text = symbolize_stack(sample_stack(id, 1s));
  }
  stop = true;
  thread.join();
}

TEST(StackSampleThread, MayBeAskedOftenWithoutHarm) {
  const Spinner spinner;
  int answers = 0;
  while (answers < 300) {
    if (!sample_stack(spinner.id(), 1s).empty()) ++answers;
  }
}

TEST(StackSampleThread, AThreadThatBlocksTheSignalGivesNoAnswer) {
  const Spinner deaf(true);
  EXPECT_TRUE(sample_stack(deaf.id(), 2ms).empty());
  const Spinner other;
  while (sample_stack(other.id(), 1s).empty()) {
  }
}

TEST(StackSampleThread, AThreadThatHasEndedGivesNoAnswer) {
  Spinner spinner;
  const int id = spinner.id();
  spinner.end();
  EXPECT_TRUE(sample_stack(id, 1s).empty());
  EXPECT_TRUE(sample_stack(0, 1s).empty());
}

TEST(StackSampleThread, ALateSignalFindsNobodyWhoAsks) {
  sigset_t only;
  sigset_t before;
  sigemptyset(&only);
  sigaddset(&only, prepare_stack_samples());
  pthread_sigmask(SIG_BLOCK, &only, &before);
  const int self = this_thread_id();
  std::vector<const void*> frames;
  std::thread([&] { frames = sample_stack(self, 2ms); }).join();
  EXPECT_TRUE(frames.empty());
  pthread_sigmask(SIG_SETMASK, &before, nullptr);  // it comes now, and nothing happens
  const Spinner spinner;
  while (sample_stack(spinner.id(), 1s).empty()) {
  }
}

TEST(StackSample, ClaimsASignalThatNobodyHad) {
  const int signal = prepare_stack_samples();
  EXPECT_GE(signal, SIGRTMIN);
  EXPECT_LE(signal, SIGRTMAX);
  EXPECT_EQ(prepare_stack_samples(), signal);
}

}  // namespace
}  // namespace coronado
