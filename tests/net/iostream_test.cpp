#include <coronado/net/iostream.hpp>

#include <coronado/coro/combine.hpp>
#include <coronado/coro/timeout.hpp>

#include <sys/socket.h>

#include <array>
#include <random>

#include "tests/net/stream_carriers.hpp"

namespace coronado {
namespace {

using namespace std::chrono_literals;
using namespace stream_test;

class IOStreamTest : public testing::TestWithParam<Carrier> {
 protected:
  using Body = Task<> (*)(Wire&);

  void run(Body body, IOStreamOptions options = {}) {
    run_async(
        [&]() -> Task<> {
          IOLoop& loop = *IOLoop::current();
          Ends ends = co_await GetParam().connect(loop);
          Wire wire(loop, std::move(ends), GetParam().pieces, options);
          co_await body(wire);
        },
        {.reactor = GetParam().reactor});
  }
};

INSTANTIATE_TEST_SUITE_P(Carriers, IOStreamTest, testing::ValuesIn(carriers()), carrier_name);

class IOStreamVolumeTest : public IOStreamTest {};
INSTANTIATE_TEST_SUITE_P(Carriers, IOStreamVolumeTest, testing::ValuesIn(whole_carriers()),
                         carrier_name);

/// A text without a line end in which every place is different from its neighbours.
std::string pattern(std::size_t size) {
  std::string text;
  for (std::size_t i = 0; text.size() < size; ++i) text += std::to_string(i) + ' ';
  text.resize(size);
  return text;
}

/// What awaiting `task` throws, as an `Error`; fails when it throws none.
template <class Error, class A>
Task<Error> failure_of(A awaitable) {
  std::optional<Error> caught;
  try {
    (void)co_await std::move(awaitable);
  } catch (const Error& error) {
    caught = error;
  }
  if (!caught) {
    ADD_FAILURE() << "nothing was thrown";
    throw std::logic_error("nothing was thrown");
  }
  co_return std::move(*caught);
}

/// Lets the loop turn until `done`.
template <class Done>
Task<> until(Done done) {
  for (int i = 0; i < 100'000 && !done(); ++i) co_await sleep(10us);
  EXPECT_TRUE(done());
}

// --- reading -------------------------------------------------------------------------------------

TEST_P(IOStreamTest, ReadBytesIsExact) {
  run([](Wire& wire) -> Task<> {
    co_await wire.peer_out->write("abcdefgh");
    EXPECT_EQ(co_await wire.in->read_bytes(3), "abc");
    EXPECT_EQ(co_await wire.in->read_bytes(0), "");
    EXPECT_EQ(co_await wire.in->read_bytes(5), "defgh");
    EXPECT_EQ(wire.in->buffered(), 0U);
  });
}

TEST_P(IOStreamTest, ReadBytesOfManyDeliveries) {
  run([](Wire& wire) -> Task<> {
    const std::string text = pattern(150'000);
    TaskGroup group("writer");
    group.spawn([](Wire& to, std::string bytes) -> Task<> {
      co_await to.peer_out->write(bytes);
      co_await to.peer_out->drain();
    }(wire, text));
    EXPECT_EQ(co_await wire.in->read_bytes(text.size() - 5), text.substr(0, text.size() - 5));
    EXPECT_EQ(co_await wire.in->read_bytes(5), text.substr(text.size() - 5));
    co_await group.join();
  });
}

TEST_P(IOStreamTest, PartialReadsReturnWhatIsThere) {
  run([](Wire& wire) -> Task<> {
    wire.peer_out->write_nowait("abcdef");
    std::string all;
    while (all.size() < 6) {
      const std::string some = co_await wire.in->read_bytes_partial(4);
      EXPECT_GE(some.size(), 1U);
      EXPECT_LE(some.size(), 4U);
      all += some;
    }
    EXPECT_EQ(all, "abcdef");
    wire.peer_out->write_nowait("xyz");
    all.clear();
    while (all.size() < 3) all += co_await wire.in->read_some(2);
    EXPECT_EQ(all, "xyz");
  });
}

TEST_P(IOStreamTest, ReadSomeIsEmptyAtTheEnd) {
  run([](Wire& wire) -> Task<> {
    wire.peer_out->write_nowait("last");
    wire.peer_out->close();
    std::string all;
    for (;;) {
      const std::string some = co_await wire.in->read_some();
      if (some.empty()) break;
      all += some;
    }
    EXPECT_EQ(all, "last");
    EXPECT_EQ(co_await wire.in->read_some(), "");
    std::array<char, 4> bytes{};
    EXPECT_EQ(co_await wire.in->read_into(bytes), 0U);
    EXPECT_TRUE(wire.in->ended());
    EXPECT_FALSE(wire.in->closed());
    const auto error = co_await failure_of<StreamClosedError>(wire.in->read_bytes_partial(4));
    EXPECT_FALSE(error.code());
  });
}

TEST_P(IOStreamTest, ReadInto) {
  run([](Wire& wire) -> Task<> {
    wire.peer_out->write_nowait("0123456789abc");
    std::array<char, 10> bytes{};
    EXPECT_EQ(co_await wire.in->read_into_exactly(bytes), 10U);
    EXPECT_EQ(std::string_view(bytes.data(), 10), "0123456789");
    std::string rest;
    while (rest.size() < 3) {
      const std::size_t size = co_await wire.in->read_into(bytes);
      EXPECT_GE(size, 1U);
      rest.append(bytes.data(), size);
    }
    EXPECT_EQ(rest, "abc");
    EXPECT_EQ(co_await wire.in->read_into({}), 0U);
  });
}

TEST_P(IOStreamTest, ReadIntoExactlyAtTheEndGivesBackWhatCame) {
  run([](Wire& wire) -> Task<> {
    wire.peer_out->write_nowait("short");
    wire.peer_out->close();
    std::array<char, 10> bytes{};
    co_await failure_of<StreamClosedError>(wire.in->read_into_exactly(bytes));
    EXPECT_EQ(wire.in->take_buffered(), "short");
  });
}

TEST_P(IOStreamTest, ReadUntil) {
  run([](Wire& wire) -> Task<> {
    wire.peer_out->write_nowait("one\r\ntwo\r\r\nthree\r\nrest");
    EXPECT_EQ(co_await wire.in->read_until("\r\n"), "one\r\n");
    EXPECT_EQ(co_await wire.in->read_until("\r\n"), "two\r\r\n");
    EXPECT_EQ(co_await wire.in->read_until("\n", 7), "three\r\n");
    EXPECT_EQ(co_await wire.in->read_until("st"), "rest");
  });
}

TEST_P(IOStreamTest, ReadUntilGivesUpAtTheLimit) {
  run([](Wire& wire) -> Task<> {
    wire.peer_out->write_nowait("0123456789\n");
    const auto error = co_await failure_of<StreamLimitError>(wire.in->read_until("\n", 10));
    EXPECT_STREQ(error.what(), "the delimiter did not come within max_bytes (10)");
    EXPECT_TRUE(wire.in->closed());
    EXPECT_EQ(wire.in->error(), std::errc::message_size);
    EXPECT_THROW(wire.in->write_nowait("x"), StreamClosedError);
  });
}

TEST_P(IOStreamTest, ReadUntilRegex) {
  run([](Wire& wire) -> Task<> {
    wire.peer_out->write_nowait("name: value\r\nother=1;done");
    EXPECT_EQ(co_await wire.in->read_until_regex("\r?\n"), "name: value\r\n");
    EXPECT_EQ(co_await wire.in->read_until_regex("[;=]"), "other=");
    EXPECT_EQ(co_await wire.in->read_until_regex("[;=]", 2), "1;");
    EXPECT_EQ(co_await wire.in->read_until_regex("x*"), "");
    EXPECT_EQ(co_await wire.in->read_bytes(4), "done");
    EXPECT_THROW((void)wire.in->read_until_regex("("), UsageError);
  });
}

TEST_P(IOStreamTest, ReadUntilRegexFarFromTheBeginning) {
  run([](Wire& wire) -> Task<> {
    const std::string text = pattern(20'000) + "#END#";
    wire.peer_out->write_nowait(text);
    EXPECT_EQ(co_await wire.in->read_until_regex("#[A-Z]+#"), text);
  });
}

TEST_P(IOStreamTest, ReadUntilRegexEndsWithTheStream) {
  run([](Wire& wire) -> Task<> {
    const std::string text = pattern(6'000);
    wire.peer_out->write_nowait(text + "#END#");
    wire.peer_out->close();
    EXPECT_EQ(co_await wire.in->read_until_regex("#[A-Z]+#"), text + "#END#");
    co_await failure_of<StreamClosedError>(wire.in->read_until_regex("never"));
  });
}

TEST_P(IOStreamTest, ReadUntilRegexGivesUpAtTheLimit) {
  run([](Wire& wire) -> Task<> {
    wire.peer_out->write_nowait("0123456789\n");
    const auto error = co_await failure_of<StreamLimitError>(wire.in->read_until_regex("\\n", 10));
    EXPECT_STREQ(error.what(), "the expression did not match within max_bytes (10)");
    EXPECT_TRUE(wire.in->closed());
  });
}

TEST_P(IOStreamTest, ReadUntilClose) {
  run([](Wire& wire) -> Task<> {
    const std::string text = pattern(30'000);
    wire.peer_out->write_nowait("x" + text);
    EXPECT_EQ(co_await wire.in->read_bytes(1), "x");
    TaskHandle<> end =
        wire.tasks.spawn([](Wire& to) -> Task<> { co_await to.peer_out->shutdown(); }(wire));
    EXPECT_EQ(co_await wire.in->read_until_close(), text);
    EXPECT_EQ(co_await wire.in->read_until_close(), "");
    co_await end.join();
  });
}

TEST_P(IOStreamTest, ReadUntilCloseGivesUpAtTheLimit) {
  run([](Wire& wire) -> Task<> {
    wire.peer_out->write_nowait("0123456789");
    const auto error = co_await failure_of<StreamLimitError>(wire.in->read_until_close(9));
    EXPECT_STREQ(error.what(), "the stream did not end within max_bytes (9)");
  });
}

TEST_P(IOStreamTest, WhatCameStaysReadableAfterTheEnd) {
  run([](Wire& wire) -> Task<> {
    wire.peer_out->write_nowait("line 1\nline 2\nrest");
    wire.peer_out->close();
    IOStream& in = *wire.in;
    co_await until([&] { return in.ended(); });
    EXPECT_EQ(co_await in.read_until("\n"), "line 1\n");
    EXPECT_EQ(co_await in.read_bytes(4), "line");
    EXPECT_EQ(co_await in.read_until("\n"), " 2\n");
    const auto error = co_await failure_of<StreamClosedError>(in.read_bytes(5));
    EXPECT_FALSE(error.code());
    EXPECT_EQ(co_await in.read_until_close(), "rest");
  });
}

TEST_P(IOStreamTest, MaxBufferSizeEndsAReadThatWouldNeedMore) {
  run(
      [](Wire& wire) -> Task<> {
        wire.peer_out->write_nowait(pattern(1000));
        const auto error = co_await failure_of<StreamLimitError>(wire.in->read_until("\n"));
        EXPECT_STREQ(error.what(), "a read needs more than max_buffer_size (100)");
        EXPECT_TRUE(wire.in->closed());
      },
      {.max_buffer_size = 100});
}

TEST_P(IOStreamTest, ReadBytesBeyondMaxBufferSizeIsRefusedAtTheCall) {
  run(
      [](Wire& wire) -> Task<> {
        EXPECT_THROW((void)wire.in->read_bytes(101), StreamLimitError);
        EXPECT_FALSE(wire.in->closed());
        const std::string text = pattern(1000);
        wire.peer_out->write_nowait(text);
        EXPECT_EQ(co_await wire.in->read_bytes(100), text.substr(0, 100));
        std::string rest(900, '.');
        co_await wire.in->read_into_exactly(rest);  // needs no buffer
        EXPECT_EQ(rest, text.substr(100));
      },
      {.max_buffer_size = 100});
}

TEST_P(IOStreamTest, OneReaderAtATime) {
  run([](Wire& wire) -> Task<> {
    EXPECT_FALSE(wire.in->reading());
    TaskHandle<std::string> first = wire.tasks.spawn(as_task(wire.in->read_bytes(2)));
    co_await moment();
    EXPECT_TRUE(wire.in->reading());
    EXPECT_THROW((void)wire.in->read_some(), std::logic_error);
    EXPECT_THROW((void)wire.in->read_bytes(1), std::logic_error);
    EXPECT_THROW((void)wire.in->read_bytes_partial(1), std::logic_error);
    EXPECT_THROW((void)wire.in->read_into({}), std::logic_error);
    EXPECT_THROW((void)wire.in->read_into_exactly({}), std::logic_error);
    EXPECT_THROW((void)wire.in->read_until("x"), std::logic_error);
    EXPECT_THROW((void)wire.in->read_until_regex("x"), std::logic_error);
    EXPECT_THROW((void)wire.in->read_until_close(), std::logic_error);
    EXPECT_THROW((void)wire.in->take_buffered(), std::logic_error);
    EXPECT_THROW((void)wire.in->release_transport(), std::logic_error);
    wire.peer_out->write_nowait("ok");
    EXPECT_EQ(co_await first.join(), "ok");
    EXPECT_THROW((void)wire.in->read_until(""), std::logic_error);
    EXPECT_THROW((void)wire.in->read_some(0), std::logic_error);
    // Two that were made while nothing was read: the second finds the first at its co_await.
    Task<std::string> made_early = as_task(wire.in->read_bytes(2));
    TaskHandle<std::string> third = wire.tasks.spawn(as_task(wire.in->read_bytes(2)));
    IOStream& in = *wire.in;
    co_await until([&] { return in.reading(); });
    co_await failure_of<std::logic_error>(std::move(made_early));
    wire.peer_out->write_nowait("34");
    EXPECT_EQ(co_await third.join(), "34");
  });
}

// --- cancellation --------------------------------------------------------------------------------

TEST_P(IOStreamTest, ACancelledReadLosesNothing) {
  run([](Wire& wire) -> Task<> {
    IOStream& in = *wire.in;
    wire.peer_out->write_nowait("0123456789");
    co_await until([&] { return in.buffered() == 10; });
    std::array<char, 20> bytes{};
    std::vector<Task<>> reads;
    const auto drop = []<class A>(A read) -> Task<> { (void)co_await std::move(read); };
    reads.push_back(drop(in.read_bytes(11)));
    reads.push_back(drop(in.read_into_exactly(bytes)));
    reads.push_back(drop(in.read_until("\n")));
    reads.push_back(drop(in.read_until_regex("\\n")));
    reads.push_back(drop(in.read_until_close()));
    for (Task<>& read : reads) {
      co_await failure_of<TimeoutError>(with_timeout(1ms, std::move(read)));
      EXPECT_FALSE(in.reading());
      EXPECT_EQ(in.buffered(), 10U);
    }
    wire.peer_out->write_nowait("\n");
    EXPECT_EQ(co_await in.read_until("\n"), "0123456789\n");
    for (int i = 0; i < 2; ++i) {
      co_await failure_of<TimeoutError>(with_timeout(1ms, in.read_some()));
      co_await failure_of<TimeoutError>(with_timeout(1ms, in.read_into(bytes)));
      co_await failure_of<TimeoutError>(with_timeout(1ms, in.read_bytes_partial(3)));
    }
    wire.peer_out->write_nowait("!");
    EXPECT_EQ(co_await in.read_some(), "!");
  });
}

TEST_P(IOStreamTest, AReadInACancelledTaskDoesNotBegin) {
  run([](Wire& wire) -> Task<> {
    TaskHandle<std::string> read = wire.tasks.spawn(as_task(wire.in->read_some()));
    read.cancel();
    bool cancelled = false;
    try {
      co_await read.join();
    } catch (const Cancelled&) {
      cancelled = true;
    }
    EXPECT_TRUE(cancelled);
    EXPECT_FALSE(wire.in->reading());
    wire.peer_out->write_nowait("x");
    EXPECT_EQ(co_await wire.in->read_some(), "x");
  });
}

// --- writing -------------------------------------------------------------------------------------

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

TEST_P(IOStreamTest, MaxWriteBufferSizeRefusesTheWriteThatExceedsIt) {
  run(
      [](Wire& wire) -> Task<> {
        EXPECT_THROW((void)wire.peer_out->write(std::string(2001, 'x')), StreamLimitError);
        EXPECT_THROW(wire.peer_out->write_nowait(std::string(2001, 'x')), StreamLimitError);
        EXPECT_FALSE(wire.peer_out->closed());
        const std::string most = pattern(2000);
        co_await wire.peer_out->write(most);
        EXPECT_EQ(co_await wire.in->read_bytes(2000), most);
      },
      {.max_write_buffer_size = 2000});
}

TEST_P(IOStreamTest, ShutdownEndsOneDirection) {
  run([](Wire& wire) -> Task<> {
    wire.peer_out->write_nowait("request");
    co_await wire.peer_out->shutdown();
    EXPECT_EQ(co_await wire.in->read_until_close(), "request");
    EXPECT_THROW((void)wire.peer_out->write("x"), StreamClosedError);
    co_await wire.out->write("answer");
    EXPECT_EQ(co_await wire.peer_in->read_bytes(6), "answer");
  });
}

TEST_P(IOStreamTest, Echo) {
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

// --- the end -------------------------------------------------------------------------------------

TEST_P(IOStreamTest, CloseEndsAReadAndKeepsWhatCame) {
  run([](Wire& wire) -> Task<> {
    IOStream& in = *wire.in;
    wire.peer_out->write_nowait("abc");
    co_await until([&] { return in.buffered() == 3; });
    TaskHandle<std::string> read = wire.tasks.spawn(as_task(in.read_bytes(4)));
    co_await moment();
    in.close();
    in.close();
    EXPECT_TRUE(in.closed());
    const auto error = co_await failure_of<StreamClosedError>(read.join());
    EXPECT_EQ(error.code(), std::errc::operation_canceled);
    EXPECT_EQ(co_await in.read_bytes(2), "ab");
    co_await failure_of<StreamClosedError>(in.read_bytes(2));
    EXPECT_EQ(in.take_buffered(), "c");
    co_await failure_of<StreamClosedError>(in.read_some());
    co_await failure_of<StreamClosedError>(in.read_until_close());
    EXPECT_THROW((void)in.transport(), StreamClosedError);
    EXPECT_THROW((void)in.drain().await_ready(), StreamClosedError);
    EXPECT_THROW((void)in.shutdown(), StreamClosedError);
    EXPECT_THROW((void)in.release_transport(), StreamClosedError);
  });
}

TEST_P(IOStreamTest, DestroyingAStreamEndsItsReader) {
  run([](Wire& wire) -> Task<> {
    std::array<char, 4> bytes{};
    TaskHandle<std::size_t> read = wire.tasks.spawn(as_task(wire.in->read_into_exactly(bytes)));
    co_await moment();
    wire.streams.clear();
    co_await failure_of<StreamClosedError>(read.join());
  });
}

TEST_P(IOStreamTest, TheCloseCallbackRunsOnce) {
  run([](Wire& wire) -> Task<> {
    int calls = 0;
    wire.in->set_close_callback([&calls] { ++calls; });
    co_await sleep(1ms);
    EXPECT_EQ(calls, 0);
    wire.peer_out->write_nowait("unread");
    wire.peer_out->close();
    co_await until([&] { return calls != 0; });
    EXPECT_TRUE(wire.in->ended());
    wire.in->close();
    co_await sleep(1ms);
    EXPECT_EQ(calls, 1);
    wire.in->set_close_callback([&calls] { calls += 10; });  // it has happened already
    EXPECT_EQ(calls, 1);
    co_await until([&] { return calls == 11; });
    EXPECT_EQ(co_await wire.in->read_bytes(6), "unread");
  });
}

TEST_P(IOStreamTest, TheCloseCallbackOfADestroyedStreamIsDropped) {
  run([](Wire& wire) -> Task<> {
    int calls = 0;
    wire.in->set_close_callback([&calls] { ++calls; });
    wire.in->close();
    wire.streams.clear();
    co_await sleep(1ms);
    EXPECT_EQ(calls, 0);
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

TEST_P(IOStreamTest, AReleasedTransportGoesOnInAnotherStream) {
  run([](Wire& wire) -> Task<> {
    if (wire.one_way) co_return;
    IOLoop& loop = *IOLoop::current();
    wire.peer_out->write_nowait("clear");
    IOStream& in = *wire.in;
    co_await until([&] { return in.buffered() == 5; });
    EXPECT_THROW((void)in.release_transport(), std::logic_error);
    EXPECT_EQ(co_await in.read_bytes(5), "clear");
    std::unique_ptr<Transport> transport = in.release_transport();
    EXPECT_TRUE(in.closed());
    wire.peer_out->write_nowait("between");
    co_await sleep(1ms);
    TCPStream next(loop, std::move(transport));
    EXPECT_EQ(co_await next.read_bytes(7), "between");
    co_await next.write("back");
    EXPECT_EQ(co_await wire.peer_in->read_bytes(4), "back");
    wire.close_peer();
    EXPECT_EQ(co_await next.read_some(), "");
    EXPECT_THROW((void)next.release_transport(), StreamClosedError);
  });
}

TEST_P(IOStreamTest, AMovedStreamKeepsItsReader) {
  run([](Wire& wire) -> Task<> {
    TaskHandle<std::string> read = wire.tasks.spawn(as_task(wire.in->read_bytes(3)));
    co_await moment();
    IOStream moved = std::move(*wire.in);
    wire.peer_out->write_nowait("abcd");
    EXPECT_EQ(co_await read.join(), "abc");
    EXPECT_EQ(co_await moved.read_bytes(1), "d");
  });
}

// --- one carrier ---------------------------------------------------------------------------------

TEST(IOStream, AConnectionThatBreaksSaysWhy) {
  run_async(
      []() -> Task<> {
        IOLoop& loop = *IOLoop::current();
        Ends ends = co_await connect_tcp(loop);
        TCPStream here(loop, std::move(ends.here));
        TCPStream there(loop, std::move(ends.there));
        EXPECT_EQ(here.peer(), there.local());
        EXPECT_EQ(here.local(), there.peer());
        EXPECT_EQ(there.peer().host(), "127.0.0.1");
        here.set_nodelay(false);
        here.set_nodelay(true);
        TaskGroup tasks("test", TaskGroup::OnFailure::kHandle);
        TaskHandle<std::string> read = tasks.spawn(as_task(here.read_bytes(10)));
        there.write_nowait("abc");
        co_await sleep(1ms);
        const linger at_once{.l_onoff = 1, .l_linger = 0};
        ::setsockopt(there.transport().native_handle(), SOL_SOCKET, SO_LINGER, &at_once,
                     sizeof at_once);
        there.close();
        const auto error = co_await failure_of<StreamClosedError>(read.join());
        EXPECT_EQ(error.code(), std::errc::connection_reset);
        EXPECT_TRUE(here.closed());
        EXPECT_EQ(here.error(), std::errc::connection_reset);
        EXPECT_EQ(here.take_buffered(), "abc");
        EXPECT_EQ(here.peer(), SocketAddress{});
        EXPECT_EQ(here.local(), SocketAddress{});
        co_await failure_of<StreamClosedError>(here.read_until_close());
      },
      {.reactor = ReactorKind::kEpoll});
}

TEST(IOStream, PairsAreConnected) {
  run_async(
      []() -> Task<> {
        auto sockets = stream_pair(*IOLoop::current());
        co_await sockets.first.write("ping");
        EXPECT_EQ(co_await sockets.second.read_bytes(4), "ping");
        sockets.first.set_nodelay(true);  // nothing for a Unix socket
        auto pipe = pipe_pair(*IOLoop::current());
        co_await pipe.second.write("pipe");
        EXPECT_EQ(co_await pipe.first.read_bytes(4), "pipe");
        pipe.second.close();
        EXPECT_EQ(co_await pipe.first.read_some(), "");
      },
      {.reactor = ReactorKind::kEpoll});
}

TEST(IOStream, APipeStreamOfNoDescriptorIsRefused) {
  IOLoop loop({.reactor = ReactorKind::kEpoll});
  try {
    PipeIOStream stream(loop, 9999);
    FAIL();
  } catch (const std::system_error& error) {
    EXPECT_NE(std::string(error.what()).find("fd 9999"), std::string::npos) << error.what();
  }
}

TEST(IOStream, ReadIntoTakesStraightFromTheLoopsBuffer) {
  // Between delivery and the read nothing is buffered: an idle stream owns no memory for bytes.
  run_async([]() -> Task<> {
    auto [near, far] = make_memory_transports(*IOLoop::current());
    IOStream stream(*IOLoop::current(), std::move(near));
    IOStream peer(*IOLoop::current(), std::move(far));
    std::array<char, 64> bytes{};
    TaskHandle<std::size_t> read = IOLoop::current()->spawn(as_task(stream.read_into(bytes)));
    co_await moment();
    peer.write_nowait("direct");
    while (!read.done()) {
      EXPECT_EQ(stream.buffered(), 0U);
      co_await moment();
    }
    EXPECT_EQ(read.result(), 6U);
  });
}

TEST(IOStream, SearchingByteByByteTakesLinearTime) {
  // Hundreds of kilobytes byte by byte: searching all of it each time would take minutes.
  run_async([]() -> Task<> {
    IOLoop& loop = *IOLoop::current();
    auto [near, far] = make_memory_transports(loop);
    IOStream stream(loop, std::make_unique<ByteTransport>(loop, std::move(near)));
    IOStream peer(loop, std::move(far));
    const std::string text = pattern(300'000);
    peer.write_nowait(text + "\r\n" + text + "#1");
    EXPECT_EQ((co_await stream.read_until("\r\n")).size(), text.size() + 2);
    EXPECT_EQ((co_await stream.read_until_regex("#[0-9]")).size(), text.size() + 2);
  });
}

// --- stress --------------------------------------------------------------------------------------

/// Reads `size` bytes in the way that the dice say, each cancelled by a timeout that may come first.
struct RandomReader {
  explicit RandomReader(unsigned seed) : dice(seed) {}

  Task<std::string> read_once(IOStream& in) {
    switch (dice() % 5) {
      case 0: co_return co_await in.read_some(1 + dice() % 50);
      case 1: co_return co_await in.read_bytes(1 + dice() % 50);
      case 2: co_return co_await in.read_until(" ");
      case 3: co_return co_await in.read_until_regex("[0-9] ");
      default: {
        std::string into(1 + dice() % 50, '\0');
        co_await in.read_into_exactly(into);
        co_return into;
      }
    }
  }

  std::mt19937 dice;
  std::string got;
  int cancelled = 0;
  int completed = 0;
};

TEST(IOStreamStress, AHundredThousandCancelledReadsLoseNothing) {
  run_async([]() -> Task<> {
    IOLoop& loop = *IOLoop::current();
    auto [near, far] = make_memory_transports(loop, {.piece = 7});
    IOStream in(loop, std::move(near));
    IOStream out(loop, std::move(far));
    RandomReader reader(20261125);
    std::string sent;
    std::mt19937 dice(7);
    TaskGroup tasks("readers");
    // One task reads; the others cancel it in random order, before, while and after bytes arrive.
    while (reader.cancelled < 100'000) {
      TaskHandle<std::string> read = tasks.spawn(reader.read_once(in));
      const auto turns = dice() % 4;
      if (dice() % 3 == 0) {
        const std::string piece = std::to_string(sent.size()) + ' ';
        out.write_nowait(piece);
        sent += piece;
      }
      for (unsigned i = 0; i < turns; ++i) co_await moment();
      const bool was_done = read.done();
      read.cancel();
      try {
        reader.got += co_await read.join();
        ++reader.completed;
      } catch (const Cancelled&) {
        EXPECT_FALSE(was_done);
        ++reader.cancelled;
      }
      EXPECT_FALSE(in.reading());
    }
    const std::size_t left = sent.size() - reader.got.size();
    if (left != 0) reader.got += co_await in.read_bytes(left);
    EXPECT_TRUE(reader.got == sent);
    EXPECT_GT(reader.completed, 10'000);
  });
}

TEST(IOStreamStress, CancelledReadsOnManySocketsLoseNothing) {
  run_async(
      []() -> Task<> {
        TaskGroup group("streams");
        int completed = 0;
        int cancelled = 0;
        const auto one = [&](unsigned seed) -> Task<> {
          auto pair = stream_pair(*IOLoop::current());
          RandomReader reader(seed);
          std::string sent;
          for (int i = 0; i < 400; ++i) {
            if (reader.dice() % 2 == 0) {
              const std::string piece = pattern(1 + reader.dice() % 60) + ' ';
              co_await pair.second.write(piece);
              sent += piece;
            }
            const Duration patience = std::chrono::microseconds(reader.dice() % 200);
            try {
              reader.got += co_await with_timeout(patience, reader.read_once(pair.first));
              ++reader.completed;
            } catch (const TimeoutError&) {
              ++reader.cancelled;
            }
          }
          const std::size_t left = sent.size() - reader.got.size();
          if (left != 0) reader.got += co_await pair.first.read_bytes(left);
          EXPECT_TRUE(reader.got == sent);
          completed += reader.completed;
          cancelled += reader.cancelled;
        };
        for (unsigned seed = 0; seed < 50; ++seed) group.spawn(one(seed));
        co_await group.join();
        EXPECT_GT(completed, 1000);
        EXPECT_GT(cancelled, 1000);
      },
      {.reactor = ReactorKind::kEpoll, .time_limit = 60s});
}

}  // namespace
}  // namespace coronado
