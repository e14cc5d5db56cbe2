#include <coronado/http/websocket_topic.hpp>

#include <coronado/coro/timeout.hpp>
#include <coronado/testing/async_test.hpp>

#include <gtest/gtest.h>

#include <optional>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

#include "tests/http/websocket_pair.hpp"

namespace coronado {
namespace {

using namespace std::chrono_literals;
using http_test::make_websocket_pair;
using http_test::WebSocketPair;

Task<std::string> next(WebSocket& socket) {
  const auto message = co_await with_timeout(1h, socket.read());
  co_return message ? std::string(message->data) : "closed";
}

TEST(WebSocketTopic, AllWhoSubscribedHearItInOrder) {
  run_async([]() -> Task<> {
    WebSocketTopic topic;
    topic.publish(PreparedMessage::text("too early"));
    std::vector<WebSocketPair> pairs;
    std::vector<WebSocketTopic::Subscription> subscriptions;
    for (int i = 0; i < 3; ++i) {
      pairs.push_back(make_websocket_pair(*IOLoop::current()));
      subscriptions.push_back(pairs.back().server.subscribe(topic));
    }
    EXPECT_EQ(topic.loops(), 1U);
    topic.publish(PreparedMessage::text("one"));
    topic.publish(PreparedMessage::text("two"));
    for (WebSocketPair& each : pairs) {
      EXPECT_EQ(co_await next(each.client), "one");
      EXPECT_EQ(co_await next(each.client), "two");
    }
    subscriptions.erase(subscriptions.begin());
    topic.publish(PreparedMessage::text("three"));
    EXPECT_EQ(co_await next(pairs[1].client), "three");
    EXPECT_EQ(co_await next(pairs[2].client), "three");
    pairs[0].server.send("to you alone");
    EXPECT_EQ(co_await next(pairs[0].client), "to you alone");
    subscriptions.clear();
    EXPECT_EQ(topic.loops(), 0U);
    topic.publish(PreparedMessage::text("nobody is there"));
  });
}

TEST(WebSocketTopic, ASubscriberThatIsClosedIsLeftOut) {
  run_async([]() -> Task<> {
    WebSocketTopic topic;
    WebSocketPair closed = make_websocket_pair(*IOLoop::current());
    WebSocketPair open = make_websocket_pair(*IOLoop::current());
    const auto first = closed.server.subscribe(topic);
    const auto second = open.server.subscribe(topic);
    closed.server.close();
    topic.publish(PreparedMessage::text("hello"));
    EXPECT_EQ(co_await next(open.client), "hello");
    EXPECT_EQ(co_await next(closed.client), "closed");
  });
}

/// Who does not keep up misses messages; the others do not.
TEST(WebSocketTopic, OneWhoDoesNotKeepUpHoldsNobodyUp) {
  run_async([]() -> Task<> {
    WebSocketTopic topic;
    WebSocketPair slow = make_websocket_pair(*IOLoop::current(), {.max_buffered = 200'000});
    WebSocketPair quick = make_websocket_pair(*IOLoop::current(), {.max_buffered = 200'000});
    const auto first = slow.server.subscribe(topic);
    const auto second = quick.server.subscribe(topic);
    const PreparedMessage message = PreparedMessage::binary(std::string(50'000, 'x'));
    for (int i = 0; i < 100; ++i) {
      topic.publish(message);
      EXPECT_EQ((co_await next(quick.client)).size(), 50'000U);
    }
    EXPECT_LE(slow.server.buffered_amount(), 250'100U);
    EXPECT_GT(slow.server.dropped(), 50U);
    EXPECT_EQ(quick.server.dropped(), 0U);
    EXPECT_TRUE(slow.server.is_open());
  });
}

TEST(WebSocketTopic, ThreadsHearEachOther) {
  constexpr int kThreads = 3;
  WebSocketTopic topic;
  std::counting_semaphore<kThreads> subscribed(0);
  std::vector<std::string> heard(kThreads);
  std::vector<std::thread> threads;
  for (std::string& each : heard) {
    threads.emplace_back([&topic, &subscribed, &each] {
      IOLoop loop;
      loop.run_sync([](WebSocketTopic& room, auto& ready, std::string& text) -> Task<> {
        WebSocketPair ends = make_websocket_pair(*IOLoop::current());
        const auto subscription = ends.server.subscribe(room);
        ready.release();
        for (int i = 0; i < kThreads; ++i) text += co_await next(ends.client);
      }(topic, subscribed, each));
    });
  }
  for (int i = 0; i < kThreads; ++i) subscribed.acquire();
  EXPECT_EQ(topic.loops(), static_cast<std::size_t>(kThreads));
  for (const char* text : {"a", "b", "c"}) topic.publish(PreparedMessage::text(text));
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(heard, std::vector<std::string>(kThreads, "abc"));
  EXPECT_EQ(topic.loops(), 0U);
}

}  // namespace
}  // namespace coronado
