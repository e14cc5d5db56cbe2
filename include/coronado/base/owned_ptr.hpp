/// `OwnedPtr<T>`: the one owner of an object, for members of classes in headers.
///
///     class Server {
///      public:
///       ~Server();               // where `State` is complete
///      private:
///       struct State;
///       OwnedPtr<State> state_;  // = std::make_unique<State>()
///     };
///
/// A std::unique_ptr without deleters and arrays, for the sake of compile times: each type that one is
/// a member of costs every file that includes the header some ten milliseconds, and this one three.
///
/// Layer: base.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

namespace coronado {

/// The object is deleted with its owner, or when that gets another one.
template <class T>
class OwnedPtr {
 public:
  OwnedPtr() noexcept = default;
  OwnedPtr(std::nullptr_t) noexcept {}
  template <class U>
  OwnedPtr(std::unique_ptr<U> other) noexcept : object_(other.release()) {}
  OwnedPtr(OwnedPtr&& other) noexcept : object_(other.release()) {}
  OwnedPtr& operator=(OwnedPtr&& other) noexcept {
    reset(other.release());
    return *this;
  }
  ~OwnedPtr() { destroy(object_); }

  T* get() const noexcept { return object_; }
  T& operator*() const noexcept { return *object_; }
  T* operator->() const noexcept { return object_; }
  explicit operator bool() const noexcept { return object_ != nullptr; }
  friend bool operator==(const OwnedPtr& pointer, std::nullptr_t) noexcept {
    return pointer.object_ == nullptr;
  }

  /// Gives the object up, to whoever deletes it.
  T* release() noexcept {
    T* const object = object_;
    object_ = nullptr;
    return object;
  }
  /// Takes another object.
  void reset(T* object = nullptr) noexcept {
    T* const old = object_;
    object_ = object;
    destroy(old);
  }

 private:
  static void destroy(T* object) noexcept {
    static_assert(sizeof(T) > 0,
                  "the owner's destructor and moves stand where the type is complete");
    delete object;
  }

  T* object_ = nullptr;
};

}  // namespace coronado
