#include <coronado/loop/ioloop.hpp>

#include <coronado/coro/locks.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/testing/expect_log.hpp>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/loop/reactor_kinds.hpp"

namespace coronado {
namespace {

using namespace std::chrono_literals;

IOLoopOptions options(ReactorKind reactor) {
  return {.reactor = reactor, .slow_step_threshold = Duration::zero()};
}

/// A loop with descriptors, on the reactor that the environment asks for.
IOLoopOptions real_options() { return {.slow_step_threshold = Duration::zero()}; }

/// A loop of every kind; warnings that nobody expects fail the test.
class IOLoopTest : public testing::TestWithParam<ReactorKind> {
 protected:
  ExpectLog unexpected_;
  IOLoop loop_{options(GetParam())};
};

INSTANTIATE_TEST_SUITE_P(Reactors, IOLoopTest, all_reactors(), ReactorName());

template <class F>
std::string message_of(F&& call) {
  try {
    call();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "nothing thrown";
}

// --- run_sync ------------------------------------------------------------------------------------

TEST_P(IOLoopTest, RunSyncReturnsOrThrows) {
  const auto answer = []() -> Task<std::unique_ptr<int>> {
    co_await moment();
    co_return std::make_unique<int>(42);
  };
  EXPECT_EQ(*loop_.run_sync(answer()), 42);
  const auto fail = []() -> Task<> {
    co_await moment();
    throw std::runtime_error("no");
  };
  EXPECT_THROW(loop_.run_sync(fail()), std::runtime_error);
  const auto give_up = []() -> Task<> {
    co_await moment();
    throw Cancelled{};
  };
  EXPECT_THROW(loop_.run_sync(give_up()), Cancelled);
}

TEST_P(IOLoopTest, RunSyncTimeoutCancelsTheTask) {
  bool cancelled = false;
  const auto body = [](bool& told) -> Task<> {
    try {
      co_await sleep(1h);
    } catch (const Cancelled&) {
      told = true;
      throw;
    }
  };
  EXPECT_EQ(message_of([&] { loop_.run_sync(body(cancelled), 5ms); }),
            "operation timed out after 0.005 seconds");
  EXPECT_TRUE(cancelled);
  EXPECT_THROW(loop_.run_sync(body(cancelled), 1ms), TimeoutError);
}

TEST_P(IOLoopTest, RunSyncInTimeLeavesNoTimer) {
  const auto quick = []() -> Task<int> {
    co_await sleep(1ms);
    co_return 1;
  };
  EXPECT_EQ(loop_.run_sync(quick(), 1h), 1);
  EXPECT_EQ(loop_.run_sync(quick(), 1h), 1);
}

TEST_P(IOLoopTest, StopDuringRunSyncCancelsTheTask) {
  bool cancelled = false;
  const auto body = [](bool& told) -> Task<> {
    IOLoop::current()->stop();
    try {
      co_await sleep(1h);
    } catch (const Cancelled&) {
      told = true;
      throw;
    }
  };
  EXPECT_EQ(message_of([&] { loop_.run_sync(body(cancelled)); }),
            "the loop was stopped before the task was done");
  EXPECT_TRUE(cancelled);
}

TEST_P(IOLoopTest, RunSyncInsideACallback) {
  int inner = 0;
  loop_.call_later(0s, [&] {
    const auto body = []() -> Task<int> {
      co_await sleep(1ms);
      co_return 7;
    };
    inner = loop_.run_sync(body());
    loop_.stop();
  });
  loop_.run();
  EXPECT_EQ(inner, 7);
  EXPECT_EQ(IOLoop::current(), nullptr);
}

TEST(IOLoop, DeadlockIsReportedWithTheTaskTree) {
  IOLoop loop(options(ReactorKind::kSim));
  const auto body = []() -> Task<> {
    Event never;
    co_await never.wait();
  };
  const std::string message = message_of([&] { loop.run_sync(body()); });
  EXPECT_TRUE(message.starts_with("nothing is left that could wake the task:\n1 task\n"))
      << message;
  EXPECT_NE(message.find("\"main\" waiting: event\n"), std::string::npos) << message;
  EXPECT_NE(message.find("at ioloop_test.cpp:"), std::string::npos) << message;
}

TEST(IOLoop, AShieldedDeadlockIsReportedToo) {
  Event event;
  IOLoop loop(options(ReactorKind::kSim));
  const auto body = [](Event& never) -> Task<> { co_await shield(as_task(never.wait())); };
  EXPECT_THROW(loop.run_sync(body(event)), ClosedError);
  event.set();  // so that it ends before the loop does
}

TEST(IOLoop, CloseDoesNotWaitForWhatCannotCome) {
  const ExpectLog log("the loop is closed while tasks wait for what cannot come:\n1 task\n");
  Event event;
  IOLoop loop(options(ReactorKind::kSim));
  loop.spawn([](Event& never) -> Task<> { co_await shield(as_task(never.wait())); }(event));
  loop.run_sync(as_task(moment()));
  loop.close();
  EXPECT_EQ(log.count(), 1U);
  event.set();
  EXPECT_THROW(loop.run_sync(as_task(moment())), Cancelled);  // a turn, in which it ends
  EXPECT_TRUE(loop.root_group().empty());
}

TEST(IOLoop, RunWithNothingToDoInSimulatedTime) {
  IOLoop loop(options(ReactorKind::kSim));
  EXPECT_EQ(message_of([&] { loop.run(); }),
            "nothing is left that could wake the loop:\n0 tasks\n");
}

// --- run, stop, callbacks ------------------------------------------------------------------------

TEST_P(IOLoopTest, StopBeforeRunMakesItReturnAtOnce) {
  loop_.stop();
  loop_.run();
  loop_.post([&] { loop_.stop(); });
  loop_.run();
}

TEST_P(IOLoopTest, PostedCallbacksRunInOrderAndErrorsAreLogged) {
  const ExpectLog log("error coronado.application: exception in callback");
  std::string out;
  for (char name : {'a', 'b', 'c'}) {
    loop_.post([&out, name] { out += name; });
  }
  loop_.add_callback([] { throw std::runtime_error("posted"); });
  loop_.add_callback([] { throw 42; });
  loop_.add_callback([] { throw Cancelled{}; });  // not worth a line
  loop_.post([&] {
    out += 'd';
    loop_.post([&] {
      out += 'f';
      loop_.stop();
    });
    out += 'e';
  });
  loop_.run();
  EXPECT_EQ(out, "abcdef");
  EXPECT_EQ(log.count(), 2U);
  EXPECT_TRUE(log.lines()[0].ends_with(": posted"));
}

TEST_P(IOLoopTest, CallLaterCallAtAndRemove) {
  std::string out;
  const TimePoint begin = loop_.now();
  loop_.call_later(3ms, [&] { out += 'c'; });
  loop_.call_at(begin + 2ms, [&] { out += 'b'; });
  loop_.call_later(-1h, [&] { out += 'a'; });
  const TimeoutHandle removed = loop_.call_later(1ms, [&] { out += 'x'; });
  const TimeoutHandle last = loop_.call_later(4ms, [&] { loop_.stop(); });
  loop_.call_later(Duration::max(), [&] { out += 'y'; });
  EXPECT_TRUE(removed.pending());
  loop_.remove_timeout(removed);
  EXPECT_FALSE(removed.pending());
  loop_.remove_timeout(removed);
  loop_.remove_timeout(TimeoutHandle());
  loop_.run();
  EXPECT_EQ(out, "abc");
  EXPECT_FALSE(last.pending());
  loop_.remove_timeout(last);
  EXPECT_GE(loop_.now() - begin, 4ms);
}

TEST_P(IOLoopTest, ScheduledCallsThatThrowAreLogged) {
  const ExpectLog log("exception in callback: scheduled");
  loop_.call_later(0s, [] { throw std::runtime_error("scheduled"); });
  loop_.call_later(1ms, [&] { loop_.stop(); });
  loop_.run();
  EXPECT_EQ(log.count(), 1U);
}

TEST_P(IOLoopTest, ACallMayRemoveAnotherOfTheSameInstant) {
  std::string out;
  TimeoutHandle second;
  const TimePoint when = loop_.now() + 1ms;
  loop_.call_at(when, [&] {
    out += 'a';
    loop_.remove_timeout(second);
  });
  second = loop_.call_at(when, [&] { out += 'x'; });
  loop_.call_at(when + 1ms, [&] { loop_.stop(); });
  loop_.run();
  EXPECT_EQ(out, "a");
}

// --- spawn, close --------------------------------------------------------------------------------

TEST_P(IOLoopTest, DetachedFailuresAreLoggedWithTheSpawnSite) {
  const ExpectLog log("uncaught exception in task #");
  loop_.spawn(
      []() -> Task<> {
        co_await moment();
        throw std::runtime_error("detached");
      }(),
      "background");
  loop_.call_later(1ms, [&] { loop_.stop(); });
  loop_.run();
  ASSERT_EQ(log.count(), 1U);
  EXPECT_NE(log.lines()[0].find("\"background\" spawned at ioloop_test.cpp:"), std::string::npos);
}

TEST_P(IOLoopTest, CloseCancelsAndDrains) {
  std::string out;
  const auto body = [](std::string& text, char name) -> Task<> {
    bool stopped = false;
    try {
      co_await sleep(1h);
    } catch (const Cancelled&) {
      stopped = true;
    }
    if (stopped) co_await shield(as_task(sleep(2ms)));
    text += name;
  };
  loop_.spawn(body(out, 'a'));
  loop_.spawn(body(out, 'b'));
  loop_.run_sync(as_task(moment()));
  loop_.call_later(1h, [&] { out += 'x'; });
  loop_.close();
  std::sort(out.begin(), out.end());
  EXPECT_EQ(out, "ab");
  loop_.close();
  loop_.post([&] { out += 'p'; });  // dropped
}

TEST_P(IOLoopTest, CloseWithASleeperEndsAtOnce) {
  loop_.spawn(as_task(sleep(100h)));
  loop_.run_sync(as_task(moment()));
  const TimePoint begin = loop_.now();
  loop_.close();
  EXPECT_LT(loop_.now() - begin, 1h);
}

TEST_P(IOLoopTest, WhatIsDroppedAtCloseMayPostAgain) {
  struct Poster {
    explicit Poster(IOLoop& target) : loop(target) {}
    ~Poster() {
      loop.post([] {});
    }
    IOLoop& loop;
  };
  loop_.post([poster = std::make_unique<Poster>(loop_)] {});
  loop_.close();
}

TEST_P(IOLoopTest, TasksSpawnedWhileClosingAreCancelledToo) {
  std::string out;
  loop_.spawn([](std::string& text) -> Task<> {
    try {
      co_await sleep(1h);
    } catch (const Cancelled&) {
      IOLoop::current()->spawn([](std::string& inner) -> Task<> {
        inner += "began ";
        co_await sleep(1h);
        inner += "not here";
      }(text));
      throw;
    }
  }(out));
  loop_.run_sync(as_task(moment()));
  loop_.close();
  EXPECT_EQ(out, "began ");
}

TEST(IOLoop, ReactorFromTheEnvironment) {
  ASSERT_EQ(::setenv("CORONADO_REACTOR", "steam", 1), 0);
  EXPECT_EQ(message_of([] { IOLoop loop; }), "CORONADO_REACTOR=steam: expected epoll or uring");
  EXPECT_THROW(IOLoop(), UsageError);
  ASSERT_EQ(::setenv("CORONADO_REACTOR", "epoll", 1), 0);
  EXPECT_STREQ(IOLoop().reactor().name(), "epoll");
  ASSERT_EQ(::setenv("CORONADO_REACTOR", "uring", 1), 0);
  EXPECT_STREQ(IOLoop().reactor().name(), make_reactor(ReactorKind::kUring)->name());
  ASSERT_EQ(::unsetenv("CORONADO_REACTOR"), 0);
  EXPECT_STREQ(IOLoop().reactor().name(), "epoll");
}

TEST_P(IOLoopTest, ManyReadyTasksDoNotStarveCallbacks) {
  bool stop = false;
  const auto spin = [](const bool& ended) -> Task<> {
    while (!ended) co_await moment();
  };
  TaskGroup group(loop_, "spinners", TaskGroup::OnFailure::kLog);
  for (int i = 0; i < 200; ++i) group.spawn(spin(stop));
  loop_.post([&] { loop_.post([&] { stop = true; }); });
  loop_.run_sync(as_task(group.join()));
  EXPECT_TRUE(stop);
}

// --- other threads -------------------------------------------------------------------------------

TEST(IOLoopThread, PostFromSeveralThreads) {
  constexpr int kThreads = 4;
  constexpr int kPosts = 2000;
  IOLoop loop(real_options());
  std::array<int, kThreads> next{};
  int total = 0;
  bool ordered = true;
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kPosts; ++i) {
        loop.post([&, t, i] {
          ordered = ordered && next[t]++ == i;
          if (++total == kThreads * kPosts) loop.stop();
        });
      }
    });
  }
  loop.run();
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(ordered);
  EXPECT_EQ(total, kThreads * kPosts);
}

TEST(IOLoopThread, PostWakesASleepingLoop) {
  IOLoop loop(real_options());
  for (int i = 0; i < 100; ++i) {
    std::thread poster;
    loop.post([&] { poster = std::thread([&] { loop.post([&] { loop.stop(); }); }); });
    loop.run();
    poster.join();
  }
}

TEST(IOLoopThread, StopFromAnotherThread) {
  IOLoop loop(real_options());
  for (int i = 0; i < 100; ++i) {
    std::thread stopper([&] { loop.stop(); });
    loop.run();
    stopper.join();
  }
}

TEST(IOLoopThread, TheLoopMayEndInACallbackJustPosted) {
  for (int i = 0; i < 200; ++i) {
    auto loop = std::make_unique<IOLoop>(real_options());
    std::thread poster([&other = *loop] { other.post([&other] { other.stop(); }); });
    loop->run();
    loop.reset();  // while the other thread may still be on its way out of post
    poster.join();
  }
}

TEST(IOLoopThread, OneLoopAThread) {
  std::atomic<int> sum{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&sum] {
      IOLoop loop(real_options());
      const auto body = [](std::atomic<int>& total) -> Task<> {
        Lock lock;
        TaskGroup group;
        for (int i = 0; i < 50; ++i) {
          group.spawn([](Lock& shared, std::atomic<int>& inner) -> Task<> {
            LockGuard guard = co_await shared.acquire();
            co_await moment();
            ++inner;
          }(lock, total));
        }
        co_await group.join();
      };
      loop.run_sync(body(sum));
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(sum, 200);
}

// --- descriptors ---------------------------------------------------------------------------------

/// A non-blocking pipe.
class Pipe {
 public:
  Pipe() { EXPECT_EQ(::pipe2(ends_.data(), O_NONBLOCK | O_CLOEXEC), 0); }
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  int reader() const { return ends_[0]; }
  int writer() const { return ends_[1]; }
  void close_end(std::size_t end) {
    if (ends_[end] >= 0) ::close(std::exchange(ends_[end], -1));
  }
  void put(char c) const { EXPECT_EQ(::write(writer(), &c, 1), 1); }
  std::string get() const {
    char buffer[16];
    const ssize_t n = ::read(reader(), buffer, sizeof buffer);
    return n <= 0 ? std::string() : std::string(buffer, static_cast<std::size_t>(n));
  }

 private:
  std::array<int, 2> ends_{-1, -1};
};

class DescriptorTest : public testing::Test {
 protected:
  /// Runs until there is nothing more to deliver.
  void settle() {
    for (int i = 0; i < 3; ++i) loop_.run_sync(as_task(sleep(0s)));
  }
  ExpectLog unexpected_;
  IOLoop loop_{real_options()};
};

TEST_F(DescriptorTest, ReadableIsLevelTriggered) {
  Pipe pipe;
  int calls = 0;
  std::string got;
  loop_.add_handler(
      pipe.reader(),
      [&](int fd, unsigned events) {
        EXPECT_EQ(fd, pipe.reader());
        EXPECT_EQ(events, IOLoop::kRead);
        if (++calls < 3) return;  // called again: it was not read
        got += pipe.get();
        loop_.stop();
      },
      IOLoop::kRead);
  loop_.call_later(0s, [&] { pipe.put('a'); });
  loop_.run();
  EXPECT_EQ(got, "a");
  EXPECT_EQ(calls, 3);
  loop_.remove_handler(pipe.reader());
}

TEST_F(DescriptorTest, WritableAndUpdate) {
  Pipe pipe;
  int calls = 0;
  loop_.add_handler(
      pipe.writer(),
      [&](int, unsigned events) {
        EXPECT_EQ(events, IOLoop::kWrite);
        if (++calls == 2) loop_.update_handler(pipe.writer(), 0);
      },
      IOLoop::kWrite);
  loop_.call_later(2ms, [&] { loop_.stop(); });
  loop_.run();
  EXPECT_EQ(calls, 2);
  loop_.update_handler(pipe.writer(), IOLoop::kWrite);
  settle();
  EXPECT_GT(calls, 2);
  loop_.remove_handler(pipe.writer());
}

TEST_F(DescriptorTest, ErrorsAreAlwaysReported) {
  Pipe pipe;
  unsigned seen = 0;
  loop_.add_handler(
      pipe.writer(),
      [&](int, unsigned events) {
        seen = events;
        loop_.remove_handler(pipe.writer());
        loop_.stop();
      },
      0);
  pipe.close_end(0);
  loop_.run();
  EXPECT_NE(seen & IOLoop::kError, 0U);
}

TEST_F(DescriptorTest, RemovedInsideItsOwnCallback) {
  Pipe pipe;
  auto token = std::make_shared<int>(1);
  int calls = 0;
  loop_.add_handler(
      pipe.reader(),
      [&, token](int fd, unsigned) {
        loop_.remove_handler(fd);
        ++calls;
        EXPECT_EQ(*token, 1);  // the callable is alive until it returns
      },
      IOLoop::kRead);
  pipe.put('a');
  settle();
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(token.use_count(), 1);
  loop_.remove_handler(pipe.reader());
}

TEST_F(DescriptorTest, RemovedByAnotherCallbackOfTheSameTurn) {
  Pipe first;
  Pipe second;
  int calls = 0;
  const auto remove_both = [&](int, unsigned) {
    ++calls;
    loop_.remove_handler(first.reader());
    loop_.remove_handler(second.reader());
  };
  loop_.add_handler(first.reader(), remove_both, IOLoop::kRead);
  loop_.add_handler(second.reader(), remove_both, IOLoop::kRead);
  first.put('a');
  second.put('b');
  settle();
  EXPECT_EQ(calls, 1);
}

TEST_F(DescriptorTest, TheNumberMayBeUsedAgain) {
  std::string log;
  for (const char name : {'a', 'b', 'c'}) {
    Pipe pipe;  // gets the same numbers each time
    loop_.add_handler(
        pipe.reader(),
        [&](int, unsigned) {
          log += name;
          (void)pipe.get();
        },
        IOLoop::kRead);
    pipe.put('x');
    settle();
    loop_.remove_handler(pipe.reader());
  }
  EXPECT_EQ(log, "abc");
}

TEST_F(DescriptorTest, HandlersThatThrowAreLogged) {
  const ExpectLog log("exception in callback: handler");
  Pipe pipe;
  loop_.add_handler(
      pipe.reader(),
      [&](int, unsigned) {
        (void)pipe.get();
        throw std::runtime_error("handler");
      },
      IOLoop::kRead);
  pipe.put('a');
  settle();
  EXPECT_EQ(log.count(), 1U);
}

TEST_F(DescriptorTest, Errors) {
  Pipe pipe;
  const auto ignore = [](int, unsigned) {};
  loop_.add_handler(pipe.reader(), ignore, IOLoop::kRead);
  EXPECT_EQ(message_of([&] { loop_.add_handler(pipe.reader(), ignore, IOLoop::kRead); }),
            "fd " + std::to_string(pipe.reader()) + " added twice");
  EXPECT_THROW(loop_.update_handler(pipe.writer(), IOLoop::kRead), std::invalid_argument);
  loop_.remove_handler(pipe.writer());
  EXPECT_THROW(loop_.add_handler(-1, ignore, IOLoop::kRead), std::system_error);
  EXPECT_THROW(loop_.add_handler(100'000, ignore, IOLoop::kRead), std::system_error);
  IOLoop simulated(options(ReactorKind::kSim));
  EXPECT_THROW(simulated.add_handler(pipe.reader(), ignore, IOLoop::kRead), std::system_error);
}

// --- the order of ready tasks --------------------------------------------------------------------

/// A variable of the environment for as long as this lives.
class Environment {
 public:
  Environment(const char* name, const char* value) : name_(name) {
    if (const char* old = std::getenv(name)) before_ = old;
    ::setenv(name, value, 1);
  }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  ~Environment() {
    if (before_) {
      ::setenv(name_, before_->c_str(), 1);
    } else {
      ::unsetenv(name_);
    }
  }

 private:
  const char* name_;
  std::optional<std::string> before_;
};

std::uint64_t seed_of(IOLoopOptions options = {}) { return IOLoop(options).shuffle_seed(); }

TEST(IOLoopShuffle, TheSeedComesFromTheOptionsOrTheEnvironment) {
  {
    const Environment variable("CORONADO_SHUFFLE_SEED", "123");
    EXPECT_EQ(seed_of(), 123U);
    EXPECT_EQ(seed_of({.shuffle_seed = 7}), 7U);
    EXPECT_EQ(seed_of({.shuffle_seed = 0}), 0U);
  }
  const Environment variable("CORONADO_SHUFFLE_SEED", "");
#ifdef NDEBUG
  EXPECT_EQ(seed_of(), 0U);
#else
  EXPECT_NE(seed_of(), 0U);
  EXPECT_NE(seed_of(), seed_of());
#endif
}

TEST(IOLoopShuffle, ASeedThatIsNoNumberIsRefused) {
  for (const char* text : {"x", "1x", "-1", " 1", "99999999999999999999999"}) {
    const Environment variable("CORONADO_SHUFFLE_SEED", text);
    std::string message;
    try {
      IOLoop loop;
    } catch (const UsageError& error) {
      message = error.what();
    }
    EXPECT_EQ(message, "CORONADO_SHUFFLE_SEED=" + std::string(text) + ": expected a number");
  }
}

}  // namespace
}  // namespace coronado
