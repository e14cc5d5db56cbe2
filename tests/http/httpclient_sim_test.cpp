// Client and server on a network on which everything goes wrong, under many seeds: each fetch ends
// with the right body or a typed error, never with a truncated one, and nothing is left behind.
#include <coronado/http/httpclient.hpp>

#include <coronado/coro/combine.hpp>
#include <coronado/testing/run_seeds.hpp>

#include "tests/http/client_fixture.hpp"
#include "tests/http/coded_body.hpp"

namespace coronado {
namespace {

using namespace client_test;

std::string text_of(std::size_t size, std::uint64_t mark) {
  std::string text = "<" + std::to_string(mark) + ">";
  while (text.size() < size) text += static_cast<char>('a' + text.size() * 7 % 26);
  return text;
}

struct Tally {
  int whole = 0;
  int timeouts = 0;
  int closed = 0;
  int unconnected = 0;
  int cancelled = 0;
  int retries = 0;
  int reused = 0;
  int status = 0;
  int compressed = 0;
};

/// "/text?SIZE MARK": the text, with a length, in chunks, or up to the end of the connection.
void add_endpoints(LambdaService& service, SimNetwork& network) {
  service.on("/text", [&network](HTTPExchange& exchange) -> Task<> {
    const std::string query(exchange.request().query());
    const std::size_t plus = query.find('+');
    const std::string text = text_of(std::stoul(query), std::stoull(query.substr(plus + 1)));
    Random& random = network.random();
    if (random.below(2) == 0) co_await sleep(network.random_span(30ms));
    const std::uint32_t way = random.below(4);
    if (way == 0) {
      respond_text(exchange, text);
      co_return;
    }
    if (way == 3) exchange.close_after_response();
    exchange.start({.fields = "Content-Type: text/plain\r\n"},
                   way == 1 ? std::optional<std::uint64_t>(text.size()) : std::nullopt);
    for (std::string_view rest = text; !rest.empty();) {
      const std::size_t size = 1 + random.below(static_cast<std::uint32_t>(rest.size()));
      exchange.write(rest.substr(0, size));
      co_await exchange.drain();
      rest.remove_prefix(size);
      if (random.below(4) == 0) co_await sleep(network.random_span(10ms));
      if (random.below(200) == 0) co_return exchange.abort();
    }
    exchange.finish();
  });
  service.on("/echo", [](HTTPExchange& exchange) -> Task<> {
    respond_text(exchange, exchange.request().body());
    co_return;
  });
  service.on("/move", [](HTTPExchange& exchange) -> Task<> {
    const std::string fields =
        "Location: /text?" + std::string(exchange.request().query()) + "\r\n";
    exchange.respond({.status = 302, .fields = fields}, "moved");
    co_return;
  });
  service.on("", [](HTTPExchange& exchange) -> Task<> {
    respond_text(exchange, "not here", 404);
    co_return;
  });
}

/// One fetch of some kind; its body is the expected one, or it throws.
Task<> fetch_something(SimNetwork& network, HTTPClient& client, Tally& tally) {
  Random& random = network.random();
  const std::uint32_t most = random.below(8) == 0 ? 60'000 : 400;
  const std::size_t size = random.below(most);
  const std::uint64_t mark = random.next() % 1000;
  const std::string expected = text_of(size, mark);
  const std::string query = "?" + std::to_string(size) + "+" + std::to_string(mark);
  HTTPRequest request{.request_timeout = random.below(8) == 0 ? network.random_span(2s) : 100s};
  switch (random.below(5)) {
    case 0: {
      HTTPClientStream stream = co_await client.open({.url = "http://server/text" + query});
      const std::string all = co_await stream.read_all();
      EXPECT_EQ(all, expected);
      ++tally.whole;
      co_return;
    }
    case 1:
      request.url = "http://server/echo";
      request.method = random.below(2) == 0 ? "POST" : "PUT";
      request.body = expected;
      if (random.below(2) == 0) {
        request.headers.set("Content-Encoding", "gzip");
        request.body = http_test::packed("gzip", expected);
      }
      break;
    case 2:
      request.url = "http://server/echo";
      request.method = "POST";
      request.body_producer = [expected](HTTPBodyWriter& writer) -> Task<> {
        const std::string_view text = expected;
        co_await writer.write(text.substr(0, text.size() / 2));
        co_await writer.write(text.substr(text.size() / 2));
      };
      break;
    case 3: request.url = "http://server/move" + query; break;
    default: request.url = "http://server/text" + query;
  }
  const HTTPClientResponse response = co_await client.fetch(std::move(request));
  EXPECT_EQ(response.body, expected);
  ++tally.whole;
  tally.reused += response.time_info.reused ? 1 : 0;
  tally.compressed += response.headers.contains("X-Consumed-Content-Encoding") ? 1 : 0;
}

Task<> visit(SimNetwork& network, HTTPClient& client, Tally& tally) {
  Random& random = network.random();
  for (std::uint32_t i = 1 + random.below(6); i != 0; --i) {
    co_await sleep(network.random_span(random.below(6) == 0 ? 90s : 1s));
    try {
      if (random.below(10) == 0) {  // and then it is not wanted any more
        co_await race(fetch_something(network, client, tally), sleep(network.random_span(300ms)));
        ++tally.cancelled;
      } else {
        co_await fetch_something(network, client, tally);
      }
    } catch (const HTTPTimeoutError&) {
      ++tally.timeouts;
    } catch (const HTTPStreamClosedError&) {
      ++tally.closed;
    } catch (const HTTPConnectError&) {
      ++tally.unconnected;
    } catch (const HTTPClientError& error) {
      EXPECT_EQ(error.code(), 408) << error.what();  // the body came too slowly
      ++tally.status;
    }
  }
}

Task<> run_visits(SimNetwork& network, Tally& tally) {
  SimHost& host = network.add_host("server");
  LambdaService service;
  add_endpoints(service, network);
  HTTPServerOptions how;
  how.decompress_request = true;
  if (network.random().below(2) == 0) how.compress_response = ResponseCompression{.min_size = 100};
  HTTPServer server(network.loop(), service, std::move(how));
  std::optional<Door> door;
  door.emplace(server, host.address(80));
  {
    HTTPClientOptions options;
    options.resolver = network.names();
    options.max_clients = 1 + network.random().below(4);
    HTTPClient client(std::move(options));
    SimHost& visitors = network.add_host("visitors");
    std::vector<Task<>> visits;
    for (std::uint32_t i = 1 + network.random().below(5); i != 0; --i) {
      visits.push_back(visitors.run(visit(network, client, tally)));
    }
    co_await multi(std::move(visits));
    EXPECT_EQ(client.stats().busy, 0U);
    EXPECT_EQ(client.stats().waiting, 0U);
    tally.retries += static_cast<int>(client.stats().retries);
  }
  door.reset();
  co_await server.drain(network.loop().now() + 90s);
}

TEST(HTTPClientSim, EachFetchEndsWithTheRightBodyOrATypedError) {
  Tally tally;
  run_seeds(1000, [&](SimNetwork& network) { return run_visits(network, tally); },
            {.network = {.link = SimLink::rough(), .stall = 0.02}});
  // The faults happened.
  EXPECT_GT(tally.whole, 1000);
  EXPECT_GT(tally.reused, 100);
  EXPECT_GT(tally.timeouts, 20);
  EXPECT_GT(tally.closed, 20);
  EXPECT_GT(tally.unconnected, 20);
  EXPECT_GT(tally.cancelled, 20);
  EXPECT_GT(tally.retries, 5);
  EXPECT_GT(tally.compressed, 100);
}

/// A network that is slow and cuts everything to pieces, but loses nothing.
SimLink slow() {
  SimLink link = SimLink::rough();
  link.reset = link.vanish = link.refuse = link.blackhole = 0;
  return link;
}

Task<> fetch_in_peace(SimNetwork& network, std::size_t longest) {
  SimHost& host = network.add_host("server");
  LambdaService service;
  service.on("/echo", [](HTTPExchange& exchange) -> Task<> {
    respond_text(exchange, exchange.request().body());
    co_return;
  });
  HTTPServer server(network.loop(), service);
  std::optional<Door> door;
  door.emplace(server, host.address(80));
  {
    HTTPClientOptions options;
    options.resolver = network.names();
    HTTPClient client(std::move(options));
    for (int i = 0; i < 5; ++i) {
      const std::string body =
          text_of(network.random().below(static_cast<std::uint32_t>(longest)), 7);
      const HTTPClientResponse response = co_await client.fetch(
          "http://server/echo", {.method = "POST", .body = body, .request_timeout = 0s});
      EXPECT_EQ(response.body, body);
    }
    EXPECT_EQ(client.stats().connects, 1U);
  }
  door.reset();
  EXPECT_TRUE(co_await server.drain(network.loop().now() + 10s));
}

TEST(HTTPClientSim, WithoutFaultsEveryFetchSucceeds) {
  run_seeds(300, [](SimNetwork& network) { return fetch_in_peace(network, 20'000); },
            {.network = {.link = slow(), .stall = 0.02}});
}

TEST(HTTPClientSim, ByteByByteEveryFetchSucceeds) {
  run_seeds(5, [](SimNetwork& network) { return fetch_in_peace(network, 300); },
            {.network = {.link = SimLink::bytewise()}});
}

}  // namespace
}  // namespace coronado
