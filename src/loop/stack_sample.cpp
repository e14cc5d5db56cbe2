#include "loop/stack_sample.hpp"

#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <mutex>
#include <thread>

namespace coronado {
namespace {

constexpr std::size_t kMostFrames = 64;

/// What becomes of a question. The number of the question stands above the phase, so that a signal
/// that comes too late finds another question, or none.
enum Phase : std::uint64_t { kNobodyAsks, kAsked, kWriting, kWritten, kPhases };

constexpr std::uint64_t in_phase(std::uint64_t question, Phase phase) {
  return question * kPhases + phase;
}

struct Board {
  std::atomic<std::uint64_t> state{in_phase(0, kNobodyAsks)};
  std::atomic<int> thread{0};
  // Written by the handler between kWriting and kWritten.
  std::array<const void*, kMostFrames> frames{};
  std::size_t count = 0;
  std::uintptr_t interrupted_at = 0;
};

constinit Board board;
std::mutex asking;

/// Where the signal found the thread; 0: this machine's registers are not known here.
std::uintptr_t instruction_of(const void* context) noexcept {
  const auto* machine = static_cast<const ucontext_t*>(context);
#if defined(__x86_64__)
  return static_cast<std::uintptr_t>(machine->uc_mcontext.gregs[REG_RIP]);
#elif defined(__aarch64__)
  return static_cast<std::uintptr_t>(machine->uc_mcontext.pc);
#else
  static_cast<void>(machine);
  return 0;
#endif
}

/// Adds a frame, and forgets those above the interrupted one: the handler's own.
_Unwind_Reason_Code add_frame(_Unwind_Context* frame, void*) noexcept {
  int before_instruction = 0;
  const std::uintptr_t at = _Unwind_GetIPInfo(frame, &before_instruction);
  if (at == 0) return _URC_END_OF_STACK;
  if (at == board.interrupted_at) board.count = 0;
  if (board.count == kMostFrames) return _URC_END_OF_STACK;
  const std::uintptr_t inside = before_instruction != 0 ? at : at - 1;
  board.frames[board.count++] = reinterpret_cast<const void*>(inside);
  return _URC_NO_REASON;
}

// Async-signal-safe; see the header.
void on_question(int, siginfo_t* info, void* context) {
  const int saved = errno;
  const auto question = static_cast<std::uint32_t>(info->si_value.sival_int);
  std::uint64_t expected = in_phase(question, kAsked);
  if (board.thread.load(std::memory_order_relaxed) == this_thread_id() &&
      board.state.compare_exchange_strong(expected, in_phase(question, kWriting))) {
    board.count = 0;
    board.interrupted_at = instruction_of(context);
    _Unwind_Backtrace(add_frame, nullptr);
    board.state.store(in_phase(question, kWritten), std::memory_order_release);
  }
  errno = saved;
}

_Unwind_Reason_Code count_frame(_Unwind_Context*, void* count) noexcept {
  ++*static_cast<int*>(count);
  return _URC_NO_REASON;
}

int install() noexcept {
  int frames = 0;
  _Unwind_Backtrace(count_frame, &frames);  // what the unwinder loads, it loads now
  for (int signal = SIGRTMAX; signal >= SIGRTMIN; --signal) {
    struct sigaction action{};
    if (::sigaction(signal, nullptr, &action) != 0 || action.sa_handler != SIG_DFL) continue;
    action = {};
    action.sa_sigaction = on_question;
    action.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
    sigfillset(&action.sa_mask);
    if (::sigaction(signal, &action, nullptr) == 0) return signal;
  }
  return 0;
}

bool send_question(int thread, int signal, std::uint32_t question) noexcept {
  siginfo_t info{};
  info.si_code = SI_QUEUE;
  info.si_pid = ::getpid();
  info.si_uid = ::getuid();
  info.si_value.sival_int = static_cast<int>(question);
  return ::syscall(SYS_rt_tgsigqueueinfo, ::getpid(), thread, signal, &info) == 0;
}

/// The stack for the signal handlers of one thread.
class AlternateStack {
 public:
  AlternateStack() noexcept {
    stack_t present{};
    if (::sigaltstack(nullptr, &present) != 0 || (present.ss_flags & SS_DISABLE) == 0) return;
    void* const place = ::mmap(nullptr, kSize, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (place == MAP_FAILED) return;
    const stack_t ours{.ss_sp = place, .ss_flags = 0, .ss_size = kSize};
    if (::sigaltstack(&ours, nullptr) == 0) {
      place_ = place;
    } else {
      ::munmap(place, kSize);
    }
  }
  AlternateStack(const AlternateStack&) = delete;
  AlternateStack& operator=(const AlternateStack&) = delete;
  ~AlternateStack() {
    if (place_ == nullptr) return;
    stack_t present{};
    if (::sigaltstack(nullptr, &present) == 0 && present.ss_sp == place_) {
      const stack_t none{.ss_sp = nullptr, .ss_flags = SS_DISABLE, .ss_size = 0};
      ::sigaltstack(&none, nullptr);
    }
    ::munmap(place_, kSize);
  }

 private:
  static constexpr std::size_t kSize = std::size_t{64} * 1024;
  void* place_ = nullptr;
};

/// Waits until the state is no longer `while_in`; false when that takes too long.
bool wait_while(std::uint64_t while_in, Duration patience) {
  const TimePoint end = Clock::now() + patience;
  while (board.state.load(std::memory_order_acquire) == while_in) {
    if (Clock::now() >= end) return false;
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
  return true;
}

}  // namespace

int this_thread_id() noexcept { return static_cast<int>(::syscall(SYS_gettid)); }

int prepare_stack_samples() noexcept {
  static const int signal = install();
  return signal;
}

void use_alternate_signal_stack() noexcept {
  thread_local const AlternateStack stack;
  static_cast<void>(stack);
}

std::vector<const void*> sample_stack(int thread, Duration patience) {
  static std::uint32_t last_question = 0;
  const int signal = prepare_stack_samples();
  if (signal == 0 || thread == 0) return {};
  std::lock_guard lock(asking);
  // A handler that never came back has the board for good.
  if (board.state.load() % kPhases != kNobodyAsks) return {};
  const std::uint64_t question = ++last_question;
  board.thread.store(thread, std::memory_order_relaxed);
  board.state.store(in_phase(question, kAsked), std::memory_order_release);
  std::vector<const void*> frames;
  std::uint64_t asked = in_phase(question, kAsked);
  if (send_question(thread, signal, last_question)) wait_while(asked, patience);
  if (board.state.compare_exchange_strong(asked, in_phase(question, kNobodyAsks))) return frames;
  if (wait_while(in_phase(question, kWriting),
                 std::max<Duration>(patience, std::chrono::seconds(1)))) {
    frames.assign(board.frames.begin(), board.frames.begin() + board.count);
    board.state.store(in_phase(question, kNobodyAsks));
  }
  return frames;
}

}  // namespace coronado
