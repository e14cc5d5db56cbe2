#include <coronado/loop/file.hpp>

#include <coronado/testing/temp_folder.hpp>

#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/http/server_fixture.hpp"

namespace coronado::http_test {
namespace {

std::string pattern_bytes(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>((i * 7 + i / 251) % 256);
  return bytes;
}

/// A server whose "/file" answers with a file, over each kind of wire. Sockets use sendfile.
class ExchangeFile : public testing::TestWithParam<Wire> {
 protected:
  ExchangeFile() {
    bench_.service.on("/file", [this](HTTPExchange& exchange) -> Task<> {
      const auto file = OpenFile::open(name_);
      exchange.start({}, length_, "[");
      if (meanwhile_) meanwhile_();
      co_await exchange.write_file(file, 10, count_);
      exchange.write("]");
      exchange.finish();
      ++finished_;
    });
  }

  void write(std::string_view content) {
    folder_.write("file", content);
    count_ = content.size() - 20;
    length_ = count_ + 2;
  }

  ServerBench bench_{GetParam()};
  const TempFolder folder_;
  const std::string name_ = folder_.at("file");
  std::uint64_t count_ = 0;
  std::optional<std::uint64_t> length_;
  std::function<void()> meanwhile_;
  int finished_ = 0;
};

/// Where a byte at a time would take for ever.
class ExchangeFileSlowly : public ExchangeFile {};

TEST_P(ExchangeFile, IsAPartOfTheBody) {
  for (const std::size_t size : {21UL, 5000UL, 70'000UL, 3'000'000UL}) {
    if (GetParam() == Wire::kBytes && size > 10'000) continue;  // a byte at a time
    SCOPED_TRACE(size);
    const std::string content = pattern_bytes(size);
    write(content);
    const auto client = bench_.connect();
    for (int round = 0; round < 2; ++round) {
      const RawResponse response = bench_.run(ask(*client, get("/file")));
      EXPECT_EQ(response.body, "[" + content.substr(10, size - 20) + "]");
      EXPECT_FALSE(response.truncated);
    }
    length_ = std::nullopt;
    const RawResponse chunked = bench_.run(ask(*client, get("/file")));
    EXPECT_TRUE(chunked.chunked);
    EXPECT_EQ(chunked.body, "[" + content.substr(10, size - 20) + "]");
  }
}

TEST_P(ExchangeFile, AHeadRequestReadsNothing) {
  write(pattern_bytes(1000));
  count_ = 5'000'000;  // more than there is
  length_ = count_ + 2;
  const auto client = bench_.connect();
  const RawResponse response =
      bench_.run(ask(*client, "HEAD /file HTTP/1.1\r\nHost: x\r\n\r\n", RawRequestKind::kHead));
  EXPECT_EQ(response.field("Content-Length"), "5000002");
  EXPECT_EQ(bench_.run(ask(*client, get("/next"))).body, "GET /next");
}

TEST_P(ExchangeFile, AFileThatIsTooShortCutsTheConnection) {
  write(pattern_bytes(3000));
  meanwhile_ = [this] { EXPECT_EQ(::truncate(name_.c_str(), 2000), 0); };
  const auto client = bench_.connect();
  const RawResponse response = bench_.run(ask(*client, get("/file")));
  EXPECT_TRUE(response.truncated);
  EXPECT_EQ(response.body, "[" + pattern_bytes(2000).substr(10));
  EXPECT_EQ(bench_.log.count("a file ended 990 bytes too early while it was sent"), 1U);
  EXPECT_EQ(finished_, 0);
}

TEST_P(ExchangeFile, MoreThanWasPromisedIsRefused) {
  write(pattern_bytes(3000));
  length_ = 100;
  const auto client = bench_.connect();
  EXPECT_TRUE(bench_.run(ask(*client, get("/file"))).truncated);
  EXPECT_EQ(bench_.log.count("more was written than Content-Length says"), 1U);
}

TEST_P(ExchangeFileSlowly, TheLoopHasItsTurnAfterEachPiece) {
  constexpr std::size_t kPieces = 100;
  write(pattern_bytes(kPieces * 64 * 1024));
  length_ = std::nullopt;  // pieces of 64 KiB, which pass through the program
  int turns = 0;
  bench_.service.on("/file", [this, &turns](HTTPExchange& exchange) -> Task<> {
    TaskGroup others;
    others.spawn([](int& count) -> Task<> {
      while (true) {
        co_await moment();
        ++count;
      }
    }(turns));
    exchange.start({}, std::nullopt);
    co_await exchange.write_file(OpenFile::open(name_), 0, kPieces * 64 * 1024);
    exchange.finish();
    others.cancel();
    co_await others.join();
  });
  const auto client = bench_.connect();
  EXPECT_EQ(bench_.run(ask(*client, get("/file"))).body.size(), kPieces * 64 * 1024);
  EXPECT_GE(turns, static_cast<int>(kPieces) - 1);
}

TEST_P(ExchangeFileSlowly, AClientThatStopsReadingIsWaitedForAndItsGoingIsHeard) {
  write(pattern_bytes(40'000'000));
  auto client = bench_.connect();
  client->send(get("/file"));
  bench_.run([](RawClient& each) -> Task<> { co_await each.peek(1000); }(*client));
  client->transport().pause_receive();
  bench_.settle();
  EXPECT_EQ(finished_, 0);
  // Others have their turn meanwhile.
  const auto other = bench_.connect();
  EXPECT_EQ(bench_.run(ask(*other, get("/other"))).body, "GET /other");
  client->close();
  bench_.run([](ServerBench& bench) -> Task<> {
    while (bench.server->connection_count() != 1) co_await moment();
  }(bench_));
  EXPECT_EQ(finished_, 0);
  EXPECT_EQ(bench_.log.count("error"), 0U);
}

INSTANTIATE_TEST_SUITE_P(Wires, ExchangeFile,
                         testing::Values(Wire::kWhole, Wire::kBytes, Wire::kSockets), wire_name);
INSTANTIATE_TEST_SUITE_P(Wires, ExchangeFileSlowly, testing::Values(Wire::kWhole, Wire::kSockets),
                         wire_name);

TEST(ExchangeFileTimeout, AClientThatTakesNothingOfAFileIsCut) {
  ServerBench bench(Wire::kSockets, {.write_timeout = 50ms});
  const TempFolder folder;
  const std::string name = folder.write("file", "");
  ASSERT_EQ(::truncate(name.c_str(), 100'000'000), 0);
  bench.service.on("/file", [name](HTTPExchange& exchange) -> Task<> {
    exchange.start({}, 100'000'000);
    co_await exchange.write_file(OpenFile::open(name), 0, 100'000'000);
    exchange.finish();
  });
  const auto client = bench.connect();
  client->send(get("/file"));
  client->transport().pause_receive();
  bench.run([](ServerBench& each) -> Task<> {
    while (each.server->connection_count() == 0) co_await moment();
    while (each.server->connection_count() != 0) co_await moment();
  }(bench));
  EXPECT_EQ(bench.log.count("a client took nothing of its response in time"), 1U);
}

}  // namespace
}  // namespace coronado::http_test
