#include <coronado/coro/open_stream.hpp>

#include <coronado/base/json.hpp>
#include <coronado/coro/registry.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/testing/async_test.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace coronado {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;

/// A stream that says what it was told to.
class Said final : public OpenStream {
 public:
  Said(const Executor& executor, StreamInfo info) : OpenStream(executor), info_(std::move(info)) {}
  StreamInfo info() const override { return info_; }
  void use() noexcept { note_use(); }
  void end() noexcept { note_end(); }

 private:
  StreamInfo info_;
};

/// Many that say what they were told to.
class Crowd final : public StreamSource {
 public:
  Crowd(const Executor& executor, std::vector<StreamInfo> infos)
      : StreamSource(executor), infos_(std::move(infos)) {}
  void visit_streams(Visit& visit) const override {
    for (const StreamInfo& info : infos_) visit(info);
  }

 private:
  std::vector<StreamInfo> infos_;
};

Task<> hold(StreamInfo info) {
  const Said stream(Executor::require_current(), std::move(info));
  co_await sleep(1h);
}

Task<> borrow(Said& stream) {
  stream.use();
  co_await sleep(1h);
}

TEST(OpenStream, IsShownWithTheTaskThatMadeIt) {
  run_async([]() -> Task<> {
    TaskGroup group("holders");
    group.spawn(hold({.peer = "192.0.2.7:80",
                      .security = "TLS 1.3, TLS_AES_128_GCM_SHA256",
                      .kernel_tls = true,
                      .buffered = 12,
                      .unsent = 3}),
                "busy");
    group.spawn(hold({.peer = "a stream"}), "plain");
    co_await sleep(1s);
    const TaskSnapshot snapshot = snapshot_tasks(group.executor());
    EXPECT_TRUE(snapshot.streams.empty());
    const std::vector<TaskInfo>& tasks = snapshot.tasks.at(0).children;
    EXPECT_EQ(tasks.at(0).streams.size(), 1U);
    EXPECT_EQ(tasks.at(0).streams.at(0).peer, "192.0.2.7:80");
    EXPECT_EQ(tasks.at(1).streams.size(), 1U);
    EXPECT_EQ(snapshot.tasks.at(0).streams.size(), 0U);
    const std::string text = to_text(snapshot);
    EXPECT_THAT(text, HasSubstr("      has a stream with 192.0.2.7:80 (TLS 1.3, "
                                "TLS_AES_128_GCM_SHA256, by the kernel), 12 bytes buffered, "
                                "3 bytes unsent\n"));
    EXPECT_THAT(text, HasSubstr("      has a stream with a stream\n"));
    const Json json = json_decode(to_json(snapshot));
    const Json& busy = json["tasks"].at(0)["children"].at(0)["streams"];
    EXPECT_EQ(busy.size(), 1U);
    EXPECT_EQ(busy.at(0)["peer"].as_string(), "192.0.2.7:80");
    EXPECT_EQ(busy.at(0)["security"].as_string(), "TLS 1.3, TLS_AES_128_GCM_SHA256");
    EXPECT_TRUE(busy.at(0)["kernel_tls"].as_bool());
    EXPECT_EQ(busy.at(0)["buffered"].as_int(), 12);
    EXPECT_EQ(busy.at(0)["unsent"].as_int(), 3);
    EXPECT_EQ(json["streams"].size(), 0U);
    group.cancel();
    co_await group.join();
    EXPECT_TRUE(snapshot_tasks(group.executor()).streams.empty());
  });
}

TEST(OpenStream, SaysItsProtocolBeforeItsSecurity) {
  run_async([]() -> Task<> {
    Executor& executor = Executor::require_current();
    const Crowd crowd(executor, {{.peer = "a", .protocol = "HTTP"},
                                 {.peer = "b", .protocol = "HTTP", .security = "TLS 1.2, X"},
                                 {.peer = "c", .kernel_tls = true, .buffered = 1}});
    EXPECT_THAT(dump_tasks(executor),
                EndsWith("a stream that no task uses, with a (HTTP)\n"
                         "a stream that no task uses, with b (HTTP, TLS 1.2, X)\n"
                         "a stream that no task uses, with c (by the kernel), "
                         "1 bytes buffered\n"));
    co_return;
  });
}

TEST(OpenStream, AnIdleCrowdIsCounted) {
  run_async([]() -> Task<> {
    Executor& executor = Executor::require_current();
    std::vector<StreamInfo> many;
    for (int i = 0; i < 100; ++i) {
      many.push_back({.peer = std::to_string(i), .protocol = i % 2 == 0 ? "HTTP" : "WebSocket"});
    }
    many.push_back({.peer = "slow", .protocol = "HTTP", .buffered = 5});
    const Crowd crowd(executor, std::move(many));
    const TaskSnapshot folded = snapshot_tasks(executor);
    std::vector<std::string> peers;
    for (const StreamInfo& info : folded.streams) peers.push_back(info.peer);
    EXPECT_THAT(peers, ElementsAre("0", "1", "2", "3", "4", "5", "slow"));
    EXPECT_EQ(folded.streams.at(3).alike, 0U);
    EXPECT_EQ(folded.streams.at(4).alike, 47U);
    EXPECT_EQ(folded.streams.at(5).alike, 47U);
    EXPECT_EQ(folded.streams_left_out, 0U);
    EXPECT_THAT(to_text(folded), HasSubstr("no task uses, with 4 (HTTP)\n... and 47 like it\n"));
    EXPECT_EQ(json_decode(to_json(folded))["streams"].at(4)["alike"].as_int(), 47);
    EXPECT_EQ(snapshot_tasks(executor, {.fold = false}).streams.size(), 101U);
    const TaskSnapshot cut = snapshot_tasks(executor, {.limit = 10, .fold = false});
    EXPECT_EQ(cut.streams.size(), 10U);
    EXPECT_EQ(cut.streams_left_out, 91U);
    EXPECT_THAT(to_text(cut), EndsWith("... and 91 more that no task uses\n"));
    EXPECT_EQ(json_decode(to_json(cut))["streams_left_out"].as_int(), 91);
    const TaskSnapshot narrow = snapshot_tasks(executor, {.limit = 4});
    EXPECT_EQ(narrow.streams.size(), 4U);
    EXPECT_EQ(narrow.streams_left_out, 97U);
    co_return;
  });
}

TEST(OpenStream, ASourceTellsOfTheTasksThatUseItsStreams) {
  run_async([]() -> Task<> {
    TaskGroup group("holders");
    TaskHandle<> task = group.spawn(as_task(sleep(1h)), "sleeper");
    const std::uint64_t id = task.context()->id();
    const Crowd crowd(group.executor(), {{.peer = "idle"},
                                         {.peer = "first", .task_id = id},
                                         {.peer = "gone", .task_id = 1'000'000},
                                         {.peer = "second", .task_id = id}});
    const TaskSnapshot snapshot = snapshot_tasks(group.executor());
    const std::vector<StreamInfo>& used = snapshot.tasks.at(0).children.at(0).streams;
    EXPECT_EQ(used.size(), 2U);
    EXPECT_EQ(used.at(0).peer + ' ' + used.at(1).peer, "first second");
    EXPECT_EQ(snapshot.streams.size(), 2U);
    EXPECT_EQ(snapshot.streams.at(0).peer + ' ' + snapshot.streams.at(1).peer, "idle gone");
    task.cancel();
    co_await group.join();
  });
}

TEST(OpenStream, GoesOverToTheTaskThatUsesIt) {
  run_async([]() -> Task<> {
    TaskGroup group("borrowers");
    Said stream(group.executor(), {.peer = "192.0.2.8:80"});
    const std::uint64_t maker = stream.task_id();
    EXPECT_NE(maker, 0U);
    TaskHandle<> borrower = group.spawn(borrow(stream));
    co_await sleep(1s);
    EXPECT_EQ(stream.task_id(), borrower.context()->id());
    TaskSnapshot snapshot = snapshot_tasks(group.executor());
    EXPECT_EQ(snapshot.tasks.at(0).streams.size(), 0U);
    EXPECT_EQ(snapshot.tasks.at(0).children.at(0).streams.size(), 1U);
    // The task goes, the stream stays: it is not hidden.
    group.cancel();
    co_await group.join();
    snapshot = snapshot_tasks(group.executor());
    EXPECT_EQ(snapshot.streams.size(), 1U);
    EXPECT_THAT(to_text(snapshot), HasSubstr("a stream that no task uses, with 192.0.2.8:80\n"));
    EXPECT_EQ(json_decode(to_json(snapshot))["streams"].at(0)["peer"].as_string(), "192.0.2.8:80");
    stream.end();
    EXPECT_TRUE(snapshot_tasks(group.executor()).streams.empty());
  });
}

TEST(OpenStream, ThoseOfAnotherThreadAreNotShown) {
  const auto make_and_look = [](const char* mine, const char* other) {
    run_async([=]() -> Task<> {
      for (int i = 0; i < 200; ++i) {
        const Said stream(*Executor::current(), {.peer = mine});
        const std::string text = dump_tasks(*Executor::current());
        EXPECT_THAT(text, HasSubstr(mine));
        EXPECT_THAT(text, testing::Not(HasSubstr(other)));
        co_await moment();
      }
    });
  };
  std::thread first(make_and_look, "first", "second");
  std::thread second(make_and_look, "second", "first");
  first.join();
  second.join();
}

}  // namespace
}  // namespace coronado
