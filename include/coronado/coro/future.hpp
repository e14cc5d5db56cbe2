/// The bridge from callbacks, and from other threads, to `co_await`.
///
///     Promise<T>   the side that delivers a result, once, from any thread
///     Future<T>    the side that awaits it, on its loop
///
///     Task<Reply> ask(Device& device) {
///       Promise<Reply> promise;
///       Future<Reply> reply = promise.future();
///       device.on_reply([p = std::move(promise)](Reply r) mutable { p.set_value(std::move(r)); });
///       co_return co_await reply;
///     }
///
/// Between coroutines a `Task` is the better choice: it needs no allocation and can be cancelled.
///
/// Tornado  `concurrent.Future`. Differs: two sides; one awaiter at a time, who takes the result.
/// Layer: coro.
#pragma once

#include <coronado/coro/task.hpp>

#include <atomic>
#include <optional>
#include <stdexcept>
#include <variant>
#include <vector>

namespace coronado {

template <class T>
class Future;

namespace detail {

/// What a promise and its future share, but for the value. Counted; the last of them frees it.
class FutureCore {
 public:
  explicit FutureCore(Executor& executor) noexcept : executor_(executor) {}
  FutureCore(const FutureCore&) = delete;
  FutureCore& operator=(const FutureCore&) = delete;

  class Waiter;
  using Callback = Function<void(FutureCore&)>;

  // From any thread.
  void retain() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept;
  /// Whoever gets to set the result: once. Throws `std::logic_error` the second time.
  void claim();
  void set_error(std::exception_ptr error);
  /// Publishes what was set: at once on the loop's thread, else in the loop's next turn.
  void publish();
  /// The promise goes without a result.
  void abandon();

  // On the loop's thread.
  bool done() const noexcept { return done_; }
  void add_callback(Callback callback);
  /// Throws the error that was set; `std::logic_error` before there is a result, and the second
  /// time.
  void take();

 protected:
  virtual ~FutureCore();

 private:
  void complete();
  void call(Callback callback);

  Executor& executor_;
  std::atomic<std::uint32_t> references_{1};
  std::atomic<bool> claimed_{false};
  bool done_ = false;
  bool taken_ = false;
  bool broken_ = false;
  std::exception_ptr error_;
  Waiter* waiter_ = nullptr;
  std::vector<Callback> callbacks_;
};

/// The task that awaits.
class FutureCore::Waiter : public Suspension {
 public:
  explicit Waiter(FutureCore& core) noexcept : core_(core) {}
  Waiter(Waiter&& other) noexcept : Waiter(other.core_) {}
  bool await_ready() const noexcept { return core_.done_; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> handle) {
    return begin(handle.promise());
  }
  void cancel() noexcept override;
  const char* what() const noexcept override { return "future"; }

 protected:
  ~Waiter() = default;

 private:
  friend class FutureCore;
  bool begin(PromiseBase& promise);
  FutureCore& core_;
};

template <class T>
struct FutureState final : FutureCore {
  using FutureCore::FutureCore;
  using Stored = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

  T take_value() {
    take();
    if constexpr (!std::is_void_v<T>) return std::move(*value);
  }

  std::optional<Stored> value;
};

/// A counted reference to a core.
template <class State>
class FutureReference {
 public:
  FutureReference() noexcept = default;
  explicit FutureReference(State& state) noexcept : state_(&state) { state.retain(); }
  FutureReference(FutureReference&& other) noexcept
      : state_(std::exchange(other.state_, nullptr)) {}
  FutureReference& operator=(FutureReference&& other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~FutureReference() {
    if (state_ != nullptr) state_->release();
  }
  State* get() const noexcept { return state_; }

 private:
  State* state_ = nullptr;
};

[[noreturn]] void throw_future_error(const char* text);

}  // namespace detail

/// Awaits the result of a `Promise`.
///
/// Threads  The thread of the promise's loop only.
template <class T = void>
class Future {
  using State = detail::FutureState<T>;

 public:
  Future() noexcept = default;

  /// False for a default-constructed or moved-from future.
  explicit operator bool() const noexcept { return state_.get() != nullptr; }

  /// True when there is a result, or an error, and it has arrived on this thread.
  bool done() const noexcept { return state().done(); }

  class Wait;
  /// Waits for the result and takes it; `co_await future` is the same.
  /// Returns  The value, moved out: it can be taken once.
  /// Throws   What the promise was given. ClosedError: it was destroyed without a result.
  ///          std::logic_error: another task waits already, the result was taken before, or the
  ///          promise belongs to another loop.
  /// Cancel   At once. The promise and the future remain as they are: it may be awaited again.
  Wait get() noexcept { return Wait(state()); }
  Wait operator co_await() noexcept { return get(); }

  /// Takes the result of a future that is `done()`; see `get`.
  T result() { return state().take_value(); }

  /// Has `callback(future)` called in a turn of the loop after the result has come, also when it
  /// has come already. What it throws is logged. It may take the result.
  /// Tornado  `future_add_done_callback`.
  void add_done_callback(Function<void(Future)> callback) {
    state().add_callback([call = std::move(callback)](detail::FutureCore& core) mutable {
      call(Future(static_cast<State&>(core)));
    });
  }

 private:
  template <class>
  friend class Promise;
  explicit Future(State& state) noexcept : state_(state) {}
  State& state() const noexcept { return *state_.get(); }

  detail::FutureReference<State> state_;
};

template <class T>
class [[nodiscard("a future must be awaited")]] Future<T>::Wait final
    : public detail::FutureCore::Waiter {
 public:
  explicit Wait(State& state) noexcept : Waiter(state), state_(state) {}
  Wait(Wait&& other) noexcept : Wait(other.state_) {}
  T await_resume() {
    check();
    return state_.take_value();
  }

 private:
  State& state_;
};

/// Delivers one result to a `Future`.
///
/// A promise that is destroyed without a result delivers `ClosedError`.
///
/// Threads  Any, one at a time. On the loop's thread a result arrives at once, from another one in
///          the loop's next turn.
/// Lifetime The loop must outlive it.
template <class T = void>
class Promise {
  static_assert(!std::is_reference_v<T>, "Promise<T&>: use a pointer");
  using State = detail::FutureState<T>;

 public:
  /// For the loop that runs on this thread.   Throws  std::logic_error  There is none.
  Promise() : Promise(Executor::require_current()) {}
  explicit Promise(Executor& loop) : state_(new State(loop)) {}
  Promise(Promise&& other) noexcept
      : state_(std::exchange(other.state_, nullptr)), future_taken_(other.future_taken_) {}
  Promise& operator=(Promise&& other) noexcept {
    std::swap(state_, other.state_);
    std::swap(future_taken_, other.future_taken_);
    return *this;
  }
  ~Promise() {
    if (state_ == nullptr) return;
    state_->abandon();
    state_->release();
  }

  /// The other side. It may be taken once, before the promise goes to another thread.
  /// Throws  std::logic_error  The second time.
  Future<T> future() {
    if (std::exchange(future_taken_, true))
      detail::throw_future_error("the future of the promise was taken already");
    return Future<T>(*state_);
  }

  /// Delivers a value.
  /// Throws  std::logic_error  A result was set before.
  template <class... U>
    requires(std::is_void_v<T>
                 ? sizeof...(U) == 0
                 : sizeof...(U) == 1 && std::is_constructible_v<typename State::Stored, U && ...>)
  void set_value(U&&... value) {
    state_->claim();
    state_->value.emplace(std::forward<U>(value)...);
    state_->publish();
  }

  /// Delivers an error. One that nobody awaits is logged.
  /// Throws  std::logic_error  A result was set before.
  void set_exception(std::exception_ptr error) { state_->set_error(std::move(error)); }

 private:
  State* state_;
  bool future_taken_ = false;
};

}  // namespace coronado
