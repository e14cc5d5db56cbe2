/// `AsyncGenerator<T>`: a coroutine that awaits like a `Task` and yields one value after the other.
///
///     AsyncGenerator<std::string> lines(IOStream& stream) {
///       while (true) co_yield co_await stream.read_until("\n", 8192);
///     }
///
///     AsyncGenerator<std::string> input = lines(stream);
///     while (std::string* line = co_await input.next()) handle(*line);
///
/// It is a part of the task that asks for the next value: what it awaits is awaited by that task.
/// So the task's cancellation and deadlines reach inside, task-locals are the task's, and a dump
/// shows the generator's lines among those of the task. Between two values it stands still, at its
/// `co_yield`.
///
/// `Queue::next` is read in the same way; it yields `std::optional`, since its items are handed
/// over.
///
/// Threads  Of the task that asks.
/// Tornado  An asynchronous generator, `async for`.
/// Layer: coro.
#pragma once

#include <coronado/coro/task.hpp>

namespace coronado {

template <class T>
class AsyncGenerator;

namespace detail {

/// The part of a generator that does not depend on its values.
class GeneratorPromise : public AwaitingPromise {
 public:
  void return_void() noexcept { state_ = State::kValue; }

  /// True from its first step on.
  bool started() const noexcept { return context_ != nullptr; }
  bool ended() const noexcept { return state_ != State::kPending; }
  bool closing() const noexcept { return closing_; }

  /// Lets the generator run on behalf of `consumer`.
  /// Throws  std::logic_error  It runs already: another task waits for its next value.
  std::coroutine_handle<> resume_for(PromiseBase& consumer) {
    if (parent_ != nullptr && !ended()) throw_busy();
    return consumer.start(*this);
  }

  /// Hands the turn back to the consumer.
  std::coroutine_handle<> give_back() noexcept {
    return transfer(*std::exchange(parent_, nullptr));
  }

  void set_closing() noexcept { closing_ = true; }

 protected:
  GeneratorPromise() noexcept = default;
  ~GeneratorPromise() = default;

 private:
  [[noreturn]] static void throw_busy();

  bool closing_ = false;
};

/// The end of a generator before its time.
class [[nodiscard("close() must be awaited")]] GeneratorClose {
 public:
  explicit GeneratorClose(GeneratorPromise* promise) noexcept : promise_(promise) {}
  bool await_ready() const noexcept {
    return promise_ == nullptr || promise_->ended() || !promise_->started();
  }
  template <class P>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<P> handle) {
    const std::coroutine_handle<> next = promise_->resume_for(handle.promise());
    promise_->set_closing();
    return next;
  }
  void await_resume() const;

 private:
  GeneratorPromise* promise_;
};

}  // namespace detail

/// Yields values of type `T`, by `co_yield`, between the awaits of a coroutine.
///
/// Nothing of it runs before the first `next()`. It ends when its body returns or throws; then its
/// locals are gone. An `AsyncGenerator` that is destroyed earlier, while it stands at a `co_yield`,
/// unwinds its locals there and then: destructors run, but nothing can be awaited any more. Where
/// the end itself has to await something (a group to join, a goodbye to send) call `close()`.
///
/// Params   T  What is yielded: an object, or a reference to one that lives elsewhere. A value that
///             is yielded as an rvalue is not copied: the consumer gets a pointer to it in the
///             generator's frame. An lvalue is copied, unless `T` is a reference.
/// Lifetime Not longer than what the coroutine's reference parameters refer to.
template <class T>
class [[nodiscard("a generator does nothing until next() is awaited")]] AsyncGenerator {
 public:
  class promise_type;
  using value_type = std::remove_cvref_t<T>;

  AsyncGenerator() noexcept = default;
  AsyncGenerator(AsyncGenerator&& other) noexcept
      : promise_(std::exchange(other.promise_, nullptr)) {}
  AsyncGenerator& operator=(AsyncGenerator&& other) noexcept {
    if (this != &other) {
      reset();
      promise_ = std::exchange(other.promise_, nullptr);
    }
    return *this;
  }
  ~AsyncGenerator() { reset(); }

  /// True when no value will come any more.
  bool done() const noexcept { return promise_ == nullptr || promise_->ended(); }

  class Next;
  /// Runs the generator up to its next `co_yield`.
  ///
  /// Returns  A pointer to the value, which is the caller's to change or to move from, valid until
  ///          the next call or the generator's end; null when the generator has ended.
  /// Throws   What the generator throws; it has ended then, and the following calls return null.
  ///          std::logic_error  Another task is waiting for its next value.
  /// Cancel   `Cancelled` is thrown where the generator waits; it has ended then. A generator that
  ///          yields without ever waiting is not interrupted, as no coroutine is.
  /// Cost     That of awaiting a `Task`, without its frame: no allocation.
  Next next() noexcept { return Next(promise_); }

  /// Ends the generator early: throws `Cancelled` at the `co_yield` where it stands, and waits until
  /// it has ended, so that it may await something on its way out. If it tries to yield again it gets
  /// `Cancelled` again. Nothing happens when it has ended or has not begun; its next value is null.
  /// Throws   What the generator throws instead. std::logic_error: another task waits for a value.
  /// Cancel   `Cancelled` is thrown where the generator waits; completes when it has ended.
  /// Tornado  `agen.aclose()`.
  detail::GeneratorClose close() noexcept {
    if (promise_ != nullptr && !promise_->started()) reset();
    return detail::GeneratorClose(promise_);
  }

 private:
  explicit AsyncGenerator(promise_type& promise) noexcept : promise_(&promise) {}

  void reset() noexcept {
    if (promise_ != nullptr) std::exchange(promise_, nullptr)->handle().destroy();
  }

  promise_type* promise_ = nullptr;
};

template <class T>
class AsyncGenerator<T>::promise_type final : public detail::GeneratorPromise {
  static_assert(!std::is_void_v<T> && !std::is_rvalue_reference_v<T>,
                "AsyncGenerator<T> yields objects or lvalue references");
  using Item = std::remove_reference_t<T>;

 public:
  /// Stands at a `co_yield` until the consumer asks for more.
  class Yield {
   public:
    Yield(promise_type& promise, Item* item) noexcept : promise_(promise), item_(item) {}
    bool await_ready() const noexcept { return promise_.closing(); }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<>) noexcept {
      promise_.item_ = item_;
      return promise_.give_back();
    }
    void await_resume() const {
      if (promise_.closing()) throw Cancelled{};
    }

   protected:
    promise_type& promise_;
    Item* item_;
  };

  /// The same with a value of its own.
  class YieldCopy final : public Yield {
   public:
    YieldCopy(promise_type& promise, const Item& item) : Yield(promise, nullptr), copy_(item) {}
    std::coroutine_handle<> await_suspend(std::coroutine_handle<> handle) noexcept {
      this->item_ = &copy_;
      return Yield::await_suspend(handle);
    }

   private:
    Item copy_;
  };

  AsyncGenerator get_return_object() noexcept { return AsyncGenerator(*this); }

  Yield yield_value(T& item) noexcept
    requires std::is_reference_v<T>
  {
    return Yield(*this, std::addressof(item));
  }
  Yield yield_value(Item&& item) noexcept
    requires(!std::is_reference_v<T>)
  {
    return Yield(*this, std::addressof(item));
  }
  YieldCopy yield_value(const Item& item)
    requires(!std::is_reference_v<T> && std::is_copy_constructible_v<Item>)
  {
    return YieldCopy(*this, item);
  }

  /// What the step that has just ended came to: a value, null at the end, or an exception.
  Item* take() const {
    if (!ended()) return item_;
    rethrow();
    return nullptr;
  }

 private:
  Item* item_ = nullptr;
};

template <class T>
class [[nodiscard("next() must be awaited")]] AsyncGenerator<T>::Next {
 public:
  explicit Next(promise_type* promise) noexcept : promise_(promise) {
    if (promise_ != nullptr && promise_->ended()) promise_ = nullptr;
  }
  bool await_ready() const noexcept { return promise_ == nullptr; }
  template <class P>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<P> handle) {
    return promise_->resume_for(handle.promise());
  }
  std::remove_reference_t<T>* await_resume() const {
    return promise_ == nullptr ? nullptr : promise_->take();
  }

 private:
  promise_type* promise_;
};

}  // namespace coronado
