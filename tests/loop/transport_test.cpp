#include <coronado/loop/transport.hpp>

#include <coronado/coro/locks.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/loop/ioloop.hpp>
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

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/loop/reactor_kinds.hpp"

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

INSTANTIATE_TEST_SUITE_P(Reactors, TransportTest, real_reactors(), ReactorName());

/// A file of so many bytes that has no name.
struct NamelessFile {
  explicit NamelessFile(const std::string& content) {
    std::string name = "/tmp/transport-XXXXXX";
    fd = ::mkstemp(name.data());
    ::unlink(name.c_str());
    EXPECT_EQ(::write(fd, content.data(), content.size()), static_cast<ssize_t>(content.size()));
  }
  ~NamelessFile() { ::close(fd); }
  int fd;
};

TEST_P(TransportTest, AFileIsSentBehindWhatWasWritten) {
  std::string content(3'000'000, 'x');
  for (std::size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>(i % 251);
  const NamelessFile file(content);
  transport_->write("head");
  std::string received;
  std::size_t at = 0;
  while (at < content.size()) {
    const auto sent = transport_->send_file(file.fd, at, content.size() - at);
    if (!sent) {
      EXPECT_STREQ(reactor_->name(), "uring");  // it has no such way
      return;
    }
    at += *sent;
    EXPECT_EQ(transport_->pending(), content.size() - at);
    if (at == content.size()) break;
    const int drains = recorder_.drains;
    wait_until([&] {
      received += drain_peer();
      return recorder_.drains > drains;
    });
    EXPECT_EQ(transport_->pending(), 0U);
  }
  transport_->write("tail");
  wait_until([&] {
    received += drain_peer();
    return received.ends_with("tail");
  });
  EXPECT_TRUE(received == "head" + content + "tail");
  EXPECT_GT(recorder_.drains, 0);
}

TEST_P(TransportTest, AFileThatEndsSendsNothing) {
  const NamelessFile file("12345");
  const auto sent = transport_->send_file(file.fd, 2, 10);
  if (!sent) return;
  EXPECT_EQ(*sent, 3U);
  EXPECT_EQ(transport_->pending(), 0U);
  EXPECT_EQ(transport_->send_file(file.fd, 5, 10), 0U);
  EXPECT_EQ(transport_->pending(), 0U);
  EXPECT_EQ(drain_peer(), "345");
}

TEST_P(TransportTest, AFileForAPeerThatHasGoneIsDroppedAndTold) {
  const NamelessFile file(std::string(1000, 'x'));
  if (!transport_->send_file(file.fd, 0, 1)) return;
  close_peer();
  EXPECT_EQ(transport_->send_file(file.fd, 0, 1000), 1000U);  // and no SIGPIPE
  wait_until([&] { return recorder_.ends > 0; });
  EXPECT_EQ(transport_->send_file(file.fd, 0, 1000), 1000U);
}

/// A transport of a loop, which looks at the system in its turns only.
class LoopTransportTest : public testing::TestWithParam<ReactorKind> {
 protected:
  LoopTransportTest() {
    std::array<int, 2> sockets{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, sockets.data()),
              0);
    peer_ = sockets[1];
    transport_ = loop_.reactor().adopt(sockets[0]);
    transport_->start(recorder_);
    loop_.run_sync(moment_task());  // it receives now
  }
  ~LoopTransportTest() override { ::close(peer_); }

  static Task<> moment_task() { co_await moment(); }
  std::string take() {
    std::array<char, 256> buffer;
    const ssize_t n = ::recv(peer_, buffer.data(), buffer.size(), 0);
    return n < 0 ? "nothing" : std::string(buffer.data(), static_cast<std::size_t>(n));
  }

  IOLoop loop_{{.reactor = GetParam(), .slow_step_threshold = Duration::zero()}};
  Recorder recorder_;
  int peer_ = -1;
  std::unique_ptr<Transport> transport_;
};

INSTANTIATE_TEST_SUITE_P(Reactors, LoopTransportTest, real_reactors(), ReactorName());

TEST_P(LoopTransportTest, BetweenTurnsEverythingHappensAtOnce) {
  transport_->write("written");
  EXPECT_EQ(take(), "written");
  transport_.reset();
  EXPECT_EQ(take(), "");  // the end
}

/// Ready in every turn, so that no turn waits for the system.
Task<> busy() {
  for (;;) co_await moment();
}

TEST_P(LoopTransportTest, WhatTheLastTurnAskedForIsDoneWhenItIsOver) {
  loop_.spawn(busy());
  const auto write_last = [](Transport& transport) -> Task<> {
    co_await moment();
    transport.write("written");
  };
  loop_.run_sync(write_last(*transport_));
  EXPECT_EQ(take(), "written");
  const auto close_last = [](std::unique_ptr<Transport>& transport) -> Task<> {
    co_await moment();
    transport.reset();
  };
  loop_.run_sync(close_last(transport_));
  EXPECT_EQ(take(), "");
}

TEST_P(LoopTransportTest, WhatIsAskedForWhenTheLoopIsStoppedIsDone) {
  recorder_.then = [this] {
    transport_->write("answer");
    loop_.stop();
  };
  ASSERT_EQ(::send(peer_, "question", 8, 0), 8);
  loop_.run();
  EXPECT_EQ(take(), "answer");
}

TEST_P(LoopTransportTest, ClosedInATurnItEndsBeforeTheLoopWaits) {
  const auto close_and_wait = [](std::unique_ptr<Transport>& transport, IOLoop& loop,
                                 int peer) -> Task<> {
    Event readable;
    loop.add_handler(peer, [&](int, unsigned) { readable.set(); }, Reactor::kRead);
    transport.reset();
    co_await with_timeout(10s, readable.wait());
    loop.remove_handler(peer);
  };
  loop_.run_sync(close_and_wait(transport_, loop_, peer_));
  EXPECT_EQ(take(), "");
}

// --- breaking ------------------------------------------------------------------------------------

TEST_P(TransportTest, AFailedSendIsToldBehindAnOrderlyEnd) {
  ::shutdown(peer_, SHUT_WR);
  wait_until([&] { return recorder_.ends == 1; });
  EXPECT_FALSE(recorder_.end_error);
  close_peer();
  transport_->write("nobody reads this");
  EXPECT_EQ(recorder_.ends, 1);  // not from inside of write
  wait_until([&] { return recorder_.ends == 2; });
  EXPECT_EQ(recorder_.end_error.value(), EPIPE);
  transport_->write("nor this");
  look();
  EXPECT_EQ(recorder_.ends, 2);
  EXPECT_EQ(recorder_.drains, 0);
}

TEST_P(TransportTest, WhatWaitsIsNotTakenForSentWhenTheChannelBreaks) {
  fill();
  ::shutdown(peer_, SHUT_WR);
  wait_until([&] { return recorder_.ends == 1; });
  const int drains = recorder_.drains;
  close_peer();
  wait_until([&] { return recorder_.ends == 2; });
  EXPECT_TRUE(recorder_.end_error);
  EXPECT_EQ(recorder_.drains, drains);
  EXPECT_EQ(transport_->pending(), 0U);
}

TEST_P(TransportTest, AFailedSendIsToldWhileReceivingIsPaused) {
  fill();
  transport_->pause_receive();
  look();
  close_peer();
  wait_until([&] { return recorder_.ends == 1; });
  EXPECT_TRUE(recorder_.end_error);
}

// --- receiving -----------------------------------------------------------------------------------

TEST_P(TransportTest, DeliversBytesAndTheEnd) {
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
  look();
  EXPECT_EQ(drain_peer(), "still open");
  look();
  EXPECT_EQ(recorder_.ends, 1);
}

TEST_P(TransportTest, BytesThatCameBeforeTheStart) {
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

TEST_P(TransportTest, ManyBytesArriveWholeAndInTurns) {
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

TEST_P(TransportTest, PausedBytesStayWithTheKernel) {
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

TEST_P(TransportTest, TheEndComesAfterAPause) {
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

TEST_P(TransportTest, PausedInsideADelivery) {
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

TEST_P(TransportTest, PausedAndResumedInOneTurn) {
  recorder_.then = [&] {
    transport_->pause_receive();
    transport_->resume_receive();
  };
  for (const char* word : {"one ", "two ", "three"}) {
    send(word);
    look();
  }
  EXPECT_EQ(recorder_.received, "one two three");
}

TEST_P(TransportTest, PausesAtAnyMomentLoseNothing) {
  std::string sent;
  for (int i = 0; i < 2000; ++i) {
    const std::string piece = std::to_string(i) + ' ';
    send(piece);
    sent += piece;
    if (i % 3 == 0) transport_->pause_receive();
    if (i % 2 == 0) look(1);
    if (i % 5 == 0) transport_->resume_receive();
    if (i % 7 == 0) look(1);
  }
  close_peer();
  transport_->resume_receive();
  wait_until([&] { return recorder_.ends == 1; });
  EXPECT_EQ(recorder_.received, sent);
}

TEST_P(TransportTest, PausedInsideTheDeliveryOfWhatWasKept) {
  transport_->pause_receive();
  send("bytes");
  close_peer();
  recorder_.then = [&] { transport_->pause_receive(); };
  transport_->resume_receive();
  look();
  EXPECT_EQ(recorder_.received, "bytes");
  transport_->resume_receive();
  look();
  EXPECT_EQ(recorder_.ends, 1);
}

TEST_P(TransportTest, DestroyedWhilePaused) {
  send("unread");
  look();
  transport_->pause_receive();
  send("more");
  look();
  transport_.reset();
  look();
  EXPECT_EQ(recorder_.received, "unread");
}

TEST_P(TransportTest, ManyConnectionsAtOnceAreAllServed) {
  // More than there are buffers, entries and events for in one turn.
  constexpr std::size_t kCount = 400;
  std::vector<int> peers(kCount);
  std::vector<Recorder> recorders(kCount);
  std::vector<std::unique_ptr<Transport>> transports;
  for (std::size_t i = 0; i < kCount; ++i) {
    std::array<int, 2> pair{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair.data()), 0);
    peers[i] = pair[1];
    transports.push_back(reactor_->adopt(pair[0]));
    transports[i]->start(recorders[i]);
    recorders[i].then = [&, i] { transports[i]->write(recorders[i].received); };
  }
  look();
  for (const int peer : peers) ASSERT_EQ(::send(peer, "hello", 5, 0), 5);
  std::size_t answered = 0;
  // A wait that is to end with an event would go on behind the last answer: nothing comes of it.
  for (const TimePoint limit = Clock::now() + 10s; answered < kCount && Clock::now() < limit;) {
    look(1);
    std::array<char, 16> buffer;
    for (const int peer : peers) answered += ::recv(peer, buffer.data(), 16, 0) == 5 ? 1U : 0U;
  }
  ASSERT_EQ(answered, kCount);
  transports.clear();
  wait_until([&] {  // a backend may let go of so many in several turns
    return std::ranges::all_of(peers, [](int peer) { return ::recv(peer, nullptr, 0, 0) == 0; });
  });
  for (const int peer : peers) ::close(peer);
}

TEST_P(TransportTest, DestroyedInsideADelivery) {
  recorder_.then = [&] { transport_.reset(); };
  send("bytes");
  ::shutdown(peer_, SHUT_WR);
  look();
  EXPECT_EQ(recorder_.deliveries, 1);
  EXPECT_EQ(recorder_.ends, 0);
  EXPECT_EQ(::recv(peer_, nullptr, 0, 0), 0);  // closed
}

TEST_P(TransportTest, DestroyedInsideTheEnd) {
  recorder_.at_end = [&] { transport_.reset(); };
  close_peer();
  look();
  EXPECT_EQ(recorder_.ends, 1);
}

TEST_P(TransportTest, DestroyedByTheHandlerOfAnotherInTheSameTurn) {
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

TEST_P(TransportTest, SendsAtOnceOrInTheTurn) {
  look();
  transport_->write("now");
  transport_->write(" and here");
  look(1);
  EXPECT_EQ(transport_->pending(), 0U);
  EXPECT_EQ(drain_peer(), "now and here");
  look();
  EXPECT_EQ(recorder_.drains, 0);  // nothing was refused
}

TEST_P(TransportTest, ShutdownSendsWhatWasWrittenAndTheEndAtOnce) {
  look();
  transport_->write("last words");
  transport_->shutdown_write();
  EXPECT_EQ(drain_peer(), "last words");
  EXPECT_EQ(::recv(peer_, nullptr, 0, 0), 0);
}

TEST_P(TransportTest, WhatWasWrittenLeavesWithTheTransport) {
  transport_->write("last words");
  transport_.reset();
  look();
  EXPECT_EQ(drain_peer(), "last words");
  EXPECT_EQ(::recv(peer_, nullptr, 0, 0), 0);
}

TEST_P(TransportTest, LargeAndSmallWritesKeepTheirOrder) {
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

TEST_P(TransportTest, AllThatIsWrittenWhileThePeerReadsSlowlyArrivesInOrder) {
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

TEST_P(TransportTest, AHalfClosedPeerThatDoesNotReadCostsNothing) {
  ::shutdown(peer_, SHUT_WR);
  look();
  ASSERT_EQ(recorder_.ends, 1);
  fill();
  const TimePoint until = Clock::now() + 20ms;
  int turns = 0;
  for (; Clock::now() < until; ++turns) reactor_->wait(until);
  EXPECT_LT(turns, 20);
}

TEST_P(TransportTest, KeepsWhatTheSocketDoesNotTake) {
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

TEST_P(TransportTest, ShutdownWaitsForWhatIsPending) {
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

TEST_P(TransportTest, WritingToABrokenChannelDropsTheBytes) {
  close_peer();
  transport_->write("nobody");
  transport_->write("reads this");
  look();
  EXPECT_EQ(transport_->pending(), 0U);
  EXPECT_EQ(recorder_.ends, 1);
}

TEST_P(TransportTest, ABreakWhileBytesArePending) {
  fill();
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

class AcceptTest : public TransportTest {
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

INSTANTIATE_TEST_SUITE_P(Reactors, AcceptTest, real_reactors(), ReactorName());

TEST_P(AcceptTest, HandsOutConnections) {
  for (int i = 0; i < 300; ++i) connect();  // more than are accepted in one go
  wait_until([&] { return guests_.transports.size() == 300; });
  Recorder recorder;
  guests_.transports[0]->start(recorder);
  ASSERT_EQ(::send(clients_[0], "hi", 2, 0), 2);
  wait_until([&] { return recorder.received == "hi"; });
  EXPECT_GE(acceptor_->native_handle(), 0);
}

TEST_P(AcceptTest, PausedConnectionsWait) {
  acceptor_->pause();
  connect();
  look();
  EXPECT_TRUE(guests_.transports.empty());
  acceptor_->resume();
  wait_until([&] { return guests_.transports.size() == 1; });
}

TEST_P(AcceptTest, NobodyListensOnceItIsDestroyed) {
  look();
  acceptor_.reset();
  const int client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EXPECT_EQ(::connect(client, reinterpret_cast<sockaddr*>(&address_), sizeof address_), -1);
  EXPECT_EQ(errno, ECONNREFUSED);
  ::close(client);
}

TEST_P(AcceptTest, PausesAtAnyMomentLoseNoConnection) {
  for (int i = 0; i < 60; ++i) {
    if (i % 3 == 0) acceptor_->pause();
    connect();
    if (i % 2 == 0) look(1);
    if (i % 5 == 0) acceptor_->resume();
  }
  acceptor_->resume();
  wait_until([&] { return guests_.transports.size() == 60; });
}

TEST_P(AcceptTest, DestroyedWhilePaused) {
  look();
  connect();
  acceptor_->pause();
  look();
  acceptor_.reset();
  look();
  EXPECT_TRUE(guests_.transports.empty());
}

TEST_P(AcceptTest, DestroyedInsideItsHandler) {
  guests_.then = [&] { acceptor_.reset(); };
  connect();
  connect();
  wait_until([&] { return acceptor_ == nullptr; });
  look();
  EXPECT_EQ(guests_.transports.size(), 1U);
}

TEST_P(AcceptTest, AResetIsAnEndWithItsError) {
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

TEST_P(AcceptTest, OutOfDescriptorsIsReported) {
  connect();
  wait_until([&] { return guests_.transports.size() == 1; });
  acceptor_->pause();  // io_uring knows the limit of the moment when it began to accept
  look();
  connect();
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  const int next = ::dup(0);
  ::close(next);
  rlimit low = before;
  low.rlim_cur = static_cast<rlim_t>(next);  // nothing more can be opened
  ::setrlimit(RLIMIT_NOFILE, &low);
  acceptor_->resume();
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

TEST_P(TransportTest, PollIsLevelTriggered) {
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

// --- pipes ---------------------------------------------------------------------------------------

class PipeTest : public TransportTest {
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

INSTANTIATE_TEST_SUITE_P(Reactors, PipeTest, real_reactors(), ReactorName());

TEST_P(PipeTest, CarriesBytesAndTheEnd) {
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

TEST_P(PipeTest, AReaderThatGoesIsReportedToTheWriter) {
  reader_.reset();
  wait_until([&] { return written_.ends == 1; });
  EXPECT_EQ(written_.end_error, std::errc::broken_pipe);
  writer_->write("nobody reads this");
  look();
  EXPECT_EQ(written_.ends, 1);
}

}  // namespace
}  // namespace coronado
