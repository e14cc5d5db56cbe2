#include "ops/topic_link.hpp"

#include <gtest/gtest.h>

#include <string>

#include "tests/http/websocket_pair.hpp"

namespace coronado {
namespace {

using namespace std::chrono_literals;
using http_test::make_websocket_pair;
using http_test::WebSocketPair;

/// The topics of one process, here of one thread, and one who hears both.
struct Process {
  Process(const ProcessSockets& sockets, std::uint32_t id) : link({&news, &chat}, sockets, id) {}

  WebSocketPair ends = make_websocket_pair(*IOLoop::current());
  WebSocketTopic news;
  WebSocketTopic chat;
  TopicLink link;
};

Task<std::string> next(Process& process) {
  const auto message = co_await process.ends.client.read();
  co_return message ? (message->is_text ? "text " : "bytes ") + std::string(message->data) : "gone";
}

TEST(TopicLink, ThreadsHearTheTopicsOfEachOther) {
  IOLoop loop;
  loop.run_sync(
      []() -> Task<> {
        const ProcessSockets sockets(2);
        Process one(sockets, 0);
        Process two(sockets, 1);
        const auto mine = one.ends.server.subscribe(one.chat);
        const auto others = two.ends.server.subscribe(two.chat);
        const auto theirs = two.ends.server.subscribe(two.news);
        one.chat.publish(PreparedMessage::text("1:2"));
        one.news.publish(PreparedMessage::binary(std::string("\0\xff", 2), false));
        two.chat.publish(PreparedMessage::text(""));
        EXPECT_EQ(co_await next(one), "text 1:2");
        EXPECT_EQ(co_await next(one), "text ");
        std::string heard;
        for (int i = 0; i < 3; ++i) heard += co_await next(two) + ";";
        // In its order from each; its own may come before or between.
        EXPECT_NE(heard.find("text 1:2;"), std::string::npos) << heard;
        EXPECT_NE(heard.find("text ;"), std::string::npos) << heard;
        EXPECT_LT(heard.find("text 1:2;"), heard.find(std::string("bytes \0\xff;", 9))) << heard;
        EXPECT_NE(heard.find(std::string("bytes \0\xff;", 9)), std::string::npos) << heard;
      }(),
      60s);
}

TEST(TopicLink, ThreadsAreApartAgainWhenItEnds) {
  IOLoop loop;
  loop.run_sync(
      []() -> Task<> {
        const ProcessSockets sockets(2);
        Process one(sockets, 0);
        WebSocketTopic news;
        WebSocketTopic chat;
        {
          const TopicLink link({&news, &chat}, sockets, 1);
        }
        news.publish(PreparedMessage::text("to nobody"));
        const TopicLink link({&news, &chat}, sockets, 1);
        const auto subscription = one.ends.server.subscribe(one.news);
        news.publish(PreparedMessage::text("again"));
        EXPECT_EQ(co_await next(one), "text again");
      }(),
      60s);
}

}  // namespace
}  // namespace coronado
