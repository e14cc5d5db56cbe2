// The epoll backend. Each socket is registered once, edge-triggered for reading, writing and
// hang-up, and never touched by epoll_ctl again; a short read means drained, so no read is spent on
// an EAGAIN; writes are attempted at once; one receive buffer serves every connection of the loop.
#include <coronado/loop/reactor.hpp>

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "loop/connecting_socket.hpp"
#include "loop/kernel_tls.hpp"
#include "loop/nodelay.hpp"
#include "loop/reactor_factories.hpp"
#include "loop/sendfile.hpp"
#include "loop/sockaddr.hpp"
#include "loop/system_calls.hpp"

namespace coronado {
namespace {

/// Small enough to stay in the caches of a core while it is filled, read and filled again.
constexpr std::size_t kReceiveBuffer = 64 * 1024;
/// With so much in it the buffer is given away, rather than copied.
constexpr std::size_t kWorthTaking = kReceiveBuffer / 4;
constexpr int kReadsPerEvent = 8;  // then the others have their turn
constexpr int kReadsAtOncePerTurn = 16;
constexpr int kAcceptsPerEvent = 128;
constexpr int kEventsPerWait = 512;

std::error_code error_of(int code) noexcept { return {code, std::system_category()}; }
std::error_code last_error() noexcept { return error_of(errno); }

/// epoll_pwait2, by the reasons of system_calls.hpp.
int wait_for_epoll(int epoll, std::span<epoll_event> events, const timespec& timeout) noexcept {
  const int most = static_cast<int>(events.size());
#if CORONADO_SANITIZED
  return ::epoll_pwait2(epoll, events.data(), most, &timeout, nullptr);
#else
  return static_cast<int>(
      ::syscall(SYS_epoll_pwait2, epoll, events.data(), most, &timeout, nullptr, 0));
#endif
}

std::string new_buffer() {
  std::string buffer;
  buffer.resize_and_overwrite(kReceiveBuffer, [](char*, std::size_t size) { return size; });
  return buffer;
}

class EpollReactor;

/// What is registered with epoll under a descriptor.
class Source {
 public:
  virtual void on_events(std::uint32_t events) noexcept = 0;

 protected:
  ~Source() = default;
};

/// Identifies one registration, also after the descriptor has been reused.
struct SourceKey {
  int fd;
  std::uint32_t generation;
};

class EpollReactor final : public NestableReactor {
 public:
  EpollReactor();
  ~EpollReactor() override;

  const char* name() const noexcept override { return "epoll"; }
  TimePoint now() const noexcept override { return Clock::now(); }
  bool wait(TimePoint until) override;
  void wake() noexcept override;
  std::unique_ptr<Transport> adopt(int fd) override;
  std::unique_ptr<Connecting> connect(const SocketAddress& to, const ConnectOptions& options,
                                      ConnectHandler& handler) override;
  std::unique_ptr<Acceptor> accept_from(int socket, AcceptHandler& handler) override;
  void add_poll(int fd, PollHandler& handler, unsigned events) override;
  void modify_poll(int fd, unsigned events) override;
  void remove_poll(int fd) noexcept override;
  int descriptor() const noexcept override { return epoll_; }
  bool has_backlog() const noexcept override { return !again_.empty(); }

  SourceKey add(int fd, Source& source, std::uint32_t events);
  /// For a descriptor that is closed next, which takes it out of epoll.
  void remove(int fd) noexcept;
  /// For a descriptor that stays open.
  void unwatch(int fd) noexcept;
  bool alive(SourceKey key) const noexcept {
    const Entry& entry = sources_[static_cast<std::size_t>(key.fd)];
    return entry.source != nullptr && entry.generation == key.generation;
  }
  /// Has `on_events(0)` called in the next turn, for what is left of an edge that has been consumed.
  void again(SourceKey key) { again_.push_back(key); }
  /// True if a transport may read from outside of `on_events`: nobody reads what is in the receive
  /// buffer now, and the others of the loop have not waited long.
  bool may_read_at_once() noexcept {
    return !delivering_ && reads_at_once_++ < kReadsAtOncePerTurn;
  }
  /// Hands what was put into the receive buffer to a handler.
  void hand_over(std::size_t size, TransportHandler& handler) noexcept {
    received_ = size;
    delivering_ = true;
    handler.on_receive(receive_buffer().first(size));
    delivering_ = false;
  }
  std::span<char> receive_buffer() noexcept { return buffer_; }
  std::string take_received(std::string_view bytes);

 private:
  struct Entry {
    Source* source = nullptr;
    std::uint32_t generation = 0;
  };

  void deliver(SourceKey key, std::uint32_t events) noexcept;
  int wait_for_events(std::span<epoll_event> events, TimePoint until) noexcept;

  int epoll_;
  int wake_fd_;
  bool precise_ = true;  // epoll_pwait2 is there
  std::string buffer_ = new_buffer();
  std::size_t received_ = 0;  // how much of it was filled last
  bool delivering_ = false;   // a handler looks at it
  int reads_at_once_ = 0;     // in this turn
  std::vector<Entry> sources_;
  std::vector<SourceKey> again_;
  std::vector<SourceKey> again_now_;
};

// --- Transport -----------------------------------------------------------------------------------

/// What a descriptor is, and so which system calls move its bytes.
enum class ChannelKind : unsigned char { kSocket, kPipe, kPipeToWrite };

class EpollTransport final : public Transport, public Source {
 public:
  EpollTransport(EpollReactor& reactor, int fd, SocketAddress peer,
                 ChannelKind kind = ChannelKind::kSocket) noexcept
      : reactor_(reactor), peer_(std::move(peer)), fd_(fd), kind_(kind) {}
  ~EpollTransport() override { close(); }

  void start(TransportHandler& handler) override {
    if (std::exchange(handler_, &handler) != nullptr) return;
    generation_ = reactor_.add(fd_, *this, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET).generation;
  }

  void write(std::string_view bytes) override;
  std::optional<std::size_t> send_file(int file, std::uint64_t offset, std::size_t count) override;
  bool encrypt_output(std::span<const char> keys) override;
  bool send_record(unsigned char type, std::string_view content) override;
  std::size_t pending() const noexcept override {
    return unsent_ ? unsent_->bytes.size() - unsent_->sent + unsent_->elsewhere : 0;
  }
  void pause_receive() noexcept override { paused_ = true; }
  void resume_receive() noexcept override {
    if (!paused_ || fd_ < 0) return;
    paused_ = false;
    if (unread_) reactor_.again(key());
  }
  void receive_now() noexcept override;
  std::string take_received(std::string_view bytes) override {
    return reactor_.take_received(bytes);
  }
  void shutdown_write() noexcept override {
    shutdown_ = true;
    if (!unsent_) end_output();
  }
  void set_nodelay(bool on) noexcept override { set_socket_nodelay(fd_, on); }
  SocketAddress peer() const override { return peer_; }
  SocketAddress local() const override { return local_address_of(fd_); }
  int native_handle() const noexcept override { return fd_; }

  void on_events(std::uint32_t events) noexcept override;

 private:
  struct Unsent {
    std::string bytes;
    std::size_t sent = 0;
    /// What the caller of `send_file` or `send_record` will ask for again, or the end of a record
    /// that the kernel keeps.
    std::size_t elsewhere = 0;
  };

  SourceKey key() const noexcept { return {fd_, generation_}; }
  bool is_socket() const noexcept { return kind_ == ChannelKind::kSocket; }
  void close() noexcept;
  void end_output() noexcept;
  std::size_t send_some(std::string_view bytes) noexcept;
  void wait_for_room(std::size_t elsewhere);
  void flush() noexcept;
  ssize_t read() noexcept;
  void receive() noexcept;
  void received(std::size_t size) noexcept;
  void end(std::error_code error) noexcept;

  EpollReactor& reactor_;
  TransportHandler* handler_ = nullptr;
  std::unique_ptr<Unsent> unsent_;  // only while the socket does not take more
  SocketAddress peer_;
  int fd_;
  std::uint32_t generation_ = 0;
  ChannelKind kind_;
  bool paused_ = false;
  bool unread_ = false;   // there may be something to read
  bool hung_up_ = false;  // ... and behind it the end, of which no other edge will tell
  bool shutdown_ = false;
  bool ended_ = false;
  bool break_told_ = false;
  bool encrypted_ = false;  // by the kernel
  int broken_ = 0;          // why sending failed
};

void EpollTransport::close() noexcept {
  if (fd_ < 0) return;
  reactor_.remove(fd_);
  ::close(std::exchange(fd_, -1));
}

/// The end of a pipe has nothing else to end: it is closed.
void EpollTransport::end_output() noexcept {
  if (is_socket()) {
    ::shutdown(fd_, SHUT_WR);
  } else if (kind_ == ChannelKind::kPipeToWrite) {
    close();
  }
}

std::size_t EpollTransport::send_some(std::string_view bytes) noexcept {
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    const std::string_view rest = bytes.substr(sent);
    const ssize_t n = is_socket() ? send_to(fd_, rest) : ::write(fd_, rest.data(), rest.size());
    if (n >= 0) {
      sent += static_cast<std::size_t>(n);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      break;
    } else if (errno != EINTR) {
      broken_ = errno;
      reactor_.again(key());  // the handler is told in a turn of its own
      return bytes.size();
    }
  }
  return sent;
}

void EpollTransport::write(std::string_view bytes) {
  if (broken_ != 0 || shutdown_) return;
  if (unsent_) {
    unsent_->bytes.append(bytes);
    return;
  }
  const std::size_t sent = send_some(bytes);
  if (sent < bytes.size()) {
    wait_for_room(0);
    unsent_->bytes.assign(bytes.substr(sent));
  } else if (encrypted_ && !takes_more(fd_)) {
    wait_for_room(1);
  }
}

void EpollTransport::wait_for_room(std::size_t elsewhere) {
  unsent_ = std::make_unique<Unsent>();
  unsent_->elsewhere = elsewhere;
}

std::optional<std::size_t> EpollTransport::send_file(int file, std::uint64_t offset,
                                                     std::size_t count) {
  if (broken_ != 0 || shutdown_) return count;  // dropped, as by `write`
  if (unsent_) return 0;
  const FileSending result = send_file_now(fd_, file, offset, count);
  if (result.error == EINVAL) return std::nullopt;
  if (result.error == EAGAIN) {
    wait_for_room(count - result.sent);
  } else if (result.error != 0) {
    broken_ = result.error;
    reactor_.again(key());
    return count;
  } else if (encrypted_ && !takes_more(fd_)) {
    wait_for_room(1);
  }
  return result.sent;
}

bool EpollTransport::encrypt_output(std::span<const char> keys) {
  if (!is_socket() || unsent_ || broken_ != 0 || shutdown_) return false;
  if (!encrypted_ && kernel_tls().attach(fd_) != 0) return false;
  if (kernel_tls().set_send_keys(fd_, keys) != 0) return false;
  encrypted_ = true;
  return true;
}

bool EpollTransport::send_record(unsigned char type, std::string_view content) {
  if (broken_ != 0 || shutdown_) return true;
  if (unsent_) return false;
  const int error = takes_more(fd_) ? kernel_tls().send_record(fd_, type, content) : EAGAIN;
  if (error == EAGAIN) {
    wait_for_room(content.size());
    return false;
  }
  if (error != 0) {
    broken_ = error;
    reactor_.again(key());
  }
  return true;
}

void EpollTransport::flush() noexcept {
  Unsent& unsent = *unsent_;
  unsent.sent += send_some(std::string_view(unsent.bytes).substr(unsent.sent));
  if (unsent.sent < unsent.bytes.size()) return;
  unsent_.reset();
  if (broken_ != 0) return;
  if (shutdown_) end_output();
  handler_->on_drained();
}

void EpollTransport::on_events(std::uint32_t events) noexcept {
  const SourceKey self = key();
  EpollReactor& reactor = reactor_;  // the handler may destroy this transport
  if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0 && unsent_) {
    flush();
    if (!reactor.alive(self)) return;
  }
  if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) hung_up_ = true;
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) unread_ = true;
  if (unread_ || broken_ != 0) receive();
}

/// Into the receive buffer of the loop.
ssize_t EpollTransport::read() noexcept {
  const std::span<char> buffer = reactor_.receive_buffer();
  return is_socket() ? receive_from(fd_, buffer) : ::read(fd_, buffer.data(), buffer.size());
}

void EpollTransport::receive() noexcept {
  const SourceKey self = key();
  EpollReactor& reactor = reactor_;  // the handler may destroy this transport
  if (kind_ == ChannelKind::kPipeToWrite && !ended_) return end(error_of(EPIPE));
  for (int reads = 0; unread_ && !paused_ && !ended_; ++reads) {
    if (reads == kReadsPerEvent) return reactor.again(self);
    const ssize_t n = read();
    if (n < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN && errno != EWOULDBLOCK) return end(last_error());
      unread_ = false;
      break;
    }
    // The system tells of a reset once: the send that failed may have been told.
    if (n == 0) return end(error_of(broken_));
    received(static_cast<std::size_t>(n));
    if (!reactor.alive(self)) return;
  }
  if (broken_ != 0 && !break_told_) end(error_of(broken_));
}

void EpollTransport::receive_now() noexcept {
  if (!unread_ || ended_ || !reactor_.may_read_at_once()) return;
  const ssize_t n = read();
  if (n > 0) return received(static_cast<std::size_t>(n));
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
    unread_ = false;
    return;
  }
  // The end is told in a turn of its own. The system tells of an error once.
  if (n < 0 && errno != EINTR) broken_ = errno;
  reactor_.again(key());
}

void EpollTransport::received(std::size_t size) noexcept {
  // A short read has drained the socket; what comes later is a new edge.
  unread_ = size == reactor_.receive_buffer().size() || hung_up_;
  reactor_.hand_over(size, *handler_);
}

void EpollTransport::end(std::error_code error) noexcept {
  ended_ = true;
  break_told_ = static_cast<bool>(error);
  handler_->on_receive_end(error);
}

// --- Acceptor ------------------------------------------------------------------------------------

class EpollAcceptor final : public Acceptor, public Source {
 public:
  EpollAcceptor(EpollReactor& reactor, int fd, AcceptHandler& handler)
      : reactor_(reactor), handler_(handler), fd_(fd) {
    generation_ = reactor_.add(fd, *this, EPOLLIN | EPOLLET).generation;
  }
  ~EpollAcceptor() override {
    reactor_.remove(fd_);
    ::close(fd_);
  }

  void pause() noexcept override { paused_ = true; }
  void resume() noexcept override {
    if (!paused_) return;
    paused_ = false;
    reactor_.again({fd_, generation_});
  }
  SocketAddress local() const override { return local_address_of(fd_); }
  int native_handle() const noexcept override { return fd_; }

  void on_events(std::uint32_t) noexcept override {
    const SourceKey self{fd_, generation_};
    EpollReactor& reactor = reactor_;  // the handler may destroy this acceptor
    for (int accepted = 0; !paused_; ++accepted) {
      if (accepted == kAcceptsPerEvent) return reactor.again(self);
      sockaddr_storage address;
      socklen_t length = sizeof address;
      const int socket = ::accept4(fd_, reinterpret_cast<sockaddr*>(&address), &length,
                                   SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (socket >= 0) {
        handler_.on_accept(
            std::make_unique<EpollTransport>(reactor, socket, from_sockaddr(address, length)));
        if (!reactor.alive(self)) return;
        continue;
      }
      if (errno == EAGAIN || errno == EWOULDBLOCK) return;
      // The peer left before it was served: the next one may be fine.
      if (errno == EINTR || errno == ECONNABORTED || errno == EPROTO) continue;
      return handler_.on_accept_error(last_error());
    }
  }

 private:
  EpollReactor& reactor_;
  AcceptHandler& handler_;
  int fd_;
  std::uint32_t generation_;
  bool paused_ = false;
};

// --- Connecting ----------------------------------------------------------------------------------

class EpollConnecting final : public Connecting, public Source {
 public:
  /// Takes a socket whose connection is under way.
  EpollConnecting(EpollReactor& reactor, int fd, SocketAddress to, ConnectHandler& handler)
      : reactor_(reactor), handler_(handler), to_(std::move(to)), fd_(fd) {
    reactor_.add(fd, *this, EPOLLOUT | EPOLLET);
  }
  ~EpollConnecting() override {
    if (fd_ < 0) return;
    reactor_.remove(fd_);
    ::close(fd_);
  }

  void on_events(std::uint32_t) noexcept override {
    int error = 0;
    socklen_t length = sizeof error;
    ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &length);
    const int fd = std::exchange(fd_, -1);
    if (error != 0) {
      reactor_.remove(fd);
      ::close(fd);
      return handler_.on_connect_error(error_of(error));
    }
    reactor_.unwatch(fd);  // the transport registers it for everything
    handler_.on_connect(std::make_unique<EpollTransport>(reactor_, fd, to_));
  }

 private:
  EpollReactor& reactor_;
  ConnectHandler& handler_;
  SocketAddress to_;
  int fd_;
};

// --- Foreign descriptors -------------------------------------------------------------------------

class PollSource final : public Source {
 public:
  PollSource(int fd, PollHandler& handler) noexcept : fd_(fd), handler_(handler) {}

  static std::uint32_t to_epoll(unsigned events) noexcept {
    return ((events & Reactor::kRead) != 0 ? EPOLLIN : 0U) |
           ((events & Reactor::kWrite) != 0 ? EPOLLOUT : 0U);
  }

  void on_events(std::uint32_t events) noexcept override {
    unsigned ready = 0;
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLRDHUP)) != 0) ready |= Reactor::kRead;
    if ((events & EPOLLOUT) != 0) ready |= Reactor::kWrite;
    if ((events & (EPOLLERR | EPOLLHUP)) != 0) ready |= Reactor::kError;
    handler_.on_poll(fd_, ready);
  }

 private:
  int fd_;
  PollHandler& handler_;
};

// --- Reactor -------------------------------------------------------------------------------------

EpollReactor::EpollReactor()
    : epoll_(::epoll_create1(EPOLL_CLOEXEC)), wake_fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (epoll_ < 0 || wake_fd_ < 0) throw std::system_error(last_error(), "epoll");
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = static_cast<std::uint32_t>(wake_fd_);
  if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_fd_, &event) != 0) {
    throw std::system_error(last_error(), "epoll_ctl");
  }
}

EpollReactor::~EpollReactor() {
  for (const Entry& entry : sources_) {
    if (auto* poll = dynamic_cast<PollSource*>(entry.source)) delete poll;
  }
  ::close(wake_fd_);
  ::close(epoll_);
}

SourceKey EpollReactor::add(int fd, Source& source, std::uint32_t events) {
  const auto index = static_cast<std::size_t>(fd);
  const SourceKey key{fd, index < sources_.size() ? sources_[index].generation + 1 : 1};
  epoll_event event{};
  event.events = events;
  event.data.u64 = std::uint64_t{key.generation} << 32 | static_cast<std::uint32_t>(fd);
  if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) {
    throw std::system_error(last_error(), "fd " + std::to_string(fd) + " cannot be watched");
  }
  if (index >= sources_.size()) sources_.resize(std::max(index + 1, sources_.size() * 2));
  sources_[index] = {&source, key.generation};
  return key;
}

void EpollReactor::unwatch(int fd) noexcept {
  ::epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
  remove(fd);
}

void EpollReactor::remove(int fd) noexcept {
  const auto index = static_cast<std::size_t>(fd);
  if (index < sources_.size()) sources_[index].source = nullptr;
}

void EpollReactor::deliver(SourceKey key, std::uint32_t events) noexcept {
  if (key.fd == wake_fd_) {
    std::uint64_t count = 0;
    [[maybe_unused]] ssize_t n = ::read(wake_fd_, &count, sizeof count);
  } else if (alive(key)) {
    probe_->count_step();
    sources_[static_cast<std::size_t>(key.fd)].source->on_events(events);
  }
}

int EpollReactor::wait_for_events(std::span<epoll_event> events, TimePoint until) noexcept {
  std::int64_t left = -1;  // nanoseconds; negative: without end
  if (until == TimePoint::min()) {
    left = 0;
  } else if (until != TimePoint::max()) {
    left = std::max<std::int64_t>(0, (until - now()).count());
  }
  if (left > 0 && precise_) {
    const timespec timeout{left / 1'000'000'000, left % 1'000'000'000};
    const int count = wait_for_epoll(epoll_, events, timeout);
    if (count >= 0 || errno != ENOSYS) return count;
    precise_ = false;  // a kernel or a sandbox without it: milliseconds, rounded up
  }
  constexpr std::int64_t kMillisecond = 1'000'000;
  constexpr std::int64_t kLongest = 3'600'000;
  const int milliseconds =
      left < 0 ? -1
               : static_cast<int>(std::min(kLongest, (left + kMillisecond - 1) / kMillisecond));
  return ::epoll_wait(epoll_, events.data(), kEventsPerWait, milliseconds);
}

bool EpollReactor::wait(TimePoint until) {
  std::array<epoll_event, kEventsPerWait> events;
  if (!again_.empty()) until = TimePoint::min();
  probe_->idle.store(true, std::memory_order_relaxed);
  const int count = wait_for_events(events, until);
  probe_->idle.store(false, std::memory_order_relaxed);
  wake_time_ = now();
  reads_at_once_ = 0;
  if (count < 0 && errno != EINTR) throw std::system_error(last_error(), "epoll_wait");
  for (int i = 0; i < count; ++i) {
    const std::uint64_t data = events[static_cast<std::size_t>(i)].data.u64;
    deliver({static_cast<int>(data & 0xffffffff), static_cast<std::uint32_t>(data >> 32)},
            events[static_cast<std::size_t>(i)].events);
  }
  if (!again_.empty()) {
    again_now_.swap(again_);
    for (const SourceKey& key : again_now_) deliver(key, 0);
    again_now_.clear();
  }
  return true;
}

/// Many bytes change hands with the buffer, which is replaced; a few would keep it for nothing.
std::string EpollReactor::take_received(std::string_view bytes) {
  const bool all = bytes.data() == buffer_.data() && bytes.size() == received_;
  if (!all || bytes.size() < kWorthTaking) return std::string(bytes);
  std::string taken = std::exchange(buffer_, new_buffer());
  taken.resize(bytes.size());
  return taken;
}

void EpollReactor::wake() noexcept {
  const std::uint64_t one = 1;
  [[maybe_unused]] ssize_t n = ::write(wake_fd_, &one, sizeof one);
}

std::unique_ptr<Transport> EpollReactor::adopt(int fd) {
  struct stat status{};
  if (::fstat(fd, &status) == 0 && !S_ISSOCK(status.st_mode)) {
    ignore_broken_pipe_signal();
    const bool write_only = (::fcntl(fd, F_GETFL) & O_ACCMODE) == O_WRONLY;
    return std::make_unique<EpollTransport>(
        *this, fd, SocketAddress{}, write_only ? ChannelKind::kPipeToWrite : ChannelKind::kPipe);
  }
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  ::getpeername(fd, reinterpret_cast<sockaddr*>(&address), &length);
  return std::make_unique<EpollTransport>(*this, fd, from_sockaddr(address, length));
}

std::unique_ptr<Connecting> EpollReactor::connect(const SocketAddress& to,
                                                  const ConnectOptions& options,
                                                  ConnectHandler& handler) {
  const int fd = open_connecting_socket(to, options);
  try {
    return std::make_unique<EpollConnecting>(*this, fd, to, handler);
  } catch (...) {
    ::close(fd);
    throw;
  }
}

std::unique_ptr<Acceptor> EpollReactor::accept_from(int socket, AcceptHandler& handler) {
  return std::make_unique<EpollAcceptor>(*this, socket, handler);
}

void EpollReactor::add_poll(int fd, PollHandler& handler, unsigned events) {
  auto source = std::make_unique<PollSource>(fd, handler);
  add(fd, *source, PollSource::to_epoll(events));
  source.release();
}

void EpollReactor::modify_poll(int fd, unsigned events) {
  const auto index = static_cast<std::size_t>(fd);
  if (index >= sources_.size() || sources_[index].source == nullptr) {
    throw std::system_error(ENOENT, std::generic_category(), "descriptor is not watched");
  }
  epoll_event event{};
  event.events = PollSource::to_epoll(events);
  event.data.u64 = std::uint64_t{sources_[index].generation} << 32 | static_cast<std::uint32_t>(fd);
  if (::epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event) != 0) {
    throw std::system_error(last_error(), "epoll_ctl");
  }
}

void EpollReactor::remove_poll(int fd) noexcept {
  const auto index = static_cast<std::size_t>(fd);
  if (index >= sources_.size()) return;
  auto* source = dynamic_cast<PollSource*>(sources_[index].source);
  if (source == nullptr) return;
  unwatch(fd);
  delete source;
}

}  // namespace

std::unique_ptr<NestableReactor> make_epoll_reactor() { return std::make_unique<EpollReactor>(); }

}  // namespace coronado
