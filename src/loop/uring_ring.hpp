/// One io_uring with the buffers it receives into: what there is of the kernel's interface, and
/// nothing of transports.
///
///     UringCompletion   an answer of the kernel
///     UringRing         the two queues and the buffers
#pragma once

#include <coronado/base/clock.hpp>

#include <liburing.h>
#include <pthread.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace coronado {

struct UringCompletion {
  std::uint64_t data;
  std::int32_t result;
  std::uint32_t flags;
};

class UringRing {
 public:
  static constexpr std::uint16_t kBufferGroup = 0;

  /// Throws  std::system_error  The kernel or a sandbox refuses it, or it lacks what we need.
  UringRing();
  UringRing(const UringRing&) = delete;
  UringRing& operator=(const UringRing&) = delete;
  ~UringRing();

  /// An empty entry of the submission queue. A full queue is handed over first.
  io_uring_sqe& entry();

  /// Hands over the entries and waits until there is a completion, or until `until`; one system
  /// call, or none when there is nothing to do.
  /// Throws  std::system_error  Another thread made the first call, or the kernel refuses.
  void enter(TimePoint until);

  /// Appends all completions there are.
  void collect(std::vector<UringCompletion>& completions);

  /// What a completion with `IORING_CQE_F_BUFFER` brought; it is ours until it is recycled.
  std::span<char> buffer(std::uint32_t flags, std::size_t size) noexcept;
  void recycle(std::uint32_t flags) noexcept;

  /// This thread may call `enter`.
  bool is_mine() const noexcept { return !enabled_ || ::pthread_equal(owner_, ::pthread_self()); }

  /// The kernel may still write to the buffers although the ring will be gone: they stay.
  void abandon_buffers() noexcept;

 private:
  void set_up();
  void require_operations();
  void require_entry();
  void provide_buffers();
  void claim();
  int submit_and_wait(TimePoint until) noexcept;
  bool has_work() const noexcept;
  void add_buffer(unsigned id) noexcept;
  char* buffer_at(unsigned id) const noexcept;

  struct Unmap {
    std::size_t size = 0;
    void operator()(void* memory) const noexcept;
  };
  using Memory = std::unique_ptr<void, Unmap>;
  static Memory map(std::size_t size);

  Memory buffers_;
  Memory buffer_ring_memory_;
  io_uring_buf_ring* buffer_ring_ = nullptr;
  io_uring ring_{};
  pthread_t owner_{};
  bool enabled_ = false;
};

}  // namespace coronado
