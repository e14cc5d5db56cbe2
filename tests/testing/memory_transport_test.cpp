#include <coronado/testing/memory_transport.hpp>

#include <coronado/coro/timeout.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace coronado {
namespace {

/// Writes down what it is told.
struct Recorder final : TransportHandler {
  void on_receive(std::span<char> bytes) noexcept override {
    pieces.emplace_back(bytes.data(), bytes.size());
  }
  void on_receive_end(std::error_code code) noexcept override {
    ended = true;
    error = code;
  }
  void on_drained() noexcept override { ++drained; }
  std::string text() const {
    std::string all;
    for (const std::string& piece : pieces) all += piece;
    return all;
  }
  std::vector<std::string> pieces;
  std::error_code error;
  int drained = 0;
  bool ended = false;
};

struct Pair {
  explicit Pair(MemoryTransportOptions options = {}) {
    std::tie(left, right) = make_memory_transports(loop, options);
    left->start(at_left);
    right->start(at_right);
  }
  void settle() {
    loop.run_sync([]() -> Task<> { co_await sleep(std::chrono::seconds(1)); }());
  }
  IOLoop loop{{.reactor = ReactorKind::kSim}};
  Recorder at_left;
  Recorder at_right;
  std::unique_ptr<MemoryTransport> left;
  std::unique_ptr<MemoryTransport> right;
};

TEST(MemoryTransport, DeliversInPieces) {
  Pair pair({.piece = 2});
  pair.left->write("hello");
  EXPECT_TRUE(pair.at_right.pieces.empty());  // not before a turn of the loop
  pair.settle();
  EXPECT_EQ(pair.at_right.pieces, (std::vector<std::string>{"he", "ll", "o"}));
  EXPECT_EQ(pair.at_left.drained, 0);
}

TEST(MemoryTransport, CapacityMakesBytesPending) {
  Pair pair({.capacity = 4});
  pair.right->pause_receive();
  pair.left->write("0123456789");
  EXPECT_EQ(pair.left->pending(), 6U);
  pair.settle();
  EXPECT_EQ(pair.left->pending(), 6U);
  pair.right->resume_receive();
  pair.settle();
  EXPECT_EQ(pair.left->pending(), 0U);
  EXPECT_EQ(pair.at_left.drained, 1);
  EXPECT_EQ(pair.at_right.text(), "0123456789");
}

TEST(MemoryTransport, HalfCloseEndsOneDirection) {
  Pair pair({.capacity = 2});
  pair.left->write("last words");
  pair.left->shutdown_write();
  pair.left->write("not sent");
  pair.settle();
  EXPECT_EQ(pair.at_right.text(), "last words");
  EXPECT_TRUE(pair.at_right.ended);
  EXPECT_FALSE(pair.at_right.error);
  pair.right->write("answer");
  pair.settle();
  EXPECT_EQ(pair.at_left.text(), "answer");
  EXPECT_FALSE(pair.at_left.ended);
}

TEST(MemoryTransport, ClosingDeliversWhatWasSent) {
  Pair pair;
  pair.left->write("bye");
  pair.left.reset();
  pair.settle();
  EXPECT_EQ(pair.at_right.text(), "bye");
  EXPECT_TRUE(pair.at_right.ended);
  EXPECT_FALSE(pair.at_right.error);
}

TEST(MemoryTransport, ClosingWithUnreadBytesResets) {
  Pair pair;
  pair.left->write("lost");
  pair.left->pause_receive();
  pair.right->pause_receive();
  pair.right->write("unread");
  pair.settle();
  pair.left.reset();
  pair.right->resume_receive();
  pair.settle();
  EXPECT_EQ(pair.at_right.text(), "");
  EXPECT_EQ(pair.at_right.error, std::errc::connection_reset);
}

TEST(MemoryTransport, ResetIsToldAndDropsWhatIsPending) {
  Pair pair({.capacity = 2});
  pair.right->write("0123456789");
  pair.left->reset();
  pair.settle();
  EXPECT_EQ(pair.right->pending(), 0U);
  EXPECT_TRUE(pair.at_right.ended);
  EXPECT_EQ(pair.at_right.error, std::errc::connection_reset);
}

}  // namespace
}  // namespace coronado
