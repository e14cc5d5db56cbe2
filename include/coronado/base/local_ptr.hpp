/// `LocalPtr<T>`: shared ownership within one thread.
///
///     struct Cache : LocallyShared { ... };
///     LocalPtr<Cache> cache = make_local<Cache>(...);
///
/// A stand-in for `std::shared_ptr` where an object is passed on with every request: it counts
/// without atomic operations, which take longer than all else about it.
///
/// Threads  All that share an object live on one thread.
/// Layer: base.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

namespace coronado {

template <class T>
class LocalPtr;

/// The count; derive from it to become an object that is shared.
class LocallyShared {
 public:
  LocallyShared() noexcept = default;
  LocallyShared(const LocallyShared&) = delete;
  LocallyShared& operator=(const LocallyShared&) = delete;

 private:
  template <class>
  friend class LocalPtr;
  std::uint32_t owners_ = 0;
};

/// One of the owners of a `T`, or none's; the last one that goes takes the object with it.
template <class T>
class LocalPtr {
 public:
  LocalPtr() noexcept = default;
  LocalPtr(std::nullptr_t) noexcept {}
  /// Takes part in owning `object`, which was made with `new`.
  explicit LocalPtr(T* object) noexcept : object_(object) {
    if (object_ != nullptr) ++object_->owners_;
  }
  LocalPtr(const LocalPtr& other) noexcept : LocalPtr(other.object_) {}
  LocalPtr(LocalPtr&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  LocalPtr& operator=(LocalPtr other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~LocalPtr() {
    if (object_ != nullptr && --object_->owners_ == 0) delete object_;
  }

  T* get() const noexcept { return object_; }
  T& operator*() const noexcept { return *object_; }
  T* operator->() const noexcept { return object_; }
  explicit operator bool() const noexcept { return object_ != nullptr; }
  bool operator==(const LocalPtr&) const noexcept = default;
  bool operator==(std::nullptr_t) const noexcept { return object_ == nullptr; }

 private:
  T* object_ = nullptr;
};

template <class T, class... Args>
LocalPtr<T> make_local(Args&&... args) {
  return LocalPtr<T>(new T(std::forward<Args>(args)...));
}

}  // namespace coronado
