/// `Task<T>`: the coroutine type of the library.
///
///     Task<T>          lazy, move-only, awaited at most once
///     is_awaitable     what may stand behind `co_await` in a Task
///     as_task          turns any awaitable into a Task
///
/// A task that is only declared costs a frame and does nothing. It starts when it is awaited
/// (`co_await f()`), spawned into a group (`group.spawn(f())`) or on a loop (`loop.spawn(f())`).
///
///     Task<int> answer() { co_return 42; }
///     Task<> use() { int x = co_await answer(); }
///
/// Parameters are copied into the frame as declared: take them by value unless the caller awaits in
/// place. A lambda with captures that is itself a coroutine must outlive its task.
///
/// Threads  A task runs on the thread of the loop it was started on.
/// Layer: coro.
#pragma once

#include <coronado/coro/context.hpp>

#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>

namespace coronado {

template <class T = void>
class Task;

namespace detail {

template <class T>
struct IsTask : std::false_type {};
template <class T>
struct IsTask<Task<T>> : std::true_type {};

template <class A>
concept Awaiter = requires(A& awaiter) {
  { awaiter.await_ready() } -> std::convertible_to<bool>;
  awaiter.await_resume();
};

template <class A>
concept HasCoAwait = requires(A&& awaitable) { static_cast<A&&>(awaitable).operator co_await(); };

}  // namespace detail

/// What a `Task` may await: a `Task` rvalue, or one of the library's awaiters.
template <class A>
concept is_awaitable = detail::IsTask<std::remove_cvref_t<A>>::value ||
                       detail::Awaiter<std::remove_reference_t<A>> || detail::HasCoAwait<A>;

namespace detail {

/// A coroutine that awaits what the library offers.
class AwaitingPromise : public PromiseBase {
 public:
  template <class A>
  decltype(auto) await_transform(
      A&& awaitable, std::source_location site = std::source_location::current()) noexcept {
    constexpr bool awaitable_type = is_awaitable<A>;
    static_assert(awaitable_type,
                  "co_await needs a Task or one of Coronado's awaitables; to await a callback API "
                  "use Promise and Future from <coronado/coro/future.hpp>");
    if constexpr (detail::IsTask<std::remove_cvref_t<A>>::value) {
      static_assert(!std::is_lvalue_reference_v<A>,
                    "a Task is awaited once, as an rvalue: co_await std::move(task)");
    }
    this->site_ = site;
    if constexpr (!awaitable_type) {
      return std::suspend_never{};  // the message above is enough
    } else if constexpr (detail::HasCoAwait<A>) {
      return static_cast<A&&>(awaitable).operator co_await();
    } else {
      return static_cast<A&&>(awaitable);
    }
  }

 protected:
  AwaitingPromise() noexcept = default;
  ~AwaitingPromise() = default;
};

/// What a coroutine returns that has made its value with `make_result`.
struct ResultMade {};
inline constexpr ResultMade kResultMade;

/// The value of a finished coroutine.
template <class T>
class TaskPromise : public AwaitingPromise {
  static_assert(!std::is_rvalue_reference_v<T>, "Task<T&&>: return by value instead");
  using Stored = std::conditional_t<std::is_reference_v<T>, std::remove_reference_t<T>*, T>;
  static_assert(alignof(Stored) <= alignof(std::max_align_t),
                "Task<T>: over-aligned types do not fit a coroutine frame; return a unique_ptr");

 public:
  TaskPromise() noexcept {}
  ~TaskPromise() {
    if (state_ == State::kValue || made_) std::destroy_at(&value_);
  }

  template <class U = T>
    requires std::convertible_to<U&&, T>
  void return_value(U&& value) {
    if constexpr (std::is_reference_v<T>) {
      std::construct_at(&value_, std::addressof(value));
    } else {
      std::construct_at(&value_, std::forward<U>(value));
    }
    state_ = State::kValue;
  }

  /// Makes the value before the coroutine ends.
  Stored& make_value() {
    std::construct_at(&value_);
    made_ = true;
    return value_;
  }
  void return_value(ResultMade) noexcept { state_ = State::kValue; }

  T take() {
    rethrow();
    if constexpr (std::is_reference_v<T>) {
      return static_cast<T>(*value_);
    } else {
      return std::move(value_);
    }
  }

  /// The value of a coroutine that has ended with one.
  const std::remove_reference_t<T>& value() const noexcept {
    if constexpr (std::is_reference_v<T>) {
      return *value_;
    } else {
      return value_;
    }
  }

 private:
  bool made_ = false;  // before the end
  union {
    Stored value_;
  };
};

/// What `make_result` returns; await it at once.
template <class T>
class [[nodiscard]] MakeResult {
 public:
  bool await_ready() const noexcept { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> handle) {
    result_ = &handle.promise().make_value();
    return false;
  }
  T& await_resume() const noexcept { return *result_; }

 private:
  T* result_ = nullptr;
};

/// In a coroutine that returns `Task<T>`: makes its value where it is taken from in the end, so that
/// a large one is not moved there. It ends with `co_return kResultMade`, and no other value.
template <class T>
MakeResult<T> make_result() noexcept {
  return {};
}

template <>
class TaskPromise<void> : public AwaitingPromise {
 public:
  void return_void() noexcept { state_ = State::kValue; }
  void take() const { rethrow(); }
};

}  // namespace detail

/// A lazy coroutine that ends with a `T`, an exception, or by cancellation.
///
/// Throws   From its `co_await`: whatever the coroutine threw.
/// Cancel   Awaited in place it belongs to the awaiting task and is cancelled with it.
/// Lifetime Destroying a task that was not started runs nothing of it. One that was started is
///          destroyed only after it has ended.
/// Tornado  A native coroutine; `gen.coroutine`, but lazy.
template <class T>
class [[nodiscard("a Task does nothing until it is awaited or spawned")]] Task {
 public:
  class promise_type;
  using value_type = T;

  Task() noexcept = default;
  Task(Task&& other) noexcept : promise_(std::exchange(other.promise_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      reset();
      promise_ = std::exchange(other.promise_, nullptr);
    }
    return *this;
  }
  ~Task() { reset(); }

  /// False for a default-constructed or moved-from task.
  explicit operator bool() const noexcept { return promise_ != nullptr; }

  /// The coroutine's promise; null for an empty task.
  PromiseBase* promise() const noexcept;

  /// Gives up the coroutine: whoever takes it must start it or destroy it.
  PromiseBase* release() noexcept;

  // What `co_await std::move(task)` uses.
  bool await_ready() const noexcept { return false; }
  template <class P>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<P> awaiting) noexcept;
  T await_resume();

 private:
  explicit Task(promise_type& promise) noexcept : promise_(&promise) {}

  void reset() noexcept;

  promise_type* promise_ = nullptr;
};

template <class T>
class Task<T>::promise_type final : public detail::TaskPromise<T> {
 public:
  Task get_return_object() noexcept { return Task(*this); }
};

template <class T>
PromiseBase* Task<T>::promise() const noexcept {
  return promise_;
}

template <class T>
PromiseBase* Task<T>::release() noexcept {
  return std::exchange(promise_, nullptr);
}

template <class T>
void Task<T>::reset() noexcept {
  if (promise_ != nullptr) std::exchange(promise_, nullptr)->handle().destroy();
}

template <class T>
template <class P>
std::coroutine_handle<> Task<T>::await_suspend(std::coroutine_handle<P> awaiting) noexcept {
  return static_cast<PromiseBase&>(awaiting.promise()).start(*promise_);
}

template <class T>
T Task<T>::await_resume() {
  return promise_->take();
}

/// What `co_await` of an `A` yields.
template <class A>
using await_result_t = decltype([] {
  if constexpr (detail::HasCoAwait<A>) {
    return std::type_identity<decltype(std::declval<A>().operator co_await().await_resume())>{};
  } else {
    return std::type_identity<
        decltype(std::declval<std::remove_reference_t<A>&>().await_resume())>{};
  }
}())::type;

/// Turns anything awaitable into a `Task`; a `Task` comes through as it is.
/// Lifetime  The awaitable must be movable into the coroutine's frame.
/// Throws    From its `co_await`: what awaiting `awaitable` throws.
/// Cancel    Passed on to `awaitable`.
template <class T>
Task<T> as_task(Task<T> task) {
  return task;
}
template <class A>
  requires(is_awaitable<A> && !detail::IsTask<std::remove_cvref_t<A>>::value)
Task<await_result_t<A>> as_task(A awaitable) {
  co_return co_await std::move(awaitable);
}

}  // namespace coronado
