#include <coronado/loop/transport.hpp>

#include <cerrno>

#include "tests/loop/transport_fixture.hpp"

namespace coronado {
namespace {

class TransportSendTest : public TransportTest {};
INSTANTIATE_TEST_SUITE_P(Reactors, TransportSendTest, real_reactors(), ReactorName());

TEST_P(TransportSendTest, SendsAtOnceOrInTheTurn) {
  look();
  transport_->write("now");
  transport_->write(" and here");
  look(1);
  EXPECT_EQ(transport_->pending(), 0U);
  EXPECT_EQ(drain_peer(), "now and here");
  look();
  EXPECT_EQ(recorder_.drains, 0);  // nothing was refused
}

TEST_P(TransportSendTest, ShutdownSendsWhatWasWrittenAndTheEndAtOnce) {
  look();
  transport_->write("last words");
  transport_->shutdown_write();
  EXPECT_EQ(drain_peer(), "last words");
  EXPECT_EQ(::recv(peer_, nullptr, 0, 0), 0);
}

TEST_P(TransportSendTest, WhatWasWrittenLeavesWithTheTransport) {
  transport_->write("last words");
  transport_.reset();
  look();
  EXPECT_EQ(drain_peer(), "last words");
  EXPECT_EQ(::recv(peer_, nullptr, 0, 0), 0);
}

TEST_P(TransportSendTest, LargeAndSmallWritesKeepTheirOrder) {
  const int size = 4 * 1024 * 1024;
  ::setsockopt(transport_->native_handle(), SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  const std::string large(100'000, 'L');
  transport_->write("head");
  transport_->write(large);
  transport_->write("tail");
  std::string got;
  wait_until([&] {
    got += drain_peer();
    return got.size() == large.size() + 8;
  });
  EXPECT_EQ(got, "head" + large + "tail");
  look();
  EXPECT_EQ(transport_->pending(), 0U);
}

TEST_P(TransportSendTest, AllThatIsWrittenWhileThePeerReadsSlowlyArrivesInOrder) {
  std::string sent;
  std::string got;
  for (int i = 0; i < 300; ++i) {
    std::string piece(static_cast<std::size_t>(1 + i * 37 % 5000), static_cast<char>('a' + i % 26));
    transport_->write(piece);
    sent += piece;
    std::array<char, 1000> some;
    if (i % 3 == 0) look(1);
    const ssize_t n = ::recv(peer_, some.data(), some.size(), 0);
    if (n > 0) got.append(some.data(), static_cast<std::size_t>(n));
  }
  wait_until([&] {
    got += drain_peer();
    return got.size() == sent.size();
  });
  EXPECT_EQ(got, sent);
  look();
  EXPECT_EQ(transport_->pending(), 0U);
}

TEST_P(TransportSendTest, AHalfClosedPeerThatDoesNotReadCostsNothing) {
  ::shutdown(peer_, SHUT_WR);
  look();
  ASSERT_EQ(recorder_.ends, 1);
  fill();
  const TimePoint until = Clock::now() + 20ms;
  int turns = 0;
  for (; Clock::now() < until; ++turns) reactor_->wait(until);
  EXPECT_LT(turns, 20);
}

TEST_P(TransportSendTest, KeepsWhatTheSocketDoesNotTake) {
  std::string sent = fill();
  const int drains = recorder_.drains;
  transport_->write("and a little more");
  sent += "and a little more";
  EXPECT_GE(transport_->pending(), 17U);
  std::string got;
  wait_until([&] {
    got += drain_peer();
    return recorder_.drains > drains;
  });
  got += drain_peer();
  EXPECT_EQ(got, sent);
  EXPECT_EQ(transport_->pending(), 0U);
  EXPECT_EQ(recorder_.drains, drains + 1);
}

TEST_P(TransportSendTest, ShutdownWaitsForWhatIsPending) {
  const std::string sent = fill();
  const int drains = recorder_.drains;
  transport_->shutdown_write();
  transport_->write("dropped");
  std::string got;
  wait_until([&] {
    got += drain_peer();
    return recorder_.drains > drains;
  });
  got += drain_peer();
  EXPECT_EQ(got, sent);
  EXPECT_EQ(::recv(peer_, nullptr, 0, 0), 0);  // the end
  send("answer");
  look();
  EXPECT_EQ(recorder_.received, "answer");  // receiving goes on
}

TEST_P(TransportSendTest, WritingToABrokenChannelDropsTheBytes) {
  close_peer();
  transport_->write("nobody");
  transport_->write("reads this");
  look();
  EXPECT_EQ(transport_->pending(), 0U);
  EXPECT_EQ(recorder_.ends, 1);
}

TEST_P(TransportSendTest, ABreakWhileBytesArePending) {
  fill();
  close_peer();
  look();
  EXPECT_EQ(recorder_.ends, 1);
  transport_->write("more");
}

}  // namespace
}  // namespace coronado
