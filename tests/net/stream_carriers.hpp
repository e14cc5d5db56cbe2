/// The channels that streams are tested on. A new carrier is a row in `carriers()`; every test on
/// iostream_fixture.hpp then runs over it, whole and in pieces of one byte.
#pragma once

#include <coronado/loop/ioloop.hpp>
#include <coronado/net/iostream.hpp>
#include <coronado/net/tls.hpp>
#include <coronado/testing/async_test.hpp>
#include <coronado/testing/memory_transport.hpp>
#include <coronado/testing/sim_network.hpp>
#include <coronado/testing/test_certificates.hpp>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <coronado/coro/combine.hpp>
#include <coronado/coro/future.hpp>
#include <coronado/coro/timeout.hpp>

namespace coronado::stream_test {

/// Hands on what it receives byte by byte, each in a turn of the loop of its own.
class ByteTransport final : public Transport, private TransportHandler {
 public:
  ByteTransport(IOLoop& loop, std::unique_ptr<Transport> inner)
      : loop_(loop), inner_(std::move(inner)) {}

  void start(TransportHandler& handler) override {
    if (std::exchange(handler_, &handler) == nullptr) inner_->start(*this);
  }
  void write(std::string_view bytes) override { inner_->write(bytes); }
  std::size_t pending() const noexcept override { return inner_->pending(); }
  void pause_receive() noexcept override {
    paused_ = true;
    inner_->pause_receive();
  }
  void resume_receive() noexcept override {
    paused_ = false;
    inner_->resume_receive();
    schedule();
  }
  void shutdown_write() noexcept override { inner_->shutdown_write(); }
  void say_farewell() noexcept override { inner_->say_farewell(); }
  SocketAddress peer() const override { return inner_->peer(); }
  SocketAddress local() const override { return inner_->local(); }
  int native_handle() const noexcept override { return inner_->native_handle(); }

 private:
  void on_receive(std::span<char> bytes) noexcept override {
    waiting_.append(bytes.data(), bytes.size());
    schedule();
  }
  void on_receive_end(std::error_code error) noexcept override {
    ended_ = true;
    error_ = error;
    schedule();
  }
  void on_drained() noexcept override { handler_->on_drained(); }

  void schedule() {
    if (std::exchange(scheduled_, true)) return;
    loop_.post([this, alive = std::weak_ptr<int>(alive_)] {
      if (alive.expired()) return;
      scheduled_ = false;
      step();
    });
  }
  void step() {
    if (paused_) return;
    if (taken_ < waiting_.size()) {
      schedule();
      return handler_->on_receive(std::span(waiting_.data() + taken_++, 1));
    }
    waiting_.clear();
    taken_ = 0;
    if (std::exchange(ended_, false)) handler_->on_receive_end(error_);
  }

  IOLoop& loop_;
  std::unique_ptr<Transport> inner_;
  TransportHandler* handler_ = nullptr;
  std::string waiting_;
  std::size_t taken_ = 0;
  std::error_code error_;
  bool paused_ = false;
  bool ended_ = false;
  bool scheduled_ = false;
  std::shared_ptr<int> alive_ = std::make_shared<int>();
};

/// The transports at the two ends of a wire; of a one-way channel the second of each is null.
struct Ends {
  std::unique_ptr<Transport> here;
  std::unique_ptr<Transport> there;
  std::unique_ptr<Transport> back_here;   // what `here` writes to, if not itself
  std::unique_ptr<Transport> back_there;  // what `there` reads from, if not itself
  std::shared_ptr<SimNetwork> network;    // what they are on
};

struct Carrier {
  const char* name;
  ReactorKind reactor;
  std::function<Task<Ends>(IOLoop&)> connect;
  bool pieces = false;
};

/// Accepts one connection and makes it.
class Connection final : AcceptHandler, ConnectHandler {
 public:
  Task<Ends> make(IOLoop& loop, SocketAddress address) {
    acceptor_ = loop.reactor().listen(address, {}, *this);
    connecting_ = loop.reactor().connect(acceptor_->local(), {}, *this);
    while (ends_.here == nullptr || ends_.there == nullptr) co_await sleep(Duration(100'000));
    co_return std::move(ends_);
  }

 private:
  void on_accept(std::unique_ptr<Transport> transport) noexcept override {
    ends_.here = std::move(transport);
  }
  void on_accept_error(std::error_code) noexcept override { ADD_FAILURE(); }
  void on_connect(std::unique_ptr<Transport> transport) noexcept override {
    ends_.there = std::move(transport);
  }
  void on_connect_error(std::error_code) noexcept override { ADD_FAILURE(); }

  std::unique_ptr<Acceptor> acceptor_;
  std::unique_ptr<Connecting> connecting_;
  Ends ends_;
};

inline Task<Ends> connect_tcp(IOLoop& loop) {
  Connection connection;
  co_return co_await connection.make(loop, *SocketAddress::from_ip("127.0.0.1"));
}

inline Task<Ends> connect_unix(IOLoop& loop) {
  static int number = 0;
  const std::string name = "coronado-iostream-" + std::to_string(::getpid()) + "-";
  Connection connection;
  co_return co_await connection.make(
      loop, SocketAddress::from_path(std::string(1, '\0') + name + std::to_string(++number)));
}

inline Task<Ends> connect_pipes(IOLoop& loop) {
  std::array<int, 2> there_to_here{};
  std::array<int, 2> here_to_there{};
  EXPECT_EQ(::pipe2(there_to_here.data(), O_NONBLOCK | O_CLOEXEC), 0);
  EXPECT_EQ(::pipe2(here_to_there.data(), O_NONBLOCK | O_CLOEXEC), 0);
  Ends ends;
  ends.here = loop.reactor().adopt(there_to_here[0]);
  ends.there = loop.reactor().adopt(there_to_here[1]);
  ends.back_there = loop.reactor().adopt(here_to_there[0]);
  ends.back_here = loop.reactor().adopt(here_to_there[1]);
  co_return ends;
}

inline Task<Ends> connect_memory(IOLoop& loop) {
  auto [here, there] = make_memory_transports(loop);
  Ends ends;
  ends.here = std::move(here);
  ends.there = std::move(there);
  co_return ends;
}

/// TLS over another carrier.
inline Task<Ends> connect_tls(IOLoop& loop, Task<Ends> (*beneath)(IOLoop&)) {
  static const TestAuthority authority("Test CA");
  static const TestCertificate certificate = authority.issue({.dns_names = {"localhost"}});
  static const auto server =
      TLSContext::server({.identities = {{.certificate_pem = certificate.certificate_pem,
                                          .key_pem = certificate.key_pem}}});
  static const auto client = TLSContext::client({.trust = {.ca_pem = authority.certificate_pem()}});
  Ends ends = co_await beneath(loop);
  auto both = co_await multi(tls_handshake(std::move(ends.here), server),
                             tls_handshake(std::move(ends.there), client, "localhost"));
  ends.here = std::move(std::get<0>(both));
  ends.there = std::move(std::get<1>(both));
  co_return ends;
}

inline Task<Ends> connect_tls_memory(IOLoop& loop) { return connect_tls(loop, connect_memory); }
inline Task<Ends> connect_tls_tcp(IOLoop& loop) { return connect_tls(loop, connect_tcp); }

/// Another carrier over a simulated network.
inline Task<Ends> connect_sim(IOLoop& loop, Task<Ends> (*beneath)(IOLoop&)) {
  auto network =
      std::make_shared<SimNetwork>(loop, SimOptions{.link = {.latency = Duration::zero()}});
  Ends ends = co_await beneath(loop);
  ends.network = std::move(network);
  co_return ends;
}

inline Task<Ends> connect_tcp_sim(IOLoop& loop) { return connect_sim(loop, connect_tcp); }
inline Task<Ends> connect_tls_sim(IOLoop& loop) {
  Ends ends = co_await connect_tls(loop, connect_tcp_sim);
  co_await sleep(Duration(1'000'000'000));  // a client that closes before the tickets came resets
  co_return ends;
}
inline Task<Ends> connect_unix_sim(IOLoop& loop) { return connect_sim(loop, connect_unix); }

/// Every carrier on every reactor, whole and in pieces.
inline std::vector<Carrier> carriers() {
  std::vector<Carrier> all{
      {.name = "MemorySim", .reactor = ReactorKind::kSim, .connect = connect_memory},
      {.name = "TLSMemorySim", .reactor = ReactorKind::kSim, .connect = connect_tls_memory},
      {.name = "TLSSim", .reactor = ReactorKind::kSim, .connect = connect_tls_sim},
      {.name = "TCPSim", .reactor = ReactorKind::kSim, .connect = connect_tcp_sim},
      {.name = "UnixSim", .reactor = ReactorKind::kSim, .connect = connect_unix_sim}};
  for (const auto& [reactor, suffix] :
       {std::pair(ReactorKind::kEpoll, "Epoll"), std::pair(ReactorKind::kUring, "Uring")}) {
    static std::vector<std::unique_ptr<std::string>> names;
    const auto add = [&](const char* name, std::function<Task<Ends>(IOLoop&)> connect) {
      names.push_back(std::make_unique<std::string>(std::string(name) + suffix));
      all.push_back(
          {.name = names.back()->c_str(), .reactor = reactor, .connect = std::move(connect)});
    };
    add("Memory", connect_memory);
    add("TCP", connect_tcp);
    add("TLS", connect_tls_tcp);
    add("Unix", connect_unix);
    add("Pipe", connect_pipes);
  }
  const std::size_t count = all.size();
  for (std::size_t i = 0; i < count; ++i) {
    all.push_back(all[i]);
    all.back().pieces = true;
  }
  return all;
}

/// Without those in pieces: for tests that move megabytes.
inline std::vector<Carrier> whole_carriers() {
  std::vector<Carrier> whole = carriers();
  std::erase_if(whole, [](const Carrier& each) { return each.pieces; });
  return whole;
}

inline void PrintTo(const Carrier& each, std::ostream* out) { *out << each.name; }

inline std::string carrier_name(const ::testing::TestParamInfo<Carrier>& info) {
  return std::string(info.param.name) + (info.param.pieces ? "Bytes" : "Whole");
}

/// Two connected streams. Where a channel is one-way, reading and writing have a stream each.
struct Wire {
  Wire(IOLoop& loop, Ends ends, bool pieces, const IOStreamOptions& options) {
    const auto open = [&](std::unique_ptr<Transport> transport, IOStream* other) -> IOStream* {
      if (transport == nullptr) return other;
      if (pieces) transport = std::make_unique<ByteTransport>(loop, std::move(transport));
      streams.push_back(std::make_unique<TCPStream>(loop, std::move(transport), options));
      return streams.back().get();
    };
    in = open(std::move(ends.here), nullptr);
    peer_out = open(std::move(ends.there), nullptr);
    out = open(std::move(ends.back_here), in);
    peer_in = open(std::move(ends.back_there), peer_out);
    one_way = in != out;
    network = std::move(ends.network);
  }

  void close_peer() const {
    peer_in->close();
    peer_out->close();
  }

  std::shared_ptr<SimNetwork> network;
  std::vector<std::unique_ptr<IOStream>> streams;
  IOStream* in;        // what this side reads
  IOStream* out;       // what this side writes
  IOStream* peer_in;   // what the other side reads
  IOStream* peer_out;  // what the other side writes
  bool one_way;
  TaskGroup tasks{"wire", TaskGroup::OnFailure::kHandle};
};

}  // namespace coronado::stream_test
