#include <coronado/net/resolver.hpp>

#include <coronado/base/error.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/loop/thread_pool.hpp>
#include <coronado/testing/async_test.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <stdexcept>

namespace coronado {
namespace {

using Reason = ResolveError::Reason;
using testing::ElementsAre;

std::vector<std::string> texts(const Resolution& found) {
  std::vector<std::string> result;
  for (const SocketAddress& address : found.addresses) result.push_back(to_string(address));
  return result;
}

/// A resolver of a user's own: every name is 192.0.2.1, and what was asked is noted.
class NotingResolver final : public Resolver {
 public:
  using Resolver::resolve;
  Task<Resolution> resolve(ResolveRequest request) override {
    asked.push_back(request.host + " " + std::to_string(request.port));
    Resolution found;
    found.addresses.push_back(*SocketAddress::from_ip("192.0.2.1", request.port));
    co_return found;
  }
  std::vector<std::string> asked;
};

TEST(Resolver, AUsersOwnCanBeTheSharedOne) {
  run_async([]() -> Task<> {
    const auto mine = std::make_shared<NotingResolver>();
    Resolver::set_shared(mine);
    EXPECT_EQ(Resolver::shared(), mine);
    const Resolution found = co_await Resolver::shared()->resolve("a.test", 1);
    EXPECT_THAT(texts(found), ElementsAre("192.0.2.1:1"));
    Resolver::set_shared(nullptr);
    EXPECT_NE(Resolver::shared(), mine);
    EXPECT_EQ(Resolver::shared(), Resolver::shared());
  });
}

TEST(Resolver, TheSharedOneNeedsNoNetworkForLocalhost) {
  run_async([]() -> Task<> {
    const Resolution found = co_await Resolver::shared()->resolve("localhost", 80);
    EXPECT_THAT(texts(found), ElementsAre("[::1]:80", "127.0.0.1:80"));
  });
}

TEST(OverrideResolver, TheNarrowestRuleWins) {
  run_async([]() -> Task<> {
    const auto next = std::make_shared<NotingResolver>();
    OverrideResolver resolver(
        next,
        {{.host = "a.test", .to_host = "any.test"},
         {.host = "a.test", .port = 443, .to_host = "port.test", .to_port = 1443},
         {.host = "a.test", .port = 443, .family = AddressFamily::kIPv6, .to_host = "family.test"},
         {.host = "any.test", .to_host = "never.test"}});
    co_await resolver.resolve("A.test", 80);
    co_await resolver.resolve("a.test", 443);
    co_await resolver.resolve("a.test", 443, AddressFamily::kIPv6);
    co_await resolver.resolve("b.test", 443);
    EXPECT_THAT(next->asked,
                ElementsAre("any.test 80", "port.test 1443", "family.test 443", "b.test 443"));
  });
}

TEST(OverrideResolver, RulesThatMeanNothingAreRefused) {
  const auto next = std::make_shared<NotingResolver>();
  const auto make = [&](std::vector<HostOverride> rules) {
    OverrideResolver resolver(next, std::move(rules));
  };
  EXPECT_THROW(make({{.host = "", .to_host = "a"}}), std::invalid_argument);
  EXPECT_THROW(make({{.host = "a", .to_host = ""}}), std::invalid_argument);
  EXPECT_THROW(make({{.host = "a", .family = AddressFamily::kIPv4, .to_host = "b"}}),
               std::invalid_argument);
  EXPECT_THROW(make({{.host = "a", .to_host = "b"}, {.host = "A", .to_host = "c"}}),
               std::invalid_argument);
  EXPECT_THROW(OverrideResolver(nullptr, {}), std::invalid_argument);
}

/// A name from the machine's hosts file with its IPv4 address, but no localhost.
std::pair<std::string, std::string> known_host() {
  std::ifstream file("/etc/hosts");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string ip;
    std::string name;
    words >> ip >> name;
    if (!name.empty() && !name.starts_with("localhost") && ip.contains('.')) return {ip, name};
  }
  return {};
}

TEST(ThreadedResolver, AsksTheSystem) {
  const auto [ip, name] = known_host();
  if (name.empty()) GTEST_SKIP() << "/etc/hosts names nobody but localhost";
  run_async([&, host = name, wanted = ip + ":5"]() -> Task<> {
    ThreadedResolver resolver;
    const Resolution found = co_await resolver.resolve(host, 5, AddressFamily::kIPv4);
    EXPECT_THAT(texts(found), testing::Contains(wanted));
    EXPECT_FALSE(found.ttl);
  });
}

TEST(ThreadedResolver, WhatIsKnownBeforehandNeedsNoThread) {
  run_async([]() -> Task<> {
    ThreadedResolver resolver;
    const Resolution found = co_await resolver.resolve("127.0.0.1", 5, AddressFamily::kIPv4);
    EXPECT_THAT(texts(found), ElementsAre("127.0.0.1:5"));
    bool malformed = false;
    try {
      co_await resolver.resolve("no name", 5);
    } catch (const ResolveError& error) {
      malformed = error.reason() == Reason::kMalformed;
    }
    EXPECT_TRUE(malformed);
  });
}

TEST(ThreadedResolver, ACancelledLookupThatHasNotBegunIsTakenOut) {
  run_async([]() -> Task<> {
    ThreadPool pool({.threads = 1});
    ThreadedResolver resolver(pool);
    std::atomic<bool> go{false};
    TaskGroup group("jobs", TaskGroup::OnFailure::kHandle);
    group.spawn(as_task(pool.offload([&] { go.wait(false); })));
    TaskHandle<Resolution> lookup = group.spawn(resolver.resolve("name.test"));
    co_await moment();
    co_await moment();
    lookup.cancel();
    bool cancelled = false;
    try {
      co_await lookup.join();
    } catch (const Cancelled&) {
      cancelled = true;
    }
    EXPECT_TRUE(cancelled);
    go = true;
    go.notify_all();
    co_await group.join();
  });
}

}  // namespace
}  // namespace coronado
