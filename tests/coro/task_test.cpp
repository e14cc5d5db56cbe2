#include <coronado/coro/task.hpp>

#include <coronado/coro/timeout.hpp>
#include <coronado/testing/async_test.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace coronado {
namespace {

using namespace std::chrono_literals;

static_assert(!std::is_copy_constructible_v<Task<int>>);
static_assert(std::is_nothrow_move_constructible_v<Task<int>>);
static_assert(is_awaitable<Task<int>> && is_awaitable<Sleep> && !is_awaitable<int>);
static_assert(std::is_same_v<await_result_t<Task<int&>>, int&>);
static_assert(std::is_same_v<await_result_t<Moment>, void>);

Task<int> value(int number) { co_return number; }

/// Counts how often it is moved, and how many there are.
struct Witness {
  explicit Witness() { ++alive; }
  Witness(Witness&& other) noexcept : number(other.number), moves(other.moves + 1) { ++alive; }
  ~Witness() { --alive; }
  int number = 0;
  int moves = 0;
  static inline int alive = 0;
};

Task<Witness> make_witness(int number, bool fails) {
  Witness& made = co_await detail::make_result<Witness>();
  made.number = number;
  co_await moment();
  if (fails) throw std::runtime_error("after it was made");
  co_return detail::kResultMade;
}

TEST(Task, AResultMadeInPlaceIsMovedOnce) {
  run_async([]() -> Task<> {
    const Witness got = co_await make_witness(7, false);
    EXPECT_EQ(got.number, 7);
    EXPECT_EQ(got.moves, 1);
  });
  EXPECT_EQ(Witness::alive, 0);
}

TEST(Task, AResultMadeInPlaceGoesWithItsCoroutine) {
  run_async([]() -> Task<> {
    EXPECT_THROW((void)co_await make_witness(1, true), std::runtime_error);
    EXPECT_EQ(Witness::alive, 0);
    {
      const Task<Witness> never = make_witness(2, false);
    }
    EXPECT_THROW((void)co_await with_timeout(Duration::zero(), make_witness(3, false)),
                 TimeoutError);
  });
  EXPECT_EQ(Witness::alive, 0);
}

TEST(Task, DoesNothingUntilItIsAwaited) {
  bool ran = false;
  auto token = std::make_shared<int>(1);
  const auto body = [](bool& told, std::shared_ptr<int> held) -> Task<int> {
    told = true;
    co_return *held;
  };
  {
    Task<int> dropped = body(ran, token);
  }
  EXPECT_FALSE(ran);
  EXPECT_EQ(token.use_count(), 1);
  run_async([&]() -> Task<> {
    Task<int> task = body(ran, token);
    co_await moment();
    EXPECT_FALSE(ran);
    EXPECT_EQ(co_await std::move(task), 1);
    EXPECT_TRUE(ran);
  });
  EXPECT_EQ(token.use_count(), 1);
}

TEST(Task, MovesAndEmptiness) {
  Task<int> task = value(1);
  EXPECT_TRUE(task);
  Task<int> other = std::move(task);
  EXPECT_FALSE(task);
  EXPECT_NE(other.promise(), nullptr);
  task = std::move(other);
  EXPECT_TRUE(task);
  EXPECT_FALSE(Task<>());
}

TEST(Task, ReturnsValuesReferencesAndMoveOnlyTypes) {
  run_async([]() -> Task<> {
    int target = 1;
    const auto refer = [](int& to) -> Task<int&> { co_return to; };
    (co_await refer(target)) = 5;
    EXPECT_EQ(target, 5);
    const auto make = []() -> Task<std::unique_ptr<std::string>> {
      co_return std::make_unique<std::string>("owned");
    };
    const std::unique_ptr<std::string> owned = co_await make();
    EXPECT_EQ(*owned, "owned");
    const auto convert = []() -> Task<std::string> { co_return "converted"; };
    EXPECT_EQ(co_await convert(), "converted");
  });
}

TEST(Task, ExceptionsPassThrough) {
  run_async([]() -> Task<> {
    const auto fail = [](int kind) -> Task<int> {
      if (kind == 1) throw std::out_of_range("standard");
      if (kind == 2) throw 42;
      if (kind == 3) throw Cancelled{};
      co_return kind;
    };
    EXPECT_THROW((void)co_await fail(1), std::out_of_range);
    EXPECT_THROW((void)co_await fail(2), int);
    EXPECT_THROW((void)co_await fail(3), Cancelled);
    EXPECT_EQ(co_await fail(0), 0);
  });
}

TEST(Task, LocalsAreDestroyedWhenItThrows) {
  auto token = std::make_shared<int>(1);
  run_async([&]() -> Task<> {
    const auto fail = [](std::shared_ptr<int> parameter) -> Task<> {
      const std::shared_ptr<int> local = parameter;
      co_await moment();
      throw std::runtime_error("no");
    };
    EXPECT_THROW(co_await fail(token), std::runtime_error);
    EXPECT_EQ(token.use_count(), 1);
  });
}

TEST(Task, AsTaskTakesAnyAwaitable) {
  run_async([]() -> Task<> {
    const TimePoint begin = IOLoop::current()->now();
    co_await as_task(sleep(1s));
    EXPECT_GE(IOLoop::current()->now() - begin, 1s);
    EXPECT_EQ(co_await as_task(value(3)), 3);
  });
}

// --- depth ---------------------------------------------------------------------------------------

TEST(Task, AMillionReadyChildrenInARow) {
  run_async([]() -> Task<> {
    long sum = 0;
    for (int i = 0; i < 1'000'000; ++i) sum += co_await value(i);
    EXPECT_EQ(sum, 499999500000);
  });
}

enum class AtTheBottom { kReturn, kThrow, kSleep };

Task<int> descend(int depth, AtTheBottom what, bool& arrived) {
  if (depth > 0) co_return 1 + co_await descend(depth - 1, what, arrived);
  arrived = true;
  if (what == AtTheBottom::kThrow) throw std::runtime_error("from the bottom");
  if (what == AtTheBottom::kSleep) co_await sleep(1h);
  co_return 0;
}

constexpr int kDeep = 100'000;

TEST(Task, DeepRecursionReturns) {
  bool arrived = false;
  EXPECT_EQ(run_async([&] { return descend(kDeep, AtTheBottom::kReturn, arrived); }), kDeep);
}

TEST(Task, DeepRecursionSuspendsAndReturns) {
  bool arrived = false;
  const auto body = [&] { return descend(kDeep, AtTheBottom::kSleep, arrived); };
  EXPECT_EQ(run_async(body, {.time_limit = 2h}), kDeep);
}

TEST(Task, DeepRecursionThrows) {
  bool arrived = false;
  const auto body = [&] { return descend(kDeep, AtTheBottom::kThrow, arrived); };
  EXPECT_THROW(run_async(body), std::runtime_error);
  EXPECT_TRUE(arrived);
}

TEST(Task, DeepRecursionIsCancelled) {
  bool arrived = false;
  run_async([&]() -> Task<> {
    Task<int> deep = descend(kDeep, AtTheBottom::kSleep, arrived);
    EXPECT_THROW((void)co_await with_timeout(1s, std::move(deep)), TimeoutError);
  });
  EXPECT_TRUE(arrived);
}

}  // namespace
}  // namespace coronado
