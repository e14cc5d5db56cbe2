#include <coronado/http/prepared_message.hpp>

#include <coronado/base/crypto.hpp>

#include <coronado/testing/async_test.hpp>

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "http/compress.hpp"
#include "http/prepared_frame.hpp"
#include "tests/http/websocket_pair.hpp"

namespace coronado {
namespace {

using http_test::make_websocket_pair;
using http_test::WebSocketPair;

TEST(PreparedMessage, KeepsWhatItWasGiven) {
  const PreparedMessage text = PreparedMessage::text("héllo");
  EXPECT_EQ(text.data(), "héllo");
  EXPECT_TRUE(text.is_text());
  const PreparedMessage bytes = PreparedMessage::binary("\xff\x00");
  EXPECT_FALSE(bytes.is_text());
  EXPECT_TRUE(PreparedMessage(WebSocketMessage{"x", true}).is_text());
  EXPECT_THROW(PreparedMessage::text("\xff"), std::invalid_argument);
  EXPECT_THROW(PreparedMessage(WebSocketMessage{"\xff", true}), std::invalid_argument);
}

TEST(PreparedFrame, CompressesOnceForAllThreads) {
  const std::string payload(5000, 'y');
  const PreparedFrame frame(WebSocketOpcode::kText, payload);
  std::vector<const char*> seen(8);
  std::vector<std::thread> threads;
  for (const char*& each : seen) {
    threads.emplace_back([&frame, &each] { each = frame.compressed(6).data(); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(std::vector<const char*>(8, seen[0]), seen);
  WebSocketFrameHead head;
  const auto result = read_frame_head(frame.compressed(6), head);
  EXPECT_TRUE(head.compressed);
  std::string decoded;
  make_decompressor(Coding::kRawDeflate)
      ->append(std::string(frame.compressed(6).substr(result.consumed)).append("\0\0\xff\xff", 4),
               payload.size(), decoded);
  EXPECT_EQ(decoded, payload);
}

/// However compression was agreed upon, in both directions, the message arrives.
TEST(PreparedMessage, ArrivesAtBothEndsWhateverTheyAgreedUpon) {
  const std::vector<std::optional<DeflateAgreement>> agreements = {
      std::nullopt,
      DeflateAgreement{},
      DeflateAgreement{.server_forgets = true, .client_forgets = true},
      DeflateAgreement{.server_forgets = true, .server_window_bits = 9, .client_window_bits = 9},
  };
  std::vector<std::string> texts = {"", "short", std::string(400, 'a'), std::string(70'000, 'b')};
  for (std::size_t i = 0; i < texts[3].size(); i += 7) {  // with repetitions farther than 512 bytes
    texts[3][i] = static_cast<char>('c' + i / 1000 % 20);
  }
  for (const auto& agreement : agreements) {
    run_async([&]() -> Task<> {
      WebSocketPair ends = make_websocket_pair(
          *IOLoop::current(), {.compression = WebSocketCompression{.threshold = 100}}, agreement);
      for (int round = 0; round < 2; ++round) {
        for (const std::string& text : texts) {
          const PreparedMessage message = PreparedMessage::text(text);
          for (auto [from, to] :
               {std::pair(&ends.server, &ends.client), std::pair(&ends.client, &ends.server)}) {
            co_await from->send(message);
            const auto received = co_await to->read();
            EXPECT_TRUE(received && received->is_text && received->data == text) << text.size();
          }
        }
      }
    });
  }
}

/// What is compressed already is not compressed again, for none of its readers.
TEST(PreparedMessage, MayGoAsItIs) {
  const std::string payload(5'000, 'z');
  for (const bool forgets : {false, true}) {
    for (const bool compress : {false, true}) {
      run_async([&]() -> Task<> {
        WebSocketPair ends = make_websocket_pair(
            *IOLoop::current(), {.compression = WebSocketCompression{}},
            DeflateAgreement{.server_forgets = forgets, .client_forgets = forgets});
        for (WebSocket* from : {&ends.server, &ends.client}) {
          // What the channel does not take shows how long the frames are.
          while (from->buffered_amount() == 0) from->send_binary(random_bytes(50'000), false);
          const std::size_t before = from->buffered_amount();
          from->send(PreparedMessage::binary(payload, compress));
          const std::size_t size = from->buffered_amount() - before;
          EXPECT_EQ(size >= payload.size(), !compress) << size;
        }
        co_return;
      });
    }
  }
}

TEST(PreparedMessage, IsRefusedByAClosedConnection) {
  run_async([]() -> Task<> {
    WebSocketPair ends = make_websocket_pair(*IOLoop::current());
    ends.server.close();
    EXPECT_THROW(ends.server.send(PreparedMessage::text("late")), WebSocketClosedError);
    co_return;
  });
}

}  // namespace
}  // namespace coronado
