#include <coronado/loop/reactor.hpp>

#include <gtest/gtest.h>

#include <system_error>

namespace coronado {
namespace {

using namespace std::chrono_literals;

class SimReactorTest : public testing::Test {
 protected:
  SimReactorTest() { reactor_->set_probe(probe_); }
  StepProbe probe_;
  std::unique_ptr<Reactor> reactor_ = make_reactor(ReactorKind::kSim);
};

TEST_F(SimReactorTest, WaitingJumps) {
  const TimePoint begin = reactor_->now();
  EXPECT_TRUE(reactor_->wait(begin + 1000h));
  EXPECT_EQ(reactor_->now(), begin + 1000h);
  EXPECT_TRUE(reactor_->wait(begin));
  EXPECT_EQ(reactor_->now(), begin + 1000h);
}

TEST_F(SimReactorTest, TwoOfThemSeeTheSameClock) {
  EXPECT_EQ(reactor_->now(), make_reactor(ReactorKind::kSim)->now());
}

TEST_F(SimReactorTest, WithoutTimersNothingCanHappen) {
  EXPECT_FALSE(reactor_->wait(TimePoint::max()));
  reactor_->wake();
  EXPECT_TRUE(reactor_->wait(TimePoint::max()));
}

TEST_F(SimReactorTest, HasNoDescriptors) {
  struct Ignore final : PollHandler, AcceptHandler {
    void on_poll(int, unsigned) noexcept override {}
    void on_accept(std::unique_ptr<Transport>) noexcept override {}
    void on_accept_error(std::error_code) noexcept override {}
  } ignore;
  EXPECT_THROW(reactor_->adopt(0), std::system_error);
  EXPECT_THROW(reactor_->accept_from(0, ignore), std::system_error);
  EXPECT_THROW(reactor_->add_poll(0, ignore, Reactor::kRead), std::system_error);
  EXPECT_THROW(reactor_->modify_poll(0, Reactor::kRead), std::system_error);
  reactor_->remove_poll(0);
}

}  // namespace
}  // namespace coronado
