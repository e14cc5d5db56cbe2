#include <coronado/loop/transport.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "tests/loop/transport_fixture.hpp"

namespace coronado {
namespace {

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

}  // namespace
}  // namespace coronado
