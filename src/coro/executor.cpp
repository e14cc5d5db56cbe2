#include <coronado/coro/executor.hpp>

#include <coronado/coro/context.hpp>
#include <coronado/coro/task_group.hpp>

#include <stdexcept>

namespace coronado {

constinit thread_local Executor* Executor::current_ = nullptr;

Executor::Executor() { root_group_ = new TaskGroup(*this, "root", TaskGroup::OnFailure::kLog); }

Executor::~Executor() { delete root_group_; }

Executor& Executor::require_current() {
  if (current_ == nullptr) {
    throw std::logic_error(
        "no event loop runs on this thread; call this from inside a task or a "
        "callback of an IOLoop");
  }
  return *current_;
}

std::size_t Executor::run_ready(std::size_t budget) noexcept {
  std::size_t resumed = 0;
  while (resumed < budget && ready_head_ != nullptr) {
    TaskContext& context = *ready_head_;
    ready_head_ = context.next_ready_;
    if (ready_head_ == nullptr) ready_tail_ = nullptr;
    --ready_count_;
    ++resumed;
    step(context);
  }
  return resumed;
}

void Executor::run_now(TaskContext& context) noexcept { step(context); }

void Executor::step(TaskContext& context) noexcept {
  context.ready_ = false;
  TaskContext* const outer = std::exchange(running_, &context);
  probe_.count_step();
  context.leaf_->handle().resume();
  while (transfer_) std::exchange(transfer_, nullptr).resume();
  if (probe_.slow_since.load(std::memory_order_relaxed) != 0) [[unlikely]] {
    report_slow_step(&context);
  }
  running_ = outer;
  if (context.finished_) context.owner_->child_finished(context);
}

}  // namespace coronado
