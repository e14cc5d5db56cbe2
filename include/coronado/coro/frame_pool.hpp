/// Memory for coroutine frames and task contexts: a free list per size class and thread.
///
/// Frames come and go by the million in a few sizes, so a freed one is the best place for the next.
/// Sizes are rounded up to 16 bytes; above 1 KiB the ordinary heap serves. Memory goes back to the
/// pool, not to the system. Under sanitizers every block comes from the heap, so that they can see
/// it.
///
/// Threads  A block may be freed on another thread than the one it was taken on.
/// Layer: coro.
#pragma once

#include <cstddef>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
#define CORONADO_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CORONADO_SANITIZED 1
#endif
#ifndef CORONADO_SANITIZED
#define CORONADO_SANITIZED 0
#endif

namespace coronado::detail {

class FramePool {
 public:
  static constexpr std::size_t kGranule = 16;
  static constexpr std::size_t kLargest = 1024;

  /// Throws `std::bad_alloc`.
  static void* allocate(std::size_t size) {
#if !CORONADO_SANITIZED
    const std::size_t index = (size + kGranule - 1) / kGranule;
    if (index <= kLargest / kGranule) [[likely]] {
      if (Block* block = free_[index]) [[likely]] {
        free_[index] = block->next;
        return block;
      }
    }
#endif
    return allocate_slow(size);
  }

  static void deallocate(void* place, std::size_t size) noexcept {
#if !CORONADO_SANITIZED
    const std::size_t index = (size + kGranule - 1) / kGranule;
    if (index <= kLargest / kGranule) [[likely]] {
      auto* block = static_cast<Block*>(place);
      block->next = free_[index];
      free_[index] = block;
      return;
    }
#endif
    deallocate_slow(place, size);
  }

 private:
  friend struct FramePoolThread;
  struct Block {
    Block* next;
  };

  static void* allocate_slow(std::size_t size);
  static void deallocate_slow(void* place, std::size_t size) noexcept;

  static constinit thread_local Block* free_[kLargest / kGranule + 1];
};

/// Base for classes whose objects should live in the pool.
struct Pooled {
  static void* operator new(std::size_t size) { return FramePool::allocate(size); }
  static void operator delete(void* place, std::size_t size) noexcept {
    FramePool::deallocate(place, size);
  }
};

}  // namespace coronado::detail
