#include "loop/uring_reactor.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <string>
#include <thread>

namespace coronado {
namespace {

struct Ignore final : TransportHandler {
  void on_receive(std::span<char> bytes) noexcept override { received += bytes.size(); }
  void on_receive_end(std::error_code) noexcept override {}
  void on_drained() noexcept override {}
  std::size_t received = 0;
};

/// A pair of sockets, one of them a transport of the reactor.
struct Pair {
  explicit Pair(Reactor& reactor) {
    std::array<int, 2> sockets{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, sockets.data()),
              0);
    peer = sockets[1];
    transport = reactor.adopt(sockets[0]);
    transport->start(handler);
  }
  ~Pair() { ::close(peer); }
  Ignore handler;
  int peer = -1;
  std::unique_ptr<Transport> transport;
};

class UringReactorTest : public testing::Test {
 protected:
  void SetUp() override {
    try {
      reactor_ = make_uring_reactor();
    } catch (const std::system_error& error) {
      GTEST_SKIP() << error.what();
    }
    reactor_->set_probe(probe_);
  }
  void look(int times = 3) {
    for (int i = 0; i < times; ++i) reactor_->wait(TimePoint::min());
  }
  StepProbe probe_;
  std::unique_ptr<Reactor> reactor_;
};

TEST_F(UringReactorTest, EndsWhileOperationsAreInFlight) {
  auto pair = std::make_unique<Pair>(*reactor_);
  look();
  ASSERT_EQ(::send(pair->peer, "unseen", 6, 0), 6);
  pair->transport.reset();  // and no turn follows
  reactor_.reset();
  EXPECT_EQ(pair->handler.received, 0U);
}

TEST_F(UringReactorTest, EndsBeforeItsFirstTurn) {
  Pair pair(*reactor_);
  pair.transport->write("from the destructor");
  pair.transport.reset();
  reactor_.reset();
  std::array<char, 32> buffer;
  EXPECT_EQ(::recv(pair.peer, buffer.data(), buffer.size(), 0), 19);
}

TEST_F(UringReactorTest, EndsOnAnotherThreadThanTheOneItRanOn) {
  std::unique_ptr<Pair> pair;
  std::thread([&] {
    pair = std::make_unique<Pair>(*reactor_);
    look();
    pair->transport.reset();
  }).join();
  reactor_.reset();
}

TEST_F(UringReactorTest, WritesOfOneTurnLeaveTogether) {
  Pair pair(*reactor_);
  look();
  for (int i = 0; i < 5; ++i) pair.transport->write("piece ");
  std::array<char, 64> buffer;
  EXPECT_EQ(::recv(pair.peer, buffer.data(), buffer.size(), 0), -1);
  look(1);
  EXPECT_EQ(::recv(pair.peer, buffer.data(), buffer.size(), 0), 30);
}

TEST_F(UringReactorTest, TheEndLeavesBehindTheLastOutput) {
  for (const bool used : {false, true}) {
    Pair pair(*reactor_);
    look();
    if (used) {  // then the receive that is to be cancelled is one that goes on
      ASSERT_EQ(::send(pair.peer, "request", 7, 0), 7);
      look();
    }
    pair.transport->write("last words");
    pair.transport.reset();
    std::array<char, 64> buffer;
    EXPECT_EQ(::recv(pair.peer, buffer.data(), buffer.size(), 0), -1);
    look();
    EXPECT_EQ(::recv(pair.peer, buffer.data(), buffer.size(), 0), 10);
    EXPECT_EQ(::recv(pair.peer, buffer.data(), buffer.size(), 0), 0);
  }
}

TEST_F(UringReactorTest, WhatTheSystemDoesNotTakeAtTheEndIsDiscarded) {
  Pair pair(*reactor_);
  look();
  const int small = 4096;
  ::setsockopt(pair.transport->native_handle(), SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
  pair.transport->write(std::string(60'000, 'x'));
  pair.transport.reset();
  look();
  std::string buffer(100'000, '\0');
  std::size_t got = 0;
  ssize_t n = 0;
  while ((n = ::recv(pair.peer, buffer.data(), buffer.size(), 0)) > 0) {
    got += static_cast<std::size_t>(n);
  }
  EXPECT_EQ(n, 0);  // the end, at once
  EXPECT_GT(got, 0U);
  EXPECT_LT(got, 60'000U);
}

TEST_F(UringReactorTest, WhoAsksWhatIsPendingHasItSent) {
  Pair pair(*reactor_);
  look();
  pair.transport->write("piece");
  EXPECT_EQ(pair.transport->pending(), 0U);
  std::array<char, 64> buffer;
  EXPECT_EQ(::recv(pair.peer, buffer.data(), buffer.size(), 0), 5);
}

TEST_F(UringReactorTest, ManySmallWritesOfOneTurnLeaveBeforeItsEnd) {
  Pair pair(*reactor_);
  look();
  for (int i = 0; i < 100; ++i) pair.transport->write(std::string(1000, 'x'));
  std::string buffer(200'000, '\0');
  EXPECT_GE(::recv(pair.peer, buffer.data(), buffer.size(), 0), 64'000);
}

}  // namespace
}  // namespace coronado
