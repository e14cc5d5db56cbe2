// An event source on a network on which everything goes wrong, under many seeds: it sees every event
// once and in order, however often its connection is lost.
#include <coronado/http/event_source.hpp>

#include <coronado/base/strings.hpp>
#include <coronado/testing/run_seeds.hpp>

#include "tests/http/client_fixture.hpp"

namespace coronado {
namespace {

using namespace client_test;

constexpr int kCount = 40;

struct Tally {
  std::uint64_t events = 0;
  std::uint64_t connects = 0;
  int aborted = 0;
};

std::string data_of(int number) {
  return "event " + std::to_string(number) + "\n" +
         std::string(static_cast<std::size_t>(number * 97 % 3000), 'x');
}

/// Goes on behind what the client has seen, in pieces that have nothing to do with events.
Task<> send_events(HTTPExchange& exchange, SimNetwork& network, Tally& tally) {
  Random& random = network.random();
  const auto seen = parse_int<int>(exchange.request().header("Last-Event-ID").value_or(""));
  int next = seen ? *seen + 1 : 0;
  if (next == kCount) co_return exchange.respond({.status = 204}, {});
  if (random.below(10) == 0) co_return respond_text(exchange, "not now", 503);
  exchange.start({.fields = "Content-Type: text/event-stream\r\n"}, std::nullopt);
  while (next < kCount) {
    std::string text;
    for (std::uint32_t i = 1 + random.below(5); i != 0 && next < kCount; --i, ++next) {
      append_event(text, {.event = next % 2 == 0 ? "even" : "",
                          .data = data_of(next),
                          .id = std::to_string(next),
                          .retry = 100ms});
    }
    for (std::string_view rest = text; !rest.empty();) {
      const std::size_t size = 1 + random.below(static_cast<std::uint32_t>(rest.size()));
      exchange.write(rest.substr(0, size));
      co_await exchange.drain();
      rest.remove_prefix(size);
      if (random.below(20) == 0) {
        ++tally.aborted;
        co_return exchange.abort();
      }
    }
    if (random.below(10) == 0) break;  // an orderly end in the middle
    co_await sleep(network.random_span(200ms));
  }
  exchange.finish();
}

Task<> follow(SimNetwork& network, Tally& tally) {
  SimHost& host = network.add_host("server");
  LambdaService service;
  service.on("/events",
             [&](HTTPExchange& exchange) { return send_events(exchange, network, tally); });
  HTTPServer server(network.loop(), service);
  auto door = std::make_unique<Door>(server, host.address(80));
  HTTPClientOptions options;
  options.resolver = network.names();
  HTTPClient client(std::move(options));
  {
    EventSource source(client, {.url = "http://server/events", .request_timeout = 5s},
                       {.longest_retry = 2s, .idle_timeout = 10s});
    int next = 0;
    while (const auto event = co_await source.next()) {
      EXPECT_EQ(event->id, std::to_string(next));
      EXPECT_EQ(event->event, next % 2 == 0 ? "even" : "message");
      EXPECT_EQ(event->data, data_of(next));
      ++next;
      ++tally.events;
      if (network.random().below(10) == 0) co_await sleep(network.random_span(1s));
    }
    EXPECT_EQ(next, kCount);
    tally.connects += source.connects();
  }
  door.reset();
  co_await server.close();
}

TEST(EventSourceSim, SeesEveryEventOnceAndInOrder) {
  Tally tally;
  run_seeds(300, [&](SimNetwork& network) { return follow(network, tally); },
            {.network = {.link = SimLink::rough(), .stall = 0.02}});
  EXPECT_GE(tally.events, 100U * kCount);
  EXPECT_GT(tally.connects, 300U);
  EXPECT_GT(tally.aborted, 50);
}

}  // namespace
}  // namespace coronado
