#include <coronado/net/iostream.hpp>

#include <coronado/coro/registry.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>

#include "tests/net/iostream_fixture.hpp"

namespace coronado {
namespace {

using namespace stream_test;

INSTANTIATE_TEST_SUITE_P(Carriers, IOStreamTest, testing::ValuesIn(carriers()), carrier_name);

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
    const auto error = co_await failure_of<UnsatisfiableReadError>(wire.in->read_until("\n", 10));
    EXPECT_STREQ(error.what(), "the delimiter did not come within max_bytes (10)");
    EXPECT_EQ(error.limit(), 10U);
    EXPECT_FALSE(error.peer().empty());
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
    const auto error =
        co_await failure_of<UnsatisfiableReadError>(wire.in->read_until_regex("\\n", 10));
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
    const auto error = co_await failure_of<UnsatisfiableReadError>(wire.in->read_until_close(9));
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
        const auto error = co_await failure_of<UnsatisfiableReadError>(wire.in->read_until("\n"));
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
        for (const bool on : {false, true}) {
          here.set_nodelay(on);
          int value = -1;
          socklen_t size = sizeof value;
          ::getsockopt(here.transport().native_handle(), IPPROTO_TCP, TCP_NODELAY, &value, &size);
          EXPECT_EQ(value != 0, on);
        }
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

TEST_P(IOStreamTest, ATaskIsShownWithItsStreams) {
  run([](Wire& wire) -> Task<> {
    const Executor& executor = wire.tasks.executor();
    EXPECT_EQ(snapshot_tasks(executor).tasks.at(0).streams.size(), wire.streams.size());
    const auto reader = [](IOStream& from) -> Task<> {
      co_await from.read_until("\n");
      co_await sleep(1h);
    };
    TaskHandle<> task = wire.tasks.spawn(reader(*wire.in));
    wire.peer_out->write_nowait("line\nremainder");
    TaskSnapshot snapshot;
    // It waits for something else, and has its stream all the same.
    co_await until([&] {
      snapshot = snapshot_tasks(executor);
      return wire.in->buffered() == 9 &&
             snapshot.tasks.at(0).children.at(0).waits_for == "sleeping";
    });
    EXPECT_EQ(snapshot.tasks.at(0).streams.size(), wire.streams.size() - 1);
    const TaskInfo& shown = snapshot.tasks.at(0).children.at(0);
    EXPECT_EQ(shown.streams.size(), 1U);
    EXPECT_EQ(shown.streams.at(0).buffered, 9U);
    EXPECT_EQ(shown.streams.at(0).unsent, 0U);
    const bool is_tls = std::string_view(GetParam().name).starts_with("TLS") && !GetParam().pieces;
    EXPECT_EQ(shown.streams.at(0).security, is_tls ? "TLS 1.3, TLS_AES_256_GCM_SHA384" : "");
    EXPECT_FALSE(shown.streams.at(0).kernel_tls);
    wire.in->close();
    EXPECT_EQ(snapshot_tasks(executor).tasks.at(0).children.at(0).streams.size(), 0U);
    task.cancel();
    co_await wire.tasks.join();
  });
}

TEST(IOStream, ADumpSaysWhomATaskReadsFromAndWritesTo) {
  run_async(
      []() -> Task<> {
        IOLoop& loop = *IOLoop::current();
        auto [near, far] = make_memory_transports(loop, {.capacity = 1000});
        IOStream stream(loop, std::move(near));
        IOStream silent(loop, std::move(far), {.read_ahead = 1000});
        silent.write_nowait("abc");
        TaskGroup group("stream", TaskGroup::OnFailure::kLog);
        group.spawn([](IOStream& from) -> Task<> { co_await from.read_until("\n"); }(stream));
        group.spawn(
            [](IOStream& to) -> Task<> { co_await to.write(std::string(100'000, 'x')); }(stream));
        co_await sleep(1s);
        const std::vector<TaskInfo> tasks = task_tree(group);
        EXPECT_EQ(tasks.size(), 2U);
        EXPECT_EQ(tasks[0].detail, "reading from 127.0.0.1:40000, 3 bytes buffered");
        EXPECT_EQ(tasks[0].waits_for, "reading from a stream");
        EXPECT_EQ(tasks[1].detail, "writing to 127.0.0.1:40000, 98000 bytes unsent");
        group.cancel();
        co_await group.join();
      },
      {.reactor = ReactorKind::kSim});
}

}  // namespace
}  // namespace coronado
