/// What the tests of the simulated network share: two hosts, somebody who listens, somebody who
/// writes down what comes.
#pragma once

#include <coronado/net/tcpclient.hpp>
#include <coronado/testing/sim_network.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace coronado::sim_test {

/// One end of a connection; keeps what it is told.
struct Peer final : TransportHandler {
  Peer() = default;
  explicit Peer(std::unique_ptr<Transport> own) : transport(std::move(own)) {
    transport->start(*this);
  }
  void on_receive(std::span<char> bytes) noexcept override {
    pieces.push_back(bytes.size());
    received.append(bytes.data(), bytes.size());
    if (echo) transport->write({bytes.data(), bytes.size()});
    if (close_at_read) transport.reset();
  }
  void on_receive_end(std::error_code code) noexcept override {
    EXPECT_TRUE(!ended || (!error && code)) << "told twice";
    ended = true;
    error = code;
  }
  void on_drained() noexcept override {
    EXPECT_EQ(transport->pending(), 0U);
    ++drained;
  }

  std::unique_ptr<Transport> transport;
  std::string received;
  std::vector<std::size_t> pieces;
  std::error_code error;
  int drained = 0;
  bool ended = false;
  bool echo = false;
  bool close_at_read = false;
};

/// A loop with a network and two hosts.
struct Net {
  explicit Net(SimOptions options = {})
      : network(loop, std::move(options)),
        server(network.add_host("server")),
        client(network.add_host("client")) {}

  /// Connects from the client.
  std::unique_ptr<Transport> connect(const SocketAddress& to) {
    return loop.run_sync(client.run(connect_to(to)));
  }
  void expect_error(const SocketAddress& to, std::errc code) {
    try {
      connect(to);
      ADD_FAILURE() << "connected to " << to_string(to);
    } catch (const std::system_error& error) {
      EXPECT_EQ(error.code(), code) << error.what();
    }
  }
  Duration elapsed() const { return loop.now() - begin; }

  IOLoop loop{{.reactor = ReactorKind::kSim, .shuffle_seed = 1}};
  TimePoint begin = loop.now();
  SimNetwork network;
  SimHost& server;
  SimHost& client;
};

/// Takes every connection.
struct Listener final : AcceptHandler {
  Listener(IOLoop& loop, SimHost& host, const SocketAddress& address, ListenOptions options = {}) {
    acceptor = loop.run_sync(host.run(listen(loop, address, options, *this)));
  }
  Listener(Net& net, SimHost& host, const SocketAddress& address, ListenOptions options = {})
      : Listener(net.loop, host, address, options) {}
  Listener(Net& net, SimHost& host, std::uint16_t port, ListenOptions options = {})
      : Listener(net.loop, host, host.address(port), options) {}

  static Task<std::unique_ptr<Acceptor>> listen(IOLoop& loop, SocketAddress address,
                                                ListenOptions options, AcceptHandler& handler) {
    co_return loop.reactor().listen(address, options, handler);
  }
  void on_accept(std::unique_ptr<Transport> transport) noexcept override {
    accepted.push_back(std::make_unique<Peer>(std::move(transport)));
    accepted.back()->echo = echo;
  }
  void on_accept_error(std::error_code error) noexcept override {
    errors.push_back(error);
    acceptor->pause();
    if (retry != nullptr)
      retry->call_later(std::chrono::milliseconds(100), [this] { acceptor->resume(); });
  }

  std::unique_ptr<Acceptor> acceptor;
  std::vector<std::unique_ptr<Peer>> accepted;
  std::vector<std::error_code> errors;
  IOLoop* retry = nullptr;  // where to wait before accepting is tried again
  bool echo = false;
};

}  // namespace coronado::sim_test
