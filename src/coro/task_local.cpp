#include <coronado/coro/task_local.hpp>

#include <stdexcept>

namespace coronado::detail {
namespace {

TaskContext& running_task() {
  TaskContext* context = Executor::require_current().running();
  if (context == nullptr) throw std::logic_error("task-local values exist only inside a task");
  return *context;
}

}  // namespace

void LocalNode::release(LocalNode* node) noexcept {
  while (node != nullptr && --node->references == 0) {
    LocalNode* next = node->next;
    delete node;
    node = next;
  }
}

LocalNode* LocalNode::find(const void* key) {
  for (LocalNode* node = running_task().locals_; node != nullptr; node = node->next) {
    if (node->key == key) return node;
  }
  return nullptr;
}

LocalNode* LocalNode::share() { return retain(running_task().locals_); }

void LocalNode::restore(LocalNode* shared) noexcept {
  // A scope is left by its task, or goes with a coroutine that will never run again.
  TaskContext* context = Executor::current() == nullptr ? nullptr : Executor::current()->running();
  release(context == nullptr ? shared : std::exchange(context->locals_, shared));
}

void LocalNode::bind(std::unique_ptr<LocalNode> fresh) {
  LocalNode*& head = running_task().locals_;
  LocalNode* const node = fresh.release();
  // Replaced in place while nobody else shares it, so that a loop of `set` does not grow the chain.
  for (LocalNode** link = &head; *link != nullptr && (*link)->references == 1;
       link = &(*link)->next) {
    if ((*link)->key != node->key) continue;
    node->next = std::exchange((*link)->next, nullptr);
    release(std::exchange(*link, node));
    return;
  }
  node->next = head;
  head = node;
}

LocalNode* LocalNode::copy_of(const TaskContext& context) {
  LocalNode* copies = nullptr;
  const auto copied = [&](const void* key) {
    for (const LocalNode* node = copies; node != nullptr; node = node->next) {
      if (node->key == key) return true;
    }
    return false;
  };
  try {
    for (const LocalNode* node = context.locals_; node != nullptr; node = node->next) {
      if (copied(node->key)) continue;  // hidden by a newer value
      std::unique_ptr<LocalNode> copy = node->clone();
      if (copy == nullptr) continue;
      copy->next = copies;
      copies = copy.release();
    }
  } catch (...) {
    release(copies);
    throw;
  }
  return copies;
}

void LocalNode::give(TaskContext& context, LocalNode* chain) noexcept {
  release(std::exchange(context.locals_, chain));
}

}  // namespace coronado::detail
