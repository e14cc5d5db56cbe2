/// `Function<R(Args...)>`: a move-only callable with inline storage.
///
/// Small callables (four pointers) are stored in place, larger ones on the heap. A stand-in for
/// `std::move_only_function` that does not need `<functional>`.
///
/// Layer: base.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace coronado {

template <class Signature>
class Function;

template <class R, class... Args>
class Function<R(Args...)> {
  static constexpr std::size_t kInline = 4 * sizeof(void*);

 public:
  Function() noexcept = default;
  Function(std::nullptr_t) noexcept {}

  template <class F>
    requires(!std::is_same_v<std::decay_t<F>, Function> &&
             std::is_invocable_r_v<R, std::decay_t<F>&, Args...>)
  Function(F&& callable) {
    using Stored = std::decay_t<F>;
    if constexpr (fits<Stored>()) {
      ::new (storage_) Stored(std::forward<F>(callable));
      invoke_ = [](void* place, Args... args) -> R {
        return static_cast<R>((*static_cast<Stored*>(place))(std::forward<Args>(args)...));
      };
      manage_ = [](void* from, void* to) noexcept {
        auto* stored = static_cast<Stored*>(from);
        if (to != nullptr) ::new (to) Stored(std::move(*stored));
        stored->~Stored();
      };
    } else {
      ::new (storage_) Stored*(new Stored(std::forward<F>(callable)));
      invoke_ = [](void* place, Args... args) -> R {
        return static_cast<R>((**static_cast<Stored**>(place))(std::forward<Args>(args)...));
      };
      manage_ = [](void* from, void* to) noexcept {
        auto* pointer = static_cast<Stored**>(from);
        if (to != nullptr) {
          ::new (to) Stored*(*pointer);
        } else {
          delete *pointer;
        }
      };
    }
  }

  Function(Function&& other) noexcept { take(other); }
  Function& operator=(Function&& other) noexcept {
    if (this != &other) {
      reset();
      take(other);
    }
    return *this;
  }
  ~Function() { reset(); }

  explicit operator bool() const noexcept { return invoke_ != nullptr; }

  /// Calls the stored callable. It must not be empty.
  R operator()(Args... args) { return invoke_(storage_, std::forward<Args>(args)...); }

 private:
  template <class F>
  static constexpr bool fits() {
    return sizeof(F) <= kInline && alignof(F) <= alignof(std::max_align_t) &&
           std::is_nothrow_move_constructible_v<F>;
  }

  void reset() noexcept {
    if (manage_ != nullptr) manage_(storage_, nullptr);
    invoke_ = nullptr;
    manage_ = nullptr;
  }

  void take(Function& other) noexcept {
    if (other.manage_ == nullptr) return;
    other.manage_(other.storage_, storage_);
    invoke_ = std::exchange(other.invoke_, nullptr);
    manage_ = std::exchange(other.manage_, nullptr);
  }

  alignas(std::max_align_t) std::byte storage_[kInline];
  R (*invoke_)(void*, Args...) = nullptr;
  void (*manage_)(void*, void*) noexcept = nullptr;
};

}  // namespace coronado
