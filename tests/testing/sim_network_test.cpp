#include <coronado/testing/sim_network.hpp>

#include <coronado/coro/locks.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/net/tcpclient.hpp>
#include <coronado/testing/expect_log.hpp>
#include <coronado/testing/virtual_time.hpp>

#include <gtest/gtest.h>

#include "tests/testing/sim_peers.hpp"

namespace coronado {
namespace {

using namespace std::chrono_literals;
using namespace sim_test;

TEST(SimNetwork, ConnectionsAreMadeAfterARoundTrip) {
  Net net({.link = {.latency = 10ms}});
  Listener listener(net, net.server, 80);
  auto transport = net.connect(net.server.address(80));
  EXPECT_EQ(net.elapsed(), 20ms);
  EXPECT_EQ(to_string(transport->peer()), "10.0.0.2:80");
  EXPECT_EQ(to_string(transport->local()), "10.0.0.3:40000");
  ASSERT_EQ(listener.accepted.size(), 1U);
  EXPECT_EQ(to_string(listener.accepted[0]->transport->peer()), "10.0.0.3:40000");
  EXPECT_EQ(to_string(listener.accepted[0]->transport->local()), "10.0.0.2:80");
  EXPECT_EQ(net.network.open_transports(), 2U);
}

TEST(SimNetwork, NobodyListens) {
  Net net({.link = {.latency = 10ms}});
  net.expect_error(net.server.address(80), std::errc::connection_refused);
  EXPECT_EQ(net.elapsed(), 20ms);
}

TEST(SimNetwork, UnknownAddressesAreUnreachable) {
  Net net;
  net.expect_error(*SocketAddress::from_ip("10.9.9.9", 80), std::errc::host_unreachable);
  EXPECT_EQ(net.elapsed(), 3s);
}

TEST(SimNetwork, MessagesNameTheAddress) {
  Net net;
  try {
    net.connect(net.server.address(80));
    FAIL();
  } catch (const std::system_error& error) {
    EXPECT_STREQ(error.what(), "cannot connect to 10.0.0.2:80: Connection refused");
  }
}

TEST(SimNetwork, SilentAddressesTimeOut) {
  Net net({.connect_timeout = 60s});
  net.network.set_answer(net.server.address(), SimNetwork::Answer::kSilent);
  Listener listener(net, net.server, 80);
  net.expect_error(net.server.address(80), std::errc::timed_out);
  EXPECT_EQ(net.elapsed(), 60s);
  net.network.set_answer(net.server.address(), SimNetwork::Answer::kUsual);
  EXPECT_NE(net.connect(net.server.address(80)), nullptr);
}

TEST(SimNetwork, RefusingAddresses) {
  Net net;
  Listener listener(net, net.server, 80);
  net.network.set_answer(net.server.address(), SimNetwork::Answer::kRefuses);
  net.expect_error(net.server.address(80), std::errc::connection_refused);
}

TEST(SimNetwork, FullBacklogMakesTheClientTryAgain) {
  Net net({.link = {.latency = 1ms}});
  Listener listener(net, net.server, 80, {.backlog = 1});
  listener.acceptor->pause();
  auto first = net.connect(net.server.address(80));
  auto second = net.loop.spawn(net.client.run(connect_to(net.server.address(80))));
  run_for(net.loop, 2s);
  EXPECT_FALSE(second.done());
  listener.acceptor->resume();
  run_for(net.loop, 2s);
  ASSERT_TRUE(second.done());
  EXPECT_NE(second.result(), nullptr);
  EXPECT_EQ(listener.accepted.size(), 2U);
}

TEST(SimNetwork, AcceptErrorsLeaveTheConnectionInTheQueue) {
  Net net;
  Listener listener(net, net.server, 80);
  net.server.fail_accepts(1);
  auto transport = net.connect(net.server.address(80));
  EXPECT_EQ(listener.errors, std::vector{std::make_error_code(std::errc::too_many_files_open)});
  EXPECT_TRUE(listener.accepted.empty());
  listener.acceptor->resume();
  settle(net.loop);
  EXPECT_EQ(listener.accepted.size(), 1U);
}

TEST(SimNetwork, AcceptErrorsByChance) {
  Net net({.accept_failure = 1});
  Listener listener(net, net.server, 80);
  auto transport = net.connect(net.server.address(80));
  EXPECT_EQ(listener.errors.size(), 1U);
}

TEST(SimNetwork, ListeningErrorsNameTheAddress) {
  Net net;
  Listener listener(net, net.server, 80);
  const auto attempt = [&](const SocketAddress& address) -> std::string {
    try {
      const Listener other(net, net.server, address);
    } catch (const std::system_error& error) {
      return error.what();
    }
    return "listens";
  };
  EXPECT_EQ(attempt(net.server.address(80)),
            "cannot listen on 10.0.0.2:80: Address already in use");
  EXPECT_EQ(attempt(*SocketAddress::from_ip("10.9.9.9", 80)),
            "cannot listen on 10.9.9.9:80: Cannot assign requested address");
  EXPECT_EQ(attempt({}), "cannot listen on : Invalid argument");
  EXPECT_EQ(attempt(net.server.address(81)), "listens");
}

TEST(SimNetwork, PortZeroIsChosen) {
  Net net;
  Listener listener(net, net.server, 0);
  const SocketAddress local = listener.acceptor->local();
  EXPECT_NE(local.port, 0);
  EXPECT_NE(net.connect(net.server.address(local.port)), nullptr);
}

TEST(SimNetwork, WildcardsAndLoopbackBelongToTheirHost) {
  Net net;
  Listener everywhere(net, net.server, *SocketAddress::from_ip("0.0.0.0", 80));
  Listener inside(net, net.server, *SocketAddress::from_ip("127.0.0.1", 81));
  EXPECT_NE(net.connect(net.server.address(80)), nullptr);
  net.expect_error(*SocketAddress::from_ip("127.0.0.1", 81), std::errc::connection_refused);
  net.expect_error(net.server.address(81), std::errc::connection_refused);
  auto connect = connect_to(*SocketAddress::from_ip("127.0.0.1", 81));
  EXPECT_NE(net.loop.run_sync(net.server.run(std::move(connect))), nullptr);
}

TEST(SimNetwork, UnixSocketsStayOnTheirHost) {
  Net net;
  Listener listener(net, net.server, SocketAddress::from_path("/run/app.sock"));
  net.expect_error(SocketAddress::from_path("/run/app.sock"), std::errc::connection_refused);
  auto connect = connect_to(SocketAddress::from_path("/run/app.sock"));
  EXPECT_NE(net.loop.run_sync(net.server.run(std::move(connect))), nullptr);
}

TEST(SimNetwork, HostsWithSeveralAddresses) {
  Net net;
  SimHost& both = net.network.add_host("both", {"192.0.2.1", "2001:db8::1"});
  Listener four(net, both, *SocketAddress::from_ip("192.0.2.1", 80));
  Listener six(net, both, *SocketAddress::from_ip("::", 80));
  EXPECT_NE(net.connect(*SocketAddress::from_ip("192.0.2.1", 80)), nullptr);
  // The client has no address of that family.
  EXPECT_THROW(net.connect(*SocketAddress::from_ip("2001:db8::1", 80)), std::system_error);
  auto connect = connect_to(*SocketAddress::from_ip("2001:db8::1", 80));
  EXPECT_NE(net.loop.run_sync(both.run(std::move(connect))), nullptr);
}

TEST(SimNetwork, ConnectsFromTheSourceAskedFor) {
  Net net;
  Listener listener(net, net.server, 80);
  auto connect = connect_to(net.server.address(80), {.source = net.client.address(1234)});
  auto transport = net.loop.run_sync(std::move(connect));
  EXPECT_EQ(to_string(transport->local()), "10.0.0.3:1234");
  connect = connect_to(net.server.address(80), {.source = *SocketAddress::from_ip("10.9.9.9")});
  EXPECT_THROW(net.loop.run_sync(std::move(connect)), std::system_error);
}

TEST(SimNetwork, ConnectingCanBeCancelled) {
  Net net({.link = {.latency = 10ms}});
  Listener listener(net, net.server, 80);
  for (const Duration wait : {5ms, 15ms, 19ms}) {
    auto connect = net.client.run(connect_to(net.server.address(80)));
    EXPECT_THROW(net.loop.run_sync(std::move(connect), wait), TimeoutError);
  }
  run_for(net.loop, 1s);
  // The first had not arrived; the others were accepted, and then reset.
  ASSERT_EQ(listener.accepted.size(), 2U);
  EXPECT_EQ(listener.accepted[0]->error, std::errc::connection_reset);
  listener.accepted.clear();
  EXPECT_EQ(net.network.open_transports(), 0U);
}

TEST(SimNetwork, ClosedListenersResetWhoWaits) {
  Net net;
  auto listener = std::make_unique<Listener>(net, net.server, 80);
  listener->acceptor->pause();
  Peer client(net.connect(net.server.address(80)));
  listener.reset();
  run_for(net.loop, 1s);
  EXPECT_EQ(client.error, std::errc::connection_reset);
  net.expect_error(net.server.address(80), std::errc::connection_refused);
}

TEST(SimNetwork, PlannedRefusalsAndSilence) {
  Net net({.connect_timeout = 10s});
  Listener listener(net, net.server, 80);
  net.network.inject({.kind = SimFault::Kind::kRefuse, .connection = 1});
  net.network.inject({.kind = SimFault::Kind::kBlackhole, .connection = 2});
  EXPECT_NE(net.connect(net.server.address(80)), nullptr);
  net.expect_error(net.server.address(80), std::errc::connection_refused);
  net.expect_error(net.server.address(80), std::errc::timed_out);
  EXPECT_NE(net.connect(net.server.address(80)), nullptr);
  EXPECT_EQ(net.network.connections_made(), 4U);
}

TEST(SimNetwork, RefusalsAndSilenceByChance) {
  Net net({.link = {.refuse = 1}});
  Listener listener(net, net.server, 80);
  net.expect_error(net.server.address(80), std::errc::connection_refused);
  net.network.set_link({.blackhole = 1});
  net.expect_error(net.server.address(80), std::errc::timed_out);
  // A way of its own.
  net.network.set_link(net.client, net.server, {});
  EXPECT_NE(net.connect(net.server.address(80)), nullptr);
}

TEST(SimNetwork, PartitionsHealAndNothingIsLost) {
  Net net;
  Listener listener(net, net.server, 80);
  Peer client(net.connect(net.server.address(80)));
  Peer& server = *listener.accepted.at(0);
  net.network.partition(net.client, net.server);
  client.transport->write("hello");
  client.transport->shutdown_write();
  run_for(net.loop, 60s);
  EXPECT_EQ(server.received, "");
  net.network.heal(net.client, net.server);
  run_for(net.loop, 1s);
  EXPECT_EQ(server.received, "hello");
  EXPECT_TRUE(server.ended);
  EXPECT_FALSE(server.error);
}

TEST(SimNetwork, LongPartitionsTimeOut) {
  Net net({.retransmit_timeout = 100s});
  Listener listener(net, net.server, 80);
  Peer client(net.connect(net.server.address(80)));
  Peer& server = *listener.accepted.at(0);
  net.network.partition(net.client, net.server);
  client.transport->write("hello");
  run_for(net.loop, 99s);
  EXPECT_FALSE(client.ended);
  run_for(net.loop, 2s);
  EXPECT_EQ(client.error, std::errc::timed_out);
  EXPECT_FALSE(server.ended);  // it has sent nothing, so it has noticed nothing
  net.expect_error(net.server.address(80), std::errc::timed_out);
}

TEST(SimNetwork, ConnectingWaitsForTheEndOfAPartition) {
  Net net;
  Listener listener(net, net.server, 80);
  net.network.partition(net.client, net.server);
  net.loop.call_later(5s, [&] { net.network.heal(net.client, net.server); });
  EXPECT_NE(net.connect(net.server.address(80)), nullptr);
  EXPECT_GE(net.elapsed(), 5s);
  EXPECT_LE(net.elapsed(), 8s);
}

Task<> sleep_and_tell(bool& told) {
  struct AtEnd {
    explicit AtEnd(bool& to_set) : flag(to_set) {}
    ~AtEnd() { flag = true; }
    bool& flag;
  } const at_end(told);
  co_await sleep(24h);
}

TEST(SimNetwork, CrashesLeaveHalfOpenConnections) {
  Net net;
  Listener listener(net, net.server, 80);
  bool ended = false;
  net.server.spawn(sleep_and_tell(ended));
  Peer client(net.connect(net.server.address(80)));
  net.server.crash();
  EXPECT_FALSE(net.server.is_up());
  listener.accepted.at(0)->transport->write("nobody hears this");
  run_for(net.loop, 10s);
  EXPECT_TRUE(ended);
  EXPECT_FALSE(client.ended);
  net.server.restart();
  run_for(net.loop, 10s);
  EXPECT_FALSE(client.ended);
  net.expect_error(net.server.address(80), std::errc::connection_refused);
  client.transport->write("anybody there?");
  run_for(net.loop, 1s);
  EXPECT_EQ(client.error, std::errc::connection_reset);
  EXPECT_EQ(client.received, "");
}

TEST(SimNetwork, ACrashedHostAnswersAgain) {
  Net net;
  net.server.crash();
  net.loop.call_later(10s, [&] { net.server.restart(); });
  std::optional<Listener> listener;
  net.loop.call_later(11s, [&] { listener.emplace(net, net.server, 80); });
  EXPECT_NE(net.connect(net.server.address(80)), nullptr);
  bool ended = false;
  auto task = net.server.spawn(sleep_and_tell(ended));
  settle(net.loop);
  EXPECT_FALSE(ended);  // what is spawned after a crash lives
  net.loop.run_sync(net.network.stop_hosts());
  EXPECT_TRUE(ended);
}

TEST(SimNetwork, TasksBelongToTheirHost) {
  Net net;
  Listener listener(net, net.server, 80);
  std::unique_ptr<Transport> made;
  net.client.spawn([](Net& all, std::unique_ptr<Transport>& to) -> Task<> {
    co_await with_group([&](TaskGroup& group) -> Task<> {
      group.spawn([](Net& inner, std::unique_ptr<Transport>& out) -> Task<> {
        out = co_await connect_to(inner.server.address(80));
      }(all, to));
      co_return;
    });
  }(net, made));
  run_for(net.loop, 1s);
  EXPECT_EQ(made->local().host(), "10.0.0.3");
  // Without a host a connection comes from "local".
  made = net.loop.run_sync(connect_to(net.server.address(80)));
  EXPECT_EQ(made->local().host(), "10.0.0.1");
}

TEST(SimNetwork, HostsAreFoundByName) {
  Net net;
  EXPECT_EQ(&net.network.host("server"), &net.server);
  EXPECT_EQ(net.network.host("local").address(7).port, 7);
  EXPECT_THROW(net.network.host("nobody"), std::invalid_argument);
  EXPECT_THROW(net.network.add_host("server"), std::invalid_argument);
  EXPECT_THROW(net.network.add_host("other", {"10.0.0.2"}), std::invalid_argument);
  EXPECT_THROW(net.network.add_host("other", {"example.org"}), std::invalid_argument);
}

TEST(SimNetwork, NamesAnswerInTurn) {
  Net net;
  const std::shared_ptr<SimNames> names = net.network.names();
  using Reason = ResolveError::Reason;
  const SocketAddress one = *SocketAddress::from_ip("10.0.0.2", 80);
  const SocketAddress two = *SocketAddress::from_ip("10.0.0.3", 80);
  names->set("example.org", {{.addresses = {one}, .delay = 2s, .ttl = 5s},
                             {.error = Reason::kTimeout},
                             {.addresses = {two}}});
  const auto ask = [&](std::string name, AddressFamily family = AddressFamily::kAny) {
    return net.loop.run_sync(names->resolve(std::move(name), 80, family));
  };
  const Resolution first = ask("example.org");
  EXPECT_EQ(first.addresses, std::vector{one});
  EXPECT_EQ(first.ttl, 5s);
  EXPECT_GE(net.elapsed(), 2s);
  EXPECT_LT(net.elapsed(), 2001ms);
  const auto reason = [&](std::string name, AddressFamily family = AddressFamily::kAny) {
    try {
      ask(std::move(name), family);
    } catch (const ResolveError& error) {
      return error.reason();
    }
    return Reason::kMalformed;
  };
  EXPECT_EQ(reason("example.org"), Reason::kTimeout);
  EXPECT_EQ(ask("example.org").addresses, std::vector{two});
  EXPECT_EQ(ask("example.org").addresses, std::vector{two});
  EXPECT_EQ(ask("client").addresses, std::vector{net.client.address(80)});
  EXPECT_EQ(ask("10.0.0.2").addresses, std::vector{one});
  EXPECT_EQ(reason("nobody"), Reason::kNoSuchName);
  EXPECT_EQ(reason("client", AddressFamily::kIPv6), Reason::kNoAddress);
  EXPECT_EQ(names->lookups(), 8U);
  EXPECT_THROW(names->set("example.org", {}), std::invalid_argument);
  names->set("slow", {{.addresses = {one}, .delay = 1h}});
  EXPECT_THROW(net.loop.run_sync(names->resolve("slow", 80), 1s), TimeoutError);
}

TEST(SimNetwork, ClientsFindTheirWayByName) {
  Net net({.link = {.latency = 10ms}});
  SimHost& both = net.network.add_host("both", {"2001:db8::1", "192.0.2.1"});
  SimHost& visitor = net.network.add_host("visitor", {"2001:db8::2", "192.0.2.2"});
  Listener four(net, both, *SocketAddress::from_ip("192.0.2.1", 80));
  Listener six(net, both, *SocketAddress::from_ip("2001:db8::1", 80));
  TCPClient client(net.network.names());
  const auto peer = [&] {
    return net.loop.run_sync(visitor.run(client.connect_transport("both", 80)))->peer().host();
  };
  EXPECT_EQ(peer(), "2001:db8::1");
  // The first address is silent: the other one gets its chance after 250 ms.
  net.network.set_answer(both.address(), SimNetwork::Answer::kSilent);
  const TimePoint begin = net.loop.now();
  EXPECT_EQ(peer(), "192.0.2.1");
  EXPECT_GE(net.loop.now() - begin, 250ms);
  EXPECT_LE(net.loop.now() - begin, 300ms);
  net.network.partition(both, visitor);
  EXPECT_THROW(peer(), ConnectError);
}

TEST(SimNetwork, TheClockLeaps) {
  Net net;
  bool late = false;
  net.loop.call_later(10s, [&] { late = true; });
  net.network.leap(1h);
  EXPECT_EQ(net.elapsed(), 1h);
  settle(net.loop);
  EXPECT_TRUE(late);
}

TEST(SimNetwork, TheProcessOversleeps) {
  Net net({.stall = 1, .max_stall = 1s});
  int early = 0;
  for (int i = 0; i < 100; ++i) {
    const TimePoint begin = net.loop.now();
    net.loop.run_sync(as_task(sleep(10ms)));
    const Duration took = net.loop.now() - begin;
    EXPECT_GE(took, 10ms);
    EXPECT_LE(took, 1011ms);
    if (took < 500ms) ++early;
  }
  EXPECT_GT(early, 20);
  EXPECT_LT(early, 80);
}

TEST(SimNetwork, OneNetworkALoop) {
  Net net;
  EXPECT_THROW(SimNetwork(net.loop, {}), std::logic_error);
  IOLoop real({.reactor = ReactorKind::kEpoll});
  EXPECT_THROW(SimNetwork(real, {}), std::logic_error);
}

TEST(SimNetwork, ConnectionsMayOutliveIt) {
  IOLoop loop({.reactor = ReactorKind::kSim});
  std::unique_ptr<Transport> left;
  Peer peer;
  {
    SimNetwork network(loop);
    Listener listener(loop, network.host("local"), network.host("local").address(80));
    left = loop.run_sync(connect_to(network.host("local").address(80)));
    left->start(peer);
    left->write("hello");
  }
  left->write("hello?");
  settle(loop);
  EXPECT_EQ(left->pending(), 0U);
  EXPECT_FALSE(peer.ended);
  left.reset();
}

TEST(SimNetwork, ItsEndStopsTheHosts) {
  bool ended = false;
  IOLoop loop({.reactor = ReactorKind::kSim});
  {
    SimNetwork network(loop);
    network.add_host("server").spawn(sleep_and_tell(ended));
    settle(loop);
  }
  EXPECT_TRUE(ended);
}

TEST(SimNetwork, AHostsFailingTaskIsLogged) {
  const ExpectLog expected("broken");
  Net net;
  net.server.spawn([]() -> Task<> {
    co_await moment();
    throw std::runtime_error("broken");
  }());
  settle(net.loop);
}

TEST(SimNetwork, ItsLogCanBeRead) {
  Net net({.link = {.latency = 10ms}, .log_lines = 4});
  Listener listener(net, net.server, 80);
  Peer client(net.connect(net.server.address(80)));
  client.transport->write("hello");
  run_for(net.loop, 15ms);
  EXPECT_EQ(net.network.log(),
            "... 2 lines before\n"
            "     0.010000000 #0 server accepts\n"
            "     0.020000000 #0 client is connected\n"
            "     0.020000000 #0 client sends 5\n"
            "     0.030000000 #0 server reads 5\n");
  net.network.note("that was all");
  EXPECT_TRUE(net.network.log().ends_with(" that was all\n"));
  EXPECT_EQ(net.network.event_count(), 7U);
}

}  // namespace
}  // namespace coronado
