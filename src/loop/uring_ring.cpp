#include "loop/uring_ring.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <system_error>

namespace coronado {
namespace {

constexpr unsigned kSubmissions = 512;
constexpr unsigned kCompletions = 8192;
constexpr unsigned kBuffers = 128;  // a power of two
constexpr std::size_t kBufferSize = 16 * 1024;
// Small messages use the first lines of every buffer. At distances of a power of two these would
// share a few sets of the processor's caches and push each other out.
constexpr std::size_t kBufferDistance = kBufferSize + 320;

constexpr unsigned kBasicFlags = IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP |
                                 IORING_SETUP_SUBMIT_ALL | IORING_SETUP_R_DISABLED |
                                 IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SINGLE_ISSUER;
// The best first: completions are worked off in `enter` only (Linux 6.1); at the next system call
// of the thread (6.0).
constexpr std::array kFlags = {kBasicFlags | IORING_SETUP_DEFER_TASKRUN,
                               kBasicFlags | IORING_SETUP_COOP_TASKRUN};

[[noreturn]] void fail(int error, const std::string& attempt) {
  throw std::system_error(error, std::system_category(), attempt);
}

/// A signal came, the time is over, or the kernel is short of memory for the moment.
bool is_passing(int result) noexcept {
  return result == -EINTR || result == -ETIME || result == -EAGAIN || result == -EBUSY;
}

}  // namespace

// --- setting up ----------------------------------------------------------------------------------

UringRing::UringRing()
    : buffers_(map(kBuffers * kBufferDistance)),
      buffer_ring_memory_(map(kBuffers * sizeof(io_uring_buf))),
      buffer_ring_(static_cast<io_uring_buf_ring*>(buffer_ring_memory_.get())) {
  set_up();
  try {
    require_operations();
    require_entry();
    provide_buffers();
  } catch (...) {
    io_uring_queue_exit(&ring_);
    throw;
  }
}

UringRing::~UringRing() { io_uring_queue_exit(&ring_); }

void UringRing::set_up() {
  int result = 0;
  for (const unsigned flags : kFlags) {
    io_uring_params params{};
    params.flags = flags;
    params.cq_entries = kCompletions;
    result = io_uring_queue_init_params(kSubmissions, &ring_, &params);
    if (result != -EINVAL) break;
  }
  if (result < 0) fail(-result, "the kernel makes no io_uring");
}

void UringRing::require_operations() {
  constexpr unsigned kFeatures =
      IORING_FEAT_NODROP | IORING_FEAT_FAST_POLL | IORING_FEAT_EXT_ARG | IORING_FEAT_CQE_SKIP;
  if ((ring_.features & kFeatures) != kFeatures) fail(ENOTSUP, "the io_uring of this kernel");
  const std::unique_ptr<io_uring_probe, decltype(&io_uring_free_probe)> probe(
      io_uring_get_probe_ring(&ring_), &io_uring_free_probe);
  if (!probe) fail(ENOTSUP, "io_uring does not say what it can do");
  // Multishot receive cannot be asked for; it came with Linux 6.0, as did SEND_ZC.
  for (const int operation :
       {IORING_OP_ACCEPT, IORING_OP_RECV, IORING_OP_SEND, IORING_OP_POLL_ADD, IORING_OP_TIMEOUT,
        IORING_OP_ASYNC_CANCEL, IORING_OP_CLOSE, IORING_OP_SEND_ZC}) {
    if (io_uring_opcode_supported(probe.get(), operation) == 0) {
      fail(ENOTSUP, "operation " + std::to_string(operation) + " of io_uring");
    }
  }
}

/// A sandbox may refuse the call that all depends on, and that the loop makes too late to turn back.
/// A ring that is not enabled yet answers it with EBADFD.
void UringRing::require_entry() {
  const int result = io_uring_enter(static_cast<unsigned>(ring_.ring_fd), 0, 0, 0, nullptr);
  if (result < 0 && result != -EBADFD) fail(-result, "io_uring_enter");
}

void UringRing::provide_buffers() {
  io_uring_buf_reg registration{};
  registration.ring_addr = reinterpret_cast<std::uintptr_t>(buffer_ring_);
  registration.ring_entries = kBuffers;
  registration.bgid = kBufferGroup;
  const int result = io_uring_register_buf_ring(&ring_, &registration, 0);
  if (result < 0) fail(-result, "io_uring takes no ring of buffers");
  io_uring_buf_ring_init(buffer_ring_);
  for (unsigned id = 0; id < kBuffers; ++id) add_buffer(id);
}

/// The first thread that enters the ring is the only one that may from then on.
void UringRing::claim() {
  if (!is_mine()) fail(EPERM, "a loop on io_uring was moved to another thread");
  if (enabled_) return;
  // liburing 2.3 does not export its own function for this.
  const int result = io_uring_register(static_cast<unsigned>(ring_.ring_fd),
                                       IORING_REGISTER_ENABLE_RINGS, nullptr, 0);
  if (result < 0) fail(-result, "io_uring cannot be enabled");
  owner_ = ::pthread_self();
  enabled_ = true;
  io_uring_register_ring_fd(&ring_);  // saves a look-up in each call; not needed
}

// --- buffers -------------------------------------------------------------------------------------

void UringRing::Unmap::operator()(void* memory) const noexcept { ::munmap(memory, size); }

UringRing::Memory UringRing::map(std::size_t size) {
  void* const memory =
      ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) fail(errno, "memory for io_uring");
  return Memory(memory, Unmap{size});
}

char* UringRing::buffer_at(unsigned id) const noexcept {
  return static_cast<char*>(buffers_.get()) + id * kBufferDistance;
}

void UringRing::add_buffer(unsigned id) noexcept {
  io_uring_buf_ring_add(buffer_ring_, buffer_at(id), kBufferSize, static_cast<std::uint16_t>(id),
                        io_uring_buf_ring_mask(kBuffers), 0);
  io_uring_buf_ring_advance(buffer_ring_, 1);
}

std::span<char> UringRing::buffer(std::uint32_t flags, std::size_t size) noexcept {
  return {buffer_at(flags >> IORING_CQE_BUFFER_SHIFT), size};
}

void UringRing::recycle(std::uint32_t flags) noexcept {
  add_buffer(flags >> IORING_CQE_BUFFER_SHIFT);
}

void UringRing::abandon_buffers() noexcept {
  buffers_.release();
  buffer_ring_memory_.release();
}

// --- running -------------------------------------------------------------------------------------

io_uring_sqe& UringRing::entry() {
  while (true) {
    if (io_uring_sqe* free = io_uring_get_sqe(&ring_)) return *free;
    claim();
    const int result = io_uring_submit(&ring_);
    if (result < 0 && !is_passing(result)) fail(-result, "io_uring_enter");
  }
}

bool UringRing::has_work() const noexcept {
  return (IO_URING_READ_ONCE(*ring_.sq.kflags) & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) != 0;
}

void UringRing::enter(TimePoint until) {
  claim();
  int result = submit_and_wait(until);
  while (io_uring_sq_ready(&ring_) != 0 && (result >= 0 || is_passing(result))) {
    result = io_uring_submit(&ring_);
  }
  if (result < 0 && !is_passing(result)) fail(-result, "io_uring_enter");
}

int UringRing::submit_and_wait(TimePoint until) noexcept {
  std::int64_t left = -1;  // nanoseconds; negative: without end
  if (until == TimePoint::min() || io_uring_cq_ready(&ring_) != 0) {
    left = 0;
  } else if (until != TimePoint::max()) {
    left = std::max<std::int64_t>(0, (until - Clock::now()).count());
  }
  if (left < 0) return io_uring_submit_and_wait(&ring_, 1);
  if (left > 0) {
    __kernel_timespec timeout{left / 1'000'000'000, left % 1'000'000'000};
    io_uring_cqe* first = nullptr;
    return io_uring_submit_and_wait_timeout(&ring_, &first, 1, &timeout, nullptr);
  }
  if (io_uring_sq_ready(&ring_) == 0 && !has_work()) return 0;
  return io_uring_submit_and_get_events(&ring_);
}

void UringRing::collect(std::vector<UringCompletion>& completions) {
  while (true) {
    unsigned head = 0;
    unsigned count = 0;
    io_uring_cqe* completion = nullptr;
    io_uring_for_each_cqe(&ring_, head, completion) {
      completions.push_back({completion->user_data, completion->res, completion->flags});
      ++count;
    }
    io_uring_cq_advance(&ring_, count);
    if (!io_uring_cq_has_overflow(&ring_)) return;
    io_uring_get_events(&ring_);  // the kernel kept what the queue did not hold
  }
}

}  // namespace coronado
