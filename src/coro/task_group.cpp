#include <coronado/coro/task_group.hpp>

#include <coronado/coro/task_local.hpp>

#include "coro/failure_log.hpp"

namespace coronado {
// --- TaskOwner ---------------------------------------------------------------------------------

namespace detail {

void TaskOwner::attach(Executor& executor, TaskContext* parent, const char* name) noexcept {
  executor_ = &executor;
  parent_ = parent;
  name_ = name;
  executor.owners_.push_back(*this);
  if (parent != nullptr) ++parent->owned_;
}

TaskOwner::~TaskOwner() {
  unlink();
  if (parent_ != nullptr) --parent_->owned_;
}

TaskContext& TaskOwner::create(PromiseBase& root, const char* name, std::source_location site) {
  auto* context = new TaskContext(*executor_, root, name, site);
  context->owner_ = this;
  if (TaskContext* spawner = executor_->running()) {
    context->locals_ = LocalNode::retain(spawner->locals_);
  }
  children_.push_back(*context);
  return *context;
}

void TaskOwner::cancel_children() noexcept {
  children_.for_each([](TaskContext& child) { child.cancel(); });
}

void TaskOwner::child_finished(TaskContext& child) noexcept {
  static_cast<ListHook&>(child).unlink();
  child.owner_ = nullptr;
  if (child.owned_ != 0) orphan_owners_of(child);
  child.notify_waiters();
  on_child_finished(child, *child.leaf_);
  child.release();
  on_child_released();
}

/// A group that was made inside a task and outlives it stands at the top from then on.
void TaskOwner::orphan_owners_of(TaskContext& parent) noexcept {
  parent.executor().owners_.for_each([&](ListHook& hook) {
    auto& owner = static_cast<TaskOwner&>(hook);
    if (owner.parent_ == &parent) owner.parent_ = nullptr;
  });
  parent.owned_ = 0;
}

void TaskOwner::abandon_children(const char* what) noexcept {
  TaskOwner& root = executor_->root_group();
  children_.for_each([&](TaskContext& child) {
    app_log().error(std::string(what) + " was destroyed while its " + describe_task(child) +
                    " was still running; it is cancelled now");
    child.cancel();
    if (&root != this) child.owner_ = &root;
  });
  if (&root != this) root.children_.splice(children_);
}

}  // namespace detail

// --- TaskGroup ---------------------------------------------------------------------------------

TaskGroup::TaskGroup(const char* name, OnFailure on_failure) : on_failure_(on_failure) {
  Executor& executor = Executor::require_current();
  attach(executor, executor.running(), name);
}

TaskGroup::TaskGroup(Executor& executor, const char* name, OnFailure on_failure) noexcept
    : on_failure_(on_failure) {
  attach(executor, nullptr, name);
}

TaskGroup::~TaskGroup() {
  for (const std::exception_ptr& failure : failures_) {
    app_log().error("failure in a task group that nobody joined: " + detail::describe(failure));
  }
  abandon_children("a task group");
}

TaskContext& TaskGroup::create_child(PromiseBase& root, const char* name,
                                     std::source_location site) {
  TaskContext& child = create(root, name, site);
  if (cancelled_) child.cancel();
  return child;
}

void TaskGroup::cancel() noexcept {
  cancelled_ = true;
  cancel_children();
}

void TaskGroup::on_child_finished(TaskContext& child, PromiseBase& root) noexcept {
  if (root.state() == PromiseBase::State::kError) {
    if (on_failure_ == OnFailure::kLog) {
      detail::log_failure("uncaught exception", child, root.error());
    } else if (on_failure_ == OnFailure::kCancelSiblings) {
      failures_.push_back(root.error());
      if (failures_.size() == 1) cancel();
    }
  }
  if (has_children()) return;
  while (!joiners_.empty()) joiners_.pop_front().wake();
}

void TaskGroup::rethrow_failure() {
  if (failures_.empty()) return;
  std::vector<std::exception_ptr> failures = std::exchange(failures_, {});
  for (std::size_t i = 1; i < failures.size(); ++i) {
    app_log().error("another failure in the same task group: " + detail::describe(failures[i]));
  }
  std::rethrow_exception(failures.front());
}

bool TaskGroup::Join::begin(PromiseBase& promise) noexcept {
  if (!group_.has_children()) return false;
  if (!park(promise)) {
    // Being cancelled already: the children are told, and waited for all the same.
    group_.cancel();
    park_always(promise);
  }
  group_.joiners_.push_back(*this);
  return true;
}

void TaskGroup::Join::cancel() noexcept {
  cancelled_ = true;
  group_.cancel();
}

void TaskGroup::Join::await_resume() {
  group_.rethrow_failure();
  check();
}

Task<> with_group(Function<Task<>(TaskGroup&)> body, const char* name) {
  TaskGroup group(name);
  group.spawn(body(group), "body");
  co_await group.join();
}

}  // namespace coronado
