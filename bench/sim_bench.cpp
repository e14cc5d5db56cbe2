// How fast the simulated network lets time pass: connections that are idle but for a ping every ten
// seconds, which is answered.
//
//     sim_bench [CONNECTIONS [SECONDS]]     default: 1000 connections for 1000 s of simulated time
//
// Prints the simulated connection-seconds per second of CPU time, and the events it took.
#include <coronado/coro/task_group.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/loop/ioloop.hpp>
#include <coronado/net/tcpclient.hpp>
#include <coronado/testing/raw_client.hpp>
#include <coronado/testing/sim_network.hpp>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <vector>

namespace {

using namespace coronado;
using namespace std::chrono_literals;

double cpu_time() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

/// Sends back what comes.
class Echo final : public TransportHandler {
 public:
  explicit Echo(std::unique_ptr<Transport> transport) : transport_(std::move(transport)) {
    transport_->start(*this);
  }
  void on_receive(std::span<char> bytes) noexcept override {
    transport_->write({bytes.data(), bytes.size()});
  }
  void on_receive_end(std::error_code) noexcept override {}
  void on_drained() noexcept override {}

 private:
  std::unique_ptr<Transport> transport_;
};

class EchoServer final : public AcceptHandler {
 public:
  void on_accept(std::unique_ptr<Transport> transport) noexcept override {
    connections_.push_back(std::make_unique<Echo>(std::move(transport)));
  }
  void on_accept_error(std::error_code) noexcept override {}

 private:
  std::vector<std::unique_ptr<Echo>> connections_;
};

Task<> ping(SimNetwork& network, SocketAddress server, TimePoint end) {
  co_await sleep(network.random_span(10s));
  RawClient client(co_await connect_to(server));
  for (std::size_t pings = 1; network.loop().now() < end; ++pings) {
    client.send("p");
    co_await client.peek(pings);
    co_await sleep(10s);
  }
}

Task<> run(SimNetwork& network, int connections, Duration span) {
  SimHost& clients = network.add_host("clients");
  EchoServer echo;
  auto acceptor =
      network.loop().reactor().listen(network.host("local").address(7), {.backlog = 100'000}, echo);
  co_await with_group([&](TaskGroup& group) -> Task<> {
    for (int i = 0; i < connections; ++i) {
      group.spawn(clients.run(
          ping(network, network.host("local").address(7), network.loop().now() + span)));
    }
    co_return;
  });
}

}  // namespace

int main(int argc, char** argv) {
  const int connections = argc > 1 ? std::atoi(argv[1]) : 1000;
  const int seconds = argc > 2 ? std::atoi(argv[2]) : 1000;
  IOLoop loop({.reactor = ReactorKind::kSim});
  SimNetwork network(loop, {.link = {.latency = 20ms, .jitter = 30ms}});
  const double begin = cpu_time();
  loop.run_sync(run(network, connections, std::chrono::seconds(seconds)));
  const double took = cpu_time() - begin;
  std::printf("sim %.0f connection-seconds/s (%d connections, %d s, %llu events, %.3f s)\n",
              connections * static_cast<double>(seconds) / took, connections, seconds,
              static_cast<unsigned long long>(network.event_count()), took);
}
