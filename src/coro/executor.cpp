#include <coronado/coro/executor.hpp>

#include <coronado/coro/await_trace.hpp>
#include <coronado/coro/context.hpp>
#include <coronado/coro/task_group.hpp>

#include <stdexcept>

namespace coronado {

constinit thread_local Executor* Executor::current_ = nullptr;

Executor::Executor() { root_group_ = new TaskGroup(*this, "root", TaskGroup::OnFailure::kLog); }

Executor::~Executor() {
  delete root_group_;
  detail::forget_await_traces();  // what exceptions hold should not outlive the loop
}

Executor& Executor::require_current() {
  if (current_ == nullptr) {
    throw std::logic_error(
        "no event loop runs on this thread; call this from inside a task or a "
        "callback of an IOLoop");
  }
  return *current_;
}

std::size_t Executor::ready_count() const noexcept {
  std::size_t count = 0;
  for (TaskContext* each = ready_head_; each != nullptr; each = each->next_ready_) ++count;
  return count;
}

std::size_t Executor::run_ready(std::size_t budget) noexcept {
  TaskContext* const outer = running_;
  std::size_t resumed = 0;
  if (shuffle_seed_ == 0) [[likely]] {
    for (; resumed < budget && ready_head_ != nullptr; ++resumed) step(take_first(), outer);
  } else {
    for (; resumed < budget && ready_head_ != nullptr; ++resumed) step(take_by_lot(), outer);
  }
  running_ = outer;
  return resumed;
}

inline TaskContext& Executor::take_first() noexcept {
  TaskContext& context = *ready_head_;
  ready_head_ = context.next_ready_;
  if (ready_head_ == nullptr) ready_end_ = &ready_head_;
  return context;
}

/// One of the first few, but a task that gave way only when it is the first: then all who stood
/// before it have run.
TaskContext& Executor::take_by_lot() noexcept {
  constexpr std::uint32_t kWindow = 32;
  TaskContext** candidates[kWindow];
  std::uint32_t count = 0;
  TaskContext** link = &ready_head_;
  for (std::uint32_t i = 0; i < kWindow && *link != nullptr; ++i) {
    if (i == 0 || (*link)->place_ == ReadyPlace::kAny) candidates[count++] = link;
    link = &(*link)->next_ready_;
  }
  TaskContext** const drawn = candidates[random_.below(count)];
  TaskContext& context = **drawn;
  *drawn = context.next_ready_;
  if (*drawn == nullptr) ready_end_ = drawn;
  return context;
}

void Executor::run_now(TaskContext& context) noexcept {
  TaskContext* const outer = running_;
  step(context, outer);
  running_ = outer;
}

void Executor::step(TaskContext& context, TaskContext* outer) noexcept {
  context.place_ = ReadyPlace::kNone;
  running_ = &context;
  probe_.count_step();
  context.leaf_->handle().resume();
  while (transfer_) std::exchange(transfer_, nullptr).resume();
  if (probe_.slow_since.load(std::memory_order_relaxed) != 0) [[unlikely]] {
    report_slow_step(&context);
  }
  if (context.finished_) {
    running_ = outer;
    context.owner_->child_finished(context);
  }
}

}  // namespace coronado
