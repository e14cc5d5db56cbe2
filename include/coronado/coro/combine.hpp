/// Several awaitables at once.
///
///     multi   all of them, results in order
///
/// Layer: coro.
#pragma once

#include <coronado/coro/task_group.hpp>

#include <array>
#include <tuple>
#include <variant>
#include <vector>

namespace coronado {

namespace detail {

/// Runs a list of coroutines beside each other on behalf of one awaiting task.
class MultiCore : public Suspension, private TaskOwner {
 public:
  const char* what() const noexcept override { return "waiting for several tasks"; }
  void cancel() noexcept override;

 protected:
  MultiCore() noexcept = default;
  ~MultiCore() = default;

  /// Starts the children. False: there is nothing to wait for.
  bool begin(PromiseBase& promise, PromiseBase* const* roots, std::size_t count);
  /// Throws the first failure, or `Cancelled`.
  void end();
  /// Frees children that were started, or drops tasks that were not.
  static void dispose(PromiseBase* const* roots, std::size_t count) noexcept;

 private:
  void on_child_finished(TaskContext& child, PromiseBase& root) noexcept override;
  PromiseBase* failed_ = nullptr;
};

template <class T>
using NonVoid = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

template <class T>
NonVoid<T> take_result(PromiseBase* root) {
  auto& promise = static_cast<TaskPromise<T>&>(*root);
  if constexpr (std::is_void_v<T>) {
    promise.take();
    return {};
  } else {
    return promise.take();
  }
}

}  // namespace detail

/// What `multi(a, b, ...)` returns; await it at once.
template <class... Ts>
class [[nodiscard("nothing runs until it is awaited")]] MultiTuple final
    : public detail::MultiCore {
 public:
  explicit MultiTuple(Task<Ts>... tasks) noexcept : roots_{tasks.release()...} {}
  MultiTuple(MultiTuple&& other) noexcept : roots_(std::exchange(other.roots_, {})) {}
  ~MultiTuple() { dispose(roots_.data(), roots_.size()); }

  bool await_ready() const noexcept { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> handle) {
    return begin(handle.promise(), roots_.data(), roots_.size());
  }
  auto await_resume() {
    end();
    if constexpr (!(std::is_void_v<Ts> && ...)) return results(std::index_sequence_for<Ts...>{});
  }

 private:
  template <std::size_t... I>
  std::tuple<detail::NonVoid<Ts>...> results(std::index_sequence<I...>) {
    return {detail::take_result<Ts>(roots_[I])...};
  }
  std::array<PromiseBase*, sizeof...(Ts)> roots_;
};

/// What `multi(vector)` returns; await it at once.
template <class T>
class [[nodiscard("nothing runs until it is awaited")]] MultiVector final
    : public detail::MultiCore {
 public:
  explicit MultiVector(std::vector<Task<T>> tasks) {
    roots_.reserve(tasks.size());
    for (Task<T>& task : tasks) roots_.push_back(task.release());
  }
  MultiVector(MultiVector&& other) noexcept : roots_(std::exchange(other.roots_, {})) {}
  ~MultiVector() { dispose(roots_.data(), roots_.size()); }

  bool await_ready() const noexcept { return roots_.empty(); }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> handle) {
    return begin(handle.promise(), roots_.data(), roots_.size());
  }
  auto await_resume() {
    end();
    if constexpr (!std::is_void_v<T>) {
      std::vector<T> results;
      results.reserve(roots_.size());
      for (PromiseBase* root : roots_) results.push_back(detail::take_result<T>(root));
      return results;
    }
  }

 private:
  std::vector<PromiseBase*> roots_;
};

/// Await several awaitables that run beside each other, each as a task of its own.
///
///     auto [user, orders] = co_await multi(load_user(id), load_orders(id));
///     std::vector<Page> pages = co_await multi(std::move(tasks));
///
/// The first that fails cancels the others; all have ended when this throws.
///
/// Params   tasks  Tasks or other awaitables, consumed. They start in this order.
/// Returns  A tuple of the results in the order of the arguments (`std::monostate` for `void`),
/// nothing
///          when all are `void`; a vector for a vector.
/// Throws   The first failure; `Cancelled` when one of them was cancelled by itself.
/// Cancel   Cancels all of them and completes when they have ended.
/// Cost     One task context each, from the pool.
/// Tornado  `gen.multi`. Differs: Tornado lets the others run on after a failure.
template <class... As>
  requires(sizeof...(As) > 0 && (is_awaitable<As> && ...))
auto multi(As&&... awaitables) {
  return MultiTuple<await_result_t<As>...>(as_task(std::forward<As>(awaitables))...);
}
template <class T>
MultiVector<T> multi(std::vector<Task<T>> tasks) {
  return MultiVector<T>(std::move(tasks));
}

}  // namespace coronado
