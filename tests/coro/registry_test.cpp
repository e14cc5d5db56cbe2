#include <coronado/coro/registry.hpp>

#include <coronado/base/json.hpp>
#include <coronado/coro/queues.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/testing/async_test.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

namespace coronado {
namespace {

using namespace std::chrono_literals;
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

/// The file without its folders.
const char* base_name_of(const char* path) {
  const char* slash = std::strrchr(path, '/');
  return slash == nullptr ? path : slash + 1;
}

std::size_t count(std::string_view text, std::string_view piece) {
  std::size_t found = 0;
  for (std::size_t at = text.find(piece); at != text.npos; at = text.find(piece, at + 1)) ++found;
  return found;
}

TEST(DumpTasks, NamesTheFunctionWithoutTypesAndNamespaces) {
  const std::string text = dump_beside(list(nap()));
  EXPECT_THAT(text, testing::StartsWith("2 tasks\n"));
  EXPECT_THAT(text, testing::ContainsRegex("\"root\" waiting: sleeping for another 3599 s\n"
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

// --- snapshots -----------------------------------------------------------------------------------

TEST(SnapshotTasks, SaysWhatIsWaitedForAndUntilWhen) {
  run_async([]() -> Task<> {
    Lock lock;
    const LockGuard held = co_await lock.acquire();
    const auto locker = [](Lock& wanted) -> Task<> { (void)co_await wanted.acquire(); };
    TaskGroup group("lockers");
    TaskHandle<> first = group.spawn(locker(lock), "first");
    co_await moment();
    TaskHandle<> second = group.spawn(as_task(with_timeout(20s, locker(lock))), "second");
    TaskHandle<> sleeper = group.spawn(nap(), "sleeper");
    co_await sleep(5s);
    TaskHandle<> fresh = group.spawn(nap(), "fresh");
    first.cancel();

    const TaskSnapshot snapshot = snapshot_tasks(group.executor());
    EXPECT_EQ(snapshot.total, 5U);
    EXPECT_EQ(snapshot.left_out, 0U);
    EXPECT_EQ(snapshot.tasks.size(), 1U);
    const TaskInfo& main = snapshot.tasks.at(0);
    EXPECT_EQ(main.name, "main");
    EXPECT_EQ(main.state, TaskState::kRunning);
    EXPECT_EQ(main.parent_id, 0U);
    EXPECT_EQ(main.children.size(), 4U);

    const TaskInfo& cancelled = main.children.at(0);
    EXPECT_EQ(cancelled.state, TaskState::kReady);
    EXPECT_TRUE(cancelled.cancelled);
    EXPECT_EQ(cancelled.parent_id, main.id);
    EXPECT_EQ(cancelled.group, "lockers");

    const TaskInfo& waiting = main.children.at(1);
    EXPECT_EQ(waiting.id, second.context()->id());
    EXPECT_EQ(waiting.state, TaskState::kWaiting);
    EXPECT_EQ(waiting.waits_for, "lock");
    EXPECT_EQ(waiting.detail, "lock, number 1 in line");
    EXPECT_EQ(waiting.due, TimePoint::max());
    EXPECT_LE(waiting.deadline, snapshot.taken + 15s);
    EXPECT_GT(waiting.deadline, snapshot.taken + 14s);
    EXPECT_EQ(waiting.frames.size(), 2U);

    const TaskInfo& sleeping = main.children.at(2);
    EXPECT_EQ(sleeping.waits_for, "sleeping");
    EXPECT_GT(sleeping.due, snapshot.taken + 3590s);
    EXPECT_EQ(sleeping.deadline, TimePoint::max());
    EXPECT_STREQ(base_name_of(sleeping.spawned.file), "registry_test.cpp");

    EXPECT_EQ(main.children.at(3).state, TaskState::kNew);
    EXPECT_THAT(to_text(snapshot),
                testing::ContainsRegex("\"second\" waiting: lock, number 1 in line, times out in "
                                       "1[45](\\.[0-9]+)? s\n"));
    EXPECT_THAT(to_text(snapshot), HasSubstr("\"first\" ready (cancelled)\n"));
    for (TaskHandle<>* each : {&second, &sleeper, &fresh}) each->cancel();
    co_await group.join();
  });
}

TEST(SnapshotTasks, FoldsOnlyWhenAskedTo) {
  run_async([]() -> Task<> {
    TaskGroup group;
    TaskHandle<> handle = group.spawn(branch(50), "root");
    co_await sleep(1s);
    const TaskSnapshot folded = snapshot_tasks(group.executor());
    EXPECT_EQ(folded.tasks.at(0).children.at(0).children.size(), 3U);
    EXPECT_EQ(folded.tasks.at(0).children.at(0).children.at(2).alike, 47U);
    EXPECT_EQ(folded.left_out, 0U);
    const TaskSnapshot whole = snapshot_tasks(group.executor(), {.fold = false});
    EXPECT_EQ(whole.tasks.at(0).children.at(0).children.size(), 50U);
    const TaskSnapshot cut = snapshot_tasks(group.executor(), {.limit = 10, .fold = false});
    EXPECT_EQ(cut.tasks.at(0).children.at(0).children.size(), 8U);
    EXPECT_EQ(cut.left_out, 42U);
    handle.cancel();
    co_await group.join();
  });
}

TEST(SnapshotTasks, AQueueAndAJoinerSayMore) {
  run_async([]() -> Task<> {
    Queue<int> full(1);
    Queue<int> empty;
    full.put_nowait(1);
    TaskGroup group;
    TaskHandle<> putter = group.spawn(as_task(full.put(2)));
    TaskHandle<int> getter = group.spawn(as_task(empty.get()));
    TaskHandle<> joiner = group.spawn(as_task(putter.join()));
    co_await sleep(1s);
    const std::vector<TaskInfo> tasks = task_tree(group);
    EXPECT_EQ(tasks.at(0).detail, "putting into a full queue, number 1 in line");
    EXPECT_EQ(tasks.at(1).detail, "waiting for an item, number 1 in line");
    EXPECT_EQ(tasks.at(2).detail, "waiting for task #" + std::to_string(putter.context()->id()));
    EXPECT_EQ(tasks.at(2).waits_for, "waiting for a task");
    group.cancel();
    co_await group.join();
  });
}

/// An awaiter that tells more than a static text can.
class Peer final : public Suspension {
 public:
  explicit Peer(std::string name) : name_(std::move(name)) {}
  bool await_ready() const noexcept { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> handle) noexcept {
    return park(handle.promise());
  }
  void await_resume() const { check(); }
  void cancel() noexcept override {
    cancelled_ = true;
    wake();
  }
  const char* what() const noexcept override { return "reading"; }
  void describe(std::string& out) const override { out += "reading from " + name_; }

 private:
  std::string name_;
};

Task<> read_from(std::string name) {
  Peer peer(std::move(name));
  co_await peer;
}

TEST(DumpTasksJson, SaysTheSameForPrograms) {
  run_async([]() -> Task<> {
    TaskGroup group("peers");
    group.spawn(read_from("127.0.0.1:80"), "reader");
    group.spawn(nap());
    co_await sleep(1s);
    const Json json = json_decode(dump_tasks_json(group.executor()));
    EXPECT_EQ(json["total"].as_int(), 3);
    EXPECT_EQ(json["left_out"].as_int(), 0);
    const Json& main = json["tasks"].at(0);
    EXPECT_TRUE(main["parent"].is_null());
    EXPECT_EQ(main["state"].as_string(), "running");
    const Json& reader = main["children"].at(0);
    EXPECT_EQ(reader["parent"].as_int(), main["id"].as_int());
    EXPECT_EQ(reader["name"].as_string(), "reader");
    EXPECT_EQ(reader["group"].as_string(), "peers");
    EXPECT_EQ(reader["state"].as_string(), "waiting");
    EXPECT_EQ(reader["waits_for"].as_string(), "reading");
    EXPECT_EQ(reader["detail"].as_string(), "reading from 127.0.0.1:80");
    EXPECT_TRUE(reader["due_in"].is_null());
    EXPECT_FALSE(reader["cancelled"].as_bool());
    EXPECT_EQ(reader["spawned"]["file"].as_string(), "registry_test.cpp");
    EXPECT_EQ(reader["frames"].size(), 1U);
    EXPECT_EQ(reader["frames"].at(0)["function"].as_string(), "coronado::read_from()");
    EXPECT_EQ(reader["alike"].as_int(), 0);
    EXPECT_NEAR(main["children"].at(1)["due_in"].as_double(), 3599, 0.01);
    group.cancel();
    co_await group.join();
  });
}

}  // namespace
}  // namespace coronado
