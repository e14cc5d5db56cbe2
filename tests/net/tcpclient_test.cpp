#include <coronado/net/tcpclient.hpp>

#include <coronado/base/error.hpp>
#include <coronado/coro/locks.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/net/netutil.hpp>
#include <coronado/testing/async_test.hpp>
#include <coronado/testing/memory_transport.hpp>
#include <coronado/testing/sim_network.hpp>
#include <coronado/testing/temp_folder.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <random>
#include <stdexcept>

namespace coronado {
namespace {

using namespace std::chrono_literals;
using Phase = ConnectError::Phase;
using testing::ElementsAre;
using testing::HasSubstr;

/// A network on paper: what happens to an attempt with each address, and when. Everything that
/// happens is noted with its virtual time.
class PaperNetwork final : public Connector {
 public:
  struct Fate {
    Duration after = 0s;
    std::errc error{};  // none: connected
  };

  Task<std::unique_ptr<Transport>> connect(SocketAddress to, ConnectOptions options) override {
    const std::string address = to.host();
    note("try " + address);
    source = options.source;
    ++running;
    bool cancelled = false;
    const auto fate = fates.find(address);
    try {
      co_await sleep(fate == fates.end() ? 1h : fate->second.after);
    } catch (const Cancelled&) {
      cancelled = true;
    }
    --running;
    if (cancelled) {
      note("stop " + address);
      throw Cancelled{};
    }
    if (fate->second.error != std::errc{}) {
      throw std::system_error(std::make_error_code(fate->second.error));
    }
    note("win " + address);
    auto ends = make_memory_transports(*IOLoop::current(), {.peer = to});
    co_return std::move(ends.first);
  }

  /// Virtual time since the start; timers may be late by the tick of the loop's wheel.
  Duration elapsed() const {
    return std::chrono::round<std::chrono::milliseconds>(IOLoop::current()->now() - start);
  }
  void note(const std::string& what) {
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(elapsed());
    events.push_back(std::to_string(ms.count()) + " " + what);
  }

  std::map<std::string, Fate> fates;
  std::vector<std::string> events;
  SocketAddress source;
  int running = 0;
  TimePoint start = IOLoop::current()->now();
};

/// Answers with the two families at the times it is told.
class PaperResolver final : public Resolver {
 public:
  using Resolver::resolve;
  Task<Resolution> resolve(ResolveRequest request) override {
    asked_family = request.family;
    Resolution found;
    const bool six_first = six_after <= four_after;
    co_await sleep(std::min(six_after, four_after));
    const std::vector<SocketAddress> first = parse(six_first ? six : four, request.port);
    if (!first.empty() && six_after != four_after && request.on_first_family) {
      request.on_first_family(first);
    }
    co_await sleep(std::max(six_after, four_after) - std::min(six_after, four_after));
    if (failure) throw ResolveError(request.host, *failure);
    found.addresses = parse(six, request.port);
    for (SocketAddress& address : parse(four, request.port)) {
      found.addresses.push_back(std::move(address));
    }
    if (four_preferred) std::ranges::reverse(found.addresses);
    co_return found;
  }

  static std::vector<SocketAddress> parse(const std::vector<std::string>& ips, std::uint16_t port) {
    std::vector<SocketAddress> addresses;
    for (const std::string& ip : ips) addresses.push_back(*SocketAddress::from_ip(ip, port));
    return addresses;
  }

  std::vector<std::string> six;
  std::vector<std::string> four;
  Duration six_after = 0s;
  Duration four_after = 0s;
  bool four_preferred = false;
  std::optional<ResolveError::Reason> failure;
  AddressFamily asked_family{};
};

struct Fixture {
  std::shared_ptr<PaperResolver> names = std::make_shared<PaperResolver>();
  std::shared_ptr<PaperNetwork> network = std::make_shared<PaperNetwork>();
  TCPClient client{names, network};

  /// The address of the winner.
  Task<std::string> connect(TCPConnectOptions options = {}) {
    const auto transport = co_await client.connect_transport("host.test", 80, options);
    EXPECT_EQ(network->running, 0);
    co_return transport->peer().host();
  }
  Task<ConnectError> failure(TCPConnectOptions options = {}) {
    try {
      const auto transport = co_await client.connect_transport("host.test", 80, options);
      ADD_FAILURE() << "connected to " << to_string(transport->peer());
    } catch (const ConnectError& error) {
      EXPECT_EQ(network->running, 0);
      co_return error;
    }
    co_return ConnectError("", Phase::kConnect, {}, "");
  }
};

// --- the race, on paper ------------------------------------------------------------------------

TEST(TCPClient, TheFirstAddressThatAnswersWins) {
  run_async([]() -> Task<> {
    Fixture fix;
    fix.names->six = {"2001:db8::1", "2001:db8::2"};
    fix.names->four = {"192.0.2.1", "192.0.2.2"};
    fix.network->fates["192.0.2.2"] = {100ms};
    EXPECT_EQ(co_await fix.connect(), "192.0.2.2");
    std::vector<std::string>& events = fix.network->events;
    EXPECT_EQ(events.size(), 8U);
    std::sort(events.begin() + std::min<std::ptrdiff_t>(5, std::ssize(events)),
              events.end());  // the losers stop in any order
    EXPECT_THAT(events, ElementsAre("0 try 2001:db8::1", "250 try 192.0.2.1", "500 try 2001:db8::2",
                                    "750 try 192.0.2.2", "850 win 192.0.2.2", "850 stop 192.0.2.1",
                                    "850 stop 2001:db8::1", "850 stop 2001:db8::2"));
  });
}

TEST(TCPClient, AQuickAnswerNeedsOneAttempt) {
  run_async([]() -> Task<> {
    Fixture fix;
    fix.names->six = {"2001:db8::1"};
    fix.names->four = {"192.0.2.1"};
    fix.network->fates["2001:db8::1"] = {249ms};
    EXPECT_EQ(co_await fix.connect(), "2001:db8::1");
    EXPECT_THAT(fix.network->events, ElementsAre("0 try 2001:db8::1", "249 win 2001:db8::1"));
  });
}

TEST(TCPClient, AfterAFailureTheNextIsTriedAtOnce) {
  run_async([]() -> Task<> {
    Fixture fix;
    fix.names->six = {"2001:db8::1"};
    fix.names->four = {"192.0.2.1", "192.0.2.2"};
    fix.network->fates["2001:db8::1"] = {0ms, std::errc::network_unreachable};
    fix.network->fates["192.0.2.1"] = {30ms, std::errc::connection_refused};
    fix.network->fates["192.0.2.2"] = {10ms};
    EXPECT_EQ(co_await fix.connect(), "192.0.2.2");
    EXPECT_THAT(fix.network->events, ElementsAre("0 try 2001:db8::1", "0 try 192.0.2.1",
                                                 "30 try 192.0.2.2", "40 win 192.0.2.2"));
  });
}

TEST(TCPClient, TheResolversOrderSaysWhichFamilyBegins) {
  run_async([]() -> Task<> {
    Fixture fix;
    fix.names->six = {"2001:db8::1"};
    fix.names->four = {"192.0.2.1"};
    fix.names->four_preferred = true;
    fix.network->fates["192.0.2.1"] = {1ms};
    EXPECT_EQ(co_await fix.connect(), "192.0.2.1");
    EXPECT_THAT(fix.network->events, ElementsAre("0 try 192.0.2.1", "1 win 192.0.2.1"));
  });
}

TEST(TCPClient, IPv6AddressesAreUsedBeforeTheOthersAreKnown) {
  run_async([]() -> Task<> {
    Fixture fix;
    fix.names->six = {"2001:db8::1"};
    fix.names->four = {"192.0.2.1"};
    fix.names->four_after = 400ms;
    fix.network->fates["192.0.2.1"] = {10ms};
    EXPECT_EQ(co_await fix.connect(), "192.0.2.1");
    EXPECT_THAT(fix.network->events, ElementsAre("0 try 2001:db8::1", "400 try 192.0.2.1",
                                                 "410 win 192.0.2.1", "410 stop 2001:db8::1"));
  });
}

TEST(TCPClient, IPv4AddressesWaitAMomentForIPv6) {
  run_async([]() -> Task<> {
    Fixture fix;
    fix.names->six = {"2001:db8::1"};
    fix.names->four = {"192.0.2.1"};
    fix.names->six_after = 40ms;
    fix.network->fates["2001:db8::1"] = {10ms};
    EXPECT_EQ(co_await fix.connect(), "2001:db8::1");
    EXPECT_THAT(fix.network->events, ElementsAre("40 try 2001:db8::1", "50 win 2001:db8::1"));
  });
}

TEST(TCPClient, IPv4AddressesDoNotWaitLongForIPv6) {
  run_async([]() -> Task<> {
    Fixture fix;
    fix.names->six = {"2001:db8::1"};
    fix.names->four = {"192.0.2.1"};
    fix.names->six_after = 5s;
    fix.network->fates["192.0.2.1"] = {10ms};
    EXPECT_EQ(co_await fix.connect(), "192.0.2.1");
    EXPECT_THAT(fix.network->events, ElementsAre("50 try 192.0.2.1", "60 win 192.0.2.1"));
  });
}

TEST(TCPClient, AddressesThatComeLateAreStillTried) {
  run_async([]() -> Task<> {
    Fixture fix;
    fix.names->six = {"2001:db8::1"};
    fix.names->four = {"192.0.2.1"};
    fix.names->six_after = 2s;
    fix.network->fates["192.0.2.1"] = {10ms, std::errc::connection_refused};
    fix.network->fates["2001:db8::1"] = {10ms};
    EXPECT_EQ(co_await fix.connect(), "2001:db8::1");
    EXPECT_THAT(fix.network->events,
                ElementsAre("50 try 192.0.2.1", "2000 try 2001:db8::1", "2010 win 2001:db8::1"));
  });
}

// --- errors ------------------------------------------------------------------------------------

TEST(TCPClient, TheErrorListsEveryAttempt) {
  run_async([]() -> Task<> {
    Fixture fix;
    fix.names->six = {"2001:db8::1"};
    fix.names->four = {"192.0.2.1"};
    fix.network->fates["192.0.2.1"] = {1ms, std::errc::connection_refused};
    const ConnectError error = co_await fix.failure({.attempt_timeout = 3s});
    EXPECT_EQ(error.phase(), Phase::kConnect);
    EXPECT_STREQ(error.what(),
                 "cannot connect to host.test:80: 192.0.2.1:80 Connection refused; "
                 "[2001:db8::1]:80 timed out after 3 s");
    EXPECT_EQ(error.code(), std::errc::timed_out);
    EXPECT_EQ(error.attempts().front().code, std::errc::connection_refused);
  });
}

TEST(TCPClient, ANameThatDoesNotResolve) {
  run_async([]() -> Task<> {
    Fixture fix;
    fix.names->failure = ResolveError::Reason::kNoSuchName;
    const ConnectError error = co_await fix.failure();
    EXPECT_EQ(error.phase(), Phase::kResolve);
    EXPECT_EQ(error.resolve_reason(), ResolveError::Reason::kNoSuchName);
    EXPECT_STREQ(error.what(),
                 "cannot connect to host.test:80: cannot resolve host.test: no such name");
  });
}

TEST(TCPClient, AResolverThatNeverAnswers) {
  run_async([]() -> Task<> {
    Fixture fix;
    fix.names->six_after = fix.names->four_after = 1h;
    const ConnectError error = co_await fix.failure({.resolve_timeout = 2500ms});
    EXPECT_EQ(error.phase(), Phase::kResolve);
    EXPECT_EQ(error.resolve_reason(), ResolveError::Reason::kTimeout);
    EXPECT_EQ(error.code(), std::errc::timed_out);
    EXPECT_THAT(error.what(), HasSubstr("gave up after 2.5 s"));
    EXPECT_EQ(fix.network->elapsed(), 2500ms);
  });
}

TEST(TCPClient, ALimitOnEverythingSaysWhatWasGoingOn) {
  run_async([]() -> Task<> {
    Fixture fix;
    fix.names->four = {"192.0.2.1", "192.0.2.2"};
    fix.network->fates["192.0.2.1"] = {100ms, std::errc::host_unreachable};
    ConnectError error = co_await fix.failure({.timeout = 700ms});
    EXPECT_STREQ(error.what(),
                 "cannot connect to host.test:80: gave up after 700 ms; 192.0.2.1:80 No route to "
                 "host; 192.0.2.2:80 timed out after 600 ms");
    EXPECT_EQ(error.code(), std::errc::timed_out);
    fix.names->four_after = fix.names->six_after = 1h;
    error = co_await fix.failure({.timeout = 2s});
    EXPECT_EQ(error.phase(), Phase::kResolve);
    EXPECT_THAT(error.what(), HasSubstr("gave up after 2 s while its name was looked up"));
  });
}

TEST(TCPClient, OptionsOutOfRangeAreRefused) {
  run_async([]() -> Task<> {
    Fixture fix;
    int refused = 0;
    for (const TCPConnectOptions& options :
         {TCPConnectOptions{.timeout = -1s}, TCPConnectOptions{.attempt_delay = 1ms},
          TCPConnectOptions{.source = SocketAddress::from_path("/x")},
          TCPConnectOptions{.source = *SocketAddress::from_ip("127.0.0.1"),
                            .source_interface = "lo"}}) {
      try {
        co_await fix.client.connect_transport("host.test", 80, options);
      } catch (const std::invalid_argument&) {
        ++refused;
      }
    }
    EXPECT_EQ(refused, 4);
  });
}

// --- options -----------------------------------------------------------------------------------

TEST(TCPClient, TheSourceAddressDecidesTheFamily) {
  run_async([]() -> Task<> {
    Fixture fix;
    fix.names->six = {"2001:db8::1"};
    fix.names->four = {"192.0.2.1"};
    fix.network->fates["192.0.2.1"] = {1ms};
    TCPConnectOptions options{.source = *SocketAddress::from_ip("192.0.2.77", 4000)};
    EXPECT_EQ(co_await fix.connect(options), "192.0.2.1");
    EXPECT_EQ(to_string(fix.network->source), "192.0.2.77:4000");
    fix.names->four.clear();
    const ConnectError error = co_await fix.failure(options);
    EXPECT_THAT(error.what(), HasSubstr("source address 192.0.2.77"));
  });
}

TEST(TCPClient, TheSourceInterfaceHasAnAddressForEachFamily) {
  run_async([]() -> Task<> {
    Fixture fix;
    fix.names->four = {"192.0.2.1"};
    fix.network->fates["192.0.2.1"] = {1ms};
    EXPECT_EQ(co_await fix.connect({.source_interface = "lo"}), "192.0.2.1");
    EXPECT_EQ(to_string(fix.network->source), "127.0.0.1:0");
    const ConnectError error = co_await fix.failure({.source_interface = "nosuch0"});
    EXPECT_EQ(error.phase(), ConnectError::Phase::kConnect);
    EXPECT_EQ(error.code(), std::errc::no_such_device);
    EXPECT_THAT(error.what(), HasSubstr("there is no network interface \"nosuch0\""));
  });
}

TEST(TCPClient, TheFamilyGoesToTheResolver) {
  run_async([]() -> Task<> {
    Fixture fix;
    fix.names->six = {"2001:db8::1"};
    fix.network->fates["2001:db8::1"] = {1ms};
    co_await fix.connect({.family = AddressFamily::kIPv6});
    EXPECT_EQ(fix.names->asked_family, AddressFamily::kIPv6);
  });
}

/// An upgrade that takes its time, then fails or gives the transport back.
class SlowUpgrade final : public TransportUpgrade {
 public:
  Task<std::unique_ptr<Transport>> upgrade(std::unique_ptr<Transport> transport,
                                           std::string name) override {
    host = name;
    co_await sleep(5s);
    if (fails) throw std::runtime_error("bad certificate");
    co_return transport;
  }
  std::string host;
  bool fails = false;
};

TEST(TCPClient, AnUpgradeIsAPhaseOfItsOwn) {
  run_async([]() -> Task<> {
    Fixture fix;
    SlowUpgrade upgrade;
    fix.names->four = {"192.0.2.1"};
    fix.network->fates["192.0.2.1"] = {1ms};
    EXPECT_EQ(co_await fix.connect({.upgrade = &upgrade}), "192.0.2.1");
    EXPECT_EQ(upgrade.host, "host.test");
    upgrade.fails = true;
    ConnectError error = co_await fix.failure({.upgrade = &upgrade});
    EXPECT_EQ(error.phase(), Phase::kUpgrade);
    EXPECT_STREQ(error.what(), "cannot connect to host.test:80: bad certificate (192.0.2.1:80)");
    error = co_await fix.failure({.upgrade_timeout = 1s, .upgrade = &upgrade});
    EXPECT_EQ(error.code(), std::errc::timed_out);
    EXPECT_THAT(error.what(), HasSubstr("the handshake timed out after 1 s"));
    error = co_await fix.failure({.timeout = 2s, .upgrade = &upgrade});
    EXPECT_THAT(error.what(), HasSubstr("gave up after 2 s during the handshake"));
  });
}

// --- cancellation ------------------------------------------------------------------------------

TEST(TCPClient, CancellingEndsEveryAttempt) {
  for (const Duration when : {0ms, 5ms, 30ms, 260ms, 600ms}) {
    run_async([&]() -> Task<> {
      Fixture fix;
      fix.names->six = {"2001:db8::1", "2001:db8::2"};
      fix.names->four = {"192.0.2.1"};
      fix.names->six_after = fix.names->four_after = 10ms;
      TaskGroup group("client", TaskGroup::OnFailure::kHandle);
      TaskHandle<std::string> handle = group.spawn(fix.connect());
      co_await sleep(when);
      handle.cancel();
      bool cancelled = false;
      try {
        co_await handle.join();
      } catch (const Cancelled&) {
        cancelled = true;
      }
      EXPECT_TRUE(cancelled);
      EXPECT_EQ(fix.network->running, 0);
      EXPECT_EQ(fix.network->elapsed(), when);
    });
  }
}

// Every mixture of names, fates, limits and cancellation: what remains is nothing, and the winner is
// an address that answered.
TEST(TCPClient, ThousandsOfRandomRacesLeaveNothingRunning) {
  std::mt19937 random(8305);
  const auto below = [&](int limit) {
    return static_cast<int>(random() % static_cast<unsigned>(limit));
  };
  int connected = 0;
  int failed = 0;
  int cancelled = 0;
  for (int round = 0; round < 3000; ++round) {
    run_async([&]() -> Task<> {
      Fixture fix;
      for (int i = below(4); i > 0; --i) fix.names->six.push_back("2001:db8::" + std::to_string(i));
      for (int i = below(4); i > 0; --i) fix.names->four.push_back("192.0.2." + std::to_string(i));
      fix.names->six_after = below(3) * 40ms;
      fix.names->four_after = below(3) * 40ms;
      if (fix.names->six.empty() && fix.names->four.empty()) {
        fix.names->failure = ResolveError::Reason::kNoAddress;
      }
      for (const auto* ips : {&fix.names->six, &fix.names->four}) {
        for (const std::string& ip : *ips) {
          const std::errc fate = below(3) == 0 ? std::errc{} : std::errc::connection_refused;
          if (below(3) > 0) fix.network->fates[ip] = {below(8) * 90ms, fate};
        }
      }
      TCPConnectOptions options{.timeout = (1 + below(20)) * 100ms, .attempt_timeout = 800ms};
      TaskGroup group("client", TaskGroup::OnFailure::kHandle);
      TaskHandle<std::unique_ptr<Transport>> handle =
          group.spawn(fix.client.connect_transport("host.test", 80, options));
      const bool cancel = below(4) == 0;
      if (cancel) {
        co_await sleep(below(600) * 1ms);
        handle.cancel();
      }
      try {
        const auto transport = co_await handle.join();
        const auto fate = fix.network->fates.find(transport->peer().host());
        EXPECT_TRUE(fate != fix.network->fates.end() && fate->second.error == std::errc{});
        ++connected;
      } catch (const ConnectError&) {
        ++failed;
      } catch (const Cancelled&) {
        EXPECT_TRUE(cancel);
        ++cancelled;
      }
      EXPECT_EQ(fix.network->running, 0);
      // Whoever is to cancel sleeps that long in any case.
      const Duration longest =
          cancel ? std::max<Duration>(options.timeout, 600ms) : options.timeout;
      EXPECT_LE(fix.network->elapsed(), longest + 1ms);
    });
  }
  EXPECT_GT(connected, 500);
  EXPECT_GT(failed, 500);
  EXPECT_GT(cancelled, 200);
  EXPECT_EQ(connected + failed + cancelled, 3000);
}

// --- over a simulated network --------------------------------------------------------------------

/// Given connections, which it keeps.
class Keeper final : public AcceptHandler {
 public:
  void on_accept(std::unique_ptr<Transport> transport) noexcept override {
    accepted.push_back(std::move(transport));
  }
  void on_accept_error(std::error_code) noexcept override { ADD_FAILURE(); }
  Task<> listen(SocketAddress where) {
    acceptor = IOLoop::current()->reactor().listen(where, {}, *this);
    co_return;
  }
  std::vector<std::unique_ptr<Transport>> accepted;
  std::unique_ptr<Acceptor> acceptor;
};

TEST(TCPClient, RacesOverASimulatedNetwork) {
  run_async([]() -> Task<> {
    SimNetwork network(*IOLoop::current(), {.link = {.latency = 20ms}});
    SimHost& server = network.add_host("server", {"192.0.2.1", "192.0.2.2", "192.0.2.3"});
    network.set_answer(*SocketAddress::from_ip("192.0.2.1", 80), SimNetwork::Answer::kSilent);
    network.set_answer(*SocketAddress::from_ip("192.0.2.2", 80), SimNetwork::Answer::kRefuses);
    Keeper keeper;
    co_await server.run(keeper.listen(*SocketAddress::from_ip("192.0.2.3", 80)));
    const auto names = std::make_shared<PaperResolver>();
    names->four = {"192.0.2.1", "192.0.2.2", "192.0.2.3"};
    TCPClient client(names);
    const TimePoint start = IOLoop::current()->now();
    auto transport = co_await client.connect_transport("host.test", 80);
    EXPECT_EQ(transport->peer().host(), "192.0.2.3");
    const Duration took = IOLoop::current()->now() - start;
    EXPECT_GE(took, 330ms);  // 250 beside the silent one, a refusal there and back, a handshake
    EXPECT_LT(took, 335ms);
    co_await sleep(1s);
    EXPECT_EQ(keeper.accepted.size(), 1U);
    EXPECT_EQ(network.open_transports(), 2U);  // both ends of the winner
    transport.reset();
    keeper.accepted.clear();
    keeper.acceptor.reset();
  });
}

// --- real sockets ------------------------------------------------------------------------------

constexpr AsyncTestOptions kReal{.reactor = ReactorKind::kEpoll};

/// Counts what it is given.
class Counter final : public AcceptHandler {
 public:
  void on_accept(std::unique_ptr<Transport> transport) noexcept override {
    accepted.push_back(std::move(transport));
    changed.set();
  }
  void on_accept_error(std::error_code) noexcept override { ADD_FAILURE(); }
  std::vector<std::unique_ptr<Transport>> accepted;
  Event changed;
};

TEST(TCPClient, ConnectsToLocalhost) {
  run_async(
      []() -> Task<> {
        Counter counter;
        auto acceptor =
            IOLoop::current()->reactor().listen(*SocketAddress::from_ip("127.0.0.1"), {}, counter);
        TCPClient client;
        const std::uint16_t port = acceptor->local().port;
        const auto transport = co_await client.connect_transport("localhost", port);
        EXPECT_EQ(transport->peer(), acceptor->local());
        co_await counter.changed.wait();
        EXPECT_EQ(counter.accepted.size(), 1U);
      },
      kReal);
}

TEST(TCPClient, MakesAStream) {
  run_async(
      []() -> Task<> {
        Counter counter;
        auto acceptor =
            IOLoop::current()->reactor().listen(*SocketAddress::from_ip("127.0.0.1"), {}, counter);
        TCPClient client;
        TCPStream stream = co_await client.connect("localhost", acceptor->local().port);
        co_await counter.changed.wait();
        TCPStream served(*IOLoop::current(), std::move(counter.accepted.front()));
        co_await stream.write("ping");
        EXPECT_EQ(co_await served.read_bytes(4), "ping");
        EXPECT_EQ(stream.peer(), acceptor->local());
        EXPECT_EQ(served.peer(), stream.local());
        TCPStream direct = co_await client.connect(acceptor->local());
        EXPECT_EQ(direct.peer(), acceptor->local());
      },
      kReal);
}

TEST(TCPClient, ComesFromTheSourceAddress) {
  run_async(
      []() -> Task<> {
        Counter counter;
        auto acceptor =
            IOLoop::current()->reactor().listen(*SocketAddress::from_ip("127.0.0.1"), {}, counter);
        TCPClient client;
        const auto transport = co_await client.connect_transport(
            "127.0.0.1", acceptor->local().port, {.source = *SocketAddress::from_ip("127.0.0.2")});
        co_await counter.changed.wait();
        EXPECT_EQ(counter.accepted.front()->peer().host(), "127.0.0.2");
      },
      kReal);
}

TEST(TCPClient, ARefusedPortIsNamed) {
  run_async(
      []() -> Task<> {
        std::uint16_t port = 0;
        {
          const std::vector<Socket> sockets = bind_sockets(0, {.address = "127.0.0.1"});
          port = local_port(sockets.front());
        }
        TCPClient client;
        std::string text;
        try {
          co_await client.connect_transport("127.0.0.1", port);
        } catch (const ConnectError& error) {
          EXPECT_EQ(error.code(), std::errc::connection_refused);
          text = error.what();
        }
        const std::string place = "127.0.0.1:" + std::to_string(port);
        EXPECT_EQ(text, "cannot connect to " + place + ": " + place + " Connection refused");
        try {
          co_await connect_to(*SocketAddress::from_ip("127.0.0.1", port));
          ADD_FAILURE() << "connected";
        } catch (const std::system_error& error) {
          EXPECT_EQ(std::string(error.what()),
                    "cannot connect to " + place + ": Connection refused");
        }
      },
      kReal);
}

TEST(TCPClient, ConnectsToAUnixSocket) {
  run_async(
      []() -> Task<> {
        const TempFolder folder;
        const SocketAddress address = SocketAddress::from_path(folder.at("socket"));
        Counter counter;
        auto acceptor = IOLoop::current()->reactor().listen(address, {}, counter);
        TCPClient client;
        const auto transport = co_await client.connect_transport(address);
        co_await counter.changed.wait();
        acceptor.reset();
        ::unlink(address.path().c_str());
        std::string text;
        try {
          co_await client.connect_transport(address);
        } catch (const ConnectError& error) {
          EXPECT_EQ(error.code(), std::errc::no_such_file_or_directory);
          text = error.what();
        }
        EXPECT_THAT(text, HasSubstr(to_string(address)));
      },
      kReal);
}

TEST(TCPClient, ACancelledConnectClosesItsSocket) {
  run_async(
      []() -> Task<> {
        // A full backlog: the kernel drops the handshakes that come then, so connecting hangs.
        const std::vector<Socket> sockets = bind_sockets(0, {.address = "127.0.0.1", .backlog = 1});
        const SocketAddress address =
            *SocketAddress::from_ip("127.0.0.1", local_port(sockets.front()));
        std::vector<std::unique_ptr<Transport>> filling;
        bool hung = false;
        while (!hung && filling.size() < 16) {
          try {
            filling.push_back(co_await with_timeout(50ms, connect_to(address)));
          } catch (const TimeoutError&) {
            hung = true;
          }
        }
        EXPECT_TRUE(hung);
      },
      kReal);
}

}  // namespace
}  // namespace coronado
