#include <coronado/coro/combine.hpp>

#include "coro/failure_log.hpp"

namespace coronado::detail {

// --- ParallelCore ------------------------------------------------------------------------------

bool ParallelCore::begin(PromiseBase& promise, PromiseBase* const* roots, std::size_t count,
                         const char* name) {
  if (!park(promise)) return false;
  Executor& executor = context_->executor();
  attach(executor, context_, name);
  for (std::size_t i = 0; i < count; ++i) {
    TaskContext& child = create(*roots[i], "", promise.site());
    retain(child);  // its frame holds the result until we have taken it
    executor.make_ready(child);
  }
  return true;
}

void ParallelCore::dispose(PromiseBase* const* roots, std::size_t count) noexcept {
  for (std::size_t i = 0; i < count; ++i) {
    PromiseBase* root = roots[i];
    if (root == nullptr) continue;
    if (TaskContext* context = root->context()) {
      release(*context);
    } else {
      root->handle().destroy();
    }
  }
}

void ParallelCore::cancel() noexcept {
  cancelled_ = true;
  cancel_children();
}

// --- multi -------------------------------------------------------------------------------------

void MultiCore::end() {
  if (failed_ != nullptr) std::rethrow_exception(failed_->error());
  check();
}

void MultiCore::on_child_finished(TaskContext& child, PromiseBase& root) noexcept {
  if (root.state() == TaskOutcome::kError) {
    if (failed_ == nullptr) {
      failed_ = &root;
      cancel_children();
    } else {
      log_failure("another failure of multi()", child, root.error());
    }
  }
  if (!has_children()) wake();
}

// --- race --------------------------------------------------------------------------------------

std::size_t RaceCore::winner(PromiseBase* const* roots) const {
  if (winner_ == nullptr) throw_cancelled();
  std::size_t index = 0;
  while (roots[index] != winner_) ++index;
  return index;
}

void RaceCore::on_child_finished(TaskContext& child, PromiseBase& root) noexcept {
  const bool stopped = root.state() == TaskOutcome::kCancelled && cancelled_;
  if (winner_ == nullptr && !stopped) {
    winner_ = &root;
    cancel_children();
  } else if (root.state() == TaskOutcome::kError) {
    log_failure("failure of a loser of race()", child, root.error());
  }
  if (!has_children()) wake();
}

// --- map_concurrent ----------------------------------------------------------------------------

void check_limit(std::size_t limit) {
  if (limit == 0) throw std::invalid_argument("map_concurrent: the limit must be at least 1");
}

bool asked_to_stop() { return Executor::require_current().running()->interrupted(); }

}  // namespace coronado::detail
