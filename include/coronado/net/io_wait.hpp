/// `IOWait`: what the awaiters of streams and datagram sockets have in common.
///
/// Nobody needs this name: it is the form of what `IOStream::read_some` and its kin return.
///
/// Layer: net.
#pragma once

#include <coronado/coro/context.hpp>

#include <exception>
#include <utility>

namespace coronado::detail {

/// An operation that is tried when it is awaited, and else waits until whoever it belongs to ends it.
class IOWait : public Suspension {
 public:
  bool await_ready() { return begin(); }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> handle) noexcept {
    return wait(handle.promise());
  }

  void cancel() noexcept final {
    leave();
    cancelled_ = true;
    wake();
  }

  /// The operation has ended, and its place is free. `failure`: why it did not succeed, or null.
  void complete(std::exception_ptr failure) noexcept {
    failure_ = std::move(failure);
    wake();
  }

 protected:
  IOWait() noexcept = default;
  IOWait(IOWait&&) noexcept : Suspension() {}  // before it is awaited
  ~IOWait() = default;

  /// Throws what ended the wait, if it was not success.
  void check_outcome() const {
    check();
    if (failure_) [[unlikely]]
      std::rethrow_exception(failure_);
  }

 private:
  /// Tries the operation.
  /// Returns  True when it is done.
  virtual bool begin() = 0;

  /// Takes the place in which it is found by whoever completes it, which may be at once.
  virtual void enter() noexcept = 0;

  /// Gives the place back: cancelled, perhaps before it was taken.
  virtual void leave() noexcept = 0;

  bool wait(PromiseBase& promise) noexcept {
    if (!park(promise)) {
      leave();
      return false;
    }
    enter();
    return true;
  }

  std::exception_ptr failure_;
};

}  // namespace coronado::detail
