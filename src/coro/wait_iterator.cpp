#include <coronado/coro/wait_iterator.hpp>

#include <stdexcept>

namespace coronado::detail {

WaitCore::WaitCore() {
  Executor& executor = Executor::require_current();
  attach(executor, executor.running(), "wait_iterator");
}

WaitCore::~WaitCore() {
  drop_results();
  abandon_children("an iterator over tasks");
}

void WaitCore::start(PromiseBase& root, std::source_location site) {
  TaskContext& child = create(root, "", site);
  if (left_++ == 0) first_id_ = child.id();
  executor().make_ready(child);
}

void WaitCore::require_more() const {
  if (done()) throw std::logic_error("the iterator has no more results");
}

PromiseBase& WaitCore::take_ended() noexcept {
  if (current_ != nullptr) release(*current_);
  current_ = &ended_.pop_front();
  // The tasks were numbered in the order in which they were given.
  current_index_ = static_cast<std::size_t>(current_->id() - first_id_);
  --left_;
  return root_of(*current_);
}

void WaitCore::drop_results() noexcept {
  if (current_ != nullptr) release(*std::exchange(current_, nullptr));
  while (!ended_.empty()) release(ended_.pop_front());
  left_ = 0;
}

void WaitCore::on_child_finished(TaskContext& child, PromiseBase&) noexcept {
  retain(child);
  ended_.push_back(child);
  if (waiter_ == nullptr || (waiter_->wants_all_ && has_children())) return;
  std::exchange(waiter_, nullptr)->wake();
}

bool WaitCore::Waiter::begin(PromiseBase& promise) noexcept {
  if (!park(promise)) {
    // Being cancelled already: the tasks are told, and waited for all the same.
    core_.cancel_children();
    wants_all_ = true;
    park_always(promise);
  }
  core_.waiter_ = this;
  return true;
}

void WaitCore::Waiter::cancel() noexcept {
  cancelled_ = true;
  wants_all_ = true;
  core_.cancel_children();
}

}  // namespace coronado::detail
