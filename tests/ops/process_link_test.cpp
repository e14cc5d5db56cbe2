#include "ops/process_link.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "tests/http/server_fixture.hpp"

namespace coronado {
namespace {

using namespace std::chrono_literals;

/// The end of one process, here of one thread, and what it has heard.
class End {
 public:
  End(const ProcessSockets& sockets, std::uint32_t id)
      : link_(std::make_unique<ProcessLink>(sockets, id,
                                            [this](std::string_view message) { hear(message); })) {}
  ~End() { link_.reset(); }

  ProcessLink& link() { return *link_; }

  /// What has been heard, once it is so much.
  std::vector<std::string> heard(std::size_t count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(more_.wait_for(lock, 60s, [&] { return heard_.size() >= count; }));
    return heard_;
  }

 private:
  void hear(std::string_view message) {
    const std::lock_guard lock(mutex_);
    heard_.emplace_back(message);
    more_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable more_;
  std::vector<std::string> heard_;  // guarded by mutex_
  std::unique_ptr<ProcessLink> link_;
};

TEST(ProcessLink, ThreadsHearAllTheOthersInTheirOrder) {
  const ProcessSockets sockets(3);
  End one(sockets, 0);
  End two(sockets, 1);
  End three(sockets, 2);
  std::vector<std::string> sent;
  for (int i = 0; i < 1000; ++i) {
    sent.push_back(std::to_string(i));
    if (i % 100 == 0) sent.back().resize(200'000, 'x');
    one.link().send(sent.back());
  }
  EXPECT_EQ(two.heard(1000), sent);
  EXPECT_EQ(three.heard(1000), sent);
  two.link().send("");
  EXPECT_EQ(one.heard(1), std::vector<std::string>({""}));
  EXPECT_EQ(three.heard(1001).back(), "");
  EXPECT_EQ(two.heard(1000).size(), 1000U);  // not its own
  EXPECT_EQ(one.link().dropped(), 0U);
}

TEST(ProcessLink, ThreadsForgetWhatItsSenderDidNotFinish) {
  const ProcessSockets sockets(2);
  {
    End dies(sockets, 0);
    dies.link().send(std::string(1'000'000, 'x'));  // more than a socket takes, and nobody reads
  }
  End hears(sockets, 1);
  End successor(sockets, 0);
  successor.link().send(std::string(100'000, 'y'));
  EXPECT_EQ(hears.heard(1), std::vector<std::string>({std::string(100'000, 'y')}));
}

TEST(ProcessLink, ThreadsThatDoNotTakeItHoldNobodyUp) {
  const http_test::LogCatcher log;
  const ProcessSockets sockets(3);
  End one(sockets, 0);
  End two(sockets, 1);
  const std::string large(1 << 20, 'x');
  for (std::size_t i = 1; i <= 40; ++i) {
    one.link().send(large);
    two.heard(i);
  }
  EXPECT_GE(one.link().dropped(), 20U);
  EXPECT_EQ(log.count("process 2 does not take what is published"), 1U);
  // Who comes late hears what was kept, and what comes then.
  End three(sockets, 2);
  EXPECT_EQ(three.heard(40 - one.link().dropped()).front(), large);
  one.link().send("late");
  EXPECT_EQ(three.heard(41 - one.link().dropped()).back(), "late");
}

}  // namespace
}  // namespace coronado
