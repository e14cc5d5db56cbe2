// The HTTP server on a network on which everything goes wrong: pipelined and chunked requests under
// many seeds. Each response is complete and right, or the connection is visibly broken; the server
// keeps no connection and no task; draining ends.
#include <coronado/http/httpserver.hpp>

#include <coronado/coro/combine.hpp>
#include <coronado/net/tcpclient.hpp>
#include <coronado/testing/run_seeds.hpp>

#include <gtest/gtest.h>

#include "tests/http/server_fixture.hpp"

namespace coronado {
namespace {

using namespace std::chrono_literals;
using http_test::LambdaService;
using http_test::respond_text;
using Kind = LambdaService::Kind;

/// Accepts for a server.
class Door final : public AcceptHandler {
 public:
  Door(IOLoop& loop, HTTPServer& server, const SocketAddress& address)
      : server_(server), acceptor_(loop.reactor().listen(address, {}, *this)) {}
  void on_accept(std::unique_ptr<Transport> transport) noexcept override {
    server_.serve(std::move(transport));
  }
  void on_accept_error(std::error_code) noexcept override {}

 private:
  HTTPServer& server_;
  std::unique_ptr<Acceptor> acceptor_;
};

std::string text_of(std::size_t size, std::uint64_t mark) {
  std::string text = "<" + std::to_string(mark) + ">";
  while (text.size() < size) text += static_cast<char>('a' + text.size() * 7 % 26);
  return text;
}

/// Endpoints that answer at once, later, read in pieces, and write in pieces.
void add_endpoints(LambdaService& service, SimNetwork& network) {
  service.on(
      "/now",
      [](HTTPExchange& exchange) -> Task<> {
        respond_text(exchange, exchange.request().body());
        return {};
      },
      Kind::kAnswersAtOnce);
  service.on("/later", [&network](HTTPExchange& exchange) -> Task<> {
    co_await sleep(network.random_span(30ms));
    respond_text(exchange, exchange.request().body());
  });
  service.on(
      "/stream",
      [&network](HTTPExchange& exchange) -> Task<> {
        exchange.start({.status = 200, .fields = {}}, std::nullopt);
        try {
          for (std::string piece = co_await exchange.read_body(); !piece.empty();
               piece = co_await exchange.read_body()) {
            exchange.write(piece);
            co_await exchange.drain();
            if (network.random().below(4) == 0) co_await sleep(network.random_span(10ms));
          }
          exchange.finish();
        } catch (const HTTPError&) {  // the client has stopped in the middle
          exchange.abort();
        }
      },
      Kind::kStreams);
  service.on("", [](HTTPExchange& exchange) -> Task<> {
    respond_text(exchange, "not here", 404);
    co_return;
  });
}

std::string chunked(Random& random, std::string_view body) {
  std::string text;
  while (!body.empty()) {
    const std::size_t size = 1 + random.below(static_cast<std::uint32_t>(body.size()));
    char head[32];
    std::snprintf(head, sizeof head, "%zx\r\n", size);
    text += head + std::string(body.substr(0, size)) + "\r\n";
    body.remove_prefix(size);
  }
  return text + "0\r\n\r\n";
}

std::string request(Random& random, const std::string& body) {
  static constexpr const char* kPaths[] = {"/now", "/later", "/stream"};
  std::string text = std::string("POST ") + kPaths[random.below(3)] + " HTTP/1.1\r\nHost: x\r\n";
  if (random.below(2) == 0) {
    return text + "Transfer-Encoding: chunked\r\n\r\n" + chunked(random, body);
  }
  return text + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

struct Tally {
  int whole = 0;
  int broken = 0;
};

/// Sends in pieces, with rests.
Task<> send_slowly(SimNetwork& network, RawClient& client, std::string text) {
  Random& random = network.random();
  std::string_view rest = text;
  while (!rest.empty() && !client.ended()) {
    const std::size_t size = 1 + random.below(static_cast<std::uint32_t>(rest.size()));
    client.send(rest.substr(0, size));
    rest.remove_prefix(size);
    if (random.below(3) == 0) co_await sleep(network.random_span(50ms));
  }
}

/// The responses come in order, each whole and right, until the connection is broken.
Task<> read_all(SimNetwork& network, RawClient& client, std::vector<std::string> bodies,
                Tally& tally) {
  for (const std::string& body : bodies) {
    if (network.random().below(8) == 0) co_await sleep(network.random_span(2s));
    const RawResponse response = co_await client.read_response();
    if (response.truncated) throw StreamClosedError(client.error());
    EXPECT_EQ(response.status, 200) << response.head;
    EXPECT_EQ(response.body, body);
    ++tally.whole;
  }
}

/// One connection with pipelined requests; some clients leave early.
Task<> visit(SimNetwork& network, Tally& tally) {
  Random& random = network.random();
  co_await sleep(network.random_span(2s));
  std::unique_ptr<RawClient> client;
  try {
    client = std::make_unique<RawClient>(co_await connect_to(network.host("server").address(80)));
  } catch (const std::system_error&) {
    ++tally.broken;
    co_return;
  }
  std::vector<std::string> bodies;
  std::string text;
  const std::uint32_t count = 1 + random.below(6);
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t most = random.below(8) == 0 ? 30'000 : 300;
    bodies.push_back(text_of(random.below(most), random.next() % 1000));
    text += request(random, bodies.back());
  }
  const Duration patience = random.below(8) == 0 ? network.random_span(1s) : 200s;
  try {
    co_await with_timeout(patience, multi(send_slowly(network, *client, std::move(text)),
                                          read_all(network, *client, bodies, tally)));
  } catch (const StreamClosedError&) {
    ++tally.broken;
  } catch (const TimeoutError&) {
    ++tally.broken;
  }
}

Task<> visit_and_drain(SimNetwork& network, Tally& tally) {
  SimHost& host = network.add_host("server");
  LambdaService service;
  add_endpoints(service, network);
  HTTPServer server(network.loop(), service);
  auto door = std::make_unique<Door>(network.loop(), server, host.address(80));
  SimHost& visitors = network.add_host("visitors");
  std::vector<Task<>> visits;
  for (std::uint32_t i = 1 + network.random().below(4); i != 0; --i) {
    visits.push_back(visitors.run(visit(network, tally)));
  }
  if (network.random().below(4) == 0) {  // the server goes while they are at it
    co_await race(multi(std::move(visits)), sleep(network.random_span(3s)));
  } else {
    co_await multi(std::move(visits));
  }
  door.reset();
  const TimePoint begin = network.loop().now();
  co_await server.drain(begin + 90s);
  EXPECT_LE(network.loop().now() - begin, 91s);
  EXPECT_EQ(server.connection_count(), 0U);
}

TEST(HTTPServerSim, EveryResponseIsWholeOrTheConnectionVisiblyBroken) {
  Tally tally;
  run_seeds(700, [&](SimNetwork& network) { return visit_and_drain(network, tally); },
            {.network = {.link = SimLink::rough(), .stall = 0.02}});
  EXPECT_GT(tally.whole, 300);
  EXPECT_GT(tally.broken, 10);
}

/// A network that is slow and cuts everything to pieces, but loses nothing.
SimLink slow() {
  SimLink link = SimLink::rough();
  link.reset = link.vanish = link.refuse = link.blackhole = 0;
  return link;
}

Task<> visit_in_peace(SimNetwork& network, std::uint32_t longest) {
  SimHost& host = network.add_host("server");
  LambdaService service;
  add_endpoints(service, network);
  HTTPServer server(network.loop(), service);
  auto door = std::make_unique<Door>(network.loop(), server, host.address(80));
  Random& random = network.random();
  RawClient client(co_await connect_to(host.address(80)));
  std::vector<std::string> bodies;
  std::string text;
  for (int i = 0; i < 8; ++i) {
    bodies.push_back(text_of(random.below(longest), random.next() % 1000));
    text += request(random, bodies.back());
  }
  Tally tally;
  co_await multi(send_slowly(network, client, std::move(text)),
                 read_all(network, client, bodies, tally));
  EXPECT_EQ(tally.whole, 8);
  door.reset();
  EXPECT_TRUE(co_await server.drain(network.loop().now() + 10s));
  EXPECT_EQ(co_await client.read_to_end(), "");
  EXPECT_FALSE(client.error());
}

TEST(HTTPServerSim, WithoutFaultsEveryResponseComes) {
  run_seeds(300, [](SimNetwork& network) { return visit_in_peace(network, 3000); },
            {.network = {.link = slow(), .stall = 0.02}});
}

TEST(HTTPServerSim, ByteByByteEveryResponseComes) {
  run_seeds(5, [](SimNetwork& network) { return visit_in_peace(network, 200); },
            {.network = {.link = SimLink::bytewise()}});
}

}  // namespace
}  // namespace coronado
