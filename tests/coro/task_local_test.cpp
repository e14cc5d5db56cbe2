#include <coronado/coro/task_local.hpp>

#include <coronado/coro/async_generator.hpp>
#include <coronado/coro/combine.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/coro/wait_iterator.hpp>
#include <coronado/testing/async_test.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace coronado {
namespace {

using namespace std::chrono_literals;

const TaskLocal<std::string> request_id;
const TaskLocal<int> depth;

Task<> expect_id(std::string expected) {
  co_await moment();
  EXPECT_EQ(request_id.get("none"), expected);
}

TEST(TaskLocal, BelongsToTheTaskAndWhatItAwaits) {
  run_async([]() -> Task<> {
    EXPECT_EQ(request_id.find(), nullptr);
    EXPECT_EQ(request_id.get("none"), "none");
    request_id.set("a1");
    co_await expect_id("a1");
    EXPECT_EQ(*request_id.find(), "a1");
    EXPECT_EQ(depth.get(), 0);
    request_id.set("a2");
    depth.set(3);
    EXPECT_EQ(request_id.get(), "a2");
    EXPECT_EQ(depth.get(), 3);
  });
}

TEST(TaskLocal, IsInheritedAtTheMomentOfTheSpawn) {
  run_async([]() -> Task<> {
    TaskGroup group;
    group.spawn(expect_id("none"));
    request_id.set("parent");
    group.spawn(expect_id("parent"));
    group.spawn([]() -> Task<> {
      EXPECT_EQ(request_id.get(), "parent");
      request_id.set("child");
      co_await sleep(1s);
      EXPECT_EQ(request_id.get(), "child");
      TaskGroup inner;
      inner.spawn(expect_id("child"));
      co_await inner.join();
    }());
    co_await moment();
    request_id.set("later");
    co_await multi(expect_id("later"), expect_id("later"));
    co_await group.join();
    EXPECT_EQ(request_id.get(), "later");
  });
}

TEST(TaskLocal, SettingDoesNotTouchWhatOthersInherited) {
  run_async([]() -> Task<> {
    request_id.set("one");
    depth.set(1);
    TaskGroup group;
    group.spawn([]() -> Task<> {
      co_await sleep(1s);
      EXPECT_EQ(request_id.get(), "one");
      EXPECT_EQ(depth.get(), 1);
      depth.set(10);
      EXPECT_EQ(request_id.get(), "one");
    }());
    co_await moment();
    request_id.set("two");
    depth.set(2);
    request_id.set("three");
    EXPECT_EQ(request_id.get(), "three");
    EXPECT_EQ(depth.get(), 2);
    co_await group.join();
    EXPECT_EQ(depth.get(), 2);
  });
}

TEST(TaskLocal, ValuesAreFreedWithTheLastTask) {
  static const TaskLocal<std::shared_ptr<int>> token;
  auto held = std::make_shared<int>(1);
  run_async([&]() -> Task<> {
    for (int i = 0; i < 1000; ++i) token.set(held);  // replaced in place
    EXPECT_EQ(held.use_count(), 2);
    TaskGroup group;
    group.spawn(as_task(sleep(1s)));
    co_await group.join();
    EXPECT_EQ(held.use_count(), 2);
  });
  EXPECT_EQ(held.use_count(), 1);
}

AsyncGenerator<std::string> ids() {
  while (true) {
    co_yield request_id.get("none");
    request_id.set("set inside");
  }
}

TEST(TaskLocal, AGeneratorSharesThoseOfWhoeverAsks) {
  run_async([]() -> Task<> {
    request_id.set("consumer");
    AsyncGenerator<std::string> generator = ids();
    EXPECT_EQ(*co_await generator.next(), "consumer");
    EXPECT_EQ(*co_await generator.next(), "set inside");
    EXPECT_EQ(request_id.get(), "set inside") << "it is one task";
    TaskGroup group;
    group.spawn([](AsyncGenerator<std::string>& source) -> Task<> {
      request_id.set("another task");
      (void)co_await source.next();
      EXPECT_EQ(request_id.get(), "set inside");
    }(generator));
    co_await group.join();
  });
}

Task<std::string> id_inside() {
  co_await moment();
  std::string id = request_id.get("none");
  request_id.set("set inside");
  co_return id;
}

TEST(TaskLocal, WhatIsAwaitedInPlaceSharesThem) {
  run_async([]() -> Task<> {
    request_id.set("outside");
    EXPECT_EQ(co_await with_timeout(1s, id_inside()), "outside");
    EXPECT_EQ(request_id.get(), "set inside");
    request_id.set("outside");
    EXPECT_EQ(co_await shield(id_inside()), "outside");
    EXPECT_EQ(request_id.get(), "set inside");
  });
}

TEST(TaskLocal, WhatRunsBesideGetsItsOwn) {
  run_async([]() -> Task<> {
    request_id.set("outside");
    const auto both = co_await multi(id_inside(), id_inside());
    EXPECT_EQ(std::get<0>(both), "outside");
    EXPECT_EQ(std::get<1>(both), "outside");
    EXPECT_EQ((co_await race(id_inside(), sleep(1h))).index(), 0U);
    const auto same = [](int) { return id_inside(); };
    const std::vector<std::string> mapped =
        co_await map_concurrent(std::vector<int>{1, 2, 3}, 2, same);
    EXPECT_EQ(mapped, std::vector<std::string>(3, "outside"));
    WaitIterator<std::string> iterator(id_inside(), id_inside());
    while (!iterator.done()) EXPECT_EQ(co_await iterator.next(), "outside");
    co_await with_group([](TaskGroup& group) -> Task<> {
      EXPECT_EQ(request_id.get(), "outside");
      TaskHandle<std::string> handle = group.spawn(id_inside());
      EXPECT_EQ(co_await handle.join(), "outside");
    });
    TaskHandle<std::string> detached = IOLoop::current()->spawn(id_inside());
    EXPECT_EQ(co_await detached.join(), "outside");
    EXPECT_EQ(request_id.get(), "outside") << "none of them touched ours";
  });
}

TEST(TaskLocal, ACallbackOfTheLoopHandsNothingOn) {
  run_async([]() -> Task<> {
    request_id.set("outside");
    TaskHandle<std::string> handle;
    IOLoop::current()->post([&] { handle = IOLoop::current()->spawn(id_inside()); });
    co_await sleep(1s);
    EXPECT_EQ(handle.result(), "none");
  });
}

TEST(TaskLocal, AScopedValueIsTakenBack) {
  run_async([]() -> Task<> {
    {
      const auto scope = request_id.scoped("inner");
      co_await expect_id("inner");
      TaskGroup group;
      group.spawn(expect_id("inner"));
      {
        const auto deeper = request_id.scoped("deeper");
        EXPECT_EQ(request_id.get(), "deeper");
        request_id.set("changed");
      }
      EXPECT_EQ(request_id.get(), "inner");
      co_await group.join();
    }
    EXPECT_EQ(request_id.get("none"), "none") << "there was none before";
    request_id.set("outer");
    bool thrown = false;
    try {
      const auto scope = request_id.scoped("inner");
      co_await moment();
      throw std::runtime_error("out of it");
    } catch (const std::runtime_error&) {
      thrown = true;
    }
    EXPECT_TRUE(thrown);
    EXPECT_EQ(request_id.get(), "outer");
  });
}

TEST(TaskLocal, OutsideATask) {
  EXPECT_THROW(request_id.set("x"), std::logic_error);
  EXPECT_THROW((void)request_id.find(), std::logic_error);
  run_async([]() -> Task<> {
    bool thrown = false;
    IOLoop::current()->call_later(0s, [&] {
      try {
        request_id.set("in a callback");
      } catch (const std::logic_error&) {
        thrown = true;
      }
    });
    co_await sleep(1s);
    EXPECT_TRUE(thrown);
  });
}

}  // namespace
}  // namespace coronado
