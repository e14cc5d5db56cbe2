/// What the tests of transports share: who writes down what happens, who takes connections, and a
/// transport with its peer.
#pragma once

#include <coronado/loop/reactor.hpp>
#include <coronado/loop/transport.hpp>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/loop/reactor_kinds.hpp"

namespace coronado {

using namespace std::chrono_literals;

/// Notes what happens on a transport.
struct Recorder final : TransportHandler {
  void on_receive(std::span<char> bytes) noexcept override {
    received.append(bytes.data(), bytes.size());
    ++deliveries;
    if (then) then();
  }
  void on_receive_end(std::error_code error) noexcept override {
    ++ends;
    end_error = error;
    if (at_end) at_end();
  }
  void on_drained() noexcept override { ++drains; }

  std::string received;
  int deliveries = 0;
  int ends = 0;
  int drains = 0;
  std::error_code end_error;
  std::function<void()> then;
  std::function<void()> at_end;
};

/// Takes every connection.
struct Guests final : AcceptHandler {
  void on_accept(std::unique_ptr<Transport> transport) noexcept override {
    transports.push_back(std::move(transport));
    if (then) then();
  }
  void on_accept_error(std::error_code error) noexcept override { errors.push_back(error); }

  std::vector<std::unique_ptr<Transport>> transports;
  std::vector<std::error_code> errors;
  std::function<void()> then;
};

class TransportTest : public testing::TestWithParam<ReactorKind> {
 protected:
  TransportTest() {
    reactor_->set_probe(probe_);
    std::array<int, 2> sockets{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, sockets.data()),
              0);
    peer_ = sockets[1];
    transport_ = reactor_->adopt(sockets[0]);
    transport_->start(recorder_);
  }
  ~TransportTest() override { close_peer(); }

  void close_peer() {
    if (peer_ >= 0) ::close(std::exchange(peer_, -1));
  }
  void send(const std::string& bytes) {
    ASSERT_EQ(::send(peer_, bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  /// All that the peer can read now.
  std::string drain_peer() {
    std::string all;
    std::array<char, 65536> buffer;
    ssize_t n = 0;
    while ((n = ::recv(peer_, buffer.data(), buffer.size(), 0)) > 0) {
      all.append(buffer.data(), static_cast<std::size_t>(n));
    }
    return all;
  }
  /// Writes until the peer's not reading is felt.   Returns  All that was written.
  std::string fill() {
    std::string sent;
    for (int i = 0; transport_->pending() == 0; ++i) {
      const std::string piece(50'000, static_cast<char>('a' + i % 26));
      transport_->write(piece);
      sent += piece;
      look(2);
    }
    return sent;
  }
  void look(int times = 3) {
    for (int i = 0; i < times; ++i) EXPECT_TRUE(reactor_->wait(TimePoint::min()));
  }
  template <class Done>
  void wait_until(Done done) {
    const TimePoint limit = Clock::now() + 10s;
    while (!done()) {
      ASSERT_LT(Clock::now(), limit);
      reactor_->wait(limit);
    }
  }

  StepProbe probe_;
  std::unique_ptr<Reactor> reactor_ = make_reactor(GetParam());
  Recorder recorder_;
  int peer_ = -1;
  std::unique_ptr<Transport> transport_;
};

}  // namespace coronado
