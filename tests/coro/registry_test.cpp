#include <coronado/coro/registry.hpp>

#include <coronado/coro/locks.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/testing/async_test.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace coronado {
namespace {

using testing::HasSubstr;
using testing::Not;

Task<> nap() { co_await sleep(std::chrono::hours(1)); }

Task<> branch(int width) {
  TaskGroup group("twigs");
  for (int i = 0; i < width; ++i) group.spawn(nap(), "twig");
  co_await group.join();
}

/// The dump of a loop on which `tasks` run, without its own task.
std::string dump_beside(std::vector<Task<>> tasks, std::size_t limit = 1000) {
  std::string text;
  run_async([&]() -> Task<> {
    TaskGroup group("test");
    for (Task<>& task : tasks) group.spawn(std::move(task), "root");
    co_await sleep(std::chrono::seconds(1));
    text = dump_tasks(group.executor(), limit);
    group.cancel();
    co_await group.join();
  });
  return text;
}

template <class... Tasks>
std::vector<Task<>> list(Tasks... tasks) {
  std::vector<Task<>> all;
  (all.push_back(std::move(tasks)), ...);
  return all;
}

std::size_t count(std::string_view text, std::string_view piece) {
  std::size_t found = 0;
  for (std::size_t at = text.find(piece); at != text.npos; at = text.find(piece, at + 1)) ++found;
  return found;
}

TEST(DumpTasks, NamesTheFunctionWithoutTypesAndNamespaces) {
  const std::string text = dump_beside(list(nap()));
  EXPECT_THAT(text, testing::StartsWith("2 tasks\n"));
  EXPECT_THAT(text, testing::ContainsRegex("\"root\" waiting: sleeping\n"
                                           " +at registry_test.cpp:[0-9]+ coronado::nap\\(\\)\n"));
  EXPECT_THAT(text, Not(HasSubstr("anonymous")));
}

TEST(DumpTasks, SaysWhereALambdaStands) {
  const auto lambda = []() -> Task<> { co_await sleep(std::chrono::hours(1)); };
  EXPECT_THAT(dump_beside(list(lambda())),
              testing::ContainsRegex("registry_test.cpp:[0-9]+ lambda in .*TestBody\\(\\)\n"));
}

TEST(DumpTasks, FoldsSiblingsThatLookAlike) {
  const std::string text = dump_beside(list(branch(50), nap()));
  EXPECT_THAT(text, testing::StartsWith("53 tasks\n"));
  EXPECT_EQ(count(text, "\"twig\""), 3u);
  EXPECT_THAT(text, HasSubstr("... and 47 like it\n"));
  EXPECT_EQ(count(text, "\"root\""), 2u) << "what follows the fold is shown";
  EXPECT_THAT(text, Not(HasSubstr("more")));
}

TEST(DumpTasks, ShowsFewAlikeOneByOne) {
  const std::string text = dump_beside(list(branch(3)));
  EXPECT_EQ(count(text, "\"twig\""), 3u);
  EXPECT_THAT(text, Not(HasSubstr("like it")));
}

TEST(DumpTasks, DoesNotFoldTasksWithChildren) {
  const std::string text = dump_beside(list(branch(1), branch(1), branch(1), branch(1), branch(1)));
  EXPECT_EQ(count(text, "\"root\""), 5u);
  EXPECT_EQ(count(text, "\"twig\""), 5u);
}

TEST(DumpTasks, CountsWhatTheLimitLeavesOut) {
  const std::string text = dump_beside(list(branch(1), branch(1), branch(1)), 3);
  EXPECT_THAT(text, testing::StartsWith("7 tasks\n"));
  EXPECT_EQ(count(text, "#"), 3u);
  EXPECT_THAT(text, testing::EndsWith("... and 4 more\n"));
}

TEST(TaskTree, HasEveryTaskAsAValue) {
  run_async([]() -> Task<> {
    TaskGroup group("test");
    auto handle = group.spawn(branch(5), "root");
    co_await sleep(std::chrono::seconds(1));
    const std::vector<TaskInfo> roots = task_tree(group);
    EXPECT_EQ(roots.size(), 1u);
    EXPECT_EQ(roots.at(0).id, handle.context()->id());
    EXPECT_EQ(roots.at(0).waits_for, "joining a group");
    EXPECT_EQ(roots.at(0).children.size(), 5u);
    EXPECT_EQ(task_tree(group, 3).at(0).children.size(), 2u);
    EXPECT_EQ(count_tasks(group.executor()), 7u);
    handle.cancel();
    co_await group.join();
  });
}

}  // namespace
}  // namespace coronado
