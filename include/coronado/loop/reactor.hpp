/// `Reactor`: what a loop needs from the system, one backend a file.
///
/// The loop owns the timers and the ready queue; the reactor waits, delivers bytes and connections,
/// and can be woken from another thread.
///
/// Layer: loop.
#pragma once

#include <coronado/base/clock.hpp>
#include <coronado/coro/executor.hpp>
#include <coronado/loop/datagram_socket.hpp>
#include <coronado/loop/transport.hpp>

namespace coronado {

/// Which backend a loop uses.
enum class ReactorKind : unsigned char {
  kEpoll,  ///< the default on Linux
  /// io_uring, or epoll with one line in the log where the system refuses it. Such a loop stays on
  /// the thread that ran it first.
  kUring,
  kSim,  ///< virtual time: waiting jumps to the next timer
};

/// How `Reactor::listen` listens.
struct ListenOptions {
  /// Connections the kernel queues before they are accepted.
  int backlog = 1024;
  /// Let several sockets (one a worker) share the port; the kernel spreads connections over them.
  bool reuse_port = false;
};

/// How `Reactor::connect` connects.
struct ConnectOptions {
  /// Where the connection comes from; `kNone`: the system chooses. Port 0: any port.
  SocketAddress source;
};

/// Told about readiness of a foreign descriptor.
class PollHandler {
 public:
  /// Params   events  A union of `Reactor::kRead`, `kWrite`, `kError`.
  virtual void on_poll(int fd, unsigned events) noexcept = 0;

 protected:
  ~PollHandler() = default;
};

class Reactor {
 public:
  static constexpr unsigned kRead = 1;
  static constexpr unsigned kWrite = 4;
  static constexpr unsigned kError = 24;

  Reactor() = default;
  Reactor(const Reactor&) = delete;
  Reactor& operator=(const Reactor&) = delete;
  virtual ~Reactor() = default;

  /// "epoll", "uring", "sim".
  virtual const char* name() const noexcept = 0;

  virtual TimePoint now() const noexcept = 0;

  /// Waits for events until `until` at the latest (a past instant: only looks) and delivers them.
  /// Returns false when nothing can ever happen: virtual time, no timer and no outside work.
  virtual bool wait(TimePoint until) = 0;

  /// Ends a `wait` in progress, or the next one.   Threads  Any; also from a signal handler.
  virtual void wake() noexcept = 0;

  /// Makes a transport of a connected stream socket or one end of a pipe, which it then owns. The
  /// descriptor must be non-blocking. The first pipe makes the process ignore SIGPIPE, unless it
  /// has a handler for it.
  /// Throws  std::system_error  The backend cannot watch it; the descriptor is closed.
  virtual std::unique_ptr<Transport> adopt(int fd) = 0;

  /// Begins to make a connection to an IP address or a Unix socket.
  /// Lifetime  `handler` must outlive the result.
  /// Throws    std::system_error  The attempt failed at once: no route, `source` in use, no
  ///           descriptor left, the path is too long.
  virtual std::unique_ptr<Connecting> connect(const SocketAddress& to,
                                              const ConnectOptions& options,
                                              ConnectHandler& handler) = 0;

  /// Listens on an address; port 0 lets the system choose. IPv6 sockets take no IPv4. Accepted
  /// connections have TCP_NODELAY.
  /// Lifetime  `handler` must outlive the acceptor.
  /// Throws    AddressInUseError  Somebody has the address.
  ///           BindError          "cannot listen on 127.0.0.1:80: Permission denied".
  virtual std::unique_ptr<Acceptor> listen(const SocketAddress& address,
                                           const ListenOptions& options, AcceptHandler& handler);

  /// Binds a socket for datagrams; port 0 lets the system choose.
  /// Lifetime  `handler` and the reactor must outlive it.
  /// Throws    AddressInUseError  Somebody has the address.
  ///           BindError          "cannot bind a UDP socket to 127.0.0.1:53: Permission denied".
  virtual std::unique_ptr<DatagramSocket> bind_datagrams(const SocketAddress& local,
                                                         const UDPOptions& options,
                                                         DatagramHandler& handler);

  /// Serves a listening non-blocking socket, which it then owns.
  /// Lifetime  `handler` must outlive the acceptor.   Throws  std::system_error
  virtual std::unique_ptr<Acceptor> accept_from(int socket, AcceptHandler& handler) = 0;

  /// Watches a foreign descriptor, level-triggered.
  /// Throws  std::system_error  It cannot be watched, or is watched already.
  virtual void add_poll(int fd, PollHandler& handler, unsigned events) = 0;
  virtual void modify_poll(int fd, unsigned events) = 0;
  /// Nothing happens when it is not watched.
  virtual void remove_poll(int fd) noexcept = 0;

  /// Work that is going on outside the loop and will `wake` it: virtual time stands still
  /// meanwhile.
  virtual void begin_outside_work() noexcept {}
  virtual void end_outside_work() noexcept {}

  /// When the last `wait` returned from the system: the clock of everything it delivered.
  TimePoint wake_time() const noexcept { return wake_time_; }

  /// Brings `wake_time` up to the present: before a loop begins to run.
  void read_clock() noexcept { wake_time_ = now(); }

  /// Where to note that the loop waits, and each event delivered.
  void set_probe(StepProbe& probe) noexcept { probe_ = &probe; }

 protected:
  StepProbe* probe_ = nullptr;  // set by the loop before the first wait
  TimePoint wake_time_{};       // kept by every `wait`
};

/// Makes a backend.   Throws  std::system_error  The system refuses it.
std::unique_ptr<Reactor> make_reactor(ReactorKind kind);

}  // namespace coronado
