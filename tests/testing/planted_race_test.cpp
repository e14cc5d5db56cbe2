// A small protocol with a race in it, found by running it under seeds. A client connects, says the
// name that it wants, ends its side, and is answered "yours" or "taken". The guide shows this file:
// docs/guide/testing.md.
#include <coronado/coro/combine.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/net/tcpclient.hpp>
#include <coronado/testing/raw_client.hpp>
#include <coronado/testing/run_seeds.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <string>
#include <vector>

namespace coronado {
namespace {

using namespace std::chrono_literals;

/// Gives each name to one client, if it is careful.
class Registry final : public AcceptHandler {
 public:
  Registry(SimNetwork& network, SimHost& host, bool careful)
      : network_(network),
        host_(host),
        acceptor_(network.loop().reactor().listen(host.address(7), {}, *this)),
        careful_(careful) {}

  // [race]
  Task<bool> claim(std::string name) {
    if (owned_.contains(name)) co_return false;
    co_await write_journal(name);  // others run meanwhile
    owned_.insert(name);
    co_return true;
  }
  // [/race]

  // [fixed]
  Task<bool> claim_carefully(std::string name) {
    if (!owned_.insert(name).second) co_return false;  // decided before anything is awaited
    co_await write_journal(name);
    co_return true;
  }
  // [/fixed]

 private:
  Task<> write_journal(std::string) { co_await sleep(network_.random_span(3ms)); }

  Task<> serve(std::unique_ptr<Transport> transport) {
    RawClient client(std::move(transport));
    const std::string name = co_await client.read_to_end();
    const bool given = co_await (careful_ ? claim_carefully(name) : claim(name));
    client.send(given ? "yours" : "taken");
  }

  void on_accept(std::unique_ptr<Transport> transport) noexcept override {
    host_.spawn(serve(std::move(transport)));
  }
  void on_accept_error(std::error_code) noexcept override {}

  SimNetwork& network_;
  SimHost& host_;
  std::unique_ptr<Acceptor> acceptor_;
  std::set<std::string> owned_;
  bool careful_;
};

// [client]
Task<std::string> ask_for(SimNetwork& network, std::string name) {
  co_await sleep(network.random_span(1s));
  RawClient client(co_await connect_to(network.host("server").address(7)));
  client.send(name);
  client.shutdown_write();
  co_return co_await client.read_to_end();
}
// [/client]

// [body]
Task<> three_want_the_same(SimNetwork& network, bool careful) {
  SimHost& server = network.add_host("server");
  Registry registry(network, server, careful);

  std::vector<Task<std::string>> clients;
  for (int i = 0; i < 3; ++i) clients.push_back(ask_for(network, "ada"));
  const std::vector<std::string> answers = co_await multi(std::move(clients));

  EXPECT_EQ(std::ranges::count(answers, "yours"), 1);
  co_await network.stop_hosts();  // before what their tasks use is gone
}
// [/body]

// [options]
const SeedOptions kSlowNetwork{.network = {.link = {.latency = 1ms, .jitter = 20ms}}};
// [/options]

TEST(PlantedRace, IsFoundWithinAThousandSeedsAndFiveSeconds) {
  const auto begin = std::chrono::steady_clock::now();
  const auto failure = find_failing_seed(
      1000, [](SimNetwork& network) { return three_want_the_same(network, false); }, kSlowNetwork);
  ASSERT_TRUE(failure);
  EXPECT_TRUE(failure->what.contains("\"yours\"")) << failure->what;
  EXPECT_TRUE(failure->replays);
  EXPECT_GT(failure->seed, 1U) << "it shows at once: that is no race";
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
}

// [test]
TEST(PlantedRace, IsGoneWhenTheNameIsTakenFirst) {
  run_seeds(
      1000, [](SimNetwork& network) { return three_want_the_same(network, true); }, kSlowNetwork);
}
// [/test]

}  // namespace
}  // namespace coronado
