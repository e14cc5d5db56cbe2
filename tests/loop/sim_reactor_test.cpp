#include <coronado/loop/virtual_network.hpp>

#include <gtest/gtest.h>

#include <stdexcept>
#include <system_error>
#include <vector>

namespace coronado {
namespace {

using namespace std::chrono_literals;

class SimReactorTest : public testing::Test {
 protected:
  SimReactorTest() { reactor_->set_probe(probe_); }
  StepProbe probe_;
  std::unique_ptr<Reactor> reactor_ = make_reactor(ReactorKind::kSim);
};

TEST_F(SimReactorTest, WaitingJumps) {
  const TimePoint begin = reactor_->now();
  EXPECT_TRUE(reactor_->wait(begin + 1000h));
  EXPECT_EQ(reactor_->now(), begin + 1000h);
  EXPECT_TRUE(reactor_->wait(begin));
  EXPECT_EQ(reactor_->now(), begin + 1000h);
}

TEST_F(SimReactorTest, TwoOfThemSeeTheSameClock) {
  EXPECT_EQ(reactor_->now(), make_reactor(ReactorKind::kSim)->now());
}

TEST_F(SimReactorTest, WithoutTimersNothingCanHappen) {
  EXPECT_FALSE(reactor_->wait(TimePoint::max()));
  reactor_->wake();
  EXPECT_TRUE(reactor_->wait(TimePoint::max()));
}

/// A network on which something happens once.
struct OneEvent final : VirtualNetwork {
  std::unique_ptr<Acceptor> listen(const SocketAddress&, const ListenOptions&,
                                   AcceptHandler&) override {
    throw std::runtime_error("listen");
  }
  std::unique_ptr<Connecting> connect(const SocketAddress&, const ConnectOptions&,
                                      ConnectHandler&) override {
    throw std::runtime_error("connect");
  }
  std::unique_ptr<DatagramSocket> bind_datagrams(const SocketAddress&, const UDPOptions&,
                                                 DatagramHandler&) override {
    throw std::runtime_error("bind");
  }
  TimePoint next_due() const noexcept override { return due; }
  TimePoint wake_up(TimePoint until) noexcept override { return until + late; }
  void deliver(TimePoint now) noexcept override {
    if (due > now) return;
    delivered.push_back(now);
    due = TimePoint::max();
  }
  TimePoint due = TimePoint::max();
  Duration late{};
  std::vector<TimePoint> delivered;
};

TEST_F(SimReactorTest, TimePassesUntilTheNetworksNextEvent) {
  OneEvent network;
  attach_network(*reactor_, &network);
  const TimePoint begin = reactor_->now();
  network.due = begin + 1s;
  EXPECT_TRUE(reactor_->wait(begin + 500ms));
  EXPECT_TRUE(network.delivered.empty());
  EXPECT_TRUE(reactor_->wait(TimePoint::max()));
  EXPECT_EQ(network.delivered, std::vector{begin + 1s});
  EXPECT_EQ(reactor_->wake_time(), begin + 1s);
  EXPECT_FALSE(reactor_->wait(TimePoint::max()));
  network.late = 5s;
  EXPECT_TRUE(reactor_->wait(begin + 2s));
  EXPECT_EQ(reactor_->now(), begin + 7s);
  attach_network(*reactor_, nullptr);
}

TEST_F(SimReactorTest, ConnectsListensAndBindsOnItsNetwork) {
  struct Ignore final : AcceptHandler, ConnectHandler, DatagramHandler {
    void on_accept(std::unique_ptr<Transport>) noexcept override {}
    void on_accept_error(std::error_code) noexcept override {}
    void on_connect(std::unique_ptr<Transport>) noexcept override {}
    void on_connect_error(std::error_code) noexcept override {}
    void on_datagrams(unsigned) noexcept override {}
  } ignore;
  EXPECT_THROW(reactor_->listen({}, {}, ignore), std::system_error);
  EXPECT_THROW(reactor_->connect({}, {}, ignore), std::system_error);
  EXPECT_THROW(reactor_->bind_datagrams({}, {}, ignore), std::system_error);
  OneEvent network;
  attach_network(*reactor_, &network);
  EXPECT_THROW(attach_network(*reactor_, &network), std::logic_error);
  EXPECT_THROW(reactor_->listen({}, {}, ignore), std::runtime_error);
  EXPECT_THROW(reactor_->connect({}, {}, ignore), std::runtime_error);
  EXPECT_THROW(reactor_->bind_datagrams({}, {}, ignore), std::runtime_error);
  attach_network(*reactor_, nullptr);
}

TEST_F(SimReactorTest, OnlySimulatedTimeLeaps) {
  const TimePoint begin = reactor_->now();
  leap_clock(*reactor_, 1h);
  EXPECT_EQ(reactor_->now(), begin + 1h);
  leap_clock(*reactor_, -1h);
  EXPECT_EQ(reactor_->now(), begin + 1h);
  const auto real = make_reactor(ReactorKind::kEpoll);
  EXPECT_THROW(leap_clock(*real, 1h), std::logic_error);
  OneEvent network;
  EXPECT_THROW(attach_network(*real, &network), std::logic_error);
}

TEST_F(SimReactorTest, HasNoDescriptors) {
  struct Ignore final : PollHandler, AcceptHandler {
    void on_poll(int, unsigned) noexcept override {}
    void on_accept(std::unique_ptr<Transport>) noexcept override {}
    void on_accept_error(std::error_code) noexcept override {}
  } ignore;
  EXPECT_THROW(reactor_->adopt(0), std::system_error);
  EXPECT_THROW(reactor_->accept_from(0, ignore), std::system_error);
  EXPECT_THROW(reactor_->add_poll(0, ignore, Reactor::kRead), std::system_error);
  EXPECT_THROW(reactor_->modify_poll(0, Reactor::kRead), std::system_error);
  reactor_->remove_poll(0);
}

}  // namespace
}  // namespace coronado
