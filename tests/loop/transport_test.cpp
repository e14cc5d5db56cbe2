#include <coronado/loop/transport.hpp>

#include <coronado/coro/locks.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/loop/ioloop.hpp>

#include <cerrno>

#include "tests/loop/nameless_file.hpp"
#include "tests/loop/transport_fixture.hpp"

namespace coronado {
namespace {

INSTANTIATE_TEST_SUITE_P(Reactors, TransportTest, real_reactors(), ReactorName());

struct NamelessFile {
  explicit NamelessFile(const std::string& content) : fd(open_nameless_file(content)) {}
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
    ASSERT_TRUE(sent.has_value());
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
  for (int turns = 0; turns < 100'000 && !received.ends_with("tail"); ++turns) {
    look(1);
    received += drain_peer();
  }
  EXPECT_TRUE(received == "head" + content + "tail");
  EXPECT_GT(recorder_.drains, 0);
}

TEST_P(TransportTest, AFileThatEndsSendsNothing) {
  const NamelessFile file("12345");
  const auto sent = transport_->send_file(file.fd, 2, 10);
  EXPECT_EQ(sent, 3U);
  EXPECT_EQ(transport_->pending(), 0U);
  EXPECT_EQ(transport_->send_file(file.fd, 5, 10), 0U);
  EXPECT_EQ(transport_->pending(), 0U);
  EXPECT_EQ(drain_peer(), "345");
}

TEST_P(TransportTest, AFileForAPeerThatHasGoneIsDroppedAndTold) {
  const NamelessFile file(std::string(1000, 'x'));
  EXPECT_EQ(transport_->send_file(file.fd, 0, 1), 1U);
  close_peer();
  EXPECT_EQ(transport_->send_file(file.fd, 0, 1000), 1000U);  // and no SIGPIPE
  wait_until([&] { return recorder_.ends > 0; });
  EXPECT_EQ(transport_->send_file(file.fd, 0, 1000), 1000U);
}

TEST_P(TransportTest, WhatIsNoFileIsNotSent) {
  std::array<int, 2> sockets{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sockets.data()), 0);
  EXPECT_EQ(transport_->send_file(sockets[0], 0, 10), std::nullopt);
  EXPECT_EQ(transport_->pending(), 0U);
  for (const int socket : sockets) ::close(socket);
}

TEST_P(TransportTest, AFileThatWaitsForRoomLetsTheEndWait) {
  const NamelessFile file(std::string(3'000'000, 'x'));
  const auto sent = transport_->send_file(file.fd, 0, 3'000'000);
  ASSERT_LT(sent.value_or(0), 3'000'000U);
  transport_->shutdown_write();
  std::size_t received = 0;
  std::array<char, 65536> buffer;
  ssize_t n = -1;
  for (int turns = 0; turns < 100'000 && n != 0; ++turns) {
    while ((n = ::recv(peer_, buffer.data(), buffer.size(), 0)) > 0) {
      received += static_cast<std::size_t>(n);
    }
    look(1);
  }
  EXPECT_EQ(n, 0);  // the end
  EXPECT_EQ(received, sent);
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

}  // namespace
}  // namespace coronado
