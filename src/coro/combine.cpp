#include <coronado/coro/combine.hpp>

namespace coronado::detail {

bool MultiCore::begin(PromiseBase& promise, PromiseBase* const* roots, std::size_t count) {
  if (!park(promise)) return false;
  Executor& executor = context_->executor();
  attach(executor, context_, "multi");
  for (std::size_t i = 0; i < count; ++i) {
    TaskContext& child = create(*roots[i], "", promise.site());
    child.retain();  // its frame holds the result until we have taken it
    executor.make_ready(child);
  }
  return true;
}

void MultiCore::end() {
  if (failed_ != nullptr) std::rethrow_exception(failed_->error());
  check();
}

void MultiCore::dispose(PromiseBase* const* roots, std::size_t count) noexcept {
  for (std::size_t i = 0; i < count; ++i) {
    PromiseBase* root = roots[i];
    if (root == nullptr) continue;
    if (TaskContext* context = root->context()) {
      context->release();
    } else {
      root->handle().destroy();
    }
  }
}

void MultiCore::on_child_finished(TaskContext&, PromiseBase& root) noexcept {
  if (root.state() == PromiseBase::State::kError && failed_ == nullptr) {
    failed_ = &root;
    cancel_children();
  }
  if (!has_children()) wake();
}

void MultiCore::cancel() noexcept {
  cancelled_ = true;
  cancel_children();
}

}  // namespace coronado::detail
