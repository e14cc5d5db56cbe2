/// Several awaitables at once.
///
///     multi            all of them, results in order
///     race             the first to finish; the others are cancelled
///     map_concurrent   a function over a range, so many at a time
///
/// They start tasks that have all ended when they return, in whatever way. For results in the order
/// in which they come see <coronado/coro/wait_iterator.hpp>.
///
/// Layer: coro.
#pragma once

#include <coronado/coro/task_group.hpp>
#include <coronado/coro/task_local.hpp>

#include <array>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <tuple>
#include <variant>
#include <vector>

namespace coronado {

namespace detail {

/// Runs a list of coroutines beside each other on behalf of one awaiting task.
class ParallelCore : public Suspension, protected TaskOwner {
 public:
  void cancel() noexcept override;

 protected:
  ParallelCore() noexcept = default;
  ~ParallelCore() = default;

  /// Starts the children. False: the task is being cancelled.
  bool begin(PromiseBase& promise, PromiseBase* const* roots, std::size_t count, const char* name);
  /// Frees children that were started, or drops tasks that were not.
  static void dispose(PromiseBase* const* roots, std::size_t count) noexcept;
};

/// Waits for all.
class MultiCore : public ParallelCore {
 public:
  const char* what() const noexcept override { return "waiting for several tasks"; }

 protected:
  MultiCore() noexcept = default;
  ~MultiCore() = default;
  bool begin(PromiseBase& promise, PromiseBase* const* roots, std::size_t count) {
    return ParallelCore::begin(promise, roots, count, "multi");
  }
  /// Throws the first failure, or `Cancelled`.
  void end();

 private:
  void on_child_finished(TaskContext& child, PromiseBase& root) noexcept override;
  PromiseBase* failed_ = nullptr;
};

/// Waits for the first, then for the end of the others.
class RaceCore : public ParallelCore {
 public:
  const char* what() const noexcept override { return "waiting for the first of several tasks"; }

 protected:
  RaceCore() noexcept = default;
  ~RaceCore() = default;
  bool begin(PromiseBase& promise, PromiseBase* const* roots, std::size_t count) {
    return ParallelCore::begin(promise, roots, count, "race");
  }
  /// The position of the winner. Throws `Cancelled` when there is none.
  std::size_t winner(PromiseBase* const* roots) const;

 private:
  void on_child_finished(TaskContext& child, PromiseBase& root) noexcept override;
  PromiseBase* winner_ = nullptr;
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
/// The first that fails cancels the others; all have ended when this throws. Failures that follow
/// are logged.
///
/// Params   tasks  Tasks or other awaitables, consumed.
/// Returns  A tuple of the results in the order of the arguments (`std::monostate` for `void`),
///          nothing when all are `void`; a vector for a vector.
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

/// What `race(a, b, ...)` returns; await it at once.
template <class... Ts>
class [[nodiscard("nothing runs until it is awaited")]] RaceVariant final
    : public detail::RaceCore {
 public:
  using Result = std::variant<detail::NonVoid<Ts>...>;

  explicit RaceVariant(Task<Ts>... tasks) noexcept : roots_{tasks.release()...} {}
  RaceVariant(RaceVariant&& other) noexcept : roots_(std::exchange(other.roots_, {})) {}
  ~RaceVariant() { dispose(roots_.data(), roots_.size()); }

  bool await_ready() const noexcept { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> handle) {
    return begin(handle.promise(), roots_.data(), roots_.size());
  }
  Result await_resume() { return result<0>(winner(roots_.data())); }

 private:
  template <std::size_t I>
  Result result(std::size_t index) {
    if constexpr (I + 1 < sizeof...(Ts)) {
      if (index != I) return result<I + 1>(index);
    }
    using T = std::tuple_element_t<I, std::tuple<std::type_identity<Ts>...>>::type;
    return Result(std::in_place_index<I>, detail::take_result<T>(roots_[I]));
  }
  std::array<PromiseBase*, sizeof...(Ts)> roots_;
};

/// Who won a `race(vector)`, and with what.
template <class T>
struct RaceResult {
  std::size_t index;
  T value;
};

/// What `race(vector)` returns; await it at once.
template <class T>
class [[nodiscard("nothing runs until it is awaited")]] RaceVector final : public detail::RaceCore {
 public:
  /// Throws  std::invalid_argument  No tasks.
  explicit RaceVector(std::vector<Task<T>> tasks) {
    if (tasks.empty()) throw std::invalid_argument("a race needs at least one task");
    roots_.reserve(tasks.size());
    for (Task<T>& task : tasks) roots_.push_back(task.release());
  }
  RaceVector(RaceVector&& other) noexcept : roots_(std::exchange(other.roots_, {})) {}
  ~RaceVector() { dispose(roots_.data(), roots_.size()); }

  bool await_ready() const noexcept { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> handle) {
    return begin(handle.promise(), roots_.data(), roots_.size());
  }
  auto await_resume() {
    const std::size_t index = winner(roots_.data());
    if constexpr (std::is_void_v<T>) {
      detail::take_result<T>(roots_[index]);
      return index;
    } else {
      return RaceResult<T>{index, detail::take_result<T>(roots_[index])};
    }
  }

 private:
  std::vector<PromiseBase*> roots_;
};

/// Await the first of several awaitables that run beside each other, each as a task of its own.
///
///     auto answer = co_await race(primary.ask(question), replica.ask(question));
///     if (answer.index() == 0) ...
///
/// As soon as one has finished the others are cancelled; all have ended when this returns. What a
/// loser still delivers while it ends is dropped; a failure of a loser is logged.
///
/// Params   tasks  Tasks or other awaitables, consumed.
/// Returns  For arguments a `std::variant` of their results (`std::monostate` for `void`), whose
///          `index()` is the winner's. For a vector a `RaceResult` with `index` and `value`, or the
///          index alone when `T` is void.
/// Throws   What the winner threw, if the first to finish failed; `Cancelled` when it was cancelled
///          by itself; std::invalid_argument at the call for an empty vector.
/// Cancel   Cancels all of them and completes when they have ended. If one still finishes, that is
///          the result: finished work is not thrown away.
/// Cost     One task context each, from the pool.
/// Tornado  None; `asyncio.wait(FIRST_COMPLETED)` with the cleaning up done.
template <class... As>
  requires(sizeof...(As) > 0 && (is_awaitable<As> && ...))
auto race(As&&... awaitables) {
  return RaceVariant<await_result_t<As>...>(as_task(std::forward<As>(awaitables))...);
}
template <class T>
RaceVector<T> race(std::vector<Task<T>> tasks) {
  return RaceVector<T>(std::move(tasks));
}

namespace detail {

/// Throws `std::invalid_argument` for zero.
void check_limit(std::size_t limit);

/// True when the running task has been asked to stop.
bool asked_to_stop();

/// The task-local values of one task, for others that work on its behalf.
class BorrowedLocals {
 public:
  /// Of the running task, as they are now.
  BorrowedLocals() : locals_(LocalNode::share()) {}
  BorrowedLocals(const BorrowedLocals&) = delete;
  BorrowedLocals& operator=(const BorrowedLocals&) = delete;
  ~BorrowedLocals() { LocalNode::release(locals_); }

  /// Gives them to the running task in place of those it has.
  void apply() const noexcept { LocalNode::restore(LocalNode::retain(locals_)); }

 private:
  LocalNode* locals_;
};

template <class Range, class F>
struct ConcurrentMap {
  using Iterator = decltype(std::begin(std::declval<Range&>()));
  using Result = await_result_t<std::invoke_result_t<F&, decltype(*std::declval<Iterator&>())>>;
  using Results = std::conditional_t<std::is_void_v<Result>, void, std::vector<NonVoid<Result>>>;

  Range range;
  F function;
  std::size_t limit;
  TaskGroup& group;
  Iterator next = std::begin(range);
  std::size_t workers = 0;
  std::vector<std::optional<NonVoid<Result>>> results = {};
  BorrowedLocals locals = {};

  bool done() { return next == std::end(range); }

  /// One worker more, if there is something for it to do.
  void grow() {
    if (workers == limit || done()) return;
    ++workers;
    group.spawn(work());
  }

  /// Takes item after item, as many as it comes to.
  /// Throws  What `function` throws.
  /// Cancel  Passed on to what it awaits.
  Task<> work() {
    while (!done() && !asked_to_stop()) {
      const std::size_t index = results.size();
      results.emplace_back();
      auto&& item = *next;
      ++next;
      locals.apply();  // what the item before this one has set is its own
      grow();
      if constexpr (std::is_void_v<Result>) {
        co_await function(std::forward<decltype(item)>(item));
      } else {
        Result result = co_await function(std::forward<decltype(item)>(item));
        results[index].emplace(std::move(result));
      }
    }
  }

  Results take() {
    if constexpr (!std::is_void_v<Result>) {
      Results taken;
      taken.reserve(results.size());
      for (auto& result : results) taken.push_back(std::move(*result));
      return taken;
    }
  }
};

}  // namespace detail

/// Awaits `function(item)` for each item of `range`, at most `limit` at a time.
///
///     std::vector<Page> pages = co_await map_concurrent(urls, 10, fetch);
///
/// The first that fails cancels the others, and items not yet begun are left; all have ended when
/// this throws. Each item sees the task-local values of the caller.
///
/// Params   range     Anything with `begin` and `end` that is passed through once, item by item;
///                    kept until all is done, so an lvalue is copied: pass a view or `std::move`
///                    what is large.
///          limit     How many run at a time; at least 1.
///          function  Returns an awaitable; kept as well.
/// Returns  A vector of the results in the order of the items; nothing when they are `void`.
/// Throws   std::invalid_argument  `limit` is zero.
///          The first failure.
/// Cancel   Cancels what runs and completes when it has ended.
/// Cost     One task for each that may run at a time, but no more than there are items.
template <class Range, class F>
auto map_concurrent(Range range, std::size_t limit, F function)
    -> Task<typename detail::ConcurrentMap<Range, F>::Results> {
  detail::check_limit(limit);
  TaskGroup group("map_concurrent");
  detail::ConcurrentMap<Range, F> map{std::move(range), std::move(function), limit, group};
  map.grow();
  co_await group.join();
  co_return map.take();
}

}  // namespace coronado
