#include <coronado/loop/transport.hpp>

#include <fcntl.h>

#include <cerrno>

#include "tests/loop/transport_fixture.hpp"

namespace coronado {
namespace {

class PipeTest : public TransportTest {
 protected:
  PipeTest() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC), 0);
    reader_ = reactor_->adopt(ends[0]);
    writer_ = reactor_->adopt(ends[1]);
    reader_->start(read_);
    writer_->start(written_);
  }
  Recorder read_;
  Recorder written_;
  std::unique_ptr<Transport> reader_;
  std::unique_ptr<Transport> writer_;
};

INSTANTIATE_TEST_SUITE_P(Reactors, PipeTest, real_reactors(), ReactorName());

TEST_P(PipeTest, CarriesBytesAndTheEnd) {
  const std::string large(1'000'000, 'x');  // more than a pipe holds
  writer_->write(large);
  EXPECT_GT(writer_->pending(), 0U);
  writer_->shutdown_write();
  wait_until([&] { return read_.ends == 1; });
  EXPECT_EQ(read_.received, large);
  EXPECT_FALSE(read_.end_error);
  EXPECT_EQ(written_.ends, 0);
  writer_->pause_receive();
  writer_->resume_receive();
  look();
}

TEST_P(PipeTest, AReaderThatGoesIsReportedToTheWriter) {
  reader_.reset();
  wait_until([&] { return written_.ends == 1; });
  EXPECT_EQ(written_.end_error, std::errc::broken_pipe);
  writer_->write("nobody reads this");
  look();
  EXPECT_EQ(written_.ends, 1);
}

}  // namespace
}  // namespace coronado
