// The simulated backend: time is a number that jumps to whatever is due next, so a test that sleeps
// an hour takes microseconds, and two runs of it see the same clock. It has no sockets; channels
// between tasks of one loop come from <coronado/testing/memory_transport.hpp>.
#include <coronado/loop/reactor.hpp>

#include <cerrno>
#include <condition_variable>
#include <mutex>

#include "loop/reactor_factories.hpp"

namespace coronado {
namespace {

class SimReactor final : public Reactor {
 public:
  const char* name() const noexcept override { return "sim"; }
  TimePoint now() const noexcept override { return now_; }

  bool wait(TimePoint until) override {
    std::unique_lock lock(mutex_);
    if (woken_) {
      woken_ = false;
      return true;
    }
    if (until <= now_) return true;
    if (outside_work_ >
        0) {  // real threads are busy for us: real time passes, virtual time does not
      probe_->idle.store(true, std::memory_order_relaxed);
      changed_.wait(lock, [this] { return woken_; });
      probe_->idle.store(false, std::memory_order_relaxed);
      woken_ = false;
      return true;
    }
    if (until == TimePoint::max()) return false;
    now_ = until;
    return true;
  }

  void wake() noexcept override {
    std::lock_guard lock(mutex_);
    woken_ = true;
    changed_.notify_one();
  }

  std::unique_ptr<Transport> adopt(int) override { refuse(); }
  std::unique_ptr<Acceptor> accept_from(int, AcceptHandler&) override { refuse(); }
  void add_poll(int, PollHandler&, unsigned) override { refuse(); }
  void modify_poll(int, unsigned) override { refuse(); }
  void remove_poll(int) noexcept override {}

  void begin_outside_work() noexcept override {
    std::lock_guard lock(mutex_);
    ++outside_work_;
  }
  void end_outside_work() noexcept override {
    std::lock_guard lock(mutex_);
    --outside_work_;
  }

 private:
  [[noreturn]] static void refuse() {
    throw std::system_error(ENOTSUP, std::generic_category(),
                            "the simulated reactor has no descriptors");
  }

  // Not the epoch, so that spans before "now" can be written.
  TimePoint now_{std::chrono::hours(1)};
  std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false;
  int outside_work_ = 0;
};

}  // namespace

std::unique_ptr<Reactor> make_sim_reactor() { return std::make_unique<SimReactor>(); }

}  // namespace coronado
