// Sleeps, reads and waits for a lock on one loop, cancelled from another.
#include <coronado/coro/locks.hpp>
#include <coronado/coro/registry.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/net/iostream.hpp>
#include <coronado/testing/async_test.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <latch>
#include <optional>
#include <random>
#include <thread>
#include <utility>
#include <vector>

namespace coronado {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kStreams = 100;
constexpr std::size_t kKinds = 3;
constexpr long kCancelled = 100'000;

/// What is waited for. All of it belongs to the loop it is made on.
class Waits {
 public:
  explicit Waits(IOLoop& loop) {
    for (std::size_t i = 0; i < kStreams; ++i) streams_.push_back(stream_pair(loop));
  }

  Task<> begin() { held_ = co_await lock_.acquire(); }

  /// Waits once, in one of three ways; who gets the lock keeps it until it is taken away.
  Task<> wait(std::size_t number, std::chrono::microseconds span) {
    struct Inside {
      Waits& waits;
      ~Inside() { ++waits.ended; }
    } inside{*this};
    ++begun;
    switch (number % kKinds) {
      case 0: co_await sleep(span); break;
      case 1: bytes_read += (co_await streams_[number / kKinds].first.read_bytes(1)).size(); break;
      default: held_ = co_await lock_.acquire(); ++locked;
    }
  }

  /// Gives the first in line the lock, and somebody a byte.
  void serve(std::size_t stream) {
    if (held_) {
      held_.release();
      ++released;
    }
    streams_[stream].second.write_nowait("x");
    ++bytes_written;
  }

  /// Nothing of what was given has vanished, and nobody is in line.
  Task<> expect_clean_end() {
    EXPECT_EQ(begun, ended);
    EXPECT_EQ(count_tasks(*Executor::current()), 1U);
    held_.release();
    EXPECT_FALSE(lock_.locked());
    for (auto& [here, there] : streams_) {
      co_await there.shutdown();
      bytes_read += (co_await here.read_until_close()).size();
    }
    EXPECT_EQ(bytes_read, bytes_written);
  }

  // Of the loop's thread alone: no lock.
  long begun = 0;
  long ended = 0;
  long locked = 0;
  long released = 0;
  std::size_t bytes_read = 0;
  std::size_t bytes_written = 0;

 private:
  std::vector<std::pair<TCPStream, TCPStream>> streams_;
  Lock lock_;
  LockGuard held_;
};

/// Calls the other loop from this one, and cancels the calls in random order.
class Caller {
 public:
  explicit Caller(IOLoop& other) : other_(other) {}

  Task<> run() {
    co_await other_.run(make());
    while (cancelled_ < kCancelled) co_await round();
    co_await other_.run(waits_->expect_clean_end());
    EXPECT_EQ(spawned_, cancelled_ + finished_) << "each ended exactly once";
    EXPECT_GT(finished_, 100);
    EXPECT_GT(waits_->bytes_read, 100U);
    EXPECT_GT(waits_->locked, 20);
    EXPECT_LE(waits_->begun, spawned_);
    co_await other_.run(unmake());
  }

 private:
  Task<> make() {
    waits_.emplace(*IOLoop::current());
    co_await waits_->begin();
  }
  Task<> unmake() {
    waits_.reset();
    co_return;
  }
  static Task<> nothing() { co_return; }

  Task<> call(std::size_t number, std::chrono::microseconds span) {
    try {
      co_await other_.run(waits_->wait(number, span));
    } catch (const Cancelled&) {
      ++cancelled_;
      throw;
    }
    ++finished_;
  }

  Task<> round() {
    TaskGroup group("calls", TaskGroup::OnFailure::kHandle);
    std::vector<TaskHandle<>> handles;
    for (std::size_t i = 0; i < kKinds * kStreams; ++i) {
      handles.push_back(group.spawn(call(i, std::chrono::microseconds(random_() % 20'000))));
    }
    spawned_ += static_cast<long>(handles.size());
    co_await moment();
    // Most rounds let them begin over there; in some they are taken back on the way.
    if (random_() % 4 != 0) co_await other_.run(nothing());
    std::ranges::shuffle(handles, random_);
    for (TaskHandle<>& handle : handles) {
      if (random_() % 10 == 0) {
        other_.post([this, stream = random_() % kStreams] { waits_->serve(stream); });
      }
      if (random_() % 50 == 0) co_await moment();
      handle.cancel();
    }
    co_await group.join();
  }

  IOLoop& other_;
  std::optional<Waits> waits_;
  std::mt19937 random_{20261130};
  long spawned_ = 0;
  long cancelled_ = 0;
  long finished_ = 0;
};

TEST(IOStreamThread, AHundredThousandWaitsCancelledFromAnotherLoopEndOnce) {
  std::optional<IOLoop> other;
  std::latch ready(1);
  std::thread thread([&] {
    other.emplace(IOLoopOptions{.slow_step_threshold = Duration::zero()});
    ready.count_down();
    other->run();
    other->close();
  });
  ready.wait();
  Caller caller(*other);
  run_async([&] { return caller.run(); }, {.reactor = ReactorKind::kEpoll, .time_limit = 100s});
  other->stop();
  thread.join();
}

}  // namespace
}  // namespace coronado
