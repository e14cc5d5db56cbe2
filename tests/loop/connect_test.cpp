#include <coronado/loop/transport.hpp>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "tests/loop/transport_fixture.hpp"

namespace coronado {
namespace {

/// Notes what comes of an attempt.
class Caller final : public ConnectHandler {
 public:
  void on_connect(std::unique_ptr<Transport> made) noexcept override {
    transport = std::move(made);
    ++calls;
  }
  void on_connect_error(std::error_code code) noexcept override {
    error = code;
    ++calls;
  }
  std::unique_ptr<Transport> transport;
  std::error_code error;
  int calls = 0;
};

class ConnectTest : public TransportTest {
 protected:
  std::unique_ptr<Acceptor> listen(const SocketAddress& address) {
    return reactor_->listen(address, {}, guests_);
  }
  void connect_and_talk(const SocketAddress& to) {
    Caller caller;
    const auto attempt = reactor_->connect(to, {}, caller);
    EXPECT_EQ(caller.calls, 0);
    wait_until([&] { return caller.calls == 1 && !guests_.transports.empty(); });
    ASSERT_TRUE(caller.transport);
    EXPECT_EQ(caller.transport->peer(), to);
    Recorder client;
    Recorder server;
    caller.transport->start(client);
    guests_.transports[0]->start(server);
    caller.transport->write("ping");
    guests_.transports[0]->write("pong");
    wait_until([&] { return client.received == "pong" && server.received == "ping"; });
  }
  Guests guests_;
  const SocketAddress loopback_ = *SocketAddress::from_ip("127.0.0.1");
};

INSTANTIATE_TEST_SUITE_P(Reactors, ConnectTest, real_reactors(), ReactorName());

TEST_P(ConnectTest, OverIPv4) {
  const auto acceptor = listen(loopback_);
  connect_and_talk(acceptor->local());
}

TEST_P(ConnectTest, OverAUnixSocket) {
  const auto acceptor = listen(SocketAddress::from_path(std::string("\0coronado-test", 14)));
  connect_and_talk(acceptor->local());
}

TEST_P(ConnectTest, FromASourceAddress) {
  const auto acceptor = listen(loopback_);
  Caller caller;
  const ConnectOptions options{.source = *SocketAddress::from_ip("127.0.0.2")};
  const auto attempt = reactor_->connect(acceptor->local(), options, caller);
  wait_until([&] { return caller.calls == 1 && !guests_.transports.empty(); });
  EXPECT_EQ(guests_.transports[0]->peer().host(), "127.0.0.2");
  EXPECT_EQ(guests_.transports[0]->peer(), caller.transport->local());
}

TEST_P(ConnectTest, ARefusalIsReportedOnce) {
  SocketAddress nobody;
  {
    const auto acceptor = listen(loopback_);
    nobody = acceptor->local();
  }
  Caller caller;
  const auto attempt = reactor_->connect(nobody, {}, caller);
  wait_until([&] { return caller.calls > 0; });
  EXPECT_EQ(caller.error, std::errc::connection_refused);
  look();
  EXPECT_EQ(caller.calls, 1);
}

TEST_P(ConnectTest, AnAbandonedAttemptIsSilent) {
  const auto acceptor = listen(loopback_);
  Caller caller;
  auto attempt = reactor_->connect(acceptor->local(), {}, caller);
  attempt.reset();
  look();
  EXPECT_EQ(caller.calls, 0);
}

TEST_P(ConnectTest, WhatFailsAtOnceThrowsAndNamesTheAddress) {
  Caller caller;
  EXPECT_THROW(reactor_->connect(SocketAddress(), {}, caller), std::system_error);
  EXPECT_THROW(reactor_->connect(SocketAddress::from_path(std::string(200, 'x')), {}, caller),
               std::system_error);
  try {
    const ConnectOptions options{.source = *SocketAddress::from_ip("192.0.2.1")};
    reactor_->connect(loopback_, options, caller);
    FAIL() << "an address that is not ours was taken";
  } catch (const std::system_error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("cannot connect from 192.0.2.1:0"));
  }
  EXPECT_EQ(caller.calls, 0);
}

}  // namespace
}  // namespace coronado
