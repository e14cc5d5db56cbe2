#include "loop/uring_reactor.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "loop/connecting_socket.hpp"
#include "loop/sockaddr.hpp"
#include "loop/uring_acceptor.hpp"
#include "loop/uring_transport.hpp"

namespace coronado {
namespace {

constexpr std::size_t kSpareOutputs = 256;
constexpr std::size_t kSpareOutputSize = 64 * 1024;

// The source and the operation in one number: sources are aligned, so that three bits are free.
// Zero is nobody.
constexpr std::uint64_t kOperationBits = 7;
constexpr unsigned kSent = 0;
static_assert(alignof(UringSource) > kOperationBits);

std::uint64_t name_of(const UringSource& source, unsigned operation) noexcept {
  return reinterpret_cast<std::uintptr_t>(&source) | operation;
}
UringSource* source_of(const UringCompletion& completion) noexcept {
  return reinterpret_cast<UringSource*>(completion.data & ~kOperationBits);
}
unsigned operation_of(const UringCompletion& completion) noexcept {
  return static_cast<unsigned>(completion.data & kOperationBits);
}

}  // namespace

// --- sources -------------------------------------------------------------------------------------

UringSource::UringSource(UringReactor& reactor) noexcept : reactor_(reactor), next_(reactor.all_) {
  if (next_ != nullptr) next_->previous_ = this;
  reactor.all_ = this;
}

UringSource::~UringSource() {
  (previous_ != nullptr ? previous_->next_ : reactor_.all_) = next_;
  if (next_ != nullptr) next_->previous_ = previous_;
}

/// Hears `wake`. The count of the eventfd is never read: each write is an event, and 2^64 of them
/// do not come.
class UringReactor::WakeSource final : public UringSource {
 public:
  WakeSource(UringReactor& reactor, int fd) noexcept : UringSource(reactor), fd_(fd) {}

  void prepare() override {
    if (std::exchange(armed_, true)) return;
    io_uring_sqe& entry = reactor_.entry();
    io_uring_prep_poll_multishot(&entry, fd_, POLLIN);
    reactor_.expect(entry, *this, 1);
  }
  void complete(unsigned, int, std::uint32_t flags) noexcept override {
    if ((flags & IORING_CQE_F_MORE) != 0) return;
    armed_ = false;
    reactor_.mark(*this);
  }

 private:
  int fd_;
  bool armed_ = false;
};

/// Watches the nested reactor and gives it its turn. Asked again after each turn, a descriptor that
/// is still ready is reported again.
class UringReactor::NestedSource final : public UringSource {
 public:
  explicit NestedSource(UringReactor& reactor) noexcept : UringSource(reactor) {}

  void prepare() override {
    if (std::exchange(armed_, true)) return;
    io_uring_sqe& entry = reactor_.entry();
    io_uring_prep_poll_add(&entry, reactor_.nested_->descriptor(), POLLIN);
    reactor_.expect(entry, *this, 1);
  }
  void complete(unsigned, int result, std::uint32_t) noexcept override {
    armed_ = false;
    reactor_.mark(*this);
    if (result > 0) reactor_.nested_->wait(TimePoint::min());
  }

 private:
  bool armed_ = false;
};

// --- life ----------------------------------------------------------------------------------------

UringReactor::UringReactor() : wake_fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (wake_fd_ < 0) throw std::system_error(errno, std::system_category(), "eventfd");
  spare_outputs_.reserve(kSpareOutputs);
  auto* const source = new WakeSource(*this, wake_fd_);
  mark(*source);
  source->release();  // from now on the operation holds it
}

UringReactor::~UringReactor() {
  if (ring_.is_mine()) {
    try {
      drain();
    } catch (const std::exception&) {
      ring_.abandon_buffers();
    }
  } else if (all_ != nullptr && all_->next_ != nullptr) {
    // The thread that it ran on has ended, and its operations with it, but nobody heard of that.
    ring_.abandon_buffers();
  }
  while (all_ != nullptr) delete all_;
  ::close(wake_fd_);
}

/// Ends everything and waits until the kernel has let go of it.
void UringReactor::drain() {
  prepare_marked();
  io_uring_sqe& entry = ring_.entry();
  io_uring_prep_cancel64(&entry, 0, IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_ALL);
  io_uring_sqe_set_data64(&entry, 0);
  while (in_flight_ > 0) {
    ring_.enter(TimePoint::max());
    collect();
    dispatch();
  }
}

// --- a turn --------------------------------------------------------------------------------------

bool UringReactor::wait(TimePoint until) {
  const bool busy =
      !again_.empty() || next_ < completions_.size() || (nested_ && nested_->has_backlog());
  prepare_marked();
  probe_->idle.store(true, std::memory_order_relaxed);
  ring_.enter(busy ? TimePoint::min() : until);
  probe_->idle.store(false, std::memory_order_relaxed);
  wake_time_ = now();
  collect();
  run_again();
  dispatch();
  if (nested_ && nested_->has_backlog()) nested_->wait(TimePoint::min());
  return true;
}

void UringReactor::prepare_marked() {
  marked_now_.swap(marked_);
  for (UringSource* const source : marked_now_) {
    source->marked_ = false;
    source->prepare();
    source->release();
  }
  marked_now_.clear();
}

/// Takes over the completions, and settles what was sent before any handler runs: none meets a
/// transport whose output is half accounted for.
void UringReactor::collect() {
  const std::size_t before = completions_.size();
  ring_.collect(completions_);
  if (sending_.empty()) return;
  for (std::size_t i = before; i < completions_.size(); ++i) {
    const UringCompletion& completion = completions_[i];
    if (completion.data != 0 && operation_of(completion) == kSent) {
      source_of(completion)->sent_less(completion.result);
    }
  }
  for (UringSource* const source : sending_) {
    source->settle();
    source->release();
  }
  sending_.clear();
}

/// A handler may run a turn of its own: it continues with what is left here.
void UringReactor::dispatch() noexcept {
  while (next_ < completions_.size()) {
    const UringCompletion completion = completions_[next_++];
    if (operation_of(completion) == kSent) continue;
    UringSource* const source = source_of(completion);
    const bool last = (completion.flags & IORING_CQE_F_MORE) == 0;
    if (last) --in_flight_;
    source->complete(operation_of(completion), completion.result, completion.flags);
    if (last) source->release();
  }
  completions_.clear();
  next_ = 0;
}

/// Those that are added meanwhile have their turn when the system has been looked at.
void UringReactor::run_again() noexcept {
  std::vector<UringSource*> batch = std::move(again_now_);
  batch.swap(again_);
  for (UringSource* const source : batch) {
    source->go_on();
    source->release();
  }
  batch.clear();
  again_now_ = std::move(batch);
}

void UringReactor::wake() noexcept {
  const std::uint64_t one = 1;
  [[maybe_unused]] ssize_t n = ::write(wake_fd_, &one, sizeof one);
}

// --- for the sources -----------------------------------------------------------------------------

void UringReactor::expect(io_uring_sqe& entry, UringSource& source, unsigned operation) noexcept {
  io_uring_sqe_set_data64(&entry, name_of(source, operation));
  source.hold();
  ++in_flight_;
}

void UringReactor::expect_sent(io_uring_sqe& entry, UringSource& source) {
  io_uring_sqe_set_data64(&entry, name_of(source, kSent));
  entry.flags |= IOSQE_CQE_SKIP_SUCCESS;
  source.hold();
  sending_.push_back(&source);
}

void UringReactor::expect_success(io_uring_sqe& entry) noexcept {
  io_uring_sqe_set_data64(&entry, 0);
  entry.flags |= IOSQE_CQE_SKIP_SUCCESS;
}

void UringReactor::cancel(UringSource& source, unsigned operation, unsigned answer) {
  io_uring_sqe& entry = ring_.entry();
  io_uring_prep_cancel64(&entry, name_of(source, operation), 0);
  expect(entry, source, answer);
}

void UringReactor::prepare_now(UringSource& source) noexcept {
  try {
    if (!ring_.is_mine()) return;
    source.prepare();
    ring_.enter(TimePoint::min());
  } catch (const std::exception&) {
    // The next turn meets the same obstacle, where somebody can be told.
  }
}

std::unique_ptr<UringReactor::Output> UringReactor::take_output() {
  if (spare_outputs_.empty()) return std::make_unique<Output>();
  std::unique_ptr<Output> output = std::move(spare_outputs_.back());
  spare_outputs_.pop_back();
  return output;
}

void UringReactor::give_back(std::unique_ptr<Output> output) noexcept {
  if (spare_outputs_.size() >= kSpareOutputs || output->bytes.capacity() > kSpareOutputSize) return;
  output->bytes.clear();
  output->sent = 0;
  spare_outputs_.push_back(std::move(output));
}

// --- what loops and servers ask for --------------------------------------------------------------

NestableReactor& UringReactor::nested() {
  if (!nested_) {
    nested_ = make_epoll_reactor();
    nested_->set_probe(*probe_);
    auto* const source = new NestedSource(*this);
    mark(*source);
    source->release();
  }
  return *nested_;
}

std::unique_ptr<Transport> UringReactor::adopt(int fd) {
  struct stat status{};
  if (::fstat(fd, &status) == 0 && !S_ISSOCK(status.st_mode)) return nested().adopt(fd);
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  ::getpeername(fd, reinterpret_cast<sockaddr*>(&address), &length);
  return make_uring_transport(*this, fd, from_sockaddr(address, length));
}

std::unique_ptr<Connecting> UringReactor::connect(const SocketAddress& to,
                                                  const ConnectOptions& options,
                                                  ConnectHandler& handler) {
  return make_uring_connecting(*this, open_connecting_socket(to, options), to, handler);
}

std::unique_ptr<Acceptor> UringReactor::accept_from(int socket, AcceptHandler& handler) {
  return make_uring_acceptor(*this, socket, handler);
}

void UringReactor::add_poll(int fd, PollHandler& handler, unsigned events) {
  nested().add_poll(fd, handler, events);
}
void UringReactor::modify_poll(int fd, unsigned events) { nested().modify_poll(fd, events); }
void UringReactor::remove_poll(int fd) noexcept {
  if (nested_) nested_->remove_poll(fd);
}

std::unique_ptr<Reactor> make_uring_reactor() { return std::make_unique<UringReactor>(); }

}  // namespace coronado
