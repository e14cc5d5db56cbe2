#include <coronado/coro/task_local.hpp>

#include <coronado/coro/combine.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/testing/async_test.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <string>

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
