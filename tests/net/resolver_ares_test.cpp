#include <coronado/base/error.hpp>
#include <coronado/coro/combine.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/net/resolver.hpp>
#include <coronado/testing/async_test.hpp>
#include <coronado/testing/temp_folder.hpp>

#include <dirent.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <stdexcept>

#include "tests/net/dns_server.hpp"

namespace coronado {
namespace {

using namespace std::chrono_literals;
using Reason = ResolveError::Reason;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr AsyncTestOptions kReal{.reactor = ReactorKind::kEpoll};

/// Asks `server` alone, and neither /etc/hosts nor the machine's search list.
AresOptions asking(const DnsServer& server) {
  return {.servers = {server.address()},
          .timeout = 5s,
          .tries = 1,
          .search_domains = std::vector<std::string>{},
          .ndots = 1,
          .use_hosts_file = false};
}

std::vector<std::string> texts(const std::vector<SocketAddress>& addresses) {
  std::vector<std::string> result;
  for (const SocketAddress& address : addresses) result.push_back(to_string(address));
  std::ranges::sort(result);
  return result;
}

std::size_t open_descriptors() {
  DIR* const folder = ::opendir("/proc/self/fd");
  std::size_t count = 0;
  while (::readdir(folder) != nullptr) ++count;
  ::closedir(folder);
  return count;
}

/// Why `host` does not resolve, with the message.
Task<ResolveError> failure_of(Resolver& resolver, std::string host,
                              AddressFamily family = AddressFamily::kAny) {
  try {
    const Resolution found = co_await resolver.resolve(host, 80, family);
    ADD_FAILURE() << host << " resolved to " << to_string(found.addresses.front());
  } catch (const ResolveError& error) {
    co_return error;
  }
  co_return ResolveError(host, Reason::kSystem);
}

template <class Body>
void with_server(Body body) {
  run_async(
      [&]() -> Task<> {
        DnsServer server(*IOLoop::current());
        co_await body(server);
      },
      kReal);
}

TEST(AresResolver, AsksForBothFamilies) {
  with_server([](DnsServer& server) -> Task<> {
    server.add(ip_record("both.test", "192.0.2.1", 70));
    server.add(ip_record("both.test", "192.0.2.2", 60));
    server.add(ip_record("both.test", "2001:db8::1", 90));
    AresResolver resolver(asking(server));
    const Resolution found = co_await resolver.resolve("Both.test", 443);
    EXPECT_THAT(texts(found.addresses),
                ElementsAre("192.0.2.1:443", "192.0.2.2:443", "[2001:db8::1]:443"));
    EXPECT_EQ(found.ttl, 60s);
    EXPECT_EQ(server.questions().size(), 2U);
  });
}

TEST(AresResolver, AsksForOneFamilyWhenToldSo) {
  with_server([](DnsServer& server) -> Task<> {
    server.add(ip_record("both.test", "192.0.2.1"));
    server.add(ip_record("both.test", "2001:db8::1"));
    AresResolver resolver(asking(server));
    const Resolution four = co_await resolver.resolve("both.test", 1, AddressFamily::kIPv4);
    EXPECT_THAT(texts(four.addresses), ElementsAre("192.0.2.1:1"));
    const Resolution six = co_await resolver.resolve("both.test", 2, AddressFamily::kIPv6);
    EXPECT_THAT(texts(six.addresses), ElementsAre("[2001:db8::1]:2"));
    EXPECT_THAT(server.questions(), ElementsAre("both.test A", "both.test AAAA"));
  });
}

TEST(AresResolver, AnUnreachableFamilyComesLast) {
  with_server([](DnsServer& server) -> Task<> {
    server.add(ip_record("here.test", "127.0.0.1"));
    server.add(ip_record("here.test", "fe80::1"));  // without its interface
    AresResolver resolver(asking(server));
    const Resolution found = co_await resolver.resolve("here.test");
    EXPECT_EQ(found.addresses.size(), 2U);
    EXPECT_EQ(found.addresses.front().host(), "127.0.0.1");
  });
}

TEST(AresResolver, FollowsCanonicalNamesAndTheirTtl) {
  with_server([](DnsServer& server) -> Task<> {
    server.on("www.test", kTypeA,
              {.answers = {cname_record("www.test", "web.test", 20),
                           cname_record("web.test", "host.test", 500),
                           ip_record("host.test", "192.0.2.7", 100)}});
    server.on("www.test", kTypeAAAA, {.answers = {cname_record("www.test", "web.test", 20)}});
    AresResolver resolver(asking(server));
    const Resolution found = co_await resolver.resolve("www.test");
    EXPECT_THAT(texts(found.addresses), ElementsAre("192.0.2.7:0"));
    EXPECT_EQ(found.ttl, 20s);
  });
}

TEST(AresResolver, ANameThatDoesNotExist) {
  with_server([](DnsServer& server) -> Task<> {
    AresResolver resolver(asking(server));
    const ResolveError error = co_await failure_of(resolver, "no.such.test");
    EXPECT_EQ(error.reason(), Reason::kNoSuchName);
    EXPECT_STREQ(error.what(), "cannot resolve no.such.test: no such name");
    EXPECT_EQ(error.host(), "no.such.test");
    EXPECT_EQ(error.ttl(), 33s);
  });
}

TEST(AresResolver, ANameWithoutAddressOfTheFamily) {
  with_server([](DnsServer& server) -> Task<> {
    server.add(ip_record("four.test", "192.0.2.1"));
    AresResolver resolver(asking(server));
    const ResolveError error = co_await failure_of(resolver, "four.test", AddressFamily::kIPv6);
    EXPECT_EQ(error.reason(), Reason::kNoAddress);
    EXPECT_STREQ(error.what(), "cannot resolve four.test: no address (IPv6 asked for)");
  });
}

TEST(AresResolver, AServerThatCannotFindOutIsNamed) {
  with_server([](DnsServer& server) -> Task<> {
    server.on("fails.test", {.rcode = kServFail});
    server.on("refused.test", {.rcode = kRefusedCode});
    AresResolver resolver(asking(server));
    const ResolveError failed = co_await failure_of(resolver, "fails.test");
    EXPECT_EQ(failed.reason(), Reason::kServerFailure);
    EXPECT_THAT(failed.what(), HasSubstr("asked " + to_string(server.address())));
    const ResolveError refused = co_await failure_of(resolver, "refused.test");
    EXPECT_EQ(refused.reason(), Reason::kRefused) << refused.what();
  });
}

TEST(AresResolver, ASilentServerIsAskedAgainAndGivenUp) {
  with_server([](DnsServer& server) -> Task<> {
    server.on("silent.test", {.silent = true});
    AresOptions options = asking(server);
    options.timeout = 10ms;
    options.tries = 3;
    AresResolver resolver(options);
    const ResolveError error = co_await failure_of(resolver, "silent.test");
    EXPECT_EQ(error.reason(), Reason::kTimeout);
    EXPECT_THAT(error.what(), HasSubstr(to_string(server.address())));
    EXPECT_EQ(server.questions().size(), 6U);  // two families, three times
  });
}

TEST(AresResolver, TheNextServerIsAskedWhenOneIsSilent) {
  with_server([](DnsServer& silent) -> Task<> {
    DnsServer good(*IOLoop::current());
    silent.on("name.test", {.silent = true});
    good.add(ip_record("name.test", "192.0.2.9"));
    AresOptions options = asking(silent);
    options.servers.push_back(good.address());
    options.timeout = 10ms;
    AresResolver resolver(options);
    const Resolution found = co_await resolver.resolve("name.test", 0, AddressFamily::kIPv4);
    EXPECT_THAT(texts(found.addresses), ElementsAre("192.0.2.9:0"));
    EXPECT_EQ(silent.questions().size(), 1U);
  });
}

TEST(AresResolver, NobodyListensAtTheServersPort) {
  run_async(
      []() -> Task<> {
        AresOptions options;
        {
          DnsServer gone(*IOLoop::current());
          options = asking(gone);
        }
        AresResolver resolver(options);
        const ResolveError error = co_await failure_of(resolver, "name.test");
        EXPECT_EQ(error.reason(), Reason::kRefused) << error.what();
      },
      kReal);
}

TEST(AresResolver, GarbageAndAnswersToOtherQuestionsAreNotTaken) {
  with_server([](DnsServer& server) -> Task<> {
    server.on("name.test", kTypeA,
              {.answers = {ip_record("name.test", "192.0.2.1")}, .before = "garbage"});
    server.on("forged.test", kTypeA,
              {.answers = {ip_record("other.test", "192.0.2.66")}, .wrong_question = true});
    AresOptions options = asking(server);
    options.timeout = 20ms;
    AresResolver resolver(options);
    const Resolution found = co_await resolver.resolve("name.test", 0, AddressFamily::kIPv4);
    EXPECT_THAT(texts(found.addresses), ElementsAre("192.0.2.1:0"));
    const ResolveError error = co_await failure_of(resolver, "forged.test", AddressFamily::kIPv4);
    EXPECT_EQ(error.reason(), Reason::kTimeout);
  });
}

TEST(AresResolver, WhatDoesNotFitADatagramComesByTcp) {
  with_server([](DnsServer& server) -> Task<> {
    DnsReply reply{.truncated = true};
    for (int i = 1; i <= 100; ++i) {
      reply.answers.push_back(ip_record("many.test", "192.0.2." + std::to_string(i)));
    }
    server.on("many.test", kTypeA, reply);
    AresResolver resolver(asking(server));
    const Resolution found = co_await resolver.resolve("many.test", 0, AddressFamily::kIPv4);
    EXPECT_EQ(found.addresses.size(), 100U);
    EXPECT_EQ(server.tcp_questions(), 1);
  });
}

TEST(AresResolver, TheFirstFamilyIsToldWhileTheOtherIsOut) {
  with_server([](DnsServer& server) -> Task<> {
    server.add(ip_record("slow.test", "192.0.2.1"));
    server.on("slow.test", kTypeAAAA,
              {.answers = {ip_record("slow.test", "2001:db8::1")}, .delay = 30ms});
    AresResolver resolver(asking(server));
    std::vector<std::string> first;
    ResolveRequest request{.host = "slow.test", .port = 5};
    request.on_first_family = [&](const std::vector<SocketAddress>& addresses) {
      EXPECT_TRUE(first.empty());
      first = texts(addresses);
    };
    const Resolution found = co_await resolver.resolve(std::move(request));
    EXPECT_THAT(first, ElementsAre("192.0.2.1:5"));
    EXPECT_THAT(texts(found.addresses), ElementsAre("192.0.2.1:5", "[2001:db8::1]:5"));
  });
}

TEST(AresResolver, HalfAnAnswerIsNotForLater) {
  with_server([](DnsServer& server) -> Task<> {
    server.add(ip_record("half.test", "192.0.2.1", 3600));
    server.on("half.test", kTypeAAAA, {.rcode = kServFail});
    AresResolver resolver(asking(server));
    const Resolution found = co_await resolver.resolve("half.test");
    EXPECT_THAT(texts(found.addresses), ElementsAre("192.0.2.1:0"));
    EXPECT_EQ(found.ttl, 0s);
  });
}

// Both families must come from the same name, or a client ends at a host that was not meant.
TEST(AresResolver, TheSearchListIsFollowedForBothFamiliesTogether) {
  with_server([](DnsServer& server) -> Task<> {
    server.add(ip_record("db.a.test", "192.0.2.1"));
    server.add(ip_record("db.b.test", "192.0.2.66"));
    server.add(ip_record("db.b.test", "2001:db8::66"));
    server.add(ip_record("only.b.test", "192.0.2.3"));
    server.add(ip_record("x.only", "192.0.2.4"));
    server.add(ip_record("x.only.a.test", "192.0.2.66"));
    AresOptions options = asking(server);
    options.search_domains = {"a.test", "b.test"};
    AresResolver resolver(options);
    EXPECT_THAT(texts((co_await resolver.resolve("db")).addresses), ElementsAre("192.0.2.1:0"));
    EXPECT_THAT(texts((co_await resolver.resolve("only")).addresses), ElementsAre("192.0.2.3:0"));
    EXPECT_THAT(texts((co_await resolver.resolve("x.only")).addresses), ElementsAre("192.0.2.4:0"));
    const ResolveError absolute = co_await failure_of(resolver, "db.");
    EXPECT_EQ(absolute.reason(), Reason::kNoSuchName);
  });
}

TEST(AresResolver, AServerFailureEndsTheSearch) {
  with_server([](DnsServer& server) -> Task<> {
    server.on("db.a.test", {.rcode = kServFail});
    server.add(ip_record("db.b.test", "192.0.2.66"));
    AresOptions options = asking(server);
    options.search_domains = {"a.test", "b.test"};
    AresResolver resolver(options);
    const ResolveError error = co_await failure_of(resolver, "db");
    EXPECT_EQ(error.reason(), Reason::kServerFailure);
  });
}

TEST(AresResolver, ResolvConfIsReadAgainWhenItChanges) {
  with_server([](DnsServer& server) -> Task<> {
    server.add(ip_record("db.a.test", "192.0.2.1"));
    server.add(ip_record("db.bb.test", "192.0.2.2"));
    AresOptions options = asking(server);
    options.search_domains.reset();
    const TempFolder folder;
    options.resolv_conf = folder.write("resolv.conf", "search a.test\n");
    AresResolver resolver(options);
    EXPECT_THAT(texts((co_await resolver.resolve("db")).addresses), ElementsAre("192.0.2.1:0"));
    folder.write("resolv.conf", "search bb.test\n");
    EXPECT_THAT(texts((co_await resolver.resolve("db")).addresses), ElementsAre("192.0.2.2:0"));
  });
}

TEST(AresResolver, TheHostsFileComesBeforeTheServers) {
  with_server([](DnsServer& server) -> Task<> {
    const TempFolder folder;
    const std::string path = folder.write("hosts", "192.0.2.5 db.test db\n2001:db8::5 six.test\n");
    ::setenv("CARES_HOSTS", path.c_str(), 1);
    server.add(ip_record("db.test", "192.0.2.66"));
    server.add(ip_record("db.test", "2001:db8::66"));
    AresOptions options = asking(server);
    options.use_hosts_file = true;
    AresResolver resolver(options);
    EXPECT_THAT(texts((co_await resolver.resolve("db.test", 3)).addresses),
                ElementsAre("192.0.2.5:3"));
    EXPECT_THAT(texts((co_await resolver.resolve("db.")).addresses), ElementsAre("192.0.2.5:0"));
    const ResolveError error = co_await failure_of(resolver, "six.test", AddressFamily::kIPv4);
    EXPECT_EQ(error.reason(), Reason::kNoAddress);
    EXPECT_TRUE(server.questions().empty());
    ::unsetenv("CARES_HOSTS");
  });
}

TEST(AresResolver, CancellingEndsTheQueryAndNoOther) {
  with_server([](DnsServer& server) -> Task<> {
    server.on("silent.test", {.silent = true});
    server.on("slow.test", kTypeA,
              {.answers = {ip_record("slow.test", "192.0.2.1")}, .delay = 40ms});
    AresResolver resolver(asking(server));
    const std::size_t before = open_descriptors();
    TaskGroup group("queries", TaskGroup::OnFailure::kHandle);
    TaskHandle<Resolution> slow =
        group.spawn(resolver.resolve("slow.test", 0, AddressFamily::kIPv4));
    TaskHandle<Resolution> silent = group.spawn(resolver.resolve("silent.test"));
    co_await server.wait_for_questions(3);
    EXPECT_EQ(open_descriptors(), before + 3);
    silent.cancel();
    bool cancelled = false;
    try {
      co_await silent.join();
    } catch (const Cancelled&) {
      cancelled = true;
    }
    EXPECT_TRUE(cancelled);
    EXPECT_EQ(open_descriptors(), before + 1);  // the other one's
    const Resolution found = co_await slow.join();
    EXPECT_EQ(found.addresses.size(), 1U);
    EXPECT_EQ(open_descriptors(), before);
    co_await group.join();
  });
}

TEST(AresResolver, ATimeoutAroundItLeavesNothingBehind) {
  with_server([](DnsServer& server) -> Task<> {
    server.on("silent.test", {.silent = true});
    AresResolver resolver(asking(server));
    const std::size_t before = open_descriptors();
    bool timed_out = false;
    try {
      co_await with_timeout(10ms, resolver.resolve("silent.test"));
    } catch (const TimeoutError&) {
      timed_out = true;
    }
    EXPECT_TRUE(timed_out);
    EXPECT_EQ(open_descriptors(), before);
  });
}

TEST(AresResolver, ManyQueriesWaitTheirTurn) {
  with_server([](DnsServer& server) -> Task<> {
    AresOptions options = asking(server);
    options.max_queries = 3;
    AresResolver resolver(options);
    std::vector<Task<Resolution>> tasks;
    for (int i = 0; i < 60; ++i) {
      const std::string name = "n" + std::to_string(i) + ".test";
      server.add(ip_record(name, "192.0.2." + std::to_string(i + 1)));
      tasks.push_back(resolver.resolve(name));
    }
    const std::vector<Resolution> found = co_await multi(std::move(tasks));
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_EQ(found[i].addresses.front().host(), "192.0.2." + std::to_string(i + 1));
    }
    EXPECT_EQ(server.questions().size(), 120U);
  });
}

TEST(AresResolver, HundredsOfCancelledQueriesEndOnceEach) {
  with_server([](DnsServer& server) -> Task<> {
    server.on("silent.test", {.silent = true});
    server.add(ip_record("quick.test", "192.0.2.1"));
    AresResolver resolver(asking(server));
    const std::size_t before = open_descriptors();
    int values = 0;
    int cancelled = 0;
    TaskGroup group("queries", TaskGroup::OnFailure::kHandle);
    for (int round = 0; round < 30; ++round) {
      std::vector<TaskHandle<Resolution>> handles;
      for (int i = 0; i < 20; ++i) {
        handles.push_back(group.spawn(resolver.resolve(i % 2 == 0 ? "silent.test" : "quick.test")));
      }
      for (int turns = round % 7; turns > 0; --turns) co_await moment();
      if (round % 3 == 0) co_await handles[1].join();
      for (TaskHandle<Resolution>& handle : handles) handle.cancel();
      co_await group.join();
      for (TaskHandle<Resolution>& handle : handles) {
        const bool done = handle.context()->outcome() == TaskOutcome::kValue;
        ++(done ? values : cancelled);
      }
    }
    EXPECT_EQ(values + cancelled, 600);
    EXPECT_GE(values, 10);      // those that were waited for
    EXPECT_GE(cancelled, 300);  // those that get no answer
    EXPECT_EQ(open_descriptors(), before);
    EXPECT_THAT(texts((co_await resolver.resolve("quick.test")).addresses),
                ElementsAre("192.0.2.1:0"));
  });
}

TEST(AresResolver, ALoopWithoutSocketsIsAnError) {
  run_async([]() -> Task<> {
    AresResolver resolver(
        {.servers = {*SocketAddress::from_ip("127.0.0.1", 9)}, .use_hosts_file = false});
    const ResolveError error = co_await failure_of(resolver, "name.test");
    EXPECT_EQ(error.reason(), Reason::kSystem);
    EXPECT_THAT(error.what(), HasSubstr("simulated"));
  });
}

TEST(AresResolver, OptionsOutOfRangeAreRefused) {
  EXPECT_THROW(AresResolver({.timeout = 0s}), std::invalid_argument);
  EXPECT_THROW(AresResolver({.tries = 0}), std::invalid_argument);
  EXPECT_THROW(AresResolver({.ndots = -1}), std::invalid_argument);
  EXPECT_THROW(AresResolver({.max_queries = 0}), std::invalid_argument);
  EXPECT_THROW(AresResolver({.servers = {SocketAddress::from_path("/run/dns")}}),
               std::invalid_argument);
}

}  // namespace
}  // namespace coronado
