#include <coronado/base/error.hpp>
#include <coronado/coro/combine.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/net/resolver.hpp>
#include <coronado/testing/async_test.hpp>

#include <gtest/gtest.h>

#include <map>
#include <stdexcept>

namespace coronado {
namespace {

using namespace std::chrono_literals;
using Reason = ResolveError::Reason;

/// Answers after a second, as it is told; counts questions, and those that were cancelled.
class SlowResolver final : public Resolver {
 public:
  struct Answer {
    std::string ip = "192.0.2.1";
    std::optional<Duration> ttl = 60s;
    std::optional<Reason> failure = std::nullopt;
    std::optional<Duration> negative_ttl = std::nullopt;
  };

  using Resolver::resolve;
  Task<Resolution> resolve(ResolveRequest request) override {
    ++asked;
    bool cancelled = false;
    try {
      if (tell_first && request.on_first_family) {
        co_await sleep(500ms);
        request.on_first_family({*SocketAddress::from_ip("2001:db8::1", request.port)});
      }
      co_await sleep(1s);
    } catch (const Cancelled&) {
      cancelled = true;
    }
    if (cancelled) {
      ++unwound;
      throw Cancelled{};
    }
    const Answer answer = answers[request.host];
    if (answer.failure) throw ResolveError(request.host, *answer.failure, "", answer.negative_ttl);
    Resolution found;
    found.addresses.push_back(*SocketAddress::from_ip(answer.ip, request.port));
    found.ttl = answer.ttl;
    co_return found;
  }

  std::map<std::string, Answer> answers;
  bool tell_first = false;
  int asked = 0;
  int unwound = 0;
};

struct Fixture {
  explicit Fixture(CacheOptions options = {}) : cache(slow, options) {}

  std::shared_ptr<SlowResolver> slow = std::make_shared<SlowResolver>();
  CachingResolver cache;

  /// The reason why it fails, or nothing.
  Task<std::optional<Reason>> failure(std::string host) {
    try {
      co_await cache.resolve(host);
    } catch (const ResolveError& error) {
      co_return error.reason();
    }
    co_return std::nullopt;
  }
};

TEST(CachingResolver, RemembersForTheTtl) {
  run_async([]() -> Task<> {
    Fixture fix;
    Resolution found = co_await fix.cache.resolve("A.test", 80);
    EXPECT_EQ(found.ttl, 60s);
    co_await sleep(59s);
    found = co_await fix.cache.resolve("a.TEST", 443);
    EXPECT_EQ(to_string(found.addresses.front()), "192.0.2.1:443");
    EXPECT_EQ(std::chrono::round<std::chrono::milliseconds>(*found.ttl), 1s);
    EXPECT_EQ(fix.slow->asked, 1);
    co_await sleep(1s);
    co_await fix.cache.resolve("a.test");
    EXPECT_EQ(fix.slow->asked, 2);
  });
}

TEST(CachingResolver, FamiliesAndAbsoluteNamesAreKeptApart) {
  run_async([]() -> Task<> {
    Fixture fix;
    co_await fix.cache.resolve("a.test", 1, AddressFamily::kIPv4);
    co_await fix.cache.resolve("a.test", 1, AddressFamily::kIPv6);
    co_await fix.cache.resolve("a.test", 1);
    co_await fix.cache.resolve("a.test.", 1);
    EXPECT_EQ(fix.slow->asked, 4);
    EXPECT_EQ(fix.cache.size(), 4U);
  });
}

TEST(CachingResolver, TheTtlHasAFloorACeilingAndADefault) {
  run_async([]() -> Task<> {
    Fixture fix({.min_ttl = 5s, .max_ttl = 100s, .default_ttl = 30s});
    const auto kept_for = [](Fixture& f, const char* name, Duration span) -> Task<> {
      co_await f.cache.resolve(name);
      const int before = f.slow->asked;
      co_await sleep(span - 1ms);
      co_await f.cache.resolve(name);
      EXPECT_EQ(f.slow->asked, before) << name;
      co_await sleep(1ms);
      co_await f.cache.resolve(name);
      EXPECT_EQ(f.slow->asked, before + 1) << name;
    };
    fix.slow->answers["short.test"].ttl = 0s;
    fix.slow->answers["long.test"].ttl = 24h;
    fix.slow->answers["unknown.test"].ttl = std::nullopt;
    co_await kept_for(fix, "short.test", 5s);
    co_await kept_for(fix, "long.test", 100s);
    co_await kept_for(fix, "unknown.test", 30s);
  });
}

TEST(CachingResolver, WhatDoesNotExistIsRememberedToo) {
  run_async([]() -> Task<> {
    Fixture fix({.negative_ttl = 10s, .failure_ttl = 1s});
    fix.slow->answers["none.test"].failure = Reason::kNoSuchName;
    fix.slow->answers["fails.test"].failure = Reason::kServerFailure;
    EXPECT_EQ(co_await fix.failure("none.test"), Reason::kNoSuchName);
    EXPECT_EQ(co_await fix.failure("fails.test"), Reason::kServerFailure);
    EXPECT_EQ(co_await fix.failure("fails.test"), Reason::kServerFailure);
    EXPECT_EQ(fix.slow->asked, 2);
    co_await sleep(1s);
    fix.slow->answers["fails.test"].failure.reset();
    EXPECT_EQ(co_await fix.failure("fails.test"), std::nullopt);
    EXPECT_EQ(co_await fix.failure("none.test"), Reason::kNoSuchName);
    EXPECT_EQ(fix.slow->asked, 3);
    co_await sleep(10s);
    EXPECT_EQ(co_await fix.failure("none.test"), Reason::kNoSuchName);
    EXPECT_EQ(fix.slow->asked, 4);
  });
}

TEST(CachingResolver, TheServerSaysHowLongANameDoesNotExist) {
  run_async([]() -> Task<> {
    Fixture fix({.max_negative_ttl = 60s, .negative_ttl = 10s});
    fix.slow->answers["a.test"] = {.failure = Reason::kNoSuchName, .negative_ttl = 20s};
    fix.slow->answers["b.test"] = {.failure = Reason::kNoAddress, .negative_ttl = 24h};
    co_await fix.failure("b.test");
    co_await fix.failure("a.test");
    co_await sleep(19s);
    co_await fix.failure("a.test");
    EXPECT_EQ(fix.slow->asked, 2);
    co_await sleep(1s);
    co_await fix.failure("a.test");
    EXPECT_EQ(fix.slow->asked, 3);
    co_await fix.failure("b.test");
    EXPECT_EQ(fix.slow->asked, 3);
    co_await sleep(40s);
    co_await fix.failure("b.test");
    EXPECT_EQ(fix.slow->asked, 4);
  });
}

TEST(CachingResolver, TheOneNotUsedForLongestGoesFirst) {
  run_async([]() -> Task<> {
    Fixture fix({.max_entries = 2});
    co_await fix.cache.resolve("a.test");
    co_await fix.cache.resolve("b.test");
    co_await fix.cache.resolve("a.test");
    co_await fix.cache.resolve("c.test");
    EXPECT_EQ(fix.cache.size(), 2U);
    EXPECT_EQ(fix.slow->asked, 3);
    co_await fix.cache.resolve("a.test");
    EXPECT_EQ(fix.slow->asked, 3);
    co_await fix.cache.resolve("b.test");
    EXPECT_EQ(fix.slow->asked, 4);
    fix.cache.clear();
    EXPECT_EQ(fix.cache.size(), 0U);
  });
}

TEST(CachingResolver, ThoseWhoAskTheSameShareOneLookup) {
  run_async([]() -> Task<> {
    Fixture fix;
    const auto found =
        co_await multi(fix.cache.resolve("a.test", 1), fix.cache.resolve("a.test", 2));
    EXPECT_EQ(std::get<0>(found).addresses.front().port, 1);
    EXPECT_EQ(std::get<1>(found).addresses.front().port, 2);
    EXPECT_EQ(fix.slow->asked, 1);
    fix.slow->answers["none.test"].failure = Reason::kTimeout;
    const auto failed = co_await multi(fix.failure("none.test"), fix.failure("none.test"));
    EXPECT_EQ(std::get<0>(failed), Reason::kTimeout);
    EXPECT_EQ(std::get<1>(failed), Reason::kTimeout);
    EXPECT_EQ(fix.slow->asked, 2);
  });
}

/// What an awaited handle ended with.
Task<bool> was_cancelled(TaskHandle<Resolution>& handle) {
  try {
    co_await handle.join();
  } catch (const Cancelled&) {
    co_return true;
  }
  co_return false;
}

TEST(CachingResolver, ASharedLookupLivesWhileSomebodyWaits) {
  run_async([]() -> Task<> {
    Fixture fix;
    TaskGroup group("clients", TaskGroup::OnFailure::kHandle);
    TaskHandle<Resolution> first = group.spawn(fix.cache.resolve("a.test"));
    TaskHandle<Resolution> second = group.spawn(fix.cache.resolve("a.test"));
    co_await sleep(100ms);
    first.cancel();
    EXPECT_TRUE(co_await was_cancelled(first));
    EXPECT_EQ(fix.slow->unwound, 0);
    EXPECT_FALSE(co_await was_cancelled(second));
    EXPECT_EQ(fix.slow->asked, 1);
  });
}

TEST(CachingResolver, TheLastWhoIsCancelledEndsTheLookup) {
  run_async([]() -> Task<> {
    Fixture fix;
    TaskGroup group("clients", TaskGroup::OnFailure::kHandle);
    TaskHandle<Resolution> first = group.spawn(fix.cache.resolve("a.test"));
    TaskHandle<Resolution> second = group.spawn(fix.cache.resolve("a.test"));
    co_await sleep(100ms);
    first.cancel();
    second.cancel();
    EXPECT_TRUE(co_await was_cancelled(first));
    EXPECT_TRUE(co_await was_cancelled(second));
    EXPECT_EQ(fix.slow->unwound, 1);  // it has ended when the cancel is done
    EXPECT_EQ(fix.cache.size(), 0U);
    co_await fix.cache.resolve("a.test");
    EXPECT_EQ(fix.slow->asked, 2);
  });
}

TEST(CachingResolver, ATimeoutAroundItEndsTheLookup) {
  run_async([]() -> Task<> {
    Fixture fix;
    bool timed_out = false;
    try {
      co_await with_timeout(200ms, fix.cache.resolve("a.test"));
    } catch (const TimeoutError&) {
      timed_out = true;
    }
    EXPECT_TRUE(timed_out);
    EXPECT_EQ(fix.slow->unwound, 1);
  });
}

TEST(CachingResolver, AllWhoWaitAreToldOfTheFirstFamily) {
  run_async([]() -> Task<> {
    Fixture fix;
    fix.slow->tell_first = true;
    std::vector<std::string> told;
    const auto ask = [&](std::uint16_t port, Duration after) -> Task<> {
      co_await sleep(after);
      ResolveRequest request{.host = "a.test", .port = port};
      request.on_first_family = [&](const std::vector<SocketAddress>& addresses) {
        told.push_back(to_string(addresses.front()));
      };
      co_await fix.cache.resolve(std::move(request));
    };
    co_await multi(ask(1, 0s), ask(2, 100ms), ask(3, 800ms));
    const std::vector<std::string> expected{"[2001:db8::1]:1", "[2001:db8::1]:2",
                                            "[2001:db8::1]:3"};
    EXPECT_EQ(told, expected);
    EXPECT_EQ(fix.slow->asked, 1);
  });
}

TEST(CachingResolver, NumericAddressesPassThrough) {
  run_async([]() -> Task<> {
    Fixture fix;
    const Resolution found = co_await fix.cache.resolve("192.0.2.9", 3);
    EXPECT_EQ(to_string(found.addresses.front()), "192.0.2.9:3");
    EXPECT_EQ(co_await fix.failure("no name"), Reason::kMalformed);
    EXPECT_EQ(fix.slow->asked, 0);
    EXPECT_EQ(fix.cache.size(), 0U);
  });
}

TEST(CachingResolver, TheClockOfAnotherLoopDoesNotKeepAnEntryAlive) {
  Fixture fix;
  run_async(
      [&]() -> Task<> {
        co_await sleep(5h);
        co_await fix.cache.resolve("a.test");
      },
      {.time_limit = 10h});
  run_async([&]() -> Task<> { co_await fix.cache.resolve("a.test"); });
  EXPECT_EQ(fix.slow->asked, 2);
}

TEST(CachingResolver, OptionsOutOfRangeAreRefused) {
  const auto make = [](CacheOptions options) {
    CachingResolver cache(std::make_shared<SlowResolver>(), options);
  };
  EXPECT_THROW(make({.max_entries = 0}), std::invalid_argument);
  EXPECT_THROW(make({.min_ttl = 2h, .max_ttl = 1h}), std::invalid_argument);
  EXPECT_THROW(make({.negative_ttl = -1s}), std::invalid_argument);
  EXPECT_THROW(make({.failure_ttl = 6min}), std::invalid_argument);
  EXPECT_THROW(make({.min_ttl = 2s, .max_negative_ttl = 1s}), std::invalid_argument);
  EXPECT_THROW(CachingResolver(nullptr), std::invalid_argument);
}

}  // namespace
}  // namespace coronado
