#include <coronado/loop/reactor.hpp>

#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "tests/loop/reactor_kinds.hpp"

namespace coronado {
namespace {

using namespace std::chrono_literals;

class ReactorTest : public testing::TestWithParam<ReactorKind> {
 protected:
  ReactorTest() { reactor_->set_probe(probe_); }
  StepProbe probe_;
  std::unique_ptr<Reactor> reactor_ = make_reactor(GetParam());
};

INSTANTIATE_TEST_SUITE_P(Reactors, ReactorTest, all_reactors(), ReactorName());

TEST_P(ReactorTest, Name) {
  const std::string name = reactor_->name();
  const std::string wanted = GetParam() == ReactorKind::kSim     ? "sim"
                             : GetParam() == ReactorKind::kEpoll ? "epoll"
                                                                 : "uring";
  if (name == "epoll" && wanted == "uring") GTEST_SKIP() << "the system refuses io_uring";
  EXPECT_EQ(name, wanted);
}

TEST_P(ReactorTest, WaitsUntilTheInstant) {
  const TimePoint until = reactor_->now() + 3ms;
  while (reactor_->now() < until) EXPECT_TRUE(reactor_->wait(until));
  EXPECT_TRUE(reactor_->wait(TimePoint::min()));
  EXPECT_TRUE(reactor_->wait(until - 1h));
}

TEST_P(ReactorTest, AWakeBeforeTheWaitEndsIt) {
  const TimePoint begin = reactor_->now();
  reactor_->wake();
  reactor_->wake();
  EXPECT_TRUE(reactor_->wait(begin + 1h));
  EXPECT_LT(reactor_->now(), begin + 1h);
}

TEST_P(ReactorTest, AWakeFromAnotherThreadEndsIt) {
  for (int i = 0; i < 100; ++i) {
    reactor_->begin_outside_work();
    std::thread waker([&] { reactor_->wake(); });
    const TimePoint begin = reactor_->now();
    EXPECT_TRUE(reactor_->wait(begin + 1h));
    EXPECT_LT(reactor_->now(), begin + 1h);
    waker.join();
    reactor_->end_outside_work();
  }
}

}  // namespace
}  // namespace coronado
