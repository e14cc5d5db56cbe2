#include <coronado/testing/raw_client.hpp>

#include <coronado/base/error.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/testing/memory_transport.hpp>

#include <gtest/gtest.h>

namespace coronado {
namespace {

/// A server that says what it is told to.
struct Peer final : TransportHandler {
  void on_receive(std::span<char> bytes) noexcept override {
    received.append(bytes.data(), bytes.size());
  }
  void on_receive_end(std::error_code) noexcept override {}
  void on_drained() noexcept override {}
  std::string received;
};

struct Talk {
  Talk() {
    auto [left, right] = make_memory_transports(loop, {.piece = 1});
    client = std::make_unique<RawClient>(std::move(left));
    server = std::move(right);
    server->start(peer);
  }
  IOLoop loop{{.reactor = ReactorKind::kSim}};
  Peer peer;
  std::unique_ptr<RawClient> client;
  std::unique_ptr<MemoryTransport> server;
};

TEST(RawClient, TakesResponsesApart) {
  Talk talk;
  talk.client->send("anything");
  talk.server->write(
      "HTTP/1.1 100 Continue\r\n\r\n"
      "HTTP/1.1 200 Very OK\r\nA: 1\r\na:  2 \r\nContent-Length: 3\r\n\r\nabc"
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\n"
      "T: x\r\n\r\n"
      "HTTP/1.1 304 Not Modified\r\n\r\n");
  EXPECT_EQ(talk.loop.run_sync(talk.client->read_response()).head, "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(talk.peer.received, "anything");
  const RawResponse known = talk.loop.run_sync(talk.client->read_response());
  EXPECT_EQ(known.status, 200);
  EXPECT_EQ(known.reason, "Very OK");
  EXPECT_EQ(known.count("A"), 2U);
  EXPECT_EQ(known.field("A"), "1");
  EXPECT_EQ(known.body, "abc");
  EXPECT_FALSE(known.truncated);
  const RawResponse chunked = talk.loop.run_sync(talk.client->read_response());
  EXPECT_TRUE(chunked.chunked);
  EXPECT_EQ(chunked.body, "abc0123456789");
  EXPECT_EQ(chunked.trailers.size(), 1U);
  EXPECT_EQ(talk.loop.run_sync(talk.client->read_response()).status, 304);
}

TEST(RawClient, NoticesTruncation) {
  for (const char* head : {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
                           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
                           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"}) {
    Talk talk;
    talk.server->write(head);
    talk.server.reset();
    const RawResponse response = talk.loop.run_sync(talk.client->read_response());
    EXPECT_TRUE(response.truncated) << head;
    EXPECT_EQ(response.body, "abc");
    EXPECT_THROW(talk.loop.run_sync(talk.client->read_response()), StreamClosedError);
  }
}

TEST(RawClient, RefusesWhatIsNoResponse) {
  for (const char* text :
       {"hello\r\n\r\n", "HTTP/1.1 abc OK\r\n\r\n", "HTTP/1.1 200 OK\r\nA\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"}) {
    Talk talk;
    talk.server->write(text);
    EXPECT_THROW(talk.loop.run_sync(talk.client->read_response()), HTTPInputError) << text;
  }
}

TEST(RawClient, ReadsToTheEnd) {
  Talk talk;
  talk.server->write("HTTP/1.0 200 OK\r\n\r\nall of it");
  talk.server->shutdown_write();
  EXPECT_EQ(talk.loop.run_sync(talk.client->read_response()).body, "all of it");
  EXPECT_EQ(talk.loop.run_sync(talk.client->read_to_end()), "");
  EXPECT_TRUE(talk.client->ended());
}

TEST(RawClient, WaitingCanBeCancelled) {
  Talk talk;
  EXPECT_THROW(talk.loop.run_sync(talk.client->read_response(), std::chrono::seconds(1)),
               TimeoutError);
  talk.server->write("HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_EQ(talk.loop.run_sync(talk.client->read_response()).status, 204);
}

}  // namespace
}  // namespace coronado
