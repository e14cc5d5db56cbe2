#include <coronado/loop/file.hpp>
#include <coronado/net/iostream.hpp>

#include "tests/loop/nameless_file.hpp"
#include "tests/net/iostream_fixture.hpp"

namespace coronado {
namespace {

using namespace stream_test;

class IOStreamFileTest : public IOStreamTest {};
INSTANTIATE_TEST_SUITE_P(Carriers, IOStreamFileTest, testing::ValuesIn(carriers()), carrier_name);

class IOStreamLargeFileTest : public IOStreamTest {};
INSTANTIATE_TEST_SUITE_P(Carriers, IOStreamLargeFileTest, testing::ValuesIn(whole_carriers()),
                         carrier_name);

std::shared_ptr<const OpenFile> file_of(const std::string& content) {
  return std::make_shared<const OpenFile>(open_nameless_file(content));
}

TEST_P(IOStreamFileTest, APartOfAFileIsSentBetweenWrites) {
  run([](Wire& wire) -> Task<> {
    const std::string content = pattern(1000);
    co_await wire.peer_out->write("head ");
    co_await wire.peer_out->send_file(file_of(content), 10, 500);
    co_await wire.peer_out->send_file(file_of(content), 1000, 0);  // nothing
    co_await wire.peer_out->write(" tail");
    EXPECT_EQ(co_await wire.in->read_bytes(510), "head " + content.substr(10, 500) + " tail");
  });
}

TEST_P(IOStreamFileTest, AFileThatEndsTooEarlyIsAnError) {
  run([](Wire& wire) -> Task<> {
    const auto error =
        co_await failure_of<std::runtime_error>(wire.peer_out->send_file(file_of("12345"), 2, 10));
    EXPECT_STREQ(error.what(), "a file ended 7 bytes too early while it was sent");
    co_await wire.peer_out->write("!");  // it is open
    EXPECT_EQ(co_await wire.in->read_bytes(4), "345!");
  });
}

TEST_P(IOStreamFileTest, AClosedStreamSendsNoFile) {
  run([](Wire& wire) -> Task<> {
    wire.peer_out->close();
    const auto error =
        co_await failure_of<StreamClosedError>(wire.peer_out->send_file(file_of("12345"), 0, 5));
    EXPECT_EQ(error.code(), std::errc::operation_canceled);
  });
}

TEST_P(IOStreamLargeFileTest, ALargeFileArrivesWhole) {
  run([](Wire& wire) -> Task<> {
    const std::string content = pattern(2'500'000);
    auto task = wire.tasks.spawn(wire.peer_out->send_file(file_of(content), 0, content.size()));
    std::string got;
    while (got.size() < content.size()) {
      std::string some = co_await wire.in->read_some(1 << 20);
      if (some.empty()) break;
      got += some;
    }
    EXPECT_TRUE(got == content) << got.size();
    co_await task.join();
  });
}

/// More than a channel takes without a reader.
const std::string& too_much() {
  static const std::string content = pattern(6'000'000);
  return content;
}

/// Sends a file that nobody reads, and waits until that is felt.
Task<TaskHandle<>> begin_without_reader(Wire& wire, const std::string& content) {
  auto task = wire.tasks.spawn(wire.peer_out->send_file(file_of(content), 0, content.size()));
  for (int calm = 0; calm < 20;) {  // for what is read ahead
    const std::size_t before = wire.in->buffered();
    co_await sleep(1ms);
    calm = wire.in->buffered() == before ? calm + 1 : 0;
  }
  EXPECT_FALSE(task.done());
  co_return task;
}

TEST_P(IOStreamLargeFileTest, NothingElseIsWrittenMeanwhile) {
  run([](Wire& wire) -> Task<> {
    const std::string& content = too_much();
    auto task = co_await begin_without_reader(wire, content);
    EXPECT_THROW((void)wire.peer_out->write("x"), std::logic_error);
    EXPECT_THROW(wire.peer_out->write_nowait("x"), std::logic_error);
    EXPECT_THROW((void)wire.peer_out->drain(), std::logic_error);
    EXPECT_THROW((void)wire.peer_out->shutdown(), std::logic_error);
    (void)co_await failure_of<std::logic_error>(wire.peer_out->send_file(file_of("x"), 0, 1));
    EXPECT_EQ((co_await wire.in->read_bytes(content.size())).size(), content.size());
    co_await task.join();
    co_await wire.peer_out->write("now");
    EXPECT_EQ(co_await wire.in->read_bytes(3), "now");
  });
}

TEST_P(IOStreamLargeFileTest, ItEndsWhenItIsCancelledOrTheStreamIsClosed) {
  run([](Wire& wire) -> Task<> {
    const std::string& content = too_much();
    auto cancelled = co_await begin_without_reader(wire, content);
    cancelled.cancel();
    (void)co_await failure_of<Cancelled>(cancelled.join());
    EXPECT_FALSE(wire.peer_out->closed());
    auto closed = wire.tasks.spawn(wire.peer_out->send_file(file_of(content), 0, content.size()));
    co_await moment();
    wire.peer_out->close();
    (void)co_await failure_of<StreamClosedError>(closed.join());
  });
}

TEST_P(IOStreamLargeFileTest, ItEndsWhenThePeerGoes) {
  run([](Wire& wire) -> Task<> {
    const std::string& content = too_much();
    auto task = co_await begin_without_reader(wire, content);
    wire.close_peer();
    wire.in->close();
    wire.out->close();
    (void)co_await failure_of<StreamClosedError>(task.join());
  });
}

}  // namespace
}  // namespace coronado
