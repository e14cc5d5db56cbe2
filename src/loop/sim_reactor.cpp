// The simulated backend: time is a number that jumps to whatever is due next, so a test that sleeps
// an hour takes microseconds, and two runs of it see the same clock. It has no sockets of the system;
// connections are made on the virtual network that is attached, if any.
#include <coronado/loop/virtual_network.hpp>

#include <semaphore.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <stdexcept>

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
    if (network_ != nullptr) {
      probe_->count_step();
      network_->deliver(now_);
    }
    return alive;
  }

  void wake() noexcept override {
    if (!woken_.exchange(true, std::memory_order_release)) ::sem_post(&changed_);
  }

  std::unique_ptr<Transport> adopt(int) override { refuse(); }
  std::unique_ptr<Acceptor> accept_from(int, AcceptHandler&) override { refuse(); }
  std::unique_ptr<Connecting> connect(const SocketAddress& to, const ConnectOptions& options,
                                      ConnectHandler& handler) override {
    return network().connect(to, options, handler);
  }
  std::unique_ptr<Acceptor> listen(const SocketAddress& address, const ListenOptions& options,
                                   AcceptHandler& handler) override {
    return network().listen(address, options, handler);
  }
  std::unique_ptr<DatagramSocket> bind_datagrams(const SocketAddress& local,
                                                 const UDPOptions& options,
                                                 DatagramHandler& handler) override {
    return network().bind_datagrams(local, options, handler);
  }
  void add_poll(int, PollHandler&, unsigned) override { refuse(); }
  void modify_poll(int, unsigned) override { refuse(); }
  void remove_poll(int) noexcept override {}

  void begin_outside_work() noexcept override { ++outside_work_; }
  void end_outside_work() noexcept override { --outside_work_; }

  void attach(VirtualNetwork* network) {
    if (network != nullptr && network_ != nullptr) {
      throw std::logic_error("the simulated reactor has a network already");
    }
    network_ = network;
  }
  void leap(Duration span) noexcept { now_ += std::max(span, Duration::zero()); }

 private:
  bool advance(TimePoint until) {
    if (woken_.exchange(false, std::memory_order_acquire)) {
      ::sem_trywait(&changed_);
      return true;
    }
    if (network_ != nullptr) until = std::min(until, network_->next_due());
    if (until <= now_) return true;
    if (outside_work_ > 0) {
      // Real threads are busy for us: real time passes, virtual time does not.
      probe_->idle.store(true, std::memory_order_relaxed);
      while (!woken_.exchange(false, std::memory_order_acquire)) ::sem_wait(&changed_);
      probe_->idle.store(false, std::memory_order_relaxed);
      return true;
    }
    if (until == TimePoint::max()) return false;
    now_ = network_ == nullptr ? until : std::max(until, network_->wake_up(until));
    return true;
  }

  VirtualNetwork& network() const {
    if (network_ != nullptr) return *network_;
    throw std::system_error(ENETDOWN, std::generic_category(),
                            "the simulated reactor has no network; a SimNetwork gives it one");
  }

  [[noreturn]] static void refuse() {
    throw std::system_error(ENOTSUP, std::generic_category(),
                            "the simulated reactor has no descriptors");
  }

  // Not the epoch, so that spans before "now" can be written.
  TimePoint now_{std::chrono::hours(1)};
  VirtualNetwork* network_ = nullptr;
  int outside_work_ = 0;
  std::atomic<bool> woken_{false};
  sem_t changed_;  // a semaphore, because a signal handler may post it
};

SimReactor& simulated(Reactor& reactor) {
  if (auto* sim = dynamic_cast<SimReactor*>(&reactor)) return *sim;
  throw std::logic_error(std::string("the reactor is not simulated but ") + reactor.name());
}

}  // namespace

void attach_network(Reactor& reactor, VirtualNetwork* network) {
  simulated(reactor).attach(network);
}

void leap_clock(Reactor& reactor, Duration span) { simulated(reactor).leap(span); }

std::unique_ptr<Reactor> make_sim_reactor() { return std::make_unique<SimReactor>(); }

}  // namespace coronado
