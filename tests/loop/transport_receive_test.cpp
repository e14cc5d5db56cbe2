#include <coronado/loop/transport.hpp>

#include <netinet/in.h>

#include <algorithm>
#include <cerrno>

#include "tests/loop/transport_fixture.hpp"

namespace coronado {
namespace {

class TransportReceiveTest : public TransportTest {};
INSTANTIATE_TEST_SUITE_P(Reactors, TransportReceiveTest, real_reactors(), ReactorName());

TEST_P(TransportReceiveTest, DeliversBytesAndTheEnd) {
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

TEST_P(TransportReceiveTest, BytesThatCameBeforeTheStart) {
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

TEST_P(TransportReceiveTest, ManyBytesArriveWholeAndInTurns) {
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

/// Many transports, each with its peer.
struct Crowd {
  Crowd(Reactor& reactor, std::size_t count) : recorders(count), peers(count) {
    for (std::size_t i = 0; i < count; ++i) {
      std::array<int, 2> pair{};
      EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair.data()), 0);
      peers[i] = pair[1];
      transports.push_back(reactor.adopt(pair[0]));
      transports[i]->start(recorders[i]);
    }
  }
  ~Crowd() {
    for (const int peer : peers) ::close(peer);
  }
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

  void send_hello() {
    for (const int peer : peers) ASSERT_EQ(::send(peer, "hello", 5, 0), 5);
  }
  /// How many have been given something.
  std::size_t delivered() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(recorders, [](const Recorder& r) { return r.deliveries != 0; }));
  }

  std::vector<Recorder> recorders;
  std::vector<std::unique_ptr<Transport>> transports;
  std::vector<int> peers;
};

/// Keeps all it is given, and notes what of it came without a copy.
struct Keeper final : TransportHandler {
  void on_receive(std::span<char> bytes) noexcept override {
    const std::string expected(bytes.data(), bytes.size());
    kept.push_back(transport->take_received({bytes.data(), bytes.size()}));
    EXPECT_EQ(kept.back(), expected);
    if (kept.back().data() == bytes.data()) ++uncopied;
    all += kept.back();
    if (then) then();
  }
  void on_receive_end(std::error_code) noexcept override {}
  void on_drained() noexcept override {}

  Transport* transport = nullptr;
  std::vector<std::string> kept;
  std::string all;
  int uncopied = 0;
  std::function<void()> then;
};

TEST_P(TransportReceiveTest, WhatIsTakenStaysAsItCame) {
  Keeper keeper;
  keeper.transport = transport_.get();
  transport_->start(keeper);
  std::string sent;
  for (const std::size_t size : {3U, 100'000U, 5U, 200'000U, 200'000U, 70'000U, 1U}) {
    std::string piece(size, static_cast<char>('a' + sent.size() % 26));
    piece.back() = '|';
    sent += piece;
    while (!piece.empty()) {
      const ssize_t n = ::send(peer_, piece.data(), piece.size(), MSG_NOSIGNAL);
      if (n > 0) piece.erase(0, static_cast<std::size_t>(n));
      look(2);
    }
  }
  wait_until([&] { return keeper.all.size() == sent.size(); });
  std::string again;
  for (const std::string& piece : keeper.kept) again += piece;  // nothing was written over
  EXPECT_EQ(again, sent);
}

TEST_P(TransportReceiveTest, ManyBytesAreTakenWithoutACopyAndFewAreCopied) {
  Keeper keeper;
  keeper.transport = transport_.get();
  transport_->start(keeper);
  send("few");
  wait_until([&] { return keeper.all == "few"; });
  EXPECT_EQ(keeper.uncopied, 0);
  // io_uring has its buffers from a ring; what it had to keep is another thing.
  keeper.then = [&] { transport_->pause_receive(); };
  send(std::string(50'000, 'x'));
  wait_until([&] {
    if (keeper.all.size() < 50'003) transport_->resume_receive();
    return keeper.all.size() == 50'003;
  });
  EXPECT_EQ(keeper.uncopied, 1);
}

TEST_P(TransportReceiveTest, APartIsCopied) {
  std::string part;
  recorder_.then = [&] {
    if (recorder_.deliveries != 1) return;
    part = transport_->take_received("no bytes of the channel");
  };
  send(std::string(100'000, 'x'));
  wait_until([&] { return recorder_.received.size() == 100'000; });
  EXPECT_EQ(part, "no bytes of the channel");
  send("y");
  wait_until([&] { return recorder_.received.size() == 100'001; });
  EXPECT_EQ(recorder_.received, std::string(100'000, 'x') + "y");
}

TEST_P(TransportReceiveTest, PausedBytesStayWithTheKernel) {
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

TEST_P(TransportReceiveTest, TheEndComesAfterAPause) {
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

TEST_P(TransportReceiveTest, WhatAPauseHasLeftCanBeHadAtOnce) {
  transport_->receive_now();  // nothing is there
  EXPECT_EQ(recorder_.deliveries, 0);
  transport_->pause_receive();
  send("left");
  look();
  transport_->receive_now();
  if (GetParam() == ReactorKind::kEpoll) EXPECT_EQ(recorder_.received, "left");
  send(" and more");
  look();
  transport_->resume_receive();
  look();
  EXPECT_EQ(recorder_.received, "left and more");
}

TEST_P(TransportReceiveTest, TheEndIsNotHadAtOnce) {
  transport_->pause_receive();
  send("last");
  close_peer();
  look();
  for (int i = 0; i < 3; ++i) transport_->receive_now();
  if (GetParam() == ReactorKind::kEpoll) EXPECT_EQ(recorder_.received, "last");
  EXPECT_EQ(recorder_.ends, 0);
  look();
  EXPECT_EQ(recorder_.ends, 0);
  transport_->resume_receive();
  EXPECT_EQ(recorder_.ends, 0);
  look();
  EXPECT_EQ(recorder_.received, "last");
  EXPECT_EQ(recorder_.ends, 1);
}

TEST_P(TransportReceiveTest, AResetIsNotHadAtOnceAndNotLost) {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  ASSERT_EQ(::listen(listener, 1), 0);
  sockaddr_in address{};
  socklen_t length = sizeof address;
  ASSERT_EQ(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length), 0);
  const int client = ::socket(AF_INET, SOCK_STREAM, 0);
  ASSERT_EQ(::connect(client, reinterpret_cast<sockaddr*>(&address), length), 0);
  Recorder recorder;
  const int accepted = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  const std::unique_ptr<Transport> transport = reactor_->adopt(accepted);
  transport->start(recorder);
  transport->pause_receive();
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(client, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  ::close(client);  // resets
  ::close(listener);
  look();
  transport->receive_now();
  EXPECT_EQ(recorder.ends, 0);
  transport->resume_receive();
  wait_until([&] { return recorder.ends != 0; });
  EXPECT_EQ(recorder.end_error, std::errc::connection_reset);
}

TEST_P(TransportReceiveTest, NothingIsHadAtOnceInsideADelivery) {
  int most = 0;
  int depth = 0;
  recorder_.then = [&] {
    most = std::max(most, ++depth);
    transport_->receive_now();
    --depth;
  };
  send(std::string(150'000, 'x'));  // more than the receive buffer
  wait_until([&] { return recorder_.received.size() == 150'000; });
  EXPECT_EQ(most, 1);
}

TEST_P(TransportReceiveTest, TheOthersHaveTheirTurnWhenMuchIsHadAtOnce) {
  constexpr std::size_t kCount = 40;
  Crowd crowd(*reactor_, kCount);
  for (const auto& transport : crowd.transports) transport->pause_receive();
  crowd.send_hello();
  look();
  for (const auto& transport : crowd.transports) transport->receive_now();
  const std::size_t first = crowd.delivered();
  EXPECT_LT(first, kCount);
  if (GetParam() == ReactorKind::kEpoll) EXPECT_GT(first, 0U);
  for (const auto& transport : crowd.transports) transport->receive_now();
  EXPECT_EQ(crowd.delivered(), first);  // not in this turn
  for (const auto& transport : crowd.transports) transport->resume_receive();
  wait_until([&] { return crowd.delivered() == kCount; });
}

TEST_P(TransportReceiveTest, PausedInsideADelivery) {
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

TEST_P(TransportReceiveTest, PausedAndResumedInOneTurn) {
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

TEST_P(TransportReceiveTest, PausesAtAnyMomentLoseNothing) {
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

TEST_P(TransportReceiveTest, PausedInsideTheDeliveryOfWhatWasKept) {
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

TEST_P(TransportReceiveTest, DestroyedWhilePaused) {
  send("unread");
  look();
  transport_->pause_receive();
  send("more");
  look();
  transport_.reset();
  look();
  EXPECT_EQ(recorder_.received, "unread");
}

TEST_P(TransportReceiveTest, ManyConnectionsAtOnceAreAllServed) {
  // More than there are buffers, entries and events for in one turn.
  constexpr std::size_t kCount = 400;
  Crowd crowd(*reactor_, kCount);
  for (std::size_t i = 0; i < kCount; ++i) {
    crowd.recorders[i].then = [&crowd, i] {
      crowd.transports[i]->write(crowd.recorders[i].received);
    };
  }
  look();
  crowd.send_hello();
  std::size_t answered = 0;
  // A wait that is to end with an event would go on behind the last answer: nothing comes of it.
  for (const TimePoint limit = Clock::now() + 10s; answered < kCount && Clock::now() < limit;) {
    look(1);
    std::array<char, 16> buffer;
    for (const int peer : crowd.peers) {
      answered += ::recv(peer, buffer.data(), 16, 0) == 5 ? 1U : 0U;
    }
  }
  ASSERT_EQ(answered, kCount);
  crowd.transports.clear();
  wait_until([&] {  // a backend may let go of so many in several turns
    return std::ranges::all_of(crowd.peers,
                               [](int peer) { return ::recv(peer, nullptr, 0, 0) == 0; });
  });
}

TEST_P(TransportReceiveTest, DestroyedInsideADelivery) {
  recorder_.then = [&] { transport_.reset(); };
  send("bytes");
  ::shutdown(peer_, SHUT_WR);
  look();
  EXPECT_EQ(recorder_.deliveries, 1);
  EXPECT_EQ(recorder_.ends, 0);
  EXPECT_EQ(::recv(peer_, nullptr, 0, 0), 0);  // closed
}

TEST_P(TransportReceiveTest, DestroyedInsideTheEnd) {
  recorder_.at_end = [&] { transport_.reset(); };
  close_peer();
  look();
  EXPECT_EQ(recorder_.ends, 1);
}

TEST_P(TransportReceiveTest, DestroyedByTheHandlerOfAnotherInTheSameTurn) {
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

}  // namespace
}  // namespace coronado
