// A WebSocket server and its clients on a network on which everything goes wrong, under many seeds:
// each message comes back whole and in its turn, or the connection is closed and both ends know it.
#include <coronado/http/websocket_client.hpp>
#include <coronado/testing/run_seeds.hpp>
#include <coronado/web/application.hpp>
#include <coronado/web/websocket_handler.hpp>

#include <optional>
#include <string>
#include <vector>

#include "tests/http/client_fixture.hpp"

namespace coronado {
namespace {

using namespace client_test;

struct Tally {
  int echoed = 0;
  int closed = 0;
  int broken = 0;
  int unconnected = 0;
  int sessions = 0;
};

WebSocketOptions options_of(SimNetwork& network) {
  WebSocketOptions options{.ping_interval = 20s, .ping_timeout = 10s};
  if (network.random().below(2) == 0) {
    options.compression =
        WebSocketCompression{.threshold = 20, .forget_own_window = network.random().below(2) == 0};
  }
  return options;
}

std::string text_of(Random& random) {
  std::string text;
  for (std::uint32_t size = random.below(random.below(8) == 0 ? 30'000 : 200); size != 0; --size) {
    text += static_cast<char>('a' + random.below(5));
  }
  return text;
}

/// Sends, and expects the same back; false when the connection has ended.
Task<bool> talk(WebSocket& socket, Random& random) {
  std::vector<std::string> sent;
  for (std::uint32_t count = 1 + random.below(4); count != 0; --count) {
    sent.push_back(text_of(random));
    co_await socket.send(sent.back());
  }
  for (const std::string& each : sent) {
    const auto message = co_await socket.read();
    if (!message) co_return false;
    EXPECT_EQ(message->data, each);
    EXPECT_TRUE(message->is_text);
  }
  co_return true;
}

Task<> visit(SimNetwork& network, Tally& tally) {
  Random& random = network.random();
  WebSocketConnectOptions options{.socket = options_of(network)};
  options.client.resolver = network.names();
  try {
    WebSocket socket = co_await websocket_connect({.url = "ws://server/echo"}, std::move(options));
    for (std::uint32_t i = random.below(6); i != 0; --i) {
      co_await sleep(network.random_span(random.below(8) == 0 ? 60s : 1s));
      if (!co_await talk(socket, random)) break;
      ++tally.echoed;
    }
    if (socket.is_open()) socket.close(4000, "that was all");
    co_await socket.closed();
    socket.close_code() == 4000 ? ++tally.closed : ++tally.broken;
  } catch (const WebSocketClosedError&) {
    ++tally.broken;
  } catch (const HTTPClientError&) {
    ++tally.unconnected;
  }
}

Task<> run_visits(SimNetwork& network, Tally& tally) {
  SimHost& host = network.add_host("server");
  web::Application app;
  app.get("/echo", web::websocket(
                       [&tally](WebSocket& socket) -> Task<> {
                         ++tally.sessions;
                         while (const auto message = co_await socket.read()) {
                           co_await socket.send(*message);
                         }
                         EXPECT_NE(socket.close_code(), 0);
                       },
                       {.options = options_of(network)}));
  HTTPServer server(network.loop(), app);
  std::optional<Door> door;
  door.emplace(server, host.address(80));
  SimHost& visitors = network.add_host("visitors");
  std::vector<Task<>> visits;
  for (std::uint32_t i = 1 + network.random().below(4); i != 0; --i) {
    visits.push_back(visitors.run(visit(network, tally)));
  }
  co_await multi(std::move(visits));
  door.reset();
  // Who is silent is found out by pings: nothing is left behind.
  EXPECT_TRUE(co_await server.drain(network.loop().now() + 120s));
  EXPECT_EQ(server.connection_count(), 0U);
}

TEST(WebSocketSim, EachMessageComesBackOrBothEndsKnow) {
  const http_test::LogCatcher log;
  Tally tally;
  run_seeds(2000, [&](SimNetwork& network) { return run_visits(network, tally); },
            {.network = {.link = SimLink::rough(), .stall = 0.02}});
  EXPECT_GT(tally.echoed, 4000);
  EXPECT_GT(tally.closed, 1200);
  EXPECT_GT(tally.broken, 200);
  EXPECT_GT(tally.unconnected, 200);
}

}  // namespace
}  // namespace coronado
