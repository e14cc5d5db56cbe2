#include <coronado/coro/frame_pool.hpp>

#include <cstdlib>
#include <mutex>
#include <new>

namespace coronado::detail {

constinit thread_local FramePool::Block* FramePool::free_[kLargest / kGranule + 1] = {};

/// A thread's share: where fresh blocks are carved from. A thread that ends leaves its free blocks
/// to the threads that come after it.
struct FramePoolThread {
  using Block = FramePool::Block;
  static constexpr std::size_t kClasses = FramePool::kLargest / FramePool::kGranule + 1;
  static constexpr std::size_t kSlab = 64 * 1024;

  FramePoolThread() {
    std::lock_guard lock(orphans_mutex);
    for (std::size_t i = 0; i < kClasses; ++i) {
      FramePool::free_[i] = orphans[i];
      orphans[i] = nullptr;
    }
  }

  ~FramePoolThread() {
    std::lock_guard lock(orphans_mutex);
    for (std::size_t i = 0; i < kClasses; ++i) {
      while (Block* block = FramePool::free_[i]) {
        FramePool::free_[i] = block->next;
        block->next = orphans[i];
        orphans[i] = block;
      }
    }
  }

  void* carve(std::size_t size) {
    const std::size_t index = (size + FramePool::kGranule - 1) / FramePool::kGranule;
    if (Block* block = FramePool::free_[index]) {  // adopted by the constructor
      FramePool::free_[index] = block->next;
      return block;
    }
    const std::size_t rounded = index * FramePool::kGranule;
    if (left_ < rounded) {
      keep_remainder();
      next_ = static_cast<std::byte*>(::operator new(kSlab));
      left_ = kSlab;
    }
    void* place = next_;
    next_ += rounded;
    left_ -= rounded;
    return place;
  }

 private:
  void keep_remainder() noexcept {
    if (left_ < FramePool::kGranule) return;
    FramePool::deallocate(next_, left_ > FramePool::kLargest ? FramePool::kLargest : left_);
    left_ = 0;
  }

  static std::mutex orphans_mutex;
  static Block* orphans[kClasses];

  std::byte* next_ = nullptr;
  std::size_t left_ = 0;
};

constinit std::mutex FramePoolThread::orphans_mutex;
constinit FramePool::Block* FramePoolThread::orphans[kClasses] = {};

void* FramePool::allocate_slow(std::size_t size) {
#if CORONADO_SANITIZED
  return ::operator new(size);
#else
  if (size > kLargest) return ::operator new(size);
  static thread_local FramePoolThread thread;
  return thread.carve(size);
#endif
}

void FramePool::deallocate_slow(void* place, std::size_t size) noexcept {
  ::operator delete(place, size);
}

}  // namespace coronado::detail
