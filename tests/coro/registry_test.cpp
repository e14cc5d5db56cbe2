#include <coronado/coro/registry.hpp>

#include <coronado/coro/combine.hpp>
#include <coronado/coro/locks.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/testing/async_test.hpp>

#include <gtest/gtest.h>

#include <string>

namespace coronado {
namespace {

using namespace std::chrono_literals;

// The dump below holds these line numbers.
constexpr unsigned kLine = __LINE__;
Task<> leaf(Event& event) {
  co_await event.wait();  // kLine + 2
}
Task<int> branch(Event& event) {
  co_await leaf(event);  // kLine + 5
  co_return 1;
}
Task<> scope(Event& event) {
  TaskGroup group("scope");
  group.spawn(branch(event), "first");
  group.spawn(as_task(sleep(1h)));  // kLine + 11
  co_await group.join();            // kLine + 12
}

std::string at(unsigned line, const char* function) {
  return "registry_test.cpp:" + std::to_string(kLine + line) + " " + function + "\n";
}

TEST(Registry, DumpOfAKnownTree) {
  run_async([]() -> Task<> {
    IOLoop& loop = *IOLoop::current();
    Event event;
    TaskHandle<> top = loop.spawn(scope(event), "top");
    co_await moment();
    co_await moment();
    TaskHandle<> fresh = loop.spawn(as_task(sleep(1s)), "fresh");
    std::string text = dump_tasks(loop);
    // The test's own task runs; its spawn site is where run_async was called.
    const std::string expected_top =
        "#2 \"top\" waiting: joining a group\n"
        "   at " +
        at(12, "scope()") +
        "   #3 \"first\" waiting: event\n"
        "      at " +
        at(2, "leaf()") + "      at " + at(5, "branch()") + "   #4 waiting: sleeping, spawned at " +
        at(11, "scope()");
    EXPECT_TRUE(text.starts_with("5 tasks\n")) << text;
    EXPECT_NE(text.find(expected_top), std::string::npos) << text << "\nexpected\n" << expected_top;
    EXPECT_NE(text.find("#5 \"fresh\" new\n"), std::string::npos) << text;
    EXPECT_NE(text.find("\"main\" running\n"), std::string::npos) << text;
    EXPECT_EQ(count_tasks(loop), 5U);

    top.cancel();
    text = dump_tasks(loop);
    EXPECT_NE(text.find("\"top\" waiting: joining a group (cancelled)"), std::string::npos) << text;
    EXPECT_NE(text.find("\"first\" ready (cancelled)"), std::string::npos) << text;
    try {
      co_await top.join();
    } catch (const Cancelled&) {
    }
    co_await fresh.join();
    EXPECT_TRUE(dump_tasks(loop).starts_with("1 task\n"));
  });
}

TEST(Registry, TreeAsValues) {
  run_async([]() -> Task<> {
    IOLoop& loop = *IOLoop::current();
    Event event;
    TaskGroup group("mine");
    group.spawn(scope(event), "top");
    co_await moment();
    co_await moment();
    const std::vector<TaskInfo> tree = task_tree(group);
    EXPECT_EQ(tree.size(), 1U);
    const TaskInfo& top = tree.at(0);
    EXPECT_EQ(top.name, "top");
    EXPECT_EQ(top.state, "waiting");
    EXPECT_EQ(top.waits_for, "joining a group");
    EXPECT_FALSE(top.cancelled);
    EXPECT_EQ(top.children.size(), 2U);
    const TaskInfo& first = top.children.at(0);
    EXPECT_EQ(first.frames.size(), 2U);
    EXPECT_EQ(first.frames.at(0).line, kLine + 2);
    EXPECT_EQ(first.frames.at(1).line, kLine + 5);
    event.set();
    group.cancel();
    co_await group.join();
    EXPECT_EQ(task_tree(loop).size(), 1U);
  });
}

TEST(Registry, LimitCountsTheOthers) {
  run_async([]() -> Task<> {
    IOLoop& loop = *IOLoop::current();
    TaskGroup group;
    for (int i = 0; i < 10; ++i) group.spawn(as_task(sleep(1s)), "child");
    co_await moment();
    const std::string text = dump_tasks(loop, 4);
    EXPECT_TRUE(text.starts_with("11 tasks\n")) << text;
    EXPECT_TRUE(text.ends_with("... and 7 more\n")) << text;
    EXPECT_EQ(task_tree(loop, 4).at(0).children.size(), 3U);
    co_await group.join();
  });
}

TEST(Registry, ChildrenOfMultiAndRaceHangBelowTheirTask) {
  run_async([]() -> Task<> {
    TaskGroup group;
    group.spawn([]() -> Task<> { co_await multi(sleep(1s), sleep(2s), sleep(3s)); }(), "three");
    group.spawn([]() -> Task<> { (void)co_await race(sleep(1s), sleep(2s)); }(), "two");
    co_await moment();
    co_await moment();
    const std::vector<TaskInfo> tree = task_tree(group);
    EXPECT_EQ(tree.at(0).children.size(), 3U);
    EXPECT_EQ(tree.at(0).waits_for, "waiting for several tasks");
    EXPECT_EQ(tree.at(1).children.size(), 2U);
    EXPECT_EQ(tree.at(1).waits_for, "waiting for the first of several tasks");
    co_await group.join();
  });
}

TEST(Registry, LambdasAreNamedAfterTheFunctionAroundThem) {
  run_async([]() -> Task<> {
    TaskGroup group;
    TaskHandle<> handle = group.spawn([]() -> Task<> { co_await moment(); }());
    co_await moment();
    const std::string text = describe_task(*handle.context());
    EXPECT_TRUE(text.ends_with("_Test::TestBody() lambda lambda")) << text;
    co_await group.join();
  });
}

TEST(Registry, DescribeTask) {
  run_async([]() -> Task<> {
    Event event;
    TaskGroup group;
    TaskHandle<int> handle = group.spawn(branch(event), "named");
    co_await moment();
    const std::string text = describe_task(*handle.context());
    EXPECT_TRUE(text.starts_with("task #2 \"named\" spawned at registry_test.cpp:")) << text;
    EXPECT_NE(text.find(", now at registry_test.cpp:" + std::to_string(kLine + 2) + " leaf()"),
              std::string::npos)
        << text;
    event.set();
    co_await group.join();
  });
}

}  // namespace
}  // namespace coronado
