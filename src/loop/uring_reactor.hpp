/// The io_uring backend.
///
///     UringSource    who asks the kernel for operations and is told what comes of them
///     UringReactor   the ring of one loop
///
/// Handlers do not talk to the kernel: they change what a source wants, and the source is marked.
/// Before the reactor enters the kernel every marked source asks for the operations that lead to
/// what it wants by then. So a whole turn costs one system call, and what was begun and taken back
/// within a turn costs nothing.
///
/// A source is counted: by its owner, and by each operation in flight. It is destroyed when the last
/// completion has been seen, so the kernel never answers to a source that is gone.
#pragma once

#include <coronado/loop/reactor.hpp>

#include <string>
#include <vector>

#include "loop/reactor_factories.hpp"
#include "loop/uring_ring.hpp"

namespace coronado {

class UringReactor;

class UringSource {
 public:
  UringSource(const UringSource&) = delete;
  UringSource& operator=(const UringSource&) = delete;

  /// Asks for the operations that it wants now.
  virtual void prepare() = 0;

  /// `operation` was answered. The flag IORING_CQE_F_MORE: it goes on.
  virtual void complete(unsigned operation, int result, std::uint32_t flags) noexcept = 0;

  /// After `UringReactor::again`: handlers may be called.
  virtual void go_on() noexcept {}

  /// After `UringReactor::expect_sent`: the kernel took so many bytes only, or none with an error.
  virtual void sent_less(int /*result*/) noexcept {}
  /// After each `expect_sent`: the kernel has let go of the bytes. Calls no handler.
  virtual void settle() noexcept {}

  void hold() noexcept { ++holders_; }
  void release() noexcept {
    if (--holders_ == 0) delete this;
  }

 protected:
  explicit UringSource(UringReactor& reactor) noexcept;
  virtual ~UringSource();

  UringReactor& reactor_;

 private:
  friend class UringReactor;
  UringSource* next_ = nullptr;  // in the list of all
  UringSource* previous_ = nullptr;
  unsigned holders_ = 1;  // the owner
  bool marked_ = false;
};

class UringReactor final : public Reactor {
 public:
  /// Output of a transport, kept for the next one when it has been sent.
  struct Output {
    std::string bytes;
    std::size_t sent = 0;
  };

  UringReactor();
  ~UringReactor() override;

  const char* name() const noexcept override { return "uring"; }
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

  /// Has `prepare` called before the kernel is entered next.
  void mark(UringSource& source) {
    if (source.marked_) return;
    source.marked_ = true;
    source.hold();
    marked_.push_back(&source);
  }
  /// The same for a source that has closed its descriptor, which its operations keep open: where no
  /// turn is in progress, and none may come for long, it is asked at once.
  void mark_last(UringSource& source) noexcept {
    mark(source);
    if (!in_turn()) prepare_now(source);
  }
  /// The loop is at work, so that the kernel will be entered when its handlers have run.
  bool in_turn() const noexcept { return !probe_->idle.load(std::memory_order_relaxed); }
  /// Has `go_on` called in the next turn.
  void again(UringSource& source) {
    source.hold();
    again_.push_back(&source);
  }

  /// An empty entry, to be filled and then given to one of the functions that follow.
  io_uring_sqe& entry() { return ring_.entry(); }
  /// The entry is an operation of `source`, which is told of each completion.
  /// Params  operation  From 1 to 7.
  void expect(io_uring_sqe& entry, UringSource& source, unsigned operation) noexcept;
  /// The entry sends and ends at once, with a completion only if less than all was sent.
  void expect_sent(io_uring_sqe& entry, UringSource& source);
  /// The entry ends at once, and nobody asks what came of it.
  void expect_success(io_uring_sqe& entry) noexcept;
  /// Asks for the end of an operation; `answer` is the operation that the cancellation itself is.
  void cancel(UringSource& source, unsigned operation, unsigned answer);
  /// Lets a source that is marked act at once, and not at the end of the turn.
  void prepare_now(UringSource& source) noexcept;

  std::span<char> buffer(std::uint32_t flags, std::size_t size) noexcept {
    return ring_.buffer(flags, size);
  }
  void recycle(std::uint32_t flags) noexcept { ring_.recycle(flags); }

  void count_step() noexcept { probe_->count_step(); }

  std::unique_ptr<Output> take_output();
  void give_back(std::unique_ptr<Output> output) noexcept;

 private:
  friend class UringSource;
  class WakeSource;
  class NestedSource;

  void prepare_marked();
  void collect();
  void dispatch() noexcept;
  void run_again() noexcept;
  void drain();
  NestableReactor& nested();

  UringRing ring_;
  UringSource* all_ = nullptr;
  std::vector<UringSource*> marked_;
  std::vector<UringSource*> marked_now_;
  std::vector<UringSource*> again_;
  std::vector<UringSource*> again_now_;
  std::vector<UringSource*> sending_;
  std::vector<UringCompletion> completions_;
  std::size_t next_ = 0;  // of the completions
  std::vector<std::unique_ptr<Output>> spare_outputs_;
  std::size_t in_flight_ = 0;  // operations whose last completion has not been seen
  int wake_fd_;
  // Pipes, foreign descriptors, and sockets that take no more: level-triggered readiness is epoll's
  // affair, and it does not keep a file open that its owner has closed.
  std::unique_ptr<NestableReactor> nested_;
};

}  // namespace coronado
