#include <coronado/net/listener.hpp>

#include <coronado/base/error.hpp>
#include <coronado/base/log.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/net/iostream.hpp>
#include <coronado/testing/async_test.hpp>
#include <coronado/testing/memory_transport.hpp>
#include <coronado/testing/raw_client.hpp>
#include <coronado/testing/temp_folder.hpp>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

namespace coronado {
namespace {

using namespace std::chrono_literals;

/// A listener that keeps what it is given.
struct Fixture {
  explicit Fixture(ListenerOptions options = {})
      : loop(*IOLoop::current()),
        listener(loop, std::move(options),
                 [this](std::unique_ptr<Transport> transport, ConnectionSlot slot) {
                   connections.push_back(
                       {.slot = std::move(slot), .stream = TCPStream(loop, std::move(transport))});
                 }) {}

  struct Connection {
    ConnectionSlot slot;
    TCPStream stream;
  };

  /// A new connection over the system's sockets.
  TCPStream connect() const { return TCPStream(loop, connect_loopback(loop, listener.port())); }

  /// A new connection in memory; the listener sees it as from `peer`.
  IOStream connect_from(const std::string& peer) {
    auto [near, far] = make_memory_transports(
        loop, {.peer = peer == "unix" ? SocketAddress::from_path("/peer")
                                      : *SocketAddress::from_ip(peer, 1234)});
    listener.accept(std::move(near));
    return IOStream(loop, std::move(far));
  }

  Task<> until_served(std::size_t count) const {
    while (connections.size() < count) co_await sleep(100us);
  }

  IOLoop& loop;
  Listener listener;
  std::vector<Connection> connections;
};

template <class Body>
void run(Body body, ReactorKind reactor = ReactorKind::kEpoll) {
  run_async(body, {.reactor = reactor});
}

/// True when the other side has closed the connection without a word.
Task<bool> turned_away(IOStream& client) {
  try {
    co_return (co_await client.read_some()).empty();
  } catch (const StreamClosedError&) {
    co_return true;
  }
}

// --- sockets -------------------------------------------------------------------------------------

TEST(Listener, ListensOnEveryAddressWithOnePort) {
  run([]() -> Task<> {
    Fixture fixture;
    EXPECT_THROW((void)fixture.listener.port(), std::logic_error);
    fixture.listener.listen(0);
    const std::uint16_t port = fixture.listener.port();
    EXPECT_NE(port, 0);
    for (const SocketAddress& address : fixture.listener.addresses()) {
      EXPECT_EQ(address.port, port) << to_string(address);
    }
    TCPStream client = fixture.connect();
    co_await client.write("hello");
    co_await fixture.until_served(1);
    EXPECT_EQ(co_await fixture.connections[0].stream.read_bytes(5), "hello");
    EXPECT_EQ(fixture.listener.connection_count(), 1U);
    fixture.listener.stop();
    fixture.listener.stop();
    EXPECT_TRUE(fixture.listener.addresses().empty());
    EXPECT_EQ(fixture.listener.port(), port);
    EXPECT_THROW((void)fixture.connect(), std::system_error);
    co_await fixture.connections[0].stream.write("still here");
    EXPECT_EQ(co_await client.read_bytes(10), "still here");
    fixture.connections.clear();
    EXPECT_EQ(fixture.listener.connection_count(), 0U);
  });
}

TEST(Listener, AUnixSocketsFileGoesWithIt) {
  run([]() -> Task<> {
    const TempFolder folder;
    const std::string path = folder.at("socket");
    {
      Fixture fixture;
      fixture.listener.listen_unix(path);
      EXPECT_EQ(fixture.listener.addresses().at(0), SocketAddress::from_path(path));
      fixture.listener.stop();
      EXPECT_FALSE(std::filesystem::exists(path));
      fixture.listener.listen_unix(path);
      // Another server has taken the place: its file stays.
      std::filesystem::remove(path);
      Fixture other;
      other.listener.listen_unix(path);
      fixture.listener.stop();
      EXPECT_TRUE(std::filesystem::exists(path));
    }
    EXPECT_FALSE(std::filesystem::exists(path));
    co_return;
  });
}

/// Leaves room for `count` more descriptors; gives all back at the end.
class ScarceDescriptors {
 public:
  explicit ScarceDescriptors(int count) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit few{.rlim_cur = 200, .rlim_max = before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &few);
    for (int fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC); fd >= 0;
         fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC)) {
      held_.push_back(fd);
    }
    while (count-- > 0) release_one();
  }
  ~ScarceDescriptors() {
    while (!held_.empty()) release_one();
    ::setrlimit(RLIMIT_NOFILE, &before_);
  }
  void release_one() {
    ::close(held_.back());
    held_.pop_back();
  }

 private:
  rlimit before_{};
  std::vector<int> held_;
};

TEST(Listener, SurvivesWhenDescriptorsRunOut) {
  run([]() -> Task<> {
    Fixture fixture;
    fixture.listener.listen(0, {.address = "127.0.0.1"});
    ExpectLog log("accepting connections failed");
    // UndefinedBehaviorSanitizer looks up the type of a sink once, for which it needs a descriptor.
    general_log().info("descriptors are about to run out");
    {
      ScarceDescriptors scarce(5);  // three clients, two for the server
      TCPStream one = fixture.connect();
      TCPStream two = fixture.connect();
      TCPStream three = fixture.connect();
      co_await fixture.until_served(2);
      co_await sleep(250ms);  // it tries again, and fails again: still one line
      EXPECT_EQ(fixture.connections.size(), 2U);
      EXPECT_EQ(log.count(), 1U);
      fixture.connections.erase(fixture.connections.begin());  // one is free at once
      co_await fixture.until_served(2);
      co_await three.write("third");
      EXPECT_EQ(co_await fixture.connections[1].stream.read_bytes(5), "third");
    }
    EXPECT_EQ(log.count(), 1U);
    TCPStream four = fixture.connect();
    co_await fixture.until_served(3);
  });
}

// --- limits --------------------------------------------------------------------------------------

TEST(Listener, MaxConnectionsTurnsAway) {
  run(
      []() -> Task<> {
        Fixture fixture({.max_connections = 2});
        ExpectLog log("connection refused: 2 are open already (max_connections)");
        IOStream one = fixture.connect_from("10.0.0.1");
        IOStream two = fixture.connect_from("10.0.0.1");
        for (int i = 0; i < 10; ++i) {
          IOStream three = fixture.connect_from("10.0.0.1");
          EXPECT_TRUE(co_await turned_away(three));
        }
        EXPECT_EQ(log.count(), 1U);  // no flood
        fixture.connections.pop_back();
        IOStream four = fixture.connect_from("10.0.0.1");
        EXPECT_EQ(fixture.connections.size(), 2U);
        co_await sleep(10s);
        IOStream five = fixture.connect_from("10.0.0.1");
        EXPECT_TRUE(co_await turned_away(five));
        EXPECT_EQ(log.count(), 2U);
      },
      ReactorKind::kSim);
}

TEST(Listener, MaxConnectionsPerPeerCountsAddressesAndNetworks) {
  run(
      []() -> Task<> {
        Fixture fixture({.max_connections_per_peer = 2});
        ExpectLog log("2 are open already from 10.0.0.1 (max_connections_per_peer)");
        const auto served = [&](const std::string& peer) {
          const std::size_t before = fixture.connections.size();
          fixture.connect_from(peer);
          return fixture.connections.size() > before;
        };
        EXPECT_TRUE(served("10.0.0.1"));
        EXPECT_TRUE(served("10.0.0.1"));
        EXPECT_FALSE(served("10.0.0.1"));
        EXPECT_TRUE(served("10.0.0.2"));
        EXPECT_TRUE(served("2001:db8::1"));
        EXPECT_TRUE(served("2001:db8::ffff:1"));
        EXPECT_FALSE(served("2001:db8::2"));     // the same 64 bits
        EXPECT_TRUE(served("2001:db8:0:1::1"));  // others
        for (int i = 0; i < 5; ++i) EXPECT_TRUE(served("unix"));
        fixture.connections.erase(fixture.connections.begin());
        EXPECT_TRUE(served("10.0.0.1"));
        EXPECT_FALSE(served("10.0.0.1"));
        EXPECT_EQ(fixture.listener.connection_count(), fixture.connections.size());
        co_return;
      },
      ReactorKind::kSim);
}

TEST(Listener, ASlotMayOutliveIt) {
  run(
      []() -> Task<> {
        std::vector<Fixture::Connection> connections;
        {
          Fixture fixture({.max_connections_per_peer = 1});
          fixture.connect_from("10.0.0.1");
          connections = std::move(fixture.connections);
        }
        connections.clear();
        co_return;
      },
      ReactorKind::kSim);
}

// --- filters -------------------------------------------------------------------------------------

TEST(Listener, FiltersStandInARow) {
  run(
      []() -> Task<> {
        Fixture fixture;
        std::string order;
        bool refuse = false;
        fixture.listener.add_filter([&](std::unique_ptr<Transport> transport) {
          order += 'a';
          return transport;
        });
        fixture.listener.add_filter([&](std::unique_ptr<Transport> transport) {
          order += 'b';
          if (refuse) transport.reset();
          return transport;
        });
        fixture.connect_from("10.0.0.1");
        EXPECT_EQ(order, "ab");
        EXPECT_EQ(fixture.connections.size(), 1U);
        refuse = true;
        fixture.connect_from("10.0.0.1");
        EXPECT_EQ(fixture.connections.size(), 1U);
        EXPECT_EQ(fixture.listener.connection_count(), 1U);
        fixture.listener.add_filter([](std::unique_ptr<Transport>) -> std::unique_ptr<Transport> {
          throw std::runtime_error("no filter today");
        });
        refuse = false;
        ExpectLog log("a connection from 10.0.0.9:1234 could not be served: no filter today");
        fixture.connect_from("10.0.0.9");
        EXPECT_EQ(log.count(), 1U);
        EXPECT_EQ(fixture.listener.connection_count(), 1U);
        co_return;
      },
      ReactorKind::kSim);
}

// --- the PROXY protocol --------------------------------------------------------------------------

using Mode = ProxyProtocolOptions::Mode;

ListenerOptions proxied(Mode mode, std::vector<std::string> trusted = {}) {
  return {.proxy = {.mode = mode, .trusted = std::move(trusted)}};
}

TEST(Listener, TheProxyHeaderNamesThePeer) {
  run(
      []() -> Task<> {
        Fixture fixture(proxied(Mode::kRequired));
        IOStream client = fixture.connect_from("10.0.0.1");
        EXPECT_EQ(fixture.listener.connection_count(), 1U);
        for (const char byte : std::string_view("PROXY TCP4 1.2.3.4 5.6.7.8 99 80\r")) {
          client.write_nowait(std::string(1, byte));
          co_await sleep(1ms);
        }
        EXPECT_TRUE(fixture.connections.empty());
        client.write_nowait("\nfirst");
        co_await fixture.until_served(1);
        TCPStream& stream = fixture.connections[0].stream;
        EXPECT_EQ(to_string(stream.peer()), "1.2.3.4:99");
        EXPECT_EQ(to_string(stream.local()), "5.6.7.8:80");
        EXPECT_EQ(co_await stream.read_bytes(5), "first");
        client.write_nowait("second");
        EXPECT_EQ(co_await stream.read_bytes(6), "second");
        co_await stream.write("answer");
        EXPECT_EQ(co_await client.read_bytes(6), "answer");
        client.close();
        EXPECT_EQ(co_await stream.read_some(), "");
        EXPECT_EQ(fixture.listener.connection_count(), 1U);
      },
      ReactorKind::kSim);
}

TEST(Listener, HeaderBytesAndEndInOneDelivery) {
  run(
      []() -> Task<> {
        Fixture fixture(proxied(Mode::kRequired));
        IOStream client = fixture.connect_from("10.0.0.1");
        client.write_nowait("PROXY UNKNOWN\r\nall of it");
        client.close();
        co_await fixture.until_served(1);
        TCPStream& stream = fixture.connections[0].stream;
        EXPECT_EQ(to_string(stream.peer()), "10.0.0.1:1234");
        EXPECT_EQ(co_await stream.read_until_close(), "all of it");
      },
      ReactorKind::kSim);
}

TEST(Listener, OnlyTrustedPeersSendProxyHeaders) {
  run(
      []() -> Task<> {
        Fixture fixture(proxied(Mode::kFromTrusted, {"10.0.0.0/8", "unix", "::1"}));
        IOStream stranger = fixture.connect_from("11.0.0.1");
        EXPECT_EQ(fixture.connections.size(), 1U);
        stranger.write_nowait("PROXY TCP4 1.2.3.4 5.6.7.8 99 80\r\n");
        EXPECT_EQ(co_await fixture.connections[0].stream.read_bytes(5), "PROXY");
        EXPECT_EQ(to_string(fixture.connections[0].stream.peer()), "11.0.0.1:1234");
        std::size_t served = 1;
        for (const std::string trusted : {"10.9.9.9", "unix", "::1"}) {
          IOStream client = fixture.connect_from(trusted);
          EXPECT_EQ(fixture.connections.size(), served);
          client.write_nowait("PROXY TCP4 1.2.3.4 5.6.7.8 99 80\r\n");
          co_await fixture.until_served(++served);
          EXPECT_EQ(to_string(fixture.connections.back().stream.peer()), "1.2.3.4:99");
        }
      },
      ReactorKind::kSim);
}

TEST(Listener, AWrongLateOrMissingProxyHeaderCloses) {
  run(
      []() -> Task<> {
        Fixture fixture(proxied(Mode::kRequired));
        IOStream wrong = fixture.connect_from("10.0.0.1");
        wrong.write_nowait("GET / HTTP/1.1\r\n");
        EXPECT_TRUE(co_await turned_away(wrong));
        IOStream gone = fixture.connect_from("10.0.0.1");
        gone.write_nowait("PROXY ");
        gone.close();
        IOStream late = fixture.connect_from("10.0.0.1");
        const TimePoint begin = fixture.loop.now();
        EXPECT_TRUE(co_await turned_away(late));
        EXPECT_GE(fixture.loop.now() - begin, 5s);
        EXPECT_LT(fixture.loop.now() - begin, 5s + 10ms);
        EXPECT_EQ(fixture.listener.connection_count(), 0U);
        EXPECT_TRUE(fixture.connections.empty());
        IOStream stopped = fixture.connect_from("10.0.0.1");
        fixture.listener.stop();
        EXPECT_TRUE(co_await turned_away(stopped));
      },
      ReactorKind::kSim);
}

TEST(Listener, ThePeersThatAProxyNamesAreCounted) {
  run(
      []() -> Task<> {
        ListenerOptions options = proxied(Mode::kRequired);
        options.max_connections_per_peer = 1;
        Fixture fixture(options);
        ExpectLog log("1 are open already from 1.2.3.4 (max_connections_per_peer)");
        IOStream one = fixture.connect_from("10.0.0.1");
        one.write_nowait("PROXY TCP4 1.2.3.4 5.6.7.8 99 80\r\n");
        IOStream two = fixture.connect_from("10.0.0.1");
        two.write_nowait("PROXY TCP4 1.2.3.5 5.6.7.8 99 80\r\n");
        co_await fixture.until_served(2);
        IOStream three = fixture.connect_from("10.0.0.1");
        three.write_nowait("PROXY TCP4 1.2.3.4 5.6.7.8 98 80\r\n");
        EXPECT_TRUE(co_await turned_away(three));
      },
      ReactorKind::kSim);
}

TEST(Listener, ATrustedNetworkThatIsNoneIsNamed) {
  IOLoop loop({.reactor = ReactorKind::kSim});
  try {
    Listener listener(loop, proxied(Mode::kFromTrusted, {"10.0.0.0/99"}),
                      [](std::unique_ptr<Transport>, ConnectionSlot) {});
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_STREQ(error.what(), "trusted proxies: \"10.0.0.0/99\" is no network");
  }
}

}  // namespace
}  // namespace coronado
