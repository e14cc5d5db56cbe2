#include <coronado/net/udp.hpp>

#include <coronado/base/error.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/testing/async_test.hpp>
#include <coronado/testing/sim_network.hpp>

#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <string>

#include "tests/loop/reactor_kinds.hpp"

namespace coronado {
namespace {

using namespace std::chrono_literals;

SocketAddress loopback(const char* ip = "127.0.0.1") { return *SocketAddress::from_ip(ip); }

/// On every reactor; on the simulated one over the simulated network.
class UDPSocketTest : public testing::TestWithParam<ReactorKind> {
 protected:
  template <class Body>
  void run(Body body) {
    run_async(
        [&]() -> Task<> {
          std::optional<SimNetwork> network;
          if (GetParam() == ReactorKind::kSim) network.emplace(*IOLoop::current());
          co_await body();
        },
        {.reactor = GetParam()});
  }
};

INSTANTIATE_TEST_SUITE_P(Reactors, UDPSocketTest, all_reactors(), ReactorName());

TEST_P(UDPSocketTest, DatagramsKeepTheirBounds) {
  run([]() -> Task<> {
    IOLoop& loop = *IOLoop::current();
    for (const char* ip : {"127.0.0.1", "::1"}) {
      UDPSocket left(loop, loopback(ip));
      UDPSocket right(loop, loopback(ip));
      EXPECT_NE(left.local().port, 0);
      co_await left.send_to("one", right.local());
      co_await left.send_to("", right.local());
      co_await left.send_to(std::string(30'000, 'x'), right.local());
      Datagram first = co_await right.receive_from();
      EXPECT_EQ(first.bytes, "one");
      EXPECT_EQ(first.from, left.local());
      EXPECT_FALSE(first.truncated);
      EXPECT_EQ((co_await right.receive_from()).bytes, "");
      EXPECT_EQ((co_await right.receive_from()).bytes, std::string(30'000, 'x'));
    }
  });
}

TEST_P(UDPSocketTest, AReceiveWaits) {
  run([]() -> Task<> {
    IOLoop& loop = *IOLoop::current();
    UDPSocket left(loop, loopback());
    UDPSocket right(loop, loopback());
    TaskHandle<Datagram> receive = loop.spawn(as_task(right.receive_from()));
    co_await sleep(1ms);
    EXPECT_FALSE(receive.done());
    EXPECT_THROW((void)right.receive_from(), std::logic_error);
    co_await right.send_to("the other direction", left.local());
    co_await left.send_to("late", right.local());
    EXPECT_EQ((co_await receive.join()).bytes, "late");
  });
}

TEST_P(UDPSocketTest, WhatIsTooLongIsCutAndSaidSo) {
  run([]() -> Task<> {
    IOLoop& loop = *IOLoop::current();
    UDPSocket left(loop, loopback());
    UDPSocket right(loop, loopback());
    co_await left.send_to("0123456789", right.local());
    co_await left.send_to("0123456789", right.local());
    const Datagram cut = co_await right.receive_from(4);
    EXPECT_EQ(cut.bytes, "0123");
    EXPECT_TRUE(cut.truncated);
    std::array<char, 9> bytes{};
    const DatagramInfo info = co_await right.receive_into(bytes);
    EXPECT_EQ(info.size, 9U);
    EXPECT_TRUE(info.truncated);
    EXPECT_EQ(info.from, left.local());
  });
}

TEST_P(UDPSocketTest, ACancelledReceiveLosesNothing) {
  run([]() -> Task<> {
    IOLoop& loop = *IOLoop::current();
    UDPSocket left(loop, loopback());
    UDPSocket right(loop, loopback());
    int received = 0;
    for (int sent = 0; sent < 100; ++sent) {
      TaskHandle<Datagram> receive = loop.spawn(as_task(right.receive_from()));
      co_await moment();
      co_await left.send_to(std::to_string(sent), right.local());
      if (sent % 3 == 0) co_await moment();
      receive.cancel();
      try {
        const Datagram got = co_await receive.join();
        EXPECT_EQ(got.bytes, std::to_string(received++));
      } catch (const Cancelled&) {
        EXPECT_NE(sent, 100);
      }
    }
    while (received < 100) {
      EXPECT_EQ((co_await right.receive_from()).bytes, std::to_string(received++));
    }
  });
}

TEST_P(UDPSocketTest, AConnectedSocketHearsOfRefusal) {
  run([]() -> Task<> {
    IOLoop& loop = *IOLoop::current();
    UDPSocket left(loop, loopback());
    SocketAddress nobody;
    {
      UDPSocket gone(loop, loopback());
      nobody = gone.local();
    }
    left.connect(nobody);
    co_await left.send("anyone?");
    try {
      co_await left.receive_from();
      ADD_FAILURE();
    } catch (const std::system_error& error) {
      EXPECT_EQ(error.code(), std::errc::connection_refused);
    }
    UDPSocket right(loop, loopback());
    left.connect(right.local());
    co_await left.send("hello");
    EXPECT_EQ((co_await right.receive_from()).bytes, "hello");
  });
}

TEST_P(UDPSocketTest, ErrorsNameTheAddress) {
  run([]() -> Task<> {
    IOLoop& loop = *IOLoop::current();
    UDPSocket first(loop, loopback());
    try {
      UDPSocket second(loop, first.local());
      ADD_FAILURE();
    } catch (const AddressInUseError& error) {
      EXPECT_EQ(error.code(), std::errc::address_in_use);
      EXPECT_EQ(error.address(), to_string(first.local()));
      EXPECT_EQ(error.what(),
                "cannot bind a UDP socket to " + error.address() + ": Address already in use");
    }
    EXPECT_THROW(UDPSocket(loop, SocketAddress::from_path("/x")), BindError);
    EXPECT_THROW(UDPSocket(loop, loopback("192.0.2.1")), BindError);
    EXPECT_THROW(first.connect({}), std::system_error);
    try {
      co_await first.send_to(std::string(70'000, 'x'), first.local());
      ADD_FAILURE();
    } catch (const std::system_error& error) {
      EXPECT_EQ(error.code(), std::errc::message_size);
    }
    EXPECT_THROW(first.join_multicast(loopback()), std::system_error);
    EXPECT_THROW(first.leave_multicast(*SocketAddress::from_ip("239.1.2.3")), std::system_error);
  });
}

TEST_P(UDPSocketTest, ReusePortShares) {
  run([]() -> Task<> {
    IOLoop& loop = *IOLoop::current();
    UDPSocket first(loop, loopback(), {.reuse_port = true});
    UDPSocket second(loop, first.local(), {.reuse_port = true});
    EXPECT_EQ(first.local(), second.local());
    co_return;
  });
}

TEST_P(UDPSocketTest, ClosingEndsWhoWaits) {
  run([]() -> Task<> {
    IOLoop& loop = *IOLoop::current();
    TaskGroup tasks("test", TaskGroup::OnFailure::kHandle);
    UDPSocket socket(loop, loopback());
    TaskHandle<Datagram> receive = tasks.spawn(as_task(socket.receive_from()));
    co_await moment();
    UDPSocket moved = std::move(socket);
    moved.close();
    moved.close();
    EXPECT_TRUE(moved.closed());
    EXPECT_EQ(moved.local(), SocketAddress{});
    EXPECT_THROW((void)co_await receive.join(), StreamClosedError);
    EXPECT_THROW((void)co_await moved.receive_from(), StreamClosedError);
    EXPECT_THROW(co_await moved.send("x"), StreamClosedError);
    EXPECT_THROW(moved.connect(loopback()), StreamClosedError);
  });
}

TEST_P(UDPSocketTest, Multicast) {
  run([]() -> Task<> {
    IOLoop& loop = *IOLoop::current();
    const SocketAddress group = *SocketAddress::from_ip("239.255.77.77");
    UDPSocket socket(loop, *SocketAddress::from_ip("0.0.0.0"));
    try {
      socket.join_multicast(group);
    } catch (const std::system_error&) {
      GTEST_LOG_(INFO) << "no interface for multicast here";
      co_return;
    }
    EXPECT_THROW(socket.join_multicast(group), std::system_error);  // it is in the group already
    socket.leave_multicast(group);
  });
}

}  // namespace
}  // namespace coronado
