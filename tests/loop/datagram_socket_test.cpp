#include <coronado/loop/datagram_socket.hpp>

#include <coronado/base/error.hpp>
#include <coronado/loop/reactor.hpp>

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/loop/reactor_kinds.hpp"

namespace coronado {
namespace {

/// A bound socket that writes down what it is told.
struct Bound final : DatagramHandler {
  explicit Bound(Reactor& reactor, const UDPOptions& options = {})
      : socket(reactor.bind_datagrams(*SocketAddress::from_ip("127.0.0.1"), options, *this)) {}
  void on_datagrams(unsigned events) noexcept override {
    told.push_back(events);
    if (then) then();
  }
  std::string receive() const {
    std::array<char, 100> bytes{};
    DatagramInfo info;
    return socket->receive(bytes, info) ? std::string(bytes.data(), info.size) : "nothing";
  }

  std::vector<unsigned> told;
  std::function<void()> then;
  std::unique_ptr<DatagramSocket> socket;
};

class DatagramSocketTest : public testing::TestWithParam<ReactorKind> {
 protected:
  DatagramSocketTest() { reactor_->set_probe(probe_); }
  void look() {
    for (int i = 0; i < 3; ++i) reactor_->wait(TimePoint::min());
  }

  StepProbe probe_;
  std::unique_ptr<Reactor> reactor_ = make_reactor(GetParam());
  Bound left_{*reactor_};
  Bound right_{*reactor_};
};

INSTANTIATE_TEST_SUITE_P(Reactors, DatagramSocketTest, real_reactors(), ReactorName());

TEST_P(DatagramSocketTest, ReadinessIsToldAsLongAsItLasts) {
  right_.socket->watch(Reactor::kRead);
  look();
  EXPECT_TRUE(right_.told.empty());
  EXPECT_TRUE(left_.socket->send("hello", right_.socket->local()));
  look();
  EXPECT_GE(right_.told.size(), 2U);
  EXPECT_EQ(right_.told.front(), Reactor::kRead);
  EXPECT_EQ(right_.receive(), "hello");
  EXPECT_EQ(right_.receive(), "nothing");
  look();  // io_uring may have told of it already
  right_.told.clear();
  look();
  EXPECT_TRUE(right_.told.empty());
}

TEST_P(DatagramSocketTest, OnlyWhatIsWatchedIsTold) {
  EXPECT_TRUE(left_.socket->send("hello", right_.socket->local()));
  right_.socket->watch(Reactor::kWrite);
  look();
  ASSERT_FALSE(right_.told.empty());
  EXPECT_EQ(right_.told.front(), Reactor::kWrite);
  right_.socket->watch(0);
  look();
  right_.told.clear();
  look();
  EXPECT_TRUE(right_.told.empty());
  right_.socket->watch(Reactor::kRead | Reactor::kWrite);
  look();
  ASSERT_FALSE(right_.told.empty());
  EXPECT_EQ(right_.told.front(), Reactor::kRead | Reactor::kWrite);
}

TEST_P(DatagramSocketTest, DestroyedInsideItsHandler) {
  right_.then = [this] { right_.socket.reset(); };
  right_.socket->watch(Reactor::kRead);
  EXPECT_TRUE(left_.socket->send("hello", right_.socket->local()));
  look();
  EXPECT_EQ(right_.told.size(), 1U);
  EXPECT_EQ(right_.socket, nullptr);
}

TEST_P(DatagramSocketTest, AnAddressBelongsToOneUnlessShared) {
  try {
    Bound other(*reactor_);
    other.socket.reset();
    other.socket = reactor_->bind_datagrams(left_.socket->local(), {}, other);
    ADD_FAILURE();
  } catch (const AddressInUseError& error) {
    EXPECT_EQ(error.address(), to_string(left_.socket->local()));
  }
  Bound first(*reactor_, {.reuse_port = true});
  const auto second = reactor_->bind_datagrams(first.socket->local(), {.reuse_port = true}, first);
  EXPECT_EQ(second->local(), first.socket->local());
}

}  // namespace
}  // namespace coronado
