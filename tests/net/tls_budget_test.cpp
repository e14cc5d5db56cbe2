#include "net/tls_budget.hpp"

#include <coronado/testing/async_test.hpp>

#include <gtest/gtest.h>

#include <vector>

#include "tests/net/tls_fixture.hpp"

namespace coronado {
namespace {

struct Step final : HandshakeStep {
  Step(std::vector<int>& to, int name) : order(to), number(name) {}
  ~Step() { unlink(); }
  void run_step() noexcept override { order.push_back(number); }
  std::vector<int>& order;
  int number;
};

TEST(TLSBudget, StepsWaitInOrderForTheirTurn) {
  run_async([]() -> Task<> {
    const auto budget = HandshakeBudget::of(*IOLoop::current(), nullptr, 2);
    EXPECT_EQ(HandshakeBudget::of(*IOLoop::current(), nullptr, 2), budget);
    EXPECT_NE(HandshakeBudget::of(*IOLoop::current(), &budget, 2), budget);
    EXPECT_TRUE(budget->take());
    EXPECT_TRUE(budget->take());
    EXPECT_FALSE(budget->take());
    std::vector<int> order;
    std::vector<std::unique_ptr<Step>> steps;
    for (int i = 0; i < 5; ++i) {
      steps.push_back(std::make_unique<Step>(order, i));
      budget->wait(*steps.back());
    }
    EXPECT_TRUE(order.empty());
    co_await tls_test::next_turn();
    EXPECT_EQ(order, (std::vector<int>{0, 1}));
    EXPECT_FALSE(budget->take());  // those who wait come first
    steps[2].reset();              // goes while it waits
    co_await tls_test::next_turn();
    EXPECT_EQ(order, (std::vector<int>{0, 1, 3, 4}));
    co_await tls_test::next_turn();
    EXPECT_TRUE(budget->take());
  });
}

TEST(TLSBudget, GoesWithItsLastUser) {
  run_async([]() -> Task<> {
    std::vector<int> order;
    auto budget = HandshakeBudget::of(*IOLoop::current(), nullptr, 0);  // as 1
    EXPECT_TRUE(budget->take());
    {
      Step step(order, 1);
      budget->wait(step);
      budget.reset();
    }
    co_await tls_test::next_turn();
    EXPECT_TRUE(order.empty());
    EXPECT_TRUE(HandshakeBudget::of(*IOLoop::current(), nullptr, 1)->take());
  });
}

}  // namespace
}  // namespace coronado
