// Making a connection: hosts with several addresses, where it comes from, and leaving off anywhere.
#include <coronado/http/httpclient.hpp>

#include <coronado/net/tls_context.hpp>

#include "tests/http/client_fixture.hpp"

namespace coronado {
namespace {

using namespace client_test;

SocketAddress ip(const char* text, std::uint16_t port = 80) {
  return *SocketAddress::from_ip(text, port);
}

/// At least so much, and not much more.
void expect_about(Duration span, Duration wanted) {
  EXPECT_GE(span, wanted);
  EXPECT_LT(span, wanted + 20ms);
}

/// "both" has an address of each family, served by the server, and so has who asks.
struct TwoFamilies {
  explicit TwoFamilies(Fixture& fixture)
      : fix(fixture), visitor(fix.network.add_host("visitor", {"fd00::7", "10.0.0.7"})) {
    fix.network.add_host("both", {"fd00::1", "10.0.0.81"});
    six.emplace(fix.server, ip("fd00::1"));
    four.emplace(fix.server, ip("10.0.0.81"));
  }
  Task<HTTPClientResponse> fetch(std::string url) {
    return visitor.run(fix.client.fetch(std::move(url)));
  }
  Fixture& fix;
  SimHost& visitor;
  std::optional<Door> six;
  std::optional<Door> four;
};

TEST(HTTPClientConnect, AnAddressThatNeverAnswersIsGivenUpForOneThatDoes) {
  with_fixture([](Fixture& fix) -> Task<> {
    TwoFamilies both(fix);
    fix.network.set_answer(ip("fd00::1"), SimNetwork::Answer::kSilent);
    const HTTPClientResponse page = co_await both.fetch("http://both/");
    EXPECT_EQ(page.body, "GET /");
    EXPECT_EQ(fix.network.connections_made(), 2U);
    EXPECT_EQ(fix.client.stats().connects, 1U);
    const HTTPTimeInfo& times = page.time_info;
    expect_about(times.namelookup, 0ms);
    expect_about(times.connect, 250ms);
    expect_about(times.first_byte, 0ms);
    expect_about(times.total, 250ms);
    EXPECT_EQ(times.appconnect, 0s);
    EXPECT_FALSE(times.reused);
    EXPECT_EQ(fix.network.open_transports(), 2U);  // both ends of the one that was made
    const HTTPClientResponse next = co_await both.fetch("http://both/next");
    EXPECT_TRUE(next.time_info.reused);
    EXPECT_EQ(next.time_info.connect, 0s);
    EXPECT_EQ(fix.network.connections_made(), 2U);
  });
}

TEST(HTTPClientConnect, ALateAnswerFindsNobody) {
  with_fixture([](Fixture& fix) -> Task<> {
    SimHost& slow = fix.network.add_host("slow", {"10.0.0.81"});
    fix.network.set_link(fix.network.host("local"), slow, {.latency = 300ms});
    Door late(fix.server, slow.address(80));
    fix.network.names()->set("both", {{.addresses = {slow.address(), fix.host.address()}}});
    const HTTPClientResponse page = co_await fix.client.fetch("http://both/");
    expect_about(page.time_info.connect, 250ms);
    EXPECT_EQ(fix.door->accepted, 1);
    co_await sleep(10s);
    EXPECT_EQ(fix.network.open_transports(), 2U);
    EXPECT_EQ(fix.client.stats().idle, 1U);
    // One that is slow but alone is waited for.
    const HTTPClientResponse alone = co_await fix.client.fetch("http://slow/");
    expect_about(alone.time_info.connect, 600ms);
  });
}

TEST(HTTPClientConnect, AFamilyThatFailsAtOnceCostsNoTime) {
  with_fixture([](Fixture& fix) -> Task<> {
    TwoFamilies both(fix);
    HTTPClientResponse page = co_await both.fetch("http://both/");
    EXPECT_EQ(both.six->accepted, 1);
    EXPECT_EQ(both.four->accepted, 0);
    fix.network.set_answer(ip("fd00::1", 81), SimNetwork::Answer::kRefuses);
    Door four(fix.server, ip("10.0.0.81", 81));
    page = co_await both.fetch("http://both:81/");
    EXPECT_EQ(page.body, "GET /");
    expect_about(page.time_info.connect, 0ms);
    EXPECT_EQ(fix.network.connections_made(), 3U);
    EXPECT_EQ(four.accepted, 1);
    // "local" has no IPv6 at all: the system says so, and asks nobody.
    page = co_await fix.client.fetch("http://both:81/", {.headers = {{"Connection", "close"}}});
    page = co_await fix.client.fetch("http://both:81/");
    expect_about(page.time_info.connect, 0ms);
    EXPECT_EQ(fix.network.connections_made(), 4U);
    EXPECT_EQ(four.accepted, 2);
  });
}

TEST(HTTPClientConnect, AnAddressIsWaitedForAsLongAsTheRequestSays) {
  with_fixture([](Fixture& fix) -> Task<> {
    SimHost& slow = fix.network.add_host("slow", {"10.0.0.81"});
    fix.network.set_link(fix.network.host("local"), slow, {.latency = 15s});
    Door door(fix.server, slow.address(80));
    const HTTPClientResponse page = co_await fix.client.fetch(
        "http://slow/", {.connect_timeout = 60s, .request_timeout = 200s});
    EXPECT_GE(page.time_info.connect, 30s);
    const auto error = co_await failure_of<HTTPTimeoutError>(fix.client.fetch(
        "http://slow/", {.connect_timeout = 19s, .network_interface = "10.0.0.1"}));
    EXPECT_EQ(error.phase(), HTTPPhase::kConnect);
    EXPECT_THAT(error.what(), HasSubstr("gave up after 19 s"));
  });
}

/// Tells the IPv6 addresses at once, and all of them later.
class SlowNames final : public Resolver {
 public:
  explicit SlowNames(Duration delay) : delay_(delay) {}
  Task<Resolution> resolve(ResolveRequest request) override {
    const std::vector<SocketAddress> first = {ip("fd00::1", request.port)};
    if (request.on_first_family) request.on_first_family(first);
    co_await sleep(delay_);
    co_return Resolution{{first.front(), ip("10.0.0.81", request.port)}, std::nullopt};
  }

 private:
  Duration delay_;
};

TEST(HTTPClientConnect, TheLookupEndsWithTheFirstAddresses) {
  for (const Duration delay : {Duration(100ms), Duration(1h)}) {  // while it connects, and later
    with_fixture([delay](Fixture& fix) -> Task<> {
      TwoFamilies both(fix);
      fix.network.set_link(both.visitor, fix.network.host("both"), {.latency = 100ms});
      HTTPClientOptions options;
      options.resolver = std::make_shared<SlowNames>(delay);
      HTTPClient client(std::move(options));
      const HTTPClientResponse page = co_await both.visitor.run(client.fetch("http://anything/"));
      expect_about(page.time_info.namelookup, 0ms);
      expect_about(page.time_info.connect, 200ms);
    });
  }
}

TEST(HTTPClientConnect, AnInterfaceThatIsNotThereIsNamed) {
  with_fixture([](Fixture& fix) -> Task<> {
    const auto error = co_await failure_of<HTTPConnectError>(
        fix.client.fetch("http://server/", {.network_interface = "nosuch0"}));
    EXPECT_EQ(error.connect_error().code(), std::errc::no_such_device);
    EXPECT_THAT(error.what(),
                HasSubstr("GET http://server/: cannot connect to server:80: there is no network "
                          "interface \"nosuch0\""));
    EXPECT_EQ(fix.network.connections_made(), 0U);
  });
}

/// A request that comes no further than a phase, and what is to be there for it.
struct Stuck {
  const char* what;
  std::function<void(Fixture&)> prepare;
  std::function<HTTPRequest()> request;
};

std::vector<Stuck> stuck_everywhere() {
  const auto silent = [](Fixture& fix) {
    fix.network.set_answer(fix.host.address(80), SimNetwork::Answer::kSilent);
  };
  const auto nothing = [](Fixture&) {};
  const auto of_url = [](std::string url) { return [url] { return HTTPRequest{.url = url}; }; };
  // "server:81" takes what comes and says nothing; "server:82" does not even read it.
  return {
      {"looking the name up",
       [](Fixture& fix) {
         fix.network.names()->set("slow", {{.addresses = {fix.host.address()}, .delay = 1h}});
       },
       of_url("http://slow/")},
      {"connecting", silent, of_url("http://server/")},
      {"asking a proxy for a tunnel", nothing,
       [] {
         HTTPRequest request{.url = "https://far.example/", .proxy_host = "server:81"};
         request.validate_cert = false;
         return request;
       }},
      {"asking a SOCKS proxy", nothing,
       [] {
         return HTTPRequest{.url = "http://far.example/", .proxy_host = "socks5://server:81"};
       }},
      {"the handshake of TLS", nothing,
       [] { return HTTPRequest{.url = "https://server:81/", .validate_cert = false}; }},
      {"sending", nothing,
       [] {
         return HTTPRequest{
             .url = "http://server:82/", .method = "PUT", .body = std::string(1'000'000, 'x')};
       }},
      {"waiting", nothing, of_url("http://server:81/")},
      {"reading the body", nothing, of_url("http://server/half")},
      {"reading a redirect's body", nothing, of_url("http://server/half?redirect")},
      {"after a redirect", nothing, of_url("http://server/redirect?302+http://server:81/")},
  };
}

TEST(HTTPClientConnect, CancelledInAnyPhaseItLeavesNothing) {
  for (const Stuck& stuck : stuck_everywhere()) {
    SCOPED_TRACE(stuck.what);
    with_fixture([&](Fixture& fix) -> Task<> {
      fix.service.on("/half", [](HTTPExchange& exchange) -> Task<> {
        const bool moved = !exchange.request().query().empty();
        exchange.start({.status = moved ? 302 : 200, .fields = moved ? "Location: /\r\n" : ""},
                       std::nullopt, "half");
        co_await sleep(1h);
      });
      Peer mute(fix.host.address(81),
                [](IOStream& stream) -> Task<> { co_await stream.read_until_close(); });
      Peer deaf(fix.host.address(82), [](IOStream&) -> Task<> { co_await sleep(1h); });
      stuck.prepare(fix);
      HTTPRequest request = stuck.request();
      request.connect_timeout = request.request_timeout = 0s;
      auto fetch = IOLoop::current()->spawn(fix.client.fetch(std::move(request)));
      co_await sleep(60s);
      EXPECT_EQ(fix.client.stats().busy, 1U);
      const TimePoint begin = IOLoop::current()->now();
      fetch.cancel();
      EXPECT_THROW(co_await fetch.join(), Cancelled);
      EXPECT_EQ(IOLoop::current()->now(), begin);
      EXPECT_EQ(fix.client.stats().busy, 0U);
      fix.client.close();
      co_await mute.close();
      co_await deaf.close();
      co_await sleep(1s);
      EXPECT_EQ(fix.network.open_transports(), 0U);
      // Its place is free, and the client is as good as before.
      fix.network.set_answer(fix.host.address(80), SimNetwork::Answer::kUsual);
      HTTPClient next(fix.with_names({.max_clients = 1}));
      EXPECT_EQ((co_await next.fetch("http://server/next")).body, "GET /next");
    });
  }
}

}  // namespace
}  // namespace coronado
