#include <coronado/loop/topic.hpp>

#include <coronado/coro/locks.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/loop/ioloop.hpp>
#include <coronado/testing/async_test.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace coronado {
namespace {

using namespace std::chrono_literals;

TEST(Topic, EverySubscriberHearsEveryMessageInOrder) {
  run_async([]() -> Task<> {
    Topic<std::string> topic;
    std::string heard;
    topic.publish("too early");
    const auto first = topic.subscribe([&](const std::string& text) { heard += "1" + text; });
    const auto second = topic.subscribe([&](const std::string& text) { heard += "2" + text; });
    EXPECT_EQ(topic.subscribers(), 2U);
    topic.publish("a");
    topic.publish("b");
    EXPECT_EQ(heard, "");  // never from inside publish
    co_await sleep(1ms);
    EXPECT_EQ(heard, "1a2a1b2b");
  });
}

TEST(Topic, NothingComesAfterTheEndOfASubscription) {
  run_async([]() -> Task<> {
    Topic<int> topic;
    std::vector<int> heard;
    std::optional<Topic<int>::Subscription> subscription;
    subscription = topic.subscribe([&](int number) {
      heard.push_back(number);
      if (number == 2) subscription.reset();  // inside its own call
    });
    for (int i = 1; i <= 3; ++i) topic.publish(i);
    co_await sleep(1ms);
    EXPECT_EQ(heard, (std::vector<int>{1, 2}));
    EXPECT_EQ(topic.subscribers(), 0U);
    auto moved = topic.subscribe([&](int number) { heard.push_back(-number); });
    auto here = std::move(moved);
    EXPECT_FALSE(moved);  // NOLINT(bugprone-use-after-move)
    topic.publish(4);
    co_await sleep(1ms);
    EXPECT_EQ(heard.back(), -4);
  });
}

TEST(Topic, AHandlerThatThrowsIsLogged) {
  run_async([]() -> Task<> {
    ExpectLog expected("the handler has failed");
    Topic<int> topic;
    const auto subscription =
        topic.subscribe([](int) { throw std::runtime_error("the handler has failed"); });
    topic.publish(1);
    co_await sleep(1ms);
  });
}

TEST(Topic, NeedsALoopToSubscribe) {
  Topic<int> topic;
  EXPECT_THROW((void)topic.subscribe([](int) {}), std::logic_error);
  topic.publish(1);  // but not to publish
}

TEST(Topic, ThreadsPublishWhileOthersComeAndGo) {
  constexpr int kMessages = 2000;
  Topic<int> topic;
  std::atomic<int> steady = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&] {
      IOLoop loop({.reactor = ReactorKind::kEpoll, .slow_step_threshold = Duration::zero()});
      loop.run_sync([](Topic<int>& messages, std::atomic<int>& ready) -> Task<> {
        int next = 0;
        Event all;
        const auto always = messages.subscribe([&](int number) {
          EXPECT_EQ(number, next++);
          if (next == kMessages) all.set();
        });
        ++ready;
        while (!all.is_set()) {
          const auto passing = messages.subscribe([](int) {});
          co_await moment();
        }
      }(topic, steady));
    });
  }
  while (steady < 2) std::this_thread::yield();
  for (int i = 0; i < kMessages; ++i) topic.publish(i);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(topic.subscribers(), 0U);
}

}  // namespace
}  // namespace coronado
