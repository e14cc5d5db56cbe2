#include <coronado/loop/reactor.hpp>

#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace coronado {
namespace {

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

class EpollTest : public testing::Test {
 protected:
  EpollTest() {
    reactor_->set_probe(probe_);
    std::array<int, 2> sockets{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, sockets.data()),
              0);
    peer_ = sockets[1];
    transport_ = reactor_->adopt(sockets[0]);
    transport_->start(recorder_);
  }
  ~EpollTest() override { close_peer(); }

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
  std::unique_ptr<Reactor> reactor_ = make_reactor(ReactorKind::kEpoll);
  Recorder recorder_;
  int peer_ = -1;
  std::unique_ptr<Transport> transport_;
};

// --- receiving -----------------------------------------------------------------------------------

TEST_F(EpollTest, DeliversBytesAndTheEnd) {
  send("hello ");
  look();
  EXPECT_EQ(recorder_.received, "hello ");
  send("world");
  ::shutdown(peer_, SHUT_WR);
  look();
  EXPECT_EQ(recorder_.received, "hello world");
  EXPECT_EQ(recorder_.ends, 1);
  EXPECT_FALSE(recorder_.end_error);
  transport_->write("still open");  // only the peer's side has ended
  EXPECT_EQ(drain_peer(), "still open");
  look();
  EXPECT_EQ(recorder_.ends, 1);
}

TEST_F(EpollTest, BytesThatCameBeforeTheStart) {
  std::array<int, 2> sockets{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sockets.data()), 0);
  ASSERT_EQ(::send(sockets[1], "early", 5, 0), 5);
  ::close(sockets[1]);
  Recorder recorder;
  const std::unique_ptr<Transport> transport = reactor_->adopt(sockets[0]);
  EXPECT_EQ(transport->native_handle(), sockets[0]);
  transport->start(recorder);
  look();
  EXPECT_EQ(recorder.received, "early");
  EXPECT_EQ(recorder.ends, 1);
}

TEST_F(EpollTest, ManyBytesArriveWholeAndInTurns) {
  // More than one receive buffer, so that reads fill it.
  const int size = 4 * 1024 * 1024;
  ::setsockopt(peer_, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  std::string sent;
  for (int i = 0; sent.size() < 3'000'000; ++i) sent += std::to_string(i) + ' ';
  std::size_t written = 0;
  while (recorder_.received.size() < sent.size()) {
    const ssize_t n = ::send(peer_, sent.data() + written, sent.size() - written, MSG_NOSIGNAL);
    if (n > 0) written += static_cast<std::size_t>(n);
    look(1);
  }
  EXPECT_EQ(recorder_.received, sent);
}

TEST_F(EpollTest, PausedBytesStayWithTheKernel) {
  transport_->pause_receive();
  transport_->pause_receive();
  send("later");
  look();
  EXPECT_EQ(recorder_.received, "");
  transport_->resume_receive();
  EXPECT_EQ(recorder_.received, "");  // never inside the call
  look();
  EXPECT_EQ(recorder_.received, "later");
  transport_->resume_receive();
  look();
  EXPECT_EQ(recorder_.deliveries, 1);
}

TEST_F(EpollTest, TheEndComesAfterAPause) {
  transport_->pause_receive();
  send("last");
  close_peer();
  look();
  EXPECT_EQ(recorder_.ends, 0);
  transport_->resume_receive();
  look();
  EXPECT_EQ(recorder_.received, "last");
  EXPECT_EQ(recorder_.ends, 1);
}

TEST_F(EpollTest, PausedInsideADelivery) {
  recorder_.then = [&] { transport_->pause_receive(); };
  send("one");
  look();
  send("two");
  look();
  EXPECT_EQ(recorder_.received, "one");
  transport_->resume_receive();
  look();
  EXPECT_EQ(recorder_.received, "onetwo");
}

TEST_F(EpollTest, DestroyedInsideADelivery) {
  recorder_.then = [&] { transport_.reset(); };
  send("bytes");
  ::shutdown(peer_, SHUT_WR);
  look();
  EXPECT_EQ(recorder_.deliveries, 1);
  EXPECT_EQ(recorder_.ends, 0);
  EXPECT_EQ(::recv(peer_, nullptr, 0, 0), 0);  // closed
}

TEST_F(EpollTest, DestroyedInsideTheEnd) {
  recorder_.at_end = [&] { transport_.reset(); };
  close_peer();
  look();
  EXPECT_EQ(recorder_.ends, 1);
}

TEST_F(EpollTest, DestroyedByTheHandlerOfAnotherInTheSameTurn) {
  std::array<int, 2> sockets{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sockets.data()), 0);
  Recorder other;
  std::unique_ptr<Transport> second = reactor_->adopt(sockets[0]);
  second->start(other);
  recorder_.then = [&] { second.reset(); };
  other.then = [&] { transport_.reset(); };
  send("a");
  ASSERT_EQ(::send(sockets[1], "b", 1, 0), 1);
  look();
  EXPECT_EQ(recorder_.deliveries + other.deliveries, 1);
  ::close(sockets[1]);
}

// --- sending -------------------------------------------------------------------------------------

TEST_F(EpollTest, SendsAtOnce) {
  transport_->write("now");
  EXPECT_EQ(transport_->pending(), 0U);
  EXPECT_EQ(drain_peer(), "now");
  look();
  EXPECT_EQ(recorder_.drains, 0);
}

TEST_F(EpollTest, KeepsWhatTheSocketDoesNotTake) {
  std::string sent;
  for (int i = 0; transport_->pending() == 0; ++i) {
    sent += std::string(50'000, static_cast<char>('a' + i % 26));
    transport_->write(std::string_view(sent).substr(sent.size() - 50'000));
  }
  transport_->write("and a little more");
  sent += "and a little more";
  EXPECT_GE(transport_->pending(), 17U);
  std::string got;
  wait_until([&] {
    got += drain_peer();
    return recorder_.drains > 0;
  });
  got += drain_peer();
  EXPECT_EQ(got, sent);
  EXPECT_EQ(transport_->pending(), 0U);
  EXPECT_EQ(recorder_.drains, 1);
}

TEST_F(EpollTest, ShutdownWaitsForWhatIsPending) {
  std::string sent;
  while (transport_->pending() == 0) {
    sent += std::string(50'000, 'x');
    transport_->write(std::string(50'000, 'x'));
  }
  transport_->shutdown_write();
  transport_->write("dropped");
  std::string got;
  wait_until([&] {
    got += drain_peer();
    return recorder_.drains > 0;
  });
  got += drain_peer();
  EXPECT_EQ(got, sent);
  EXPECT_EQ(::recv(peer_, nullptr, 0, 0), 0);  // the end
  send("answer");
  look();
  EXPECT_EQ(recorder_.received, "answer");  // receiving goes on
}

TEST_F(EpollTest, WritingToABrokenChannelDropsTheBytes) {
  close_peer();
  transport_->write("nobody");
  transport_->write("reads this");
  EXPECT_EQ(transport_->pending(), 0U);
  look();
  EXPECT_EQ(recorder_.ends, 1);
}

TEST_F(EpollTest, ABreakWhileBytesArePending) {
  while (transport_->pending() == 0) transport_->write(std::string(50'000, 'x'));
  close_peer();
  look();
  EXPECT_EQ(recorder_.ends, 1);
  transport_->write("more");
}

// --- accepting -----------------------------------------------------------------------------------

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

class AcceptTest : public EpollTest {
 protected:
  AcceptTest() {
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address_), sizeof address_), 0);
    socklen_t size = sizeof address_;
    ::getsockname(listener, reinterpret_cast<sockaddr*>(&address_), &size);
    EXPECT_EQ(::listen(listener, 512), 0);
    acceptor_ = reactor_->accept_from(listener, guests_);
  }
  ~AcceptTest() override {
    for (const int client : clients_) ::close(client);
  }
  int connect() {
    const int client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(::connect(client, reinterpret_cast<sockaddr*>(&address_), sizeof address_), 0);
    clients_.push_back(client);
    return client;
  }

  sockaddr_in address_{};
  Guests guests_;
  std::vector<int> clients_;
  std::unique_ptr<Acceptor> acceptor_;
};

TEST_F(AcceptTest, HandsOutConnections) {
  for (int i = 0; i < 300; ++i) connect();  // more than are accepted in one go
  wait_until([&] { return guests_.transports.size() == 300; });
  Recorder recorder;
  guests_.transports[0]->start(recorder);
  ASSERT_EQ(::send(clients_[0], "hi", 2, 0), 2);
  wait_until([&] { return recorder.received == "hi"; });
  EXPECT_GE(acceptor_->native_handle(), 0);
}

TEST_F(AcceptTest, PausedConnectionsWait) {
  acceptor_->pause();
  connect();
  look();
  EXPECT_TRUE(guests_.transports.empty());
  acceptor_->resume();
  wait_until([&] { return guests_.transports.size() == 1; });
}

TEST_F(AcceptTest, DestroyedInsideItsHandler) {
  guests_.then = [&] { acceptor_.reset(); };
  connect();
  connect();
  wait_until([&] { return acceptor_ == nullptr; });
  look();
  EXPECT_EQ(guests_.transports.size(), 1U);
}

TEST_F(AcceptTest, AResetIsAnEndWithItsError) {
  const int client = connect();
  wait_until([&] { return guests_.transports.size() == 1; });
  Recorder recorder;
  guests_.transports[0]->start(recorder);
  const linger hard{1, 0};
  ::setsockopt(client, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  ::close(client);
  clients_.clear();
  wait_until([&] { return recorder.ends == 1; });
  EXPECT_EQ(recorder.end_error.value(), ECONNRESET);
}

TEST_F(AcceptTest, OutOfDescriptorsIsReported) {
  connect();
  wait_until([&] { return guests_.transports.size() == 1; });
  connect();
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  const int next = ::dup(0);
  ::close(next);
  rlimit low = before;
  low.rlim_cur = static_cast<rlim_t>(next);  // nothing more can be opened
  ::setrlimit(RLIMIT_NOFILE, &low);
  wait_until([&] { return !guests_.errors.empty(); });
  ::setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(guests_.errors[0].value(), EMFILE);
  EXPECT_EQ(guests_.transports.size(), 1U);
  acceptor_->pause();
  acceptor_->resume();
  wait_until([&] { return guests_.transports.size() == 2; });
}

// --- descriptors of others -----------------------------------------------------------------------

struct Polled final : PollHandler {
  void on_poll(int fd, unsigned events) noexcept override { seen.emplace_back(fd, events); }
  std::vector<std::pair<int, unsigned>> seen;
};

TEST_F(EpollTest, PollIsLevelTriggered) {
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  Polled polled;
  reactor_->add_poll(pipe[0], polled, Reactor::kRead);
  look();
  EXPECT_TRUE(polled.seen.empty());
  ASSERT_EQ(::write(pipe[1], "x", 1), 1);
  look();
  EXPECT_EQ(polled.seen, (std::vector<std::pair<int, unsigned>>(3, {pipe[0], Reactor::kRead})));
  reactor_->modify_poll(pipe[0], 0);
  look();
  EXPECT_EQ(polled.seen.size(), 3U);
  EXPECT_THROW(reactor_->add_poll(pipe[0], polled, Reactor::kRead), std::system_error);
  reactor_->remove_poll(pipe[0]);
  EXPECT_THROW(reactor_->modify_poll(pipe[0], Reactor::kRead), std::system_error);
  ::close(pipe[0]);
  ::close(pipe[1]);
}

// --- connecting ----------------------------------------------------------------------------------

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

class ConnectTest : public EpollTest {
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

TEST_F(ConnectTest, OverIPv4) {
  const auto acceptor = listen(loopback_);
  connect_and_talk(acceptor->local());
}

TEST_F(ConnectTest, OverAUnixSocket) {
  const auto acceptor = listen(SocketAddress::from_path(std::string("\0coronado-test", 14)));
  connect_and_talk(acceptor->local());
}

TEST_F(ConnectTest, FromASourceAddress) {
  const auto acceptor = listen(loopback_);
  Caller caller;
  const ConnectOptions options{.source = *SocketAddress::from_ip("127.0.0.2")};
  const auto attempt = reactor_->connect(acceptor->local(), options, caller);
  wait_until([&] { return caller.calls == 1 && !guests_.transports.empty(); });
  EXPECT_EQ(guests_.transports[0]->peer().host(), "127.0.0.2");
  EXPECT_EQ(guests_.transports[0]->peer(), caller.transport->local());
}

TEST_F(ConnectTest, ARefusalIsReportedOnce) {
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

TEST_F(ConnectTest, AnAbandonedAttemptIsSilent) {
  const auto acceptor = listen(loopback_);
  Caller caller;
  auto attempt = reactor_->connect(acceptor->local(), {}, caller);
  attempt.reset();
  look();
  EXPECT_EQ(caller.calls, 0);
}

TEST_F(ConnectTest, WhatFailsAtOnceThrowsAndNamesTheAddress) {
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

// --- pipes ---------------------------------------------------------------------------------------

class PipeTest : public EpollTest {
 protected:
  PipeTest() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC), 0);
    reader_ = reactor_->adopt(ends[0]);
    writer_ = reactor_->adopt(ends[1]);
    reader_->start(read_);
    writer_->start(written_);
  }
  Recorder read_;
  Recorder written_;
  std::unique_ptr<Transport> reader_;
  std::unique_ptr<Transport> writer_;
};

TEST_F(PipeTest, CarriesBytesAndTheEnd) {
  const std::string large(1'000'000, 'x');  // more than a pipe holds
  writer_->write(large);
  EXPECT_GT(writer_->pending(), 0U);
  writer_->shutdown_write();
  wait_until([&] { return read_.ends == 1; });
  EXPECT_EQ(read_.received, large);
  EXPECT_FALSE(read_.end_error);
  EXPECT_EQ(written_.ends, 0);
  writer_->pause_receive();
  writer_->resume_receive();
  look();
}

TEST_F(PipeTest, AReaderThatGoesIsReportedToTheWriter) {
  reader_.reset();
  wait_until([&] { return written_.ends == 1; });
  EXPECT_EQ(written_.end_error, std::errc::broken_pipe);
  writer_->write("nobody reads this");
  look();
  EXPECT_EQ(written_.ends, 1);
}

}  // namespace
}  // namespace coronado
