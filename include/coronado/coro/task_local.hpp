/// Values that belong to a task and are inherited by the tasks it spawns.
///
///     TaskLocal<std::string> request_id;
///     request_id.set("a1");                     // for this task and what it spawns from here on
///     if (auto* id = request_id.find()) ...
///
/// A task that is started beside the running one (`spawn` of a group or a loop, `multi`, `race`,
/// `map_concurrent`, `WaitIterator`) sees the values that one had at that moment; what either sets
/// later is its own. Nothing is copied: the bindings are shared, and a new one shadows the old. What
/// a task awaits in place (a `Task`, `with_timeout`, `shield`, an `AsyncGenerator`) is a part of it:
/// what that sets stays set. Tasks that are started by a callback of the loop begin with none.
/// A task that runs on another loop for its caller (`co_await other.run(task)`) sees copies of those
/// that can be copied.
///
/// Threads  Of the task. The key itself may be a global, shared by all threads.
/// Tornado  `contextvars`.
/// Layer: coro.
#pragma once

#include <coronado/coro/context.hpp>

#include <memory>
#include <type_traits>

namespace coronado {

namespace detail {

/// One binding. Nodes form a chain from the newest to the oldest, shared by the tasks that
/// inherited it.
struct LocalNode {
  explicit LocalNode(const void* bound_key) noexcept : key(bound_key) {}
  virtual ~LocalNode() = default;

  /// A copy for another thread; null when the value cannot be copied.
  virtual std::unique_ptr<LocalNode> clone() const = 0;

  const void* key;
  LocalNode* next = nullptr;
  std::uint32_t references = 1;

  static LocalNode* retain(LocalNode* node) noexcept {
    if (node != nullptr) ++node->references;
    return node;
  }
  static void release(LocalNode* node) noexcept;

  /// The running task's node for `key`, or null. Throws `std::logic_error` outside a task.
  static LocalNode* find(const void* key);
  /// Binds in the running task, replacing its binding of the same key.
  static void bind(std::unique_ptr<LocalNode> fresh);

  /// The bindings of the running task, counted.
  static LocalNode* share();
  /// Brings those bindings back.
  static void restore(LocalNode* shared) noexcept;

  /// Copies of the values that a task sees, shared with nobody; those that cannot be copied stay.
  static LocalNode* copy_of(const TaskContext& context);
  /// Replaces what a task sees by `chain`, which it then owns.
  static void give(TaskContext& context, LocalNode* chain) noexcept;
};

template <class T>
struct LocalValue final : LocalNode {
  LocalValue(const void* bound_key, T bound) : LocalNode(bound_key), value(std::move(bound)) {}
  std::unique_ptr<LocalNode> clone() const override {
    if constexpr (std::is_copy_constructible_v<T>) {
      return std::make_unique<LocalValue>(key, value);
    } else {
      return nullptr;
    }
  }
  T value;
};

}  // namespace detail

/// Brings the running task's values back to what they were: all of them, also those of other keys.
/// Lifetime  Within a block of the coroutine that made it, and not across a `co_yield`.
class [[nodiscard("the value is taken back when the scope is dropped")]] TaskLocalScope {
 public:
  /// Params  fresh  What is bound meanwhile.
  explicit TaskLocalScope(std::unique_ptr<detail::LocalNode> fresh)
      : before_(detail::LocalNode::share()) {
    detail::LocalNode::bind(std::move(fresh));
  }
  TaskLocalScope(const TaskLocalScope&) = delete;
  TaskLocalScope& operator=(const TaskLocalScope&) = delete;
  ~TaskLocalScope() { detail::LocalNode::restore(before_); }

 private:
  detail::LocalNode* before_;
};

/// A key for one value in each task.
/// Throws  Its members throw `std::logic_error` when no task is running.
template <class T>
class TaskLocal {
 public:
  TaskLocal() noexcept = default;
  TaskLocal(const TaskLocal&) = delete;
  TaskLocal& operator=(const TaskLocal&) = delete;

  /// Sets the value in the running task, and for the tasks it spawns from now on.
  void set(T value) const { detail::LocalNode::bind(binding(std::move(value))); }

  /// Sets the value until the scope that this returns is left.
  TaskLocalScope scoped(T value) const { return TaskLocalScope(binding(std::move(value))); }

  /// The value of the running task or the one it inherited; null when there is none.
  /// Lifetime  Until the task sets it again or ends.
  const T* find() const {
    detail::LocalNode* node = detail::LocalNode::find(this);
    return node == nullptr ? nullptr : &static_cast<detail::LocalValue<T>*>(node)->value;
  }

  /// The value, or `fallback` when there is none.
  T get(T fallback = T{}) const {
    const T* value = find();
    return value == nullptr ? std::move(fallback) : *value;
  }

 private:
  std::unique_ptr<detail::LocalNode> binding(T value) const {
    return std::make_unique<detail::LocalValue<T>>(this, std::move(value));
  }

  [[maybe_unused]] char unique_ = 0;  // two keys never share an address
};

}  // namespace coronado
