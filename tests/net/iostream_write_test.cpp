#include <coronado/net/iostream.hpp>

#include "tests/net/iostream_fixture.hpp"

namespace coronado {
namespace {

using namespace stream_test;

class IOStreamWriteTest : public IOStreamTest {};
INSTANTIATE_TEST_SUITE_P(Carriers, IOStreamWriteTest, testing::ValuesIn(carriers()), carrier_name);

class IOStreamVolumeTest : public IOStreamTest {};
INSTANTIATE_TEST_SUITE_P(Carriers, IOStreamVolumeTest, testing::ValuesIn(whole_carriers()),
                         carrier_name);

/// Writes until a write waits; returns what was written.
Task<std::string> fill(Wire& wire, TaskHandle<>& waiting) {
  IOStream& out = *wire.peer_out;
  std::string written;
  const auto write = [](IOStream& to, std::string bytes) -> Task<> { co_await to.write(bytes); };
  do {
    const std::string piece = pattern(200'000 + written.size() % 97);
    waiting = wire.tasks.spawn(write(out, piece));
    written += piece;
    co_await sleep(1ms);  // for what is read ahead
  } while (waiting.done());
  co_return written;
}

Task<> expect_read(IOStream& in, std::string expected) {
  std::string got;
  while (got.size() < expected.size()) {
    std::string some = co_await in.read_some(1 << 20);
    if (some.empty()) break;
    got += some;
  }
  EXPECT_TRUE(got == expected) << got.size() << " of " << expected.size();
}

TEST_P(IOStreamVolumeTest, AWriteWaitsForAReceiverThatDoesNotRead) {
  run([](Wire& wire) -> Task<> {
    TaskHandle<> waiting;
    const std::string written = co_await fill(wire, waiting);
    EXPECT_TRUE(wire.peer_out->writing());
    EXPECT_LT(written.size(), std::size_t{64} << 20);
    EXPECT_THROW((void)wire.peer_out->write("x"), std::logic_error);
    EXPECT_THROW((void)wire.peer_out->drain(), std::logic_error);
    EXPECT_THROW((void)wire.peer_out->shutdown(), std::logic_error);
    wire.peer_out->write_nowait("tail");
    co_await expect_read(*wire.in, written + "tail");
    co_await waiting.join();
    EXPECT_FALSE(wire.peer_out->writing());
  });
}

TEST_P(IOStreamVolumeTest, ACancelledWriteHasBeenAcceptedWhole) {
  run([](Wire& wire) -> Task<> {
    TaskHandle<> waiting;
    std::string written = co_await fill(wire, waiting);
    waiting.cancel();
    co_await moment();
    EXPECT_TRUE(waiting.done());
    co_await failure_of<TimeoutError>(with_timeout(1ms, wire.peer_out->drain()));
    const std::string more = pattern(200'000);
    co_await failure_of<TimeoutError>(with_timeout(1ms, wire.peer_out->write(more)));
    co_await expect_read(*wire.in, written + more);
    co_await wire.peer_out->drain();
  });
}

TEST_P(IOStreamVolumeTest, AWriteThatWaitsFailsWhenTheStreamIsClosed) {
  run([](Wire& wire) -> Task<> {
    TaskHandle<> waiting;
    co_await fill(wire, waiting);
    wire.peer_out->close();
    const auto error = co_await failure_of<StreamClosedError>(waiting.join());
    EXPECT_EQ(error.code(), std::errc::operation_canceled);
  });
}

TEST_P(IOStreamVolumeTest, AWriteThatWaitsFailsWhenThePeerBreaksOffBehindItsEnd) {
  run([](Wire& wire) -> Task<> {
    TaskHandle<> waiting;
    co_await fill(wire, waiting);
    co_await wire.out->write("last words");
    co_await wire.out->shutdown();
    EXPECT_EQ(co_await wire.peer_in->read_until_close(), "last words");
    EXPECT_FALSE(waiting.done());
    wire.in->close();  // with all that was written to it unread
    wire.out->close();
    const auto error = co_await failure_of<StreamClosedError>(waiting.join());
    EXPECT_TRUE(error.code());
    EXPECT_TRUE(wire.peer_out->closed());
    EXPECT_EQ(wire.peer_out->error(), error.code());
    EXPECT_THROW(wire.peer_out->write_nowait("x"), StreamClosedError);
    EXPECT_EQ(co_await wire.peer_in->read_some(), "");  // it had ended before
  });
}

TEST_P(IOStreamVolumeTest, AWriteThatNeverWaitedFindsOutLater) {
  run([](Wire& wire) -> Task<> {
    co_await wire.out->shutdown();
    EXPECT_EQ(co_await wire.peer_in->read_some(), "");
    wire.in->close();
    wire.out->close();
    IOStream& peer = *wire.peer_out;
    co_await until([&] {
      if (!peer.closed()) peer.write_nowait("is anybody there?");
      return peer.closed();
    });
    EXPECT_TRUE(peer.error());
  });
}

TEST_P(IOStreamVolumeTest, AWriteThatWaitsFailsThoughNobodyReadsWhatHasCome) {
  run(
      [](Wire& wire) -> Task<> {
        if (wire.one_way) co_return;
        TaskHandle<> waiting;
        co_await fill(wire, waiting);
        wire.out->write_nowait(std::string(2000, 'x'));  // more than the peer reads ahead
        IOStream& peer = *wire.peer_in;
        co_await until([&] { return peer.buffered() >= 1000; });
        wire.in->close();
        const auto error = co_await failure_of<StreamClosedError>(waiting.join());
        EXPECT_TRUE(error.code());
        EXPECT_TRUE(peer.closed());
        EXPECT_EQ(co_await peer.read_bytes(1000), std::string(1000, 'x'));
      },
      {.read_ahead = 1000});
}

TEST_P(IOStreamVolumeTest, AWriteThatWaitsEndsWhenThePeerIsGone) {
  run([](Wire& wire) -> Task<> {
    TaskHandle<> waiting;
    co_await fill(wire, waiting);
    wire.in->close();
    wire.out->close();
    try {
      co_await waiting.join();  // the system may have taken the bytes before it knew
    } catch (const StreamClosedError& error) {
      EXPECT_TRUE(error.code());
    }
    IOStream& peer = *wire.peer_out;
    co_await until([&] { return peer.closed(); });
    EXPECT_TRUE(peer.error());
    EXPECT_THROW(peer.write_nowait("x"), StreamClosedError);
  });
}

TEST_P(IOStreamWriteTest, MaxWriteBufferSizeRefusesTheWriteThatExceedsIt) {
  run(
      [](Wire& wire) -> Task<> {
        EXPECT_THROW((void)wire.peer_out->write(std::string(2001, 'x')), StreamBufferFullError);
        EXPECT_THROW(wire.peer_out->write_nowait(std::string(2001, 'x')), StreamBufferFullError);
        EXPECT_FALSE(wire.peer_out->closed());
        const std::string most = pattern(2000);
        co_await wire.peer_out->write(most);
        EXPECT_EQ(co_await wire.in->read_bytes(2000), most);
      },
      {.max_write_buffer_size = 2000});
}

TEST_P(IOStreamWriteTest, ShutdownEndsOneDirection) {
  run([](Wire& wire) -> Task<> {
    wire.peer_out->write_nowait("request");
    co_await wire.peer_out->shutdown();
    EXPECT_EQ(co_await wire.in->read_until_close(), "request");
    EXPECT_THROW((void)wire.peer_out->write("x"), StreamClosedError);
    co_await wire.out->write("answer");
    EXPECT_EQ(co_await wire.peer_in->read_bytes(6), "answer");
  });
}

TEST_P(IOStreamWriteTest, Echo) {
  run([](Wire& wire) -> Task<> {
    TaskGroup group("echo");
    group.spawn([](Wire& on) -> Task<> {
      for (;;) {
        const std::string bytes = co_await on.peer_in->read_some();
        if (bytes.empty()) break;
        co_await on.peer_out->write(bytes);
      }
      co_await on.peer_out->shutdown();
    }(wire));
    for (std::size_t size = 1; size < 3000; size = size * 2 + 1) {
      const std::string text = pattern(size);
      co_await wire.out->write(text);
      EXPECT_EQ(co_await wire.in->read_bytes(size), text);
    }
    co_await wire.out->shutdown();
    EXPECT_EQ(co_await wire.in->read_some(), "");
    co_await group.join();
  });
}

TEST_P(IOStreamVolumeTest, AnIdleStreamReadsAheadAndThenLetsThePeerWait) {
  run(
      [](Wire& wire) -> Task<> {
        IOStream& in = *wire.in;
        TaskHandle<> waiting;
        const std::string written = co_await fill(wire, waiting);
        co_await until([&] { return in.buffered() >= 8192; });
        const std::size_t ahead = in.buffered();
        EXPECT_LE(ahead, 512U * 1024);
        for (int i = 0; i < 20; ++i) co_await sleep(10us);
        EXPECT_EQ(in.buffered(), ahead);
        co_await expect_read(in, written);
        co_await waiting.join();
      },
      {.read_ahead = 8192});
}

}  // namespace
}  // namespace coronado
