#include <coronado/net/iostream.hpp>

#include <array>

#include "tests/net/iostream_fixture.hpp"

namespace coronado {
namespace {

using namespace stream_test;

class IOStreamEndTest : public IOStreamTest {};
INSTANTIATE_TEST_SUITE_P(Carriers, IOStreamEndTest, testing::ValuesIn(carriers()), carrier_name);

TEST_P(IOStreamEndTest, CloseEndsAReadAndKeepsWhatCame) {
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

TEST_P(IOStreamEndTest, DestroyingAStreamEndsItsReader) {
  run([](Wire& wire) -> Task<> {
    std::array<char, 4> bytes{};
    TaskHandle<std::size_t> read = wire.tasks.spawn(as_task(wire.in->read_into_exactly(bytes)));
    co_await moment();
    wire.streams.clear();
    co_await failure_of<StreamClosedError>(read.join());
  });
}

TEST_P(IOStreamEndTest, TheCloseCallbackRunsOnce) {
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

TEST_P(IOStreamEndTest, TheCloseCallbackOfADestroyedStreamIsDropped) {
  run([](Wire& wire) -> Task<> {
    int calls = 0;
    wire.in->set_close_callback([&calls] { ++calls; });
    wire.in->close();
    wire.streams.clear();
    co_await sleep(1ms);
    EXPECT_EQ(calls, 0);
  });
}

TEST_P(IOStreamEndTest, AReleasedTransportGoesOnInAnotherStream) {
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

TEST_P(IOStreamEndTest, AMovedStreamKeepsItsReader) {
  run([](Wire& wire) -> Task<> {
    TaskHandle<std::string> read = wire.tasks.spawn(as_task(wire.in->read_bytes(3)));
    co_await moment();
    IOStream moved = std::move(*wire.in);
    wire.peer_out->write_nowait("abcd");
    EXPECT_EQ(co_await read.join(), "abc");
    EXPECT_EQ(co_await moved.read_bytes(1), "d");
  });
}

}  // namespace
}  // namespace coronado
