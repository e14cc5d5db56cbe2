// The simulated backend: time is a number that jumps to whatever is due next, so a test that sleeps
// an hour takes microseconds, and two runs of it see the same clock. It has no sockets; channels
// between tasks of one loop come from <coronado/testing/memory_transport.hpp>.
#include <coronado/loop/reactor.hpp>

#include <semaphore.h>

#include <atomic>
#include <cerrno>

#include "loop/reactor_factories.hpp"

namespace coronado {
namespace {

class SimReactor final : public Reactor {
 public:
  SimReactor() { ::sem_init(&changed_, 0, 0); }
  ~SimReactor() override { ::sem_destroy(&changed_); }

  const char* name() const noexcept override { return "sim"; }
  TimePoint now() const noexcept override { return now_; }

  bool wait(TimePoint until) override {
    const bool alive = advance(until);
    wake_time_ = now_;
    return alive;
  }

  void wake() noexcept override {
    if (!woken_.exchange(true, std::memory_order_release)) ::sem_post(&changed_);
  }

  std::unique_ptr<Transport> adopt(int) override { refuse(); }
  std::unique_ptr<Acceptor> accept_from(int, AcceptHandler&) override { refuse(); }
  std::unique_ptr<Connecting> connect(const SocketAddress&, const ConnectOptions&,
                                      ConnectHandler&) override {
    refuse();
  }
  std::unique_ptr<Acceptor> listen(const SocketAddress&, const ListenOptions&,
                                   AcceptHandler&) override {
    refuse();
  }
  void add_poll(int, PollHandler&, unsigned) override { refuse(); }
  void modify_poll(int, unsigned) override { refuse(); }
  void remove_poll(int) noexcept override {}

  void begin_outside_work() noexcept override { ++outside_work_; }
  void end_outside_work() noexcept override { --outside_work_; }

 private:
  bool advance(TimePoint until) {
    if (woken_.exchange(false, std::memory_order_acquire)) {
      ::sem_trywait(&changed_);
      return true;
    }
    if (until <= now_) return true;
    if (outside_work_ > 0) {
      // Real threads are busy for us: real time passes, virtual time does not.
      probe_->idle.store(true, std::memory_order_relaxed);
      while (!woken_.exchange(false, std::memory_order_acquire)) ::sem_wait(&changed_);
      probe_->idle.store(false, std::memory_order_relaxed);
      return true;
    }
    if (until == TimePoint::max()) return false;
    now_ = until;
    return true;
  }

  [[noreturn]] static void refuse() {
    throw std::system_error(ENOTSUP, std::generic_category(),
                            "the simulated reactor has no descriptors");
  }

  // Not the epoch, so that spans before "now" can be written.
  TimePoint now_{std::chrono::hours(1)};
  int outside_work_ = 0;
  std::atomic<bool> woken_{false};
  sem_t changed_;  // a semaphore, because a signal handler may post it
};

}  // namespace

std::unique_ptr<Reactor> make_sim_reactor() { return std::make_unique<SimReactor>(); }

}  // namespace coronado
