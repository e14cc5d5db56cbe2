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
    EXPECT_TRUE(OpenStream::of(group.executor()).empty());
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
