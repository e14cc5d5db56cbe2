#include "testing/sim_datagrams.hpp"

#include <coronado/base/error.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/net/udp.hpp>
#include <coronado/testing/run_seeds.hpp>
#include <coronado/testing/virtual_time.hpp>

#include <gmock/gmock.h>

#include <map>
#include <set>

#include "tests/testing/sim_peers.hpp"

namespace coronado {
namespace {

using namespace std::chrono_literals;
using namespace sim_test;
using testing::ElementsAre;
using testing::HasSubstr;

Task<UDPSocket> bound(SocketAddress address, UDPOptions options) {
  co_return UDPSocket(*IOLoop::current(), address, options);
}

/// Two hosts with a socket each.
struct Sockets : Net {
  explicit Sockets(SimOptions options = {})
      : Net(std::move(options)), left(bind(client, 1000)), right(bind(server, 53)) {}

  UDPSocket bind(SimHost& host, const SocketAddress& address, UDPOptions options = {}) {
    return loop.run_sync(host.run(bound(address, options)));
  }
  UDPSocket bind(SimHost& host, std::uint16_t port, UDPOptions options = {}) {
    return bind(host, host.address(port), options);
  }

  /// Sends numbers from left to right, all at once.
  void send_numbers(int count) {
    for (int i = 0; i < count; ++i) send(left, std::to_string(i), right.local());
  }
  void send(UDPSocket& from, std::string bytes, SocketAddress to) {
    loop.run_sync([](UDPSocket& socket, std::string text, SocketAddress address) -> Task<> {
      co_await socket.send_to(text, address);
    }(from, std::move(bytes), std::move(to)));
  }

  /// All that comes within a minute.
  std::vector<std::string> received(UDPSocket& socket) {
    std::vector<std::string> all;
    loop.run_sync([](UDPSocket& from, std::vector<std::string>& to) -> Task<> {
      try {
        for (;;) to.push_back((co_await with_timeout(1min, from.receive_from())).bytes);
      } catch (const TimeoutError&) {
      }
    }(socket, all));
    return all;
  }
  std::vector<std::string> received() { return received(right); }

  UDPSocket left;
  UDPSocket right;
};

TEST(SimDatagrams, ArriveAfterTheLatency) {
  Sockets net({.link = {.latency = 10ms}});
  net.send_numbers(1);
  const TimePoint begin = net.loop.now();
  const Datagram got = net.loop.run_sync(as_task(net.right.receive_from()));
  EXPECT_EQ(net.loop.now() - begin, 10ms);
  EXPECT_EQ(got.bytes, "0");
  EXPECT_EQ(got.from, net.client.address(1000));
  net.send(net.right, "back", got.from);
  EXPECT_THAT(net.received(net.left), ElementsAre("back"));
}

TEST(SimDatagrams, AreLostForGood) {
  Sockets net({.link = {.loss = 0.3}});
  net.send_numbers(1000);
  const std::vector<std::string> got = net.received();
  EXPECT_GT(got.size(), 600U);
  EXPECT_LT(got.size(), 800U);
  EXPECT_EQ(std::set<std::string>(got.begin(), got.end()).size(), got.size());
  const bool told =
      net.network.log().contains("FAULT: datagram lost: 3 10.0.0.3:1000 > 10.0.0.2:53");
  EXPECT_TRUE(told);
}

TEST(SimDatagrams, ArriveTwice) {
  Sockets net({.link = {.duplicate = 0.3}});
  net.send_numbers(1000);
  std::map<std::string, int> times;
  for (const std::string& each : net.received()) ++times[each];
  EXPECT_EQ(times.size(), 1000U);
  const auto twice =
      std::ranges::count_if(times, [](const auto& each) { return each.second == 2; });
  EXPECT_GT(twice, 200);
  EXPECT_LT(twice, 400);
}

TEST(SimDatagrams, KeepTheirOrderUnlessTheLinkSaysOtherwise) {
  const auto order = [](SimLink link) {
    Sockets net({.link = link});
    net.send_numbers(100);
    return net.received();
  };
  std::vector<std::string> in_order;
  for (int i = 0; i < 100; ++i) in_order.push_back(std::to_string(i));
  EXPECT_EQ(order({}), in_order);
  for (const SimLink& link : {SimLink{.jitter = 10ms}, SimLink{.reorder = 0.1}}) {
    std::vector<std::string> got = order(link);
    EXPECT_NE(got, in_order);
    std::ranges::sort(got);
    std::vector<std::string> sorted = in_order;
    std::ranges::sort(sorted);
    EXPECT_EQ(got, sorted);
  }
}

TEST(SimDatagrams, SizesHaveTheirLimits) {
  Sockets net({.link = {.max_datagram = 1200}});
  net.send(net.left, std::string(1200, 'x'), net.right.local());
  net.send(net.left, std::string(1201, 'x'), net.right.local());
  EXPECT_THAT(net.received(), ElementsAre(std::string(1200, 'x')));
  try {
    net.send(net.left, std::string(65'508, 'x'), net.right.local());
    ADD_FAILURE();
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::errc::message_size);
    EXPECT_THAT(error.what(), HasSubstr("cannot send a datagram to 10.0.0.2:53"));
  }
}

TEST(SimDatagrams, AReceiverThatDoesNotReadLosesThem) {
  Sockets net({.link = {.receive_buffer = 1000}});
  for (int i = 0; i < 20; ++i) net.send(net.left, std::string(100, 'x'), net.right.local());
  run_for(net.loop, 1s);
  EXPECT_EQ(net.received().size(), 10U);
}

TEST(SimDatagrams, ASenderWaitsForALimitedWay) {
  Sockets net({.link = {.latency = 0ms, .bandwidth = 1000, .send_buffer = 500}});
  const TimePoint begin = net.loop.now();
  for (int i = 0; i < 20; ++i) net.send(net.left, std::string(100, 'x'), net.right.local());
  // 2,000 bytes at 1,000 a second, of which the last 600 were taken before they left.
  EXPECT_EQ(net.loop.now() - begin, 1400ms);
  EXPECT_EQ(net.received().size(), 20U);
}

TEST(SimDatagrams, OnlyAConnectedSocketHearsOfRefusal) {
  Sockets net;
  net.send(net.left, "anyone?", net.server.address(9));
  EXPECT_THAT(net.received(net.left), ElementsAre());
  net.left.connect(net.server.address(9));
  net.send(net.left, "anyone?", {});
  try {
    net.loop.run_sync(as_task(net.left.receive_from()));
    ADD_FAILURE();
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::errc::connection_refused);
  }
  net.network.set_answer(net.server.address(), SimNetwork::Answer::kRefuses);
  net.left.connect(net.right.local());
  net.send(net.left, "hello", {});
  EXPECT_THROW(net.loop.run_sync(as_task(net.left.receive_from())), std::system_error);
  net.network.set_answer(net.server.address(), SimNetwork::Answer::kUsual);
  net.send(net.left, "hello", {});
  EXPECT_THAT(net.received(), ElementsAre("hello"));
}

TEST(SimDatagrams, AConnectedSocketHearsNobodyElse) {
  Sockets net;
  UDPSocket other = net.bind(net.client, 2000);
  net.right.connect(net.left.local());
  net.send(other, "not for you", net.right.local());
  net.send(net.left, "for you", net.right.local());
  EXPECT_THAT(net.received(), ElementsAre("for you"));
}

TEST(SimDatagrams, PartitionsAndCrashesSwallowThem) {
  Sockets net;
  net.network.partition(net.client, net.server);
  net.send_numbers(1);
  net.network.heal(net.client, net.server);
  net.send(net.left, "healed", net.right.local());
  EXPECT_THAT(net.received(), ElementsAre("healed"));
  net.send(net.left, "under way", net.right.local());
  net.server.crash();
  net.send(net.left, "to nobody", net.right.local());
  net.send(net.right, "from nobody", net.left.local());
  net.server.restart();
  EXPECT_THAT(net.received(), ElementsAre());  // a socket does not outlive its machine
  EXPECT_THAT(net.received(net.left), ElementsAre());
  UDPSocket again = net.bind(net.server, 53);
  net.send(net.left, "welcome", again.local());
  EXPECT_THAT(net.received(again), ElementsAre("welcome"));
}

TEST(SimDatagrams, UnreachableAddresses) {
  Sockets net;
  net.send(net.left, "lost", *SocketAddress::from_ip("10.9.9.9", 1));
  EXPECT_THROW(net.send(net.left, "x", *SocketAddress::from_ip("2001:db8::1", 1)),
               std::system_error);
  UDPSocket six = net.bind(net.client, *SocketAddress::from_ip("::", 1));
  try {
    net.send(six, "x", *SocketAddress::from_ip("2001:db8::1", 1));
    ADD_FAILURE();
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::errc::network_unreachable);
  }
  EXPECT_THROW(net.send(net.left, "x", {}), std::system_error);  // and no peer
}

TEST(SimDatagrams, AddressesBelongToOneUnlessShared) {
  Sockets net;
  try {
    net.bind(net.server, *SocketAddress::from_ip("0.0.0.0", 53));
    ADD_FAILURE();
  } catch (const AddressInUseError& error) {
    EXPECT_STREQ(error.what(), "cannot bind a UDP socket to 0.0.0.0:53: Address already in use");
  }
  UDPSocket elsewhere = net.bind(net.client, 53);
  UDPSocket first = net.bind(net.server, 54, {.reuse_port = true});
  UDPSocket second = net.bind(net.server, 54, {.reuse_port = true});
  for (int i = 0; i < 100; ++i) net.send(net.left, "x", first.local());
  const std::size_t half = net.received(first).size();
  EXPECT_GT(half, 20U);
  EXPECT_EQ(half + net.received(second).size(), 100U);
}

TEST(SimDatagrams, EveryInterfaceAndTheLoopback) {
  Net net;
  SimHost& wide = net.network.add_host("wide", {"10.1.0.1", "10.2.0.1"});
  UDPSocket all = net.loop.run_sync(wide.run(bound(*SocketAddress::from_ip("0.0.0.0", 7), {})));
  UDPSocket self = net.loop.run_sync(wide.run(bound(*SocketAddress::from_ip("127.0.0.1"), {})));
  net.loop.run_sync([](UDPSocket& to, UDPSocket& from) -> Task<> {
    co_await from.send_to("x", *SocketAddress::from_ip("127.0.0.1", 7));
    EXPECT_EQ((co_await to.receive_from()).from, from.local());
    co_await to.send_to("y", *SocketAddress::from_ip("10.2.0.1", 7));  // itself
    EXPECT_EQ((co_await to.receive_from()).from, *SocketAddress::from_ip("10.1.0.1", 7));
  }(all, self));
}

TEST(SimDatagrams, GroupsAndBroadcasts) {
  Sockets net;
  const SocketAddress group = *SocketAddress::from_ip("239.1.2.3", 5353);
  const SocketAddress anywhere = *SocketAddress::from_ip("0.0.0.0", 5353);
  const UDPOptions shared{.reuse_address = true, .broadcast = true};
  UDPSocket one = net.bind(net.client, anywhere, shared);
  UDPSocket two = net.bind(net.server, anywhere, shared);
  UDPSocket three = net.bind(net.server, anywhere, shared);
  one.join_multicast(group);
  two.join_multicast(group);
  EXPECT_THROW(two.join_multicast(group), std::system_error);
  net.send(net.left, "to the group", group);
  EXPECT_THAT(net.received(one), ElementsAre("to the group"));
  EXPECT_THAT(net.received(two), ElementsAre("to the group"));
  EXPECT_THAT(net.received(three), ElementsAre());
  two.leave_multicast(group);
  const SocketAddress everybody = *SocketAddress::from_ip("255.255.255.255", 5353);
  EXPECT_THROW(net.send(net.left, "x", everybody), std::system_error);
  net.send(one, "to all", everybody);
  for (UDPSocket* each : {&one, &two, &three})
    EXPECT_THAT(net.received(*each), ElementsAre("to all"));
}

TEST(SimDatagrams, SocketsMayOutliveTheNetwork) {
  IOLoop loop({.reactor = ReactorKind::kSim});
  std::optional<UDPSocket> socket;
  {
    SimNetwork network(loop);
    socket =
        loop.run_sync(network.add_host("host").run(bound(*SocketAddress::from_ip("0.0.0.0"), {})));
    EXPECT_EQ(network.open_datagram_sockets(), 1U);
  }
  EXPECT_FALSE(socket->closed());
  EXPECT_EQ(socket->native_handle(), -1);
  socket->close();
  EXPECT_TRUE(socket->closed());
}

/// Counts what it is asked to count, and says so. What was counted and asked for again, because the
/// answer was lost, is not to be counted again.
struct Counter {
  // [twice]
  Task<> serve(UDPSocket socket) {
    for (;;) {
      const Datagram request = co_await socket.receive_from();
      const bool is_new = seen.insert(request.bytes).second;
      if (is_new || !careful) ++value;
      co_await socket.send_to(request.bytes, request.from);
    }
  }
  // [/twice]
  bool careful;
  std::set<std::string> seen = {};
  int value = 0;
};

const SeedOptions kRough{.network = {.link = SimLink::rough()}};

Task<> ask(UDPSocket& socket, std::string request, SocketAddress server) {
  for (;;) {
    co_await socket.send_to(request, server);
    try {
      co_await with_timeout(100ms, [](UDPSocket& from, std::string expected) -> Task<> {
        while ((co_await from.receive_from()).bytes != expected) {
        }
      }(socket, request));
      co_return;
    } catch (const TimeoutError&) {
    }
  }
}

Task<> count_to_ten(SimNetwork& network, bool careful) {
  SimHost& server = network.add_host("server");
  Counter counter{.careful = careful};
  server.spawn(counter.serve(UDPSocket(network.loop(), server.address(7))));
  UDPSocket socket(network.loop(), *SocketAddress::from_ip("0.0.0.0"));
  for (int i = 0; i < 10; ++i) co_await ask(socket, std::to_string(i), server.address(7));
  EXPECT_EQ(counter.value, 10);
  co_await network.stop_hosts();
}

TEST(SimDatagrams, ARequestThatComesTwiceIsFound) {
  const auto failure = find_failing_seed(
      1000, [](SimNetwork& network) { return count_to_ten(network, false); }, kRough);
  ASSERT_TRUE(failure);
  EXPECT_TRUE(failure->replays);
}

TEST(SimDatagrams, ARequestThatComesTwiceIsAnsweredTwice) {
  run_seeds(200, [](SimNetwork& network) { return count_to_ten(network, true); }, kRough);
}

}  // namespace
}  // namespace coronado
